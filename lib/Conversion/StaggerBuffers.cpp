//===- StaggerBuffers.cpp - buffers at different places of a page ---------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#include "qdelta/Conversion/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"

namespace qdelta {
#define GEN_PASS_DEF_STAGGERBUFFERS
#include "qdelta/Conversion/Passes.h.inc"
} // namespace qdelta

using namespace mlir;

namespace {

/// Addresses of loads and stores are compared by their place in a page.
constexpr int64_t kPageBytes = 4096;
constexpr int64_t kLineBytes = 64;

int64_t bytesOf(memref::AllocOp alloc) {
  MemRefType type = alloc.getType();
  return type.getNumElements() *
         llvm::divideCeil(type.getElementTypeBitWidth(), 8);
}

bool takesPages(memref::AllocOp alloc) {
  MemRefType type = alloc.getType();
  return type.hasStaticShape() && type.getLayout().isIdentity() &&
         type.getElementType().isIntOrFloat() && bytesOf(alloc) >= kPageBytes;
}

/// The buffer begins `place` bytes behind the start of a page.
void beginAt(int64_t place, memref::AllocOp alloc) {
  OpBuilder b(alloc);
  Location loc = alloc.getLoc();
  auto room = MemRefType::get({place + bytesOf(alloc)}, b.getI8Type());
  auto whole = memref::AllocOp::create(b, loc, room);
  whole.setAlignment(kPageBytes);
  Value first = arith::ConstantIndexOp::create(b, loc, place);
  Value numbers = memref::ViewOp::create(b, loc, alloc.getType(), whole, first,
                                         ValueRange());
  alloc.getMemref().replaceUsesWithIf(numbers, [](OpOperand &use) {
    return !isa<memref::DeallocOp>(use.getOwner());
  });
  alloc.replaceAllUsesWith(whole.getResult());
  alloc.erase();
}

struct StaggerBuffersPass
    : qdelta::impl::StaggerBuffersBase<StaggerBuffersPass> {
  void runOnOperation() override {
    for (auto func : getOperation().getOps<func::FuncOp>()) {
      SmallVector<memref::AllocOp> buffers;
      func.walk([&](memref::AllocOp alloc) {
        if (takesPages(alloc))
          buffers.push_back(alloc);
      });
      if (buffers.size() < 2)
        continue;
      int64_t lines = kPageBytes / kLineBytes, number = 0;
      for (memref::AllocOp alloc : buffers)
        beginAt(number++ * lines / static_cast<int64_t>(buffers.size()) *
                    kLineBytes,
                alloc);
    }
  }
};
} // namespace
