#!/bin/sh
# Stands in for qdelta-device-report: rows with numbers from the environment.
for target in ${TARGETS:-sm_80 sm_86 sm_89 sm_90a sm_100a sm_120a}; do
  echo "{\"kernel\": \"additive\", \"dtype\": \"bf16\", \"K\": 128, \"V\": 128, \"target\": \"$target\"," \
    "\"threads\": ${THREADS:-160}, \"dynamic\": 65536, \"registers\": ${REGISTERS:-168}," \
    "\"spill_stores\": ${SPILL:-0}, \"spill_loads\": ${SPILL:-0}, \"stack\": 0, \"static\": 0," \
    "\"barriers\": 2, \"warnings\": [${WARNING:-}], \"cubin\": \"\", \"compile_s\": 0.5, \"ptxas_s\": 0.5}"
done
