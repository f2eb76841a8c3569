"""`find` gives what the crate gives without Python, to the bit."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import retold
from corpus import Story, corpus

HERE = Path(__file__).parent


@pytest.fixture(scope="module")
def reference() -> Path:
    """The program that calls the crate, as `ci.sh` built it."""
    program = os.environ.get("RETOLD_REFERENCE")
    if program is None:
        pytest.skip("SKIPPED comparing with the crate: RETOLD_REFERENCE does not name the program `reference` (see ci.sh)")
    return Path(program)


@pytest.fixture(scope="module")
def articles() -> list[Story]:
    seed = int(os.environ.get("RETOLD_SEED") or random.SystemRandom().randrange(1 << 32))
    print(f"\nRETOLD_SEED={seed}", file=sys.stderr)
    return corpus(random.Random(seed), 400)


def expected(reference: Path, articles: list[Story], options: dict[str, Any]) -> dict[str, Any]:
    lines = "".join(json.dumps(article) + "\n" for article in articles)
    done = subprocess.run([reference, json.dumps(options)], input=lines.encode(), capture_output=True, check=True)
    return without_times(done.stdout.decode())


def without_times(report: str) -> dict[str, Any]:
    # Numbers stay as they are written, which is the shortest way that reads back to the same bits.
    found: dict[str, Any] = json.loads(report, parse_float=str)
    del found["summary"]["times"]
    return found


OPTIONS: list[dict[str, Any]] = [
    {},
    {"level": "near"},
    {"excerpts": "find_all", "near_misses": 0.1, "representative": "earliest"},
    {"prior": 0.05, "confidence": 0.3, "removal_confidence": 0.5, "representative": "longest"},
    {"threshold": 0.7, "containment": 1.0, "min_words": 12, "within": {"secs": 20_000_000, "nanos": 0}},
]


@pytest.mark.parametrize("options", OPTIONS, ids=[",".join(options) or "defaults" for options in OPTIONS])
def test_the_same_as_the_crate(reference: Path, articles: list[Story], options: dict[str, Any]) -> None:
    wanted = expected(reference, articles, options)
    assert len(wanted["clusters"]) > 50
    given = dict(options)
    if "representative" in given:
        given["keep"] = given.pop("representative")
    if "within" in given:
        given["within"] = given["within"]["secs"]
    rows = [dict(zip(("id", "text", "date", "source"), article)) for article in articles]
    forms: dict[str, Any] = {"dicts": rows}
    try:
        import pyarrow as pa
    except ImportError:
        print("SKIPPED comparing Arrow data with the crate: pyarrow is not installed", file=sys.stderr)
    else:
        table = pa.Table.from_pylist(rows)
        forms |= {"table": table, "chunks": pa.concat_tables([table[:100], table[100:150], table[150:]])}
    for name, form in forms.items():
        for threads in (1, 3):
            report = retold.find(form, date="date", source="source", threads=threads, **given)
            assert without_times(report.to_json()) == wanted, (name, threads)
    # Tables say the same.
    removed = {removal["position"] for removal in wanted["removals"]}
    assert [keep for keep in report.keep_mask()] == [at not in removed for at in range(len(articles))]
    members = [member for cluster in wanted["clusters"] for member in cluster["members"]]
    assert report.members["id"].to_pylist() == [member["id"] for member in members]
    for mine, theirs in zip(report.members["similarity"], members):
        assert mine == float_of(theirs["similarity"])


def float_of(written: str) -> float:
    """The 32-bit float that is written so, as Python has it."""
    import struct

    (value,) = struct.unpack("f", struct.pack("f", float(written)))
    return float(value)


def test_order_changes_nothing(articles: list[Story]) -> None:
    rng = random.Random(1)
    whole = clusters(retold.find([article[:2] for article in articles]), articles)
    assert len(whole) > 50
    for threads in (1, 2):
        shuffled = rng.sample(articles, len(articles))
        assert clusters(retold.find([article[:2] for article in shuffled], threads=threads), shuffled) == whole


def clusters(report: retold.Report, articles: list[Story]) -> list[Any]:
    """All clusters, by ids, texts and the bits of similarities."""
    text = [article[1] for article in articles]
    heads = {row["cluster"]: (row["id"], text[row["position"]]) for row in report.clusters.to_pylist()}
    rows = [
        (heads[row["cluster"]], row["id"], text[row["position"]], row["relation"], row["similarity"], str(row["evidence"]))
        for row in report.members.to_pylist()
    ]
    return sorted(rows)


def test_what_stays_is_what_the_command_keeps(articles: list[Story], tmp_path: Path) -> None:
    command = os.environ.get("RETOLD_DEDUP")
    if command is None:
        pytest.skip("SKIPPED comparing with `dedup --unique`: RETOLD_DEDUP does not name the command")
    lines = [json.dumps({"id": article[0], "text": article[1]}, ensure_ascii=False) + "\n" for article in articles]
    (tmp_path / "in.jsonl").write_text("".join(lines), encoding="utf-8")
    subprocess.run([command, "-q", "--unique", tmp_path / "out.jsonl", tmp_path / "in.jsonl"], check=True)
    kept = (tmp_path / "out.jsonl").read_text(encoding="utf-8").splitlines(keepends=True)
    mask = retold.find([article[:2] for article in articles]).keep_mask()
    assert [line for line, keep in zip(lines, mask) if keep] == kept
