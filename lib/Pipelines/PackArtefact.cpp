//===- PackArtefact.cpp - entries of an artefact --------------------------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#include "qdelta/Pipelines/Artefact.h"

#include "qdelta/Runtime/ArtefactFormat.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/Object/OffloadBinary.h"
#include "llvm/Support/CRC.h"
#include "llvm/Support/FormatVariadic.h"

#include <charconv>
#include <deque>

using namespace qdelta;
namespace object = llvm::object;
using llvm::StringRef;

static llvm::Error makeError(const llvm::Twine &message) {
  return llvm::createStringError(llvm::inconvertibleErrorCode(), message);
}

static StringRef asRef(std::string_view text) {
  return {text.data(), text.size()};
}

namespace {
/// One entry; owns its strings.
class EntryWriter {
public:
  EntryWriter(object::ImageKind kind, object::OffloadKind offload,
              StringRef code) {
    image.TheImageKind = kind;
    image.TheOffloadKind = offload;
    image.Image = llvm::MemoryBuffer::getMemBuffer(
        code, "", /*RequiresNullTerminator=*/false);
  }

  void set(const llvm::Twine &key, const llvm::Twine &value) {
    StringRef owned = strings.emplace_back(key.str());
    image.StringData[owned] = strings.emplace_back(value.str());
  }
  void setKernel(unsigned index, const KernelDescription &kernel,
                 StringRef entry);

  /// The bytes with the checksum filled in.
  llvm::Expected<std::string> finish(size_t number, size_t total);

private:
  std::deque<std::string> strings;
  object::OffloadBinary::OffloadingImage image;
};
} // namespace

static StringRef nameOf(DLDataType type) {
  if (type.code == kDLInt)
    return type.bits == 64 ? "i64" : "i32";
  if (type.bits >= 32)
    return type.bits == 64 ? "f64" : "f32";
  return type.code == kDLBfloat ? "bf16" : "f16";
}

static std::string nameOfSize(int64_t size) {
  return size < 0 ? std::string(runtime::artefact::kSizes[-1 - size])
                  : std::to_string(size);
}

/// `HV range 0 1`, or "" if nothing was said. Numbers are read back as they
/// were.
static std::string valuesOf(const ArgumentDescription &argument) {
  if (argument.domain == QDELTA_DOMAIN_ANY && !argument.usualHeads)
    return "";
  std::string text =
      argument.usualHeads ? nameOfSize(argument.usualHeads) : "-";
  text += " " + std::string(runtime::artefact::kDomains[argument.domain]);
  if (argument.domain == QDELTA_DOMAIN_RANGE)
    for (double bound : {argument.low, argument.high}) {
      char digits[32];
      auto end = std::to_chars(digits, std::end(digits), bound).ptr;
      text += " " + std::string(digits, end);
    }
  return text;
}

void EntryWriter::setKernel(unsigned index, const KernelDescription &kernel,
                            StringRef entry) {
  std::string key = ("kernel" + llvm::Twine(index)).str();
  set(key, kernel.name);
  set(key + ".entry", entry);
  set(key + ".arguments", llvm::Twine(kernel.arguments.size()));
  if (kernel.work > 0)
    set(key + ".work", llvm::Twine(kernel.work));
  if (kernel.segments > 1) {
    set(key + ".segments", llvm::Twine(kernel.segments));
    if (!kernel.run.empty())
      set(key + ".run", kernel.run);
    set(key + ".summary", kernel.summary);
    set(key + ".apply", kernel.apply);
    if (!kernel.advance.empty())
      set(key + ".advance", kernel.advance);
  }
  for (auto [i, argument] : llvm::enumerate(kernel.arguments)) {
    if (std::string values = valuesOf(argument); !values.empty())
      set(key + ".values" + llvm::Twine(i), values);
    set(key + ".argument" + llvm::Twine(i),
        asRef(runtime::artefact::kRoles[argument.role]) + " " +
            nameOf(argument.dtype) + " " +
            llvm::join(llvm::map_range(argument.shape, nameOfSize), ",") + " " +
            argument.name);
  }
}

llvm::Expected<std::string> EntryWriter::finish(size_t number, size_t total) {
  StringRef noChecksum = asRef(runtime::artefact::kNoChecksum);
  set("qdelta", asRef(runtime::artefact::kVersion));
  set("producer", "qdelta, LLVM " LLVM_VERSION_STRING);
  set("number", llvm::Twine(number) + "/" + llvm::Twine(total));
  set("checksum", noChecksum);
  for (const auto &[key, value] : image.StringData)
    if (key.contains('\0') || value.contains('\0'))
      return makeError("'" + key + "' of an artefact has a zero byte in it");
  llvm::SmallString<0> written = object::OffloadBinary::write(image);
  std::string bytes = written.str().str();
  // String tables share tails, so a name that ends like the checksum would be
  // overwritten with it: the last check would see that.
  size_t position = bytes.find(noChecksum);
  std::string digits =
      llvm::formatv("{0:x-8}", llvm::crc32(llvm::arrayRefFromStringRef(bytes)));
  bytes.replace(position + runtime::artefact::kChecksumPrefix.size(),
                digits.size(), digits);
  image.StringData["checksum"] = strings.emplace_back(
      std::string(runtime::artefact::kChecksumPrefix) + digits);
  auto read = object::OffloadBinary::create(
      llvm::MemoryBufferRef(StringRef(bytes), "artefact"));
  if (!read)
    return read.takeError();
  for (const auto &[key, value] : image.StringData)
    if ((*read)->getString(key) != value)
      return makeError("'" + key + "' of an artefact cannot be '" + value +
                       "'");
  return bytes;
}

static void setTensorMaps(EntryWriter &entry, const std::string &prefix,
                          llvm::ArrayRef<qdeltaTensorMap> maps) {
  entry.set(prefix + "tensor_maps", llvm::Twine(maps.size()));
  for (auto [i, map] : llvm::enumerate(maps))
    entry.set(prefix + "tensor_map" + llvm::Twine(i),
              llvm::formatv("{0} {1} {2} {3}", map.argument, map.box_columns,
                            map.box_rows, map.swizzle)
                  .str());
}

static void setSteps(EntryWriter &entry, const DeviceCode &code) {
  entry.set("steps", llvm::Twine(code.steps.size()));
  for (auto [i, step] : llvm::enumerate(code.steps)) {
    std::string key = ("step" + llvm::Twine(i)).str();
    entry.set(key, llvm::formatv("{0} {1} {2} {3} {4} {5}", step.threads,
                                 step.sharedBytes, step.blocks, step.tokens,
                                 step.numInputs, step.entry)
                       .str());
    entry.set(key + ".tensors",
              llvm::join(llvm::map_range(step.tensors, nameOfSize), ","));
    setTensorMaps(entry, key + ".", step.tensorMaps);
  }
  entry.set("workspaces", llvm::Twine(code.workspaces.size()));
  for (auto [i, workspace] : llvm::enumerate(code.workspaces))
    entry.set(
        "workspace" + llvm::Twine(i),
        nameOf(workspace.dtype) + " " +
            llvm::join(llvm::map_range(workspace.shape, nameOfSize), ","));
}

static void addDevice(std::deque<EntryWriter> &entries, const DeviceCode &code,
                      const KernelDescription &kernel, StringRef format,
                      object::ImageKind kind, StringRef bytes) {
  if (bytes.empty())
    return;
  EntryWriter &entry = entries.emplace_back(kind, object::OFK_Cuda, bytes);
  entry.set("triple", "nvptx64-nvidia-cuda");
  entry.set("arch", code.target);
  entry.set("format", format);
  entry.set("kernels", "1");
  entry.setKernel(0, kernel, code.entry);
  if (!code.steps.empty())
    return setSteps(entry, code);
  entry.set("columns", llvm::Twine(code.columns));
  entry.set("threads", llvm::Twine(code.threads));
  entry.set("shared_bytes", llvm::Twine(code.sharedBytes));
  setTensorMaps(entry, "", code.tensorMaps);
}

llvm::Expected<std::string>
qdelta::packArtefact(llvm::ArrayRef<KernelDescription> kernels,
                     llvm::ArrayRef<HostCode> hosts,
                     llvm::ArrayRef<DeviceCode> devices) {
  std::deque<EntryWriter> entries;
  for (const HostCode &host : hosts) {
    EntryWriter &entry = entries.emplace_back(
        object::IMG_Object, object::OFK_None, host.sharedObject);
    entry.set("triple", host.triple);
    entry.set("arch", host.cpu);
    entry.set("format", "cpu");
    entry.set("kernels", llvm::Twine(kernels.size()));
    for (auto [i, kernel, symbol] : llvm::enumerate(kernels, host.entries))
      entry.setKernel(i, kernel, symbol);
  }
  for (const DeviceCode &code : devices) {
    auto *kernel = llvm::find_if(
        kernels, [&](const auto &known) { return known.name == code.kernel; });
    if (kernel == kernels.end())
      return makeError("code for " + code.target + " is of unknown kernel '" +
                       code.kernel + "'");
    addDevice(entries, code, *kernel, "cubin", object::IMG_Cubin, code.cubin);
    addDevice(entries, code, *kernel, "ptx", object::IMG_PTX, code.ptx);
    addDevice(entries, code, *kernel, "emulated", object::IMG_Object,
              code.emulated);
  }
  std::string bytes;
  for (auto [i, entry] : llvm::enumerate(entries)) {
    auto finished = entry.finish(i + 1, entries.size());
    if (!finished)
      return finished.takeError();
    bytes += *finished;
  }
  return bytes;
}
