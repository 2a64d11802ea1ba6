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

/// The transpose that makes an initial state, or null.
static TransposeStateOp transposeOf(Value init) {
  return init.getDefiningOp<TransposeStateOp>();
}

template <typename Op>
static KernelTensors tensorsOf(Op op) {
  KernelTensors tensors;
  Value index = op.getStateIndex();
  tensors.tokens = op.getTokens().size();
  tensors.params = op.getParams().size();
  tensors.states = op.getInits().size();
  tensors.outputs = op.getOutputs().size();
  tensors.isPacked = static_cast<bool>(op.getCuSeqlens());
  tensors.inPlace = op.getInPlace();
  auto add = [&](TypeRange types) {
    for (Type type : types)
      tensors.types.push_back(cast<RankedTensorType>(type));
  };
  add(op.getTokens().getTypes());
  add(op.getParams().getTypes());
  for (Value init : op.getInits()) {
    TransposeStateOp transpose = transposeOf(init);
    add(transpose ? transpose.getState().getType() : init.getType());
    tensors.transposed |= !!transpose;
    if (transpose && transpose.getStateIndex())
      index = transpose.getStateIndex();
  }
  tensors.isIndexed = static_cast<bool>(index);
  for (Value integers : {Value(op.getCuSeqlens()), index})
    if (integers)
      add(integers.getType());
  add(op.getOutputs().getTypes());
  if (!op.getInPlace() && !tensors.transposed)
    add(op.getFinals().getTypes());
  return tensors;
}

KernelTensors KernelTensors::get(AffineScanOp op) { return tensorsOf(op); }
KernelTensors KernelTensors::get(PrescanOp op) { return tensorsOf(op); }

SmallVector<int64_t> KernelTensors::replaced() const {
  SmallVector<int64_t> result;
  for (unsigned i = 0; inPlace && i < states; ++i)
    result.push_back(firstInit() + i);
  return result;
}

Rows::Rows(Emitter &e, KernelTensors theTensors, Value params, Num item)
    : e(e), tensors(std::move(theTensors)), params(params),
      numTensors(static_cast<int64_t>(tensors.types.size())) {
  valueHeads = e.narrow(word(numTensors * 5 + 1));
  batch = item / valueHeads;
  head = item % valueHeads;
  stateEntry = batch;
  if (tensors.isPacked)
    findSequence();
  if (tensors.isIndexed)
    findStateEntry();
}

Value Rows::lastAt(Num index, Num stride) {
  int64_t last = tensors.inputs() - 1;
  Num address = word(5 * last) + e.widen(index) * stride;
  return LLVM::IntToPtrOp::create(
      e.b, LLVM::LLVMPointerType::get(e.b.getContext(), 1), Value(address));
}

void Rows::findSequence() {
  Type type = tensors.types[tensors.inputs() - 1].getElementType();
  int64_t bytes = type.getIntOrFloatBitWidth() / 8;
  auto bound = [&](Num n) {
    Num value = e.load(lastAt(n, e.i64(bytes)), type);
    return type.isInteger(32) ? value : e.narrow(value);
  };
  firstToken = bound(batch);
  sequenceLength = bound(batch + 1) - firstToken;
}

void Rows::findStateEntry() {
  int64_t stride = 5 * (static_cast<int64_t>(tensors.inputs()) - 1) + 1;
  stateEntry = e.load(lastAt(batch, word(stride) * 4), e.i32Type());
}

Num Rows::lengthOf(Emitter &e, const KernelTensors &tensors, Value params) {
  auto after = static_cast<int64_t>(tensors.types.size()) * 5;
  return e.narrow(e.load(e.at(params, e.i64(8 * after)), e.b.getI64Type()));
}

Num Rows::word(int64_t index) {
  return e.load(e.at(params, e.i64(8 * index)), e.b.getI64Type());
}

Rows::Start Rows::startOf(unsigned tensor) {
  RankedTensorType type = tensors.types[tensor];
  int64_t first = 5 * tensor, bytes = type.getElementTypeBitWidth() / 8;
  bool isParameter = tensors.isParameter(tensor);
  bool isState = tensors.isState(tensor);
  Num own = head;
  if (tensor < tensors.tokens)
    own = head / (valueHeads / e.narrow(word(first + 4)));
  // A state's head follows its batch entry; a sequence's comes after the token.
  int64_t headAt = isParameter ? 1 : isState ? 2 : 3;
  Num offset = e.widen(own) * word(first + headAt);
  if (tensors.isPacked && !isParameter && !isState)
    offset = offset + e.widen(firstToken) * word(first + 2);
  else if (!isParameter)
    offset = offset + e.widen(isState ? stateEntry : batch) * word(first + 1);
  Num start = word(first) + offset * bytes;
  Start rows;
  rows.base = LLVM::IntToPtrOp::create(
      e.b, LLVM::LLVMPointerType::get(e.b.getContext(), 1), Value(start));
  rows.stride =
      isParameter ? e.i64(0) : word(first + (isState ? 3 : 2)) * bytes;
  rows.element = type.getElementType();
  rows.aligned = type.getRank() == 4;
  return rows;
}

//===-- Pieces of rows ----------------------------------------------------===//

/// Registers that a piece of 16- or 32-bit elements takes.
static int64_t wordsOf(Type element, int64_t length) {
  return llvm::divideCeil(length * element.getIntOrFloatBitWidth(), 32);
}

size_t Rows::countWords(const Start &rows, ArrayRef<Piece> pieces) {
  size_t count = 0;
  for (const Piece &piece : pieces)
    count += static_cast<size_t>(wordsOf(rows.element, piece.length));
  return count;
}

Fragment Rows::loadPiece(Value pointer, const Start &rows, int64_t length) {
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
  constexpr int64_t kMostWords = 4;
  for (int64_t at = 0; at < words; at += kMostWords) {
    int64_t count = std::min(words - at, kMostWords);
    Num all = e.load(at ? e.at(pointer, e.i64(4 * at)) : pointer,
                     VectorType::get(count, type), 4 * count);
    for (int64_t i = 0; i < count; ++i)
      result.push_back(
          e.num(LLVM::ExtractElementOp::create(e.b, all, e.i32(i))));
  }
  return result;
}

void Rows::storePiece(ArrayRef<Num> values, Value pointer, const Start &rows) {
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
  constexpr size_t kMostWords = 4;
  if (!rows.aligned || words.size() == 1) {
    for (auto [i, word] : llvm::enumerate(words))
      e.store(word, i ? e.at(pointer, e.i64(4 * int64_t(i))) : pointer);
    return;
  }
  if (words.size() > kMostWords) {
    ArrayRef<Num> all = values;
    size_t half = values.size() / 2;
    storePiece(all.take_front(half), pointer, rows);
    int64_t bytes = rows.element.getIntOrFloatBitWidth() / 8;
    Value next = e.at(pointer, e.i64(static_cast<int64_t>(half) * bytes));
    return storePiece(all.drop_front(half), next, rows);
  }
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

Fragment Rows::load(Value row, const Start &rows, ArrayRef<Piece> pieces) {
  Fragment result;
  for (const Piece &piece : pieces)
    result.append(loadIf(e, piece.present, [&] {
      return loadPiece(placeOf(e, row, piece, rows.element), rows,
                       piece.length);
    }));
  return result;
}

Fragment Rows::unpack(ArrayRef<Num> words, Type element,
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

void Rows::store(ArrayRef<Num> values, Value row, const Start &rows,
                 ArrayRef<Piece> pieces, Num condition) {
  auto putAll = [&] {
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
  };
  if (condition)
    e.when(condition, putAll);
  else
    putAll();
}

//===-- States ------------------------------------------------------------===//

SmallVector<Memory::Patch> Memory::patchesOf(const Start &rows,
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
  Start rows = startOf(argument);
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

Fragment Memory::loadTransposed(unsigned argument, const Place &place) {
  Start rows = startOf(argument);
  Fragment state(static_cast<size_t>(layout.rows * layout.lanes));
  int64_t channel = 0;
  for (const Piece &keys : place.keys) {
    int64_t column = 0;
    for (const Piece &columns : place.columns) {
      Num present = keys.present;
      if (columns.present)
        present = present ? e.both(present, columns.present) : columns.present;
      Fragment loaded = loadIf(e, present, [&] {
        Fragment all;
        for (int64_t c = 0; c < columns.length; ++c)
          all.append(loadPiece(
              placeOf(e, row(rows, columns.first + c), keys, rows.element),
              rows, keys.length));
        return all;
      });
      for (auto [i, number] : llvm::enumerate(loaded)) {
        int64_t c = column + static_cast<int64_t>(i) / keys.length;
        int64_t k = channel + static_cast<int64_t>(i) % keys.length;
        state[k * layout.lanes + c] = number;
      }
      column += columns.length;
    }
    channel += keys.length;
  }
  return state;
}

void Memory::storeState(ArrayRef<Num> values, unsigned argument,
                        const Place &place) {
  Start rows = startOf(argument);
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
