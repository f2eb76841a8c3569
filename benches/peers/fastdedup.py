"""The Rust command fastdedup beside dedup on the articles of a JSONL file: time, peak memory, and which edited copies are found.

    git clone https://github.com/wapplewhite4/fastdedup && (cd fastdedup && cargo build --release)
    cargo build --release --example dedup
    python3 fastdedup.py fastdedup/target/release/fastdedup ../../target/release/examples/dedup articles.jsonl

Lines have the fields `id` and `text`; both run on two threads. Contenders take turns in each round, and medians count. A pair
of fastdedup counts if the exact Jaccard similarity of its own shingles, recomputed here, reaches the threshold: then both must
be in one cluster of dedup.
"""

import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
import unicodedata

ROUNDS = 5
THRESHOLD = 0.7
WORDS = 5


def measured(command, out):
    """Seconds, seconds of both cores together, and peak megabytes of a command."""
    start = time.perf_counter()
    with open(out, "wb") as stdout:
        env = os.environ | {"RAYON_NUM_THREADS": "2"}
        process = subprocess.Popen(command, stdout=stdout, stderr=subprocess.DEVNULL, env=env)
        _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - start
    if status:
        sys.exit(f"{command} ended with {status}")
    return seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1e3


def is_kept(char):
    """Whether Rust's \\w has a character that Python's has not."""
    return unicodedata.category(char) in ("Mn", "Mc", "Me", "Pc") or char in "\u200c\u200d"


def shingles(text):
    """The shingles of fastdedup: small letters, what is neither word nor space made a space, words by white space."""
    words = re.sub(r"[^\w\s]", lambda found: found[0] if is_kept(found[0]) else " ", text.lower()).split()
    return {tuple(words[at : at + WORDS]) for at in range(max(1, len(words) - WORDS + 1))}


def jaccard(left, right):
    return len(left & right) / len(left | right)


def lines(path):
    with open(path, encoding="utf-8") as file:
        yield from map(json.loads, file)


def main():
    fastdedup, dedup, corpus = sys.argv[1:]
    folder = tempfile.TemporaryDirectory()
    path = lambda name: os.path.join(folder.name, name)
    theirs = [fastdedup, "fuzzy-dedup", "--word-shingles", "--shingle-size", str(WORDS), "--threshold", str(THRESHOLD)]
    theirs += ["--input", corpus, "--output", path("kept.jsonl")]
    ours = [dedup, "--quiet", "--threads", "2", "--format", "jsonl", corpus]
    near = ours + ["--level", "near"]
    contenders = {
        "fastdedup": theirs,
        "fastdedup --dry-run": theirs + ["--dry-run"],
        f"dedup --level near --threshold {THRESHOLD}": near + ["--threshold", str(THRESHOLD)],
        "dedup --level near": near,
        "dedup --level near --unique": near + ["--unique", path("unique.jsonl"), "--removed", path("removed.jsonl")],
        "dedup": ours,
    }
    runs = {name: [] for name in contenders}
    for _ in range(ROUNDS):
        for name, command in contenders.items():
            runs[name].append(measured(command, path(name)))
    print(f"{os.path.getsize(corpus) / 1e6:.1f} MB, medians of {ROUNDS} rounds, two threads")
    median = {name: [statistics.median(column) for column in zip(*each)] for name, each in runs.items()}
    for name, (seconds, busy, peak) in median.items():
        their_seconds, their_busy, _ = median["fastdedup"]
        ratios = f"{seconds:8.3f} s {their_seconds / seconds:6.1f} × {busy:8.3f} s busy {their_busy / busy:6.1f} ×"
        print(f"{name:36} {ratios} {peak:8.0f} MB")

    articles = list(lines(corpus))
    pairs = [(entry["row_id"], entry["duplicate_of_row_id"]) for entry in lines(path("kept.removed.jsonl"))]
    rows = {row for pair in pairs for row in pair}
    sets = {row: shingles(articles[row]["text"]) for row in rows}
    true = [(a, b) for a, b in pairs if jaccard(sets[a], sets[b]) >= THRESHOLD]
    print(f"fastdedup reports {len(pairs)} pairs, of which {len(true)} reach {THRESHOLD}")
    for name in contenders:
        if name.startswith("dedup"):
            records = list(lines(path(name)))
            clusters = [record for record in records if record["type"] == "cluster"]
            of = {member["id"]: at for at, cluster in enumerate(clusters) for member in cluster["members"]}
            cluster = lambda row: of.get(articles[row]["id"], ("alone", row))
            lost = [(a, b) for a, b in true if cluster(a) != cluster(b)]
            print(f"{name}: {len(true) - len(lost)} of them, {len(of)} articles in {len(clusters)} clusters")
            for a, b in lost[:5]:
                print(f"    lost: {articles[a]['id']} and {articles[b]['id']}, {jaccard(sets[a], sets[b]):.3f}")


if __name__ == "__main__":
    main()
