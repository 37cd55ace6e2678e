#!/usr/bin/env bash
# fuzz/run.sh FOLDER SECONDS: runs every fuzzer of the build in FOLDER for SECONDS each; the first finding stops it.
# Memory is bounded by 2 GiB in all and 1 GiB at once. Real models of up to 200 KB in $ZEROPOINT_DATA are seeds too.
set -euo pipefail
folder=$1
seconds=$2
for fuzzer in "$folder"/*_fuzz; do
  name=$(basename "$fuzzer")
  corpus=$folder/corpus/$name
  mkdir -p "$corpus"
  seeds=$(dirname "${BASH_SOURCE[0]}")/seeds/$name
  if [[ $name == onnx* && -n ${ZEROPOINT_DATA:-} ]]; then
    find "$ZEROPOINT_DATA/models" "$ZEROPOINT_DATA/models_quantized_by_ort" -name '*.onnx' -size -200k \
      -exec cp -n {} "$corpus/" \; 2>/dev/null || true
  fi
  if [[ $name == zpm* ]]; then
    cp -n "$(dirname "${BASH_SOURCE[0]}")"/../tests/formats/*/*.zpm "$corpus/"
    for model in "$folder"/corpus/onnx_fuzz/*.onnx; do
      "$folder/../cli/zeropoint" compile "$model" -o "$corpus/$(basename "$model" .onnx).zpm" >/dev/null 2>&1 || true
    done
  fi
  echo "== $name, $seconds s"
  "$fuzzer" "$corpus" $([ -d "$seeds" ] && echo "$seeds") -max_total_time="$seconds" -rss_limit_mb=2048 -malloc_limit_mb=1024 -timeout=10 \
    -artifact_prefix="$folder/$name-" -print_final_stats=1 2>&1 | grep -E 'ERROR|SUMMARY|number_of_executed_units|new_units|peak_rss|panic|terminate' || true
  if compgen -G "$folder/$name-*" >/dev/null; then
    echo "$name found a failure: $(ls "$folder/$name"-*)" >&2
    exit 1
  fi
done
