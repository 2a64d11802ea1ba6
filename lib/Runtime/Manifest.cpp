//===- Manifest.cpp - reading the strings of an entry ---------------------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#include "Manifest.h"
#include "OffloadEntries.h"
#include "qdelta/Runtime/ArtefactFormat.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <iterator>

using namespace qdelta::runtime;

namespace {
/// Reads one entry; stops at the first problem and keeps it.
class Reader {
public:
  explicit Reader(const OffloadEntry &entry) : entry(entry) {}

  Manifest read();
  std::string problem;

private:
  std::string text(const std::string &key);
  int64_t number(const std::string &key, int64_t most);
  ManifestKernel kernel(const std::string &key);
  qdeltaArgument argument(const std::string &key);
  void values(const std::string &key, qdeltaArgument &argument);
  bool type(std::string_view name, qdeltaArgument &argument);
  bool sizes(std::string_view text, qdeltaArgument &argument);
  qdeltaTensorMap tensorMap(const std::string &key);
  std::vector<qdeltaTensorMap> tensorMaps(const std::string &prefix);
  ManifestStep step(const std::string &key);
  qdeltaArgument workspace(const std::string &key);
  void fail(const std::string &key, const std::string &wanted);

  const OffloadEntry &entry;
};

/// Takes what is before the first `separator` off `text`, and that too.
std::string_view takeWord(std::string_view &text, char separator) {
  size_t end = std::min(text.find(separator), text.size());
  std::string_view word = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  return word;
}

/// Takes a finite number off `text`.
bool takeReal(std::string_view &text, double &number) {
  std::string_view word = takeWord(text, ' ');
  auto [end, error] =
      std::from_chars(word.data(), word.data() + word.size(), number);
  return error == std::errc() && end == word.data() + word.size() &&
         std::isfinite(number);
}
} // namespace

void Reader::fail(const std::string &key, const std::string &wanted) {
  if (problem.empty())
    problem = "expected " + key + " to be " + wanted + ", but got '" +
              std::string(entry.get(key)) + "'";
}

std::string Reader::text(const std::string &key) {
  std::string value(entry.get(key));
  if (value.empty())
    fail(key, "there");
  return value;
}

int64_t Reader::number(const std::string &key, int64_t most) {
  int64_t value;
  if (readNumber(entry.get(key), most, value))
    return value;
  fail(key, "a number from 0 to " + std::to_string(most));
  return 0;
}

bool Reader::type(std::string_view name, qdeltaArgument &argument) {
  if (name == "f32" || name == "f64")
    argument.dtype = {kDLFloat, uint8_t(name == "f64" ? 64 : 32), 1};
  else if (name == "i32" || name == "i64")
    argument.dtype = {kDLInt, uint8_t(name == "i64" ? 64 : 32), 1};
  else if (name == "bf16" || name == "f16")
    argument.dtype = {uint8_t(name == "f16" ? kDLFloat : kDLBfloat), 16, 1};
  else
    return false;
  return true;
}

bool Reader::sizes(std::string_view text, qdeltaArgument &argument) {
  bool isFine = !text.empty();
  while (isFine && !text.empty()) {
    std::string_view size = takeWord(text, ',');
    auto known = std::find(std::begin(artefact::kSizes),
                           std::end(artefact::kSizes), size);
    int64_t number = -1 - (known - std::begin(artefact::kSizes));
    isFine = argument.rank < 4 && (known != std::end(artefact::kSizes) ||
                                   readNumber(size, INT64_MAX, number));
    if (isFine)
      argument.shape[argument.rank++] = number;
  }
  return isFine;
}

qdeltaArgument Reader::argument(const std::string &key) {
  qdeltaArgument result{};
  result.struct_size = sizeof(result);
  std::string_view rest = entry.get(key);
  auto role = std::find(std::begin(artefact::kRoles),
                        std::end(artefact::kRoles), takeWord(rest, ' '));
  bool isFine = role != std::end(artefact::kRoles);
  if (isFine)
    result.role = static_cast<qdeltaRole>(role - std::begin(artefact::kRoles));
  isFine &= type(takeWord(rest, ' '), result);
  isFine &= sizes(takeWord(rest, ' '), result) && !rest.empty();
  // The bytes that the name points into end with a zero.
  result.name = rest.data();
  if (!isFine)
    fail(key, "'role type sizes name'");
  return result;
}

void Reader::values(const std::string &key, qdeltaArgument &argument) {
  std::string_view rest = entry.get(key);
  if (rest.empty())
    return;
  std::string_view heads = takeWord(rest, ' '), name = takeWord(rest, ' ');
  auto domain = std::find(std::begin(artefact::kDomains),
                          std::end(artefact::kDomains), name);
  bool isFine = domain != std::end(artefact::kDomains) &&
                (heads == "H" || heads == "HV" || heads == "-");
  if (isFine)
    argument.domain =
        static_cast<qdeltaDomain>(domain - std::begin(artefact::kDomains));
  argument.usual_heads = heads == "H"    ? QDELTA_DIM_HEADS
                         : heads == "HV" ? QDELTA_DIM_VALUE_HEADS
                                         : 0;
  if (argument.domain == QDELTA_DOMAIN_RANGE)
    isFine &= takeReal(rest, argument.low) && takeReal(rest, argument.high) &&
              argument.low <= argument.high;
  if (!isFine || !rest.empty())
    fail(key, "'heads domain' with the bounds of a range");
}

qdeltaTensorMap Reader::tensorMap(const std::string &key) {
  std::string_view rest = entry.get(key);
  int64_t numbers[4] = {};
  bool isFine = true;
  for (int64_t &number : numbers)
    isFine &= readNumber(takeWord(rest, ' '), INT32_MAX, number);
  if (!isFine || !rest.empty())
    fail(key, "four numbers");
  return {sizeof(qdeltaTensorMap), static_cast<int32_t>(numbers[0]),
          static_cast<int32_t>(numbers[1]), static_cast<int32_t>(numbers[2]),
          static_cast<int32_t>(numbers[3])};
}

std::vector<qdeltaTensorMap> Reader::tensorMaps(const std::string &prefix) {
  std::vector<qdeltaTensorMap> result;
  int64_t maps = number(prefix + "tensor_maps", artefact::kMaxTensorMaps);
  for (int64_t i = 0; i < maps && problem.empty(); ++i)
    result.push_back(tensorMap(prefix + "tensor_map" + std::to_string(i)));
  return result;
}

ManifestStep Reader::step(const std::string &key) {
  ManifestStep result;
  std::string_view rest = entry.get(key);
  bool isFine = true;
  for (int64_t *number : {&result.threads, &result.sharedBytes, &result.blocks,
                          &result.tokens, &result.inputs})
    isFine &= readNumber(takeWord(rest, ' '), INT32_MAX, *number);
  result.entry = rest;
  if (!isFine || rest.empty())
    fail(key, "five numbers and an entry");
  std::string_view tensors = entry.get(key + ".tensors");
  while (isFine && !tensors.empty()) {
    int64_t number = 0;
    isFine = readNumber(takeWord(tensors, ','), INT32_MAX, number) &&
             result.tensors.size() < 2 * artefact::kMaxArguments;
    result.tensors.push_back(static_cast<int32_t>(number));
  }
  if (!isFine)
    fail(key + ".tensors", "numbers with commas");
  result.tensorMaps = tensorMaps(key + ".");
  return result;
}

qdeltaArgument Reader::workspace(const std::string &key) {
  qdeltaArgument result{};
  result.struct_size = sizeof(result);
  result.name = "workspace";
  std::string_view rest = entry.get(key);
  bool isFine = type(takeWord(rest, ' '), result);
  if (!isFine || !sizes(rest, result))
    fail(key, "'type sizes'");
  return result;
}

ManifestKernel Reader::kernel(const std::string &key) {
  ManifestKernel result;
  result.name = text(key);
  result.entry = text(key + ".entry");
  int64_t count = number(key + ".arguments", artefact::kMaxArguments);
  for (int64_t i = 0; i < count && problem.empty(); ++i) {
    std::string name = key + ".argument" + std::to_string(i);
    std::string more = key + ".values" + std::to_string(i);
    result.argumentTexts.push_back(text(name) + ", " +
                                   std::string(entry.get(more)));
    result.arguments.push_back(argument(name));
    values(more, result.arguments.back());
  }
  if (!entry.get(key + ".work").empty())
    result.work = number(key + ".work", INT64_MAX);
  if (!entry.get(key + ".segments").empty()) {
    result.segments = number(key + ".segments", artefact::kMaxSegments);
    result.run = std::string(entry.get(key + ".run"));
    result.summary = text(key + ".summary");
    result.apply = text(key + ".apply");
    result.advance = std::string(entry.get(key + ".advance"));
  }
  return result;
}

Manifest Reader::read() {
  Manifest result;
  result.triple = text("triple");
  result.arch = text("arch");
  result.format = text("format");
  result.code = entry.image;
  bool isHost = result.format == "cpu";
  if (!isHost && result.format != "ptx" && result.format != "cubin" &&
      result.format != "emulated")
    fail("format", "cpu, ptx, cubin or emulated");
  int64_t kernels = number("kernels", artefact::kMaxKernels);
  if (kernels == 0 || (kernels != 1 && !isHost))
    fail("kernels", isHost ? "at least 1" : "1");
  for (int64_t i = 0; i < kernels && problem.empty(); ++i)
    result.kernels.push_back(kernel("kernel" + std::to_string(i)));
  if (isHost || !problem.empty())
    return result;
  if (entry.get("steps").empty()) {
    result.columns = number("columns", INT32_MAX);
    result.threads = number("threads", INT32_MAX);
    result.sharedBytes = number("shared_bytes", INT32_MAX);
    result.tensorMaps = tensorMaps("");
    return result;
  }
  int64_t workspaces = number("workspaces", artefact::kMaxWorkspaces);
  for (int64_t i = 0; i < workspaces && problem.empty(); ++i)
    result.workspaces.push_back(workspace("workspace" + std::to_string(i)));
  int64_t steps = number("steps", artefact::kMaxSteps);
  if (steps == 0)
    fail("steps", "at least 1");
  for (int64_t i = 0; i < steps && problem.empty(); ++i)
    result.steps.push_back(step("step" + std::to_string(i)));
  return result;
}

std::string qdelta::runtime::readManifests(std::string_view bytes,
                                           std::vector<Manifest> &manifests) {
  std::vector<OffloadEntry> entries;
  if (std::string problem = readEntries(bytes, entries); !problem.empty())
    return problem;
  for (const OffloadEntry &entry : entries) {
    Reader reader(entry);
    manifests.push_back(reader.read());
    if (!reader.problem.empty())
      return "entry " + std::to_string(manifests.size()) + ": " +
             reader.problem;
  }
  return "";
}
