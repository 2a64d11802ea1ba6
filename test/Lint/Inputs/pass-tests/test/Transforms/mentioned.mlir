// RUN: qdelta-opt %s -qdelta-mentioned-too
// A comment on -qdelta-mentioned.
