//===- PrintFacts.cpp - print what the derivation knows of lists ----------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#include "ListFacts.h"

#include "qdelta/Dialect/QDelta/Transforms/Passes.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/BuiltinOps.h"
#include "llvm/Support/raw_ostream.h"

namespace qdelta {
#define GEN_PASS_DEF_PRINTFACTS
#include "qdelta/Dialect/QDelta/Transforms/Passes.h.inc"
} // namespace qdelta

using namespace mlir;
using namespace qdelta;

namespace {

struct PrintFactsPass : qdelta::impl::PrintFactsBase<PrintFactsPass> {
  void runOnOperation() override {
    for (auto func : getOperation().getOps<func::FuncOp>()) {
      int64_t number = 0;
      func.walk([&](AffineScanOp list) {
        FactsAttr facts = list.getFacts();
        llvm::outs() << func.getSymName() << " list " << ++number
                     << ": decay = " << stringifyDecayKind(facts.getDecay())
                     << ", reads = " << facts.getReads()
                     << ", writes = " << facts.getWrites()
                     << ", unknown = " << llvm::count(facts.getUnknown(), true)
                     << ", grams = " << countGrams(list) << ", bounded = "
                     << (facts.getBounded() ? "true" : "false") << "\n";
      });
    }
    llvm::outs().flush();
    markAllAnalysesPreserved();
  }
};
} // namespace
