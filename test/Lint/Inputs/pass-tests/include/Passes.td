def Tested : Pass<"qdelta-tested", "::mlir::ModuleOp"> {}
def Mentioned : Pass<"qdelta-mentioned", "::mlir::ModuleOp"> {}
def Forgotten : Pass<"qdelta-forgotten", "::mlir::ModuleOp"> {}
