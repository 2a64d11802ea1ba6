//===- Image.cpp - what an image says of its kernels ----------------------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===-----------------------------------------------------------------------===//

#include "Image.h"

#include "qdelta/Dialect/QDelta/IR/QDelta.h"
#include "qdelta/Dialect/QDelta/Transforms/EntryPoints.h"
#include "qdelta/Emulator/Prepare.h"

#include "mlir/IR/OwningOpRef.h"

using namespace mlir;
using namespace qdelta;

/// The element type of an argument's dictionary.
static DLDataType dtypeOf(DictionaryAttr dict) {
  auto attr = dict.getAs<TypeAttr>("dtype");
  if (!attr)
    return {kDLFloat, 32, 1};
  Type type = attr.getValue();
  uint8_t code = type.isInteger() ? kDLInt
                 : type.isBF16()  ? kDLBfloat
                                  : kDLFloat;
  return {code, static_cast<uint8_t>(type.getIntOrFloatBitWidth()), 1};
}

void qdelta::readDomain(DictionaryAttr attrs, ArgumentDescription &argument) {
  if (attrs.contains("qdelta.unit"))
    argument.domain = QDELTA_DOMAIN_UNIT;
  if (attrs.contains("qdelta.log_decay"))
    argument.domain = QDELTA_DOMAIN_LOG_DECAY;
  auto range = attrs.getAs<ArrayAttr>("qdelta.range");
  if (!range)
    return;
  argument.domain = QDELTA_DOMAIN_RANGE;
  argument.low = cast<FloatAttr>(range[0]).getValueAsDouble();
  argument.high = cast<FloatAttr>(range[1]).getValueAsDouble();
  if (attrs.contains("qdelta.log_decay"))
    argument.high = std::min(argument.high, 0.0);
}

/// Of states that a kernel starts from.
static bool isState(qdeltaRole role) {
  return role == QDELTA_ROLE_INITIAL_STATE || role == QDELTA_ROLE_STATE ||
         role == QDELTA_ROLE_STATE_POOL;
}

/// The floor of docs/Spec.md, 2 K V for each base read, each write and each mix
/// of the recurrence's lists, where the kernel fixes K and V and the lists are
/// known. With levels it is that of one level.
static int64_t countWork(RecurrenceOp recurrence,
                         const KernelDescription &kernel) {
  auto lists = recurrence->getAttrOfType<ArrayAttr>(kFactsAttr);
  if (!lists)
    return 0;
  int64_t vectors = 0;
  for (auto facts : lists.getAsRange<FactsAttr>())
    vectors += facts.getReads() + facts.getWrites();
  recurrence.walk([&](MixOp) { ++vectors; });
  for (const ArgumentDescription &argument : kernel.arguments)
    if (isState(argument.role) && argument.shape.size() == 4 &&
        argument.shape[2] > 0 && argument.shape[3] > 0)
      return 2 * vectors * argument.shape[2] * argument.shape[3];
  return 0;
}

KernelDescription qdelta::describeKernel(Operation *func) {
  KernelDescription kernel;
  // The entry that the compiler adds goes by its recurrence's name.
  StringRef function = SymbolTable::getSymbolName(func).getValue();
  StringRef recurrence =
      func->getAttrOfType<FlatSymbolRefAttr>(kRecurrenceAttr).getValue();
  bool isAdded = function == entryPointName(recurrence);
  kernel.name = (isAdded ? recurrence : function).str();
  for (Attribute attr : func->getAttrOfType<ArrayAttr>(kArgumentsAttr)) {
    auto dict = cast<DictionaryAttr>(attr);
    ArgumentDescription &argument = kernel.arguments.emplace_back();
    argument.name = cast<StringAttr>(dict.get("name")).getValue();
    argument.role =
        static_cast<qdeltaRole>(cast<IntegerAttr>(dict.get("role")).getInt());
    ArrayRef<int64_t> shape = cast<DenseI64ArrayAttr>(dict.get("shape"));
    argument.shape.assign(shape.begin(), shape.end());
    argument.dtype = dtypeOf(dict);
    if (auto domain = dict.getAs<DictionaryAttr>("domain"))
      readDomain(domain, argument);
    if (auto heads = dict.getAs<IntegerAttr>("usual_heads"))
      argument.usualHeads = static_cast<int32_t>(heads.getInt());
  }
  if (auto segments = func->getAttrOfType<DictionaryAttr>(kSegmentsAttr)) {
    kernel.segments = segments.getAs<IntegerAttr>("count").getInt();
    for (auto [name, callee] :
         {std::pair("run", &kernel.run), std::pair("summary", &kernel.summary),
          std::pair("apply", &kernel.apply),
          std::pair("advance", &kernel.advance)})
      if (auto attr = segments.getAs<StringAttr>(name))
        *callee = attr.str();
  }
  auto module = func->getParentOfType<ModuleOp>();
  if (auto op = module.lookupSymbol<RecurrenceOp>(recurrence))
    kernel.work = countWork(op, kernel);
  return kernel;
}

std::vector<KernelDescription> qdelta::describeKernels(ModuleOp module) {
  std::vector<KernelDescription> kernels;
  for (Operation &op : module.getOps())
    if (auto func = dyn_cast<FunctionOpInterface>(op);
        func && func->hasAttr(kArgumentsAttr) &&
        (!func.isExternal() || func->hasAttr(kStepsAttr)))
      kernels.push_back(describeKernel(&op));
  return kernels;
}

std::string qdelta::entrySymbol(llvm::StringRef function) {
  return (function + "_entry").str();
}

std::vector<qdeltaArgument> &
ImageBuilder::addArguments(const std::vector<ArgumentDescription> &described) {
  std::vector<qdeltaArgument> &args = arguments.emplace_back();
  for (const ArgumentDescription &argument : described) {
    qdeltaArgument arg{};
    arg.struct_size = sizeof(arg);
    arg.name = names.emplace_back(argument.name).c_str();
    arg.role = argument.role;
    arg.rank = static_cast<int32_t>(argument.shape.size());
    llvm::copy(argument.shape, arg.shape);
    arg.dtype = argument.dtype;
    arg.domain = argument.domain;
    arg.usual_heads = argument.usualHeads;
    arg.low = argument.low;
    arg.high = argument.high;
    args.push_back(arg);
  }
  return args;
}

void ImageBuilder::addKernel(const KernelDescription &kernel,
                             qdeltaEntry entry) {
  std::vector<qdeltaArgument> &args = addArguments(kernel.arguments);
  qdeltaKernelImage result{};
  result.struct_size = sizeof(result);
  result.name = names.emplace_back(kernel.name).c_str();
  result.arguments = args.data();
  result.num_arguments = static_cast<int64_t>(args.size());
  result.entry = entry;
  result.work = kernel.work;
  result.segments = kernel.segments;
  auto nameOf = [&](const std::string &name) {
    return name.empty() ? nullptr : names.emplace_back(name).c_str();
  };
  result.run = nameOf(kernel.run);
  result.summary = nameOf(kernel.summary);
  result.apply = nameOf(kernel.apply);
  result.advance = nameOf(kernel.advance);
  kernels.push_back(result);
}

void ImageBuilder::addDevice(const DeviceCode &code) {
  qdeltaDeviceKernelImage device{};
  device.struct_size = sizeof(device);
  device.kernel = names.emplace_back(code.kernel).c_str();
  device.target = names.emplace_back(code.target).c_str();
  device.entry = names.emplace_back(code.entry).c_str();
  device.threads = static_cast<int32_t>(code.threads);
  device.columns = code.columns;
  device.shared_bytes = code.sharedBytes;
  device.tensor_maps = code.tensorMaps.data();
  device.num_tensor_maps = static_cast<int64_t>(code.tensorMaps.size());
  std::vector<qdeltaArgument> &between = addArguments(code.workspaces);
  device.workspaces = between.data();
  device.num_workspaces = static_cast<int64_t>(between.size());
  std::vector<qdeltaKernelStep> &all = steps.emplace_back();
  for (const DeviceStep &step : code.steps)
    all.push_back(
        {sizeof(qdeltaKernelStep), names.emplace_back(step.entry).c_str(),
         static_cast<int32_t>(step.threads),
         static_cast<int32_t>(step.numInputs), step.blocks, step.tokens,
         step.sharedBytes, step.tensors.data(),
         static_cast<int64_t>(step.tensors.size()), step.tensorMaps.data(),
         static_cast<int64_t>(step.tensorMaps.size())});
  device.steps = all.data();
  device.num_steps = static_cast<int64_t>(all.size());
  auto add = [&](qdeltaFormat format, const void *bytes, size_t size) {
    device.format = format;
    device.code = bytes;
    device.code_size = size;
    devices.push_back(device);
  };
  if (!code.cubin.empty())
    add(QDELTA_FORMAT_CUBIN, code.cubin.data(), code.cubin.size());
  if (!code.ptx.empty())
    add(QDELTA_FORMAT_PTX, code.ptx.data(), code.ptx.size());
  if (!code.emulated.empty())
    add(QDELTA_FORMAT_EMULATED, code.emulated.data(), code.emulated.size());
  if (code.program)
    add(QDELTA_FORMAT_PROGRAM, &code.program->program(), 0);
}

const qdeltaImage &ImageBuilder::finish() {
  image.struct_size = sizeof(image);
  image.kernels = kernels.data();
  image.num_kernels = static_cast<int64_t>(kernels.size());
  image.device_kernels = devices.data();
  image.num_device_kernels = static_cast<int64_t>(devices.size());
  return image;
}
