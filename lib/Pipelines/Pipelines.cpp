//===- Pipelines.cpp - the passes between two phases ----------------------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===-----------------------------------------------------------------------===//

#include "qdelta/Pipelines/Pipelines.h"

#include "qdelta/Conversion/Passes.h"
#include "qdelta/Dialect/QDelta/Transforms/Passes.h"
#include "qdelta/Pipelines/Compile.h"
#include "qdelta/Target/GpuTarget.h"
#include "qdelta/Target/TargetTable.h"

#include "mlir/Conversion/Passes.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Linalg/Passes.h"
#include "mlir/Dialect/MemRef/Transforms/Passes.h"
#include "mlir/Pass/PassRegistry.h"
#include "mlir/Transforms/Passes.h"

using namespace mlir;
using namespace qdelta;

static constexpr StringLiteral kPhaseNames[] = {
    "recurrence", "affine", "chunked", "linalg", "buffers", "target"};

StringRef qdelta::phaseName(Phase phase) {
  return kPhaseNames[static_cast<size_t>(phase)];
}

std::optional<Phase> qdelta::findPhase(StringRef name) {
  const auto *found = llvm::find(kPhaseNames, name);
  if (found == std::end(kPhaseNames))
    return std::nullopt;
  return static_cast<Phase>(found - std::begin(kPhaseNames));
}

// Recurrences stay in the module as symbols in every phase, so everything below
// the affine phase runs on functions.
bool qdelta::isForGpu(const CompileOptions &options) {
  return findGpuTarget(options.target);
}

static void addCleanUp(OpPassManager &pm) {
  pm.addNestedPass<func::FuncOp>(createCSEPass());
  pm.addNestedPass<func::FuncOp>(createCanonicalizerPass());
  pm.addNestedPass<func::FuncOp>(createCSEPass());
}

static void addToChunked(OpPassManager &pm, const CompileOptions &options) {
  SelectScheduleOptions schedule;
  schedule.target = options.engine == "scalar" ? "scalar" : options.target;
  schedule.mode = options.mode;
  schedule.chunk = options.chunk;
  if (isForGpu(options))
    pm.addPass(createLevelsToHeads());
  pm.addPass(createSelectSchedule(schedule));
  if (isForGpu(options))
    pm.addPass(createOutlineKernels());
  pm.addPass(createChunk());
  // A kernel makes its decayed Gram matrices its own way.
  if (!isForGpu(options))
    pm.addPass(createSecondaryChunks());
  pm.addNestedPass<func::FuncOp>(createCSEPass());
}

/// GPU threads: the chunk form, the list or the prescan is what is lowered;
/// there is no linalg phase.
static void addToKernel(OpPassManager &pm) {
  pm.addPass(createPlanLaunches());
  pm.addPass(createLevelsToGpu());
  pm.addPass(createPrescanToGpu());
  pm.addPass(createListToGpu());
  pm.addPass(createChunkToGpu());
  pm.addPass(createExpandMath());
  pm.addNestedPass<LLVM::LLVMFuncOp>(createCSEPass());
}

static void addKernelToTarget(OpPassManager &pm) {
  OpPassManager &kernels = pm.nest<LLVM::LLVMFuncOp>();
  kernels.addPass(createSCFToControlFlowPass());
  kernels.addPass(createConvertMathToLLVMPass());
  kernels.addPass(createArithToLLVMConversionPass());
  pm.addPass(createConvertControlFlowToLLVMPass());
  kernels.addPass(createReconcileUnrealizedCastsPass());
}

static void addToLinalg(OpPassManager &pm, const CompileOptions &options) {
  if (options.engine == "cpu")
    pm.addPass(createUnrollChunks());
  pm.addPass(createChunkToLinalg());
  addCleanUp(pm);
  pm.addNestedPass<func::FuncOp>(createLoopInvariantCodeMotionPass());
}

static void addToBuffers(OpPassManager &pm, const CompileOptions &options) {
  bool vectorises = options.engine == "cpu";
  LowerTriangularSolveOptions solve;
  solve.vectors = vectorises;
  pm.addPass(createLowerTriangularSolve(solve));
  pm.addPass(createPairUpdates());
  pm.addNestedPass<func::FuncOp>(createConvertElementwiseToLinalgPass());
  pm.addPass(createAddDestinations());
  pm.addPass(createBufferize());
  pm.addPass(createParallelRange());
  pm.addPass(createOwnAllocations());
  addCleanUp(pm); // drops copies of a buffer onto itself
  pm.addPass(createCopiesToLoops());
  if (vectorises) {
    pm.addPass(createTestElements());
    pm.addPass(createStripRows());
    pm.addPass(createVectorizeLinalg());
  }
  pm.addNestedPass<func::FuncOp>(createConvertLinalgToLoopsPass());
  pm.addNestedPass<func::FuncOp>(memref::createFoldMemRefAliasOpsPass());
  addCleanUp(pm);
  pm.addNestedPass<func::FuncOp>(createLoopInvariantCodeMotionPass());
  if (vectorises) {
    pm.addPass(createCarryRows());
    pm.addPass(createFuseMultiplyAdds());
    pm.addPass(createExpandMath());
  }
  // The last row is for processors without instructions for f16.
  ExpandBfloatOptions bits;
  bits.half = !vectorises || options.target == targetTable().back().name;
  pm.addPass(createExpandBfloat(bits));
  addCleanUp(pm);
}

static void addToTarget(OpPassManager &pm) {
  pm.addPass(createCallCLibrary());
  pm.addPass(createPairConversions());
  pm.addPass(createStaggerBuffers());
  pm.addPass(createHoistAddresses());
  OpPassManager &functions = pm.nest<func::FuncOp>();
  functions.addPass(createCSEPass());
  functions.addPass(createSCFToControlFlowPass());
  functions.addPass(memref::createExpandStridedMetadataPass());
  functions.addPass(createLowerAffinePass());
  functions.addPass(createLoopInvariantCodeMotionPass());
  functions.addPass(createCSEPass());
  ConvertVectorToLLVMPassOptions vectors;
  vectors.reassociateFPReductions = true;
  vectors.x86Vector = true;
  functions.addPass(createConvertVectorToLLVMPass(vectors));
  pm.addPass(createFinalizeMemRefToLLVMConversionPass());
  OpPassManager &scalars = pm.nest<func::FuncOp>();
  scalars.addPass(createConvertMathToLLVMPass());
  scalars.addPass(createArithToLLVMConversionPass());
  scalars.addPass(createConvertIndexToLLVMPass());
  scalars.addPass(createUBToLLVMConversionPass());
  pm.addPass(createFunctionsToLLVM());
  pm.addPass(createBfloatAccesses());
  OpPassManager &finished = pm.nest<LLVM::LLVMFuncOp>();
  finished.addPass(createCSEPass());
  finished.addPass(createReconcileUnrealizedCastsPass());
  pm.addPass(createEmitEntries());
}

void qdelta::addPassesTo(Phase phase, OpPassManager &pm,
                         const CompileOptions &options) {
  switch (phase) {
  case Phase::Recurrence: {
    SpecializeOptions sizes;
    sizes.key = options.key;
    sizes.value = options.value;
    sizes.dtype = options.dtype;
    sizes.entry = options.entry;
    sizes.cuSeqlens = options.cuSeqlens;
    sizes.segments = isForGpu(options) ? 1 : options.segments;
    pm.addPass(createSpecialize(sizes));
    break;
  }
  case Phase::Affine:
    pm.addPass(createDeriveAffine());
    break;
  case Phase::Chunked:
    addToChunked(pm, options);
    break;
  case Phase::Linalg:
    if (isForGpu(options))
      return;
    addToLinalg(pm, options);
    break;
  case Phase::Buffers:
    if (isForGpu(options))
      addToKernel(pm);
    else
      addToBuffers(pm, options);
    break;
  case Phase::Target:
    if (isForGpu(options))
      addKernelToTarget(pm);
    else
      addToTarget(pm);
    break;
  }
  VerifyPhaseOptions verify;
  verify.phase = phaseName(phase).str();
  pm.addPass(createVerifyPhase(verify));
}

namespace {
/// CompileOptions as a pipeline's textual options.
struct TextualOptions : PassPipelineOptions<TextualOptions> {
  Option<std::string> engine{*this, "engine", llvm::cl::desc("cpu or scalar"),
                             llvm::cl::init("cpu")};
  Option<std::string> target{*this, "target",
                             llvm::cl::desc("a row of the target table"),
                             llvm::cl::init("host")};
  Option<std::string> mode{*this, "mode",
                           llvm::cl::desc("auto, recurrent or chunked"),
                           llvm::cl::init("auto")};
  Option<int64_t> chunk{*this, "chunk", llvm::cl::desc("tokens a chunk"),
                        llvm::cl::init(0)};
  Option<int64_t> key{*this, "key", llvm::cl::desc("key dimension"),
                      llvm::cl::init(0)};
  Option<int64_t> value{*this, "value", llvm::cl::desc("value dimension"),
                        llvm::cl::init(0)};
  Option<std::string> dtype{*this, "dtype",
                            llvm::cl::desc("what vectors are stored in"),
                            llvm::cl::init("f32")};
  Option<std::string> entry{
      *this, "entry",
      llvm::cl::desc("forward, packed, step, step_indexed, summary, compose or "
                     "apply"),
      llvm::cl::init("forward")};
  Option<std::string> cuSeqlens{*this, "cu-seqlens",
                                llvm::cl::desc("elements of cu_seqlens"),
                                llvm::cl::init("i32")};
  Option<int64_t> segments{*this, "segments",
                           llvm::cl::desc("segments of a sequence"),
                           llvm::cl::init(1)};
};
} // namespace

void qdelta::registerPipelines() {
  for (StringRef name : kPhaseNames) {
    Phase phase = *findPhase(name);
    PassPipelineRegistration<TextualOptions>(
        ("qdelta-to-" + name).str(),
        ("from the phase before it to phase " + name).str(),
        [phase](OpPassManager &pm, const TextualOptions &text) {
          CompileOptions options;
          options.engine = text.engine;
          options.target = text.target;
          options.mode = text.mode;
          options.chunk = text.chunk;
          options.key = text.key;
          options.value = text.value;
          options.dtype = text.dtype;
          options.entry = text.entry;
          options.cuSeqlens = text.cuSeqlens;
          options.segments = text.segments;
          addPassesTo(phase, pm, options);
        });
  }
}
