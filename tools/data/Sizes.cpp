//===- Sizes.cpp - the sizes of a run, from --shape and from inputs ------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#include "data/Sizes.h"
#include "arrays/KernelArrays.h"
#include "data/Failure.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/MathExtras.h"

#include <unistd.h>

using namespace qdelta::tools;
using llvm::StringRef;
using llvm::Twine;

static constexpr StringRef symbols[] = {"B", "T", "H", "HV", "K", "V"};
/// Given where it is not as small as it can be.
static constexpr StringRef levels = "L";

/// B and T may be 0: there is nothing to do then, or only states to copy.
static int64_t minimumOf(StringRef symbol) {
  return symbol == "B" || symbol == "T" ? 0 : 1;
}

llvm::Expected<Sizes> qdelta::tools::parseShape(StringRef text) {
  Sizes sizes;
  llvm::SmallVector<StringRef> fields;
  text.split(fields, ',', -1, /*KeepEmpty=*/false);
  for (StringRef field : fields) {
    auto [name, number] = field.split('=');
    name = name.trim();
    if (!llvm::is_contained(symbols, name) && name != levels)
      return userError("expected --shape to give " +
                       llvm::join(llvm::ArrayRef(symbols), ", ") + " or " +
                       levels + ", but got '" + field + "'");
    int64_t size;
    if (number.trim().getAsInteger(10, size) || size < minimumOf(name))
      return userError("expected " + name +
                       " in --shape to be an integer of at least " +
                       Twine(minimumOf(name)) + ", but got '" + number + "'");
    if (!sizes.try_emplace(name.str(), size).second)
      return userError("--shape gives " + name + " twice");
  }
  return sizes;
}

namespace {
/// Sizes with, for each, what said so first.
class Resolver {
public:
  llvm::Error bind(StringRef symbol, int64_t size, const Twine &where) {
    auto [entry, isNew] = known.try_emplace(symbol.str(), size, where.str());
    if (isNew || entry->second.first == size)
      return llvm::Error::success();
    return userError("expected " + where + " to have " + symbol + " = " +
                     Twine(entry->second.first) + " as " +
                     entry->second.second + " has, but got " + Twine(size));
  }

  llvm::Error bindInput(const Argument &argument, const FloatTensor &tensor);
  /// Packed sequences end with the last token.
  llvm::Error bindEnd(const Argument &argument, const FloatTensor &tensor);
  llvm::Error bindHeads();
  llvm::Expected<Sizes> finish() const;

private:
  std::map<std::string, std::pair<int64_t, std::string>> known;
  /// The heads of the token inputs given.
  std::vector<std::pair<const Argument *, int64_t>> heads;
};
} // namespace

llvm::Error Resolver::bindInput(const Argument &argument,
                                const FloatTensor &tensor) {
  if (tensor.shape.size() != argument.dims.size())
    return userError(
        "expected " + argument.name + " to have shape [" +
        llvm::join(argument.dims, ", ") + "], but got [" +
        llvm::join(llvm::map_range(tensor.shape, llvm::itostr), ", ") + "]");
  for (auto [name, length] : llvm::zip(argument.dims, tensor.shape)) {
    if (name == "1" && length != 1)
      return userError("expected " + argument.name +
                       " to have B = 1 with cu_seqlens, but got " +
                       Twine(length));
    if (name == "1" || name == "HV*L")
      continue;
    StringRef symbol = name == "K/2"   ? "K"
                       : name == "B+1" ? "B"
                                       : StringRef(name);
    int64_t size = name == "K/2"   ? 2 * length
                   : name == "B+1" ? length - 1
                                   : length;
    if (argument.role == QDELTA_ROLE_TOKEN && symbol.starts_with("H"))
      heads.emplace_back(&argument, size);
    else if (size < minimumOf(symbol))
      return userError("expected " + argument.name + " to have " + symbol +
                       " of at least " + Twine(minimumOf(symbol)) +
                       ", but got " + Twine(size));
    else if (llvm::Error error = bind(symbol, size, argument.name))
      return error;
  }
  return llvm::Error::success();
}

llvm::Error Resolver::bindEnd(const Argument &argument,
                              const FloatTensor &tensor) {
  auto end = static_cast<int64_t>(tensor.data.back());
  if (end < 0)
    return userError("expected " + argument.name + " to end with T, but got " +
                     Twine(end));
  return bind("T", end, "the end of " + argument.name);
}

llvm::Error Resolver::bindHeads() {
  int64_t most = 0;
  for (auto [argument, count] : heads) {
    if (count < 1)
      return userError("expected " + argument->name +
                       " to have H of at least 1, but got " + Twine(count));
    most = std::max(most, count);
    if (argument->dims[2] == "H")
      known.try_emplace("H", count, argument->name);
  }
  if (auto entry = known.find("H"); entry != known.end())
    most = std::max(most, entry->second.first);
  if (most != 0)
    known.try_emplace("HV", most, "the input with most heads");
  if (auto entry = known.find("HV"); entry != known.end())
    known.try_emplace("H", entry->second);
  else
    return llvm::Error::success();
  auto [valueHeads, where] = known.at("HV");
  auto [queryHeads, whereH] = known.at("H");
  auto mustDivide = [&](int64_t count, StringRef name) -> llvm::Error {
    if (valueHeads % count == 0)
      return llvm::Error::success();
    return userError("HV = " + Twine(valueHeads) + " of " + where +
                     " must be a multiple of H = " + Twine(count) + " of " +
                     name);
  };
  if (llvm::Error error = mustDivide(queryHeads, whereH))
    return error;
  for (auto [argument, count] : heads)
    if (llvm::Error error = mustDivide(count, argument->name))
      return error;
  return llvm::Error::success();
}

llvm::Expected<Sizes> Resolver::finish() const {
  Sizes sizes;
  for (StringRef symbol : symbols) {
    auto entry = known.find(symbol.str());
    if (entry == known.end())
      return userError("--shape lacks " + symbol +
                       ", which no input gives; write for example --shape "
                       "B=1,T=64,H=2,K=64,V=64");
    sizes[symbol.str()] = entry->second.first;
  }
  if (auto entry = known.find(levels.str()); entry != known.end())
    sizes[levels.str()] = entry->second.first;
  return sizes;
}

/// Fails if the run's tensors cannot all be in memory, each as doubles too.
static llvm::Error checkMemory(const Signature &signature, const Sizes &sizes) {
  int64_t total = 0;
  for (const auto &arguments : {signature.inputs, signature.outputs})
    for (const Argument &argument : arguments) {
      int64_t bytes = sizeof(float);
      for (int64_t size : shapeOf(argument, sizes))
        if (llvm::MulOverflow(bytes, size, bytes))
          return userError("the sizes of " + argument.name + " overflow: " +
                           llvm::join(argument.dims, " * ") + " for " +
                           formatSizes(sizes) + " is at least 2^63 bytes");
      if (llvm::AddOverflow(total, bytes, total))
        total = INT64_MAX;
    }
  double memory = static_cast<double>(sysconf(_SC_PHYS_PAGES)) *
                  static_cast<double>(sysconf(_SC_PAGE_SIZE));
  if (static_cast<double>(total) < memory)
    return llvm::Error::success();
  constexpr double GiB = 1 << 30;
  return userError(
      "the tensors for " + formatSizes(sizes) + " need " +
      Twine(static_cast<int64_t>(static_cast<double>(total) / GiB)) +
      " GiB, but this machine has " +
      Twine(static_cast<int64_t>(memory / GiB)) + " GiB");
}

llvm::Expected<Sizes>
qdelta::tools::resolveSizes(const Signature &signature, const Sizes &wanted,
                            llvm::ArrayRef<std::optional<FloatTensor>> given) {
  Resolver resolver;
  for (const auto &[symbol, size] : wanted)
    if (llvm::Error error = resolver.bind(symbol, size, "--shape"))
      return error;
  std::string types = "@" + signature.recurrence;
  for (auto [symbol, size] :
       {std::pair("K", signature.key), std::pair("V", signature.value)})
    if (size != 0)
      if (llvm::Error error = resolver.bind(symbol, size, types))
        return error;
  for (auto [argument, tensor] : llvm::zip(signature.inputs, given))
    if (tensor)
      if (llvm::Error error = resolver.bindInput(argument, *tensor))
        return error;
  for (auto [argument, tensor] : llvm::zip(signature.inputs, given))
    if (tensor && argument.role == QDELTA_ROLE_CU_SEQLENS)
      if (llvm::Error error = resolver.bindEnd(argument, *tensor))
        return error;
  if (llvm::Error error = resolver.bindHeads())
    return error;
  llvm::Expected<Sizes> sizes = resolver.finish();
  if (sizes)
    if (llvm::Error error = checkMemory(signature, *sizes))
      return error;
  return sizes;
}

static int64_t countLevels(const Sizes &sizes) {
  auto given = sizes.find(levels.str());
  return given == sizes.end() ? qdelta::tools::levelsFor(sizes.at("T"))
                              : given->second;
}

std::vector<int64_t> qdelta::tools::shapeOf(const Argument &argument,
                                            const Sizes &sizes) {
  std::vector<int64_t> shape;
  for (const std::string &symbol : argument.dims)
    shape.push_back(symbol == "K/2"    ? sizes.at("K") / 2
                    : symbol == "B+1"  ? sizes.at("B") + 1
                    : symbol == "1"    ? 1
                    : symbol == levels ? countLevels(sizes)
                    : symbol == "HV*L" ? sizes.at("HV") * countLevels(sizes)
                                       : sizes.at(symbol));
  return shape;
}

std::string qdelta::tools::formatSizes(const Sizes &sizes) {
  std::string result;
  for (StringRef symbol : symbols)
    result += (result.empty() ? "" : ", ") + symbol.str() + "=" +
              std::to_string(sizes.at(symbol.str()));
  if (auto entry = sizes.find(levels.str()); entry != sizes.end())
    result += ", L=" + std::to_string(entry->second);
  return result;
}
