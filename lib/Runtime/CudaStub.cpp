#include "Backend.h"
namespace qdelta::runtime {
std::unique_ptr<Backend> makeCudaBackend() { return nullptr; }
} // namespace qdelta::runtime
