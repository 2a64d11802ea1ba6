//===- qdelta-opt.cpp - the pass driver ------------------------*- C++ -*-===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#include "qdelta/Pipelines/Registration.h"
#include "qdelta/Reference/Passes.h"

#include "mlir/Tools/mlir-opt/MlirOptMain.h"

int main(int argc, char **argv) {
  mlir::DialectRegistry registry;
  qdelta::registerDialects(registry);
  qdelta::registerCompilerPasses();
  qdelta::registerReferencePasses();
  return mlir::failed(
      mlir::MlirOptMain(argc, argv, "qdelta optimiser driver\n", registry));
}
