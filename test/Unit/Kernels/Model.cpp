//===- Model.cpp - a recurrence of lib/Models in memory ------------------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#include "Model.h"
#include "data/CompileLine.h"
#include "qdelta/Pipelines/Registration.h"

using namespace qdelta;
using namespace qdelta::test;

llvm::Expected<std::unique_ptr<Model>> Model::read(llvm::StringRef name,
                                                   llvm::StringRef dtype) {
  std::unique_ptr<Model> result(new Model);
  mlir::DialectRegistry registry;
  registerDialects(registry);
  result->context = std::make_unique<mlir::MLIRContext>(
      registry, mlir::MLIRContext::Threading::DISABLED);
  auto path = tools::findModel(name, tools::defaultModelsDir());
  if (!path)
    return path.takeError();
  auto source = tools::Source::read(*path, *result->context);
  if (!source)
    return source.takeError();
  result->source = std::move(*source);
  auto step = tools::findRecurrence(result->source->getModule(), "");
  if (!step)
    return step.takeError();
  result->step = *step;
  auto format = tools::parseFormat("dtype", dtype);
  if (!format)
    return format.takeError();
  auto arguments = tools::getSignature(*step, *format);
  if (!arguments)
    return arguments.takeError();
  result->arguments = std::move(*arguments);
  return result;
}

llvm::Expected<tools::LoadedKernel>
Model::compile(CompileOptions options, int64_t key, int64_t value) const {
  options.key = key, options.value = value;
  RecurrenceOp recurrence = step;
  return tools::LoadedKernel::compile(
      recurrence->getParentOfType<mlir::ModuleOp>(), options,
      recurrence.getSymName(), /*anyName=*/true);
}

std::vector<tools::FloatTensor>
Model::makeInputs(const tools::Sizes &sizes,
                  const tools::InputOptions &options) const {
  std::vector<std::optional<tools::FloatTensor>> none(arguments->inputs.size());
  return tools::makeInputs(*arguments, sizes, none, options);
}
