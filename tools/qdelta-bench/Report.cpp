//===- Report.cpp - measurements as a table and as JSON ------------------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#include "Report.h"
#include "Machine.h"
#include "data/Failure.h"

#include "llvm/Support/Format.h"

using namespace qdelta::tools;
using llvm::StringRef;
namespace json = llvm::json;

static json::Object toObject(const Measurement &measurement) {
  json::Object shape;
  for (const auto &[symbol, size] : measurement.what.shape)
    shape[symbol] = size;
  return json::Object{{"model", measurement.what.model},
                      {"function", measurement.function},
                      {"engine", measurement.what.engine},
                      {"shape", std::move(shape)},
                      {"dtype", measurement.what.dtype},
                      {"threads", measurement.what.threads},
                      {"ns_per_token_head", measurement.nsMedian},
                      {"ns_best", measurement.nsBest},
                      {"spread", measurement.spread},
                      {"floor_ratio", measurement.floorRatio},
                      {"peak_gflops", measurement.peakGflops},
                      {"error_ratio", measurement.errorRatio},
                      {"compile_ms", measurement.compileMs}};
}

/// What makes two results comparable, as text; empty if a field is missing.
static std::string keyOf(const json::Object &result) {
  std::string key;
  llvm::raw_string_ostream os(key);
  for (StringRef field : {"model", "engine", "shape", "dtype", "threads"}) {
    const json::Value *value = result.get(field);
    if (!value)
      return "";
    os << *value << ' ';
  }
  return key;
}

llvm::Expected<SavedRun> SavedRun::read(StringRef path) {
  llvm::Expected<json::Value> value = readJson(path);
  if (!value)
    return value.takeError();
  const json::Object *top = value->getAsObject();
  const json::Array *results = top ? top->getArray("results") : nullptr;
  if (!results)
    return userError(path + ": expected a saved run with an array of results");
  SavedRun saved;
  saved.machine = top->getString("machine").value_or("unknown").str();
  saved.commit = top->getString("commit").value_or("unknown").str();
  for (const json::Value &result : *results)
    if (const json::Object *object = result.getAsObject())
      if (auto time = object->getNumber("ns_per_token_head"))
        saved.times[keyOf(*object)] = *time;
  return saved;
}

std::optional<double> SavedRun::find(const Measurement &measurement) const {
  auto entry = times.find(keyOf(toObject(measurement)));
  if (entry == times.end())
    return std::nullopt;
  return entry->second;
}

void qdelta::tools::printHeader(const SavedRun *saved, llvm::raw_ostream &os) {
  std::string machine = describeMachine();
  os << "# " << machine << "; ns are for one token and head\n";
  if (saved && saved->machine != machine)
    os << "# the saved run is of another machine: " << saved->machine << "\n";
  os << "model            engine threads      ns    best  spread  x floor  "
        "error/loop  compile ms";
  if (saved)
    os << "  since " << saved->commit;
  os << "\n";
}

void qdelta::tools::printRow(const Measurement &measurement,
                             const SavedRun *saved, llvm::raw_ostream &os) {
  os << llvm::format("%-16s %-6s %7d %7.0f %7.0f %6.1f%% %8.2f %11.2f %11.0f",
                     measurement.what.model.c_str(),
                     measurement.what.engine.c_str(), measurement.what.threads,
                     measurement.nsMedian, measurement.nsBest,
                     100 * measurement.spread, measurement.floorRatio,
                     measurement.errorRatio, measurement.compileMs);
  if (saved) {
    std::optional<double> before = saved->find(measurement);
    if (before)
      os << llvm::format("  %+.1f%%",
                         100 * (measurement.nsMedian / *before - 1));
    else
      os << "  new";
  }
  os << "\n";
  os.flush();
}

json::Value qdelta::tools::toJson(llvm::ArrayRef<Measurement> measurements) {
  json::Array results;
  for (const Measurement &measurement : measurements)
    results.push_back(toObject(measurement));
  return json::Object{{"machine", describeMachine()},
                      {"commit", findCommit()},
                      {"results", std::move(results)}};
}
