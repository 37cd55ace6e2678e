#!/usr/bin/env bash
# cmake/lint.sh [--fix]: clang-format over every source, then clang-tidy over every translation unit.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
mapfile -t sources < <(find runtime toolchain cli tests bench fuzz \( -name '*.cc' -o -name '*.h' -o -name '*.inc' \) | sort)
if [ "${1:-}" = --fix ]; then
  clang-format -i "${sources[@]}"
else
  clang-format --dry-run --Werror "${sources[@]}"
fi
cmake --preset debug -DCMAKE_CXX_COMPILER=clang++ -DZP_BENCHMARKS=ON -DZP_FUZZ=ON -B build/lint >/dev/null
# Those that are built here: files of other processors are not.
mapfile -t units < <(printf '%s\n' "${sources[@]}" | grep '\.cc$' | while read -r unit; do
  if grep -q "\"file\": \".*/$unit\"" build/lint/compile_commands.json; then echo "$unit"; fi
done)
printf '%s\n' "${units[@]}" | xargs -P "$(nproc)" -n 4 clang-tidy -p build/lint --quiet 2> >(grep -v 'warnings generated\|Suppressed\|Use -header-filter' >&2)
echo "lint: clean"
