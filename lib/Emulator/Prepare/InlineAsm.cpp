//===- InlineAsm.cpp - reading inline PTX ---------------------------------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#include "InlineAsm.h"

#include "AsmNames.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/IR/Constants.h"
#include "llvm/IR/InlineAsm.h"

using namespace qdelta::emulator;
using llvm::StringRef;

namespace {
/// The operands of an asm, by their number in the text.
class Operands {
public:
  explicit Operands(const llvm::CallBase &call) : call(call) {
    const auto *callee = llvm::cast<llvm::InlineAsm>(call.getCalledOperand());
    int argument = 0;
    for (const auto &info : callee->ParseConstraints()) {
      if (info.Type == llvm::InlineAsm::isClobber ||
          info.Type == llvm::InlineAsm::isLabel)
        continue;
      if (info.isIndirect)
        simple = false;
      if (info.Type == llvm::InlineAsm::isOutput) {
        arguments.push_back(-1);
        ++outputs;
      } else {
        if (info.hasMatchingInput())
          simple = false;
        StringRef code =
            info.Codes.empty() ? StringRef() : StringRef(info.Codes[0]);
        unsigned tied;
        if (!code.getAsInteger(10, tied) && tied < arguments.size())
          arguments[tied] = argument;
        arguments.push_back(argument++);
      }
    }
  }

  bool isOutput(StringRef token) const {
    int n = number(token);
    return n >= 0 && n < outputs;
  }
  /// The value of `$n` or of a number; nothing for anything else.
  std::optional<AsmOperand> read(StringRef token) const {
    int n = number(token);
    if (n >= 0)
      return AsmOperand{arguments[n], 0};
    int64_t value;
    if (token.getAsInteger(0, value))
      return std::nullopt;
    return AsmOperand{-1, value};
  }
  /// The number that `token` is or names, which must be constant.
  std::optional<int64_t> constant(StringRef token) const {
    std::optional<AsmOperand> operand = read(token);
    if (!operand)
      return std::nullopt;
    if (operand->argument < 0)
      return operand->constant;
    if (auto *value = llvm::dyn_cast<llvm::ConstantInt>(
            call.getArgOperand(operand->argument)))
      return value->getSExtValue();
    return std::nullopt;
  }

  int outputs = 0;
  bool simple = true;

private:
  int number(StringRef token) const {
    unsigned n;
    if (!token.consume_front("$") || token.getAsInteger(10, n) ||
        n >= arguments.size())
      return -1;
    return n;
  }

  const llvm::CallBase &call;
  /// Of each operand: the argument of the call, of outputs the tied one.
  std::vector<int> arguments;
};

/// One statement: a mnemonic and its operands, in groups between commas outside
/// of brackets.
struct Statement {
  StringRef predicate;
  StringRef mnemonic;
  std::vector<std::vector<StringRef>> groups;

  explicit Statement(StringRef text) {
    if (text.starts_with("@"))
      std::tie(predicate, text) = text.drop_front().split(' ');
    text = text.trim();
    size_t end = text.find_first_of(" \t");
    mnemonic = text.substr(0, end);
    text = end == StringRef::npos ? StringRef() : text.substr(end);
    int depth = 0;
    bool inGroup = false;
    size_t begin = StringRef::npos;
    auto flush = [&](size_t at) {
      if (begin == StringRef::npos)
        return;
      if (!inGroup)
        groups.emplace_back();
      inGroup = true;
      groups.back().push_back(text.slice(begin, at).trim());
      begin = StringRef::npos;
    };
    for (size_t i = 0; i < text.size(); ++i) {
      char c = text[i];
      if (StringRef("{}[], \t|").contains(c)) {
        flush(i);
        depth += c == '{' || c == '[' ? 1 : c == '}' || c == ']' ? -1 : 0;
        if (c == ',' && depth == 0)
          inGroup = false;
      } else if (begin == StringRef::npos) {
        begin = i;
      }
    }
    flush(text.size());
  }

  /// All operands in order.
  std::vector<StringRef> tokens() const {
    std::vector<StringRef> all;
    for (const auto &group : groups)
      all.insert(all.end(), group.begin(), group.end());
    return all;
  }
};

/// Statements without declarations, labels and the braces around them.
std::vector<Statement> statementsOf(StringRef text) {
  std::vector<Statement> statements;
  llvm::SmallVector<StringRef> pieces;
  text.trim().split(pieces, ';');
  for (StringRef piece : pieces) {
    piece = piece.trim();
    while (piece.consume_front("{"))
      piece = piece.ltrim();
    // A label stands before a statement.
    for (size_t colon = piece.find(':');
         colon != StringRef::npos && piece.substr(colon, 2) != "::" &&
         piece.take_front(colon).find_first_of(" \t@[") == StringRef::npos;
         colon = piece.find(':'))
      piece = piece.drop_front(colon + 1).ltrim();
    if (piece.empty() || piece == "}" || piece.starts_with(".reg"))
      continue;
    statements.emplace_back(piece);
  }
  return statements;
}

/// setp.ne.b32 p, scale-d, 0; wgmma.mma_async ... d, a, b, p, immediates
std::optional<AsmOperation> readWgmma(const Statement &set,
                                      const Statement &wgmma,
                                      const Operands &operands) {
  if (set.mnemonic != "setp.ne.b32" || set.groups.size() != 3 ||
      wgmma.groups.size() < 6)
    return std::nullopt;
  llvm::SmallVector<StringRef> parts;
  wgmma.mnemonic.split(parts, '.');
  // wgmma.mma_async.sync.aligned.SHAPE.f32.TYPE.TYPE
  if (parts.size() != 8 || parts[5] != "f32" || parts[6] != parts[7])
    return std::nullopt;
  bool registers = wgmma.groups[1].size() == 4;
  AsmOperation op;
  op.name = ("wgmma.mma_async." + parts[4] + "." + parts[6] +
             (registers ? ".regs" : ".desc"))
                .str();
  for (size_t g = 0; g < 3; ++g)
    for (StringRef token : wgmma.groups[g]) {
      std::optional<AsmOperand> operand = operands.read(token);
      if (!operand)
        return std::nullopt;
      op.operands.push_back(*operand);
    }
  std::optional<AsmOperand> scaleD = operands.read(set.groups[1][0]);
  if (!scaleD)
    return std::nullopt;
  op.operands.push_back(*scaleD);
  // scale-a, scale-b, then the transpositions that are possible.
  std::vector<int64_t> immediates;
  for (size_t g = 4; g < wgmma.groups.size(); ++g) {
    std::optional<int64_t> value = operands.constant(wgmma.groups[g][0]);
    if (!value)
      return std::nullopt;
    immediates.push_back(*value);
  }
  immediates.resize(4, 0);
  if (registers)
    std::swap(immediates[2], immediates[3]);
  op.name += immediates[2] ? ".ta" : "";
  op.name += immediates[3] ? ".tb" : "";
  op.name += immediates[0] == -1 ? ".na" : "";
  op.name += immediates[1] == -1 ? ".nb" : "";
  return op;
}

/// A statement of its own: its outputs are those of the asm, in order.
std::optional<AsmOperation> readSingle(const Statement &statement,
                                       const Operands &operands) {
  AsmOperation op;
  std::vector<AsmOperand> arguments;
  std::vector<std::optional<int64_t>> constants;
  int outputs = 0;
  for (size_t i = 0; StringRef token : statement.tokens()) {
    if (token == "_")
      continue;
    // Only the first group is written; the same `$n` later is the tied input.
    bool isResult =
        i++ < static_cast<size_t>(operands.outputs) && operands.isOutput(token);
    if (isResult) {
      if (token != "$" + std::to_string(outputs++))
        return std::nullopt;
      continue;
    }
    std::optional<AsmOperand> operand = operands.read(token);
    if (!operand)
      return std::nullopt;
    arguments.push_back(*operand);
    constants.push_back(operands.constant(token));
  }
  if (outputs != operands.outputs)
    return std::nullopt;
  if (!statement.predicate.empty()) {
    op.predicate = operands.read(statement.predicate);
    if (!op.predicate || outputs)
      return std::nullopt;
  }
  std::optional<NamedOrder> named =
      nameOfMnemonic(statement.mnemonic, constants);
  if (!named)
    return std::nullopt;
  op.name = named->name;
  for (size_t place : named->order) {
    if (place >= arguments.size())
      return std::nullopt;
    op.operands.push_back(arguments[place]);
  }
  return op;
}

/// The loop that waits for a phase, or a single test whose result is selected.
std::optional<AsmOperation>
readMbarrierTest(const std::vector<Statement> &statements,
                 const Operands &operands) {
  const Statement &test = statements[0];
  bool loops = statements.size() == 3 &&
               statements[1].mnemonic.starts_with("bra") &&
               statements[2].mnemonic.starts_with("bra");
  bool selects = statements.size() == 2 && operands.outputs == 1 &&
                 statements[1].mnemonic == "selp.b32";
  if (test.groups.size() < 3 || (!loops && !selects))
    return std::nullopt;
  AsmOperation op;
  op.name = loops ? "mbarrier.wait.parity" : "mbarrier.try.wait.parity";
  for (size_t g = 1; g < 3; ++g) {
    std::optional<AsmOperand> operand = operands.read(test.groups[g][0]);
    if (!operand)
      return std::nullopt;
    op.operands.push_back(*operand);
  }
  return op;
}
} // namespace

std::optional<AsmOperation>
qdelta::emulator::readInlineAsm(const llvm::CallBase &call) {
  const auto *callee = llvm::cast<llvm::InlineAsm>(call.getCalledOperand());
  Operands operands(call);
  if (!operands.simple)
    return std::nullopt;
  std::vector<Statement> statements = statementsOf(callee->getAsmString());
  if (statements.empty()) {
    AsmOperation pin;
    for (int i = 0; i < operands.outputs; ++i)
      pin.operands.push_back(*operands.read("$" + std::to_string(i)));
    return pin;
  }
  if (statements.size() == 1)
    return readSingle(statements[0], operands);
  if (statements.size() == 2 &&
      statements[1].mnemonic.starts_with("wgmma.mma_async.sync.aligned."))
    return readWgmma(statements[0], statements[1], operands);
  StringRef first = statements[0].mnemonic;
  if (first.starts_with("mbarrier.try_wait.parity") ||
      first.starts_with("mbarrier.test_wait.parity"))
    return readMbarrierTest(statements, operands);
  return std::nullopt;
}
