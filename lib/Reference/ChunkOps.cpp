//===- ChunkOps.cpp - the chunk form, each op as its definition says ------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#include "Interpreter.h"

#include "qdelta/Dialect/QDelta/IR/QDelta.h"

using namespace mlir;
using namespace qdelta;
using namespace qdelta::reference;

template <typename Scalar>
static Tensor<Scalar> zeros(int64_t rows, int64_t columns) {
  return {
      {rows, columns},
      std::vector<Scalar>(rows * columns, ScalarTraits<Scalar>::integer(0))};
}

/// out += a b, a^T b or a b^T.
enum class Form { Plain, TransposedLeft, TransposedRight };
template <typename Scalar>
static void multiplyAdd(Tensor<Scalar> &out, const Tensor<Scalar> &a,
                        const Tensor<Scalar> &b, Form form) {
  int64_t rows = out.shape[0], columns = out.shape[1];
  int64_t inner = form == Form::TransposedLeft ? a.shape[0] : a.shape[1];
  for (int64_t i = 0; i < rows; ++i)
    for (int64_t k = 0; k < inner; ++k) {
      Scalar left = form == Form::TransposedLeft ? a.data[k * rows + i]
                                                 : a.data[i * inner + k];
      Scalar *row = out.data.data() + i * columns;
      for (int64_t j = 0; j < columns; ++j)
        row[j] +=
            left * (form == Form::TransposedRight ? b.data[j * inner + k]
                                                  : b.data[k * columns + j]);
    }
}

/// Two-dimensional operands with equal inner sizes, or an error.
template <typename Scalar>
static LogicalResult checkMatrices(Interpreter<Scalar> &interpreter,
                                   Operation *op, ArrayRef<int64_t> a,
                                   ArrayRef<int64_t> b, size_t innerA,
                                   size_t innerB) {
  if (a.size() == 2 && b.size() == 2 && a[innerA] == b[innerB])
    return success();
  return interpreter.fail(op, "operands of '" + op->getName().getStringRef() +
                                  "' have shapes " + spell(a) + " and " +
                                  spell(b));
}

namespace {
/// The decays of a chunk's list. Places are numbered over the chunk: place p of
/// token t is t * decays + p.
template <typename Scalar>
struct ChunkLogs {
  Args<Scalar> logs;
  /// Tokens, and numbers per token: key channels, or 1.
  int64_t tokens = 0, channels = 1;

  explicit ChunkLogs(Args<Scalar> logs) : logs(logs) {
    if (logs.empty())
      return;
    tokens = logs[0].shape()[0];
    channels = logs[0].shape().size() == 2 ? logs[0].shape()[1] : 1;
  }

  int64_t place(int64_t token, int64_t inToken) const {
    return token * static_cast<int64_t>(logs.size()) + inToken;
  }
  /// From one place to another, one log after the other.
  Scalar between(int64_t begin, int64_t end, int64_t channel) const {
    Scalar sum = ScalarTraits<Scalar>::integer(0);
    int64_t decays = logs.size();
    for (int64_t at = begin; at < end; ++at)
      sum += logs[at % decays].reals().data[at / decays * channels + channel];
    return exponential(sum);
  }
};
} // namespace

template <typename Scalar>
static LogicalResult runChunkDecay(Interpreter<Scalar> &, ChunkDecayOp op,
                                   Args<Scalar> args, Data<Scalar> &results) {
  ChunkLogs<Scalar> logs(args);
  auto type = dyn_cast<RankedTensorType>(op.getResult().getType());
  std::optional<int64_t> from = op.getFrom(), to = op.getTo();
  int64_t end = logs.place(logs.tokens, 0);
  if (!type) {
    results.push_back(Datum<Scalar>(logs.between(0, end, 0)));
    return success();
  }
  Tensor<Scalar> out{type.getShape().vec(), {}};
  for (int64_t t = 0; t < type.getDimSize(0); ++t) {
    if (from && to) {
      for (int64_t s = 0; s < type.getDimSize(1); ++s)
        out.data.push_back(
            s < t || (s == t && op.getInclusive())
                ? logs.between(logs.place(s, *from), logs.place(t, *to), 0)
                : ScalarTraits<Scalar>::integer(0));
      continue;
    }
    for (int64_t k = 0; k < logs.channels; ++k)
      out.data.push_back(logs.between(from ? logs.place(t, *from) : 0,
                                      to ? logs.place(t, *to) : end, k));
  }
  results.push_back(Datum<Scalar>(std::move(out)));
  return success();
}

/// From one place to another, a state at a time: `of` holds 1, all others 0.
template <typename Scalar>
static LogicalResult runChunkTransfer(Interpreter<Scalar> &, ChunkTransferOp op,
                                      Args<Scalar> args,
                                      Data<Scalar> &results) {
  auto steps = static_cast<int64_t>(args.size());
  int64_t tokens = args[0].shape()[0];
  auto between = [&](int64_t begin, int64_t end) {
    llvm::DenseMap<int64_t, Scalar> states{
        {op.getOf(), ScalarTraits<Scalar>::integer(1)}};
    auto state = [&](int64_t index) -> Scalar & {
      return states.try_emplace(index, ScalarTraits<Scalar>::integer(0))
          .first->second;
    };
    for (int64_t at = begin; at < end; ++at) {
      Scalar by = args[at % steps].reals().data[at / steps];
      int64_t target = op.getTargets()[at % steps];
      int64_t source = op.getSources()[at % steps];
      Scalar from = state(source);
      if (target == source)
        state(target) = exponential(by) * from;
      else
        state(target) += by * from;
    }
    return state(op.getInto());
  };
  auto type = dyn_cast<RankedTensorType>(op.getResult().getType());
  std::optional<int64_t> from = op.getFrom(), to = op.getTo();
  if (!type) {
    results.push_back(Datum<Scalar>(between(0, tokens * steps)));
    return success();
  }
  Tensor<Scalar> out{type.getShape().vec(), {}};
  for (int64_t t = 0; t < tokens; ++t) {
    if (!from || !to) {
      out.data.push_back(between(from ? t * steps + *from : 0,
                                 to ? t * steps + *to : tokens * steps));
      continue;
    }
    for (int64_t s = 0; s < tokens; ++s)
      out.data.push_back(s < t || (s == t && op.getInclusive())
                             ? between(s * steps + *from, t * steps + *to)
                             : ScalarTraits<Scalar>::integer(0));
  }
  results.push_back(Datum<Scalar>(std::move(out)));
  return success();
}

template <typename Scalar>
static LogicalResult runChunkGram(Interpreter<Scalar> &interpreter,
                                  ChunkGramOp op, Args<Scalar> args,
                                  Data<Scalar> &results) {
  const auto &reads = args[0].reals(), &writes = args[1].reals();
  if (failed(checkMatrices(interpreter, op, reads.shape, writes.shape, 1, 1)))
    return failure();
  Tensor<Scalar> out = zeros<Scalar>(reads.shape[0], writes.shape[0]);
  if (op.getLogs().empty()) {
    multiplyAdd(out, reads, writes, Form::TransposedRight);
    results.push_back(Datum<Scalar>(std::move(out)));
    return success();
  }
  ChunkLogs<Scalar> logs(args.drop_front(2));
  int64_t size = reads.shape[0], keys = reads.shape[1];
  for (int64_t t = 0; t < size; ++t)
    for (int64_t s = 0; s < t + op.getInclusive(); ++s)
      for (int64_t k = 0; k < keys; ++k)
        out.data[t * size + s] += reads.data[t * keys + k] *
                                  writes.data[s * keys + k] *
                                  logs.between(logs.place(s, *op.getFrom()),
                                               logs.place(t, *op.getTo()), k);
  results.push_back(Datum<Scalar>(std::move(out)));
  return success();
}

template <typename Scalar>
static LogicalResult runChunkRead(Interpreter<Scalar> &interpreter,
                                  ChunkReadOp op, Args<Scalar> args,
                                  Data<Scalar> &results) {
  const auto &keys = args[0].reals(), &state = args[1].reals();
  if (failed(checkMatrices(interpreter, op, keys.shape, state.shape, 1, 0)))
    return failure();
  Tensor<Scalar> out = zeros<Scalar>(keys.shape[0], state.shape[1]);
  multiplyAdd(out, keys, state, Form::Plain);
  results.push_back(Datum<Scalar>(std::move(out)));
  return success();
}

/// An error if `matrix`, which is said to be lower triangular, has a number
/// other than zero above the diagonal, or on it without `inclusive`.
template <typename Scalar>
static LogicalResult
checkTriangular(Interpreter<Scalar> &interpreter, Operation *op,
                const Tensor<Scalar> &matrix, bool inclusive) {
  int64_t size = matrix.shape[1];
  for (int64_t t = 0; t < matrix.shape[0]; ++t)
    for (int64_t s = t + inclusive; s < size; ++s) {
      Scalar entry = matrix.data[t * size + s];
      if (!isZero(entry) && !ScalarTraits<Scalar>::isPoison(entry))
        return interpreter.fail(op, "matrix of '" +
                                        op->getName().getStringRef() +
                                        "' is not zero at " + spell({t, s}));
    }
  return success();
}

/// out[t] += sum_s matrix[t, s] values[s] over s < t, or s <= t.
template <typename Scalar>
static void addLowerRow(Tensor<Scalar> &out, const Tensor<Scalar> &matrix,
                        const Tensor<Scalar> &values, int64_t t,
                        bool inclusive) {
  int64_t width = out.shape[1], size = matrix.shape[1];
  Scalar *row = out.data.data() + t * width;
  for (int64_t s = 0; s < t + inclusive; ++s) {
    Scalar entry = matrix.data[t * size + s];
    for (int64_t v = 0; v < width; ++v)
      row[v] += entry * values.data[s * width + v];
  }
}

template <typename Scalar>
static LogicalResult runChunkApply(Interpreter<Scalar> &interpreter,
                                   ChunkApplyOp op, Args<Scalar> args,
                                   Data<Scalar> &results) {
  const auto &matrix = args[0].reals(), &values = args[1].reals();
  if (failed(
          checkMatrices(interpreter, op, matrix.shape, values.shape, 1, 0)) ||
      failed(checkMatrices(interpreter, op, matrix.shape, args[2].shape(), 0,
                           0)) ||
      failed(checkTriangular(interpreter, op, matrix, op.getInclusive())))
    return failure();
  auto &out = args[2].mutableReals();
  int64_t size = matrix.shape[0], width = values.shape[1];
  ChunkLogs<Scalar> logs(args.drop_front(3));
  for (int64_t t = 0; t < size; ++t) {
    if (op.getLogs().empty()) {
      addLowerRow(out, matrix, values, t, op.getInclusive());
      continue;
    }
    for (int64_t s = 0; s < t + op.getInclusive(); ++s)
      for (int64_t v = 0; v < width; ++v)
        out.data[t * width + v] += matrix.data[t * size + s] *
                                   values.data[s * width + v] *
                                   logs.between(logs.place(s, *op.getFrom()),
                                                logs.place(t, *op.getTo()), v);
  }
  results.push_back(std::move(args[2]));
  return success();
}

/// Right-hand sides become solutions of E_j = R_j + sum_w L_jw E_w, row by row.
template <typename Scalar>
static void substitute(Args<Scalar> blocks, Args<Scalar> solutions) {
  size_t unknowns = solutions.size();
  for (int64_t t = 0; t < solutions[0].shape()[0]; ++t)
    for (size_t j = 0; j < unknowns; ++j)
      for (size_t w = 0; w < unknowns; ++w) {
        // A block may be applied to the very solution it adds to: rows before
        // t are final then.
        auto &out = solutions[j].mutableReals();
        addLowerRow(out, blocks[j * unknowns + w].reals(), solutions[w].reals(),
                    t, w < j);
      }
}

template <typename Scalar>
static LogicalResult runChunkSolve(Interpreter<Scalar> &interpreter,
                                   ChunkSolveOp op, Args<Scalar> args,
                                   Data<Scalar> &results) {
  size_t unknowns = op.getRhs().size();
  Args<Scalar> blocks = args.drop_back(unknowns);
  Args<Scalar> solutions = args.take_back(unknowns);
  int64_t size = solutions[0].shape()[0];
  for (size_t j = 0; j < unknowns; ++j)
    for (size_t w = 0; w < unknowns; ++w) {
      const auto &block = blocks[j * unknowns + w].reals();
      if (block.shape != std::vector<int64_t>{size, size} ||
          solutions[w].shape() != solutions[0].shape())
        return interpreter.fail(op, "block of shape " + spell(block.shape) +
                                        " for a right-hand side of shape " +
                                        spell(solutions[w].shape()));
      if (failed(checkTriangular(interpreter, op, block, w < j)))
        return failure();
    }
  substitute(blocks, solutions);
  for (Datum<Scalar> &solution : solutions)
    results.push_back(std::move(solution));
  return success();
}

template <typename Scalar>
static LogicalResult runChunkInverse(Interpreter<Scalar> &interpreter,
                                     ChunkInverseOp op, Args<Scalar> args,
                                     Data<Scalar> &results) {
  size_t unknowns = 1;
  while (unknowns * unknowns < args.size())
    ++unknowns;
  for (size_t i = 0; i < args.size(); ++i)
    if (failed(checkTriangular(interpreter, op, args[i].reals(),
                               i % unknowns < i / unknowns)))
      return failure();
  int64_t size = args[0].shape()[0];
  results.resize(args.size());
  // Block column w solves the system for the unit vectors of unknown w.
  for (size_t w = 0; w < unknowns; ++w) {
    Data<Scalar> column;
    for (size_t j = 0; j < unknowns; ++j) {
      Tensor<Scalar> rhs = zeros<Scalar>(size, size);
      for (int64_t t = 0; j == w && t < size; ++t)
        rhs.data[t * size + t] = ScalarTraits<Scalar>::integer(1);
      column.push_back(Datum<Scalar>(std::move(rhs)));
    }
    substitute<Scalar>(args, column);
    for (size_t j = 0; j < unknowns; ++j)
      results[j * unknowns + w] = std::move(column[j]);
  }
  return success();
}

template <typename Scalar>
static LogicalResult runChunkUpdate(Interpreter<Scalar> &interpreter,
                                    ChunkUpdateOp op, Args<Scalar> args,
                                    Data<Scalar> &results) {
  size_t writes = op.getKeys().size();
  Scalar decay = args[1].scalar();
  auto &state = args[0].mutableReals();
  for (Scalar &element : state.data)
    element = decay * element;
  bool decays = !op.getWhen() || args[op.getChannels() ? 3 : 2].integer();
  if (op.getChannels() && decays)
    for (size_t i = 0, width = state.shape[1]; i < state.data.size(); ++i)
      state.data[i] = args[2].reals().data[i / width] * state.data[i];
  size_t first = 2 + (op.getChannels() ? 1 : 0) + (op.getWhen() ? 1 : 0);
  if (op.getColumns()) {
    const auto &factors = args[first++].reals().data;
    for (size_t i = 0; decays && i < state.data.size(); ++i)
      state.data[i] = factors[i % factors.size()] * state.data[i];
  }
  size_t others = op.getOthers().size();
  for (size_t j = 0; j < others; ++j) {
    Scalar factor = args[first + others + j].scalar();
    for (size_t i = 0; i < state.data.size(); ++i)
      state.data[i] += factor * args[first + j].reals().data[i];
  }
  first += 2 * others; // the first key
  for (size_t w = 0; w < writes; ++w) {
    const auto &keys = args[first + w].reals();
    const auto &values = args[first + writes + w].reals();
    if (failed(checkMatrices(interpreter, op, keys.shape, values.shape, 0, 0)))
      return failure();
    multiplyAdd(state, keys, values, Form::TransposedLeft);
  }
  results.push_back(args[0]);
  for (Datum<Scalar> &read :
       args.slice(first + 2 * writes, op.getReads().size())) {
    if (failed(checkMatrices(interpreter, op, read.shape(), state.shape, 1, 0)))
      return failure();
    Tensor<Scalar> out = zeros<Scalar>(read.shape()[0], state.shape[1]);
    multiplyAdd(out, read.reals(), state, Form::Plain);
    results.push_back(Datum<Scalar>(std::move(out)));
  }
  return success();
}

template <typename Scalar>
static LogicalResult runTriangularSolve(Interpreter<Scalar> &,
                                        TriangularSolveOp, Args<Scalar> args,
                                        Data<Scalar> &results) {
  auto &solution = args[1].mutableReals();
  for (int64_t t = 0; t < solution.shape[0]; ++t)
    addLowerRow(solution, args[0].reals(), solution, t, /*inclusive=*/false);
  results.push_back(std::move(args[1]));
  return success();
}

template <typename Scalar>
void reference::addChunkOps(Interpreter<Scalar> &table) {
  table.template add<ChunkDecayOp>(runChunkDecay<Scalar>);
  table.template add<ChunkTransferOp>(runChunkTransfer<Scalar>);
  table.template add<ChunkGramOp>(runChunkGram<Scalar>);
  table.template add<ChunkReadOp>(runChunkRead<Scalar>);
  table.template add<ChunkApplyOp>(runChunkApply<Scalar>);
  table.template add<ChunkSolveOp>(runChunkSolve<Scalar>);
  table.template add<ChunkInverseOp>(runChunkInverse<Scalar>);
  table.template add<ChunkUpdateOp>(runChunkUpdate<Scalar>);
  table.template add<TriangularSolveOp>(runTriangularSolve<Scalar>);
}

namespace qdelta::reference {
QDELTA_REFERENCE_INSTANTIATE(addChunkOps)
} // namespace qdelta::reference
