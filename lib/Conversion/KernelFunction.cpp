//===- KernelFunction.cpp - the function of a GPU kernel ------------------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#include "KernelFunction.h"

#include "DescribeArguments.h"

#include "qdelta/Dialect/QDelta/Transforms/EntryPoints.h"

#include "mlir/Dialect/LLVMIR/NVVMDialect.h"

using namespace mlir;
using namespace qdelta;

static void describeParameters(LLVM::LLVMFuncOp kernel, int64_t arguments) {
  OpBuilder b(kernel);
  auto words = LLVM::LLVMArrayType::get(b.getI64Type(), 5 * arguments + 3);
  kernel.setArgAttr(0, LLVM::LLVMDialect::getByValAttrName(),
                    TypeAttr::get(words));
  kernel.setArgAttr(0, NVVM::NVVMDialect::getGridConstantAttrName(),
                    b.getUnitAttr());
  for (unsigned map = 1; map < kernel.getNumArguments(); ++map) {
    kernel.setArgAttr(
        map, LLVM::LLVMDialect::getByValAttrName(),
        TypeAttr::get(LLVM::LLVMArrayType::get(b.getI8Type(), 128)));
    kernel.setArgAttr(map, LLVM::LLVMDialect::getAlignAttrName(),
                      b.getI64IntegerAttr(64));
    kernel.setArgAttr(map, NVVM::NVVMDialect::getGridConstantAttrName(),
                      b.getUnitAttr());
  }
}

LLVM::LLVMFuncOp qdelta::createKernelFunction(func::FuncOp func,
                                              const KernelLaunch &launch) {
  OpBuilder b(func);
  MLIRContext *context = b.getContext();
  Type pointer = LLVM::LLVMPointerType::get(context);
  auto kernel = LLVM::LLVMFuncOp::create(
      b, func.getLoc(), func.getSymName(),
      LLVM::LLVMFunctionType::get(
          LLVM::LLVMVoidType::get(context),
          SmallVector<Type>(1 + launch.maps.size(), pointer)));
  SmallVector<Type> types(func.getArgumentTypes());
  llvm::append_range(types, func.getResultTypes());
  // A number of heads is no tensor: it comes with the launch.
  describeParameters(kernel, llvm::count_if(types, llvm::IsaPred<TensorType>) -
                                 launch.replaced.size());
  kernel->setAttr("qdelta.tensor_maps", b.getDenseI64ArrayAttr(launch.maps));
  kernel->setAttr(NVVM::NVVMDialect::getKernelFuncAttrName(), b.getUnitAttr());
  kernel->setAttr(
      NVVM::NVVMDialect::getMaxntidAttrName(),
      b.getDenseI32ArrayAttr({static_cast<int32_t>(launch.threads), 1, 1}));
  kernel->setAttr(NVVM::NVVMDialect::getMinctasmAttrName(),
                  b.getI32IntegerAttr(1));
  for (StringRef name :
       {StringRef(kRecurrenceAttr), StringRef("qdelta.schedule")})
    if (Attribute attr = func->getAttr(name))
      kernel->setAttr(name, attr);
  if (RecurrenceOp recurrence = recurrenceOf(func))
    kernel->setAttr(
        kArgumentsAttr,
        describeArguments(types, recurrence, !launch.replaced.empty()));
  if (!launch.replaced.empty())
    kernel->setAttr(kReplacedAttr, b.getDenseI64ArrayAttr(launch.replaced));
  kernel->setAttr("qdelta.threads", b.getI64IntegerAttr(launch.threads));
  kernel->setAttr("qdelta.shared_bytes",
                  b.getI64IntegerAttr(launch.sharedBytes));
  kernel->setAttr("qdelta.columns", b.getI64IntegerAttr(launch.columns));
  kernel->setAttr("qdelta.blocks", b.getI64IntegerAttr(launch.blocks));
  kernel->setAttr("qdelta.tokens", b.getI64IntegerAttr(launch.tokens));
  return kernel;
}
