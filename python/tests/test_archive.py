"""Archives: what is added is found, lasts from a commit on, and is told as `find` tells it."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

import retold
from corpus import corpus

FERRY = "The ferry to Orrin will stop in March, the harbour board announced on Monday."
EDITED = "The ferry to Orrin will stop in March, the harbour board announced late on Monday."
SNOW = "Snow closed the mountain road to Hallin for the third time in a week."


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "news"


def rows(articles: Sequence[tuple[str, str, str | None, str | None]]) -> list[dict[str, Any]]:
    return [dict(zip(("id", "text", "date", "source"), article)) for article in articles]


def test_what_is_added_is_found(folder: Path) -> None:
    with retold.Archive.create(folder, date="date", source="source") as archive:
        found = archive.add(rows([("a", FERRY, "2024-05-01", "Herald"), ("b", SNOW, None, None)]))
        assert list(found) == [0, 1]
        asked = rows([("c", "Nothing of the kind was told before.", None, None), ("d", EDITED, None, None)])
        (match,) = archive.matches(asked).to_pylist()
        assert (match["asked"], match["number"], match["id"]) == (1, 0, "a")
        assert (match["source"], match["date"], match["relation"]) == ("Herald", "2024-05-01", "near")
        comparison = retold.compare(EDITED, FERRY)
        assert match["similarity"] == comparison["similarity"]
        assert comparison["evidence"] is not None and match["evidence"]["jaccard"] == comparison["evidence"]["jaccard"]
        (exact,) = archive.matches(asked[:1] + rows([("e", SNOW + "!", None, None)])).to_pylist()
        assert (exact["asked"], exact["id"], exact["relation"]) == (1, "b", "exact")
        assert exact["source"] is exact["date"] is exact["evidence"] is None
    assert retold.Archive.open(folder).stats()["articles"] == 2


def test_what_is_asked_and_added_is_answered_as_one_by_one(folder: Path) -> None:
    articles = [(id, text) for id, text, *_ in corpus(random.Random(7), 40)]
    one = retold.Archive.create(folder, excerpts=True)
    told, numbers = one.ask_and_add(articles)
    other = retold.Archive.create(folder.with_name("others"), excerpts=True)
    matches, excerpts = [], []
    for at, article in enumerate(articles):
        answer = other.ask([article])
        assert list(other.add([article])) == [numbers[at]] == [at]
        matches += [{**match, "asked": at} for match in answer.matches.to_pylist()]
        excerpts += [{**passage, "asked": at} for passage in answer.excerpts.to_pylist()]
    assert matches and told.matches.to_pylist() == matches and told.excerpts.to_pylist() == excerpts
    assert one.stats()["articles"] == len(articles)


def test_without_texts_similarities_are_estimates(folder: Path) -> None:
    with retold.Archive.create(folder, texts=False) as archive:
        archive.add([("a", FERRY), ("b", SNOW)])
        archive.commit()
        exact, near = archive.matches([FERRY, EDITED]).to_pylist()
        assert (exact["relation"], exact["is_estimated"]) == ("exact", False)
        assert (near["relation"], near["is_estimated"]) == ("near", True)
        assert archive.stats()["keeps_texts"] is False
        archive.add([("c", EDITED)])
        archive.commit()
        report, articles = archive.report()
        assert [cluster["size"] for cluster in report.clusters.to_pylist()] == [2]
        assert list(articles["text"]) == [None, None, None] and list(articles["id"]) == ["a", "b", "c"]
        assert "</html>" in report.html()
    with pytest.raises(ValueError, match="without texts finds no excerpts"):
        retold.Archive.open(folder, excerpts=True)
    with retold.Archive.open(folder) as archive:
        assert archive.stats()["keeps_texts"] is False


def test_every_form_of_articles(folder: Path) -> None:
    pa = pytest.importorskip("pyarrow", reason="SKIPPED an archive of Arrow data: pyarrow is not installed")
    forms: list[Any] = [FERRY, {"id": "x", "text": FERRY}, [FERRY], [("x", FERRY)], [{"text": FERRY}], pa.table({"text": [FERRY]})]
    with retold.Archive.create(folder) as archive:
        for count, form in enumerate(forms):
            assert list(archive.add(form)) == [count]
            assert list(archive.matches(form)["number"]) == list(range(count + 1))
    with pytest.raises(TypeError, match="articles is int: give a table"):
        retold.ArchiveReader(folder).matches(3)  # type: ignore[arg-type]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="forks")
def test_a_fork_leaves_the_archive_to_its_parent(folder: Path) -> None:
    code = f"""
import os, sys, retold
archive = retold.Archive.create({str(folder)!r})
archive.add("one two three four")
archive.commit()
child = os.fork()
if child == 0:
    try:
        archive.add("of the child")
    except OSError as error:
        assert "fork" in str(error), error
        sys.exit(7)
    sys.exit(0)
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
for word in ("five", "six", "seven"):
    archive.add(f"the parent adds number {{word}} now")
    archive.commit()
archive.verify()
"""
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
    with retold.Archive.open(folder) as archive:
        assert archive.stats()["articles"] == 4


def test_the_report_is_that_of_find(folder: Path) -> None:
    seed = int(os.environ.get("RETOLD_SEED") or random.SystemRandom().randrange(1 << 32))
    print(f"\nRETOLD_SEED={seed}", file=sys.stderr)
    articles = corpus(random.Random(seed), 200)
    stages: list[str] = []
    with retold.Archive.create(folder, date="date", source="source") as archive:
        archive.add(rows(articles))
        archive.commit()
        assert archive.needs_census() and archive.census() == 0
        assert archive.take_census(progress=lambda stage, *_: stages.append(stage)) == 1 == archive.census()
        assert not archive.needs_census() and "verify" in stages
        tenth = len(articles) // 10
        archive.add(rows(articles[:tenth]))
        archive.commit()
        assert archive.needs_census() and not archive.needs_census(0.5)
        for growth in (float("nan"), -1):
            with pytest.raises(ValueError, match=f"growth = {growth}.* is out of range".replace("nan", "NaN")):
                archive.needs_census(growth)
        assert all(archive.remove_number(len(articles) + number) for number in range(tenth))
        archive.commit()
        report, archived = archive.report()
    assert archived["id"].to_pylist() == [article[0] for article in articles]
    assert archived["text"].to_pylist() == [article[1] for article in articles]
    whole = retold.find(rows(articles), date="date", source="source")
    for table in ("clusters", "members", "removals", "page_furniture"):
        assert getattr(report, table).to_pylist() == getattr(whole, table).to_pylist(), table
    assert len(report.clusters) > 20 and report.html()
    # After a census, each article's own answer has the pairs of the run.
    reader = retold.ArchiveReader(folder, date="date", source="source")
    asked = reader.matches(rows(articles))
    answers = {(row["asked"], row["number"]): (row["relation"], row["similarity"]) for row in asked.to_pylist()}
    pairs = [pair for pair in whole.pairs.to_pylist() if pair["relation"] is not None]
    found = [(answers.get((pair["left_position"], pair["right_position"])), (pair["relation"], pair["similarity"])) for pair in pairs]
    assert all(answer in (None, of_run) for answer, of_run in found), found
    # Of crowds of copies, which the corpus has, the first dozens alone are looked at.
    assert sum(answer is not None for answer, _ in found) > len(pairs) / 2
    assert reader.articles().to_pylist() == archived.to_pylist()
    assert reader.report()[0].members.to_pylist() == whole.members.to_pylist()


def test_passages_are_slices_of_strings(folder: Path) -> None:
    said = (
        "On Monday the harbour board announced – at last – that the ferry to Orrin will stop in March. It said that fewer than nine people "
        "a day had crossed the bay in winter, and that the old ship would not pass its next inspection."
    )
    first = f"{said} Three readers wrote to us. The first asks who will pay for a bus, and the others why nobody in Orrin asked them."
    fresh = (
        f"»Nobody in Orrin was surprised last night«, and at the pier they had known it since Easter. {said} The mayor had more to say about "
        "the road, which is to be widened between the church and the mill before the summer. Work will begin after Easter."
    )
    with retold.Archive.create(folder, excerpts=True, date="date", source="source") as archive:
        archive.add(rows([("snow", SNOW, None, None), ("first", first, "2024-05-01", "Herald")]))
        asked = rows([("a", SNOW, None, None), ("b", fresh, "2024-05-02", "Post")])
        answer = archive.ask(asked)
        assert answer.matches.to_pylist() == archive.matches(asked).to_pylist()
        assert list(answer.matches["id"]) == ["snow"]
        (passage,) = answer.excerpts.to_pylist()
        assert (passage["asked"], passage["number"], passage["id"]) == (1, 1, "first")
        assert (passage["source"], passage["date"], passage["holders"], passage["others"]) == ("Herald", "2024-05-01", 2, [])
        assert fresh[passage["start"] : passage["end"]] == first[passage["archived_start"] : passage["archived_end"]]
        assert (fresh.index("On Monday"), len(said[:-1])) == (passage["start"], passage["end"] - passage["start"])
        assert passage["same"] == 1.0 and not passage["is_furniture"]
        # What one outlet says again is its own.
        assert len(archive.ask(rows([("b", fresh, None, "Herald")])).excerpts) == 0
    reader = retold.ArchiveReader(folder, excerpts=True, date="date", source="source")
    assert reader.ask(asked).excerpts.to_pylist() == [passage]
    without = retold.ArchiveReader(folder).ask(fresh)
    assert (len(without.matches), len(without.excerpts)) == (0, 0)


def test_removing(folder: Path) -> None:
    stories = [(f"{day}", f"{FERRY} This was told on day {day}.", f"2024-05-0{day}", None) for day in range(1, 7)]
    with retold.Archive.create(folder, date="date") as archive:
        archive.add(rows([*stories, stories[0]]))
        assert archive.remove(1) == 2 and archive.remove("1") == 0
        assert archive.remove_number(1) and not archive.remove_number(1)
        assert archive.expire(date(2024, 5, 4)) == 1 and archive.expire("2024-05-05") == 1
        with pytest.raises(ValueError, match='unknown date "May"'):
            archive.expire("May")
        with pytest.raises(TypeError, match="id is float: give a string, an integer or a date"):
            archive.remove(1.5)  # type: ignore[arg-type]
        assert sorted(archive.matches(stories[4][1])["id"]) == ["5", "6"]
        archive.commit()
        archive.merge()
        archive.compact()
        stats = archive.stats()
        assert (stats["articles"], stats["removed"]) == (2, 0)
        archive.verify()


def test_what_is_too_short_to_compare_is_told(folder: Path) -> None:
    with retold.Archive.create(folder) as archive:
        with pytest.warns(UserWarning, match="2 articles could not be compared, such as the one at 1: the text has 1 word, needs 3"):
            answer, numbers = archive.ask_and_add([("a", FERRY), ("b", "Yes."), ("c", "...")])
        assert (len(answer.matches), numbers.to_pylist()) == (0, [0, 1, 2])
        with pytest.warns(UserWarning, match="1 article could not be compared, such as the one at 1: the text has no words"):
            assert archive.add([("d", SNOW), ("e", "?")]).to_pylist() == [3, 4]
        archive.commit()
        for asked in (archive, retold.ArchiveReader(folder)):
            for copies in (lambda of: asked.ask(of).matches, asked.matches):
                with pytest.warns(UserWarning, match="1 article could not be compared, such as the one at 0: the text has no words"):
                    assert [found["id"] for found in copies(["?", FERRY]).to_pylist()] == ["a"]


def test_what_is_too_large_is_passed_over(folder: Path) -> None:
    long = "word " * (7 << 20)
    with retold.Archive.create(folder, level="near") as archive:
        with pytest.warns(UserWarning, match='1 article was not added, such as "long": the article has 36700160 bytes, and an archive keeps'):
            numbers = archive.add([("a", FERRY), ("long", long), ("b", SNOW)])
        assert numbers.to_pylist() == [0, None, 1]
        with pytest.warns(UserWarning, match="1 article was not added"):
            answer, numbers = archive.ask_and_add([("long", long), ("c", FERRY)])
        assert numbers.to_pylist() == [None, 2]
        assert [(found["asked"], found["id"]) for found in answer.matches.to_pylist()] == [(1, "a")]


def test_within(folder: Path) -> None:
    with retold.Archive.create(folder, date="date", within=timedelta(days=2)) as archive:
        archive.add(rows([("old", FERRY, "2024-05-01", None), ("new", FERRY, "2024-05-09", None)]))
        assert list(archive.matches(rows([("c", EDITED, "2024-05-08", None)]))["id"]) == ["new"]
        with pytest.raises(KeyError, match="date"):
            archive.matches({"text": EDITED})


def test_a_damaged_census_is_taken_anew(folder: Path) -> None:
    with retold.Archive.create(folder) as archive:
        archive.add([("a", FERRY), ("b", SNOW)])
        archive.take_census()
    (folder / "census-00000001").write_text("from a bad disk")
    with pytest.raises(OSError, match="take a census anew"):
        retold.Archive.open(folder)
    with retold.Archive.open(folder, recount=True) as archive:
        assert (archive.census(), list(archive.matches([FERRY])["id"])) == (2, ["a"])


def test_only_what_is_committed_lasts(folder: Path) -> None:
    with pytest.raises(LookupError, match="enough"):
        with retold.Archive.create(folder) as archive:
            archive.add([FERRY])
            archive.commit()
            archive.add([SNOW])
            raise LookupError("enough")
    with pytest.raises(ValueError, match="the archive is closed: open it again"):
        archive.add([SNOW])
    archive.close()
    with retold.Archive.open(folder) as archive:
        assert (len(archive.matches(FERRY)), len(archive.matches(SNOW))) == (1, 0)


CRASH = """
import retold, sys, time
archive = retold.Archive.create(sys.argv[1])
archive.add([sys.argv[2]])
archive.commit()
archive.add([sys.argv[3]])
print("ready", flush=True)
time.sleep(600)
"""


def test_a_crash_and_one_writer(folder: Path) -> None:
    child = subprocess.Popen([sys.executable, "-c", CRASH, folder, FERRY, SNOW], stdout=subprocess.PIPE, text=True)
    try:
        assert child.stdout is not None and child.stdout.readline() == "ready\n"
        with pytest.raises(BlockingIOError, match="the archive is being written; wait for the other writer to end, or open a reader"):
            retold.Archive.open(folder)
        reader = retold.ArchiveReader(folder)
        assert len(reader.matches([FERRY, SNOW])) == 1
        assert reader.stats()["articles"] == 1
        reader.verify()
    finally:
        child.kill()
        child.wait()
    with retold.Archive.open(folder) as archive:
        archive.verify()
        assert list(archive.matches([FERRY, SNOW])["asked"]) == [0]


def test_what_is_refused(folder: Path) -> None:
    for opened in (retold.Archive.open, retold.ArchiveReader):
        with pytest.raises(FileNotFoundError, match="there is no archive; create one"):
            opened(folder)
    retold.Archive.create(folder).close()
    with pytest.raises(FileExistsError, match="there is an archive already; open it"):
        retold.Archive.create(folder)
    with pytest.raises(ValueError, match="the archive was made with .*; use level reworded, or a new archive"):
        retold.Archive.open(folder, level="near")
    with pytest.raises(ValueError, match="threshold = 2 is out of range"):
        retold.Archive.open(folder, threshold=2.0)
    with pytest.raises(KeyError, match="body"):
        retold.Archive.open(folder, text="body").add([{"text": FERRY}])
    (folder / "file").touch()
    with pytest.raises(OSError, match="file"):
        retold.Archive.create(folder / "file" / "news")


def test_damage_is_told(folder: Path) -> None:
    with retold.Archive.create(folder) as archive:
        archive.add([(f"{at}", f"{FERRY} {at}") for at in range(100)])
        archive.merge()
    largest = max(folder.rglob("*"), key=lambda path: path.stat().st_size if path.is_file() else 0)
    with open(largest, "r+b") as file:
        file.seek(largest.stat().st_size // 2)
        byte = file.read(1)
        file.seek(-1, 1)
        file.write(bytes([byte[0] ^ 1]))
    with pytest.raises(OSError, match="damaged at byte"):
        retold.Archive.open(folder).verify()


def test_many_threads(folder: Path) -> None:
    with retold.Archive.create(folder, threads=1) as archive:
        archive.add([FERRY])
        archive.commit()
        reader = retold.ArchiveReader(folder, threads=1)
        found: list[int] = []

        def ask(of: retold.Archive | retold.ArchiveReader) -> None:
            found.append(sum(len(of.matches([EDITED, SNOW])) for _ in range(20)))

        threads = [threading.Thread(target=ask, args=(of,)) for of in (archive, archive, reader, reader)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert found == [20] * 4


SLOW = """
import retold, signal, sys
# Whoever runs the tests may ignore it.
signal.signal(signal.SIGINT, signal.default_int_handler)
archive = retold.Archive.create(sys.argv[1], threads=1, search="exhaustive")
archive.add([f"The ferry number {n} to Orrin will stop in March, told {n * 7919 % 100003} people of the board" for n in range(6000)])
try:
    print("ready", flush=True)
    # However fast the machine is.
    while True:
        archive.take_census()
except KeyboardInterrupt:
    print("interrupted", flush=True)
    print(archive.stats()["articles"], flush=True)
"""


@pytest.mark.skipif(os.name != "posix", reason="SKIPPED Ctrl-C: sends a POSIX signal")
def test_ctrl_c(folder: Path) -> None:
    child = subprocess.Popen([sys.executable, "-c", SLOW, folder], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert child.stdout is not None and child.stdout.readline() == "ready\n"
    child.send_signal(signal.SIGINT)
    out, err = child.communicate(timeout=120)
    assert out.split() == ["interrupted", "6000"], err
    assert "panicked" not in err
