"""retold beside text-dedup, datasketch and rensa on the same articles, in one run.

    python3 -m venv peers && peers/bin/pip install datasketch rensa text-dedup pyarrow retold
    peers/bin/python compare.py POOL [ARTICLES]

POOL is a folder with `docs.jsonl` (`id` and `text`), `labels.tsv` (id, cluster, set, family, relation) and `ignore.tsv` (pairs of ids that
count neither way), as `cargo run --example evaluate` reads it. ARTICLES of it are taken, 20,000 by default, by whole clusters.

All use three-word shingles, 128 slots and a threshold of 0.5; retold also at its default, which looks for rewordings. Seconds are from
strings in memory to pairs, the better of two rounds; text-dedup is a program, and its seconds those of the whole process. A pair is right
if both articles are labelled as copies of each other, wrong if at least one is labelled and they are not; pairs of two articles
that no label says anything about are counted apart. Of a cluster each article with each other one is a pair.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import itertools
import json
import pickle
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

WORDS = re.compile(r"\w+")
ROUNDS = 2
Pairs = set[tuple[int, int]]


def shingles(text: str) -> set[str]:
    words = WORDS.findall(text.lower())
    return {" ".join(words[at : at + 3]) for at in range(len(words) - 2)}


def of_clusters(clusters: Iterable[Iterable[int]]) -> Pairs:
    return {pair for cluster in clusters for pair in itertools.combinations(sorted(cluster), 2)}


def with_retold(texts: list[str], level: Any, threads: int) -> Pairs:
    import retold

    report = retold.find(texts, level=level, threads=threads)
    clusters = {row["cluster"]: [row["position"]] for row in report.clusters.to_pylist()}
    for cluster, position in zip(report.members["cluster"], report.members["position"]):
        clusters[cluster].append(position)
    return of_clusters(clusters.values())


def with_datasketch(texts: list[str]) -> Pairs:
    import datasketch

    index = datasketch.MinHashLSH(threshold=0.5, num_perm=128)
    found: Pairs = set()
    for at, text in enumerate(texts):
        if tokens := shingles(text):
            signature = datasketch.MinHash(num_perm=128)
            signature.update_batch([token.encode() for token in tokens])
            found |= {(other, at) for other in index.query(signature)}
            index.insert(at, signature)
    return found


def with_rensa(texts: list[str]) -> Pairs:
    import rensa

    index = rensa.RMinHashLSH(threshold=0.5, num_perm=128, num_bands=32)
    signatures: dict[int, Any] = {}
    found: Pairs = set()
    for at, text in enumerate(texts):
        if tokens := shingles(text):
            signature = rensa.RMinHash(num_perm=128, seed=42)
            signature.update(list(tokens))
            found |= {(other, at) for other in index.query(signature) if signature.jaccard(signatures[other]) >= 0.5}
            index.insert(at, signature)
            signatures[at] = signature
    return found


def with_text_dedup(texts: list[str]) -> Pairs:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "in.jsonl")
        file.write_text("".join(json.dumps({"at": at, "text": text}) + "\n" for at, text in enumerate(texts)))
        arguments = {
            "path": "json", "data_files": file, "split": "train", "cache_dir": f"{folder}/cache", "output": f"{folder}/out",
            "column": "text", "idx_column": "at", "ngram": 3, "num_perm": 128, "threshold": 0.5, "min_length": 3, "num_proc": 2,
        }
        flags = [str(part) for name, value in arguments.items() for part in (f"--{name}", value)]
        command = [sys.executable, "-m", "text_dedup.minhash", "--debug", *flags]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode != 0:
            raise RuntimeError(done.stderr[-2000:])
        with open(f"{folder}/out/uf.pkl", "rb") as dumped:
            of = pickle.load(dumped)
        clusters: dict[Any, list[int]] = {}
        for at in range(len(texts)):
            clusters.setdefault(of.find(at), []).append(at)
        return of_clusters(clusters.values())


def read(path: Path) -> list[list[str]]:
    return [line.split("\t") for line in path.read_text(encoding="utf-8").splitlines() if line]


def main() -> None:
    pool, wanted = Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 20_000
    labels = {id: (cluster, of, family, relation) for id, cluster, of, family, relation in read(pool / "labels.tsv")}
    ignored = {frozenset(row[:2]) for row in read(pool / "ignore.tsv")}
    with open(pool / "docs.jsonl", encoding="utf-8") as file:
        documents = [json.loads(line) for line in file]
    # By whole clusters, in an order that has nothing to do with them.
    order = sorted(documents, key=lambda it: hashlib.sha256(labels[it["id"]][0].encode()).digest())
    ids, texts = [it["id"] for it in order[:wanted]], [it["text"] for it in order[:wanted]]
    size = sum(len(text.encode()) for text in texts)
    print(f"{len(texts)} articles, {size / 1e6:.1f} MB\n")

    def judged(pairs: Pairs) -> tuple[int, int, int]:
        right = wrong = unknown = 0
        for left, right_one in pairs:
            a, b = labels[ids[left]], labels[ids[right_one]]
            if a[3] == b[3] == "none":
                unknown += 1
            elif frozenset((ids[left], ids[right_one])) in ignored or (a[0] != b[0] and a[2] == b[2] and a[1] != b[1]):
                pass
            elif a[0] == b[0] and a[3] != "none" and b[3] != "none":
                right += 1
            else:
                wrong += 1
        return right, wrong, unknown

    sizes: dict[str, int] = {}
    for id in ids:
        if labels[id][3] != "none":
            sizes[labels[id][0]] = sizes.get(labels[id][0], 0) + 1
    total = sum(n * (n - 1) // 2 for n in sizes.values())
    contenders: dict[str, tuple[str, Callable[[list[str]], Pairs]]] = {
        "retold, default, 2 threads": ("retold", lambda texts: with_retold(texts, "reworded", 2)),
        "retold, default, 1 thread": ("retold", lambda texts: with_retold(texts, "reworded", 1)),
        "retold, level near, 2 threads": ("retold", lambda texts: with_retold(texts, "near", 2)),
        "retold, level near, 1 thread": ("retold", lambda texts: with_retold(texts, "near", 1)),
        "rensa, 1 thread": ("rensa", with_rensa),
        "datasketch, 1 thread": ("datasketch", with_datasketch),
        "text-dedup, 2 processes": ("text-dedup", with_text_dedup),
    }
    times: dict[str, float] = {}
    found: dict[str, Pairs] = {}
    for _ in range(ROUNDS):
        for name, (_, find) in contenders.items():
            start = time.perf_counter()
            try:
                found[name] = find(texts)
            except Exception as error:
                print(f"{name}: {error}", file=sys.stderr)
                continue
            times[name] = min(times.get(name, float("inf")), time.perf_counter() - start)
    print(f"| | version | seconds | pairs of {total:,} found | wrong pairs | precision | pairs without a label |")
    print("| --- | --- | ---: | ---: | ---: | ---: | ---: |")
    for name, pairs in found.items():
        right, wrong, unknown = judged(pairs)
        version = importlib.metadata.version(contenders[name][0])
        precision = right / max(right + wrong, 1)
        print(f"| {name} | {version} | {times[name]:.2f} | {right:,} | {wrong:,} | {precision:.3f} | {unknown:,} |")


if __name__ == "__main__":
    main()
