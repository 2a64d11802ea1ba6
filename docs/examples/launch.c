/*===- launch.c - load an artefact and launch its first kernel ----*- C -*-===*\
 *
 * Part of qdelta, under the Apache License 2.0 (see LICENSE).
 *
 * cc -Iinclude docs/examples/launch.c -lQDeltaRuntime -lQDeltaEmulator \
 *    -lstdc++ -lz -lm -lpthread -ldl
 * ./a.out model.qda [cpu|emulated]
 *
\*===----------------------------------------------------------------------===*/

#include "qdelta-c/Runtime.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_ARGUMENTS = 32 };

/* Prints the error that a call returned and ends the program. */
static void check(qdeltaStatus *status) {
  if (!status)
    return;
  fprintf(stderr, "error: %s\n", qdeltaStatusGetMessage(status));
  qdeltaStatusDestroy(status);
  exit(1);
}

/* The size of a dimension in this program: B = 1, T = 40, H = HV = 2. */
static int64_t size_of(int64_t dimension) {
  switch (dimension) {
  case QDELTA_DIM_BATCH:
    return 1;
  case QDELTA_DIM_TIME:
    return 40;
  case QDELTA_DIM_VALUE_HEADS:
  case QDELTA_DIM_HEADS:
    return 2;
  default:
    return dimension;
  }
}

/* Element i of a float32 tensor, or of the upper halves of one: bfloat16. */
static float get(const DLTensor *tensor, int64_t i) {
  float value = 0;
  size_t bytes = tensor->dtype.bits / 8;
  memcpy((char *)&value + sizeof(value) - bytes,
         (char *)tensor->data + (size_t)i * bytes, bytes);
  return value;
}

static void set(DLTensor *tensor, int64_t i, float value) {
  size_t bytes = tensor->dtype.bits / 8;
  memcpy((char *)tensor->data + (size_t)i * bytes,
         (char *)&value + sizeof(value) - bytes, bytes);
}

int main(int argc, char **argv) {
  qdeltaModule *module;
  const qdeltaKernel *kernel;
  DLTensor tensors[MAX_ARGUMENTS], *pointers[MAX_ARGUMENTS];
  int64_t shapes[MAX_ARGUMENTS][4], counts[MAX_ARGUMENTS];
  qdeltaLaunchOptions options = {0};
  if (argc < 2) {
    fprintf(stderr, "usage: %s model.qda [cpu|emulated]\n", argv[0]);
    return 1;
  }
  options.struct_size = sizeof(options);
  if (argc > 2 && strcmp(argv[2], "emulated") == 0)
    options.engine = QDELTA_ENGINE_EMULATED;

  check(qdeltaModuleLoadFile(argv[1], &module));
  printf("%s holds %s\n", argv[1], qdeltaModuleGetContents(module));
  check(qdeltaModuleGetKernel(module, 0, &kernel));

  int64_t n = qdeltaKernelGetNumArguments(kernel);
  for (int64_t a = 0; a < n && a < MAX_ARGUMENTS; ++a) {
    const qdeltaArgument *argument = qdeltaKernelGetArgument(kernel, a);
    DLTensor tensor = {0};
    tensor.device.device_type = kDLCPU;
    tensor.ndim = argument->rank;
    tensor.dtype = argument->dtype;
    tensor.shape = shapes[a];
    counts[a] = 1;
    for (int32_t d = 0; d < argument->rank; ++d)
      counts[a] *= shapes[a][d] = size_of(argument->shape[d]);
    tensor.data = calloc((size_t)counts[a] + 1, sizeof(float));
    /* Small numbers for vectors and states, decays for what is in between. */
    for (int64_t i = 0; i < counts[a]; ++i)
      set(&tensor, i, argument->rank == 3 ? -0.01f : (float)(i % 7) / 64);
    tensors[a] = tensor;
    pointers[a] = &tensors[a];
  }
  check(qdeltaLaunch(kernel, pointers, n, &options));

  for (int64_t a = 0; a < n; ++a) {
    const qdeltaArgument *argument = qdeltaKernelGetArgument(kernel, a);
    double sum = 0;
    for (int64_t i = 0; i < counts[a]; ++i)
      sum += get(&tensors[a], i);
    if (argument->role == QDELTA_ROLE_OUTPUT ||
        argument->role == QDELTA_ROLE_FINAL_STATE)
      printf("%s %s: %lld elements, sum %.6g\n", qdeltaKernelGetName(kernel),
             argument->name, (long long)counts[a], sum);
    free(tensors[a].data);
  }
  qdeltaModuleDestroy(module);
  return 0;
}
