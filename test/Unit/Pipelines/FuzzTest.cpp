//===- FuzzTest.cpp - damaged artefacts are errors ------------------------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#include "ScaleKernel.h"

#include "qdelta/Runtime/ArtefactFormat.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/CRC.h"
#include "llvm/Support/FormatVariadic.h"
#include "gtest/gtest.h"

#include <random>

namespace {
/// Damages the bytes in one of many ways.
void damage(std::string &bytes, std::mt19937_64 &random) {
  auto below = [&](size_t end) { return static_cast<size_t>(random() % end); };
  // Half of all damage goes to the first bytes of an entry: header, strings.
  auto position = [&] {
    return below(random() % 2 ? bytes.size()
                              : std::min<size_t>(bytes.size(), 2048));
  };
  switch (below(6)) {
  case 0:
    bytes[position()] ^= static_cast<char>(1 << below(8));
    break;
  case 1:
    bytes[position()] = static_cast<char>(random());
    break;
  case 2:
    bytes.resize(below(bytes.size()));
    break;
  case 3:
    bytes.erase(position(), 1 + below(64));
    break;
  case 4:
    bytes.insert(position(), 1 + below(64), static_cast<char>(random()));
    break;
  default: {
    // A large number where an offset or a size may be.
    size_t at = position() / 8 * 8;
    for (size_t i = at; i < std::min(at + 8, bytes.size()); ++i)
      bytes[i] = static_cast<char>(random() % 2 ? 0xff : random());
  }
  }
}
} // namespace

TEST(Fuzz, TenThousandDamages) {
  auto made = scale::artefact();
  ASSERT_TRUE(bool(made)) << llvm::toString(made.takeError());
  std::mt19937_64 random(1);
  for (int i = 0; i < 10000; ++i) {
    std::string bytes = *made;
    for (size_t count = 1 + random() % 3; count && !bytes.empty(); --count)
      damage(bytes, random);
    qdeltaModule *module = nullptr;
    // On the heap in a block of its own size, so that a sanitizer sees reads
    // past the end.
    std::vector<char> exact(bytes.begin(), bytes.end());
    qdeltaStatus *status = qdeltaModuleLoadMemory(
        exact.empty() ? "" : exact.data(), exact.size(), &module);
    // Every byte counts, so the file is fine only if it is as it was.
    ASSERT_EQ(status == nullptr, bytes == *made) << "case " << i;
    if (status) {
      ASSERT_EQ(qdeltaStatusGetCode(status), QDELTA_ERROR_ARTEFACT);
    }
    qdeltaStatusDestroy(status);
    qdeltaModuleDestroy(module);
  }
}

static void damageDescription(bool hasSteps) {
  // A description that was wrong when it was written. Only PTX, which nothing
  // looks at before a launch.
  using namespace qdelta::runtime::artefact;
  auto code = scale::deviceCode("sm_90a", {true, false, false, false}, true);
  ASSERT_TRUE(bool(code)) << llvm::toString(code.takeError());
  if (hasSteps)
    scale::makeSteps(*code);
  auto made = qdelta::packArtefact(scale::description(), {}, *code);
  ASSERT_TRUE(bool(made)) << llvm::toString(made.takeError());
  size_t checksum = made->find(kChecksumPrefix);
  size_t end = made->find("//"); // where the PTX begins
  ASSERT_NE(end, std::string::npos);
  std::mt19937_64 random(2);
  int fine = 0;
  for (int i = 0; i < 10000; ++i) {
    std::string bytes = *made;
    for (size_t count = 1 + random() % 3; count; --count) {
      static constexpr char likely[] = "0123456789 ,BTHV-\0\xff";
      bytes[random() % end] = random() % 4
                                  ? likely[random() % (sizeof(likely) - 1)]
                                  : static_cast<char>(random());
    }
    bytes.replace(checksum, kNoChecksum.size(), kNoChecksum);
    std::string digits = llvm::formatv(
        "{0:x-8}", llvm::crc32(llvm::arrayRefFromStringRef(bytes)));
    bytes.replace(checksum + kChecksumPrefix.size(), digits.size(), digits);
    std::vector<char> exact(bytes.begin(), bytes.end());
    qdeltaModule *module = nullptr;
    qdeltaStatus *status =
        qdeltaModuleLoadMemory(exact.data(), exact.size(), &module);
    ASSERT_EQ(status == nullptr, module != nullptr);
    fine += !status;
    qdeltaStatusDestroy(status);
    qdeltaModuleDestroy(module);
  }
  // Another producer or threads of 33 are fine.
  EXPECT_GT(fine, 100);
  EXPECT_LT(fine, 9900);
}

TEST(Fuzz, DamagesBelowTheChecksum) { damageDescription(false); }
TEST(Fuzz, DamagesOfSteps) { damageDescription(true); }
