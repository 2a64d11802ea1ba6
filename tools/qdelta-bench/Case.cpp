//===- Case.cpp - what to measure ----------------------------------------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#include "Case.h"
#include "data/CompileLine.h"
#include "data/Failure.h"

#include "llvm/Support/MemoryBuffer.h"

using namespace qdelta::tools;
using llvm::StringRef;
namespace json = llvm::json;

llvm::Expected<json::Value> qdelta::tools::readJson(StringRef path) {
  auto file = llvm::MemoryBuffer::getFileOrSTDIN(path);
  if (!file)
    return userError("cannot read " + path + ": " + file.getError().message());
  llvm::Expected<json::Value> value = json::parse((*file)->getBuffer());
  if (!value)
    return userError(path + ": " + llvm::toString(value.takeError()));
  return value;
}

static llvm::Expected<Case> readCase(const json::Object &object) {
  Case result;
  auto model = object.getString("model");
  const json::Object *shape = object.getObject("shape");
  if (!model || !shape)
    return userError("expected a case to have a model and a shape");
  result.model = model->str();
  std::string text;
  for (const auto &[symbol, size] : *shape) {
    std::string number;
    llvm::raw_string_ostream(number) << size;
    text += symbol.str() + "=" + number + ",";
  }
  llvm::Expected<Sizes> sizes = parseShape(text);
  if (!sizes)
    return sizes.takeError();
  result.shape = std::move(*sizes);
  if (auto engine = object.getString("engine"))
    result.engine = engine->str();
  if (auto dtype = object.getString("dtype")) {
    if (auto format = parseFormat("dtype", *dtype); !format)
      return format.takeError();
    result.dtype = dtype->str();
  }
  if (auto threads = object.getInteger("threads")) {
    if (*threads < 1 || *threads > 1024)
      return userError("expected threads from 1 to 1024, but got " +
                       llvm::Twine(*threads));
    result.threads = static_cast<int32_t>(*threads);
  }
  return result;
}

llvm::Expected<std::vector<Case>> qdelta::tools::readSuite(StringRef path) {
  llvm::Expected<json::Value> suite = readJson(path);
  if (!suite)
    return suite.takeError();
  const json::Object *top = suite->getAsObject();
  const json::Array *cases = top ? top->getArray("cases") : nullptr;
  if (!cases)
    return userError(path + ": expected an object with an array of cases");
  std::vector<Case> result;
  for (const json::Value &value : *cases) {
    const json::Object *object = value.getAsObject();
    if (!object)
      return userError(path + ": expected a case to be an object");
    llvm::Expected<Case> next = readCase(*object);
    if (!next)
      return userError(path + ": " + llvm::toString(next.takeError()));
    result.push_back(std::move(*next));
  }
  return result;
}
