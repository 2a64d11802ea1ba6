//===- ConversionTest.cpp - narrow elements in compiled kernels -----------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//
//
// A recurrence whose outputs are its inputs, run on every CPU target, converts
// each number as the reference does: exactly, and to nearest with ties to even.
//
//===----------------------------------------------------------------------===//

#include "arrays/Elements.h"
#include "data/Engines.h"
#include "qdelta/Pipelines/Registration.h"
#include "qdelta/Target/TargetTable.h"

#include "mlir/IR/MLIRContext.h"
#include "mlir/Parser/Parser.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

using namespace qdelta;
using namespace qdelta::tools;
using reference::fromBits;
using reference::toBits;

namespace {
constexpr char program[] = R"(
qdelta.recurrence @copy(state %S: tensor<?x?xf32>)
    token(%k: tensor<?xf32>, %v: tensor<?xf32>, %x: f32) {
  %Sw = qdelta.write %S key %k value %v : tensor<?x?xf32>, tensor<?xf32>, tensor<?xf32>
  %scaled = qdelta.scale %v by %x : tensor<?xf32>, f32
  qdelta.yield state %Sw : tensor<?x?xf32> out %v, %scaled : tensor<?xf32>, tensor<?xf32>
}
)";

/// What the columns of a block, of AVX-512 and of AVX2, and their rest become.
constexpr int64_t keys = 3, values = 37;

struct Engine {
  const char *name, *target;
};

class Conversion
    : public testing::TestWithParam<std::tuple<Engine, Format, int64_t>> {
protected:
  Format format() { return std::get<1>(GetParam()); }

  /// `v` [T, V] and `x` [T] through the kernel: its outputs' elements.
  std::array<std::vector<uint16_t>, 2> run(std::vector<uint16_t> v,
                                           std::vector<float> x);
};
} // namespace

std::array<std::vector<uint16_t>, 2> Conversion::run(std::vector<uint16_t> v,
                                                     std::vector<float> x) {
  mlir::DialectRegistry registry;
  registerDialects(registry);
  mlir::MLIRContext context(registry, mlir::MLIRContext::Threading::DISABLED);
  auto module = mlir::parseSourceString<mlir::ModuleOp>(program, &context);
  CompileOptions options;
  options.engine = std::get<0>(GetParam()).name;
  options.target = std::get<0>(GetParam()).target;
  options.chunk = std::get<2>(GetParam());
  options.dtype = reference::formatName(format());
  options.key = keys;
  options.value = values;
  auto kernel = LoadedKernel::compile(*module, options, "copy_forward", true);
  EXPECT_TRUE(static_cast<bool>(kernel)) << llvm::toString(kernel.takeError());
  auto tokens = static_cast<int64_t>(x.size());
  std::vector<uint16_t> k(x.size() * keys), o1(v.size(), 0x1234), o2 = o1;
  std::vector<float> state(keys * values), final(state);
  std::vector<int64_t> keyShape{1, tokens, 1, keys},
      valueShape{1, tokens, 1, values}, scalarShape{1, tokens, 1},
      stateShape{1, 1, keys, values};
  DLTensor views[] = {asDLTensor(keyShape, k.data(), format()),
                      asDLTensor(valueShape, v.data(), format()),
                      asDLTensor(scalarShape, x.data(), Format::F32),
                      asDLTensor(stateShape, state.data(), Format::F32),
                      asDLTensor(valueShape, o1.data(), format()),
                      asDLTensor(valueShape, o2.data(), format()),
                      asDLTensor(stateShape, final.data(), Format::F32)};
  std::vector<DLTensor *> pointers;
  for (DLTensor &view : views)
    pointers.push_back(&view);
  llvm::Error error = kernel->launch(pointers, 1);
  EXPECT_FALSE(static_cast<bool>(error)) << llvm::toString(std::move(error));
  return {o1, o2};
}

TEST_P(Conversion, EveryNumberIsItself) {
  size_t tokens = (0x10000 + values - 1) / values;
  std::vector<uint16_t> all(tokens * values);
  for (size_t i = 0; i < all.size(); ++i)
    all[i] = static_cast<uint16_t>(i);
  auto [copied, scaled] = run(all, std::vector<float>(tokens, 1));
  for (size_t i = 0; i < all.size(); ++i)
    for (uint16_t bits : {copied[i], scaled[i]})
      if (std::isnan(fromBits(format(), all[i])))
        ASSERT_TRUE(std::isnan(fromBits(format(), bits))) << all[i];
      else
        ASSERT_EQ(bits, all[i]);
}

TEST_P(Conversion, RoundsAsTheReference) {
  std::vector<float> numbers{NAN, -NAN, INFINITY, -INFINITY, 0.0f, -0.0f};
  // A NaN whose payload is in the bits that go.
  numbers.push_back(llvm::bit_cast<float>(0x7f800001u));
  // Halves between two numbers of the format, and their neighbours: among them
  // subnormal ones and the first that becomes infinite.
  for (uint32_t bits = 0; bits < 0x10000; bits += 7) {
    float low = fromBits(format(), static_cast<uint16_t>(bits));
    float high = fromBits(format(), static_cast<uint16_t>(bits + 1));
    float middle = low / 2 + high / 2;
    for (float x : {middle, std::nextafter(middle, INFINITY),
                    std::nextafter(middle, -INFINITY)})
      numbers.push_back(x);
  }
  for (float x : {65519.9f, 65520.0f, 0x1.fep127f, 0x1.ffp127f, 0x1p-149f,
                  std::numeric_limits<float>::max()})
    numbers.push_back(x);
  std::mt19937 random(1);
  for (int i = 0; i < 5000; ++i)
    numbers.push_back(llvm::bit_cast<float>(static_cast<uint32_t>(random())));
  std::vector<uint16_t> ones(numbers.size() * values, toBits(format(), 1));
  auto scaled = run(ones, numbers)[1];
  for (size_t t = 0; t < numbers.size(); ++t)
    for (size_t c = 0; c < values; ++c) {
      uint16_t bits = scaled[t * values + c];
      if (std::isnan(numbers[t]))
        ASSERT_TRUE(std::isnan(fromBits(format(), bits))) << t;
      else
        ASSERT_EQ(bits, toBits(format(), numbers[t])) << numbers[t];
    }
}

INSTANTIATE_TEST_SUITE_P(
    Targets, Conversion,
    testing::Combine(
        testing::Values(Engine{"cpu", "host"}, Engine{"cpu", "avx2"},
                        Engine{"cpu", "scalar"}, Engine{"scalar", "host"}),
        testing::Values(Format::BF16, Format::F16), testing::Values(0, 16)),
    [](const auto &info) {
      return std::string(std::get<0>(info.param).name) + "_" +
             std::get<0>(info.param).target + "_" +
             std::string(reference::formatName(std::get<1>(info.param))) + "_" +
             std::to_string(std::get<2>(info.param));
    });
