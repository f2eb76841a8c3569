#!/usr/bin/env bash
# Builds the wheel into a fresh environment and tests it there. Needs Python from 3.10 with pip; says so and stops where it is missing.
#
#     python/ci.sh [FOLDER]    FOLDER is for the environment and what is built: python/target by default
#
# RETOLD_PROFILE=release builds the wheel as it is published, which takes minutes, and checks its size.
# RETOLD_DEDUP may name the command `dedup`, so that what stays is compared with what it keeps.
set -euo pipefail
cd "$(dirname "$0")"

skipped() {
    echo "SKIPPED: the Python package ($*)" >&2
    exit 0
}

python=${PYTHON:-python3}
command -v "$python" > /dev/null || skipped "python3 is not installed"
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 10))' || skipped "it needs Python from 3.10"

export CARGO_TARGET_DIR=${1:-target}
mkdir -p "$CARGO_TARGET_DIR"
CARGO_TARGET_DIR=$(cd "$CARGO_TARGET_DIR" && pwd)
environment=$CARGO_TARGET_DIR/environment
rm -rf "$environment"
"$python" -m venv "$environment" || skipped "the module venv is not installed"
export PATH=$environment/bin:$PATH VIRTUAL_ENV=$environment PYO3_BUILD_EXTENSION_MODULE=1
python -m pip install --quiet --disable-pip-version-check uv || skipped "pip cannot install uv"
install() {
    # Of PySpark there are sources alone, of which nothing is compiled.
    uv pip install --quiet --only-binary :all: --no-binary pyspark "$@"
}
install maturin mypy pytest || skipped "uv cannot install maturin, mypy and pytest"
libraries=(datasets duckdb ipykernel nbclient numpy pandas polars pyarrow "pyspark>=4,<5" tqdm)
# A library that does not install is not tested with: its tests say so.
install "${libraries[@]}" || for library in "${libraries[@]}"; do
    install "$library" || echo "SKIPPED: $library does not install" >&2
done

cargo fmt --check
profile=${RETOLD_PROFILE:-ci}
# It takes most of a minute: a part of .ci/full.
[ "$profile" != release ] || cargo clippy --quiet --all-targets -- -D warnings
cargo build --profile "$profile" -p reference
rm -rf "$CARGO_TARGET_DIR/ci-wheel"
maturin build --quiet --profile "$profile" --out "$CARGO_TARGET_DIR/ci-wheel"
bytes=$(cat "$CARGO_TARGET_DIR"/ci-wheel/*.whl | wc -c)
if [ "$profile" = release ] && [ "$bytes" -gt 3000000 ]; then
    echo "The wheel has $bytes bytes, and should have at most 3,000,000." >&2
    exit 1
fi
install "$CARGO_TARGET_DIR"/ci-wheel/*.whl
export RETOLD_REFERENCE=$CARGO_TARGET_DIR/$profile/reference
# Not here, where `retold` would be the folder of sources.
cp -r README.md pyproject.toml tests example.ipynb "$environment"
cd "$environment"
python -m pytest --quiet -p no:cacheprovider -ra tests
python -m mypy tests
python -m mypy.stubtest --mypy-config-file pyproject.toml --allowlist tests/stubtest.txt retold
