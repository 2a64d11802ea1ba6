//===- Fiber.cpp - switching stacks on x86-64 -----------------------------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#include "Fiber.h"

#include <cstdint>
#include <new>
#include <sys/mman.h>

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define QDELTA_EMULATOR_ASAN 1
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#endif
#endif

#ifndef __x86_64__
#error "the emulator's fibers are written for x86-64"
#endif

using namespace qdelta::emulator;

extern "C" void qdeltaEmulatorSwitch(void **save, void *to);
extern "C" void qdeltaEmulatorEnter();

// The registers that a call preserves go on the old stack; a stack that has not
// run yet holds a frame of the same shape, whose rbx is the fiber and rbp the
// function to enter.
asm(R"(
.text
.globl qdeltaEmulatorSwitch
.hidden qdeltaEmulatorSwitch
.type qdeltaEmulatorSwitch,@function
qdeltaEmulatorSwitch:
  pushq %rbp
  pushq %rbx
  pushq %r12
  pushq %r13
  pushq %r14
  pushq %r15
  movq %rsp, (%rdi)
  movq %rsi, %rsp
  popq %r15
  popq %r14
  popq %r13
  popq %r12
  popq %rbx
  popq %rbp
  ret
.size qdeltaEmulatorSwitch,.-qdeltaEmulatorSwitch

.globl qdeltaEmulatorEnter
.hidden qdeltaEmulatorEnter
.type qdeltaEmulatorEnter,@function
qdeltaEmulatorEnter:
  movq %rbx, %rdi
  callq *%rbp
  ud2
.size qdeltaEmulatorEnter,.-qdeltaEmulatorEnter
)");

static constexpr size_t kGuardBytes = 4096;

Fiber::~Fiber() {
  if (mapping)
    munmap(mapping, kStackBytes + kGuardBytes);
}

void Fiber::start(Body body, void *argument) {
  if (!mapping) {
    void *pages =
        mmap(nullptr, kStackBytes + kGuardBytes, PROT_READ | PROT_WRITE,
             MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (pages == MAP_FAILED)
      throw std::bad_alloc();
    mapping = static_cast<char *>(pages);
    mprotect(mapping, kGuardBytes, PROT_NONE);
    bottom = mapping + kGuardBytes;
    bytes = kStackBytes;
  }
#ifdef QDELTA_EMULATOR_ASAN
  // Frames that were abandoned left their red zones behind.
  ASAN_UNPOISON_MEMORY_REGION(bottom, bytes);
  fakeStack = nullptr;
#endif
  this->body = body;
  this->argument = argument;
  auto *top = reinterpret_cast<uint64_t *>(mapping + kGuardBytes + kStackBytes);
  // Two words, so that the stack is aligned where `enter` is called.
  *--top = 0;
  *--top = 0;
  *--top = reinterpret_cast<uint64_t>(&qdeltaEmulatorEnter);
  *--top = reinterpret_cast<uint64_t>(&Fiber::enter); // rbp
  *--top = reinterpret_cast<uint64_t>(this);          // rbx
  for (int i = 0; i < 4; ++i)                         // r12 to r15
    *--top = 0;
  stackPointer = top;
}

void Fiber::enter(Fiber *self) {
#ifdef QDELTA_EMULATOR_ASAN
  __sanitizer_finish_switch_fiber(nullptr, &self->previous->bottom,
                                  &self->previous->bytes);
#endif
  self->body(self->argument);
}

void Fiber::switchTo(Fiber &from, Fiber &to, bool ends) {
  to.previous = &from;
#ifdef QDELTA_EMULATOR_ASAN
  __sanitizer_start_switch_fiber(ends ? nullptr : &from.fakeStack, to.bottom,
                                 to.bytes);
#endif
  qdeltaEmulatorSwitch(&from.stackPointer, to.stackPointer);
#ifdef QDELTA_EMULATOR_ASAN
  __sanitizer_finish_switch_fiber(from.fakeStack, &from.previous->bottom,
                                  &from.previous->bytes);
#endif
}

bool Fiber::holds(const void *address) const {
  auto *byte = static_cast<const char *>(address);
  return mapping && byte >= mapping &&
         byte < mapping + kGuardBytes + kStackBytes;
}
