//===- SanitizerOptions.cpp - defaults of sanitized executables -----------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

// LLVM's allocators poison what they have not handed out, but only in code that
// was compiled with the sanitizer. Debian's libraries were not, and allocate
// from the same slabs, so that their writes would look like errors.
extern "C" const char *__asan_default_options();
extern "C" const char *__asan_default_options() {
  return "allow_user_poisoning=0:detect_leaks=0";
}
