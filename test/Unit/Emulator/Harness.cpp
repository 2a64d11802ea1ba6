//===- Harness.cpp - kernels as text, run in tests ------------------------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#include "Harness.h"

#include "llvm/AsmParser/Parser.h"
#include "llvm/IR/LLVMContext.h"
#include "llvm/IR/Module.h"
#include "llvm/Support/SourceMgr.h"

#include <cstring>
#include <sstream>

using namespace harness;

namespace {
constexpr const char *kHeader = R"(
target datalayout = "e-p6:32:32-i64:64-i128:128-i256:256-v16:16-v32:32-n16:32:64"
target triple = "nvptx64-nvidia-cuda"
)";

/// Whether a debug location may follow the line.
bool takesLocation(const std::string &line) {
  size_t first = line.find_first_not_of(" \t");
  return first != std::string::npos && line[first] != ';' &&
         line.back() != ':' && line.find("!dbg") == std::string::npos &&
         line.find(" phi ") == std::string::npos && line.back() != ',' &&
         line.back() != '[' && line.find("i32 ") != first && line[first] != ']';
}
} // namespace

TestKernel TestKernel::make(const std::string &parameters,
                            const std::string &body,
                            const std::string &globals) {
  std::string text = kHeader;
  text +=
      globals + "\ndefine ptx_kernel void @k(" + parameters + ") !dbg !3 {\n";
  std::string locations;
  std::istringstream lines(body);
  std::string line;
  for (int number = 1; std::getline(lines, line); ++number) {
    if (takesLocation(line)) {
      std::string id = std::to_string(100 + number);
      line += ", !dbg !" + id;
      locations += "!" + id + " = !DILocation(line: " + std::to_string(number) +
                   ", column: 1, scope: !3)\n";
    }
    text += line + "\n";
  }
  text += "}\n!llvm.dbg.cu = !{!0}\n!llvm.module.flags = !{!2}\n"
          "!0 = distinct !DICompileUnit(language: DW_LANG_C, file: !1, "
          "emissionKind: LineTablesOnly)\n"
          "!1 = !DIFile(filename: \"k.cu\", directory: \"\")\n"
          "!2 = !{i32 2, !\"Debug Info Version\", i32 3}\n"
          "!3 = distinct !DISubprogram(name: \"k\", file: !1, line: 1, type: "
          "!4, unit: !0, spFlags: DISPFlagDefinition)\n"
          "!4 = !DISubroutineType(types: !5)\n!5 = !{null}\n" +
          locations;
  return TestKernel(text);
}

TestKernel::TestKernel(const std::string &text) {
  llvm::LLVMContext context;
  llvm::SMDiagnostic diagnostic;
  std::unique_ptr<llvm::Module> module =
      llvm::parseAssemblyString(text, diagnostic, context);
  if (!module) {
    problem = diagnostic.getMessage().str() + ": " +
              diagnostic.getLineContents().str();
    return;
  }
  llvm::Expected<std::unique_ptr<JitProgram>> result = jit(*module);
  if (!result) {
    problem = llvm::toString(result.takeError());
    return;
  }
  program = std::move(*result);
}

const Kernel &TestKernel::kernel() const {
  return program->program().kernels().front();
}

Outcome TestKernel::launch(const LaunchConfig &config,
                           const std::vector<Buffer> &buffers,
                           const std::vector<void *> &arguments) const {
  if (!program) {
    ADD_FAILURE() << "not prepared: " << problem;
    return Outcome();
  }
  return qdelta::emulator::launch(kernel(), config, buffers, arguments.data());
}

LaunchConfig harness::oneBlock(uint32_t threads) {
  LaunchConfig config;
  config.block = {threads, 1, 1};
  return config;
}

std::vector<LaunchConfig> harness::allModes(uint32_t threads) {
  std::vector<LaunchConfig> configs;
  for (Schedule schedule : {Schedule::Fifo, Schedule::Lifo, Schedule::Random})
    for (Completion completion :
         {Completion::Eager, Completion::Lazy, Completion::Random})
      for (uint64_t seed : {1, 2, 3}) {
        LaunchConfig config = oneBlock(threads);
        config.schedule = schedule;
        config.completion = completion;
        config.seed = seed;
        bool random =
            schedule == Schedule::Random || completion == Completion::Random;
        if (random || seed == 1)
          configs.push_back(config);
      }
  return configs;
}

float harness::smallNumber(uint32_t i) {
  return static_cast<float>(static_cast<int32_t>((i * 2654435761u) >> 16) % 17 -
                            8);
}

uint16_t harness::bf16Bits(float value) {
  uint32_t bits;
  std::memcpy(&bits, &value, 4);
  return bits >> 16;
}

uint16_t harness::f16Bits(float value) {
  _Float16 half = static_cast<_Float16>(value);
  uint16_t bits;
  std::memcpy(&bits, &half, 2);
  return bits;
}

std::string harness::edit(std::string text, const std::string &from,
                          const std::string &to) {
  size_t place = text.find(from);
  if (place == std::string::npos) {
    ADD_FAILURE() << "no '" << from << "' in\n" << text;
    return text;
  }
  return text.replace(place, from.size(), to);
}

std::string harness::at(const std::string &body, const std::string &fragment) {
  size_t place = body.find(fragment);
  if (place == std::string::npos) {
    ADD_FAILURE() << "no '" << fragment << "' in\n" << body;
    return "";
  }
  size_t line = 1;
  for (size_t i = 0; i < place; ++i)
    line += body[i] == '\n';
  return "k.cu:" + std::to_string(line) + ":1";
}

std::vector<Report> harness::ofKind(const Outcome &outcome, ReportKind kind) {
  std::vector<Report> result;
  for (const Report &report : outcome.reports)
    if (report.kind == kind)
      result.push_back(report);
  return result;
}

void harness::expectReport(const Outcome &outcome, ReportKind kind,
                           const std::string &location,
                           const std::string &other) {
  bool found = false;
  for (const Report &report : outcome.reports) {
    EXPECT_EQ(report.kind, kind) << report.text;
    found |= report.kind == kind && report.site.location == location &&
             report.other.location == other;
  }
  EXPECT_TRUE(found) << "expected " << name(kind) << " at " << location
                     << " against '" << other << "', but got\n"
                     << outcome.text();
}

void harness::expectAbout(const Outcome &outcome,
                          const std::vector<std::string> &locations) {
  bool found = false;
  for (const Report &report : outcome.reports)
    for (const std::string &location : locations)
      found |= report.text.find("{" + location + "}") != std::string::npos;
  EXPECT_TRUE(found) << "expected a report about " << locations.front()
                     << ", but got\n"
                     << outcome.text();
}

void harness::expectClean(const Outcome &outcome) {
  EXPECT_TRUE(outcome.clean()) << outcome.text();
}
