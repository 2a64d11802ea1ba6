//===- Generate.cpp - random programs and sizes to run them at -----------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#include "Generate.h"

#include "llvm/ADT/STLExtras.h"

#include <map>
#include <random>

using namespace qdelta::tools;
using llvm::StringRef;

namespace {
/// The standard's distributions differ between libraries; these do not.
class Random {
public:
  explicit Random(uint64_t seed) : bits(seed) {}

  uint64_t below(uint64_t limit) { return bits() % limit; }
  int64_t between(int64_t low, int64_t high) {
    return low + static_cast<int64_t>(below(high - low + 1));
  }
  bool percent(uint64_t chance) { return below(100) < chance; }
  template <typename T>
  const T &pick(const std::vector<T> &from) {
    return from[below(from.size())];
  }
  template <typename T>
  void shuffle(std::vector<T> &values) {
    for (size_t i = values.size(); i > 1; --i)
      std::swap(values[i - 1], values[below(i)]);
  }

private:
  std::mt19937_64 bits;
};

class Generator {
public:
  Generator(uint64_t seed, const Features &features);

  Program make();

private:
  /// What stands where in the list.
  std::vector<Entry::Kind> chooseKinds();
  void addAuxiliary();
  void addMix();
  unsigned chooseState() {
    return program.numStates == 1 ? 0 : static_cast<unsigned>(random.below(2));
  }
  void addDecay();
  void addRead();
  void addWrite();
  Sum makeKey(bool mayBeSum);
  Sum makeOutput();
  Sum makeDirect(size_t terms);
  void addTied(Sum &value, const Entry &read);
  void addLoose(Sum &value, const Sum &key);

  std::string addInput(StringRef letter, Input input);
  /// A scalar whose size is at most `high`, of either sign unless `isPositive`.
  std::string scalar(double high, bool isPositive = false);
  /// No factor, one or two, each at most 1 in size.
  std::vector<std::string> factors();

  const Features features;
  Random random;
  Program program;
  std::vector<std::string> keys, values;
  /// Scalars from 0 to 1 that auxiliary states make.
  std::vector<std::string> madeScalars;
  bool hasMixes = false;
  /// How many inputs a letter has.
  std::map<std::string, unsigned> counts;
};
} // namespace

/// The norm that a combination of unit vectors, with factors of at most 1 in
/// size, cannot pass.
static double normOf(const Sum &key) { return static_cast<double>(key.size()); }

Generator::Generator(uint64_t seed, const Features &features)
    : features(features), random(seed) {
  program.name = "smith_" + std::to_string(seed);
  Input key{"", InputType::Key};
  key.domain = QDELTA_DOMAIN_UNIT;
  for (int64_t i = random.between(1, 4); i > 0; --i)
    keys.push_back(addInput("k", key));
  for (int64_t i = random.between(1, 3); i > 0; --i)
    values.push_back(addInput("v", {"", InputType::Value}));
  if (features.twoStates && random.percent(25)) {
    program.numStates = 2;
    hasMixes = random.percent(60);
  }
  if (features.auxiliaries && random.percent(35))
    for (int64_t i = random.between(1, 2); i > 0; --i)
      addAuxiliary();
}

void Generator::addAuxiliary() {
  Auxiliary made;
  Input log;
  log.domain = QDELTA_DOMAIN_LOG_DECAY;
  log.isParam = random.percent(40);
  made.decay = addInput("g", log);
  made.isPrevious = random.percent(40);
  if (random.percent(60)) {
    made.kind = Auxiliary::Vector;
    made.input = random.pick(keys);
    made.name = "p" + std::to_string(++counts["p"]);
    keys.push_back(made.name);
  } else {
    made.kind = Auxiliary::MaxPlus;
    made.input = addInput(
        "i", {"", InputType::Scalar, false, QDELTA_DOMAIN_RANGE, -1, 2});
    made.name = "w" + std::to_string(++counts["w"]);
    madeScalars.push_back(made.name);
  }
  program.auxiliaries.push_back(made);
}

std::string Generator::addInput(StringRef letter, Input input) {
  input.name = letter.str() + std::to_string(++counts[letter.str()]);
  program.inputs.push_back(input);
  return input.name;
}

std::string Generator::scalar(double high, bool isPositive) {
  double low = isPositive ? 0 : -high;
  std::vector<std::string> known;
  for (const Input &input : program.inputs)
    if (input.domain == QDELTA_DOMAIN_RANGE && input.high == high &&
        input.low == low)
      known.push_back(input.name);
  if (high == 1)
    known.insert(known.end(), madeScalars.begin(), madeScalars.end());
  if (!known.empty() && random.percent(40))
    return random.pick(known);
  bool isParam = random.percent(25);
  return addInput(isParam ? "c" : "b", {"", InputType::Scalar, isParam,
                                        QDELTA_DOMAIN_RANGE, low, high});
}

std::vector<std::string> Generator::factors() {
  std::vector<std::string> result;
  while (result.size() < 2 && random.percent(result.empty() ? 60 : 20))
    result.push_back(scalar(1));
  return result;
}

std::vector<Entry::Kind> Generator::chooseKinds() {
  std::vector<Entry::Kind> kinds;
  kinds.insert(kinds.end(), random.between(0, 2), Entry::Decay);
  kinds.insert(kinds.end(), random.between(1, 5), Entry::Read);
  kinds.insert(kinds.end(), random.between(1, 4), Entry::Write);
  if (hasMixes)
    kinds.insert(kinds.end(), random.between(1, 2), Entry::Mix);
  random.shuffle(kinds);
  return kinds;
}

void Generator::addDecay() {
  Input log;
  log.domain = QDELTA_DOMAIN_LOG_DECAY;
  log.isParam = random.percent(40);
  if (random.percent(30) && features.keyDecays &&
      (!hasMixes || features.mixedChannels))
    log.type = InputType::Key;
  program.entries.push_back(
      {Entry::Decay, addInput("g", log), {}, {}, chooseState()});
}

void Generator::addMix() {
  program.entries.push_back({Entry::Mix, scalar(0.25), {}, {}, chooseState()});
}

/// One input, or a sum of two with a scalar on the second.
Sum Generator::makeKey(bool mayBeSum) {
  random.shuffle(keys);
  Sum key{{keys[0], {}, false}};
  if (mayBeSum && keys.size() > 1 && random.percent(30))
    key.push_back({keys[1], {scalar(1)}, random.percent(30)});
  return key;
}

void Generator::addRead() {
  auto name = "y" + std::to_string(++counts["y"]);
  Sum key = makeKey(true);
  program.entries.push_back({Entry::Read, name, key, {}, chooseState()});
}

/// Up to `terms` inputs, each once: what cancels has no relative error.
Sum Generator::makeDirect(size_t terms) {
  random.shuffle(values);
  Sum sum;
  for (size_t i = 0; i < std::min(terms, values.size()); ++i)
    sum.push_back({values[i], factors(), random.percent(30)});
  return sum;
}

void Generator::addTied(Sum &value, const Entry &read) {
  double norm = normOf(read.key);
  Term term{read.name, {}, true};
  if (norm > 1 || random.percent(80))
    term.factors = {scalar(1 / (norm * norm), /*isPositive=*/true)};
  value.push_back(term);
}

void Generator::addLoose(Sum &value, const Sum &key) {
  std::vector<const Entry *> reads;
  for (const Entry &entry : program.entries)
    if (entry.kind == Entry::Read)
      reads.push_back(&entry);
  random.shuffle(reads);
  size_t terms = std::min<size_t>(random.between(1, 2), reads.size());
  for (size_t i = 0; i < terms; ++i) {
    double high = 0.5 / (normOf(reads[i]->key) * normOf(key) *
                         static_cast<double>(terms));
    value.push_back({reads[i]->name, {scalar(high)}, random.percent(50)});
  }
}

void Generator::addWrite() {
  Entry write{Entry::Write, "", makeKey(features.keySums),
              makeDirect(random.between(0, 2)), chooseState()};
  bool canTie = !program.entries.empty() &&
                program.entries.back().kind == Entry::Read &&
                (features.keySums || program.entries.back().key.size() == 1);
  if (canTie && random.percent(60)) {
    write.key = program.entries.back().key;
    write.state = program.entries.back().state;
    addTied(write.value, program.entries.back());
  } else if (random.percent(65)) {
    addLoose(write.value, write.key);
  }
  if (write.value.empty())
    write.value = makeDirect(1);
  program.entries.push_back(std::move(write));
}

/// What was read, each at most once, and sometimes an input too.
Sum Generator::makeOutput() {
  Sum sum;
  for (const Entry &entry : program.entries)
    if (entry.kind == Entry::Read && random.percent(50))
      sum.push_back({entry.name, factors(), random.percent(20)});
  if (sum.empty() || random.percent(25)) {
    Sum direct = makeDirect(1);
    sum.insert(sum.end(), direct.begin(), direct.end());
  }
  return sum;
}

Program Generator::make() {
  for (Entry::Kind kind : chooseKinds()) {
    if (kind == Entry::Decay)
      addDecay();
    else if (kind == Entry::Read)
      addRead();
    else if (kind == Entry::Mix)
      addMix();
    else
      addWrite();
  }
  for (int64_t i = random.between(1, 2); i > 0; --i)
    program.outputs.push_back(makeOutput());
  tidy(program);
  return program;
}

/// Enough elements that an error is an average, and K and V of any parity.
static std::vector<Shape> chooseShapes(Random &random) {
  int64_t key = random.pick<int64_t>({5, 8, 16, 20, 33, 64});
  int64_t value = random.pick<int64_t>({7, 16, 36, 50, 65});
  // Key heads, then value heads.
  using Heads = std::pair<int64_t, int64_t>;
  std::vector<Shape> shapes;
  for (auto lengths :
       {std::vector<int64_t>{0, 1, 2, 3}, {15, 16, 17, 33, 65}}) {
    auto [heads, valueHeads] =
        random.pick<Heads>({{1, 2}, {3, 3}, {2, 4}, {1, 4}});
    Shape shape{{{"B", 2},
                 {"T", random.pick(lengths)},
                 {"H", heads},
                 {"HV", valueHeads},
                 {"K", key},
                 {"V", value}}};
    shape.hasExtremes = random.percent(30);
    shapes.push_back(std::move(shape));
  }
  return shapes;
}

Case qdelta::tools::generate(uint64_t seed, const Features &features) {
  Case result;
  result.seed = seed;
  result.program = Generator(seed, features).make();
  Random random(~seed);
  result.exactKey = random.pick<int64_t>({1, 2, 3, 5});
  result.exactValue = random.pick<int64_t>({1, 2, 7});
  result.shapes = chooseShapes(random);
  return result;
}
