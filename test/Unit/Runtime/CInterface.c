/*===- CInterface.c - the runtime's header is plain C -------------*- C -*-===*\
 *
 * Part of qdelta, under the Apache License 2.0 (see LICENSE).
 *
\*===----------------------------------------------------------------------===*/

#include "qdelta-c/Runtime.h"

/* Called from ModuleTest.cpp: a C program's use of an empty module. */
int64_t numKernelsOfEmptyModule(void);

int64_t numKernelsOfEmptyModule(void) {
  qdeltaImage image = {sizeof(qdeltaImage), NULL, 0, NULL, 0};
  qdeltaModule *module = NULL;
  qdeltaStatus *status = qdeltaModuleLoad(&image, &module);
  int64_t count = status ? -1 : qdeltaModuleGetNumKernels(module);
  qdeltaStatusDestroy(status);
  qdeltaModuleDestroy(module);
  return count;
}
