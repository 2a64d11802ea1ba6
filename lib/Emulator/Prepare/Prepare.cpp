//===- Prepare.cpp - makes NVPTX kernels run on the CPU -------------------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#include "qdelta/Emulator/Prepare.h"

#include "../Contract.h"
#include "../ProgramImpl.h"
#include "Accumulators.h"
#include "HostFloats.h"
#include "HostMachine.h"
#include "KernelRewriter.h"
#include "SharedLayout.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/IR/DebugInfo.h"
#include "llvm/IR/IRBuilder.h"
#include "llvm/IR/InstIterator.h"
#include "llvm/IR/Module.h"
#include "llvm/IR/Verifier.h"
#include "llvm/Passes/PassBuilder.h"
#include "llvm/Support/raw_ostream.h"
#include "llvm/Target/TargetMachine.h"
#include "llvm/Transforms/IPO/AlwaysInliner.h"

using namespace qdelta::emulator;
using namespace llvm;

namespace {
/// The kernels: by calling convention, or, in older modules, by annotation.
std::vector<Function *> kernelsOf(Module &module) {
  std::vector<Function *> kernels;
  for (Function &function : module)
    if (function.getCallingConv() == CallingConv::PTX_Kernel &&
        !function.isDeclaration())
      kernels.push_back(&function);
  if (NamedMDNode *annotations = module.getNamedMetadata("nvvm.annotations")) {
    for (MDNode *node : annotations->operands()) {
      auto *what = node->getNumOperands() >= 2
                       ? dyn_cast<MDString>(node->getOperand(1))
                       : nullptr;
      auto *function =
          what && what->getString() == "kernel"
              ? mdconst::dyn_extract_or_null<Function>(node->getOperand(0))
              : nullptr;
      if (function && !is_contained(kernels, function))
        kernels.push_back(function);
    }
    annotations->eraseFromParent();
  }
  return kernels;
}

/// Handlers need the context, which only kernels get.
void inlineDeviceFunctions(Module &module, ArrayRef<Function *> kernels) {
  for (Function &function : module) {
    if (function.isDeclaration() || is_contained(kernels, &function))
      continue;
    function.removeFnAttr(Attribute::NoInline);
    function.removeFnAttr(Attribute::OptimizeNone);
    function.addFnAttr(Attribute::AlwaysInline);
    function.setLinkage(GlobalValue::InternalLinkage);
  }
  LoopAnalysisManager loops;
  FunctionAnalysisManager functions;
  CGSCCAnalysisManager components;
  ModuleAnalysisManager modules;
  PassBuilder passes;
  passes.registerModuleAnalyses(modules);
  passes.registerCGSCCAnalyses(components);
  passes.registerFunctionAnalyses(functions);
  passes.registerLoopAnalyses(loops);
  passes.crossRegisterProxies(loops, functions, components, modules);
  AlwaysInlinerPass().run(module, modules);
}

/// The product of the numbers of an attribute such as "nvvm.maxntid"="128,1,1";
/// 0 when it is not there.
uint32_t threadsOf(const Function &kernel, StringRef attribute) {
  if (!kernel.hasFnAttribute(attribute))
    return 0;
  SmallVector<StringRef> numbers;
  kernel.getFnAttribute(attribute).getValueAsString().split(numbers, ',');
  uint32_t product = 1;
  for (StringRef number : numbers) {
    uint32_t value = 1;
    if (number.trim().getAsInteger(10, value))
      return 0;
    product *= value;
  }
  return product;
}

/// The entry: a function of the context and the addresses of the arguments,
/// with the kernel's body.
Function &makeEntry(Function &kernel, std::string &lines) {
  Module &module = *kernel.getParent();
  LLVMContext &context = module.getContext();
  auto *pointer = PointerType::get(context, 0);
  auto *type =
      FunctionType::get(Type::getVoidTy(context), {pointer, pointer}, false);
  Function *entry =
      Function::Create(type, GlobalValue::ExternalLinkage, "", &module);
  entry->takeName(&kernel);
  entry->addFnAttr(Attribute::NoUnwind);
  entry->setSubprogram(kernel.getSubprogram());
  kernel.setSubprogram(nullptr);

  BasicBlock *first = BasicBlock::Create(context, "", entry);
  IRBuilder<> builder(first);
  const DataLayout &layout = module.getDataLayout();
  for (Argument &argument : kernel.args()) {
    bool byValue = argument.hasByValAttr();
    Type *held = byValue ? argument.getParamByValType() : argument.getType();
    LoadInst *address = builder.CreateLoad(
        pointer, builder.CreateConstGEP1_64(pointer, entry->getArg(1),
                                            argument.getArgNo()));
    address->setMetadata("qdelta.parameter", MDNode::get(context, {}));
    Value *value = address;
    if (byValue) {
      if (argument.getType() != pointer)
        value = builder.CreateAddrSpaceCast(value, argument.getType());
    } else {
      value = builder.CreateAlignedLoad(held, address, Align(1));
    }
    argument.replaceAllUsesWith(value);
    lines += "parameter\t" +
             std::to_string(layout.getTypeAllocSize(held).getFixedValue()) +
             "\t" +
             std::to_string(argument.getParamAlign()
                                .value_or(layout.getABITypeAlign(held))
                                .value()) +
             (byValue ? "\t1\n" : "\t0\n");
  }
  BasicBlock *body = &kernel.getEntryBlock();
  entry->splice(entry->end(), &kernel);
  builder.CreateBr(body);
  kernel.eraseFromParent();
  return *entry;
}

/// Drops what speaks about the GPU only.
void makeHostModule(Module &module) {
  StripDebugInfo(module);
  for (StringRef name : {"llvm.used", "llvm.compiler.used"})
    if (GlobalVariable *used = module.getGlobalVariable(name))
      used->eraseFromParent();
  for (Function &function : make_early_inc_range(module))
    if (function.use_empty() &&
        (function.isDeclaration() || function.hasLocalLinkage()))
      function.eraseFromParent();
  if (NamedMDNode *flags = module.getModuleFlagsMetadata())
    flags->eraseFromParent();
}
} // namespace

Error qdelta::emulator::prepare(Module &module) {
  std::vector<Function *> kernels = kernelsOf(module);
  inlineDeviceFunctions(module, kernels);

  Locations locations(module);
  std::string text =
      "qdelta-emulator\t" + std::to_string(kContractVersion) + "\n";
  for (Function *kernel : kernels)
    text += findAccumulatorUses(*kernel, locations);
  SharedLayout layout = placeSharedVariables(module);
  for (const SharedVariable &variable : layout.variables)
    text += "shared\t" + std::to_string(variable.offset) + "\t" +
            std::to_string(variable.bytes) + "\t" +
            std::to_string(variable.alignment) + "\t" + escape(variable.name) +
            "\n";
  text += "dynamic\t" + std::to_string(layout.dynamicOffset) + "\n";

  OperationTable table(locations);
  std::vector<Function *> entries;
  for (Function *kernel : kernels) {
    uint32_t threads = threadsOf(*kernel, "nvvm.reqntid");
    if (!threads)
      threads = threadsOf(*kernel, "nvvm.maxntid");
    text += "kernel\t" + escape(kernel->getName().str()) + "\t" +
            std::to_string(threads) + "\t" +
            std::to_string(layout.staticBytes) + "\n";
    entries.push_back(&makeEntry(*kernel, text));
  }
  for (Function *entry : entries) {
    KernelRewriter(*entry, table).run();
    expandHostFloats(*entry);
  }
  if (!table.errors().empty())
    return createStringError("cannot emulate the module: " + table.errors());
  makeHostModule(module);
  text += table.lines();

  Expected<std::unique_ptr<TargetMachine>> machine = createHostMachine();
  if (!machine)
    return machine.takeError();
  module.setTargetTriple((*machine)->getTargetTriple());
  module.setDataLayout((*machine)->createDataLayout());
  new GlobalVariable(
      module,
      ArrayType::get(Type::getInt8Ty(module.getContext()), text.size() + 1),
      /*isConstant=*/true, GlobalValue::ExternalLinkage,
      ConstantDataArray::getString(module.getContext(), text),
      kDescriptionSymbol);
  std::string problem;
  raw_string_ostream stream(problem);
  if (verifyModule(module, &stream))
    return createStringError("the rewritten module does not verify: " +
                             problem);
  return Error::success();
}
