//===- CompileDevice.cpp - from a module to kernels for a GPU -------------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#include "Image.h"

#include "qdelta/Dialect/QDelta/Transforms/EntryPoints.h"
#include "qdelta/Pipelines/DeviceCode.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
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

static std::vector<qdeltaTensorMap> describeMaps(LLVM::LLVMFuncOp kernel) {
  std::vector<qdeltaTensorMap> maps;
  auto schedule = kernel->getAttrOfType<ScheduleAttr>("qdelta.schedule");
  for (int64_t argument :
       kernel->getAttrOfType<DenseI64ArrayAttr>("qdelta.tensor_maps")
           .asArrayRef())
    maps.push_back(describeMap(argument, schedule.getChunk()));
  return maps;
}

static DeviceStep describeStep(DictionaryAttr attributes, ModuleOp module) {
  auto symbol = cast<FlatSymbolRefAttr>(attributes.get("kernel"));
  auto kernel = module.lookupSymbol<LLVM::LLVMFuncOp>(symbol.getAttr());
  DeviceStep step;
  step.entry = symbol.getValue();
  step.threads = attribute(kernel, "qdelta.threads");
  step.sharedBytes = attribute(kernel, "qdelta.shared_bytes");
  step.blocks = attribute(kernel, "qdelta.blocks");
  step.tokens = attribute(kernel, "qdelta.tokens");
  step.numInputs = cast<IntegerAttr>(attributes.get("inputs")).getInt();
  ArrayRef<int32_t> tensors =
      cast<DenseI32ArrayAttr>(attributes.get("tensors"));
  step.tensors.assign(tensors.begin(), tensors.end());
  step.tensorMaps = describeMaps(kernel);
  return step;
}

/// A sequence [B, T, HV] or [B, T, HV, D], where B is 1 if it is packed.
static ArgumentDescription describeWorkspace(RankedTensorType type,
                                             bool isPacked) {
  ArgumentDescription workspace;
  workspace.name = "workspace";
  Type element = type.getElementType();
  workspace.dtype = {
      static_cast<uint8_t>(element.isBF16() ? kDLBfloat : kDLFloat),
      static_cast<uint8_t>(element.getIntOrFloatBitWidth()), 1};
  workspace.shape = {isPacked ? 1 : QDELTA_DIM_BATCH, QDELTA_DIM_TIME,
                     QDELTA_DIM_VALUE_HEADS};
  if (type.getEncoding())
    workspace.shape.back() = QDELTA_DIM_LEVEL_HEADS;
  for (int64_t size : type.getShape().drop_front(3))
    workspace.shape.push_back(ShapedType::isDynamic(size) ? QDELTA_DIM_LEVELS
                                                          : size);
  return workspace;
}

/// The code of an entry function, as far as its attributes say.
static DeviceCode describeCode(LLVM::LLVMFuncOp entry, ModuleOp module) {
  DeviceCode made;
  KernelDescription kernel = describeKernel(entry);
  made.kernel = kernel.name;
  made.entry = entry.getSymName();
  auto steps = entry->getAttrOfType<ArrayAttr>(kStepsAttr);
  if (!steps) {
    made.columns = attribute(entry, "qdelta.columns");
    made.threads = attribute(entry, "qdelta.threads");
    made.sharedBytes = attribute(entry, "qdelta.shared_bytes");
    made.tensorMaps = describeMaps(entry);
    return made;
  }
  for (Attribute step : steps)
    made.steps.push_back(describeStep(cast<DictionaryAttr>(step), module));
  bool isPacked = llvm::any_of(kernel.arguments, [](const auto &argument) {
    return argument.role == QDELTA_ROLE_CU_SEQLENS;
  });
  for (Attribute type : entry->getAttrOfType<ArrayAttr>(kWorkspacesAttr))
    made.workspaces.push_back(describeWorkspace(
        cast<RankedTensorType>(cast<TypeAttr>(type).getValue()), isPacked));
  return made;
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
    if (!kernel->hasAttr(kArgumentsAttr))
      continue;
    DeviceCode made = describeCode(kernel, module);
    made.target = target;
    if (llvm::Error error = addForms(made, **code, forms, remark))
      return std::move(error);
    codes.push_back(std::move(made));
  }
  return codes;
}
