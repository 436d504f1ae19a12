#!/usr/bin/env bash
# The whole benchmark on a release build; more arguments go to bench.py (`--only engine,kafka`, `--rounds 9`).
set -euo pipefail
folder=${1:?usage: run.sh FOLDER-OF-THE-RELEASE-BUILD [options of bench.py]}
exec python3 "$(cd "$(dirname "$0")" && pwd)/bench.py" "$folder" "${@:2}"
