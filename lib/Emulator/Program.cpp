//===- Program.cpp - descriptions of prepared modules ---------------------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//
//
// A description is lines of fields between tabs:
//
//   qdelta-emulator VERSION
//   shared OFFSET BYTES ALIGNMENT NAME
//   dynamic OFFSET
//   kernel NAME MAXTHREADS STATICBYTES
//   parameter BYTES ALIGNMENT BYVALUE       of the kernel above
//   op ARGUMENTS RESULTS NAME LOCATION
//   finding KIND TEXT OP LOCATION OTHEROP OTHERLOCATION
//
//===----------------------------------------------------------------------===//

#include "ProgramImpl.h"
#include "Shadow.h"

using namespace qdelta::emulator;

std::string qdelta::emulator::escape(std::string_view text) {
  std::string result;
  for (char c : text) {
    if (c == '\n')
      result += "\\n";
    else if (c == '\t')
      result += "\\t";
    else if (c == '\\')
      result += "\\\\";
    else if (c != '\0')
      result += c;
  }
  return result;
}

std::string qdelta::emulator::unescape(std::string_view text) {
  std::string result;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\' || i + 1 == text.size()) {
      result += text[i];
      continue;
    }
    char c = text[++i];
    result += c == 'n' ? '\n' : c == 't' ? '\t' : c;
  }
  return result;
}

namespace {
/// The fields of a line.
struct Line {
  std::vector<std::string> fields;

  explicit Line(std::string_view text) {
    while (true) {
      size_t tab = text.find('\t');
      fields.push_back(unescape(text.substr(0, tab)));
      if (tab == std::string_view::npos)
        return;
      text.remove_prefix(tab + 1);
    }
  }
  /// A number; sets `bad` when the field is none.
  uint32_t number(size_t i, bool &bad) const {
    int32_t value = parseNumber(fields[i]);
    bad |= value < 0;
    return value;
  }
};

/// Whether the line is fit, and added.
bool addLine(const Line &line, ProgramImpl &program) {
  const std::vector<std::string> &f = line.fields;
  bool bad = false;
  if (f[0] == "shared" && f.size() == 5) {
    program.variables.push_back(
        {f[4], line.number(1, bad), line.number(2, bad), line.number(3, bad)});
  } else if (f[0] == "dynamic" && f.size() == 2) {
    program.dynamicOffset = line.number(1, bad);
  } else if (f[0] == "kernel" && f.size() == 4) {
    Kernel kernel;
    kernel.name = f[1];
    kernel.maxThreads = line.number(2, bad);
    kernel.staticSharedBytes = line.number(3, bad);
    program.kernels.push_back(kernel);
  } else if (f[0] == "parameter" && f.size() == 4 && !program.kernels.empty()) {
    program.kernels.back().parameters.push_back(
        {line.number(1, bad), line.number(2, bad), line.number(3, bad) != 0});
  } else if (f[0] == "op" && f.size() == 5) {
    Operation op;
    op.index = program.operations.size();
    op.numArguments = line.number(1, bad);
    op.numResults = line.number(2, bad);
    op.name = f[3];
    op.location = f[4];
    bad |= op.numArguments > kMaxSlots || op.numResults > kMaxSlots;
    program.operations.push_back(std::move(op));
  } else if (f[0] == "finding" && f.size() == 7) {
    Report report;
    uint32_t kind = line.number(1, bad);
    bad |= kind > static_cast<uint32_t>(ReportKind::Launch);
    report.kind = static_cast<ReportKind>(kind);
    report.text = f[2];
    report.site = {f[3], f[4], ""};
    report.other = {f[5], f[6], ""};
    program.findings.push_back(report);
  } else {
    return false;
  }
  return !bad;
}
} // namespace

std::string qdelta::emulator::parseDescription(std::string_view text,
                                               ProgramImpl &program) {
  std::string header =
      "qdelta-emulator\t" + std::to_string(kContractVersion) + "\n";
  if (!text.starts_with(header))
    return "expected a description that starts with '" + escape(header) +
           "', but got '" + escape(text.substr(0, header.size())) + "'";
  text.remove_prefix(header.size());
  while (!text.empty()) {
    size_t end = text.find('\n');
    std::string_view line = text.substr(0, end);
    if (end == std::string_view::npos || !addLine(Line(line), program))
      return "malformed line in the description: '" + std::string(line) + "'";
    text.remove_prefix(end + 1);
  }
  if (program.operations.size() > kMaxOperations)
    return "more operations than the emulator can tell apart";
  std::string unknown;
  for (Operation &op : program.operations) {
    if (!bind(op)) {
      unknown += (unknown.empty() ? "" : "; ") + std::string("'") + op.name +
                 "' at " + op.location;
      continue;
    }
    program.bindings.push_back({op.handler, &op});
  }
  if (!unknown.empty())
    return "operations that the emulator does not know: " + unknown;
  return "";
}

Program::Program(std::unique_ptr<ProgramImpl> impl) : impl(std::move(impl)) {}
Program::Program(Program &&) = default;
Program &Program::operator=(Program &&) = default;
Program::~Program() = default;

std::unique_ptr<Program> Program::load(
    std::string_view description,
    const std::function<EntryFunction(const std::string &symbol)> &lookup,
    std::string &error) {
  auto impl = std::make_unique<ProgramImpl>();
  error = parseDescription(description, *impl);
  if (!error.empty())
    return nullptr;
  for (Kernel &kernel : impl->kernels) {
    kernel.program = impl.get();
    kernel.entry = lookup(kernel.name);
    if (!kernel.entry) {
      error = "no symbol for the kernel '" + kernel.name + "'";
      return nullptr;
    }
  }
  return std::unique_ptr<Program>(new Program(std::move(impl)));
}

const std::vector<Kernel> &Program::kernels() const { return impl->kernels; }

const std::vector<SharedVariable> &Program::sharedVariables() const {
  return impl->variables;
}

const Kernel *Program::find(std::string_view name) const {
  for (const Kernel &kernel : impl->kernels)
    if (kernel.name == name)
      return &kernel;
  return nullptr;
}
