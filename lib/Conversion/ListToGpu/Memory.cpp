//===- Memory.cpp - a thread's parts of the arguments ---------------------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#include "Memory.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;
using namespace qdelta;
using namespace qdelta::gpu;

//===-- Where things are --------------------------------------------------===//

Memory::Memory(Emitter &e, AffineScanOp op, const Layout &layout, Value params)
    : e(e), op(op), layout(layout), params(params),
      numArguments(op->getNumOperands() + op->getNumResults() -
                   (op.getInPlace() ? op.getFinals().size() : 0)) {
  valueHeads = e.narrow(word(numArguments * 5 + 1));
  Num item = e.special("ctaid.x") / layout.blocks();
  batch = item / valueHeads;
  head = item % valueHeads;
  stateEntry = batch;
  if (op.getCuSeqlens())
    findSequence();
  if (op.getStateIndex())
    findStateEntry();
}

Value Memory::lastAt(Num index, Num stride) {
  int64_t argument = static_cast<int64_t>(op->getNumOperands()) - 1;
  Num address = word(5 * argument) + e.widen(index) * stride;
  return LLVM::IntToPtrOp::create(
      e.b, LLVM::LLVMPointerType::get(e.b.getContext(), 1), Value(address));
}

void Memory::findSequence() {
  Type type = op.getCuSeqlens().getType().getElementType();
  int64_t bytes = type.getIntOrFloatBitWidth() / 8;
  auto bound = [&](Num n) {
    Num value = e.load(lastAt(n, e.i64(bytes)), type);
    return type.isInteger(32) ? value : e.narrow(value);
  };
  firstToken = bound(batch);
  sequenceLength = bound(batch + 1) - firstToken;
}

void Memory::findStateEntry() {
  int64_t stride = 5 * (static_cast<int64_t>(op->getNumOperands()) - 1) + 1;
  stateEntry = e.load(lastAt(batch, word(stride) * 4), e.i32Type());
}

Num Memory::word(int64_t index) {
  return e.load(e.at(params, e.i64(8 * index)), e.b.getI64Type());
}

RankedTensorType Memory::typeOf(unsigned argument) {
  unsigned inputs = op->getNumOperands();
  return cast<RankedTensorType>(
      argument < inputs ? op->getOperand(argument).getType()
                        : op->getResult(argument - inputs).getType());
}

bool Memory::isState(unsigned argument) {
  unsigned inputs = op->getNumOperands();
  size_t first = argument < inputs
                     ? op.getTokens().size() + op.getParams().size()
                     : inputs + op.getOutputs().size();
  return argument >= first;
}

Memory::Rows Memory::rowsOf(unsigned argument) {
  RankedTensorType type = typeOf(argument);
  int64_t first = 5 * argument, bytes = type.getElementTypeBitWidth() / 8;
  bool isParameter = type.getRank() < 3;
  Num own = head;
  if (argument < op.getTokens().size())
    own = head / (valueHeads / e.narrow(word(first + 4)));
  // A state's head follows its batch entry; a sequence's comes after the token.
  int64_t headAt = isParameter ? 1 : isState(argument) ? 2 : 3;
  Num offset = e.widen(own) * word(first + headAt);
  if (op.getCuSeqlens() && !isParameter && !isState(argument))
    offset = offset + e.widen(firstToken) * word(first + 2);
  else if (!isParameter)
    offset = offset +
             e.widen(isState(argument) ? stateEntry : batch) * word(first + 1);
  Num start = word(first) + offset * bytes;
  Rows rows;
  rows.base = LLVM::IntToPtrOp::create(
      e.b, LLVM::LLVMPointerType::get(e.b.getContext(), 1), Value(start));
  rows.stride = isParameter ? e.i64(0)
                            : word(first + (isState(argument) ? 3 : 2)) * bytes;
  rows.element = type.getElementType();
  rows.aligned = type.getRank() == 4;
  return rows;
}

//===-- Pieces of rows ----------------------------------------------------===//

/// Registers that a piece of 16- or 32-bit elements takes.
static int64_t wordsOf(Type element, int64_t length) {
  return llvm::divideCeil(length * element.getIntOrFloatBitWidth(), 32);
}

size_t Memory::countWords(const Rows &rows, ArrayRef<Piece> pieces) {
  size_t count = 0;
  for (const Piece &piece : pieces)
    count += static_cast<size_t>(wordsOf(rows.element, piece.length));
  return count;
}

Fragment Memory::loadPiece(Value pointer, const Rows &rows, int64_t length) {
  bool narrow = rows.element.getIntOrFloatBitWidth() == 16;
  int64_t words = wordsOf(rows.element, length);
  Type type = narrow ? e.i32Type() : e.f32Type();
  if (narrow && length == 1) {
    Value half = e.load(pointer, e.b.getI16Type());
    return {e.num(arith::ExtUIOp::create(e.b, e.i32Type(), half))};
  }
  Fragment result;
  if (words == 1 || !rows.aligned) {
    for (int64_t i = 0; i < words; ++i)
      result.push_back(e.load(e.at(pointer, e.i64(4 * i)), type));
    return result;
  }
  Num all = e.load(pointer, VectorType::get(words, type), 4 * words);
  for (int64_t i = 0; i < words; ++i)
    result.push_back(e.num(LLVM::ExtractElementOp::create(e.b, all, e.i32(i))));
  return result;
}

void Memory::storePiece(ArrayRef<Num> values, Value pointer, const Rows &rows) {
  Fragment words(values);
  if (rows.element.getIntOrFloatBitWidth() == 16) {
    Format format = rows.element.isBF16() ? Format::BF16 : Format::F16;
    if (values.size() == 1)
      return e.store(e.narrowTo16(e.pack(format, values[0], e.f32(0))),
                     pointer);
    words.clear();
    for (size_t i = 0; i < values.size(); i += 2)
      words.push_back(e.pack(format, values[i], values[i + 1]));
  }
  if (words.size() == 1)
    return e.store(words[0], pointer);
  auto count = static_cast<int64_t>(words.size());
  Value all =
      LLVM::UndefOp::create(e.b, VectorType::get(count, words[0].type()));
  for (int64_t i = 0; i < count; ++i)
    all = LLVM::InsertElementOp::create(e.b, all, words[i], e.i32(i));
  e.store(all, pointer, 4 * count);
}

static Value placeOf(Emitter &e, Value row, const Piece &piece, Type element) {
  return e.at(row,
              e.widen(piece.first) * (element.getIntOrFloatBitWidth() / 8));
}

/// What `load` makes, or zeros where nothing is present.
static Fragment loadIf(Emitter &e, Num present,
                       llvm::function_ref<Fragment()> load) {
  if (!present)
    return load();
  size_t count = 0;
  Type type;
  return e.branch(
      present,
      [&] {
        Fragment loaded = load();
        count = loaded.size();
        type = loaded[0].type();
        return loaded;
      },
      [&] {
        Num zero = isa<FloatType>(type) ? e.f32(0) : e.i32(0);
        return Fragment(count, zero);
      });
}

Fragment Memory::load(Value row, const Rows &rows, ArrayRef<Piece> pieces) {
  Fragment result;
  for (const Piece &piece : pieces)
    result.append(loadIf(e, piece.present, [&] {
      return loadPiece(placeOf(e, row, piece, rows.element), rows,
                       piece.length);
    }));
  return result;
}

Fragment Memory::unpack(ArrayRef<Num> words, Type element,
                        ArrayRef<Piece> pieces) {
  if (element.getIntOrFloatBitWidth() == 32)
    return Fragment(words);
  Format format = element.isBF16() ? Format::BF16 : Format::F16;
  Fragment result;
  for (const Piece &piece : pieces)
    for (int64_t i = 0; i < piece.length; i += 2) {
      result.push_back(e.unpackLow(format, words.front()));
      if (i + 1 < piece.length)
        result.push_back(e.unpackHigh(format, words.front()));
      words = words.drop_front();
    }
  return result;
}

void Memory::store(ArrayRef<Num> values, Value row, const Rows &rows,
                   ArrayRef<Piece> pieces, Num condition) {
  e.when(condition, [&] {
    for (const Piece &piece : pieces) {
      ArrayRef<Num> part = values.take_front(piece.length);
      values = values.drop_front(piece.length);
      auto put = [&] {
        storePiece(part, placeOf(e, row, piece, rows.element), rows);
      };
      if (piece.present)
        e.when(piece.present, put);
      else
        put();
    }
  });
}

//===-- States ------------------------------------------------------------===//

SmallVector<Memory::Patch> Memory::patchesOf(const Rows &rows,
                                             const Place &place) {
  SmallVector<Patch> patches;
  int64_t channel = 0;
  for (const Piece &keys : place.keys) {
    int64_t first = channel * layout.lanes;
    Value start = row(rows, keys.first);
    for (const Piece &columns : place.columns) {
      Num present = keys.present;
      if (columns.present)
        present = present ? e.both(present, columns.present) : columns.present;
      patches.push_back({placeOf(e, start, columns, rows.element), present,
                         keys.length, columns.length, first});
      first += columns.length;
    }
    channel += keys.length;
  }
  return patches;
}

Fragment Memory::loadState(unsigned argument, const Place &place) {
  Rows rows = rowsOf(argument);
  Fragment state(static_cast<size_t>(layout.rows * layout.lanes));
  for (const Patch &patch : patchesOf(rows, place)) {
    Fragment loaded = loadIf(e, patch.present, [&] {
      Fragment all;
      for (int64_t i = 0; i < patch.channels; ++i)
        all.append(loadPiece(e.at(patch.pointer, rows.stride * i), rows,
                             patch.columns));
      return all;
    });
    ArrayRef<Num> left = loaded;
    for (int64_t i = 0; i < patch.channels; ++i) {
      llvm::copy(left.take_front(patch.columns),
                 state.begin() + patch.first + i * layout.lanes);
      left = left.drop_front(patch.columns);
    }
  }
  return state;
}

void Memory::storeState(ArrayRef<Num> values, unsigned argument,
                        const Place &place) {
  Rows rows = rowsOf(argument);
  for (const Patch &patch : patchesOf(rows, place)) {
    auto put = [&] {
      for (int64_t i = 0; i < patch.channels; ++i)
        storePiece(values.slice(patch.first + i * layout.lanes, patch.columns),
                   e.at(patch.pointer, rows.stride * i), rows);
    };
    if (patch.present)
      e.when(patch.present, put);
    else
      put();
  }
}
