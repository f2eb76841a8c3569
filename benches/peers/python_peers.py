"""rensa and datasketch on the articles of a JSONL file: text to MinHash of 5-word shingles, 128 slots, one thread.

    python3 -m venv peers-venv && peers-venv/bin/pip install "rensa==0.5.*" "datasketch==2.0.*"
    cargo run --release -- write articles.jsonl
    peers-venv/bin/python python_peers.py articles.jsonl
    cargo run --release -- sign articles.jsonl

Neither splits text. Their shingles are made here, in Python, which counts; what that alone takes is printed too. Each takes
its turn in each round; medians of all rounds count. Run `sign` of the same file right after, for the ratio to retold.
"""

import json
import re
import statistics
import sys
import time

import datasketch
import rensa

WORD = re.compile(r"\w+")
ROUNDS = 5


def shingles(text):
    words = WORD.findall(text.lower())
    return {" ".join(words[i : i + 5]) for i in range(len(words) - 4)}


def with_rensa(text):
    signature = rensa.RMinHash(num_perm=128, seed=42)
    signature.update(list(shingles(text)))
    return signature.digest()


def with_datasketch(text):
    signature = datasketch.MinHash(num_perm=128)
    signature.update_batch([shingle.encode() for shingle in shingles(text)])
    return signature.digest()


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        texts = [json.loads(line)["text"] for line in file]
    size = sum(len(text.encode()) for text in texts)
    print(f"{len(texts)} articles, {size / 1e6:.1f} MB, medians of {ROUNDS} rounds")
    contenders = {
        "shingles in Python only": shingles,
        "rensa RMinHash, 128": with_rensa,
        "datasketch MinHash, 128": with_datasketch,
    }
    times = {name: [] for name in contenders}
    for _ in range(ROUNDS):
        for name, sign in contenders.items():
            start = time.perf_counter()
            for text in texts:
                sign(text)
            times[name].append(time.perf_counter() - start)
    for name, rounds in times.items():
        seconds = statistics.median(rounds)
        print(f"{name:34} {seconds:8.3f} s {size / 1e6 / seconds:8.1f} MB/s")


if __name__ == "__main__":
    main()
