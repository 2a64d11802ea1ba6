//===- Rows.cpp - fragments from and to memory ----------------------------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#include "StateRole.h"

using namespace mlir;
using namespace qdelta;
using namespace qdelta::gpu;

namespace {
/// Where a warp turns its 16 columns of a tile into rows: 16-byte pieces,
/// permuted so that neither side meets bank conflicts.
struct Staging {
  Kernel &kernel;
  Emitter &e;
  Lane x;
  Num base;
  int64_t pieces; ///< per row

  Staging(Kernel &kernel)
      : kernel(kernel), e(kernel.e), x(kernel.lane(/*gramRole=*/false)),
        pieces(kernel.plan.elementBytes()) {
    Plan &plan = kernel.plan;
    base = kernel.shared + plan.outputAt +
           x.warp * (plan.chunk * 16 * plan.elementBytes());
  }
  Num address(Num row, Num piece) {
    Num mixed = pieces == 2 ? (row >> 2) & 1 : (row >> 1) & 3;
    return base + row * (16 * pieces) + ((piece ^ mixed) << 4);
  }
};
} // namespace

static void fillStaging(Staging &staging, ArrayRef<Num> values) {
  Emitter &e = staging.e;
  const Lane &x = staging.x;
  Plan &plan = staging.kernel.plan;
  Format format = plan.format;
  if (format != Format::TF32 && plan.storesMatrices()) {
    for (int64_t j = 0; j < plan.chunk / 8; j += 2) {
      Fragment pairs;
      for (int64_t n = 4 * j; n < 4 * j + 8; n += 2)
        pairs.push_back(e.pack(format, values[n], values[n + 1]));
      Num row = x.row + (x.matrix >> 1) * 8 + 8 * j;
      e.storeTransposed(staging.address(row, x.matrix & 1), pairs);
    }
    return;
  }
  for (int64_t j = 0; j < plan.chunk / 8; ++j)
    for (int64_t h = 0; h < 2; ++h) {
      Num first = values[4 * j + 2 * h], second = values[4 * j + 2 * h + 1];
      if (format != Format::TF32) {
        Num pair = e.transposeMatrix(e.pack(format, first, second));
        Num at = staging.address(x.group + 8 * j, e.i32(h)) + x.quad * 4;
        e.store(pair, e.sharedPointer(at));
        continue;
      }
      Num piece = (x.group >> 2) + 2 * h;
      for (int64_t i = 0; i < 2; ++i)
        e.storeShared(i ? second : first,
                      staging.address(x.quad * 2 + (8 * j + i), piece) +
                          (x.group & 3) * 4);
    }
}

void qdelta::gpu::storeRows(Kernel &kernel, unsigned argument, Num first,
                            ArrayRef<Num> values) {
  Emitter &e = kernel.e;
  Plan &plan = kernel.plan;
  int64_t bytes = plan.elementBytes(), inPiece = 16 / bytes;
  Staging staging(kernel);
  e.syncWarp();
  fillStaging(staging, values);
  e.syncWarp();
  Value base = kernel.base(argument);
  Num stride = kernel.rowStride(argument), column = kernel.column();
  bool whole = plan.valueSize % inPiece == 0;
  for (int64_t turn = 0; turn < plan.chunk * staging.pieces / 32; ++turn) {
    Num index = staging.x.lane + 32 * turn;
    Num row = index / staging.pieces, piece = index % staging.pieces;
    Num token = first + row;
    Num value = column + staging.x.warp * 16 + piece * inPiece;
    Num inside = e.both(token < kernel.length(), value < plan.valueSize);
    Num from = staging.address(row, piece);
    Value to = e.at(base, e.widen(token) * stride + e.widen(value) * bytes);
    // Products may be in flight: no branch with more than a store in it.
    if (whole) {
      e.storeIf(inside, e.loadSharedMany(from, 4), to);
      continue;
    }
    Type element = e.b.getIntegerType(8 * bytes);
    for (int64_t i = 0; i < inPiece; ++i)
      e.storeIf(e.both(inside, value + i < plan.valueSize),
                e.load(e.sharedPointer(from + i * bytes), element),
                e.at(to, e.i64(i * bytes)));
  }
}

namespace {
/// The elements of this thread's part of the state, in the order of a fragment.
struct StateElements {
  Kernel &kernel;
  Emitter &e;
  Plan &plan;
  Lane x;
  Value base;
  Num stride, column;

  StateElements(Kernel &kernel, unsigned argument)
      : kernel(kernel), e(kernel.e), plan(kernel.plan),
        x(kernel.lane(/*gramRole=*/false)), base(kernel.base(argument)),
        stride(kernel.rowStride(argument)),
        column(kernel.column() + x.warp * 16 + x.group) {}

  /// Calls `visit` with key channel, value column and whether both exist; the
  /// condition is null where that is known.
  void forEach(llvm::function_ref<void(Num, Num, Num)> visit) {
    bool wholeColumns = plan.valueSize % plan.columns == 0;
    for (int64_t j = 0; j < plan.keys / 8; ++j)
      for (int64_t h = 0; h < 2; ++h)
        for (int64_t i = 0; i < 2; ++i) {
          Num key = x.quad * 2 + (8 * j + i), value = column + 8 * h;
          Num exists;
          if (8 * j + 8 > plan.keySize)
            exists = key < plan.keySize;
          if (!wholeColumns) {
            Num inside = value < plan.valueSize;
            exists = exists ? e.both(exists, inside) : inside;
          }
          visit(key, value, exists);
        }
  }
  Value address(Num key, Num value) {
    return e.at(base, e.widen(key) * stride + e.widen(value) * 4);
  }
};
} // namespace

Fragment qdelta::gpu::loadState(Kernel &kernel, unsigned argument) {
  StateElements elements(kernel, argument);
  Emitter &e = kernel.e;
  Fragment state;
  elements.forEach([&](Num key, Num value, Num exists) {
    if (!exists) {
      state.push_back(e.load(elements.address(key, value), e.f32Type()));
      return;
    }
    Value at = elements.address(e.select(exists, key, e.i32(0)),
                                e.select(exists, value, e.i32(0)));
    state.push_back(e.select(exists, e.load(at, e.f32Type()), e.f32(0)));
  });
  return state;
}

void qdelta::gpu::storeState(Kernel &kernel, unsigned argument,
                             ArrayRef<Num> values) {
  StateElements elements(kernel, argument);
  Emitter &e = kernel.e;
  const Num *next = values.begin();
  elements.forEach([&](Num key, Num value, Num exists) {
    Num element = *next++;
    if (!exists)
      return e.store(element, elements.address(key, value));
    e.when(exists, [&] { e.store(element, elements.address(key, value)); });
  });
}
