//===- GuardedBuffer.cpp - memory that nobody may leave ------------------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#include "GuardedBuffer.h"

#include <algorithm>
#include <new>
#include <sys/mman.h>
#include <unistd.h>
#include <utility>

using namespace qdelta::test;

static constexpr std::byte kPattern{0xA5};

GuardedBuffer::GuardedBuffer(size_t size, Side side) {
  auto page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
  size_t whole = (size + page - 1) / page * page;
  void *start = mmap(nullptr, whole + 2 * page, PROT_NONE,
                     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (start == MAP_FAILED)
    throw std::bad_alloc();
  mapping = {static_cast<std::byte *>(start), whole + 2 * page};
  room = mapping.subspan(page, whole);
  if (whole && mprotect(room.data(), whole, PROT_READ | PROT_WRITE))
    throw std::bad_alloc();
  used = side == Side::Front ? room.first(size) : room.last(size);
  std::ranges::fill(room, kPattern);
}

GuardedBuffer::GuardedBuffer(GuardedBuffer &&other)
    : mapping(std::exchange(other.mapping, {})), room(other.room),
      used(other.used) {}

GuardedBuffer::~GuardedBuffer() {
  if (!mapping.empty())
    munmap(mapping.data(), mapping.size());
}

bool GuardedBuffer::isIntact() const {
  auto isPattern = [](std::byte byte) { return byte == kPattern; };
  auto before = static_cast<size_t>(used.data() - room.data());
  return std::ranges::all_of(room.first(before), isPattern) &&
         std::ranges::all_of(room.subspan(before + used.size()), isPattern);
}
