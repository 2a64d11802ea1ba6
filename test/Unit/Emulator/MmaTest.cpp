//===- MmaTest.cpp - mma.sync against plain products ----------------------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#include "Harness.h"

#include <cstring>

using namespace harness;

namespace {
enum class Type { BF16, F16, TF32 };

uint32_t floatBits(float value) {
  uint32_t bits;
  std::memcpy(&bits, &value, 4);
  return bits;
}

uint16_t halfBits(Type type, float value) {
  return type == Type::BF16 ? bf16Bits(value) : f16Bits(value);
}

/// Registers of A and B as the PTX manual lays them out, and the product.
struct Problem {
  Type type;
  uint32_t k;
  float a[16][16], b[16][8], c[16][8];

  Problem(Type type, uint32_t k) : type(type), k(k) {
    for (uint32_t i = 0; i < 16; ++i)
      for (uint32_t j = 0; j < 16; ++j)
        a[i][j] = smallNumber(16 * i + j);
    for (uint32_t i = 0; i < 16; ++i)
      for (uint32_t j = 0; j < 8; ++j) {
        b[i][j] = smallNumber(1000 + 8 * i + j);
        c[i][j] = smallNumber(2000 + 8 * i + j);
      }
  }

  uint32_t registersA() const { return type == Type::TF32 ? k / 2 : k / 4; }
  uint32_t registersB() const { return registersA() / 2; }

  std::vector<uint32_t> wordsA() const {
    std::vector<uint32_t> words;
    for (uint32_t lane = 0; lane < 32; ++lane) {
      uint32_t group = lane >> 2, inGroup = lane & 3;
      if (type == Type::TF32) {
        words.push_back(floatBits(a[group][inGroup]));
        words.push_back(floatBits(a[group + 8][inGroup]));
        if (k == 8) {
          words.push_back(floatBits(a[group][inGroup + 4]));
          words.push_back(floatBits(a[group + 8][inGroup + 4]));
        }
        continue;
      }
      // Elements a0 to a7 (a3 for k 8), two to a register.
      for (uint32_t i = 0; i < k / 2; i += 2) {
        uint32_t word = 0;
        for (uint32_t h = 0; h < 2; ++h) {
          uint32_t e = i + h;
          bool upper = e < 2 || (e >= 4 && e < 6);
          uint32_t row = upper ? group : group + 8;
          uint32_t column = inGroup * 2 + (e & 1) + (e >= 4 ? 8 : 0);
          word |= uint32_t(halfBits(type, a[row][column])) << (16 * h);
        }
        words.push_back(word);
      }
    }
    return words;
  }

  std::vector<uint32_t> wordsB() const {
    std::vector<uint32_t> words;
    for (uint32_t lane = 0; lane < 32; ++lane) {
      uint32_t group = lane >> 2, inGroup = lane & 3;
      if (type == Type::TF32) {
        for (uint32_t row = inGroup; row < k; row += 4)
          words.push_back(floatBits(b[row][group]));
        continue;
      }
      for (uint32_t i = 0; i < k / 4; i += 2) {
        uint32_t row = inGroup * 2 + (i >= 2 ? 8 : 0);
        words.push_back(halfBits(type, b[row][group]) |
                        uint32_t(halfBits(type, b[row + 1][group])) << 16);
      }
    }
    return words;
  }

  float product(uint32_t i, uint32_t j) const {
    float sum = c[i][j];
    for (uint32_t l = 0; l < k; ++l)
      sum += a[i][l] * b[l][j];
    return sum;
  }
};

std::string operationText(const Problem &p, const std::string &call) {
  std::string text = "%t = call i32 @llvm.nvvm.read.ptx.sreg.tid.x()\n";
  std::string type = p.type == Type::F16 ? "<2 x half>" : "i32";
  auto load = [&](const char *name, uint32_t count, const std::string &of) {
    text += "%o" + std::string(name) + " = mul i32 %t, " +
            std::to_string(count) + "\n";
    for (uint32_t i = 0; i < count; ++i) {
      std::string n = name + std::to_string(i);
      text += "%i" + n + " = add i32 %o" + name + ", " + std::to_string(i) +
              "\n%p" + n + " = getelementptr i32, ptr addrspace(1) %" + name +
              ", i32 %i" + n + "\n%" + n + " = load " + of +
              ", ptr addrspace(1) %p" + n + ", align 4\n";
    }
  };
  load("a", p.registersA(), type);
  load("b", p.registersB(), type);
  load("d", 4, "float");
  text += call + "\n";
  for (uint32_t i = 0; i < 4; ++i) {
    std::string n = std::to_string(i);
    text += "%e" + n + " = extractvalue { float, float, float, float } %e, " +
            n + "\nstore float %e" + n + ", ptr addrspace(1) %pd" + n +
            ", align 4\n";
  }
  return text + "ret void\n";
}

void check(const Problem &p, const std::string &call) {
  TestKernel kernel = TestKernel::make(
      "ptr addrspace(1) %a, ptr addrspace(1) %b, ptr addrspace(1) %d",
      operationText(p, call));
  ASSERT_EQ(kernel.error(), "");
  Array<uint32_t> a(0), b(0);
  a.values = p.wordsA();
  b.values = p.wordsB();
  a.pointer = a.values.data();
  b.pointer = b.values.data();
  Array<float> d(128);
  auto place = [](uint32_t lane, uint32_t i) {
    return std::pair(lane / 4 + (i < 2 ? 0 : 8), lane % 4 * 2 + (i & 1));
  };
  for (uint32_t lane = 0; lane < 32; ++lane)
    for (uint32_t i = 0; i < 4; ++i) {
      auto [row, column] = place(lane, i);
      d[4 * lane + i] = p.c[row][column];
    }
  Outcome outcome =
      kernel.launch(oneBlock(32), {a.buffer("a"), b.buffer("b"), d.buffer("d")},
                    {a.argument(), b.argument(), d.argument()});
  expectClean(outcome);
  EXPECT_EQ(outcome.counts.mma, 1u);
  for (uint32_t lane = 0; lane < 32; ++lane)
    for (uint32_t i = 0; i < 4; ++i) {
      auto [row, column] = place(lane, i);
      EXPECT_EQ(d[4 * lane + i], p.product(row, column))
          << row << " " << column;
    }
}

std::string intrinsic(const Problem &p, const std::string &name) {
  std::string type = p.type == Type::F16 ? "<2 x half> %" : "i32 %";
  std::string text =
      "%e = call { float, float, float, float } @llvm.nvvm.mma." + name + "(";
  for (uint32_t i = 0; i < p.registersA(); ++i)
    text += type + "a" + std::to_string(i) + ", ";
  for (uint32_t i = 0; i < p.registersB(); ++i)
    text += type + "b" + std::to_string(i) + ", ";
  return text + "float %d0, float %d1, float %d2, float %d3)";
}
} // namespace

TEST(Mma, BF16k16) {
  Problem p(Type::BF16, 16);
  check(p, intrinsic(p, "m16n8k16.row.col.bf16"));
}
TEST(Mma, BF16k8) {
  Problem p(Type::BF16, 8);
  check(p, intrinsic(p, "m16n8k8.row.col.bf16"));
}
TEST(Mma, F16k16) {
  Problem p(Type::F16, 16);
  check(p, intrinsic(p, "m16n8k16.row.col.f32.f32"));
}
TEST(Mma, F16k8) {
  Problem p(Type::F16, 8);
  check(p, intrinsic(p, "m16n8k8.row.col.f32.f32"));
}
TEST(Mma, TF32k8) {
  Problem p(Type::TF32, 8);
  check(p, intrinsic(p, "m16n8k8.row.col.tf32"));
}
TEST(Mma, TF32k4) {
  Problem p(Type::TF32, 4);
  check(p, intrinsic(p, "m16n8k4.row.col.tf32"));
}

// Accumulators are tied; the ones that are read may stand before or after.
TEST(Mma, InlineAssembly) {
  Problem p(Type::BF16, 16);
  for (bool tiedFirst : {true, false})
    check(p,
          std::string("%e = call { float, float, float, float } asm \"mma.sync"
                      ".aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {$0, $1, "
                      "$2, $3}, {") +
              (tiedFirst ? "$8, $9, $10, $11}, {$12, $13}"
                         : "$4, $5, $6, $7}, {$8, $9}") +
              ", {$0, $1, $2, $3};\", \"=f,=f,=f,=f," +
              (tiedFirst ? "0,1,2,3,r,r,r,r,r,r\"(float %d0, float %d1, float "
                           "%d2, float %d3, i32 %a0, i32 %a1, i32 %a2, i32 "
                           "%a3, i32 %b0, i32 %b1)"
                         : "r,r,r,r,r,r,0,1,2,3\"(i32 %a0, i32 %a1, i32 %a2, "
                           "i32 %a3, i32 %b0, i32 %b1, float %d0, float %d1, "
                           "float %d2, float %d3)"));
}

// Tensor cores read 10 fraction bits of a tf32 operand.
TEST(Mma, TF32DropsLowerBits) {
  Problem p(Type::TF32, 8), rounded(Type::TF32, 8);
  for (auto &row : p.a)
    for (float &x : row)
      x += 0x1p-20f;
  TestKernel kernel = TestKernel::make(
      "ptr addrspace(1) %a, ptr addrspace(1) %b, ptr addrspace(1) %d",
      operationText(p, intrinsic(p, "m16n8k8.row.col.tf32")));
  Array<uint32_t> a(0), b(0);
  a.values = p.wordsA();
  b.values = p.wordsB();
  a.pointer = a.values.data();
  b.pointer = b.values.data();
  Array<float> d(128, 0.0f);
  expectClean(kernel.launch(oneBlock(32),
                            {a.buffer("a"), b.buffer("b"), d.buffer("d")},
                            {a.argument(), b.argument(), d.argument()}));
  // Row 0, column 0: positive numbers lose the addition, negative ones become
  // the next larger number in size or stay, all within one tf32 step.
  float exact = 0;
  for (uint32_t l = 0; l < 8; ++l) {
    uint32_t bits = floatBits(p.a[0][l]) & 0xffffe000;
    float x;
    std::memcpy(&x, &bits, 4);
    exact += x * p.b[l][0];
  }
  EXPECT_EQ(d[0], exact);
}
