//===- Datum.h - a value while the interpreter runs -------------*- C++ -*-===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#ifndef QDELTA_LIB_REFERENCE_DATUM_H
#define QDELTA_LIB_REFERENCE_DATUM_H

#include "qdelta/Reference/Evaluate.h"

#include <memory>
#include <variant>

namespace qdelta::reference {

/// What an SSA value holds: an integer or index, a scalar, or a tensor or
/// vector of either. The IR's types say which, so accessors do not check.
/// Tensors are shared and copied when written to while shared.
template <typename Scalar>
class Datum {
public:
  using Reals = Tensor<Scalar>;
  using Integers = Tensor<int64_t>;

  Datum() = default;
  explicit Datum(int64_t value) : data(value) {}
  explicit Datum(Scalar value) : data(value) {}
  explicit Datum(Reals value)
      : data(std::make_shared<Reals>(std::move(value))) {}
  explicit Datum(Integers value)
      : data(std::make_shared<Integers>(std::move(value))) {}

  bool isInteger() const { return std::holds_alternative<int64_t>(data); }
  bool isScalar() const { return std::holds_alternative<Scalar>(data); }
  bool isReals() const { return std::holds_alternative<RealsPtr>(data); }
  bool isIntegers() const { return std::holds_alternative<IntegersPtr>(data); }

  int64_t integer() const { return std::get<int64_t>(data); }
  Scalar scalar() const { return std::get<Scalar>(data); }
  const Reals &reals() const { return *std::get<RealsPtr>(data); }
  const Integers &integers() const { return *std::get<IntegersPtr>(data); }
  Reals &mutableReals() { return unshare(std::get<RealsPtr>(data)); }
  Integers &mutableIntegers() { return unshare(std::get<IntegersPtr>(data)); }

  /// The shape of a tensor, empty for a single element.
  const std::vector<int64_t> &shape() const {
    static const std::vector<int64_t> single;
    return isReals() ? reals().shape : isIntegers() ? integers().shape : single;
  }

  /// Calls `f` on the tensor, whichever its element type.
  template <typename F>
  decltype(auto) visitTensor(F f) const {
    return isReals() ? f(reals()) : f(integers());
  }

private:
  using RealsPtr = std::shared_ptr<Reals>;
  using IntegersPtr = std::shared_ptr<Integers>;

  template <typename T>
  static T &unshare(std::shared_ptr<T> &pointer) {
    if (pointer.use_count() > 1)
      pointer = std::make_shared<T>(*pointer);
    return *pointer;
  }

  std::variant<std::monostate, int64_t, Scalar, RealsPtr, IntegersPtr> data;
};

} // namespace qdelta::reference

#endif // QDELTA_LIB_REFERENCE_DATUM_H
