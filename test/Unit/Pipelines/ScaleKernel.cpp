//===- ScaleKernel.cpp - a small GPU kernel in LLVM IR --------------------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#include "ScaleKernel.h"

#include "qdelta/Target/SharedObject.h"
#include "qdelta/Target/TargetTable.h"

#include "llvm/AsmParser/Parser.h"
#include "llvm/IR/LLVMContext.h"
#include "llvm/IR/Module.h"
#include "llvm/Support/SourceMgr.h"
#include "llvm/TargetParser/Host.h"

#include <cmath>

using namespace qdelta;
using namespace scale;

static constexpr char deviceText[] = R"(
declare i32 @llvm.nvvm.read.ptx.sreg.ctaid.x()
declare i32 @llvm.nvvm.read.ptx.sreg.tid.x()

; Word %i of the arguments.
define internal i64 @word(ptr %args, i64 %i) {
  %p = getelementptr i64, ptr %args, i64 %i
  %word = load i64, ptr %p
  ret i64 %word
}

; The address of element (%i, %j, %k, %column) of argument %n.
define internal ptr addrspace(1) @element(ptr %args, i64 %n, i64 %i, i64 %j, i64 %k, i64 %column) {
  %w0 = mul i64 %n, 5
  %w1 = add i64 %w0, 1
  %w2 = add i64 %w0, 2
  %w3 = add i64 %w0, 3
  %base = call i64 @word(ptr %args, i64 %w0)
  %s0 = call i64 @word(ptr %args, i64 %w1)
  %s1 = call i64 @word(ptr %args, i64 %w2)
  %s2 = call i64 @word(ptr %args, i64 %w3)
  %o0 = mul i64 %i, %s0
  %o1 = mul i64 %j, %s1
  %o2 = mul i64 %k, %s2
  %o01 = add i64 %o0, %o1
  %o012 = add i64 %o01, %o2
  %offset = add i64 %o012, %column
  %p = inttoptr i64 %base to ptr addrspace(1)
  %e = getelementptr float, ptr addrspace(1) %p, i64 %offset
  ret ptr addrspace(1) %e
}

define ptx_kernel void @scale_kernel(ptr byval([28 x i64]) align 8 %args PARAMETERS) {
  %cta32 = call i32 @llvm.nvvm.read.ptx.sreg.ctaid.x()
  %cta = zext i32 %cta32 to i64
  %tid32 = call i32 @llvm.nvvm.read.ptx.sreg.tid.x()
  %tid = zext i32 %tid32 to i64
  %T = call i64 @word(ptr %args, i64 25)
  %HV = call i64 @word(ptr %args, i64 26)
  %H = call i64 @word(ptr %args, i64 4)
  %group = sdiv i64 %HV, %H
  %block = urem i64 %cta, 2
  %item = udiv i64 %cta, 2
  %h = urem i64 %item, %HV
  %b = udiv i64 %item, %HV
  %hv = udiv i64 %h, %group
  %first = mul i64 %block, 4
  %column = add i64 %first, %tid
  %inBlock = icmp ult i64 %tid, 4
  %inRow = icmp ult i64 %column, 6
  %works = and i1 %inBlock, %inRow
  br i1 %works, label %start, label %end
start:
  %fp = call ptr addrspace(1) @element(ptr %args, i64 1, i64 %h, i64 0, i64 0, i64 0)
  %f = load float, ptr addrspace(1) %fp
  DEFECT
  br label %tokens
tokens:
  %t = phi i64 [0, %start], [%t1, %tokens]
  %vp = call ptr addrspace(1) @element(ptr %args, i64 0, i64 %b, i64 %t, i64 %hv, i64 %column)
  %v = load float, ptr addrspace(1) %vp
  %x = fmul float %f, %v
  %op = call ptr addrspace(1) @element(ptr %args, i64 3, i64 %b, i64 %t, i64 %h, i64 %column)
  store float %x, ptr addrspace(1) %op
  %t1 = add i64 %t, 1
  %more = icmp slt i64 %t1, %T
  br i1 %more, label %tokens, label %rows
rows:
  %r = phi i64 [0, %tokens], [%r1, %rows]
  %Sp = call ptr addrspace(1) @element(ptr %args, i64 2, i64 %b, i64 %h, i64 %r, i64 %column)
  %s = load float, ptr addrspace(1) %Sp
  %d = fmul float %s, 2.0
  %Fp = call ptr addrspace(1) @element(ptr %args, i64 4, i64 %b, i64 %h, i64 %r, i64 %column)
  store float %d, ptr addrspace(1) %Fp
  %r1 = add i64 %r, 1
  %again = icmp slt i64 %r1, 3
  br i1 %again, label %rows, label %end
end:
  ret void
}
)";

static constexpr char defectText[] = R"(
  %bad = call ptr addrspace(1) @element(ptr %args, i64 3, i64 0, i64 0, i64 0, i64 -1000000)
  store float %f, ptr addrspace(1) %bad
)";

/// A descriptor is base, aligned, offset, sizes, strides. Handles contiguous
/// tensors with B = T = H = HV = 1 only.
static constexpr char hostText[] = R"(
declare float @expf(float)

define internal ptr @data(ptr %descriptors, i64 %n) {
  %p = getelementptr ptr, ptr %descriptors, i64 %n
  %descriptor = load ptr, ptr %p
  %q = getelementptr ptr, ptr %descriptor, i64 1
  %data = load ptr, ptr %q
  ret ptr %data
}

define void @scale_entry(ptr %descriptors, i64 %begin, i64 %end) {
start:
  %v = call ptr @data(ptr %descriptors, i64 0)
  %fp = call ptr @data(ptr %descriptors, i64 1)
  %S = call ptr @data(ptr %descriptors, i64 2)
  %o = call ptr @data(ptr %descriptors, i64 3)
  %F = call ptr @data(ptr %descriptors, i64 4)
  %f = load float, ptr %fp
  %e = call float @expf(float %f)
  br label %loop
loop:
  %i = phi i64 [0, %start], [%i1, %next]
  %isColumn = icmp slt i64 %i, 6
  br i1 %isColumn, label %column, label %next
column:
  %vp = getelementptr float, ptr %v, i64 %i
  %x = load float, ptr %vp
  %y = fmul float %e, %x
  %op = getelementptr float, ptr %o, i64 %i
  store float %y, ptr %op
  br label %next
next:
  %Sp = getelementptr float, ptr %S, i64 %i
  %s = load float, ptr %Sp
  %d = fmul float %s, 2.0
  %Fp = getelementptr float, ptr %F, i64 %i
  store float %d, ptr %Fp
  %i1 = add i64 %i, 1
  %more = icmp slt i64 %i1, 18
  br i1 %more, label %loop, label %end2
end2:
  ret void
}
)";

static llvm::Expected<std::unique_ptr<llvm::Module>>
parse(llvm::LLVMContext &context, const std::string &text) {
  llvm::SMDiagnostic problem;
  if (auto module = llvm::parseAssemblyString(text, problem, context))
    return module;
  return llvm::createStringError(llvm::inconvertibleErrorCode(),
                                 problem.getMessage());
}

static void replace(std::string &text, llvm::StringRef from, const char *to) {
  text.replace(text.find(from), from.size(), to);
}

KernelDescription scale::description() {
  constexpr int64_t B = QDELTA_DIM_BATCH, T = QDELTA_DIM_TIME,
                    H = QDELTA_DIM_HEADS, HV = QDELTA_DIM_VALUE_HEADS;
  KernelDescription kernel;
  kernel.name = "scale";
  auto add = [&](const char *name, qdeltaRole role,
                 std::vector<int64_t> shape) -> ArgumentDescription & {
    ArgumentDescription &argument = kernel.arguments.emplace_back();
    argument.name = name;
    argument.role = role;
    argument.shape = std::move(shape);
    return argument;
  };
  ArgumentDescription &v = add("v", QDELTA_ROLE_TOKEN, {B, T, H, 6});
  v.domain = QDELTA_DOMAIN_RANGE;
  v.low = -1e-30;
  v.high = 0.1;
  v.usualHeads = HV;
  add("f", QDELTA_ROLE_PARAM, {HV}).domain = QDELTA_DOMAIN_LOG_DECAY;
  add("S", QDELTA_ROLE_INITIAL_STATE, {B, HV, 3, 6});
  add("o", QDELTA_ROLE_OUTPUT, {B, T, HV, 6});
  add("S", QDELTA_ROLE_FINAL_STATE, {B, HV, 3, 6});
  kernel.work = 36;
  return kernel;
}

llvm::Expected<DeviceCode> scale::deviceCode(const char *target,
                                             const DeviceForms &forms,
                                             bool hasTensorMap,
                                             bool hasDefect) {
  std::string text = deviceText;
  replace(text, "PARAMETERS",
          hasTensorMap ? ", ptr byval([128 x i8]) align 64 %map" : "");
  replace(text, "DEFECT", hasDefect ? defectText : "");
  llvm::LLVMContext context;
  auto module = parse(context, text);
  if (!module)
    return module.takeError();
  DeviceCode code;
  code.kernel = "scale";
  code.target = target;
  code.entry = "scale_kernel";
  code.columns = 4;
  code.threads = 32;
  if (hasTensorMap)
    code.tensorMaps.push_back({sizeof(qdeltaTensorMap), scale::v, 32, 64, 3});
  if (llvm::Error error = addForms(code, **module, forms, [](auto) {}))
    return std::move(error);
  return code;
}

void scale::makeSteps(DeviceCode &code) {
  DeviceStep step;
  step.entry = code.entry;
  step.threads = code.threads;
  step.blocks = 2;
  step.numInputs = 3;
  constexpr int32_t between = numArguments;
  step.tensors = {v, f, S, between, SFinal};
  code.steps.push_back(step);
  step.tensors = {between, f, S, o, SFinal};
  code.steps.push_back(step);
  ArgumentDescription &workspace = code.workspaces.emplace_back();
  workspace.shape = description().arguments[o].shape;
}

llvm::Expected<HostCode> scale::hostCode() {
  llvm::LLVMContext context;
  auto module = parse(context, hostText);
  if (!module)
    return module.takeError();
  HostCode host;
  host.triple = llvm::sys::getProcessTriple();
  host.cpu = "x86-64";
  host.entries = {"scale_entry"};
  auto object = emitHostObject(**module, *findTarget("scalar"), host.entries);
  if (!object)
    return object.takeError();
  auto linked = linkSharedObject(*object);
  if (!linked)
    return linked.takeError();
  host.sharedObject = std::move(*linked);
  return host;
}

llvm::Expected<std::string> scale::artefact() {
  auto host = hostCode();
  if (!host)
    return host.takeError();
  std::vector<DeviceCode> devices;
  for (const char *target : {"sm_80", "sm_90a"}) {
    auto device = deviceCode(target, DeviceForms(), target[3] == '9');
    if (!device)
      return device.takeError();
    devices.push_back(std::move(*device));
  }
  return packArtefact(description(), *host, devices);
}

Call::Call(int64_t B, int64_t T, int64_t H, int64_t HV) {
  options.struct_size = sizeof(options);
  options.threads = 1;
  for (auto shape : std::vector<std::vector<int64_t>>{
           {B, T, H, 6}, {HV}, {B, HV, 3, 6}, {B, T, HV, 6}, {B, HV, 3, 6}})
    arrays.emplace_back(shape);
  for (Index i : {scale::o, scale::SFinal})
    for (float &x : arrays[i].data)
      x = NAN;
}

std::string Call::launch(const qdeltaModule *module) {
  std::vector<DLTensor *> tensors;
  for (toy::Array &array : arrays)
    tensors.push_back(array.tensor());
  const qdeltaKernel *kernel = nullptr;
  qdeltaStatusDestroy(qdeltaModuleFindKernel(module, "scale", &kernel));
  qdeltaStatus *status = qdeltaLaunch(
      kernel, tensors.data(), static_cast<int64_t>(tensors.size()), &options);
  code = qdeltaStatusGetCode(status);
  json = qdeltaStatusGetJson(status);
  std::string message = qdeltaStatusGetMessage(status);
  qdeltaStatusDestroy(status);
  return message;
}

bool Call::isRight(float (*factor)(float)) const {
  const toy::Array &v = arrays[scale::v], &o = arrays[scale::o];
  size_t H = static_cast<size_t>(v.shape[2]),
         HV = static_cast<size_t>(o.shape[2]);
  for (size_t i = 0; i < o.data.size(); ++i) {
    size_t c = i % 6, hv = i / 6 % HV, bt = i / 6 / HV, h = hv / (HV / H);
    if (o.data[i] !=
        factor(arrays[scale::f].data[hv]) * v.data[(bt * H + h) * 6 + c])
      return false;
  }
  for (size_t i = 0; i < arrays[scale::S].data.size(); ++i)
    if (arrays[scale::SFinal].data[i] != 2 * arrays[scale::S].data[i])
      return false;
  return true;
}
