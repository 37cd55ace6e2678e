#!/usr/bin/env bash
# fuzz/run.sh FOLDER SECONDS: runs every fuzzer of the build in FOLDER for SECONDS each; the first finding stops it.
set -euo pipefail
folder=$1
seconds=$2
for fuzzer in "$folder"/*_fuzz; do
  name=$(basename "$fuzzer")
  corpus=$folder/corpus/$name
  mkdir -p "$corpus"
  seeds=$(dirname "${BASH_SOURCE[0]}")/seeds/$name
  echo "== $name, $seconds s"
  "$fuzzer" "$corpus" $([ -d "$seeds" ] && echo "$seeds") -max_total_time="$seconds" -rss_limit_mb=2048 -timeout=10 \
    -artifact_prefix="$folder/$name-" -print_final_stats=1 2>&1 | grep -E 'ERROR|SUMMARY|number_of_executed_units|new_units|peak_rss|panic|terminate' || true
  if compgen -G "$folder/$name-*" >/dev/null; then
    echo "$name found a failure: $(ls "$folder/$name"-*)" >&2
    exit 1
  fi
done
