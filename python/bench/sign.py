"""Signing a corpus from Python beside signing it from Rust, in turns: `sign.py REFERENCE FILE.jsonl`.

REFERENCE is the program of `tests/reference`, built as the wheel is (`cargo build --release -p reference`). A line of the file has the
fields `id` and `text`.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time

import pyarrow
import pyarrow.compute
import pyarrow.json

import retold

ROUNDS = 5


def main() -> None:
    reference, file = sys.argv[1:]
    articles = pyarrow.json.read_json(file).select(["id", "text"])
    size = pyarrow.compute.sum(pyarrow.compute.binary_length(articles["text"])).as_py()
    lines = "".join(json.dumps([row["id"], row["text"]]) + "\n" for row in articles.to_pylist()).encode()
    rust, python = [], []
    for _ in range(ROUNDS):
        rust.append(float(subprocess.run([reference, "sign"], input=lines, capture_output=True, check=True).stdout))
        for _ in range(5):
            start = time.perf_counter()
            retold.sign(articles)
            python.append(time.perf_counter() - start)
    print(f"{len(articles)} articles, {size / 1e6:.0f} MB of text, the least of {5 * ROUNDS}")
    print(f"Rust {min(rust):.3f} s, Python {min(python):.3f} s: {min(python) / min(rust):.2f} times")


if __name__ == "__main__":
    main()
