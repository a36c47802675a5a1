#!/bin/sh
# Fuzzes every target for the given seconds each, on the stable toolchain: coverage without a
# sanitizer, since our own code has no unsafe blocks. `fuzz/run.sh 60`, `fuzz/run.sh 600 scan`.
# Inputs that fail are kept in fuzz/artifacts, what was learnt in fuzz/corpus.
set -eu
cd "$(dirname "$0")"
seconds=${1:?seconds for each target}
shift
targets=${*:-$(sed -n 's/^name = "\(.*\)"$/\1/p' Cargo.toml | grep -v '^lastra-fuzz$')}
triple=x86_64-unknown-linux-gnu

# --target keeps the flags from build scripts and macros.
RUSTFLAGS="--cfg fuzzing -Ccodegen-units=1 -Cpasses=sancov-module \
-Cllvm-args=-sanitizer-coverage-level=4 -Cllvm-args=-sanitizer-coverage-inline-8bit-counters \
-Cllvm-args=-sanitizer-coverage-pc-table -Cllvm-args=-sanitizer-coverage-trace-compares" \
    cargo build --target "$triple" --bins

for target in $targets; do
    mkdir -p "corpus/$target" "artifacts/$target"
    "target/$triple/debug/$target" "corpus/$target" \
        -dict=dicom.dict -artifact_prefix="artifacts/$target/" \
        -max_total_time="$seconds" -rss_limit_mb=512 -timeout=10 -print_final_stats=1
done
