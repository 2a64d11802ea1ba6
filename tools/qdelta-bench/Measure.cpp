//===- Measure.cpp - checking a kernel, then timing it -------------------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#include "Measure.h"
#include "Buffer.h"
#include "Peak.h"
#include "Steps.h"
#include "data/CompileLine.h"
#include "data/Engines.h"
#include "data/Failure.h"
#include "data/Inputs.h"
#include "data/Source.h"
#include "qdelta/Dialect/QDelta/Transforms/Segments.h"
#include "qdelta/Pipelines/Registration.h"

#include "mlir/IR/MLIRContext.h"

#include <chrono>
#include <cmath>

using namespace qdelta;
using namespace qdelta::tools;
using llvm::Error;
using llvm::Expected;

namespace {
/// A compiled case.
struct Subject {
  const Case &what;
  RecurrenceOp recurrence;
  Signature signature;
  Sizes sizes;
  LoadedKernel kernel;
};

double seconds() {
  auto time = std::chrono::steady_clock::now().time_since_epoch();
  return std::chrono::duration<double>(time).count();
}

} // namespace

double qdelta::tools::quantile(std::vector<double> values, double part) {
  llvm::sort(values);
  return values[static_cast<size_t>(
      std::lround(part * static_cast<double>(values.size() - 1)))];
}

/// Sizes with the same kernel and grouping of heads, and little work.
static Sizes shrink(Sizes sizes) {
  int64_t group = sizes["HV"] / sizes["H"];
  sizes["B"] = 1;
  sizes["T"] = std::min<int64_t>(sizes["T"], 65);
  sizes["H"] = std::min<int64_t>(sizes["H"], 2);
  sizes["HV"] = sizes["H"] * group;
  return sizes;
}

/// Compares with the reference; returns the largest ratio of errors.
static Expected<double> verify(Subject &subject, Format products) {
  const Signature &signature = subject.signature;
  Sizes sizes = shrink(subject.sizes);
  std::vector<std::optional<FloatTensor>> none(signature.inputs.size());
  auto inputs = makeInputs(signature, sizes, none, {});
  auto reference =
      runReference(subject.recurrence, "", inputs, signature.dtype);
  if (!reference)
    return reference.takeError();
  auto loop = runTokenLoop(subject.recurrence, inputs, products);
  if (!loop)
    return loop.takeError();
  auto got = runKernel(subject.kernel, signature, sizes, std::move(inputs),
                       subject.what.threads);
  if (!got)
    return got.takeError();
  auto errors = compare(signature.outputs, *got, *reference, *loop, *reference,
                        2, products);
  if (!allRight(errors)) {
    printTable(errors, llvm::errs(), products);
    return llvm::make_error<Failure>(
        WrongResult, subject.what.model + " on " + subject.what.engine +
                         " is wrong, so it is not timed");
  }
  double ratio = 0;
  for (const OutputError &row : errors)
    ratio = std::max(ratio, row.ratio());
  return ratio;
}

/// Times launches on a GPU.
static Error timeOnGpu(const Subject &subject, const std::string &target,
                       int repeat, Measurement &result) {
  DeviceTimes &times = result.device.emplace();
  std::string problem =
      timeOnDevice(subject.kernel.get(), subject.sizes,
                   target == "host" ? "" : target, repeat, times);
  if (!problem.empty())
    return userError(problem);
  result.nsMedian = times.nsPerTokenHead();
  result.nsBest = result.nsMedian * times.bestMs / times.medianMs;
  result.spread = times.spread;
  result.floorRatio = times.floorRatio();
  return Error::success();
}

/// Counts what one launch at full size does on the emulator, where time means
/// nothing.
static Error countLaunch(const Subject &subject, Measurement &result) {
  const Signature &signature = subject.signature;
  qdeltaCounts &counts = result.counts.emplace();
  counts.struct_size = sizeof(counts);
  std::vector<std::optional<FloatTensor>> none(signature.inputs.size());
  Emulation emulation;
  emulation.counts = &counts;
  return runKernel(subject.kernel, signature, subject.sizes,
                   makeInputs(signature, subject.sizes, none, {}),
                   subject.what.threads, emulation)
      .takeError();
}

/// A list with levels costs as much as one for each of them.
static int64_t countLevels(const Signature &signature, const Sizes &sizes) {
  for (const Argument &input : signature.inputs)
    if (llvm::is_contained(input.dims, "L"))
      return shapeOf(input, sizes).back();
  return 1;
}

/// Times launches at full size and fills in the results.
static Error timeLaunches(const Subject &subject, int repeat,
                          Measurement &result) {
  const Signature &signature = subject.signature;
  auto flop = static_cast<double>(qdeltaKernelGetWork(subject.kernel.get()));
  if (flop == 0)
    return llvm::make_error<Failure>(
        InternalError, subject.what.model + " does not say what its work is");
  flop *= static_cast<double>(countLevels(signature, subject.sizes));
  result.floorFlop = flop;
  std::vector<std::unique_ptr<Buffer>> buffers;
  auto add = [&](const Argument &argument) -> Buffer & {
    return *buffers.emplace_back(std::make_unique<Buffer>(
        shapeOf(argument, subject.sizes), argument.format, buffers.size()));
  };
  std::vector<std::optional<FloatTensor>> none(signature.inputs.size());
  auto inputs = makeInputs(signature, subject.sizes, none, {});
  for (auto [argument, input] : llvm::zip(signature.inputs, inputs))
    add(argument).store(input.data);
  inputs.clear();
  for (const Argument &argument : signature.outputs)
    add(argument);
  std::vector<DLTensor *> tensors;
  for (auto &buffer : buffers)
    tensors.push_back(buffer->getTensor());

  auto launch = [&] {
    return subject.kernel.launch(tensors, subject.what.threads);
  };
  if (Error error = launch())
    return error;
  double start = seconds();
  if (Error error = launch())
    return error;
  // A repeat lasts at least two milliseconds.
  int launches =
      1 + static_cast<int>(std::min(2e-3 / (seconds() - start), 1e4));
  double work = static_cast<double>(
      subject.sizes.at("B") * subject.sizes.at("T") * subject.sizes.at("HV"));
  std::vector<double> times, ratios, peaks;
  for (int i = 0; i < repeat; ++i) {
    double before = measurePeak();
    start = seconds();
    for (int j = 0; j < launches; ++j)
      if (Error error = launch())
        return error;
    double time = (seconds() - start) / launches / work;
    double peak = std::max(before, measurePeak());
    // A register holds half as many numbers in f64.
    if (signature.dtype == Format::F64)
      peak /= 2;
    times.push_back(time * 1e9);
    ratios.push_back(time * peak * subject.what.threads / flop);
    peaks.push_back(peak * 1e-9);
  }
  for (auto &buffer : buffers)
    if (!buffer->isFinite())
      return llvm::make_error<Failure>(
          WrongResult, subject.what.model + " on " + subject.what.engine +
                           " has outputs that are not finite");
  result.nsMedian = quantile(times, 0.5);
  result.nsBest = quantile(times, 0);
  result.spread =
      (quantile(times, 0.75) - quantile(times, 0.25)) / result.nsMedian;
  result.floorRatio = quantile(ratios, 0.5);
  result.peakGflops = quantile(peaks, 0.5);
  return Error::success();
}

Expected<Measurement> qdelta::tools::measure(const Case &what,
                                             const MeasureOptions &options,
                                             Reproducer &reproducer) {
  Expected<std::string> path = findModel(what.model, options.modelsDir);
  if (!path)
    return path.takeError();
  double start = seconds();
  mlir::DialectRegistry registry;
  registerDialects(registry);
  mlir::MLIRContext context(registry, mlir::MLIRContext::Threading::DISABLED);
  Expected<Source> source = Source::read(*path, context);
  if (!source)
    return source.takeError();
  reproducer.setInput(source->getText());
  Expected<RecurrenceOp> recurrence = findRecurrence(source->getModule(), "");
  if (!recurrence)
    return recurrence.takeError();
  Expected<Format> dtype = parseFormat("dtype", what.dtype);
  if (!dtype)
    return dtype.takeError();
  Expected<Signature> signature = getSignature(*recurrence, *dtype);
  if (!signature)
    return signature.takeError();
  std::vector<std::optional<FloatTensor>> none(signature->inputs.size());
  Expected<Sizes> sizes = resolveSizes(*signature, what.shape, none);
  if (!sizes)
    return sizes.takeError();
  if (sizes->at("B") == 0 || sizes->at("T") == 0)
    return userError("expected at least one token to time, but got " +
                     formatSizes(*sizes));

  CompileOptions compile = options.compile;
  if (isSummaryKind(compile.entry))
    return userError("entry " + compile.entry + " is not timed");
  compile.engine = what.engine;
  compile.dtype = what.dtype;
  compile.segments = segmentsFor(*recurrence, compile, *sizes, what.threads);
  compile.key = sizes->at("K");
  compile.value = sizes->at("V");
  auto kernel = LoadedKernel::compile(source->getModule(), compile,
                                      recurrence->getSymName(), true);
  if (!kernel)
    return kernel.takeError();
  Measurement result;
  result.compileMs = (seconds() - start) * 1e3;
  result.what = what;
  result.what.shape = *sizes;
  result.function = signature->recurrence;
  Subject subject{what, *recurrence, *signature, *sizes, std::move(*kernel)};
  Expected<double> ratio =
      verify(subject, productsFor(*recurrence, compile, signature->dtype));
  if (!ratio)
    return ratio.takeError();
  result.errorRatio = *ratio;
  if (what.engine == "emulated") {
    if (Error error = countLaunch(subject, result))
      return error;
    return result;
  }
  if (compile.entry == "step_indexed" || compile.entry == "packed" ||
      (compile.entry != "forward" && what.engine == "cuda"))
    return userError("entry " + compile.entry + " on engine " + what.engine +
                     " is not timed; step on engines cpu and scalar is");
  if (what.engine == "cuda") {
    if (Error error =
            timeOnGpu(subject, compile.target, options.repeat, result))
      return error;
    return result;
  }
  Error error = compile.entry == "forward"
                    ? timeLaunches(subject, options.repeat, result)
                    : timeSteps(subject.kernel, *signature, *sizes,
                                what.threads, options.repeat, result);
  if (error)
    return error;
  return result;
}
