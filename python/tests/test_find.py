"""What `find` gives for articles of every form."""

from __future__ import annotations

import datetime
import json
import warnings
from collections import UserDict
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest

import retold

FERRY = "The ferry to Orrin will stop in March, the harbour board announced on Monday."
REPRINT = "The ferry to Orrin will stop in March - the harbour board announced on Monday!"
SNOW = "Snow closed the mountain road to Hallin for the third time in a week."
UNICODE = "Straße nach Łódź 東京 — “naïve” 🛳️ fährt um neun."


def without_times(report: retold.Report) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(report.to_json())
    del found["summary"]["times"]
    return found


def test_forms_of_python_objects() -> None:
    texts = [FERRY, REPRINT, SNOW]
    ids = ["0", "1", "2"]
    found = [
        without_times(retold.find(articles))
        for articles in (
            texts,
            tuple(texts),
            iter(texts),
            list(zip(ids, texts)),
            [list(pair) for pair in zip(ids, texts)],
            list(zip(range(3), texts)),
            [{"id": id, "text": text} for id, text in zip(ids, texts)],
            [{"text": text, "other": 1} for text in texts],
            [UserDict({"id": id, "text": text}) for id, text in zip(ids, texts)],
            [MappingProxyType({"text": text}) for text in texts],
        )
    ]
    assert all(other == found[0] for other in found)
    assert [cluster["representative"]["id"] for cluster in found[0]["clusters"]] == ["0"]


def test_empty_texts_are_skipped_with_a_reason() -> None:
    report = retold.find([FERRY, "", None, "Two words", REPRINT, ("x", None)])
    assert report.skipped["position"].to_pylist() == [1, 2, 3, 5]
    assert report.skipped["reason"].to_pylist() == ["empty", "empty", "too_short", "empty"]
    assert "leave it out" in report.skipped["message"][0]
    # What could not be compared stays.
    assert list(report.keep_mask()) == [True, True, True, True, False, True]


def test_nothing_at_all() -> None:
    empty: list[Any] = [[], iter(())]
    for nothing in empty:
        report = retold.find(nothing)
        assert len(report.keep_mask()) == len(report.members) == len(report.clusters) == 0
        assert report.keep_mask().to_pylist() == []
        assert report.members.to_pylist() == []
        assert report.html()


def test_ids_may_repeat() -> None:
    report = retold.find([("a", FERRY), ("a", REPRINT), ("a", SNOW)])
    assert list(report.keep_mask()).count(False) == 1 and report.keep_mask()[2]
    assert sorted(map(str, report.duplicate_of())) == ["None", "None", "a"]


def test_text_beyond_ascii() -> None:
    report = retold.find([("ä", UNICODE), ("東", UNICODE.lower())])
    assert report.members["id"][0] == "東"
    assert report.members["relation"][0] == "exact"


def test_dates_and_sources() -> None:
    days = [datetime.date(2024, 5, 17), datetime.datetime(2024, 5, 24), "2024-05-25"]
    articles = [{"text": FERRY, "on": day} for day in days]
    report = retold.find(articles, date="on", within=datetime.timedelta(days=7), keep="earliest")
    assert report.members["id"].to_pylist() == ["1"]
    assert list(retold.find(articles, date="on", within=3600).keep_mask()) == [True, True, True]


def test_known_articles_stay() -> None:
    articles = [{"text": FERRY, "old": False}, {"text": REPRINT, "old": True}]
    assert list(retold.find(articles, known="old").keep_mask()) == [False, True]


def test_the_defaults_are_the_crates() -> None:
    import inspect

    from retold import _retold

    crate = _retold.defaults()
    renamed = {"keep": "representative"}
    others = {"articles", "text", "id", "date", "source", "known", "threads", "progress"}
    for name, parameter in inspect.signature(retold.find).parameters.items():
        if name not in others:
            default = crate[renamed.get(name, name)]
            assert parameter.default == ({"ignore": False}.get(default, default) if name == "excerpts" else default), name


def test_tables() -> None:
    report = retold.find([FERRY, REPRINT, SNOW, FERRY.replace("March", "May")], level="near", near_misses=0.01)
    members = report.members.to_pylist()
    assert [(row["id"], row["relation"], row["evidence"] is None) for row in members] == [
        ("1", "exact", True),
        ("3", "near", False),
    ]
    assert members[1]["evidence"]["jaccard"] == members[1]["similarity"]
    assert members[1]["evidence"]["names"] is None
    assert [(row["left"], row["right"], row["relation"]) for row in report.pairs.to_pylist()][:2] == [
        ("0", "1", "exact"),
        ("0", "3", "near"),
    ]
    assert report.clusters.to_pylist()[0]["size"] == 3
    assert report.removals["kept"].to_pylist()[0] == "0"
    assert report.summary["documents"] == 4 and set(report.summary["times"]) >= {"sign", "near"}
    with pytest.raises(KeyError, match="no column \"ids\": use one of cluster, id"):
        report.members["ids"]
    assert list(report.keep_mask()[1:3]) == [False, True]
    with pytest.raises(IndexError, match="index 4 is out of range"):
        report.keep_mask()[4]


def test_excerpts_are_slices_of_strings() -> None:
    quoted = (
        "Am Montag, so die „Hafenbehörde“, the harbour board announced that the ferry to Orrin will stop in March. It said that fewer "
        "than nine people a day had crossed the bay in winter, and that the old ship would not pass its next inspection."
    )
    host = (
        "Nobody in Orrin was surprised – “ja” – last night, and at the hotel at the pier they had known it since Easter. "
        f"{quoted} The mayor had more to say about the road, which is to be widened between the church and the mill before the summer. "
        "Work will begin after Easter and go on at night, so that buses can pass by day; the baker, whose shop stands in the "
        "narrowest bend, will get a new door on the side of the square. What it costs nobody would tell us. The council is to vote "
        "on it next week."
    )
    source = (
        f"{quoted} Three readers wrote to us. The first asks who will pay for a bus, and the others why nobody asked them before the "
        "board met; the second of them owns the hotel at the pier, which has stood empty since May."
    )
    texts = {"host": host, "source": source}
    report = retold.find(list(texts.items()), level="near", excerpts=True)
    (excerpt,) = report.excerpts.to_pylist()
    assert host[excerpt["host_start"] : excerpt["host_end"]] == quoted[:-1]
    assert source[excerpt["source_start"] : excerpt["source_end"]] == quoted[:-1]
    (passage,) = [passage for passage in retold.shared_passages(host, source) if passage["kind"] == "same"][:1]
    assert host[passage["left"]].lower() == source[passage["right"]].lower()


def test_the_page_and_the_table_are_escaped() -> None:
    evil = "<script>alert(1)</script>"
    report = retold.find([(evil, f"{evil} {FERRY}"), ("b", f"{evil} {REPRINT}")])
    for html in (report.html(), report._repr_html_()):
        assert "<script>alert" not in html and "&lt;script&gt;alert" in html
    assert report.html().startswith("<!doctype html>")


NOTE = (
    "Write to the desk of the paper at the old mill in Łódź, or call before noon on working days, and please say which edition you "
    "have read, since the late one differs. All that is printed here belongs to the paper."
)
UNRELATED = (
    "The ferry to Órrin stops in March, since nobody mends its engines and the farmers send their milk by road. Who lives there rows "
    "across or waits for the post boat, which takes eleven people and no cattle at all.",
    "Snow closed the mountain road to Hallin, where guests of the hotel played cards by candlelight all night. Ploughs from two "
    "valleys worked until dawn, and the baker walked nine miles with rolls in a rucksack.",
    "A tern that was ringed in Sallow forty years ago was found alive last Sunday on a beach near the lighthouse. Nobody knows where "
    "it spent the years between, says the warden, who read its number through a telescope.",
    "The council chose oak for the new bridge: steel would have cost less, but rusts where the tide comes in. Carpenters from the "
    "yard will shape it over three summers, and schools may carve their names below the rail.",
    "Nine children learned to weave nets this winter from the last fisherman who still mends his own. The first net caught a boot "
    "and two crabs; the second, knotted by a girl of seven, came up full of herring.",
)


def test_page_furniture() -> None:
    texts = [f"{story} {NOTE} {story[::-1]} {NOTE}" for story in UNRELATED]
    report = retold.find(texts)
    passages = report.page_furniture.to_pylist()
    assert [passage["position"] for passage in passages] == [position for position in range(5) for _ in range(2)]
    for passage in passages:
        found = texts[passage["position"]][passage["start"] : passage["end"]]
        assert found.startswith("Write to the desk") and found.endswith("to the paper"), found
        assert passage["id"] == str(passage["position"])
    assert len(retold.find(UNRELATED).page_furniture) == 0


def test_collector_finds_the_same(tmp_path: Path) -> None:
    articles = [(f"{number}", f"{FERRY} Chapter {number // 2} of the story of the harbour.") for number in range(500)]
    whole = without_times(retold.find(articles))
    for memory in (None, "1 kB"):
        collector = retold.Collector(memory=memory, spill_folder=tmp_path)
        for start in range(0, 500, 64):
            collector.extend(articles[start : start + 64])
        assert len(collector) == 500
        report = collector.find()
        assert without_times(report) == whole
        assert report.html()
        assert len(collector) == 0
        with pytest.raises(ValueError, match="used up"):
            collector.find()


def test_the_page_has_dates_of_texts_that_were_spilled() -> None:
    rows: list[dict[str, Any]] = [{"text": FERRY, "d": "2024-05-17"}, {"text": SNOW, "d": None}, {"text": REPRINT, "d": "2023-11-29"}]
    collector = retold.Collector(date="d")
    collector.extend(rows[:1])
    collector.extend(rows[1:])
    for report in (retold.find(rows, date="d"), retold.find(iter(rows), date="d", memory="1 kB"), collector.find()):
        assert "2024-05-17" in report.html() and "2023-11-29" in report.html()


def test_values_of_other_libraries() -> None:
    np = pytest.importorskip("numpy", reason="SKIPPED: numpy is not installed")
    pd = pytest.importorskip("pandas", reason="SKIPPED: pandas is not installed")
    whole = without_times(retold.find([(7, FERRY), (8, REPRINT)]))
    assert without_times(retold.find([(np.int64(7), FERRY), (np.uint8(8), REPRINT)])) == whole
    assert without_times(retold.find([{"id": np.int64(at), "text": text} for at, text in ((7, FERRY), (8, REPRINT))])) == whole
    rows = [{"text": FERRY, "old": np.bool_(old), "d": pd.NaT} for old in (False, True)]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert list(retold.find(rows, known="old", date="d").keep_mask()) == [False, True]
    for id in (np.float64(7), np.bool_(True), np.array([7, 8]), True):
        with pytest.raises(TypeError, match=r"articles\[0\]: its id is \w+: give a string, an integer or a date"):
            retold.find([(id, FERRY)])


def test_a_collector_outlives_a_mistake() -> None:
    collector = retold.Collector()
    collector.extend([FERRY])
    with pytest.raises(TypeError, match=r"articles\[1\] is int"):
        collector.extend([1])  # type: ignore[list-item]
    collector.extend([REPRINT])
    assert list(collector.find().duplicate_of()) == [None, "0"]


def test_compare() -> None:
    comparison = retold.compare(FERRY, REPRINT)
    assert comparison["relation"] == "exact" and comparison["evidence"] is None and comparison["lookalike"] is None
    assert retold.compare(FERRY, SNOW)["relation"] is None
    with pytest.raises(ValueError, match="the right text cannot be compared: the text has no words"):
        retold.compare(FERRY, "")


def test_signatures() -> None:
    signatures = retold.sign([FERRY, REPRINT, "short", SNOW], slots=64)
    assert [None if row is None else len(row) for row in signatures] == [64, 64, None, 64]
    assert signatures[0] == signatures[1] != signatures[3]
    bits = retold.simhash([FERRY, REPRINT, "short", SNOW], shingle="5-character shingles")
    assert bits[0] == bits[1] != bits[3]
    many = [f"{FERRY} {number}" for number in range(1000)]
    assert retold.sign(many, threads=1).to_pylist() == retold.sign(many, threads=3).to_pylist()
    assert retold.sign(many)[777] == retold.sign(many[777:778])[0]
    assert retold.sign([]).to_pylist() == []
    for slots in (-1, 70_000):
        with pytest.raises(ValueError, match=f"slots = {slots} is out of range: give a power of two"):
            retold.sign(many, slots=slots)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"threshold": 1.5}, ValueError, "threshold = 1.5 is out of range: give more than 0, at most 1"),
        ({"threshold": float("nan")}, ValueError, "threshold = NaN is out of range"),
        ({"threshold": "high"}, TypeError, "threshold is str: give a number"),
        ({"level": "nearly"}, ValueError, 'unknown level "nearly": use one of near, reworded'),
        ({"level": 3}, TypeError, "level is int: give a string"),
        ({"keep": "best"}, ValueError, 'unknown representative "best": use one of central, longest, first, earliest'),
        ({"excerpts": "some"}, ValueError, 'unknown choice of excerpts "some"'),
        ({"within": -1}, ValueError, "within = -1 is out of range: give a timedelta or seconds"),
        ({"within": "soon"}, TypeError, "within is str: give a timedelta or seconds"),
        ({"memory": "much"}, ValueError, 'memory = much is out of range: give bytes, or a string such as "2 GB"'),
        ({"memory": -1}, ValueError, "memory = -1 is out of range"),
        ({"memory": [1]}, TypeError, "memory is list: give bytes"),
        ({"min_words": -1}, ValueError, "min_words = -1 is out of range: give a whole number"),
        ({"threads": 0}, ValueError, "threads = 0 is out of range"),
        ({"threads": -1}, ValueError, "threads = -1 is out of range: give at least 1"),
        ({"threads": "2"}, TypeError, "threads is str: give at least 1"),
        ({"progress": 3}, TypeError, "progress is int: give True, False or a function"),
        ({"date": "when"}, KeyError, "no \\\\*\"when\\\\*\" for the date"),
        ({"text": "body"}, KeyError, "no \\\\*\"body\\\\*\" for the text"),
        ({"text": 5}, TypeError, "text is int: give the name of a column or key"),
        ({"text": None}, TypeError, "text is NoneType: give the name of a column or key"),
        ({"known": True}, TypeError, "known is bool: give the name of a column or key"),
        ({"id": "url"}, KeyError, "no \\\\*\"url\\\\*\" for the id"),
    ],
)
def test_wrong_options(options: dict[str, Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        retold.find([{"text": FERRY}], **options)


def test_dates_that_are_none_are_told() -> None:
    rows = [{"text": FERRY, "d": date} for date in ("2024-05-17", "17.05.2024", "2024-02-30", "", None)]
    for memory in (None, "1 MB"):
        with pytest.warns(UserWarning, match="2 dates cannot be read and count as none, such as .17.05.2024."):
            report = retold.find(rows, date="d", within=86400, memory=memory)
        assert len(report.clusters) == 0
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert len(retold.find(rows[:1] * 2, date="d", within=86400).clusters) == 1
        with pytest.raises(UserWarning):
            retold.find(rows, date="d")


def test_unknown_options_are_refused() -> None:
    options: dict[str, Any] = {"treshold": 0.5}
    calls: list[Any] = [
        lambda: retold.find([FERRY], **options),
        lambda: retold.pairs([FERRY], **options),
        lambda: retold.compare(FERRY, SNOW, **options),
        lambda: retold.Collector(**options),
    ]
    for call in calls:
        with pytest.raises(TypeError, match="treshold"):
            call()


@pytest.mark.parametrize(
    ("articles", "message"),
    [
        (FERRY, "articles is one string: give a list"),
        (b"bytes", "articles is one string"),
        ({"a": FERRY}, r"articles is a dict: give list\(articles.items\(\)\)"),
        (3, "articles is int: give a table"),
        (None, "articles is NoneType: give a table"),
        ([FERRY, 3], r"articles\[1\] is int: give a string"),
        ([(1, 2, 3)], r"articles\[0\] is tuple"),
        ([("a", 1.5)], r"articles\[0\]: its text is float: give a string"),
        ([(1.5, FERRY)], r"articles\[0\]: its id is float: give a string, an integer or a date"),
    ],
)
def test_wrong_articles(articles: Any, message: str) -> None:
    with pytest.raises(TypeError, match=message):
        retold.find(articles)


def test_lone_surrogates_are_refused_by_name() -> None:
    with pytest.raises(ValueError, match=r"articles\[1\]: its text is no valid Unicode .*repair it"):
        retold.find([FERRY, "a \ud800 b"])


def test_a_folder_that_cannot_take_what_is_spilled(tmp_path: Path) -> None:
    articles = [f"{FERRY} {number}" for number in range(3000)]
    with pytest.raises(FileNotFoundError, match="cannot spill to .*nowhere"):
        retold.find(articles, memory=1, spill_folder=tmp_path / "nowhere")


def test_pairs_of_a_rule_of_ones_own() -> None:
    table = retold.pairs([FERRY, FERRY.replace("March", "May"), SNOW], search="exhaustive")
    assert len(table) == 2
    assert table["relation"].to_pylist()[0] == "near"
