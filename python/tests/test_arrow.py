"""Arrow data of every library and type gives what lists give, without a copy of a text."""

from __future__ import annotations

import datetime
import json
import random
from typing import Any

import pytest

import retold
from corpus import corpus

pa = pytest.importorskip("pyarrow", reason="SKIPPED the tests of Arrow data: pyarrow is not installed")

ARTICLES = corpus(random.Random(7), 60)
IDS = [id for id, *_ in ARTICLES]
TEXTS = [text for _, text, *_ in ARTICLES]


def found(articles: Any, **options: Any) -> dict[str, Any]:
    report: dict[str, Any] = json.loads(retold.find(articles, **options).to_json())
    del report["summary"]["times"]
    return report


EXPECTED = found(list(zip(IDS, TEXTS)))


def table(type: Any = None) -> Any:
    return pa.table({"id": IDS, "text": pa.array(TEXTS, type or pa.string())})


def test_something_is_found() -> None:
    assert len(EXPECTED["clusters"]) > 5 and len(EXPECTED["skipped"]) > 1


@pytest.mark.parametrize("kind", ["string", "large_string", "string_view"])
def test_kinds_of_strings(kind: str) -> None:
    if not hasattr(pa, kind):
        pytest.skip(f"SKIPPED {kind}: this pyarrow has none")
    assert found(table(getattr(pa, kind)())) == EXPECTED


def test_dictionaries() -> None:
    for keys in (pa.int16(), pa.uint16(), pa.int32(), pa.int64()):
        coded = pa.array(TEXTS).dictionary_encode().cast(pa.dictionary(keys, pa.string()))
        assert found(pa.table({"id": IDS, "text": coded})) == EXPECTED


def test_chunks_slices_and_offsets() -> None:
    chunked = pa.table({"id": pa.chunked_array([IDS[:7], [], IDS[7:]]), "text": pa.chunked_array([TEXTS[:30], TEXTS[30:]])})
    assert found(chunked) == EXPECTED
    around = pa.table({"id": ["x", *IDS, "y"], "text": [TEXTS[0], *TEXTS, TEXTS[1]]})
    assert found(around.slice(1, len(IDS))) == EXPECTED
    for kind in (pa.large_string(), pa.string_view()):
        assert found(around.set_column(1, "text", around["text"].cast(kind)).slice(1, len(IDS))) == EXPECTED
    coded = around.set_column(1, "text", around["text"].dictionary_encode())
    assert found(coded.slice(1, len(IDS))) == EXPECTED


def test_streams_and_batches() -> None:
    whole = table()
    assert found(whole.to_reader(max_chunksize=5)) == EXPECTED
    assert found(pa.RecordBatchReader.from_batches(whole.schema, iter(whole.to_batches(3)))) == EXPECTED
    assert found(whole.to_batches()[0]) == EXPECTED
    assert found(whole.to_reader(max_chunksize=5), memory="10 kB") == EXPECTED
    assert found(whole, memory="10 kB") == EXPECTED
    collector = retold.Collector()
    for batch in whole.to_batches(9):
        collector.extend(batch)
    report = json.loads(collector.find().to_json())
    assert report["clusters"] == EXPECTED["clusters"] and report["removals"] == EXPECTED["removals"]


def test_columns_alone() -> None:
    numbered = found(TEXTS)
    assert found(pa.array(TEXTS)) == numbered
    assert found(pa.chunked_array([TEXTS[:10], TEXTS[10:]])) == numbered
    assert found(pa.table({"text": pa.chunked_array([TEXTS[:10], TEXTS[10:]])})) == numbered
    with pytest.raises(TypeError, match="the articles are one column of"):
        retold.find(pa.array(TEXTS), date="day")


def test_ids_and_nulls() -> None:
    numbers = list(range(len(TEXTS)))
    expected = found(TEXTS)
    for kind in (pa.int16(), pa.uint16(), pa.int64(), pa.uint64()):
        assert found(pa.table({"id": pa.array(numbers, kind), "text": TEXTS})) == expected
    some: list[int | None] = [None if number % 3 else number for number in numbers]
    assert found(pa.table({"id": pa.array(some, pa.int64()), "text": TEXTS})) == expected
    report = retold.find(pa.table({"text": pa.array([TEXTS[0], None, TEXTS[0]])}))
    assert report.skipped["reason"].to_pylist() == ["empty"]
    assert list(report.keep_mask()) == [True, True, False]
    assert len(retold.find(pa.table({"text": pa.nulls(3)})).skipped) == 3


def test_dates() -> None:
    days = [datetime.datetime(2024, 5, 17), datetime.datetime(2024, 5, 24), datetime.datetime(2024, 5, 24, 0, 0, 1)]
    texts = [TEXTS[0]] * 3
    utc = [day.replace(tzinfo=datetime.timezone.utc) for day in days]
    east = pa.array(utc).cast(pa.timestamp("ms", "Asia/Tokyo"))
    kinds = [pa.array(days, pa.timestamp(unit)) for unit in ("s", "ms", "us", "ns")] + [east]
    for column in [*kinds, pa.array([day.isoformat() for day in days])]:
        report = retold.find(pa.table({"text": texts, "day": column}), date="day", within=7 * 86400)
        assert report.members["position"].to_pylist() == [1], column.type
    for kind in (pa.date32(), pa.date64()):
        column = pa.array([datetime.date(2024, 5, 17), datetime.date(2024, 5, 25), None], kind)
        report = retold.find(pa.table({"text": texts, "day": column}), date="day", within=7 * 86400)
        assert len(report.members) == 0


def test_a_label_has_one_form_wherever_it_comes_from() -> None:
    Zone = datetime.timezone
    moment = datetime.datetime(2024, 5, 17, 9, 30, 15)
    east = Zone(datetime.timedelta(hours=2))
    labels = [
        (pa.date32(), datetime.date(2024, 5, 17), "2024-05-17"),
        (pa.timestamp("us"), moment.replace(hour=0, minute=0, second=0), "2024-05-17T00:00:00"),
        (pa.timestamp("us"), moment, "2024-05-17T09:30:15"),
        (pa.timestamp("us"), moment.replace(microsecond=500_000), "2024-05-17T09:30:15.500"),
        (pa.timestamp("us"), moment.replace(microsecond=120), "2024-05-17T09:30:15.000120"),
        (pa.timestamp("us", "UTC"), moment.replace(tzinfo=Zone.utc), "2024-05-17T09:30:15Z"),
        (pa.timestamp("us", "+02:00"), moment.replace(tzinfo=east, microsecond=500_000), "2024-05-17T07:30:15.500Z"),
        (pa.int64(), -7, "-7"),
        (pa.uint8(), 7, "7"),
        (pa.string(), "2024-05-17T09:30:15+02:00", "2024-05-17T09:30:15+02:00"),
    ]
    for kind, label, wanted in labels:
        texts = [TEXTS[0]] * 2
        columns = pa.table({"id": pa.array([label] * 2, kind), "text": texts})
        objects = [{"id": label, "text": text} for text in texts]
        given: list[Any] = [columns, objects, [(label, text) for text in texts]]
        for articles in given:
            assert retold.find(articles).members["id"].to_pylist() == [wanted], (kind, type(articles))
    pd = pytest.importorskip("pandas")
    stamp = pd.Timestamp(2024, 5, 17, 9, 30, 15, 120, nanosecond=7)
    column = pa.array([stamp.value] * 2).cast(pa.timestamp("ns"))
    given = [pa.table({"id": column, "text": texts}), [(stamp, text) for text in texts]]
    for articles in given:
        assert retold.find(articles).members["id"].to_pylist() == ["2024-05-17T09:30:15.000120007"]
    stamps = pd.DataFrame({"id": [stamp.tz_localize("Asia/Tokyo")] * 2, "text": texts})
    given = [stamps, stamps.to_dict("records")]
    for articles in given:
        assert retold.find(articles).members["id"].to_pylist() == ["2024-05-17T00:30:15.000120007Z"]


def test_known() -> None:
    known = pa.array([False, True, None])
    report = retold.find(pa.table({"text": [TEXTS[0]] * 3, "old": known}), known="old")
    assert list(report.keep_mask()) == [False, True, False]
    report = retold.find(pa.table({"text": [TEXTS[0]] * 3, "old": pa.nulls(3)}), known="old")
    assert list(report.keep_mask()) == [True, False, False]


def test_no_rows() -> None:
    for nothing in (table().slice(0, 0), pa.table({"text": pa.array([], pa.string())}), pa.array([], pa.string())):
        report = retold.find(nothing)
        assert len(report.keep_mask()) == 0 and pa.table(report.members).num_rows == 0
        assert pa.table(report.excerpts).num_rows == pa.table(report.clusters).num_rows == 0


def test_wrong_columns() -> None:
    with pytest.raises(KeyError, match="no column .*body.* for the text: give text= one of id, text"):
        retold.find(table(), text="body")
    with pytest.raises(TypeError, match='column "text" is Int64: give strings'):
        retold.find(pa.table({"text": [1, 2]}))
    with pytest.raises(TypeError, match='column "id" is Float64: give strings, integers, dates'):
        retold.find(pa.table({"text": TEXTS[:1], "id": [1.5]}))
    with pytest.raises(TypeError, match='column "old" is Utf8: give Booleans'):
        retold.find(pa.table({"text": TEXTS[:1], "old": ["yes"]}), known="old")


def test_strings_that_are_no_utf8() -> None:
    for kind in (pa.string(), pa.large_string()):
        small = kind == pa.string()
        offsets = pa.array([0, 3, 5, 6], pa.int32() if small else pa.int64()).buffers()[1]
        broken = pa.Array.from_buffers(kind, 3, [None, offsets, pa.py_buffer(b"abc\xff\xfed")])
        with pytest.raises(ValueError, match='column "text", row 1: the string is not valid UTF-8'):
            retold.find(pa.table({"text": broken}))
        # Cut in the middle of a letter.
        offsets = pa.array([0, 1, 2], pa.int32() if small else pa.int64()).buffers()[1]
        cut = pa.Array.from_buffers(kind, 2, [None, offsets, pa.py_buffer("ä".encode())])
        with pytest.raises(ValueError, match="row 0"):
            retold.sign(pa.table({"text": cut}))


def test_a_stream_that_fails() -> None:
    def batches() -> Any:
        yield table().to_batches()[0]
        raise RuntimeError("the network is down")

    with pytest.raises(ValueError, match="the network is down"):
        retold.find(pa.RecordBatchReader.from_batches(table().schema, batches()))


@pytest.mark.parametrize("threads", [1, 2])
def test_a_stream_that_asks_for_copies_itself(threads: int) -> None:
    def batches() -> Any:
        for batch in table().to_batches(2):
            retold.find(batch, threads=threads)
            yield batch

    stream = pa.RecordBatchReader.from_batches(table().schema, batches())
    assert found(stream, threads=threads) == EXPECTED


def test_results_are_arrow_data() -> None:
    report = retold.find(table(), excerpts="find_all", near_misses=0.1)
    for name in ("clusters", "members", "pairs", "removals", "excerpts", "skipped"):
        result = getattr(report, name)
        arrow = pa.table(result)
        arrow.validate(full=True)
        assert arrow.to_pylist() == result.to_pylist()
        assert pa.schema(result) == arrow.schema
    mask = pa.array(report.keep_mask())
    kept = table().filter(mask)
    assert kept.num_rows == len(TEXTS) - len(report.removals)
    copies = pa.array(report.duplicate_of())
    assert copies.is_null().to_pylist() == mask.to_pylist()
    signatures = pa.array(retold.sign(table()))
    assert signatures.type == pa.list_(pa.field("item", pa.uint32(), nullable=False), 128) and len(signatures) == len(TEXTS)
    assert signatures.to_pylist() == retold.sign(TEXTS).to_pylist()
    assert pa.array(retold.simhash(table())).type == pa.uint64()


def test_texts_are_not_copied() -> None:
    """Counted by pyarrow's pool and by the process: 64 MB of text and signatures of 16 slots."""
    resource = pytest.importorskip("resource", reason="SKIPPED measuring memory: no resource module")
    text = " ".join(f"word{number}" for number in range(1000))
    big = pa.table({"text": pa.array([text + str(number) for number in range(8000)], pa.large_string())})
    retold.sign(big.slice(0, 100), slots=16)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    retold.sign(big, slots=16)
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024
    assert grown < 0.1 * big.nbytes, f"{grown} bytes more for {big.nbytes} bytes of text"


def test_polars() -> None:
    pl = pytest.importorskip("polars", reason="SKIPPED: polars is not installed")
    frame = pl.DataFrame({"id": IDS, "text": TEXTS})
    assert found(frame) == EXPECTED
    assert found(frame["text"]) == found(TEXTS)
    assert found(frame.with_columns(pl.col("text").cast(pl.Categorical))) == EXPECTED
    report = retold.find(frame)
    assert len(frame.filter(pl.Series(report.keep_mask()))) == len(TEXTS) - len(report.removals)
    assert pl.DataFrame(report.members).height == len(report.members)
    assert pl.DataFrame(report.clusters)["size"].sum() == len(report.members) + len(report.clusters)


def test_polars_columns_that_nobody_named() -> None:
    pl = pytest.importorskip("polars", reason="SKIPPED: polars is not installed")
    frame = pl.DataFrame({"id": ["a", "b"], "text": ["the ferry leaves at nine", "the ferry leaves at nine!"]})
    odd = frame.with_columns(author=pl.lit(None), tags=pl.Series([[], []]), large=pl.Series([1, 2], dtype=pl.Int128))
    assert len(retold.find(odd).clusters) == 1
    assert retold.sign(odd) is not None
    with pytest.raises(KeyError, match="author"):
        retold.find(frame.rename({"text": "body"}).with_columns(author=pl.lit("x")))


def test_polars_columns_without_a_type() -> None:
    pl = pytest.importorskip("polars", reason="SKIPPED: polars is not installed")
    nothing = pl.DataFrame({"text": [None, None]})
    for articles in (nothing, nothing["text"]):
        assert retold.find(articles).skipped["reason"].to_pylist() == ["empty", "empty"]
    frame = pl.DataFrame({"text": TEXTS[:2], "id": [None, None], "day": [None, None], "old": [None, None]})
    assert found(frame, date="day", known="old") == found(TEXTS[:2])


def test_polars_queries_that_have_not_run() -> None:
    pl = pytest.importorskip("polars", reason="SKIPPED: polars is not installed")
    with pytest.raises(TypeError, match=r"LazyFrame.*give articles\.collect\(\)"):
        retold.find(pl.LazyFrame({"text": TEXTS[:2]}))


def test_pandas_columns_that_nobody_named() -> None:
    pd = pytest.importorskip("pandas", minversion="2.2", reason="SKIPPED: pandas from 2.2 is not installed")
    frame = pd.DataFrame({"id": IDS, "text": TEXTS, 5: 1})
    frame["mixed"] = [1 if at % 2 else "one" for at in range(len(IDS))]
    assert found(frame) == EXPECTED
    assert found(frame.set_index("id")) == EXPECTED
    with pytest.raises(KeyError, match="give text= one of id, text, mixed"):
        retold.find(frame, text="body")


def test_pandas() -> None:
    pd = pytest.importorskip("pandas", minversion="2.2", reason="SKIPPED: pandas from 2.2 is not installed")
    np = pytest.importorskip("numpy")
    frame = pd.DataFrame({"id": IDS, "text": TEXTS})
    assert found(frame) == EXPECTED
    assert found(frame.astype({"text": "string[pyarrow]"})) == EXPECTED
    report = retold.find(frame)
    assert len(frame[np.asarray(report.keep_mask())]) == len(frame[list(report.keep_mask())]) == len(TEXTS) - len(report.removals)
    assert list(pa.table(report.members).to_pandas()["id"]) == report.members["id"].to_pylist()


def test_duckdb() -> None:
    duckdb = pytest.importorskip("duckdb", reason="SKIPPED: DuckDB is not installed")
    articles = table()
    assert articles.num_rows
    connection = duckdb.connect()
    assert found(connection.sql("select * from articles")) == EXPECTED
    assert found(connection.sql("select * from articles"), memory="10 kB") == EXPECTED
    members = retold.find(connection.sql("select * from articles")).members
    assert connection.sql("select count(*) from members").fetchall() == [(len(members),)]


def test_datasets() -> None:
    datasets = pytest.importorskip("datasets", reason="SKIPPED: Hugging Face datasets is not installed")
    dataset = datasets.Dataset.from_dict({"id": IDS, "text": TEXTS})
    assert found(dataset) == EXPECTED
    order = list(range(len(IDS)))[::-1]
    assert found(dataset.select(order).select(order)) == EXPECTED
    assert found(dataset.to_iterable_dataset()) == EXPECTED
    assert len(retold.find(datasets.Dataset.from_dict({"text": []})).keep_mask()) == 0
    with pytest.raises(TypeError, match=r"give one of its splits \(train\)"):
        retold.find(datasets.DatasetDict({"train": dataset}))


def test_streams_of_datasets_that_change() -> None:
    datasets = pytest.importorskip("datasets", reason="SKIPPED: Hugging Face datasets is not installed")
    many = 21_000

    def stream(**columns: Any) -> Any:
        def rows() -> Any:
            for at in range(many):
                yield {"text": f"story {at} of many words", **{name: value(at) for name, value in columns.items()}}

        return datasets.IterableDataset.from_generator(rows)

    def change(before: Any, after: Any) -> Any:
        return lambda at: before(at) if at < many // 2 else after(at)

    # Of no type at first, of another one later, and where nobody looks.
    odd = stream(text=change(lambda at: None, lambda at: TEXTS[0]), id=change(int, str), other=change(str, int))
    for memory in (None, "1 MB"):
        report = retold.find(odd, level="near", memory=memory)
        assert len(report.skipped) == many // 2 and len(report.members) == many // 2 - 1
        assert report.clusters["id"].to_pylist() == [str(many // 2)]
    for column, kind in (("id", float), ("text", int)):
        with pytest.raises(TypeError, match=rf"articles\[{many // 2}\]: its {column} is {kind.__name__}: give a string"):
            retold.find(stream(**{column: change(str, kind)}), level="near")
    with pytest.raises(KeyError, match=r"articles\[0\] has no .*body"):
        retold.find(odd, text="body")
    nothing = datasets.IterableDataset.from_generator(lambda: iter(()))
    assert len(retold.find(nothing, text="body").keep_mask()) == 0
    typed = datasets.Dataset.from_dict({"id": IDS, "body": TEXTS, "other": TEXTS})
    for dataset in (typed, typed.to_iterable_dataset(), typed.select(range(0))):
        with pytest.raises(KeyError, match="no column .*text.* for the text: give text= one of id, body, other"):
            retold.find(dataset)
        assert len(retold.find(dataset, text="body").keep_mask()) == sum(1 for _ in dataset)


def test_numpy() -> None:
    np = pytest.importorskip("numpy", reason="SKIPPED: numpy is not installed")
    for articles in (TEXTS, []):
        report = retold.find(articles, excerpts="find_all")
        for table, column, kind in (
            (report.members, "position", np.int64),
            (report.members, "similarity", np.float32),
            (report.members, "evidence", object),
            (report.members, "id", np.str_),
            (report.excerpts, "is_furniture", bool),
            (report.excerpts, "others", object),
        ):
            if column == "evidence" and None in table[column]:
                continue
            array = np.asarray(table[column])
            assert array.tolist() == table[column].to_pylist() and array.shape == (len(table),)
            assert np.issubdtype(array.dtype, kind), (column, array.dtype)
    assert np.asarray(retold.sign([], slots=32)).shape == (0, 32)
    assert np.asarray(retold.find(TEXTS).keep_mask()).dtype == bool
    long = [text for text in TEXTS if len(text.split()) > 20]
    signatures = np.asarray(retold.sign(long, slots=32))
    assert signatures.shape == (len(long), 32) and signatures.dtype == np.uint32
    assert signatures[3].tolist() == retold.sign(long, slots=32)[3]
    assert np.asarray(retold.simhash(long)).dtype == np.uint64
    with pytest.raises(ValueError, match="numpy knows no null"):
        np.asarray(retold.sign(["", *long]))
