//===- MatrixAccessTest.cpp - ldmatrix, stmatrix, movmatrix ---------------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#include "Harness.h"

using namespace harness;

namespace {
const char *kTile =
    "@tile = internal addrspace(3) global [512 x i8] undef, align 128\n";

/// Fills the tile from %in (four words a thread), runs `body`, ends with
/// stores of %r0.. to %out.
std::string loadKernel(const std::string &body, uint32_t results) {
  std::string text = R"(%t = call i32 @llvm.nvvm.read.ptx.sreg.tid.x()
%o = shl i32 %t, 4
%g = getelementptr i8, ptr addrspace(1) %in, i32 %o
%v = load <4 x i32>, ptr addrspace(1) %g, align 16
%s = getelementptr i8, ptr addrspace(3) @tile, i32 %o
store <4 x i32> %v, ptr addrspace(3) %s, align 16
call void @llvm.nvvm.barrier.cta.sync.aligned.all(i32 0)
)" + body + "\n";
  for (uint32_t i = 0; i < results; ++i) {
    std::string n = std::to_string(i);
    text += "%w" + n + " = mul i32 %t, 4\n%x" + n + " = add i32 %w" + n + ", " +
            n + "\n%y" + n +
            " = getelementptr i32, ptr addrspace(1) %out, i32 %x" + n +
            "\nstore i32 %r" + n + ", ptr addrspace(1) %y" + n + ", align 4\n";
  }
  return text + "ret void\n";
}

/// Four 8 x 8 matrices, one after the other, element = its place.
Array<uint16_t> numbered() {
  Array<uint16_t> in(256);
  for (uint32_t i = 0; i < 256; ++i)
    in[i] = i;
  return in;
}

std::vector<uint32_t> run(const std::string &text) {
  TestKernel kernel = TestKernel::make(
      "ptr addrspace(1) %in, ptr addrspace(1) %out", text, kTile);
  EXPECT_EQ(kernel.error(), "");
  Array<uint16_t> in = numbered();
  Array<uint32_t> out(128, 0xdeadbeef);
  expectClean(kernel.launch(oneBlock(32), {in.buffer("in"), out.buffer("out")},
                            {in.argument(), out.argument()}));
  return out.values;
}

std::string types(uint32_t count, bool inBraces) {
  std::string text;
  for (uint32_t i = 0; i < count; ++i)
    text += i ? ", i32" : "i32";
  return inBraces ? "{ " + text + " }" : text;
}
} // namespace

TEST(MatrixAccess, Load) {
  for (uint32_t count : {1, 2, 4})
    for (bool trans : {false, true}) {
      std::string n = std::to_string(count),
                  type = count == 1 ? "i32" : types(count, true);
      std::string body =
          "%m = call " + type + " @llvm.nvvm.ldmatrix.sync.aligned.m8n8.x" + n +
          (trans ? ".trans" : "") + ".b16.p3(ptr addrspace(3) %s)\n";
      for (uint32_t i = 0; i < count; ++i)
        body += count == 1 ? "%r0 = add i32 %m, 0\n"
                           : "%r" + std::to_string(i) + " = extractvalue " +
                                 type + " %m, " + std::to_string(i) + "\n";
      std::vector<uint32_t> out = run(loadKernel(body, count));
      for (uint32_t lane = 0; lane < 32; ++lane)
        for (uint32_t i = 0; i < count; ++i) {
          // Row lane / 4, columns 2 (lane % 4) and the next, of matrix i.
          uint32_t row = lane / 4, column = 2 * (lane % 4);
          uint32_t low = trans ? 8 * column + row : 8 * row + column;
          uint32_t high = trans ? 8 * (column + 1) + row : 8 * row + column + 1;
          EXPECT_EQ(out[4 * lane + i], (64 * i + low) | (64 * i + high) << 16)
              << count << trans << lane;
        }
    }
}

TEST(MatrixAccess, LoadByInlineAssembly) {
  std::string body = R"(%a = ptrtoint ptr addrspace(3) %s to i32
%m = call { i32, i32 } asm sideeffect "ldmatrix.sync.aligned.m8n8.x2.shared.b16 {$0, $1}, [$2];", "=r,=r,r,~{memory}"(i32 %a)
%r0 = extractvalue { i32, i32 } %m, 0
%r1 = extractvalue { i32, i32 } %m, 1)";
  std::vector<uint32_t> out = run(loadKernel(body, 2));
  EXPECT_EQ(out[0], 0u | 1u << 16);
  EXPECT_EQ(out[4 * 31 + 1], (64u + 62) | (64u + 63) << 16);
}

// A store is the inverse of the load of the same form.
TEST(MatrixAccess, StoreUndoesLoad) {
  for (uint32_t count : {1, 2, 4})
    for (bool trans : {false, true}) {
      std::string n = std::to_string(count),
                  type = count == 1 ? "i32" : types(count, true);
      std::string form = "m8n8.x" + n + (trans ? ".trans" : "") + ".b16.p3";
      std::string body = "%m = call " + type +
                         " @llvm.nvvm.ldmatrix.sync.aligned." + form +
                         "(ptr addrspace(3) %s)\n";
      std::string operands;
      for (uint32_t i = 0; i < count; ++i) {
        body += count == 1 ? "%e0 = add i32 %m, 0\n"
                           : "%e" + std::to_string(i) + " = extractvalue " +
                                 type + " %m, " + std::to_string(i) + "\n";
        // Adding 256 to both halves tells what was stored.
        body += "%f" + std::to_string(i) + " = add i32 %e" + std::to_string(i) +
                ", 16777472\n";
        operands += ", i32 %f" + std::to_string(i);
      }
      body += "call void @llvm.nvvm.bar.warp.sync(i32 -1)\n";
      body += "call void @llvm.nvvm.stmatrix.sync.aligned." + form +
              "(ptr addrspace(3) %s" + operands + ")\n" +
              "call void @llvm.nvvm.bar.warp.sync(i32 -1)\n" +
              "%q = load <4 x i32>, ptr addrspace(3) %s, align 16\n";
      for (uint32_t i = 0; i < 4; ++i)
        body += "%r" + std::to_string(i) +
                " = extractelement <4 x i32> %q, i32 " + std::to_string(i) +
                "\n";
      std::vector<uint32_t> out = run(loadKernel(body, 4));
      for (uint32_t i = 0; i < 128; ++i) {
        uint32_t added = i < 32 * count ? 256 : 0;
        EXPECT_EQ(out[i], (2 * i + added) | (2 * i + 1 + added) << 16)
            << count << trans << i;
      }
    }
}

TEST(MatrixAccess, Move) {
  std::string body = R"(%m = load i32, ptr addrspace(3) %u, align 4
%r0 = call i32 asm sideeffect "movmatrix.sync.aligned.m8n8.trans.b16 $0, $1;", "=r,r"(i32 %m))";
  std::vector<uint32_t> out =
      run(loadKernel("%ot = shl i32 %t, 2\n%u = getelementptr i8, ptr "
                     "addrspace(3) @tile, i32 %ot\n" +
                         body,
                     1));
  for (uint32_t lane = 0; lane < 32; ++lane) {
    uint32_t row = lane / 4, column = 2 * (lane % 4);
    EXPECT_EQ(out[4 * lane], (8 * column + row) | (8 * (column + 1) + row)
                                                      << 16);
  }
}
