import os
import sys

import lit.formats
from lit.llvm import llvm_config
from lit.llvm.subst import ToolSubst

config.name = "qdelta"
config.test_format = lit.formats.ShTest(not llvm_config.use_lit_shell)
config.suffixes = [".mlir", ".test"]
# Inputs are read by tests; Unit holds the Google Tests, which ctest runs.
config.excludes = ["Inputs", "Unit", "Bench"]
config.test_source_root = os.path.dirname(__file__)
config.test_exec_root = os.path.join(config.qdelta_build_root, "test")

# The CUDA toolkit's programs: tests that need one are unsupported without it.
sys.path.insert(0, os.path.join(config.test_source_root, "Target"))
import cuda_tools

for program in ("ptxas", "nvdisasm"):
    if cuda_tools.find(program):
        config.available_features.add(program)
# Another release of ptxas makes other numbers.
ptxas = cuda_tools.find("ptxas")
table = os.path.join(config.test_source_root, "Target", "ptxas.golden")
if ptxas and cuda_tools.release_of(ptxas) == cuda_tools.release_of_table(table):
    config.available_features.add("ptxas-of-table")
for variable in ("CUDA_HOME", "QDELTA_TOOLKIT"):
    if variable in os.environ:
        config.environment[variable] = os.environ[variable]

llvm_config.use_default_substitutions()
config.substitutions.append(("%python", sys.executable))
config.substitutions.append(("%lint", os.path.join(config.test_source_root, "Lint")))
config.substitutions.append(("%models", os.path.join(config.qdelta_source_root, "lib", "Models")))
config.substitutions.append(("%build_bin", os.path.join(config.qdelta_build_root, "bin")))
config.substitutions.append(("%qdelta_src", config.qdelta_source_root))

tools_dir = os.path.join(config.qdelta_build_root, "bin")
llvm_config.with_environment("PATH", [tools_dir, config.llvm_tools_dir], append_path=True)
tools = ["qdelta-opt", "qdelta-run", "qdelta-bench", "qdelta-compile", "qdelta-lsp-server",
         "qdelta-smith", "qdelta-device-report"]
llvm_config.add_tool_substitutions(
    [ToolSubst(tool, unresolved="ignore") for tool in tools] + ["mlir-opt", "split-file"],
    [tools_dir, config.llvm_tools_dir])
