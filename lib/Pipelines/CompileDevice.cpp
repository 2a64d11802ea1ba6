//===- CompileDevice.cpp - from a module to kernels for a GPU -------------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#include "Image.h"

#include "qdelta/Dialect/QDelta/IR/QDelta.h"
#include "qdelta/Pipelines/DeviceCode.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/IR/BuiltinOps.h"
#include "llvm/IR/Module.h"

using namespace mlir;
using namespace qdelta;

static int64_t attribute(LLVM::LLVMFuncOp kernel, llvm::StringRef name) {
  return kernel->getAttrOfType<IntegerAttr>(name).getInt();
}

/// Boxes of 64 columns, which is 128 bytes of 16-bit elements, by a chunk.
static qdeltaTensorMap describeMap(int64_t argument, int64_t chunk) {
  qdeltaTensorMap map{};
  map.struct_size = sizeof(map);
  map.argument = static_cast<int32_t>(argument);
  map.box_columns = 64;
  map.box_rows = static_cast<int32_t>(chunk);
  map.swizzle = 3;
  return map;
}

llvm::Expected<std::vector<DeviceCode>>
qdelta::compileDevice(ModuleOp module, const CompileOptions &options,
                      llvm::StringRef target, const DeviceForms &forms,
                      RemarkHandler remark) {
  CompileOptions forTarget = options;
  forTarget.target = target.str();
  if (llvm::Error error = compileToPhase(module, forTarget, "target"))
    return std::move(error);
  module->setAttr(LLVM::LLVMDialect::getTargetTripleAttrName(),
                  StringAttr::get(module.getContext(), "nvptx64-nvidia-cuda"));
  module->setAttr(
      LLVM::LLVMDialect::getDataLayoutAttrName(),
      StringAttr::get(module.getContext(),
                      "e-p6:32:32-i64:64-i128:128-i256:256-v16:16-v32:32-n16:"
                      "32:64"));
  llvm::LLVMContext context;
  auto code = translate(module, context);
  if (!code)
    return code.takeError();
  std::vector<DeviceCode> codes;
  for (auto kernel : module.getOps<LLVM::LLVMFuncOp>()) {
    if (!kernel->hasAttr(NVVM::NVVMDialect::getKernelFuncAttrName()))
      continue;
    DeviceCode made;
    made.kernel = describeKernel(kernel).name;
    made.entry = kernel.getSymName();
    made.target = target;
    made.columns = attribute(kernel, "qdelta.columns");
    made.threads = attribute(kernel, "qdelta.threads");
    made.sharedBytes = attribute(kernel, "qdelta.shared_bytes");
    auto schedule = kernel->getAttrOfType<ScheduleAttr>("qdelta.schedule");
    for (int64_t argument :
         kernel->getAttrOfType<DenseI64ArrayAttr>("qdelta.tensor_maps")
             .asArrayRef())
      made.tensorMaps.push_back(describeMap(argument, schedule.getChunk()));
    if (llvm::Error error = addForms(made, **code, forms, remark))
      return std::move(error);
    codes.push_back(std::move(made));
  }
  return codes;
}
