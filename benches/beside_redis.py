#!/usr/bin/env python3
"""An archive beside datasketch with Redis: adding articles, and asking what each of a thousand repeats.

datasketch finds edited copies only. So does an archive of level near; one of all levels finds rewordings as well, and so does more for
each article. Both are told, with texts, which datasketch does not keep, and without.

    apt install redis-server && pip install datasketch redis
    cargo build --release --example dedup
    python3 benches/beside_redis.py target/release/examples/dedup articles.jsonl [--articles 20000]

The file is JSON Lines with `id` and `text`. A Redis of its own is started on loopback, without snapshots, and stopped at the end.
Both sides read and sign the texts in the time that is told; for datasketch it is also told without that.
"""

import argparse
import json
import os
import re
import shutil
import socket
import subprocess
import tempfile
import time

from datasketch import MinHash, MinHashLSH

ASKED = 1000


def signed(text):
    words = re.findall(r"\w+", text.lower())
    minhash = MinHash(num_perm=128)
    minhash.update_batch(" ".join(words[at:at + 3]).encode() for at in range(len(words) - 2))
    return minhash


def with_redis(articles, asked, port):
    storage = {"type": "redis", "basename": b"retold", "redis": {"host": "127.0.0.1", "port": port}}
    lsh = MinHashLSH(threshold=0.5, num_perm=128, storage_config=storage)
    begin = time.perf_counter()
    signatures = [(article["id"], signed(article["text"])) for article in articles]
    signing = time.perf_counter() - begin
    begin = time.perf_counter()
    with lsh.insertion_session() as session:
        for number, (_, minhash) in enumerate(signatures):
            session.insert(str(number), minhash)
    adding = time.perf_counter() - begin
    begin = time.perf_counter()
    signatures = [signed(article["text"]) for article in asked]
    signing_asked = time.perf_counter() - begin
    begin = time.perf_counter()
    found = sum(len(lsh.query(minhash)) for minhash in signatures)
    asking = time.perf_counter() - begin
    return signing, adding, signing_asked, asking, found


def with_archive(dedup, level, texts, folder, articles, asked):
    def run(*args):
        begin = time.perf_counter()
        output = subprocess.run([dedup, *args], text=True, check=True, capture_output=True).stdout
        return time.perf_counter() - begin, output

    archive, level = os.path.join(folder, level + texts), ["--level", level]
    run("archive", "create", archive, *level, *texts.split())
    paths = [os.path.join(folder, name) for name in ["articles.jsonl", "asked.jsonl"]]
    for path, lines in zip(paths, [articles, asked]):
        with open(path, "w") as file:
            file.writelines(json.dumps(line) + "\n" for line in lines)
    adding, _ = run("archive", "add", archive, paths[0], *level)
    asking, output = run("archive", "query", archive, paths[1], *level)
    found = sum(len(json.loads(line)["matches"]) for line in output.splitlines())
    return adding, asking, found


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("dedup")
    parser.add_argument("file")
    parser.add_argument("--articles", type=int, default=20_000)
    args = parser.parse_args()
    with open(args.file) as file:
        lines = [json.loads(line) for _, line in zip(range(args.articles), file)]
    articles = [{"id": str(line.get("id", number)), "text": line["text"]} for number, line in enumerate(lines)]
    asked = articles[:: max(1, len(articles) // ASKED)][:ASKED]
    folder = tempfile.mkdtemp()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    redis = subprocess.Popen(["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", folder],
                             stdout=subprocess.DEVNULL)
    try:
        time.sleep(1)
        signing, adding, signing_asked, asking, found = with_redis(articles, asked, port)
        own = {(level, texts): with_archive(args.dedup, level, texts, folder, articles, asked)
               for level in ["near", "reworded"] for texts in ["", "--without-texts"]}
    finally:
        redis.terminate()
        redis.wait()
        shutil.rmtree(folder)
    count, questions = len(articles), len(asked)
    print(f"{count} articles, {questions} questions")
    print(f"datasketch with Redis: {count / (signing + adding):.0f} added a second ({count / adding:.0f} without signing); "
          f"{1e3 * (signing_asked + asking) / questions:.2f} ms a question ({1e3 * asking / questions:.2f} without signing); "
          f"{found} found")
    for (level, texts), (own_adding, own_asking, own_found) in own.items():
        print(f"dedup archive, level {level} {texts or 'with texts'}: {count / own_adding:.0f} added a second, with the census if one is needed; "
              f"{1e3 * own_asking / questions:.2f} ms a question, start included; {own_found} found")
        print(f"adding {(signing + adding) / own_adding:.0f} times as fast ({adding / own_adding:.0f} without their signing), "
              f"asking {(signing_asked + asking) / own_asking:.0f} times ({asking / own_asking:.0f})")


if __name__ == "__main__":
    main()
