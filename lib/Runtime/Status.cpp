//===- Status.cpp - errors of the C interface ----------------------------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#include "Status.h"

#include <exception>
#include <new>
#include <system_error>

using namespace qdelta::runtime;

struct qdeltaStatus {
  qdeltaErrorCode code;
  std::string message;
  std::string json;
};

namespace {
/// Stands for the status that cannot be allocated; only its address is used.
char outOfMemoryMark;

qdeltaStatus *outOfMemory() {
  return reinterpret_cast<qdeltaStatus *>(&outOfMemoryMark);
}
} // namespace

std::string qdelta::runtime::quoted(const std::string &text) {
  static const char digits[] = "0123456789abcdef";
  std::string result = "\"";
  for (unsigned char c : text) {
    if (c == '"' || c == '\\') {
      result += '\\';
      result += static_cast<char>(c);
    } else if (c < 0x20) {
      result += "\\u00";
      result += digits[c >> 4];
      result += digits[c & 15];
    } else {
      result += static_cast<char>(c);
    }
  }
  return result + '"';
}

qdeltaStatus *qdelta::runtime::makeStatus(qdeltaErrorCode code,
                                          const std::string &argument,
                                          const std::string &message) noexcept {
  return makeStatus(code, argument, message, std::string());
}

qdeltaStatus *qdelta::runtime::makeStatus(qdeltaErrorCode code,
                                          const std::string &argument,
                                          const std::string &message,
                                          const std::string &details) noexcept {
  try {
    std::string json = "{\"code\": \"QD" + std::to_string(code) +
                       "\", \"argument\": " + quoted(argument) +
                       ", \"message\": " + quoted(message) +
                       (details.empty() ? "" : ", " + details) + "}";
    return new qdeltaStatus{code, message, std::move(json)};
  } catch (...) {
    return outOfMemory();
  }
}

qdeltaStatus *qdelta::runtime::statusOfException() noexcept {
  try {
    throw;
  } catch (const std::bad_alloc &) {
    return outOfMemory();
  } catch (const std::system_error &error) {
    try {
      return makeStatus(QDELTA_ERROR_THREADS, "",
                        std::string("cannot start a thread: ") + error.what());
    } catch (...) {
      return outOfMemory();
    }
  } catch (const std::exception &error) {
    try {
      return makeStatus(QDELTA_ERROR_INTERNAL, "", error.what());
    } catch (...) {
      return outOfMemory();
    }
  }
}

qdeltaErrorCode qdeltaStatusGetCode(const qdeltaStatus *status) {
  if (!status)
    return QDELTA_OK;
  return status == outOfMemory() ? QDELTA_ERROR_OUT_OF_MEMORY : status->code;
}

const char *qdeltaStatusGetMessage(const qdeltaStatus *status) {
  if (!status)
    return "";
  return status == outOfMemory() ? "out of memory" : status->message.c_str();
}

const char *qdeltaStatusGetJson(const qdeltaStatus *status) {
  if (!status)
    return "{}";
  if (status == outOfMemory())
    return "{\"code\": \"QD9001\", \"argument\": \"\", "
           "\"message\": \"out of memory\"}";
  return status->json.c_str();
}

void qdeltaStatusDestroy(qdeltaStatus *status) {
  if (status != outOfMemory())
    delete status;
}
