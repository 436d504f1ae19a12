#!/usr/bin/env bash
# Fuzzes the event decoder under the address sanitizer: fuzz.sh [SECONDS] [KEEP]. Starts from the corpus that the tests replay; with the
# second argument `keep` the corpus found is minimised and written back. A failure leaves its input in the work folder and ends non-zero.
set -euo pipefail
seconds=${1:-120}
keep=${2:-}
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../../.." && pwd)
work=${FUZZ_WORK:-$root/.build-fuzz}
swiftc=${SWIFTC:-swiftc}
corpus=$root/Tests/EngineTests/Fixtures/fuzz-corpus.txt
# Larger inputs find little that smaller ones do not.
length=4096
mkdir -p "$work/corpus" "$work/found"

flags=(-sanitize=fuzzer,address -parse-as-library -O -package-name holdfast -swift-version 6 -warnings-as-errors
    -enable-upcoming-feature ExistentialAny -enable-upcoming-feature MemberImportVisibility
    -enable-upcoming-feature InternalImportsByDefault -I "$work")
compile() {
    local name=$1
    shift
    "$swiftc" "${flags[@]}" -module-name "$name" -wmo -emit-module -emit-module-path "$work/$name.swiftmodule" \
        -c -o "$work/$name.o" "$@"
}
compile Values "$root"/Sources/Values/*.swift
compile Events "$root"/Sources/Events/*.swift
"$swiftc" "${flags[@]}" -module-name FuzzDecoder -wmo -o "$work/fuzz-decoder" \
    "$here/FuzzDecoder.swift" "$root/Tests/EngineTests/FuzzReplay.swift" "$work/Values.o" "$work/Events.o"

# The fuzzer must see the trap itself, not Swift's report of it.
export SWIFT_BACKTRACE=enable=no
# Each input makes a decoder: a small quarantine keeps their memory in the cache.
export ASAN_OPTIONS=detect_leaks=1:quarantine_size_mb=8:malloc_context_size=4
if [ -f "$corpus" ]; then python3 "$here/corpus.py" unpack "$corpus" "$work/corpus"; fi
cd "$work/found"
"$work/fuzz-decoder" -max_total_time="$seconds" -max_len="$length" -rss_limit_mb=2048 -timeout=10 -dict="$here/json.dict" \
    -print_final_stats=1 "$work/corpus" 2>&1 | tee "$work/log.txt" | grep -vE 'REDUCE|NEW_FUNC|NEW  |# Uses|###' || true
grep -q 'stat::number_of_executed_units' "$work/log.txt"
if grep -qE '^(SUMMARY|==[0-9]+== ?ERROR)' "$work/log.txt"; then
    echo "the input is in $work/found" >&2
    exit 1
fi
if [ "$keep" = keep ]; then
    # First one input for each edge, then as many as fit of those for each count of an edge.
    rm -rf "$work/edges" "$work/counts"
    mkdir "$work/edges" "$work/counts"
    "$work/fuzz-decoder" -merge=1 -use_counters=0 -max_len="$length" -rss_limit_mb=2048 "$work/edges" "$work/corpus" 2>&1 | tail -1
    "$work/fuzz-decoder" -merge=1 -max_len="$length" -rss_limit_mb=2048 "$work/counts" "$work/corpus" 2>&1 | tail -1
    mkdir -p "$(dirname "$corpus")"
    python3 "$here/corpus.py" pack "$corpus" "$work/edges" "$work/counts"
fi
