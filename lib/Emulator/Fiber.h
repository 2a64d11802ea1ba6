//===- Fiber.h - user-level threads ------------------------------*- C++ -*-==//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#ifndef QDELTA_EMULATOR_FIBER_H
#define QDELTA_EMULATOR_FIBER_H

#include <cstddef>

namespace qdelta::emulator {

/// A stack of its own and a place to go on from. Switching costs a few
/// nanoseconds: no system call, no signal mask.
class Fiber {
public:
  /// Runs on a fresh stack; must never return.
  using Body = void (*)(void *argument);

  Fiber() = default;
  Fiber(const Fiber &) = delete;
  ~Fiber();

  /// Makes the next switch to this fiber call `body`. Whatever the fiber was
  /// doing is abandoned, without unwinding.
  void start(Body body, void *argument);

  /// Goes on with `to`; returns when something switches back to `from`. A fiber
  /// without a stack stands for the thread of the operating system. With
  /// `ends`, `from` is never switched to again.
  static void switchTo(Fiber &from, Fiber &to, bool ends = false);

  /// Whether `address` is on the stack.
  bool holds(const void *address) const;

  static constexpr size_t kStackBytes = 256 * 1024;

private:
  static void enter(Fiber *self);

  void *stackPointer = nullptr;
  char *mapping = nullptr;
  Body body = nullptr;
  void *argument = nullptr;
  /// What AddressSanitizer keeps of a stack; unused without it.
  [[maybe_unused]] void *fakeStack = nullptr;
  const void *bottom = nullptr;
  size_t bytes = 0;
  Fiber *previous = nullptr;
};

} // namespace qdelta::emulator

#endif // QDELTA_EMULATOR_FIBER_H
