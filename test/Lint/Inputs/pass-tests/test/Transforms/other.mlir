// RUN: qdelta-opt %s -qdelta-forgotten
