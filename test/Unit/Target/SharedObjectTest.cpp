//===- SharedObjectTest.cpp - linking objects -----------------------------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#include "qdelta/Target/SharedObject.h"

#include "gtest/gtest.h"

#include <cstdlib>

using namespace qdelta;

TEST(SharedObject, LinkerIsFound) {
  auto linker = findLinker();
  ASSERT_TRUE(bool(linker)) << llvm::toString(linker.takeError());
}

TEST(SharedObject, NotAnObject) {
  auto linked = linkSharedObject("nothing to link");
  ASSERT_FALSE(bool(linked));
  EXPECT_EQ(llvm::toString(linked.takeError()).rfind("cannot link: ", 0), 0u);
}
