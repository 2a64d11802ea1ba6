//===- FailureTest.cpp - exit codes and reproducers ----------------------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#include "data/Failure.h"

#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"

#include "gtest/gtest.h"

#include <new>
#include <stdexcept>

using namespace qdelta::tools;
using llvm::Error;
using llvm::StringRef;

namespace {
struct Outcome {
  int code;
  std::string text;
};

/// Runs a tool that has read the module "module {}".
Outcome run(llvm::function_ref<Error()> rest) {
  char name[] = "tool", option[] = "--chunk=3";
  char *argv[] = {name, option};
  testing::internal::CaptureStderr();
  int code = runTool(2, argv, [&](Reproducer &reproducer) {
    reproducer.setInput("module {}\n");
    return rest();
  });
  return {code, testing::internal::GetCapturedStderr()};
}

/// Expects an error with that code and message, and reads its reproducer.
void expectReproducer(const Outcome &outcome, ExitCode code,
                      const llvm::Twine &message) {
  EXPECT_EQ(outcome.code, code);
  auto [before, after] =
      StringRef(outcome.text).split((message + "; reproducer: ").str());
  StringRef path = after.take_until([](char c) { return c == '\n'; });
  auto file = llvm::MemoryBuffer::getFile(path);
  ASSERT_TRUE(static_cast<bool>(file)) << outcome.text;
  EXPECT_EQ((*file)->getBuffer(), "// tool --chunk=3\nmodule {}\n");
  llvm::sys::fs::remove(path);
}

void expectInternal(const Outcome &outcome, StringRef message) {
  expectReproducer(outcome, InternalError, "internal error: " + message);
}
} // namespace

TEST(Failure, Fine) {
  Outcome outcome = run([] { return Error::success(); });
  EXPECT_EQ(outcome.code, Fine);
  EXPECT_EQ(outcome.text, "");
}

TEST(Failure, OfTheUser) {
  Outcome outcome = run([] { return userError("no such file"); });
  EXPECT_EQ(outcome.code, UserError);
  EXPECT_EQ(outcome.text, "error: no such file\n");
  outcome = run([]() -> Error { throw std::bad_alloc(); });
  EXPECT_EQ(outcome.code, UserError);
  EXPECT_EQ(outcome.text, "error: not enough memory\n");
}

TEST(Failure, Wrong) {
  expectReproducer(
      run([] { return llvm::make_error<Failure>(WrongResult, "wrong"); }),
      WrongResult, "error: wrong");
}

TEST(Failure, Internal) {
  expectInternal(
      run([] { return llvm::make_error<Failure>(InternalError, "odd"); }),
      "odd");
  expectInternal(run([]() -> Error { throw std::logic_error("lost"); }),
                 "lost");
}

TEST(Failure, Crash) {
  expectInternal(run([]() -> Error { std::abort(); }), "the tool crashed");
  // The process goes on, and so does the next tool.
  EXPECT_EQ(run([] { return Error::success(); }).code, Fine);
}
