//===- Harness.h - kernels as text, run in tests -----------------*- C++ -*-==//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#ifndef QDELTA_TEST_UNIT_EMULATOR_HARNESS_H
#define QDELTA_TEST_UNIT_EMULATOR_HARNESS_H

#include "qdelta/Emulator/Emulator.h"
#include "qdelta/Emulator/Prepare.h"
#include "qdelta/Emulator/TensorMap.h"

#include "gtest/gtest.h"

namespace harness {

using namespace qdelta::emulator;

/// A module of one kernel "k", made of LLVM IR text. Intrinsics need no
/// declarations, and `attributes #0` none either.
class TestKernel {
public:
  /// The body of `ptx_kernel void @k(parameters)`, with globals before it. Line
  /// n of the body has the location "k.cu:n:1", unless `locations` is false.
  static TestKernel make(const std::string &parameters, const std::string &body,
                         const std::string &globals = "");

  /// A whole module, which must parse.
  explicit TestKernel(const std::string &module);

  /// What preparation complained about; "" if it did not.
  const std::string &error() const { return problem; }
  const Kernel &kernel() const;

  Outcome launch(const LaunchConfig &config, const std::vector<Buffer> &buffers,
                 const std::vector<void *> &arguments) const;

private:
  std::string problem;
  std::unique_ptr<JitProgram> program;
};

/// A buffer of values, which is also a kernel parameter.
template <typename T>
struct Array {
  std::vector<T> values;
  T *pointer;

  explicit Array(size_t size, T value = T())
      : values(size, value), pointer(values.data()) {}
  T &operator[](size_t i) { return values[i]; }
  Buffer buffer(const std::string &name) {
    return {name, values.data(), values.size() * sizeof(T), true};
  }
  void *argument() { return &pointer; }
};

/// All combinations of schedule and completion, with some seeds of the random
/// ones.
std::vector<LaunchConfig> allModes(uint32_t threads);

/// A configuration of one block.
LaunchConfig oneBlock(uint32_t threads);

/// Numbers that are exact in bf16, f16 and tf32, and whose small products and
/// sums are exact in f32.
float smallNumber(uint32_t i);
uint16_t bf16Bits(float value);
uint16_t f16Bits(float value);

/// `text` with `from` replaced, which must be there.
std::string edit(std::string text, const std::string &from,
                 const std::string &to);
/// The location of the first line of a body that contains `fragment`.
std::string at(const std::string &body, const std::string &fragment);

/// The reports of one kind.
std::vector<Report> ofKind(const Outcome &outcome, ReportKind kind);

/// Expects a report of `kind` at `location` against `other` ("": none), and
/// nothing of another kind.
void expectReport(const Outcome &outcome, ReportKind kind,
                  const std::string &location, const std::string &other = "");
/// Expects a report that names one of the locations, as one of its sites or,
/// for a deadlock, among those that wait.
void expectAbout(const Outcome &outcome,
                 const std::vector<std::string> &locations);
void expectClean(const Outcome &outcome);

} // namespace harness

#endif // QDELTA_TEST_UNIT_EMULATOR_HARNESS_H
