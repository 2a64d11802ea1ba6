//===- Report.cpp - measurements as a table and as JSON ------------------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#include "Report.h"
#include "Machine.h"
#include "arrays/KernelArrays.h"
#include "data/Failure.h"

#include "llvm/Support/Format.h"

using namespace qdelta::tools;
using llvm::StringRef;
namespace json = llvm::json;

/// B T HV.
static int64_t countTokens(const Measurement &measurement) {
  const Sizes &sizes = measurement.what.shape;
  return sizes.at("B") * sizes.at("T") * sizes.at("HV");
}

/// Adds the fields of a JSON object, given without its braces.
static void addFields(const std::string &fields, json::Object &object) {
  json::Value parsed = llvm::cantFail(json::parse("{" + fields + "}"));
  for (auto &[key, value] : *parsed.getAsObject())
    object[key] = std::move(value);
}

static json::Object toObject(const Measurement &measurement) {
  json::Object shape;
  for (const auto &[symbol, size] : measurement.what.shape)
    shape[symbol] = size;
  json::Object result{{"model", measurement.what.model},
                      {"function", measurement.function},
                      {"engine", measurement.what.engine},
                      {"shape", std::move(shape)},
                      {"dtype", measurement.what.dtype},
                      {"threads", measurement.what.threads},
                      {"error_ratio", measurement.errorRatio},
                      {"compile_ms", measurement.compileMs}};
  if (measurement.counts) {
    addFields(toJson(*measurement.counts, countTokens(measurement)), result);
    return result;
  }
  result["ns_per_token_head"] = measurement.nsMedian;
  result["ns_best"] = measurement.nsBest;
  result["spread"] = measurement.spread;
  result["floor_ratio"] = measurement.floorRatio;
  if (measurement.floorFlop > 0)
    result["floor_flop"] = measurement.floorFlop;
  if (auto &inPlace = measurement.inPlace)
    result["in_place"] = json::Object{{"bytes_per_second", inPlace->kernel},
                                      {"loop_bytes_per_second", inPlace->loop},
                                      {"footprint", inPlace->footprint}};
  if (measurement.device)
    addFields("\"times\": " + toJson(*measurement.device), result);
  else
    result["peak_gflops"] = measurement.peakGflops;
  return result;
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
  if (measurement.counts) {
    os << measurement.what.model
       << " on emulated, which has no time; error/loop "
       << llvm::format("%.2f", measurement.errorRatio) << ", "
       << formatCounts(*measurement.counts, countTokens(measurement)) << "\n";
    os.flush();
    return;
  }
  // Nanoseconds of a GPU are fractions.
  int digits = measurement.device ? 3 : 0;
  os << llvm::format("%-16s %-6s %7d %7.*f %7.*f %6.1f%% %8.2f %11.2f %11.0f",
                     measurement.what.model.c_str(),
                     measurement.what.engine.c_str(), measurement.what.threads,
                     digits, measurement.nsMedian, digits, measurement.nsBest,
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
  if (auto &inPlace = measurement.inPlace)
    os << llvm::format("  states in place: %.1f GB/s, %.0f %% of the %.1f GB/s "
                       "of a loop over the same %lld MiB\n",
                       inPlace->kernel * 1e-9, 100 / measurement.floorRatio,
                       inPlace->loop * 1e-9,
                       static_cast<long long>(inPlace->footprint >> 20));
  if (measurement.device)
    os << "  " << measurement.device->device.name << ": "
       << formatTimes(*measurement.device) << "\n";
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
