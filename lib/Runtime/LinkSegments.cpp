//===- LinkSegments.cpp - whether a kernel's segments can be run ----------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#include "Segments.h"
#include "Status.h"

#include "qdelta/Runtime/ArtefactFormat.h"

#include <algorithm>

using namespace qdelta::runtime;

namespace {
bool isMatrix(const qdeltaArgument &argument) { return argument.rank == 4; }

/// Whether two arguments take the same tensors.
bool areAlike(const qdeltaArgument &a, const qdeltaArgument &b) {
  return a.role == b.role && a.rank == b.rank && a.dtype.code == b.dtype.code &&
         a.dtype.bits == b.dtype.bits &&
         std::equal(a.shape, a.shape + a.rank, b.shape);
}

const qdeltaArgument *findInput(const qdeltaKernel &kernel, const char *name) {
  for (const qdeltaArgument &argument : kernel.arguments)
    if (std::string(argument.name) == name &&
        (argument.role == QDELTA_ROLE_TOKEN ||
         argument.role == QDELTA_ROLE_PARAM))
      return &argument;
  return nullptr;
}

/// The matrix state of a kernel with segments.
const qdeltaArgument *matrixOf(const qdeltaKernel &kernel) {
  const qdeltaArgument *found = nullptr;
  for (const qdeltaArgument *state :
       argumentsOf(kernel, QDELTA_ROLE_INITIAL_STATE))
    if (isMatrix(*state)) {
      if (found)
        return nullptr;
      found = state;
    }
  return found;
}

/// What `kernel` needs of `other` to give it its own inputs: they are some of
/// them, and its states are `states`.
bool takesInputsOf(const qdeltaKernel &other, const qdeltaKernel &kernel,
                   const std::vector<const qdeltaArgument *> &states) {
  for (const qdeltaArgument &argument : other.arguments) {
    if (argument.role == QDELTA_ROLE_INITIAL_STATE ||
        argument.role == QDELTA_ROLE_FINAL_STATE)
      continue;
    const qdeltaArgument *own = findInput(kernel, argument.name);
    if (!own || !areAlike(*own, argument))
      return false;
  }
  auto found = argumentsOf(other, QDELTA_ROLE_INITIAL_STATE);
  return other.entry &&
         std::equal(found.begin(), found.end(), states.begin(), states.end(),
                    [](auto *a, auto *b) { return areAlike(*a, *b); });
}

/// Whether `run` takes whatever `kernel` does.
bool runsAs(const qdeltaKernel &run, const qdeltaKernel &kernel) {
  return run.entry &&
         std::equal(run.arguments.begin(), run.arguments.end(),
                    kernel.arguments.begin(), kernel.arguments.end(),
                    [](const qdeltaArgument &a, const qdeltaArgument &b) {
                      qdeltaArgument sized = b;
                      for (int32_t d = 0; d < a.rank && d < b.rank; ++d)
                        if (a.shape[d] < 0)
                          sized.shape[d] = a.shape[d];
                      return std::string(a.name) == b.name &&
                             areAlike(a, sized);
                    });
}

/// Whether a kernel is P S + Q, row by row.
bool appliesTo(const qdeltaKernel &kernel, const qdeltaArgument &state) {
  if (!kernel.entry || kernel.arguments.size() != 5)
    return false;
  static constexpr qdeltaRole roles[] = {
      QDELTA_ROLE_TOKEN, QDELTA_ROLE_TOKEN, QDELTA_ROLE_INITIAL_STATE,
      QDELTA_ROLE_OUTPUT, QDELTA_ROLE_FINAL_STATE};
  const int64_t columns[] = {state.shape[2], state.shape[3], state.shape[3],
                             state.shape[3], state.shape[3]};
  for (size_t i = 0; i < 5; ++i) {
    const qdeltaArgument &argument = kernel.arguments[i];
    bool isState = i == 2 || i == 4;
    if (argument.role != roles[i] || argument.rank != 4 ||
        argument.dtype.code != state.dtype.code ||
        argument.dtype.bits != state.dtype.bits || argument.shape[0] >= 0 ||
        argument.shape[isState ? 1 : 2] >= 0 ||
        argument.shape[3] != columns[i] ||
        argument.shape[isState ? 2 : 1] !=
            (isState ? state.shape[2] : int64_t(QDELTA_DIM_TIME)))
      return false;
  }
  return true;
}

qdeltaStatus *doesNotFit(const qdeltaKernel &kernel, const std::string &what) {
  return makeStatus(QDELTA_ERROR_IMAGE, "",
                    "expected kernel " + kernel.name +
                        ", which has segments, to " + what);
}
} // namespace

qdeltaStatus *
qdelta::runtime::linkSegments(qdeltaKernel &kernel,
                              const std::vector<qdeltaKernel> &kernels,
                              const qdeltaKernelImage &image) {
  constexpr int64_t mostSegments = artefact::kMaxSegments;
  auto find = [&](const char *name) -> const qdeltaKernel * {
    for (const qdeltaKernel &known : kernels)
      if (name && known.name == name)
        return &known;
    return nullptr;
  };
  if (kernel.segments > mostSegments)
    return doesNotFit(kernel, "have at most " + std::to_string(mostSegments) +
                                  ", but got " +
                                  std::to_string(kernel.segments));
  kernel.run = image.run ? find(image.run) : &kernel;
  if (!kernel.run || !runsAs(*kernel.run, kernel))
    return doesNotFit(kernel, "name a kernel of its own arguments");
  const qdeltaArgument *state = matrixOf(*kernel.run);
  if (!state || state->shape[2] < 0 || state->shape[3] < 0)
    return doesNotFit(kernel, "have one matrix state of fixed K and V");
  for (const qdeltaArgument &argument : kernel.run->arguments) {
    if (argument.role == QDELTA_ROLE_CU_SEQLENS)
      return doesNotFit(kernel, "take sequences of one length");
    if (isSequence(argument) && argument.shape[1] != QDELTA_DIM_TIME)
      return doesNotFit(kernel, "run for any number of tokens");
  }
  kernel.summary = find(image.summary);
  kernel.apply = find(image.apply);
  kernel.advance = find(image.advance);
  qdeltaArgument transition = *state;
  transition.shape[3] = transition.shape[2];
  std::vector<const qdeltaArgument *> all, vectors;
  for (const qdeltaArgument *own :
       argumentsOf(*kernel.run, QDELTA_ROLE_INITIAL_STATE)) {
    if (own == state)
      all.push_back(&transition);
    else
      vectors.push_back(own);
    all.push_back(own);
  }
  if (!kernel.summary || !takesInputsOf(*kernel.summary, *kernel.run, all))
    return doesNotFit(kernel, "name a kernel of summaries of its inputs");
  if (!kernel.apply || !appliesTo(*kernel.apply, *state))
    return doesNotFit(kernel, "name a kernel that applies summaries");
  if (!vectors.empty() &&
      (!kernel.advance ||
       !takesInputsOf(*kernel.advance, *kernel.run, vectors)))
    return doesNotFit(kernel, "name a kernel of its other states");
  return nullptr;
}
