//===- WgmmaTest.cpp - wgmma against plain products -----------------------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#include "Harness.h"

#include <cstring>

using namespace harness;

namespace {
enum class Type { BF16, F16, TF32 };
/// Bits 62 and 63 of a descriptor.
enum Layout : uint64_t { kPlain = 0, kB128 = 1, kB64 = 2, kB32 = 3 };

struct Operand {
  Layout layout = kB128;
  /// Stored along mn rather than along k.
  bool transposed = false;
};

/// A tile as TMA would write it with this swizzle, or, plain, as 8 x 16 byte
/// cores one after the other. Elements are placed row by row, a row of `span`
/// bytes; 16-byte units of row r change places by the number of the row.
class Tile {
public:
  Tile(Type type, Operand form, uint32_t extent)
      : bytes(type == Type::TF32 ? 4 : 2), depth(32 / bytes), extent(extent),
        form(form), type(type) {}

  uint32_t span() const {
    return form.layout == kB128 ? 128 : form.layout == kB64 ? 64 : 32;
  }

  /// The offset of element (mn, k).
  uint32_t offset(uint32_t mn, uint32_t k) const {
    uint32_t row = form.transposed ? k : mn;
    uint32_t along = (form.transposed ? mn : k) * bytes;
    if (form.layout == kPlain) {
      // Core matrices of 128 bytes, first those along the row.
      uint32_t coresInRow = (form.transposed ? extent : depth) * bytes / 16;
      return (row / 8 * coresInRow + along / 16) * 128 + row % 8 * 16 +
             along % 16;
    }
    // Boxes of one span in width and all rows.
    uint32_t rows = form.transposed ? depth : extent;
    uint32_t box = along / span(), unit = along % span() / 16;
    // What the swizzles are documented as: of 8 rows of 128 bytes, of 8 rows of
    // 64 in which pairs of rows share a pattern, of 32 in which four do.
    uint32_t pattern = form.layout == kB128  ? row % 8
                       : form.layout == kB64 ? row / 2 % 4
                                             : row / 4 % 2;
    return box * rows * span() + row * span() + (unit ^ pattern) * 16 +
           along % 16;
  }
  uint32_t size() const {
    return extent * 32 *
           (form.transposed || form.layout == kPlain ? 1 : span() / 32);
  }

  uint64_t descriptor(uint32_t start) const {
    uint64_t leading, stride;
    if (form.layout == kPlain) {
      uint32_t nextUnit = 128;
      uint32_t nextRows = (form.transposed ? extent : depth) * bytes / 16 * 128;
      leading = form.transposed ? nextRows : nextUnit;
      stride = form.transposed ? nextUnit : nextRows;
    } else {
      leading = form.transposed ? depth * span() : 16;
      stride = 8 * span();
    }
    return start >> 4 | leading >> 4 << 16 | stride >> 4 << 32 |
           uint64_t(form.layout) << 62;
  }

  template <typename Element>
  void fill(uint8_t *image, Element element) const {
    for (uint32_t mn = 0; mn < extent; ++mn)
      for (uint32_t k = 0; k < depth; ++k) {
        float value = element(mn, k);
        uint16_t half = type == Type::BF16 ? bf16Bits(value) : f16Bits(value);
        std::memcpy(image + offset(mn, k), bytes == 4 ? (void *)&value : &half,
                    bytes);
      }
  }

  uint32_t bytes, depth, extent;
  Operand form;
  Type type;
};

float elementA(uint32_t m, uint32_t k) { return smallNumber(64 * k + m); }
float elementB(uint32_t n, uint32_t k) {
  return smallNumber(5000 + 256 * k + n);
}

std::string repeat(uint32_t from, uint32_t count, const std::string &before) {
  std::string text;
  for (uint32_t i = 0; i < count; ++i)
    text += (i ? ", " : "") + before + std::to_string(from + i);
  return text;
}

/// Copies the image, multiplies, stores the accumulators.
std::string kernelText(Type type, uint32_t n, bool registersA, bool ta, bool tb,
                       const std::string &scales) {
  uint32_t d = n / 2;
  std::string name = type == Type::BF16  ? "bf16"
                     : type == Type::F16 ? "f16"
                                         : "tf32";
  std::string text = R"(%t = call i32 @llvm.nvvm.read.ptx.sreg.tid.x()
%start = shl i32 %t, 4
br label %head
head:
%i = phi i32 [ %start, %0 ], [ %next, %copy ]
%more = icmp ult i32 %i, %bytes
br i1 %more, label %copy, label %done
copy:
%g = getelementptr i8, ptr addrspace(1) %image, i32 %i
%v = load <4 x i32>, ptr addrspace(1) %g, align 16
%s = getelementptr i8, ptr addrspace(3) @sm, i32 %i
store <4 x i32> %v, ptr addrspace(3) %s, align 16
%next = add i32 %i, 2048
br label %head
done:
call void @llvm.nvvm.fence.proxy.async.shared_cta()
call void @llvm.nvvm.barrier.cta.sync.aligned.all(i32 0)
%base = ptrtoint ptr addrspace(3) @sm to i64
%low = and i64 %base, 262143
%units = lshr i64 %low, 4
%da = add i64 %units, %descA
%db = add i64 %units, %descB
%o4 = shl i32 %t, 2
)";
  for (uint32_t i = 0; i < 4; ++i) {
    std::string k = std::to_string(i);
    text += "%ia" + k + " = add i32 %o4, " + k + "\n%pa" + k +
            " = getelementptr i32, ptr addrspace(1) %regs, i32 %ia" + k +
            "\n%a" + k + " = load i32, ptr addrspace(1) %pa" + k +
            ", align 4\n";
  }
  text += "%od = mul i32 %t, " + std::to_string(d) + "\n";
  for (uint32_t i = 0; i < d; ++i) {
    std::string k = std::to_string(i);
    text += "%id" + k + " = add i32 %od, " + k + "\n%pd" + k +
            " = getelementptr float, ptr addrspace(1) %out, i32 %id" + k +
            "\n%d" + k + " = load float, ptr addrspace(1) %pd" + k +
            ", align 4\n";
  }
  text += "call void @llvm.nvvm.wgmma.fence.sync.aligned()\n";
  std::string types = "{ " + [&] {
    std::string s;
    for (uint32_t i = 0; i < d; ++i)
      s += i ? ", float" : "float";
    return s;
  }() + " }";
  uint32_t next = registersA ? d + 4 : d + 1;
  std::string shape =
      "m64n" + std::to_string(n) + (type == Type::TF32 ? "k8" : "k16");
  std::string transposes =
      type == Type::TF32 ? ""
      : registersA ? (tb ? ", 1" : ", 0")
                   : std::string(ta ? ", 1" : ", 0") + (tb ? ", 1" : ", 0");
  text +=
      "%e = call " + types +
      " asm sideeffect \"{\\0A.reg .pred p;\\0Asetp.ne.b32 p, $" +
      std::to_string(next + 1) + ", 0;\\0Awgmma.mma_async.sync.aligned." +
      shape + ".f32." + name + "." + name + " {" + repeat(0, d, "$") + "}, " +
      (registersA ? "{" + repeat(d, 4, "$") + "}" : "$" + std::to_string(d)) +
      ", $" + std::to_string(next) + ", p, " + scales + transposes +
      ";\\0A}\\0A\", \"";
  for (uint32_t i = 0; i < d; ++i)
    text += "=f,";
  text += (registersA ? "r,r,r,r,l,r" : "l,l,r");
  for (uint32_t i = 0; i < d; ++i)
    text += "," + std::to_string(i);
  text += "\"(" +
          (registersA ? repeat(0, 4, "i32 %a") : std::string("i64 %da")) +
          ", i64 %db, i32 %scale, " + repeat(0, d, "float %d") + ")\n";
  text += "call void @llvm.nvvm.wgmma.commit_group.sync.aligned()\n"
          "call void @llvm.nvvm.wgmma.wait_group.sync.aligned(i64 0)\n";
  for (uint32_t i = 0; i < d; ++i) {
    std::string k = std::to_string(i);
    text += "%e" + k + " = extractvalue " + types + " %e, " + k +
            "\nstore float %e" + k + ", ptr addrspace(1) %pd" + k +
            ", align 4\n";
  }
  return text + "ret void\n";
}

struct Options {
  bool registersA = false;
  uint32_t scaleD = 1;
  /// scale-a, scale-b.
  int signA = 1, signB = 1;
};

void check(Type type, uint32_t n, Operand formA, Operand formB,
           Options options = {}) {
  Tile a(type, formA, 64), b(type, formB, n);
  uint32_t startB = (a.size() + 1023) / 1024 * 1024;
  Array<uint8_t> image(startB + (b.size() + 15) / 16 * 16);
  a.fill(image.pointer, elementA);
  b.fill(image.pointer + startB, elementB);
  Array<uint32_t> registers(512);
  for (uint32_t t = 0; t < 128; ++t)
    for (uint32_t i = 0; i < 4; ++i) {
      // Each warp has 16 rows, laid out as for mma.sync.
      uint32_t row = t / 32 * 16 + t % 32 / 4 + 8 * (i % 2), q = t % 4;
      if (type == Type::TF32) {
        float value = elementA(row, q + 4 * (i / 2));
        std::memcpy(&registers[4 * t + i], &value, 4);
        continue;
      }
      auto bits = type == Type::BF16 ? bf16Bits : f16Bits;
      uint32_t k = 2 * q + 8 * (i / 2);
      registers[4 * t + i] =
          bits(elementA(row, k)) | uint32_t(bits(elementA(row, k + 1))) << 16;
    }
  Array<float> out(64 * n);
  auto place = [&](uint32_t t, uint32_t i) {
    uint32_t row = t / 32 * 16 + t % 32 / 4 + 8 * (i / 2 % 2);
    return std::pair(row, i / 4 * 8 + t % 4 * 2 + i % 2);
  };
  for (uint32_t t = 0; t < 128; ++t)
    for (uint32_t i = 0; i < n / 2; ++i) {
      auto [row, column] = place(t, i);
      out[t * (n / 2) + i] = row + 100 * column;
    }
  std::string scales =
      std::to_string(options.signA) + ", " + std::to_string(options.signB);
  TestKernel kernel = TestKernel::make(
      "ptr addrspace(1) %image, i32 %bytes, ptr addrspace(1) %regs, "
      "ptr addrspace(1) %out, i64 %descA, i64 %descB, i32 %scale",
      kernelText(type, n, options.registersA, formA.transposed,
                 formB.transposed, scales),
      "@sm = external addrspace(3) global [0 x i8], align 1024\n");
  ASSERT_EQ(kernel.error(), "");
  uint32_t bytes = image.values.size();
  uint64_t descA = a.descriptor(0), descB = b.descriptor(startB);
  LaunchConfig config = oneBlock(128);
  config.dynamicSharedBytes = bytes;
  Outcome outcome = kernel.launch(
      config,
      {image.buffer("image"), registers.buffer("regs"), out.buffer("out")},
      {image.argument(), &bytes, registers.argument(), out.argument(), &descA,
       &descB, &options.scaleD});
  expectClean(outcome);
  EXPECT_EQ(outcome.counts.wgmma, 1u);
  for (uint32_t t = 0; t < 128; ++t)
    for (uint32_t i = 0; i < n / 2; ++i) {
      auto [row, column] = place(t, i);
      float sum = options.scaleD ? row + 100 * column : 0;
      for (uint32_t k = 0; k < a.depth; ++k)
        sum += options.signA * options.signB * elementA(row, k) *
               elementB(column, k);
      ASSERT_EQ(out[t * (n / 2) + i], sum) << row << " " << column;
    }
}
} // namespace

TEST(Wgmma, Swizzle128) { check(Type::BF16, 64, {kB128}, {kB128}); }
TEST(Wgmma, Swizzle64) { check(Type::BF16, 64, {kB64}, {kB64}); }
TEST(Wgmma, Swizzle32) { check(Type::BF16, 64, {kB32}, {kB32}); }
TEST(Wgmma, Plain) { check(Type::BF16, 64, {kPlain}, {kPlain}); }
TEST(Wgmma, MixedLayouts) {
  check(Type::BF16, 32, {kB64}, {kB128});
  check(Type::BF16, 32, {kPlain}, {kB32});
}

TEST(Wgmma, TransposedSwizzle128) {
  check(Type::BF16, 128, {kB128, true}, {kB128, true});
}
TEST(Wgmma, TransposedSwizzle64) {
  check(Type::BF16, 64, {kB64, true}, {kB64, true});
}
TEST(Wgmma, TransposedSwizzle32) {
  check(Type::BF16, 64, {kB32, true}, {kB32, true});
}
TEST(Wgmma, TransposedPlain) {
  check(Type::BF16, 64, {kPlain, true}, {kPlain, true});
}
TEST(Wgmma, OneTransposed) {
  check(Type::F16, 64, {kB128}, {kB128, true});
  check(Type::F16, 64, {kB128, true}, {kB128});
}

TEST(Wgmma, F16) { check(Type::F16, 64, {kB128}, {kB128}); }
TEST(Wgmma, TF32) {
  for (Layout layout : {kB128, kB64, kB32, kPlain})
    check(Type::TF32, 64, {layout}, {layout});
}

TEST(Wgmma, RegistersA) {
  for (Type type : {Type::BF16, Type::F16, Type::TF32})
    check(type, 64, {kB128}, {kB128}, {.registersA = true});
  check(Type::BF16, 64, {kB128}, {kB128, true}, {.registersA = true});
}

TEST(Wgmma, Widths) {
  for (uint32_t n = 8; n <= 256; n += n < 32 ? 8 : 56)
    check(Type::BF16, n, {kB128}, {kB128});
  check(Type::BF16, 256, {kB128}, {kB128});
}

TEST(Wgmma, Scales) {
  check(Type::BF16, 16, {kB128}, {kB128}, {.scaleD = 0});
  check(Type::BF16, 16, {kB128}, {kB128}, {.signA = -1});
  check(Type::BF16, 16, {kB128}, {kB128}, {.signB = -1});
  check(Type::BF16, 16, {kB128}, {kB128}, {.signA = -1, .signB = -1});
}
