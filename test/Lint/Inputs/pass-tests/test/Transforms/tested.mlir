// RUN: qdelta-opt %s -qdelta-tested="size=1"
