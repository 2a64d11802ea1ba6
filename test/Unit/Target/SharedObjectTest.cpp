//===- SharedObjectTest.cpp - linking objects -----------------------------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#include "qdelta/Target/SharedObject.h"
#include "qdelta/Target/TargetTable.h"

#include "llvm/AsmParser/Parser.h"
#include "llvm/IR/LLVMContext.h"
#include "llvm/IR/Module.h"
#include "llvm/Support/SourceMgr.h"
#include "gtest/gtest.h"

#include <cstdlib>

using namespace qdelta;

TEST(SharedObject, LinkerIsFound) {
  auto linker = findLinker();
  ASSERT_TRUE(bool(linker)) << llvm::toString(linker.takeError());
}

TEST(SharedObject, NoLinker) {
  std::string path = getenv("PATH");
  setenv("PATH", "/nowhere", 1);
  auto linker = findLinker("/nowhere/bin");
  setenv("PATH", path.c_str(), 1);
  EXPECT_EQ(llvm::toString(linker.takeError()),
            "found no linker: neither ld.lld-22 nor ld.lld is in PATH or "
            "/nowhere/bin; the package is lld-22");
}

TEST(SharedObject, UndefinedSymbol) {
  llvm::LLVMContext context;
  llvm::SMDiagnostic problem;
  auto module =
      llvm::parseAssemblyString("declare void @there_is_no_such_function()\n"
                                "define void @entry() {\n"
                                "  call void @there_is_no_such_function()\n"
                                "  ret void\n}",
                                problem, context);
  auto object = emitHostObject(*module, *findTarget("avx2"), {"entry"});
  ASSERT_TRUE(bool(object)) << llvm::toString(object.takeError());
  auto linked = linkSharedObject(*object);
  ASSERT_FALSE(bool(linked));
  std::string message = llvm::toString(linked.takeError());
  EXPECT_NE(message.find("undefined symbol: there_is_no_such_function"),
            std::string::npos)
      << message;
}

TEST(SharedObject, NotAnObject) {
  auto linked = linkSharedObject("nothing to link");
  ASSERT_FALSE(bool(linked));
  EXPECT_EQ(llvm::toString(linked.takeError()).rfind("cannot link: ", 0), 0u);
}
