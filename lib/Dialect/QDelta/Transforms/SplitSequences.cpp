//===- SplitSequences.cpp - functions that are run by segments ------------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#include "SplitSequences.h"
#include "DeriveSummary.h"

#include "qdelta/Dialect/QDelta/IR/SquareStates.h"
#include "qdelta/Dialect/QDelta/Transforms/EntryPoints.h"
#include "qdelta/Dialect/QDelta/Transforms/Segments.h"

#include "llvm/Support/Threading.h"

using namespace mlir;
using namespace qdelta;

/// What the recurrence derived for segments may be, in the order of the kernels
/// that a launch calls.
static constexpr llvm::StringLiteral kKinds[] = {kAdvanceKind, "summary",
                                                 "apply"};

int64_t qdelta::chooseSegments(int64_t items, int64_t tokens, int64_t threads) {
  constexpr int64_t kShortest = 512;
  if (items < 1)
    return 1;
  int64_t segments = std::min(threads / items + 1, tokens / kShortest);
  return segments < 3 ? 1 : segments;
}

/// The forward run that is all of a function.
static ScanOp scanOf(func::FuncOp func) {
  RecurrenceOp recurrence = recurrenceOf(func);
  auto scans = func.getBody().getOps<ScanOp>();
  if (!recurrence || recurrence->hasAttr(kSummaryOfAttr) || scans.empty() ||
      (*scans.begin()).getCuSeqlens())
    return nullptr;
  return *scans.begin();
}

/// The number of segments for a function whose sizes are static, and else 1.
static int64_t chooseFor(ScanOp scan) {
  if (scan.getInits().empty() || scan.getTokens().empty() ||
      !hasSummary(recurrenceOf(scan->getParentOfType<func::FuncOp>())))
    return 1;
  auto sizeOf = [](Value value, unsigned dim) {
    return cast<RankedTensorType>(value.getType()).getDimSize(dim);
  };
  int64_t batch = sizeOf(scan.getInits()[0], 0);
  int64_t heads = sizeOf(scan.getInits()[0], 1);
  int64_t tokens = sizeOf(scan.getTokens()[0], 1);
  if (llvm::is_contained({batch, heads, tokens}, ShapedType::kDynamic))
    return 1;
  unsigned threads = llvm::hardware_concurrency().compute_thread_count();
  return chooseSegments(batch * heads, tokens, threads);
}

/// Whether the function is one for any number of batch entries, tokens and
/// heads: of all but the last, K and V.
static bool takesAnySizes(ScanOp scan, RecurrenceOp recurrence) {
  func::FuncOp func = scan->getParentOfType<func::FuncOp>();
  auto dims = inferTokenDims(recurrence.getBody().front());
  unsigned states = recurrence.getNumStates();
  for (auto [index, arg] :
       llvm::enumerate(recurrence.getBody().getArguments())) {
    Value operand = index < states ? scan.getInits()[index]
                                   : scan->getOperand(index - states);
    auto shape = cast<RankedTensorType>(operand.getType()).getShape();
    size_t own = dims[arg] == TokenDim::Scalar  ? 0
                 : dims[arg] == TokenDim::State ? 2
                                                : 1;
    if (!llvm::all_of(shape.drop_back(own), ShapedType::isDynamic))
      return false;
  }
  return func.getSymName() == entryPointName(recurrence.getSymName());
}

/// The names of the kernels that segments of a recurrence take.
static DictionaryAttr calleesOf(RecurrenceOp recurrence, int64_t segments,
                                bool callsItself) {
  Builder b(recurrence.getContext());
  auto module = recurrence->getParentOfType<ModuleOp>();
  NamedAttrList attributes;
  attributes.append("count", b.getI64IntegerAttr(segments));
  if (!callsItself)
    attributes.append("run", recurrence.getSymNameAttr());
  for (StringRef kind : kKinds) {
    std::string name = entryPointName(recurrence.getSymName(), kind);
    if (module.lookupSymbol<RecurrenceOp>(name))
      attributes.append(kind, b.getStringAttr(name));
  }
  return attributes.getDictionary(recurrence.getContext());
}

LogicalResult qdelta::splitSequences(ModuleOp module, int64_t segments) {
  for (auto func : llvm::to_vector(module.getOps<func::FuncOp>())) {
    ScanOp scan = scanOf(func);
    int64_t count = !scan ? 1 : segments ? segments : chooseFor(scan);
    if (count < 2)
      continue;
    RecurrenceOp recurrence = recurrenceOf(func);
    for (StringRef kind : kKinds)
      if (failed(deriveSummary(recurrence, kind)))
        return failure();
    bool callsItself = takesAnySizes(scan, recurrence);
    if (!callsItself &&
        !module.lookupSymbol(entryPointName(recurrence.getSymName())))
      addForward(recurrence);
    func->setAttr(kSegmentsAttr, calleesOf(recurrence, count, callsItself));
  }
  return success();
}
