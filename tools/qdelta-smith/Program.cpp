//===- Program.cpp - a recurrence as a list that can be changed ----------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#include "Program.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/Support/FormatVariadic.h"

using namespace qdelta::tools;
using llvm::StringRef;

void qdelta::tools::forEachSum(Program &program,
                               llvm::function_ref<void(Sum &)> f) {
  for (Entry &entry : program.entries) {
    f(entry.key);
    f(entry.value);
  }
  for (Sum &output : program.outputs)
    f(output);
}

bool qdelta::tools::tidy(Program &program) {
  llvm::StringSet<> vectors, used;
  for (const Input &input : program.inputs)
    vectors.insert(input.name);
  auto dropUnknown = [&](Sum &sum) {
    llvm::erase_if(
        sum, [&](const Term &term) { return !vectors.contains(term.vector); });
  };
  std::vector<Entry> entries;
  for (Entry &entry : program.entries) {
    dropUnknown(entry.value);
    if (entry.kind == Entry::Write && entry.value.empty())
      continue;
    if (entry.kind == Entry::Read)
      vectors.insert(entry.name);
    entries.push_back(entry);
  }
  program.entries = std::move(entries);
  llvm::for_each(program.outputs, dropUnknown);
  llvm::erase_if(program.outputs, [](const Sum &sum) { return sum.empty(); });

  for (const Entry &entry : program.entries)
    used.insert(entry.name);
  forEachSum(program, [&](Sum &sum) {
    for (const Term &term : sum) {
      used.insert(term.vector);
      for (const std::string &factor : term.factors)
        used.insert(factor);
    }
  });
  llvm::erase_if(program.inputs, [&](const Input &input) {
    return !used.contains(input.name);
  });
  return !program.outputs.empty();
}

namespace {
/// Writes a step, line by line.
class Printer {
public:
  explicit Printer(const Program &program) : program(program), os(text) {}

  std::string print();

private:
  void printInputs(bool areParams);
  void printEntry(const Entry &entry);
  /// Writes what the sum needs and returns the value that it is.
  std::string sum(const Sum &sum);
  std::string term(const Term &term);
  /// Writes an op and returns its result.
  std::string define(const llvm::Twine &op);
  /// Writes a decay or write of the state.
  void advance(const llvm::Twine &op);

  const Program &program;
  std::string text;
  llvm::raw_string_ostream os;
  unsigned numValues = 0, numStates = 0;
  std::string state = "%S";
};
} // namespace

static std::string printDomain(const Input &input) {
  switch (input.domain) {
  case Domain::Any:
    return "";
  case Domain::Unit:
    return " {qdelta.unit}";
  case Domain::LogDecay:
    return " {qdelta.log_decay}";
  case Domain::Range:
    return llvm::formatv(" {{qdelta.range = [{0:f4}, {1:f4}]}", input.low,
                         input.high);
  }
  return "";
}

void Printer::printInputs(bool areParams) {
  std::vector<std::string> all;
  for (const Input &input : program.inputs)
    if (input.isParam == areParams)
      all.push_back("%" + input.name +
                    (input.type == InputType::Scalar ? ": f32" : ": !vec") +
                    printDomain(input));
  if (!all.empty())
    os << "\n    " << (areParams ? "param(" : "token(")
       << llvm::join(all, areParams ? ",\n          " : ",\n          ") << ")";
}

std::string Printer::define(const llvm::Twine &op) {
  std::string name = "%t" + llvm::utostr(++numValues);
  os << "  " << name << " = " << op << "\n";
  return name;
}

void Printer::advance(const llvm::Twine &op) {
  std::string next = "%S" + llvm::utostr(++numStates);
  os << "  " << next << " = " << op << "\n";
  state = next;
}

std::string Printer::term(const Term &term) {
  std::string value = "%" + term.vector;
  if (term.factors.empty())
    return value;
  std::string factor = "%" + term.factors.front();
  for (StringRef next : llvm::drop_begin(term.factors))
    factor = define("arith.mulf " + factor + ", %" + next + " : f32");
  return define("qdelta.scale " + value + " by " + factor + " : !vec, f32");
}

std::string Printer::sum(const Sum &sum) {
  std::string total;
  for (const Term &next : sum) {
    std::string value = term(next);
    if (!total.empty())
      total = define((next.isNegative ? "arith.subf " : "arith.addf ") + total +
                     ", " + value + " : !vec");
    else
      total =
          next.isNegative ? define("arith.negf " + value + " : !vec") : value;
  }
  return total;
}

void Printer::printEntry(const Entry &entry) {
  if (entry.kind == Entry::Decay) {
    auto log = llvm::find_if(program.inputs, [&](const Input &input) {
      return input.name == entry.name;
    });
    advance("qdelta.decay " + state + " by %" + entry.name + " : !mat, " +
            (log->type == InputType::Scalar ? "f32" : "!vec"));
    return;
  }
  std::string key = sum(entry.key);
  if (entry.kind == Entry::Read) {
    os << "  %" << entry.name << " = qdelta.read " << state << " at " << key
       << " : !mat, !vec\n";
    return;
  }
  std::string value = sum(entry.value);
  advance("qdelta.write " + state + " key " + key + " value " + value +
          " : !mat, !vec, !vec");
}

std::string Printer::print() {
  os << "!mat = tensor<?x?xf32>\n!vec = tensor<?xf32>\n"
     << "qdelta.recurrence @" << program.name << "(state %S: !mat)";
  printInputs(/*areParams=*/false);
  printInputs(/*areParams=*/true);
  os << " {\n";
  for (const Entry &entry : program.entries)
    printEntry(entry);
  std::vector<std::string> outputs;
  for (const Sum &output : program.outputs)
    outputs.push_back(sum(output));
  std::vector<std::string> types(outputs.size(), "!vec");
  os << "  qdelta.yield state " << state << " : !mat out "
     << llvm::join(outputs, ", ") << " : " << llvm::join(types, ", ")
     << "\n}\n";
  return text;
}

std::string qdelta::tools::print(const Program &program) {
  return Printer(program).print();
}
