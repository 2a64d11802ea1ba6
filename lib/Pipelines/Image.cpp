//===- Image.cpp - what an image says of its kernels ----------------------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===-----------------------------------------------------------------------===//

#include "Image.h"

#include "qdelta/Dialect/QDelta/Transforms/EntryPoints.h"

using namespace mlir;
using namespace qdelta;

/// The element type of an argument's dictionary.
static DLDataType dtypeOf(DictionaryAttr dict) {
  auto attr = dict.getAs<TypeAttr>("dtype");
  if (!attr)
    return {kDLFloat, 32, 1};
  Type type = attr.getValue();
  uint8_t code = type.isBF16() ? kDLBfloat : kDLFloat;
  return {code, static_cast<uint8_t>(type.getIntOrFloatBitWidth()), 1};
}

void ImageBuilder::addKernel(Operation *func, qdeltaEntry entry) {
  std::vector<qdeltaArgument> &args = arguments.emplace_back();
  for (Attribute attr : func->getAttrOfType<ArrayAttr>(kArgumentsAttr)) {
    auto dict = cast<DictionaryAttr>(attr);
    qdeltaArgument arg{};
    arg.struct_size = sizeof(arg);
    arg.name = names.emplace_back(cast<StringAttr>(dict.get("name")).getValue())
                   .c_str();
    arg.role =
        static_cast<qdeltaRole>(cast<IntegerAttr>(dict.get("role")).getInt());
    ArrayRef<int64_t> shape = cast<DenseI64ArrayAttr>(dict.get("shape"));
    arg.rank = shape.size();
    llvm::copy(shape, arg.shape);
    arg.dtype = dtypeOf(dict);
    args.push_back(arg);
  }
  qdeltaKernelImage kernel{};
  kernel.struct_size = sizeof(kernel);
  // The entry that the compiler adds goes by its recurrence's name.
  StringRef function = SymbolTable::getSymbolName(func).getValue();
  StringRef recurrence =
      func->getAttrOfType<FlatSymbolRefAttr>(kRecurrenceAttr).getValue();
  bool isAdded = function == entryPointName(recurrence);
  kernel.name = names.emplace_back(isAdded ? recurrence : function).c_str();
  kernel.arguments = args.data();
  kernel.num_arguments = args.size();
  kernel.entry = entry;
  kernels.push_back(kernel);
}

const qdeltaImage &ImageBuilder::finish() {
  image.struct_size = sizeof(image);
  image.kernels = kernels.data();
  image.num_kernels = kernels.size();
  return image;
}
