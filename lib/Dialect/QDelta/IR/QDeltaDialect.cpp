//===- QDeltaDialect.cpp - dialect registration and bytecode version ------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===-----------------------------------------------------------------------===//

#include "qdelta/Dialect/QDelta/IR/QDelta.h"

#include "mlir/Bytecode/BytecodeImplementation.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/DialectImplementation.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace qdelta;

#include "qdelta/Dialect/QDelta/IR/QDeltaDialect.cpp.inc"
#include "qdelta/Dialect/QDelta/IR/QDeltaEnums.cpp.inc"

#define GET_TYPEDEF_CLASSES
#include "qdelta/Dialect/QDelta/IR/QDeltaTypes.cpp.inc"

#define GET_ATTRDEF_CLASSES
#include "qdelta/Dialect/QDelta/IR/QDeltaAttrs.cpp.inc"

namespace {
/// The version of the dialect's IR that this compiler writes. It rises with
/// every change to the meaning or form of an op that older files may hold.
constexpr uint64_t kCurrentVersion = 1;

struct Version : DialectVersion {
  explicit Version(uint64_t number) : number(number) {}
  uint64_t number;
};

/// Bytecode carries the version of the dialect, so that a reader that is too
/// old says so instead of misreading.
struct QDeltaBytecodeInterface : BytecodeDialectInterface {
  explicit QDeltaBytecodeInterface(Dialect *dialect)
      : BytecodeDialectInterface(dialect) {}

  void writeVersion(DialectBytecodeWriter &writer) const override {
    writer.writeVarInt(kCurrentVersion);
  }

  std::unique_ptr<DialectVersion>
  readVersion(DialectBytecodeReader &reader) const override {
    uint64_t number;
    if (failed(reader.readVarInt(number)))
      return nullptr;
    if (number > kCurrentVersion) {
      reader.emitError() << "qdelta bytecode has version " << number
                         << " but this compiler reads up to "
                         << kCurrentVersion;
      return nullptr;
    }
    return std::make_unique<Version>(number);
  }
};
} // namespace

LogicalResult
ScheduleAttr::verify(llvm::function_ref<InFlightDiagnostic()> emitError,
                     StringRef target, int64_t chunk, int64_t columns,
                     int64_t span, int64_t lanes, bool unroll, bool fuse,
                     bool defer, bool prefetch, bool kernel, StringRef operands,
                     int64_t split) {
  if (chunk < 1 || columns < 1 || span < 1 || lanes < 1)
    return emitError() << "chunk, columns, span and lanes must be at least 1, "
                          "but got "
                       << chunk << ", " << columns << ", " << span << ", "
                       << lanes;
  if (!operands.empty() && operands != "bf16" && operands != "f16" &&
      operands != "tf32")
    return emitError() << "expected operands to be bf16, f16 or tf32, but got '"
                       << operands << "'";
  if (split < 1 || split > 32 || !llvm::isPowerOf2_64(split))
    return emitError() << "expected split to be a power of two of at most 32, "
                          "but got "
                       << split;
  bool isTokenLoop = kernel && chunk == 1;
  if (isTokenLoop && (lanes > 4 || !llvm::isPowerOf2_64(lanes)))
    return emitError() << "expected lanes of a token loop to be 1, 2 or 4, but "
                          "got "
                       << lanes;
  if (isTokenLoop && columns % (32 / split * lanes))
    return emitError() << "expected columns of a token loop to be a multiple "
                          "of a warp's "
                       << 32 / split * lanes << ", but got " << columns;
  return success();
}

void QDeltaDialect::initialize() {
  addTypes<
#define GET_TYPEDEF_LIST
#include "qdelta/Dialect/QDelta/IR/QDeltaTypes.cpp.inc"
      >();
  addAttributes<
#define GET_ATTRDEF_LIST
#include "qdelta/Dialect/QDelta/IR/QDeltaAttrs.cpp.inc"
      >();
  addOperations<
#define GET_OP_LIST
#include "qdelta/Dialect/QDelta/IR/QDeltaOps.cpp.inc"
      >();
  addInterfaces<QDeltaBytecodeInterface>();
}

#include "qdelta/Dialect/QDelta/IR/RunOpInterface.cpp.inc"

#define GET_OP_CLASSES
#include "qdelta/Dialect/QDelta/IR/QDeltaOps.cpp.inc"
