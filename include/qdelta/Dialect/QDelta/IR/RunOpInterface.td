//===- RunOpInterface.td - ops that run a recurrence ---------*- tablegen -*-===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#ifndef QDELTA_RUN_OP_INTERFACE_TD
#define QDELTA_RUN_OP_INTERFACE_TD

include "mlir/IR/OpBase.td"

def QDelta_RunOpInterface : OpInterface<"RunOpInterface"> {
  let cppNamespace = "::qdelta";
  let description = [{
    What `qdelta.scan` and `qdelta.step` have in common: a recurrence that runs
    over sequences, for every batch entry and value head.
  }];
  let methods = [
    InterfaceMethod<"the recurrence", "::mlir::FlatSymbolRefAttr", "getCalleeAttr">,
    InterfaceMethod<"token inputs", "::mlir::OperandRange", "getTokens">,
    InterfaceMethod<"parameters", "::mlir::OperandRange", "getParams">,
    InterfaceMethod<"initial states", "::mlir::OperandRange", "getInits">,
    InterfaceMethod<"outputs", "::mlir::ResultRange", "getOutputs">,
    InterfaceMethod<"final states", "::mlir::ResultRange", "getFinals">,
    InterfaceMethod<"where packed sequences begin and end, or null", "::mlir::Value",
                    "getCuSeqlens">,
    InterfaceMethod<"of levels, how many tokens came before each sequence, or null",
                    "::mlir::Value", "getPosition">,
    InterfaceMethod<"which entries of the states to work on; null for all in order",
                    "::mlir::Value", "getStateIndex">,
    InterfaceMethod<"whether final states replace the initial ones", "bool",
                    "isInPlace">];
  let extraClassDeclaration = [{
    ::llvm::StringRef getCallee() { return getCalleeAttr().getValue(); }
  }];
}

#endif // QDELTA_RUN_OP_INTERFACE_TD
