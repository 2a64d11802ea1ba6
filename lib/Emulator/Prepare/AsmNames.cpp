//===- AsmNames.cpp - from PTX mnemonics to operations --------------------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#include "AsmNames.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringExtras.h"

#include <numeric>

using namespace qdelta::emulator;
using llvm::StringRef;

namespace {
/// The mnemonic without the parts that say nothing here.
std::string without(StringRef mnemonic,
                    std::initializer_list<StringRef> dropped) {
  llvm::SmallVector<StringRef> parts;
  mnemonic.split(parts, '.');
  llvm::erase_if(
      parts, [&](StringRef part) { return llvm::is_contained(dropped, part); });
  return llvm::join(parts, ".");
}

std::string replaced(std::string text, StringRef from, StringRef to) {
  for (size_t at = text.find(from.str()); at != std::string::npos;
       at = text.find(from.str(), at + to.size()))
    text.replace(at, from.size(), to.str());
  return text;
}

/// Tensor and bulk copies, whose operands stand in another order in PTX.
std::optional<NamedOrder> nameOfBulk(StringRef mnemonic) {
  llvm::SmallVector<StringRef> parts;
  mnemonic.split(parts, '.');
  if (llvm::any_of(parts, [](StringRef part) {
        return part.starts_with("multicast") || part.starts_with("im2col") ||
               part.starts_with("tile::") || part.starts_with("cta_group");
      }))
    return std::nullopt;
  NamedOrder named;
  bool loads = mnemonic.contains(".shared::cluster.global") ||
               mnemonic.contains(".shared::cta.global");
  if (mnemonic.starts_with("cp.async.bulk.tensor.")) {
    size_t rank = parts[4][0] - '0';
    std::string suffix = ".tile." + parts[4].str();
    std::vector<size_t> coordinates(rank);
    std::iota(coordinates.begin(), coordinates.end(), loads ? 2 : 1);
    if (loads) { // [dst], [map, {c}], [mbar]
      named.name = "cp.async.bulk.tensor.g2s" + suffix;
      named.order = {0, 2 + rank, 1};
    } else { // [map, {c}], [src]
      named.name = "cp.async.bulk.tensor.s2g" + suffix;
      named.order = {1 + rank, 0};
    }
    llvm::append_range(named.order, coordinates);
    return named;
  }
  if (loads) // [dst], [src], size, [mbar]
    return NamedOrder{"cp.async.bulk.global.to.shared.cta", {0, 3, 1, 2}};
  if (mnemonic.starts_with("cp.async.bulk.global.shared::cta"))
    return NamedOrder{"cp.async.bulk.shared.cta.to.global", {0, 1, 2}};
  return std::nullopt;
}

/// cp.async [dst], [src], size{, bytes to read}
std::optional<NamedOrder>
nameOfCopy(StringRef mnemonic,
           llvm::ArrayRef<std::optional<int64_t>> constants) {
  std::string name = without(mnemonic, {"L2::64B", "L2::128B", "L2::256B"});
  name = replaced(name, "shared::cta", "shared");
  if (constants.size() < 3 || !constants[2])
    return std::nullopt;
  name += "." + std::to_string(*constants[2]);
  return constants.size() == 4 ? NamedOrder{name + ".s", {0, 1, 3}}
                               : NamedOrder{name, {0, 1}};
}

std::string nameOfMma(StringRef mnemonic) {
  // mma.sync.aligned.SHAPE.row.col.f32.TYPE.TYPE.f32
  llvm::SmallVector<StringRef> parts;
  mnemonic.split(parts, '.');
  if (parts.size() != 10 || parts[6] != "f32" || parts[7] != parts[8] ||
      parts[9] != "f32")
    return mnemonic.str();
  StringRef type = parts[7] == "f16" ? "f32.f32" : parts[7];
  return ("mma." + parts[3] + ".row.col." + type).str();
}

std::string nameOfConversion(StringRef mnemonic) {
  std::string relu = mnemonic.contains(".relu") ? ".relu" : "";
  std::string name = without(mnemonic, {"relu"});
  if (name == "cvt.rn.bf16x2.f32")
    return "ff2bf16x2.rn" + relu;
  if (name == "cvt.rn.f16x2.f32")
    return "ff2f16x2.rn" + relu;
  if (name == "cvt.rn.bf16.f32")
    return "f2bf16.rn" + relu;
  if (name == "cvt.rn.f16.f32")
    return "f2f16.rn" + relu;
  if (name == "cvt.rna.tf32.f32" || name == "cvt.rn.tf32.f32" ||
      name == "cvt.rz.tf32.f32")
    return "f2tf32." +
           StringRef(name).split('.').second.split('.').first.str() + relu;
  return mnemonic.str();
}

std::string nameOfBarrier(StringRef mnemonic, size_t numArguments) {
  StringRef kind = mnemonic.split('.').second;
  bool aligned = mnemonic.starts_with("bar.") || mnemonic.ends_with(".aligned");
  if (kind.consume_front("cta."))
    aligned = mnemonic.ends_with(".aligned");
  kind = kind.split('.').first;
  return ("barrier.cta." + kind + (aligned ? ".aligned" : "") +
          (numArguments > 1 ? ".count" : ".all"))
      .str();
}
} // namespace

std::optional<NamedOrder> qdelta::emulator::nameOfMnemonic(
    StringRef mnemonic, llvm::ArrayRef<std::optional<int64_t>> constants) {
  std::vector<size_t> all(constants.size());
  std::iota(all.begin(), all.end(), 0);
  auto as = [&](std::string name) { return NamedOrder{std::move(name), all}; };
  if (mnemonic == "cp.async.commit_group" ||
      mnemonic == "cp.async.wait_group" || mnemonic == "cp.async.wait_all" ||
      mnemonic == "cp.async.bulk.commit_group" ||
      mnemonic == "cp.async.bulk.wait_group" ||
      mnemonic == "cp.async.bulk.wait_group.read")
    return as(replaced(mnemonic.str(), "_", "."));
  if (mnemonic.starts_with("cp.async.bulk."))
    return nameOfBulk(mnemonic);
  if (mnemonic.starts_with("cp.async."))
    return nameOfCopy(mnemonic, constants);
  if (mnemonic.starts_with("mma.sync."))
    return as(nameOfMma(mnemonic));
  if (mnemonic.starts_with("cvt."))
    return as(nameOfConversion(mnemonic));
  if (mnemonic.starts_with("bar.warp.sync"))
    return as("bar.warp.sync");
  if (mnemonic.starts_with("bar.") || mnemonic.starts_with("barrier.sync") ||
      mnemonic.starts_with("barrier.arrive") ||
      mnemonic.starts_with("barrier.cta."))
    return as(nameOfBarrier(mnemonic, constants.size()));
  if (mnemonic.starts_with("mbarrier."))
    return as(replaced(
        without(mnemonic, {"shared", "shared::cta", "b64", "release", "cta"}),
        "_tx", ".tx"));
  if (mnemonic.starts_with("ldmatrix.") || mnemonic.starts_with("stmatrix."))
    return as(without(mnemonic, {"shared", "shared::cta"}));
  if (mnemonic.starts_with("fence.") || mnemonic.starts_with("membar."))
    return as(replaced(mnemonic.str(), "::", "_"));
  if (mnemonic == "activemask.b32")
    return as("activemask");
  if (mnemonic == "nanosleep.u32")
    return as("nanosleep");
  return as(mnemonic.str());
}
