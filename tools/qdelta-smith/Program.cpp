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
  for (const Auxiliary &auxiliary : program.auxiliaries)
    vectors.insert(auxiliary.name);
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
  // Later ones may take earlier ones as their inputs.
  for (const Auxiliary &auxiliary : llvm::reverse(program.auxiliaries))
    if (used.contains(auxiliary.name)) {
      used.insert(auxiliary.decay);
      used.insert(auxiliary.input);
    }
  llvm::erase_if(program.auxiliaries, [&](const Auxiliary &auxiliary) {
    return !used.contains(auxiliary.name);
  });
  llvm::erase_if(program.inputs, [&](const Input &input) {
    return !used.contains(input.name);
  });
  // The second state goes; the first is where lists of one state are.
  if (llvm::none_of(program.entries, [](const Entry &entry) {
        return entry.state != 0 || entry.kind == Entry::Mix;
      }))
    program.numStates = 1;
  return !program.outputs.empty();
}

namespace {
/// Writes a step, line by line.
class Printer {
public:
  explicit Printer(const Program &program) : program(program), os(text) {}

  std::string print();

private:
  void printStates();
  void printInputs(bool areParams);
  void printAuxiliary(const Auxiliary &auxiliary);
  void printYield();
  void printEntry(const Entry &entry);
  /// Writes what the sum needs and returns the value that it is.
  std::string sum(const Sum &sum);
  std::string term(const Term &term);
  /// Writes an op and returns its result.
  std::string define(const llvm::Twine &op);
  /// Writes a decay, write or mix of a matrix state.
  void advance(unsigned number, const llvm::Twine &op);

  const Program &program;
  std::string text;
  llvm::raw_string_ostream os;
  unsigned numValues = 0;
  /// The matrix states now, how often each was changed, and the others.
  std::vector<std::string> states = {"%S", "%R"};
  unsigned changes[2] = {};
  std::vector<std::string> advanced;
};
} // namespace

static std::string printDomain(const Input &input) {
  switch (input.domain) {
  case QDELTA_DOMAIN_ANY:
    return "";
  case QDELTA_DOMAIN_UNIT:
    return " {qdelta.unit}";
  case QDELTA_DOMAIN_LOG_DECAY:
    return " {qdelta.log_decay}";
  case QDELTA_DOMAIN_RANGE:
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

void Printer::advance(unsigned number, const llvm::Twine &op) {
  std::string next = (number ? "%R" : "%S") + llvm::utostr(++changes[number]);
  os << "  " << next << " = " << op << "\n";
  states[number] = next;
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

void Printer::printStates() {
  std::vector<std::string> all;
  for (const Auxiliary &auxiliary : program.auxiliaries)
    all.push_back("%" + auxiliary.state() +
                  (auxiliary.kind == Auxiliary::Vector
                       ? ": !vec {qdelta.range = [0.0, 1.0]}"
                       : ": f32"));
  for (unsigned i = 0; i < program.numStates; ++i)
    all.push_back(states[i] + ": !mat");
  os << "(state " << llvm::join(all, ", ") << ")";
}

void Printer::printAuxiliary(const Auxiliary &auxiliary) {
  std::string state = "%" + auxiliary.state(), decay = "%" + auxiliary.decay;
  std::string input = "%" + auxiliary.input, made = "  %" + auxiliary.name;
  if (auxiliary.kind == Auxiliary::MaxPlus) {
    advanced.push_back(define("qdelta.max_plus " + state + " decay " + decay +
                              " input " + input + " : f32, f32"));
    std::string &now = auxiliary.isPrevious ? state : advanced.back();
    std::string size = define("math.absf " + now + " : f32");
    std::string negative = define("arith.negf " + size + " : f32");
    os << made << " = math.exp " << negative << " : f32\n";
    return;
  }
  std::string decayed =
      define("qdelta.decay " + state + " by " + decay + " : !vec, f32");
  std::string square = define("arith.mulf " + input + ", " + input + " : !vec");
  advanced.push_back(
      define("arith.addf " + decayed + ", " + square + " : !vec"));
  std::string &now = auxiliary.isPrevious ? state : advanced.back();
  std::string one = define("arith.constant 1.0 : f32");
  std::string ones =
      define("qdelta.splat " + one + " like " + input + " : f32, !vec");
  std::string sum = define("arith.addf " + now + ", " + ones + " : !vec");
  os << made << " = arith.divf " << input << ", " << sum << " : !vec\n";
}

void Printer::printEntry(const Entry &entry) {
  const std::string &state = states[entry.state];
  if (entry.kind == Entry::Decay) {
    auto log = llvm::find_if(program.inputs, [&](const Input &input) {
      return input.name == entry.name;
    });
    advance(entry.state, "qdelta.decay " + state + " by %" + entry.name +
                             " : !mat, " +
                             (log->type == InputType::Scalar ? "f32" : "!vec"));
    return;
  }
  if (entry.kind == Entry::Mix) {
    advance(entry.state, "qdelta.mix " + state + " with " +
                             states[1 - entry.state] + " by %" + entry.name +
                             " : !mat, f32");
    return;
  }
  std::string key = sum(entry.key);
  if (entry.kind == Entry::Read) {
    os << "  %" << entry.name << " = qdelta.read " << state << " at " << key
       << " : !mat, !vec\n";
    return;
  }
  std::string value = sum(entry.value);
  advance(entry.state, "qdelta.write " + state + " key " + key + " value " +
                           value + " : !mat, !vec, !vec");
}

void Printer::printYield() {
  std::vector<std::string> values = advanced, types;
  for (const Auxiliary &auxiliary : program.auxiliaries)
    types.push_back(auxiliary.kind == Auxiliary::Vector ? "!vec" : "f32");
  values.insert(values.end(), states.begin(),
                states.begin() + program.numStates);
  types.resize(values.size(), "!mat");
  std::vector<std::string> outputs;
  for (const Sum &output : program.outputs)
    outputs.push_back(sum(output));
  std::vector<std::string> outputTypes(outputs.size(), "!vec");
  os << "  qdelta.yield state " << llvm::join(values, ", ") << " : "
     << llvm::join(types, ", ") << " out " << llvm::join(outputs, ", ") << " : "
     << llvm::join(outputTypes, ", ") << "\n}\n";
}

std::string Printer::print() {
  os << "!mat = tensor<?x?xf32>\n!vec = tensor<?xf32>\n"
     << "qdelta.recurrence @" << program.name;
  printStates();
  printInputs(/*areParams=*/false);
  printInputs(/*areParams=*/true);
  os << " {\n";
  for (const Auxiliary &auxiliary : program.auxiliaries)
    printAuxiliary(auxiliary);
  for (const Entry &entry : program.entries)
    printEntry(entry);
  printYield();
  return text;
}

std::string qdelta::tools::print(const Program &program) {
  return Printer(program).print();
}
