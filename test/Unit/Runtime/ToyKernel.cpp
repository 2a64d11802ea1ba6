//===- ToyKernel.cpp - a kernel in C++ to launch in tests ----------------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#include "ToyKernel.h"

#include <algorithm>
#include <numeric>

using namespace toy;

qdeltaArgument toy::describe(const char *name, qdeltaRole role,
                             const std::vector<int64_t> &shape,
                             DLDataType type) {
  qdeltaArgument argument = {};
  argument.struct_size = sizeof(argument);
  argument.name = name;
  argument.role = role;
  argument.rank = static_cast<int32_t>(shape.size());
  std::copy(shape.begin(), shape.end(), argument.shape);
  argument.dtype = type;
  return argument;
}

qdeltaKernelImage
toy::describeKernel(const char *name,
                    const std::vector<qdeltaArgument> &arguments,
                    qdeltaEntry entry) {
  qdeltaKernelImage kernel = {};
  kernel.struct_size = sizeof(kernel);
  kernel.name = name;
  kernel.arguments = arguments.data();
  kernel.num_arguments = static_cast<int64_t>(arguments.size());
  kernel.entry = entry;
  return kernel;
}

namespace {
/// A strided descriptor of rank N.
template <int N>
struct MemRef {
  float *base, *aligned;
  int64_t offset, sizes[N], strides[N];

  template <typename... Index>
  float &at(Index... index) const {
    int64_t indices[] = {index...}, position = offset;
    for (int d = 0; d < N; ++d)
      position += indices[d] * strides[d];
    return aligned[position];
  }
};

void entry(void *const *descriptors, int64_t begin, int64_t end) {
  auto &v = *static_cast<MemRef<4> *>(descriptors[toy::v]);
  auto &scale = *static_cast<MemRef<1> *>(descriptors[toy::scale]);
  auto &S = *static_cast<MemRef<4> *>(descriptors[toy::S]);
  auto &o = *static_cast<MemRef<4> *>(descriptors[toy::o]);
  auto &SFinal = *static_cast<MemRef<4> *>(descriptors[toy::SFinal]);
  int64_t heads = o.sizes[2], group = v.sizes[2] ? heads / v.sizes[2] : 1;
  for (int64_t item = begin; item < end; ++item) {
    int64_t b = item / heads, h = item % heads;
    for (int64_t t = 0; t < o.sizes[1]; ++t)
      for (int64_t c = 0; c < o.sizes[3]; ++c)
        o.at(b, t, h, c) = scale.at(h) * v.at(b, t, h / group, c);
    for (int64_t r = 0; r < S.sizes[2]; ++r)
      for (int64_t c = 0; c < S.sizes[3]; ++c)
        SFinal.at(b, h, r, c) = 2 * S.at(b, h, r, c);
  }
}

constexpr int64_t B = QDELTA_DIM_BATCH, T = QDELTA_DIM_TIME,
                  H = QDELTA_DIM_HEADS, HV = QDELTA_DIM_VALUE_HEADS;

const qdeltaArgument arguments[] = {
    describe("q", QDELTA_ROLE_TOKEN, {B, T, H, 4}),
    describe("v", QDELTA_ROLE_TOKEN, {B, T, H, 3}),
    describe("g", QDELTA_ROLE_TOKEN, {B, T, H}),
    describe("scale", QDELTA_ROLE_PARAM, {HV}),
    describe("w", QDELTA_ROLE_PARAM, {HV, 4}),
    describe("S", QDELTA_ROLE_INITIAL_STATE, {B, HV, 4, 3}),
    describe("o", QDELTA_ROLE_OUTPUT, {B, T, HV, 3}),
    describe("S", QDELTA_ROLE_FINAL_STATE, {B, HV, 4, 3})};
const qdeltaKernelImage kernels[] = {{sizeof(qdeltaKernelImage), "toy",
                                      arguments, numArguments, entry, 0, 0,
                                      nullptr, nullptr, nullptr, nullptr}};
const qdeltaImage toyImage = {sizeof(qdeltaImage), kernels, 1, nullptr, 0};
} // namespace

const qdeltaImage &toy::image() { return toyImage; }

Array::Array(std::vector<int64_t> theShape) : shape(std::move(theShape)), dl() {
  int64_t count = 1;
  for (int64_t size : shape)
    count *= size;
  data.resize(static_cast<size_t>(count));
  std::iota(data.begin(), data.end(), 0.0f);
  dl.device = {kDLCPU, 0};
  dl.dtype = {kDLFloat, 32, 1};
  dl.ndim = static_cast<int32_t>(shape.size());
  dl.data = data.data();
}

DLTensor *Array::tensor() {
  dl.shape = shape.data();
  dl.strides = strides.empty() ? nullptr : strides.data();
  return &dl;
}

Call::Call(int64_t B, int64_t T, int64_t H, int64_t HV) {
  for (auto shape : std::vector<std::vector<int64_t>>{{B, T, H, 4},
                                                      {B, T, H, 3},
                                                      {B, T, H},
                                                      {HV},
                                                      {HV, 4},
                                                      {B, HV, 4, 3},
                                                      {B, T, HV, 3},
                                                      {B, HV, 4, 3}})
    arrays.emplace_back(shape);
  qdeltaStatusDestroy(qdeltaModuleLoad(&image(), &module));
}

Call::~Call() { qdeltaModuleDestroy(module); }

std::string Call::launch(int32_t threads) {
  std::vector<DLTensor *> tensors;
  for (Array &array : arrays)
    tensors.push_back(array.tensor());
  const qdeltaKernel *kernel = nullptr;
  qdeltaStatusDestroy(qdeltaModuleFindKernel(module, "toy", &kernel));
  qdeltaLaunchOptions options = {};
  options.struct_size = sizeof(options);
  options.threads = threads;
  qdeltaStatus *status = qdeltaLaunch(
      kernel, tensors.data(), static_cast<int64_t>(tensors.size()), &options);
  code = qdeltaStatusGetCode(status);
  json = qdeltaStatusGetJson(status);
  std::string message = qdeltaStatusGetMessage(status);
  qdeltaStatusDestroy(status);
  return message;
}
