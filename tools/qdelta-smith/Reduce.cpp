//===- Reduce.cpp - a small program that fails in the same way -----------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#include "Reduce.h"

using namespace qdelta::tools;

namespace {
class Reducer {
public:
  Reducer(Case theCase, bool isExact,
          llvm::function_ref<bool(const Case &)> fails)
      : best(std::move(theCase)), isExact(isExact), fails(fails) {}

  Case run() {
    do {
      hasChanged = false;
      dropEntries();
      dropStates();
      dropOutputs();
      simplifySums();
      simplifyInputs();
      shrink();
    } while (hasChanged);
    return std::move(best);
  }

private:
  /// Keeps what `change` makes of the best case if that still fails. `change`
  /// says whether there is anything to try.
  bool attempt(llvm::function_ref<bool(Case &)> change);

  void dropEntries();
  void dropStates();
  void dropOutputs();
  void simplifySums();
  void simplifyInputs();
  void shrink();
  /// Lowers a size, but not below 1, by halves and then by ones.
  void lower(llvm::function_ref<int64_t &(Case &)> size);

  Case best;
  const bool isExact;
  llvm::function_ref<bool(const Case &)> fails;
  bool hasChanged = false;
};
} // namespace

bool Reducer::attempt(llvm::function_ref<bool(Case &)> change) {
  Case next = best;
  if (!change(next) || !tidy(next.program) || !fails(next))
    return false;
  best = std::move(next);
  hasChanged = true;
  return true;
}

/// From the end, so that what an entry needs is there until the entry is gone.
void Reducer::dropEntries() {
  for (size_t i = best.program.entries.size(); i-- > 0;)
    attempt([&](Case &next) {
      auto &entries = next.program.entries;
      if (i >= entries.size())
        return false;
      std::string name = entries[i].name;
      bool isRead = entries[i].kind == Entry::Read;
      entries.erase(entries.begin() + static_cast<ptrdiff_t>(i));
      if (!isRead)
        return true;
      forEachSum(next.program, [&](Sum &sum) {
        llvm::erase_if(sum,
                       [&](const Term &term) { return term.vector == name; });
      });
      return true;
    });
}

/// One matrix state for two, and what an auxiliary state changes without that.
void Reducer::dropStates() {
  attempt([](Case &next) {
    llvm::erase_if(next.program.entries,
                   [](const Entry &entry) { return entry.kind == Entry::Mix; });
    for (Entry &entry : next.program.entries)
      entry.state = 0;
    return next.program.numStates > 1;
  });
  for (const Auxiliary &auxiliary : std::vector(best.program.auxiliaries))
    attempt([&](Case &next) {
      forEachSum(next.program, [&](Sum &sum) {
        for (Term &term : sum) {
          if (term.vector == auxiliary.name)
            term.vector = auxiliary.input;
          llvm::erase(term.factors, auxiliary.name);
        }
      });
      return true;
    });
}

void Reducer::dropOutputs() {
  for (size_t i = best.program.outputs.size(); i-- > 0;)
    attempt([&](Case &next) {
      auto &outputs = next.program.outputs;
      if (i < outputs.size())
        outputs.erase(outputs.begin() + static_cast<ptrdiff_t>(i));
      return true;
    });
}

/// Drops terms, then factors and signs, one at a time.
void Reducer::simplifySums() {
  using Change = bool (*)(Sum &, size_t);
  Change dropTerm = [](Sum &sum, size_t i) {
    if (sum.size() < 2)
      return false;
    sum.erase(sum.begin() + static_cast<ptrdiff_t>(i));
    return true;
  };
  Change dropFactor = [](Sum &sum, size_t i) {
    if (sum[i].factors.empty())
      return false;
    sum[i].factors.pop_back();
    return true;
  };
  Change dropSign = [](Sum &sum, size_t i) {
    return std::exchange(sum[i].isNegative, false);
  };
  for (Change change : {dropTerm, dropFactor, dropFactor, dropSign}) {
    size_t count = 0;
    forEachSum(best.program, [&](Sum &sum) { count += sum.size(); });
    // Terms have numbers; a change that drops one makes the later ones shift.
    for (size_t wanted = count; wanted-- > 0;)
      attempt([&](Case &next) {
        size_t number = 0;
        bool isChanged = false;
        forEachSum(next.program, [&](Sum &sum) {
          if (wanted >= number && wanted < number + sum.size() && !isChanged)
            isChanged = change(sum, wanted - number);
          else
            number += sum.size();
        });
        return isChanged;
      });
  }
}

/// Uses one input for another of its kind, and simpler kinds of decays.
void Reducer::simplifyInputs() {
  std::vector<Input> inputs = best.program.inputs;
  for (size_t i = 0; i < inputs.size(); ++i)
    for (size_t j = i + 1; j < inputs.size(); ++j)
      if (inputs[i].type == inputs[j].type &&
          inputs[i].type != InputType::Scalar &&
          inputs[i].domain == inputs[j].domain &&
          inputs[i].domain != QDELTA_DOMAIN_LOG_DECAY)
        attempt([&](Case &next) {
          forEachSum(next.program, [&](Sum &sum) {
            for (Term &term : sum)
              if (term.vector == inputs[j].name)
                term.vector = inputs[i].name;
          });
          return true;
        });
  for (const Input &input : inputs)
    if (input.domain == QDELTA_DOMAIN_LOG_DECAY && input.type == InputType::Key)
      attempt([&](Case &next) {
        for (Input &other : next.program.inputs)
          if (other.name == input.name)
            other.type = InputType::Scalar;
        return true;
      });
}

void Reducer::lower(llvm::function_ref<int64_t &(Case &)> size) {
  for (bool halve : {true, false}) {
    bool isLower = true;
    while (isLower)
      isLower = attempt([&](Case &next) {
        int64_t &value = size(next);
        int64_t wanted = std::max<int64_t>(1, halve ? value / 2 : value - 1);
        return std::exchange(value, wanted) != wanted;
      });
  }
}

void Reducer::shrink() {
  if (isExact) {
    lower([](Case &next) -> int64_t & { return next.exactKey; });
    lower([](Case &next) -> int64_t & { return next.exactValue; });
    return;
  }
  for (size_t i = best.shapes.size(); i-- > 0;)
    attempt([&](Case &next) {
      if (next.shapes.size() < 2)
        return false;
      next.shapes.erase(next.shapes.begin() + static_cast<ptrdiff_t>(i));
      return true;
    });
  for (size_t i = 0; i < best.shapes.size(); ++i) {
    attempt([&](Case &next) {
      return std::exchange(next.shapes[i].hasExtremes, false);
    });
    attempt([&](Case &next) {
      Sizes &sizes = next.shapes[i].sizes;
      int64_t before = sizes["H"] * sizes["HV"];
      sizes["H"] = sizes["HV"] = 1;
      return before != 1;
    });
    for (const char *symbol : {"B", "T"})
      lower([&](Case &next) -> int64_t & {
        return next.shapes[i].sizes[symbol];
      });
  }
  // A kernel is compiled for one K and one V: only a single shape has its own.
  if (best.shapes.size() == 1)
    for (const char *symbol : {"K", "V"})
      lower([&](Case &next) -> int64_t & {
        return next.shapes.front().sizes[symbol];
      });
}

Case qdelta::tools::reduce(Case what, bool isExact,
                           llvm::function_ref<bool(const Case &)> fails) {
  return Reducer(std::move(what), isExact, fails).run();
}
