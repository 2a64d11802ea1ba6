//===- Check.cpp - one way to look at a program, and what it shows -------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#include "Check.h"
#include "qdelta/Pipelines/Pipelines.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FormatVariadic.h"

using namespace qdelta;
using namespace qdelta::tools;
using llvm::StringRef;

StringRef qdelta::tools::nameOf(Outcome::Kind kind) {
  static constexpr StringRef names[] = {"right",  "refused",  "imprecise",
                                        "wrong",  "unstable", "broken",
                                        "crashed"};
  return names[kind];
}

std::string qdelta::tools::withoutNumbers(StringRef text) {
  std::string result;
  for (size_t i = 0; i < text.size(); ++i) {
    if (!llvm::isDigit(text[i]))
      result += text[i];
    else if (i == 0 || !llvm::isDigit(text[i - 1]))
      result += 'N';
  }
  return result;
}

bool Outcome::isLike(const Outcome &other) const {
  if (kind != other.kind)
    return false;
  bool isText = kind == Refused || kind == Broken;
  return !isText || withoutNumbers(detail) == withoutNumbers(other.detail);
}

std::string Check::name() const {
  if (kind == Derivation)
    return "derivation";
  std::string text = kind == Form ? "chunk form, " : "";
  text += compile.engine;
  if (compile.target != "host")
    text += " " + compile.target;
  if (compile.dtype != "f32")
    text += " " + compile.dtype;
  if (compile.mode != "auto")
    return text + ", " + compile.mode;
  if (compile.chunk == 0)
    return text + ", own chunk";
  return text + ", chunk " + std::to_string(compile.chunk);
}

std::string Check::reproducer(const Case &what, StringRef path) const {
  if (kind == Engine) {
    const Shape &shape = what.shapes.front();
    std::string sizes = formatSizes(shape.sizes);
    llvm::erase(sizes, ' ');
    std::string text =
        llvm::formatv("qdelta-run {0} --engine={1} --target={2} --dtype={3} "
                      "--mode={4} --chunk={5} --seed={6} --shape {7} "
                      "--check-against=reference",
                      path, compile.engine, compile.target, compile.dtype,
                      compile.mode, compile.chunk, what.seed, sizes);
    return shape.hasExtremes ? text + " --decays=" + extremeDecays.str() : text;
  }
  std::string passes = llvm::formatv(
      "qdelta-to-recurrence{{key={0} value={1} dtype={2}},qdelta-to-affine,",
      what.exactKey, what.exactValue, compile.dtype);
  constexpr StringRef check =
      "qdelta-check-derivation,qdelta-check-derivation{erase}";
  if (kind == Form) {
    passes += llvm::formatv(
        "qdelta-to-chunked{{engine={0} target={1} mode={2} chunk={3}},",
        compile.engine, compile.target, compile.mode, compile.chunk);
    if (!isForGpu(compile))
      passes += llvm::formatv("{0},qdelta-to-linalg{{engine={1}},", check,
                              compile.engine);
  }
  return llvm::formatv(
      "qdelta-opt {0} -o /dev/null \"--pass-pipeline=builtin.module({1}{2})\"",
      path, passes, check);
}
