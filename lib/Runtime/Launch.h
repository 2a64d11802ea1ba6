//===- Launch.h - the tensors of one launch ---------------------*- C++ -*-===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#ifndef QDELTA_LIB_RUNTIME_LAUNCH_H
#define QDELTA_LIB_RUNTIME_LAUNCH_H

#include "Module.h"
#include "TensorView.h"

namespace qdelta::runtime {

/// The tensors of one launch, checked against each other.
class Launch {
public:
  qdeltaStatus *check(const qdeltaKernel &kernel, DLTensor *const *tensors,
                      int64_t count, qdeltaEngine engine);

  /// Checks what tensors in the CPU's memory hold against their domains.
  qdeltaStatus *checkDomains() const;

  /// Runs the CPU code.
  void run(const qdeltaKernel &kernel, int32_t threads) const;
  /// For no tokens: copies the initial states to the final ones.
  void copyStates() const;

  /// Runs the code of a device, or copies the states on it.
  qdeltaStatus *runOnDevice(DeviceRun &run) const;

  int64_t batch() const { return shared[-QDELTA_DIM_BATCH].size; }
  int64_t time() const { return shared[-QDELTA_DIM_TIME].size; }
  int64_t valueHeads() const { return shared[-QDELTA_DIM_VALUE_HEADS].size; }
  /// B * HV.
  int64_t items = 0;
  /// Whether sequences are empty, so that states only pass through.
  bool hasNoTokens() const;
  /// The device that all tensors are on.
  int32_t device = 0;

private:
  qdeltaStatus *bindSizes();
  qdeltaStatus *checkHeads() const;
  qdeltaStatus *checkOverlap() const;
  qdeltaStatus *checkDevices(DLTensor *const *tensors);
  qdeltaStatus *countItems();
  qdeltaStatus *checkTokens(const qdeltaKernel &kernel) const;
  qdeltaStatus *checkLevels() const;
  /// How many tokens a sequence may have, those before it included.
  int64_t mostTokens() const;
  /// Checks what a position holds, if there is one.
  qdeltaStatus *checkPosition() const;
  qdeltaStatus *bindLevelHeads();
  qdeltaStatus *checkIndex() const;
  qdeltaStatus *countSequences();
  /// Checks what cu_seqlens holds, if there is one; the second, on a device.
  qdeltaStatus *checkSequences() const;
  qdeltaStatus *checkSequencesOn(DeviceRun &run) const;
  qdeltaStatus *checkBounds(const char *data, int64_t stride) const;
  /// The number of tokens of sequence `batch`; cu_seqlens is in CPU memory.
  int64_t lengthOf(int64_t batch) const;

  /// Final states and the initial ones that they pair up with.
  std::vector<std::pair<const TensorView *, const TensorView *>> states() const;
  int64_t countBlocks(const DeviceStep &step) const;
  qdeltaStatus *addWorkspaces(DeviceRun &run,
                              std::vector<TensorView> &tensors) const;
  qdeltaStatus *pack(DeviceRun &run, const DeviceStep &step,
                     const std::vector<TensorView> &tensors,
                     PackedLaunch &packed) const;
  qdeltaStatus *copyStatesOn(DeviceRun &run) const;

  /// A launch decides these sizes once; `owner` is the tensor that did.
  struct SharedSize {
    int64_t size = 0;
    const qdeltaArgument *owner = nullptr;
  };

  std::vector<TensorView> views;
  /// Of a packed kernel, else null.
  const TensorView *cuSeqlens = nullptr;
  /// Indexed by minus QDELTA_DIM_*: B, T, HV, N, L and HV L.
  SharedSize shared[9];
};

/// What dimension `d` of an argument is, also if the kernel fixes its size: a
/// QDELTA_DIM_*, or 0 for a vector's own dimensions.
int64_t meaningOf(const qdeltaArgument &argument, int32_t d);

} // namespace qdelta::runtime

#endif // QDELTA_LIB_RUNTIME_LAUNCH_H
