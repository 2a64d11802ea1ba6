/*===- Runtime.h - load and launch compiled recurrences ----------*- C -*-===*\
 *
 * Part of qdelta, under the Apache License 2.0 (see LICENSE).
 *
\*===----------------------------------------------------------------------===*/

#ifndef QDELTA_C_RUNTIME_H
#define QDELTA_C_RUNTIME_H

#include "qdelta-c/dlpack.h"

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Conventions. A function that can fail returns a status: NULL means fine,
 * anything else is the caller's to destroy. Handles are opaque. Structs begin
 * with struct_size, which whoever fills them sets to sizeof; within a major
 * version fields are only appended. Nothing here throws, aborts on bad input
 * or keeps global state. Every function may be called from any thread; a
 * module must outlive the calls that use it.
 */
#define QDELTA_RUNTIME_VERSION_MAJOR 1
#define QDELTA_RUNTIME_VERSION_MINOR 3

/* Sizes of an argument's dimensions that a launch decides. */
enum {
  QDELTA_DIM_BATCH = -1,       /* B */
  QDELTA_DIM_TIME = -2,        /* T */
  QDELTA_DIM_VALUE_HEADS = -3, /* HV */
  QDELTA_DIM_HEADS = -4,  /* H, any divisor of HV; may differ by argument */
  QDELTA_DIM_BOUNDS = -5, /* B + 1, of cu_seqlens. Since 1.3 */
  QDELTA_DIM_POOL = -6,   /* N, of pools of states. Since 1.3 */
  QDELTA_DIM_LEVELS = -7, /* L, the last size of a token input with levels; T,
                             and how many tokens came before, are together at
                             most 2^(L - 1). Since 1.3 */
  QDELTA_DIM_LEVEL_HEADS = -8 /* HV L, of states with levels: that of level l of
                                 head h is number h L + l. Since 1.3 */
};

typedef enum {
  QDELTA_ROLE_TOKEN = 0,
  QDELTA_ROLE_PARAM = 1,
  QDELTA_ROLE_INITIAL_STATE = 2,
  QDELTA_ROLE_OUTPUT = 3,
  QDELTA_ROLE_FINAL_STATE = 4,
  /* Where packed sequences begin and end, [B + 1]: sequence n is tokens
   * cu_seqlens[n] to cu_seqlens[n + 1] - 1. It is read, 0 first, T last, and
   * does not decrease. Since 1.3. */
  QDELTA_ROLE_CU_SEQLENS = 5,
  /* Since 1.3. Kernels with one of these have no initial and final states and
   * no cu_seqlens, and take at most QDELTA_MOST_STEP_TOKENS tokens. */
  QDELTA_ROLE_STATE = 6,       /* updated in place */
  QDELTA_ROLE_STATE_POOL = 7,  /* N states, those named by an index updated */
  QDELTA_ROLE_STATE_INDEX = 8, /* int32 [B]: the state of each batch entry */
  /* int32 [B]: how many tokens of each sequence came before. Kernels with
   * levels have one. Since 1.3. */
  QDELTA_ROLE_POSITION = 9
} qdeltaRole;

enum { QDELTA_MOST_STEP_TOKENS = 16 };

/* What values of an argument its recurrence is meant for. */
typedef enum {
  QDELTA_DOMAIN_ANY = 0,
  QDELTA_DOMAIN_UNIT = 1,      /* vectors of norm 1 */
  QDELTA_DOMAIN_LOG_DECAY = 2, /* at most 0; -inf erases */
  QDELTA_DOMAIN_RANGE = 3      /* from low to high */
} qdeltaDomain;

/* One argument of a kernel: rank 1 to 4, sizes fixed (>= 0) or QDELTA_DIM_*. */
typedef struct {
  size_t struct_size;
  const char *name;
  qdeltaRole role;
  int32_t rank;
  int64_t shape[4];
  /* Since 1.1. float64, float32, bfloat16 or float16 with one lane; float32
   * where struct_size ends before it. int32 or int64 for
   * QDELTA_ROLE_CU_SEQLENS, int32 for QDELTA_ROLE_STATE_INDEX and
   * QDELTA_ROLE_POSITION. */
  DLDataType dtype;
  /* Since 1.2, for those who make inputs, and for launches that are to check
   * them. */
  qdeltaDomain domain;
  int32_t usual_heads; /* of a token: QDELTA_DIM_HEADS or
                          QDELTA_DIM_VALUE_HEADS; 0 if nobody said */
  double low, high;    /* of QDELTA_DOMAIN_RANGE, else 0 */
} qdeltaArgument;

/* Computes work items begin .. end-1 of B * HV; descriptors[i] points to the
 * strided descriptor (base, aligned, offset, sizes, strides) of argument i.
 * Called from several threads at once, on items of their own, and only when
 * there are items and tokens: T is at least 1. */
typedef void (*qdeltaEntry)(void *const *descriptors, int64_t begin,
                            int64_t end);

/* A kernel in memory: arguments in the order tokens, parameters, initial
 * states, position, cu_seqlens, outputs, final states. Initial and final states
 * pair up.
 * A kernel with cu_seqlens is packed: tokens and outputs have the fixed size 1
 * in place of B, which is the number of sequences. With states in place the
 * order is tokens, parameters, states, position, their index if there is one,
 * outputs.
 * Without an entry it runs only on engines that the image has device kernels
 * for. */
typedef struct {
  size_t struct_size;
  const char *name;
  const qdeltaArgument *arguments;
  int64_t num_arguments;
  qdeltaEntry entry;
  /* Since 1.2: see qdeltaKernelGetWork. */
  int64_t work;
  /* Since 1.3: how many segments engine cpu splits each sequence into, if it is
   * more than 1 and there are as many tokens, and the kernels of this image
   * that it takes for that: this one for any number of tokens, NULL if it is
   * that itself; of summaries; of states from summaries; and of the states that
   * are no matrices, NULL if there are none. docs/Spec.md, Summaries. */
  int64_t segments;
  const char *run, *summary, *apply, *advance;
} qdeltaKernelImage;

/* Forms of a kernel's code for a GPU or for the emulator of one. */
typedef enum {
  QDELTA_FORMAT_PTX = 1,      /* text, with or without a final zero byte */
  QDELTA_FORMAT_CUBIN = 2,    /* for exactly its target */
  QDELTA_FORMAT_EMULATED = 3, /* an ELF shared object for the emulator */
  QDELTA_FORMAT_PROGRAM = 4   /* a qdelta::emulator::Program of this process;
                                 code_size is 0, and it must outlive the
                                 module */
} qdeltaFormat;

/* A tensor map over argument number `argument`, a sequence [B, T, H, D] seen as
 * (D, H, T, B), innermost first: boxes of box_columns x 1 x box_rows x 1
 * elements, zeros past the end. `swizzle` has the values of CUtensorMapSwizzle
 * (3: 128 bytes). */
typedef struct {
  size_t struct_size;
  int32_t argument;
  int32_t box_columns;
  int32_t box_rows;
  int32_t swizzle;
} qdeltaTensorMap;

/* One of several device kernels that a launch consists of, in one stream. Its
 * tensors are arguments of the kernel, by number, and from their number on the
 * workspaces; the first num_inputs are read and the others written. */
typedef struct {
  size_t struct_size;
  const char *entry;  /* the symbol */
  int32_t threads;    /* of a CTA */
  int32_t num_inputs; /* of its tensors */
  int64_t blocks;     /* CTAs of a batch entry, value head and run of tokens */
  int64_t tokens;     /* of a run; 0: there is one, of all tokens */
  int64_t shared_bytes; /* dynamic shared memory of a CTA */
  const int32_t *tensors;
  int64_t num_tensors;
  const qdeltaTensorMap *tensor_maps; /* `argument` is a number in tensors */
  int64_t num_tensor_maps;
} qdeltaKernelStep;

/* Code of a kernel for one target. How it is launched and what its parameters
 * are: qdelta/Runtime/DeviceKernel.h. */
typedef struct {
  size_t struct_size;
  const char *kernel; /* the name of one of the image's kernels */
  const char *target; /* "sm_80", "sm_90a" */
  qdeltaFormat format;
  int32_t threads; /* of a CTA */
  const void *code;
  size_t code_size;
  const char *entry;    /* the symbol */
  int64_t columns;      /* value columns that a CTA computes */
  int64_t shared_bytes; /* dynamic shared memory of a CTA */
  const qdeltaTensorMap *tensor_maps;
  int64_t num_tensor_maps;
  /* Since 1.3. If there are steps, they say what threads, columns, shared_bytes
   * and tensor_maps say of a single kernel. Workspaces are sequences that one
   * step makes for another, of sizes B, T, HV and fixed ones; a launch
   * allocates them on its device for as long as it runs. */
  const qdeltaKernelStep *steps;
  int64_t num_steps;
  const qdeltaArgument *workspaces;
  int64_t num_workspaces;
} qdeltaDeviceKernelImage;

/* A compiled module in memory. */
typedef struct {
  size_t struct_size;
  const qdeltaKernelImage *kernels;
  int64_t num_kernels;
  /* Since 1.1. */
  const qdeltaDeviceKernelImage *device_kernels;
  int64_t num_device_kernels;
} qdeltaImage;

/* Stable numbers of errors; QDELTA_ERROR_COUNT is written QD2001, and so on. */
typedef enum {
  QDELTA_OK = 0,
  QDELTA_ERROR_NULL_ARGUMENT = 1001,  /* a handle or pointer is missing */
  QDELTA_ERROR_IMAGE = 1002,          /* an image that is malformed */
  QDELTA_ERROR_STRUCT_SIZE = 1003,    /* a struct smaller than version 1's */
  QDELTA_ERROR_UNKNOWN_KERNEL = 1004, /* no kernel of that name or number */
  QDELTA_ERROR_OPTION = 1005,         /* a launch option out of range */
  QDELTA_ERROR_FILE = 1006,           /* a file that cannot be read */
  QDELTA_ERROR_ARTEFACT = 1007,       /* malformed, damaged or cut short */
  QDELTA_ERROR_TARGET = 1008,         /* no code for the engine or device */
  QDELTA_ERROR_COUNT = 2001,          /* wrong number of tensors */
  QDELTA_ERROR_RANK = 2002,           /* wrong number of dimensions */
  QDELTA_ERROR_HEADS = 2003,          /* HV is not a multiple of H */
  QDELTA_ERROR_SIZE = 2004,           /* a dimension of the wrong size */
  QDELTA_ERROR_DTYPE = 2005,          /* not the kernel's element type */
  QDELTA_ERROR_DEVICE = 2006,         /* not in the engine's memory */
  QDELTA_ERROR_STRIDE = 2007,         /* vectors that are not contiguous */
  QDELTA_ERROR_DATA = 2008,           /* no data, or not aligned */
  QDELTA_ERROR_OVERLAP = 2009,        /* an output on top of another tensor */
  QDELTA_ERROR_OVERFLOW = 2010,       /* sizes whose product passes 2^63 */
  QDELTA_ERROR_TENSOR_MAP = 2011,     /* no tensor map describes the tensor */
  QDELTA_ERROR_CU_SEQLENS = 2012,     /* not where packed sequences can end */
  QDELTA_ERROR_TOKENS = 2013,         /* too many tokens for states in place */
  QDELTA_ERROR_INDEX = 2014,          /* a state index out of range or twice */
  QDELTA_ERROR_POSITION = 2015,       /* negative, or past what levels hold */
  QDELTA_ERROR_DOMAIN = 2016,         /* a value outside its domain */
  QDELTA_ERROR_SHARED_MEMORY = 3001,  /* more than the device has */
  QDELTA_ERROR_DRIVER = 3002,         /* no usable CUDA driver */
  QDELTA_ERROR_CUDA = 3003,           /* the CUDA driver reports an error */
  QDELTA_ERROR_EMULATION = 3004,      /* the emulator reports defects */
  QDELTA_ERROR_OUT_OF_MEMORY = 9001,
  QDELTA_ERROR_THREADS = 9002, /* the system refused to start a thread */
  QDELTA_ERROR_INTERNAL = 9003
} qdeltaErrorCode;

typedef struct qdeltaStatus qdeltaStatus;
typedef struct qdeltaModule qdeltaModule;
typedef struct qdeltaKernel qdeltaKernel;

/* The error's number; QDELTA_OK for NULL. */
qdeltaErrorCode qdeltaStatusGetCode(const qdeltaStatus *status);

/* One line for people, "" for NULL. Lives as long as the status. */
const char *qdeltaStatusGetMessage(const qdeltaStatus *status);

/* {"code": "QD2004", "argument": "v", "message": "..."}; argument is "" when
 * the error is about no argument. With QDELTA_ERROR_EMULATION also "reports",
 * an array of {"kind", "text", "count"}. "{}" for NULL. Lives as long as the
 * status. */
const char *qdeltaStatusGetJson(const qdeltaStatus *status);

/* Frees the status; NULL is fine. */
void qdeltaStatusDestroy(qdeltaStatus *status);

/* Makes a module of an image. The image's description is copied, and so are
 * device kernels; its entry functions are not, so the code behind them must
 * outlive the module. All elements of an array in the image have the same
 * struct_size. */
qdeltaStatus *qdeltaModuleLoad(const qdeltaImage *image, qdeltaModule **module);

/* Makes a module of an artefact (.qda), from a file or from memory. Checksums
 * are verified. CPU code is loaded if this machine can run it; what is missing
 * is an error only when it is launched. The artefact is code: load only what
 * you would run. The bytes are not needed after the call. */
qdeltaStatus *qdeltaModuleLoadFile(const char *path, qdeltaModule **module);
qdeltaStatus *qdeltaModuleLoadMemory(const void *bytes, size_t size,
                                     qdeltaModule **module);

/* What code the module holds, for people: "x86-64-v4 (cpu), sm_80 (PTX,
 * emulated)"; "nothing" for none, "" for NULL. Lives as long as the module. */
const char *qdeltaModuleGetContents(const qdeltaModule *module);

/* Frees the module and its kernels, and ends its threads; NULL is fine. */
void qdeltaModuleDestroy(qdeltaModule *module);

/* 0 for NULL. */
int64_t qdeltaModuleGetNumKernels(const qdeltaModule *module);

/* Kernels live as long as their module. The error of an unknown name lists the
 * known ones. */
qdeltaStatus *qdeltaModuleGetKernel(const qdeltaModule *module, int64_t index,
                                    const qdeltaKernel **kernel);
qdeltaStatus *qdeltaModuleFindKernel(const qdeltaModule *module,
                                     const char *name,
                                     const qdeltaKernel **kernel);

/* NULL for NULL. */
const char *qdeltaKernelGetName(const qdeltaKernel *kernel);

/* 0 for NULL. */
int64_t qdeltaKernelGetNumArguments(const qdeltaKernel *kernel);

/* NULL past the end. */
const qdeltaArgument *qdeltaKernelGetArgument(const qdeltaKernel *kernel,
                                              int64_t index);

/* Floating-point operations that the recurrence cannot do without, a token and
 * value head: 2 K V for each read, write and mix of a state, of one level. 0
 * where nobody said, and for NULL. Since 1.2. */
int64_t qdeltaKernelGetWork(const qdeltaKernel *kernel);

/* Where a kernel runs. */
typedef enum {
  QDELTA_ENGINE_CPU = 0,
  QDELTA_ENGINE_EMULATED = 1, /* a GPU's code on the CPU, with every check */
  QDELTA_ENGINE_CUDA = 2      /* an NVIDIA GPU, through its driver */
} qdeltaEngine;

/* What a launch on the emulator did, over all its CTAs. */
typedef struct {
  size_t struct_size;
  uint64_t bytes_read, bytes_written; /* of device memory */
  uint64_t barriers;                  /* completed phases of bar.sync */
  uint64_t mma, wgmma;                /* mma.sync a warp, wgmma a group */
  uint64_t async_copies, bulk_copies; /* cp.async a thread, TMA copies */
} qdeltaCounts;

/* Fields that struct_size ends before are 0. */
typedef struct {
  size_t struct_size;
  int32_t threads; /* 0: as many as this process may use; at most 1024 */
  /* Since 1.1. */
  int32_t reserved;     /* was padding; ignored */
  void *stream;         /* cuda: a CUstream; NULL: the default stream */
  const char *target;   /* emulated and cuda: only this target's code */
  uint64_t seed;        /* emulated: of random schedules and completions */
  qdeltaEngine engine;  /* QDELTA_ENGINE_CPU by default */
  int32_t schedule;     /* emulated: 0 first in first out, 1 last, 2 random */
  int32_t completion;   /* emulated: async copies 0 late, 1 at once, 2 random */
  int32_t reserved2;    /* ignored */
  qdeltaCounts *counts; /* emulated: filled in if not NULL */
  /* Since 1.3. cpu and emulated: whether to check, before anything runs, that
   * every tensor holds what its argument's domain says; takes about as long as
   * reading all of them once, on one thread. */
  int32_t check_domains;
  int32_t reserved3; /* ignored */
} qdeltaLaunchOptions;

/*
 * Runs a kernel on `count` tensors in the order of its arguments. Outputs and
 * final states are the caller's memory. `options` may be NULL.
 *
 * Tensors have the arguments' element types and are aligned to their size. The
 * elements of a vector (the last dimension of rank 4, or of a parameter of rank
 * 2) are contiguous; on engines emulated and cuda, the last dimension of every
 * tensor is, and addresses and strides of tensors of rank 4 are
 * multiples of the largest of 16, 8 and 4 bytes that divides a row. Other
 * strides are free, and no strides mean row-major; a tensor
 * that the kernel reads through a tensor map is aligned to 16 bytes, and so are
 * its strides, which are positive. Sizes named B, T and HV agree among all
 * tensors, and HV is a multiple of every H. An output or final state may not
 * overlap any tensor, itself included; two views of one buffer are told apart
 * when they repeat at a common distance; a state in place counts as an output.
 * When T = 0 the final states are copies of the initial ones, and states in
 * place stay as they are; so it is for an empty sequence of a packed kernel.
 * cu_seqlens has B + 1 elements: 0, then no smaller ones, then T. A state index
 * has distinct numbers from 0 to N - 1; on engine cuda, where it is in the
 * device's memory, the caller answers for that. All of this is checked before
 * anything runs.
 *
 * Engines cpu and emulated take tensors in the CPU's memory and return when the
 * kernel is done; launches of one module with more than one thread take turns.
 * Engine cuda takes tensors on one CUDA device, and returns when the kernel is
 * in the stream: the tensors' memory must live until it is done. It waits for
 * the stream to read a packed kernel's cu_seqlens.
 */
qdeltaStatus *qdeltaLaunch(const qdeltaKernel *kernel, DLTensor *const *tensors,
                           int64_t count, const qdeltaLaunchOptions *options);

/* Waits for all that is in a stream (NULL: the default one) of a CUDA device.
 */
qdeltaStatus *qdeltaSynchronize(const qdeltaModule *module, int32_t device,
                                void *stream);

#ifdef __cplusplus
}
#endif

#endif /* QDELTA_C_RUNTIME_H */
