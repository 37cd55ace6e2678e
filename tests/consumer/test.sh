#!/usr/bin/env bash
# tests/consumer/test.sh BUILD PROGRAM.zpm: installs the runtime of a build, builds the consumers from what was installed
# alone, by find_package() and by pkg-config, and expects all three to compute the same.
set -euo pipefail
build=$1
program=$2
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

cmake --install "$build" --component runtime --prefix "$work/prefix" >/dev/null
cmake -S "$here" -B "$work/build" -G Ninja -DCMAKE_PREFIX_PATH="$work/prefix" >/dev/null
cmake --build "$work/build" >"$work/log" || { cat "$work/log"; exit 1; }
export PKG_CONFIG_PATH
PKG_CONFIG_PATH=$(dirname "$(find "$work/prefix" -name zeropoint.pc)")
# shellcheck disable=SC2046
cc -std=c99 -o "$work/by_pkg_config" "$here/consumer.c" $(pkg-config --cflags --libs --static zeropoint)

expected=$("$work/build/consumer_c" "$program")
echo "$expected"
[ "$("$work/build/consumer_cc" "$program")" = "$expected" ]
[ "$("$work/by_pkg_config" "$program")" = "$expected" ]
strip "$work/by_pkg_config"
echo "a stripped program that runs .zpm files: $(stat -c %s "$work/by_pkg_config") bytes"
