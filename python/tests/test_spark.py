"""`retold.spark` gives what `retold.find` gives, to the bit, however rows are ordered and partitioned.

A large corpus is compared as well if RETOLD_SPARK_CORPUS names a file of JSON lines with `id` and `text`: see `.ci/full`.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import struct
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import pytest

import retold
from corpus import Story, corpus, quotes

if shutil.which("java") is None and "JAVA_HOME" not in os.environ:
    print("SKIPPED Spark: Java is not installed", file=sys.stderr)
    pytest.skip("SKIPPED Spark: Java is not installed", allow_module_level=True)
pyspark = pytest.importorskip("pyspark", minversion="4.0")
pa = pytest.importorskip("pyarrow")

import retold.kernels  # noqa: E402
import retold.spark  # noqa: E402


# A run of Spark takes a minute on two cores: one is enough at every change.
full = pytest.mark.skipif("RETOLD_SPARK_CORPUS" not in os.environ, reason="part of .ci/full")


@pytest.fixture(scope="module")
def spark(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    from pyspark.sql import SparkSession

    folder = tmp_path_factory.mktemp("spark")
    events = os.environ.get("RETOLD_SPARK_EVENTS") or folder
    builder = SparkSession.builder.master("local[2, 4]").appName("retold").config("spark.ui.enabled", "false")
    for name, value in {
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.driver.host": "127.0.0.1",
        "spark.driver.maxResultSize": os.environ.get("RETOLD_SPARK_RESULT", "32m"),
        # In one partition a large corpus needs it.
        "spark.driver.memory": "4g" if "RETOLD_SPARK_CORPUS" in os.environ else "2g",
        "spark.eventLog.compress": "false",
        "spark.eventLog.dir": f"file:{events}",
        "spark.eventLog.enabled": "true",
        "spark.local.dir": str(folder),
        "spark.sql.warehouse.dir": str(folder),
        "spark.ui.showConsoleProgress": "false",
    }.items():
        builder = builder.config(name, value)
    session = builder.getOrCreate()
    session.sparkContext.setLogLevel("ERROR")
    yield session
    session.stop()


@pytest.fixture(scope="module")
def rng() -> random.Random:
    seed = int(os.environ.get("RETOLD_SEED") or random.SystemRandom().randrange(1 << 32))
    print(f"\nRETOLD_SEED={seed}", file=sys.stderr)
    return random.Random(seed)


@pytest.fixture(scope="module")
def articles(rng: random.Random) -> list[Story]:
    """Templates of many fillings, chains, repeated ids and empty texts; and many copies of one text, of which no two need be alike."""
    found = corpus(rng, 160)
    words = [f"w{rng.randrange(5000)}" for _ in range(200)]
    for copy in range(60):
        other = " ".join(rng.choice(words) if rng.random() < 0.06 else word for word in words)
        found.append((f"crowd-{rng.random()}", other, "2024-05-01", "a.example"))
    found += [(id, text + " They said so.", "2024-05-02", "b.example") for id, text, *_ in found[:20]]
    rng.shuffle(found)
    return found


def bits(number: float | None) -> bytes | None:
    return None if number is None else struct.pack("d", number)


def exactly(row: dict[str, Any]) -> Any:
    evidence = row["evidence"]
    numbers = None if evidence is None else tuple((name, bits(number)) for name, number in sorted(evidence.items()))
    return (row["representative"], row["id"], row["relation"], bits(row["similarity"]), numbers, row["via"])


def clusters(rows: list[dict[str, Any]]) -> list[Any]:
    """All clusters with all of their members, and every float by its bits."""
    found: dict[int, list[Any]] = {}
    for row in rows:
        found.setdefault(row["cluster"], []).append(exactly(row))
    return sorted(sorted(members, key=repr) for members in found.values())


def expected(articles: list[Story], **options: Any) -> list[Any]:
    report = retold.find(table(articles), **options)
    names = report.clusters["id"].to_pylist()
    return clusters([{**row, "representative": names[row["cluster"]]} for row in report.members.to_pylist()])


def found(frame: Any) -> list[Any]:
    return clusters([row.asDict(recursive=True) for row in frame.collect()])


def table(articles: list[Story]) -> Any:
    columns = list(zip(*articles))
    return pa.table({name: pa.array(columns[at], pa.string()) for at, name in enumerate(("id", "text", "date", "source"))})


def spread(spark: Any, articles: list[Story], partitions: int, rng: random.Random) -> Any:
    return spark.createDataFrame(table(rng.sample(articles, len(articles)))).repartition(partitions)


@full
@pytest.mark.parametrize("partitions", [1, 3, 8])
def test_reworded(spark: Any, articles: list[Story], rng: random.Random, partitions: int) -> None:
    wanted = expected(articles)
    assert len(wanted) > 50
    frame = spread(spark, articles, partitions, rng)
    result = retold.spark.find(frame, partitions=partitions)
    assert found(result) == wanted
    result.unpersist()


def passages(rows: list[dict[str, Any]]) -> list[Any]:
    """All excerpts, without the positions that only `retold.find` has."""
    names = ("host", "host_start", "host_end", "source", "source_start", "source_end", "words", "kind", "holders", "others", "date", "is_furniture")
    return sorted((*(row[name] for name in names), bits(row["same"])) for row in rows)


def check_excerpts(spark: Any, articles: list[Story], rng: random.Random, partitions: int, options: dict[str, Any]) -> int:
    options = {"date": "date", "source": "source", **options}
    known = pa.array([date.startswith("2024-01") for _, _, date, _ in articles])
    report = retold.find(table(articles).append_column("known", known), **options)
    frame = spread(spark, articles, partitions, rng)
    frame = frame.withColumn("known", frame["date"].startswith("2024-01"))
    found_in_spark = retold.spark.find(frame, partitions=partitions, **options)
    names = report.clusters["id"].to_pylist()
    wanted = clusters([{**row, "representative": names[row["cluster"]]} for row in report.members.to_pylist()])
    assert found(found_in_spark.members) == wanted
    excerpts = found_in_spark.excerpts
    assert passages([row.asDict() for row in excerpts.collect()]) == passages(report.excerpts.to_pylist())
    assert [name for name in report.excerpts.column_names if not name.endswith("_position")] == excerpts.columns
    found_in_spark.members.unpersist()
    excerpts.unpersist()
    return len(report.excerpts)


@pytest.mark.parametrize("partitions", [pytest.param(1, marks=full), 3, pytest.param(8, marks=full)])
def test_excerpts(spark: Any, articles: list[Story], rng: random.Random, partitions: int) -> None:
    assert check_excerpts(spark, articles + quotes(rng, 40), rng, partitions, {"excerpts": True}) > 10


@full
@pytest.mark.parametrize(
    "options",
    [{"level": "near", "known": "known"}, {"keep": "earliest", "source": None}, {"date": None}],
    ids=["near", "earliest", "dateless"],
)
def test_all_excerpts(spark: Any, articles: list[Story], rng: random.Random, options: dict[str, Any]) -> None:
    assert check_excerpts(spark, articles + quotes(rng, 40), rng, 3, {"excerpts": "find_all", **options}) > 20


@full
@pytest.mark.parametrize(
    "options",
    [
        {"level": "near", "threshold": 0.7, "containment": 1.0, "min_words": 12},
        {"level": "near", "keep": "earliest", "date": "date", "within": 20_000_000},
        {"prior": 0.05, "confidence": 0.3, "keep": "longest"},
    ],
    ids=["threshold", "dates", "prior"],
)
def test_options(spark: Any, articles: list[Story], rng: random.Random, options: dict[str, Any]) -> None:
    frame = spread(spark, articles, 3, rng)
    assert found(retold.spark.find(frame, partitions=3, **options)) == expected(articles, **options)


@full
def test_what_is_kept(spark: Any, articles: list[Story], rng: random.Random) -> None:
    everything: list[dict[str, Any]] = [{}, {"level": "near"}]
    for options in everything:
        wanted = table(articles).filter(pa.array(retold.find(table(articles), **options).keep_mask()))
        frame = spread(spark, articles, 3, rng)
        kept = retold.spark.keep(frame, partitions=3, **options)
        assert kept.columns == frame.columns
        rows = sorted((row["id"], row["text"]) for row in kept.collect())
        assert rows == sorted(zip(wanted["id"].to_pylist(), wanted["text"].to_pylist()))


@full
@pytest.mark.parametrize("level", ["near", "reworded"])
def test_next_to_nothing(spark: Any, level: Literal["near", "reworded"]) -> None:
    some: list[Any] = [[], [("a", "")], [("a", "One text of a few words."), ("b", None)]]
    for rows in some if level == "reworded" else some[2:]:
        frame = spark.createDataFrame(rows, "id string, text string")
        assert len(retold.spark.keep(frame, level=level, partitions=2).collect()) == len(rows)
        assert [df.collect() for df in retold.spark.find(frame, level=level, partitions=2, excerpts=True)] == [[], []]


def test_what_is_refused(spark: Any) -> None:
    frame = spark.createDataFrame([("a", "One text.")], "id string, text string")
    for options, message in (
        ({"search": "exhaustive"}, "exhaustive"),
        ({"keep": "first"}, "no order"),
        ({"near_misses": 0.3}, "near misses"),
        ({"threshold": 2.0}, "threshold = 2 is out of range"),
    ):
        with pytest.raises(ValueError, match=message):
            retold.spark.find(frame, **options)
    with pytest.raises(ValueError, match="leave excerpts out"):
        retold.spark.keep(frame, excerpts=True)
    for excerpts in (False, True):
        with pytest.raises(KeyError, match="no column 'body' for the text: give text= one of id, text"):
            retold.spark.find(frame, text="body", excerpts=excerpts)
    nameless = spark.createDataFrame([(None, "One text of a few words.")], "id string, text string")
    with pytest.raises(ValueError, match="some ids are null"):
        retold.spark.find(nameless)
    odd = spark.createDataFrame([("a", "One text.", 5, "yes", 1.5)], "id string, text string, number int, word string, float double")
    columns: list[tuple[dict[str, Any], str]] = [
        ({"text": "number"}, 'column "number" is int: give strings'),
        ({"id": "float"}, 'column "float" is double: give strings, integers, dates or timestamps'),
        ({"date": "float"}, 'column "float" is double: give strings, integers'),
        ({"known": "word"}, 'column "word" is string: give Booleans'),
        ({"known": "number"}, 'column "number" is int: give Booleans'),
    ]
    for names, message in columns:
        with pytest.raises(TypeError, match=message):
            retold.spark.find(odd, **names)


def test_rows_that_come_out_differently(spark: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ids that are drawn anew whenever a row is computed, in a frame with names and types of all kinds."""
    from pyspark.sql import functions as F

    texts = [f"The ferry number {n // 2} leaves pier {n // 2 * 7} at nine {'!' * (n % 2)}" for n in range(60)]
    frame = spark.createDataFrame(list(zip(texts, range(60))), "`the text` string, n long").repartition(3)
    name = F.udf(lambda: os.urandom(8).hex()).asNondeterministic()
    frame = frame.withColumn("my-id", name()).withColumn("day", F.lit(None)).withColumn("old", F.lit(None))
    frame = frame.withColumn("in.side", F.struct(F.lit(1).alias("a b"), F.array(F.lit("x")).alias("c-d"), F.map_from_arrays(F.array("n"), F.array("n")).alias("e:f")))
    options: dict[str, Any] = {"text": "the text", "id": "my-id", "date": "day", "known": "old", "level": "near", "partitions": 2}
    kept = retold.spark.keep(frame, **options)
    assert kept.schema.simpleString() == frame.schema.simpleString()
    assert sorted(row["n"] // 2 for row in kept.collect()) == list(range(30))
    kept.unpersist()
    # As if executors were lost again and again.
    monkeypatch.setattr(retold.spark._Run, "persist", lambda run, df: df)
    with pytest.raises(ValueError, match=r"the rows changed during the run: 60 were expected and 0 came.*df\.checkpoint\(\)"):
        retold.spark.keep(frame, **options)


def test_dates_that_are_none_are_told(spark: Any) -> None:
    rows = [(f"{n}", f"One text of a few words, number {n}.", date) for n, date in enumerate(["17.05.2024", "2024-05-17", "", None, "2024-02-30"])]
    frame = spark.createDataFrame(rows, "id string, text string, d string")
    with pytest.warns(UserWarning, match="2 dates cannot be read and count as none, such as '17.05.2024'") as told:
        retold.spark.find(frame, date="d", level="near", partitions=2).unpersist()
    assert [warning.filename for warning in told if warning.category is UserWarning] == [__file__]


@full
def test_ids_are_those_of_a_run(spark: Any) -> None:
    text = "The ferry leaves the harbour at nine on every weekday morning."
    for kind, values in [
        ("date", ["'2024-05-17'", "'2024-05-18'"]),
        ("timestamp", ["'2024-05-17 09:30:15'", "'2024-05-17 09:30:15.5'"]),
        ("timestamp_ntz", ["'2024-05-17 00:00:00'", "'2024-05-17 09:30:15.000120'"]),
        ("bigint", ["-7", "12"]),
        ("string", ["'2024-05-17 09:30:15'", "'b'"]),
    ]:
        frame = spark.sql(" UNION ALL ".join(f"SELECT CAST({value} AS {kind}) AS id, '{text}' AS text" for value in values))
        members = retold.spark.find(frame, level="near", partitions=2)
        ids = sorted({name for row in members.collect() for name in (row["id"], row["representative"])})
        members.unpersist()
        report = retold.find(frame.toArrow(), level="near")
        assert ids == sorted([*report.clusters["id"].to_pylist(), *report.members["id"].to_pylist()]), kind


@full
def test_what_only_date_or_source_tell_apart_stands_in_one_order(spark: Any, rng: random.Random) -> None:
    text = "The ferry leaves the harbour at nine on every weekday morning, and comes back at noon."
    dates = [None, "2024-05-17", "2024-05-17T00:00:00Z", "2024-06-01"]
    rows: list[Any] = [("x", text, date, source) for date in dates for source in (None, "Herald", "Post")]
    rows += [("x", text + " They said so.", date, source) for _, _, date, source in rows]
    kept = set()
    for _ in range(2):
        rng.shuffle(rows)
        frame = spark.createDataFrame(rows, "id string, text string, day string, paper string").repartition(3)
        stays = retold.spark.keep(frame, date="day", level="near", partitions=2)
        (row,) = stays.collect()
        stays.unpersist()
        # Who wrote it is not asked.
        kept.add(row["day"])
        columns = dict(zip(("id", "text", "day", "paper"), zip(*rows)))
        mask = retold.find(pa.table(columns), date="day", level="near").keep_mask()
        kept.update(row[2] for row, stays in zip(rows, mask) if stays)
    assert len(kept) == 1


def test_workers_of_another_version_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    step = retold.kernels.Step("number")
    batch = pa.record_batch({"text": ["One text."]})
    format, exchanged, rule = retold.kernels.VERSION
    # What is signed, what is exchanged, and what is judged by.
    for other in [(format + 1, exchanged, rule), (format, exchanged + 1, rule), (format, exchanged, rule + 1)]:
        step.version = other
        written = r"\.".join(map(str, other))
        with pytest.raises(ValueError, match=rf"of version \d+\.\d+\.\d+, and the step was made by version {written}"):
            list(step([batch]))


@full
def test_long_texts_need_no_more_memory(spark: Any, rng: random.Random, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    call = retold.kernels.Step.__call__
    sizes = str(tmp_path)

    class Weighing(retold.kernels.Step):
        def __call__(self, batches: Any) -> Any:
            def weighed() -> Any:
                for batch in batches:
                    Path(sizes, f"{batch.nbytes:012}-{self.kernel}").touch()
                    yield batch

            yield from call(self, weighed())

    limit = 1 << 20
    monkeypatch.setattr(retold.spark, "Step", Weighing)
    monkeypatch.setattr(retold.spark, "_BATCH", limit)
    words = [f"w{rng.randrange(9000)}" for _ in range(20_000)]
    articles = [(f"{n}", " ".join(rng.sample(words, 15_000)), "", "") for n in range(60)]
    articles += [(f"{n}-again", text, "", "") for n, (_, text, *_) in enumerate(articles[:5])]
    result = retold.spark.find(spread(spark, articles, 2, rng), level="near", partitions=2)
    assert found(result) == expected(articles, level="near") != []
    largest = max(path.name for path in tmp_path.iterdir())
    # A batch may end in a row that is beyond the limit, and rows of pairs have two texts.
    row = 3 * max(len(article[1]) for article in articles)
    assert limit // 2 < int(largest.split("-")[0]) <= limit + row < 2 * limit, largest


@full
def test_a_worker_that_dies_is_run_again(
    spark: Any, articles: list[Story], rng: random.Random, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each kernel's first task ends its process, once."""
    wanted = expected(articles, level="near")
    call = retold.kernels.Step.__call__
    died = str(tmp_path)

    def dying(step: retold.kernels.Step, batches: Any) -> Any:
        once = Path(died, step.kernel)
        for batch in call(step, batches):
            if not once.exists():
                once.touch()
                os._exit(1)
            yield batch

    class Dying(retold.kernels.Step):
        __call__ = dying

    monkeypatch.setattr(retold.spark, "Step", Dying)
    assert found(retold.spark.find(spread(spark, articles, 3, rng), level="near", partitions=3)) == wanted
    assert len(list(tmp_path.iterdir())) > 5


def stages(spark: Any) -> list[tuple[str, list[dict[str, Any]]]]:
    """What the event log says of each stage so far: of which of ours it is, and the metrics of its tasks."""
    spark.sparkContext._jsc.sc().listenerBus().waitUntilEmpty()
    names: dict[int, str] = {}
    tasks: dict[int, list[dict[str, Any]]] = {}
    folder = Path(spark.conf.get("spark.eventLog.dir").removeprefix("file:"))
    for path in folder.glob(f"*{spark.sparkContext.applicationId}*/events_*"):
        for line in path.read_text(encoding="utf-8").splitlines():
            event = json.loads(line)
            if event["Event"] == "SparkListenerJobStart":
                name = event["Properties"].get("spark.job.description") or ""
                names |= {stage: name for stage in event["Stage IDs"] if stage not in names}
            elif event["Event"] == "SparkListenerTaskEnd" and "Task Metrics" in event:
                tasks.setdefault(event["Stage ID"], []).append(event["Task Metrics"])
    return [(names.get(stage, ""), tasks[stage]) for stage in sorted(tasks)]


def read_by(task: dict[str, Any]) -> int:
    read = task["Shuffle Read Metrics"]
    return int(read["Local Bytes Read"] + read["Remote Bytes Read"])


@pytest.mark.skipif("RETOLD_SPARK_CORPUS" not in os.environ, reason="RETOLD_SPARK_CORPUS names no large corpus")
@pytest.mark.parametrize("partitions", [1, 3, 8])
def test_large(spark: Any, rng: random.Random, tmp_path: Path, partitions: int) -> None:
    import pyarrow.parquet as pq

    with open(os.environ["RETOLD_SPARK_CORPUS"], encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines]
    rng.shuffle(rows)
    columns = {name: [row[name] for row in rows] for name in ("id", "text")}
    pq.write_table(pa.table(columns), tmp_path / "corpus.parquet", row_group_size=4096)
    frame = spark.read.parquet(str(tmp_path / "corpus.parquet")).repartition(partitions)
    runs: list[dict[str, Any]] = [{"level": "near"}, {"level": "reworded"}, {"level": "reworded", "excerpts": True}]
    for options in runs:
        report = retold.find(pa.table(columns), **options)
        names = report.clusters["id"].to_pylist()
        wanted = clusters([{**row, "representative": names[row["cluster"]]} for row in report.members.to_pylist()])
        times: dict[str, float] = {}
        before = len(stages(spark))
        result = retold.spark.find(frame, partitions=partitions, progress=times.__setitem__, **options)
        print(f"\n{partitions} partitions, {options}: {times}, {sum(times.values()):.1f} s", file=sys.stderr)
        members = result
        if "excerpts" in options:
            members, excerpts = result
            assert passages([row.asDict() for row in excerpts.collect()]) == passages(report.excerpts.to_pylist())
            excerpts.unpersist()
        assert found(members) == wanted
        members.unpersist()
        ran = stages(spark)[before:]
        shuffled: dict[str, float] = {}
        for name, tasks in ran:
            written = sum(task["Shuffle Write Metrics"]["Shuffle Bytes Written"] for task in tasks)
            shuffled[name] = shuffled.get(name, 0.0) + written / 1000 / len(rows)
            total = sum(map(read_by, tasks))
            if total > 1_000_000:
                assert max(map(read_by, tasks)) <= 2 * total / len(tasks), (name, list(map(read_by, tasks)))
        print(f"KB shuffled an article: {sum(shuffled.values()):.1f}, {shuffled}", file=sys.stderr)
        assert 0.0 < sum(shuffled.values()) <= 30.0
