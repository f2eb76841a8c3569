"""Finds exact, edited and reworded copies of articles, each with the evidence for it.

>>> import retold
>>> articles = [
...     ("monday", "The ferry to Orrin will stop in March, the harbour board announced on Monday."),
...     ("reprint", "The ferry to Orrin will stop in March - the harbour board announced on Monday!"),
...     ("weather", "Snow closed the mountain road to Hallin for the third time in a week."),
... ]
>>> report = retold.find(articles)
>>> report
<retold.Report: 1 cluster, 1 copy, 1 article to remove, 3 articles, 0 skipped>
>>> [article[0] for article, keep in zip(articles, report.keep_mask()) if keep]
['monday', 'weather']

Articles are what speaks Arrow's PyCapsule interface (pyarrow, polars, pandas from 2.2, DuckDB relations), a Hugging Face dataset, or a
list of strings, of (id, text) tuples or of dicts. Texts in Arrow's memory are never copied. Results are Arrow tables, which any of
these libraries takes: ``pyarrow.table(report.members)``, ``polars.DataFrame(report.members)``.

Work runs on all cores without Python's lock; Ctrl-C ends it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date as _date, datetime, timedelta
from os import PathLike
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Protocol, SupportsIndex, TypedDict, Union

from . import _retold
from ._retold import FORMAT_VERSION, Array, Report, Table, __version__

if TYPE_CHECKING:
    from typing_extensions import Unpack

__all__ = [
    "FORMAT_VERSION",
    "Answer",
    "Archive",
    "ArchiveReader",
    "Array",
    "Collector",
    "Comparison",
    "Passage",
    "Report",
    "Table",
    "__version__",
    "compare",
    "find",
    "jaccard",
    "pairs",
    "shared_passages",
    "sign",
    "simhash",
]


class ArrowStream(Protocol):
    """A table, or a stream of record batches."""

    def __arrow_c_stream__(self, requested_schema: object = None) -> object: ...


class ArrowArray(Protocol):
    """A record batch, or an array of strings."""

    def __arrow_c_array__(self, requested_schema: object = None) -> Any: ...


class Dataset(Protocol):
    """A Hugging Face dataset."""

    def with_format(self, type: Any = ...) -> Any: ...


_Label = Union[str, SupportsIndex, _date, datetime, None]
_Article = Union[str, None, Sequence[_Label], Mapping[str, Any]]
Articles = Union[ArrowStream, ArrowArray, Dataset, Iterable[_Article]]
Progress = Union[bool, Callable[[str, int, int], object]]
Shingle = Union[int, str]


class Options(TypedDict, total=False):
    """The options of `find`, for the functions that take them as well."""

    level: Literal["near", "reworded"]
    threshold: float
    containment: float
    confidence: float
    removal_confidence: float
    keep: Literal["central", "longest", "first", "earliest"]
    within: timedelta | float | None
    prior: float | None
    min_words: int
    search: Literal["candidates", "exhaustive"]
    near_misses: float | None
    memory: int | str | None
    spill_folder: str | PathLike[str] | None
    excerpts: bool | Literal["ignore", "find", "find_all"]


class Comparison(TypedDict):
    """What `compare` says of two texts."""

    relation: Literal["exact", "near", "reworded"] | None
    similarity: float
    left_in_right: float
    right_in_left: float
    words_ratio: float
    evidence: dict[str, Any] | None
    lookalike: Literal["block", "template", "follow_up", "same_event"] | None


class Passage(TypedDict):
    """A passage that two texts share: ``left_text[passage["left"]]`` is how the left one has it."""

    kind: Literal["same", "reworded"]
    left: slice
    right: slice


def _names(text: str, id: str | None, date: str | None, source: str | None, known: str | None) -> dict[str, Any]:
    return {"text": text, "id": id, "date": date, "source": source, "known": known}


def find(
    articles: Articles,
    *,
    text: str = "text",
    id: str | None = "id",
    date: str | None = None,
    source: str | None = None,
    known: str | None = None,
    level: Literal["near", "reworded"] = "reworded",
    threshold: float = 0.5,
    containment: float = 0.8,
    confidence: float = 0.5,
    removal_confidence: float = 0.9,
    keep: Literal["central", "longest", "first", "earliest"] = "central",
    within: timedelta | float | None = None,
    prior: float | None = None,
    min_words: int = 3,
    search: Literal["candidates", "exhaustive"] = "candidates",
    near_misses: float | None = None,
    memory: int | str | None = None,
    spill_folder: str | PathLike[str] | None = None,
    excerpts: bool | Literal["ignore", "find", "find_all"] = False,
    threads: int | None = None,
    progress: Progress = False,
) -> Report:
    """Finds all clusters of copies among articles.

    >>> import retold
    >>> stories = [
    ...     {"url": "a.example/1", "body": "The ferry leaves the harbour at nine on every weekday morning and returns by noon."},
    ...     {"url": "b.example/7", "body": "The ferry leaves the harbour at nine on every weekday morning and returns by two."},
    ...     {"url": "c.example/3", "body": "Snow closed the mountain road to Hallin for the third time in a week."},
    ... ]
    >>> report = retold.find(stories, text="body", id="url", level="near")
    >>> report.members.to_pylist()[0]["similarity"]
    0.8571428656578064
    >>> list(report.duplicate_of())
    [None, 'a.example/1', None]

    The result depends on the articles alone: their order (but for ``keep="first"``) and the number of threads change nothing.

    **Articles.** `text`, `id`, `date`, `source` and `known` name the columns of a table or the keys of dicts. Only the text is needed:
    an article without an id gets the number of its row. Ids may repeat and may be integers. A null text is an empty one. Dates are
    ISO 8601 strings, dates or timestamps; `source` is the outlet, and `known` a Boolean that marks articles which are only compared
    with the others.

    **What counts as a copy.** `level="near"` finds exact and edited copies only, "reworded" all. `threshold` is the Jaccard similarity
    of three-word shingles from which on articles are edited copies; `containment` the share of the shorter one's words in the longer
    one that is enough as well; `confidence` that of a rewording. `prior` is the share of copies among pairs that look alike,
    found from the corpus unless given. `within` (a timedelta, or seconds) only matches articles of near dates. Texts of fewer than
    `min_words` are skipped. `search="exhaustive"` compares all with all.

    **What is reported.** `keep` chooses the representative of a cluster. `removal_confidence` is what a rewording needs for
    `Report.removals`, and so for `keep_mask` and `duplicate_of`. `near_misses=0.3` also reports rejected articles that came so close,
    `excerpts=True` passages that one article took from another.

    **How.** Beyond `memory` (bytes, or "2 GB") data is spilled to unnamed files in `spill_folder`; texts of a stream are spilled as
    well, those of a table or list stay where they are. `threads` is all cores unless given. `progress` shows a bar, or is called with
    the stage, the articles done and their total; what it raises ends the detection.

    Raises ValueError for an option out of range, KeyError for a missing column, TypeError for articles of no such form, OSError if
    data cannot be spilled.
    """
    options: Options = {
        "level": level,
        "threshold": threshold,
        "containment": containment,
        "confidence": confidence,
        "removal_confidence": removal_confidence,
        "keep": keep,
        "within": within,
        "prior": prior,
        "min_words": min_words,
        "search": search,
        "near_misses": near_misses,
        "memory": memory,
        "spill_folder": spill_folder,
        "excerpts": excerpts,
    }
    return _retold.find(articles, _names(text, id, date, source, known), dict(options), threads, progress)


def pairs(
    articles: Articles,
    *,
    text: str = "text",
    id: str | None = "id",
    date: str | None = None,
    source: str | None = None,
    known: str | None = None,
    threads: int | None = None,
    progress: Progress = False,
    **options: Unpack[Options],
) -> Table:
    """All pairs that were compared, copies or not, with the numbers that decide: what `find` chooses from.

    `relation` is null for those that are no copies. Takes the options of `find`, and longer.

    >>> import retold
    >>> table = retold.pairs(["The ferry leaves at nine.", "Snow fell in the night.", "The ferry leaves at nine, they say."])
    >>> [(pair["left"], pair["right"], pair["relation"]) for pair in table.to_pylist()]
    [('0', '2', 'near')]
    """
    return _retold.pairs(articles, _names(text, id, date, source, known), dict(options), threads, progress)


class Collector:
    """Takes articles batch by batch, and then finds what `find` finds among all of them.

    With `memory` given, texts beyond the limit go to disk, so that a corpus need not fit.

    >>> import retold
    >>> collector = retold.Collector(memory="1 GB", level="near")
    >>> collector.extend([("a", "The ferry leaves at nine.")])
    >>> collector.extend([("b", "The ferry leaves at nine!")])
    >>> len(collector)
    2
    >>> list(collector.find().keep_mask())
    [True, False]
    """

    def __init__(
        self,
        *,
        text: str = "text",
        id: str | None = "id",
        date: str | None = None,
        source: str | None = None,
        known: str | None = None,
        threads: int | None = None,
        **options: Unpack[Options],
    ) -> None:
        self._collector = _retold.Collector(_names(text, id, date, source, known), dict(options), threads)

    def __len__(self) -> int:
        """Articles taken so far; 0 once they were searched."""
        return len(self._collector)

    def extend(self, articles: Articles) -> None:
        """Takes more articles, in any form that `find` takes; batches of some megabytes are best.

        If it fails, as for an article that is none, those before it in whole record batches were taken.
        """
        self._collector.extend(articles)

    def find(self, *, progress: Progress = False) -> Report:
        """Finds all clusters among the articles. The collector is used up then."""
        return self._collector.find(progress)


class Answer(NamedTuple):
    """What an archive holds of articles; see `Archive.ask`."""

    matches: Table
    """A row for each copy of one of them."""

    excerpts: Table
    """A row for each passage."""


class Archive:
    """Articles on disk, each of which can be asked about as it comes: which of those before does it repeat?

    An archive is a folder, made by `create` and opened again by `open`. One program writes to it at a time; any number of others may
    ask by an `ArchiveReader`. What was committed outlives any crash; a ``with`` block commits when it ends without an error.

    >>> import retold, tempfile
    >>> folder = tempfile.mkdtemp() + "/news"
    >>> with retold.Archive.create(folder) as archive:
    ...     numbers = archive.add([("monday", "The ferry leaves the harbour at nine and comes back at noon.")])
    ...     found = archive.matches("The ferry leaves the harbour at NINE, and comes back at noon!")
    >>> found["id"][0], found["relation"][0]
    ('monday', 'exact')

    Edited and exact copies are found at once, rewordings after the first census: see `take_census`. Threads that call one archive
    wait for each other.
    """

    def __init__(self, archive: _retold.Archive) -> None:
        self._archive = archive

    @classmethod
    def create(
        cls,
        folder: str | PathLike[str],
        *,
        text: str = "text",
        id: str | None = "id",
        date: str | None = None,
        source: str | None = None,
        texts: bool = True,
        threads: int | None = None,
        **options: Unpack[Options],
    ) -> Archive:
        """A new archive in a folder, which is made if need be.

        `text`, `id`, `date` and `source` name columns or keys of the articles to come; the options are those of `find`. Raises
        FileExistsError if there is an archive.

        With ``texts=False`` no texts are kept: of each article the content words alone, as hashes of their first five characters, and how
        many other words stand between them. It takes a third less room. Endings and words without content are not told apart then, so that
        edited copies seem a little more alike than they are, in other capitals less, which `is_estimated` says; there are no excerpts, and
        tables of articles have null for the text.
        """
        names = _names(text, id, date, source, None)
        how: Literal["create", "create_without_texts"] = "create" if texts else "create_without_texts"
        return cls(_retold.Archive(folder, how, names, dict(options), threads))

    @classmethod
    def open(
        cls,
        folder: str | PathLike[str],
        *,
        text: str = "text",
        id: str | None = "id",
        date: str | None = None,
        source: str | None = None,
        recount: bool = False,
        threads: int | None = None,
        **options: Unpack[Options],
    ) -> Archive:
        """Opens an archive to write to it.

        `level` and `threshold` must be those that it was created with; other options may be others. Raises FileNotFoundError if there
        is no archive, BlockingIOError if another program writes to it, ValueError if it was made with other options, and OSError if it is
        damaged. If the census alone is, which the message says, `recount=True` takes another one at once.
        """
        names = _names(text, id, date, source, None)
        return cls(_retold.Archive(folder, "recount" if recount else "open", names, dict(options), threads))

    def __enter__(self) -> Archive:
        return self

    def __exit__(self, error: object, *_: object) -> None:
        try:
            if error is None:
                self.commit()
        finally:
            self.close()

    def add(self, articles: Articles) -> Array:
        """Adds articles in any form that `find` takes, or a single string or dict; their numbers, which they have for life.

        They outlive a crash, and readers find them, from the next `commit` on. An article without an id gets the number of its row as one.
        One of more than 32 MiB is passed over, and null in place of its number; one of too few words is kept, but is no copy of any. A
        UserWarning tells of the first of such. If articles cannot be read, those before in whole record batches are added.
        """
        return self._archive.add(articles)

    def matches(self, articles: Articles) -> Table:
        """What is archived of each article, the most similar first: a row for each copy. Nothing is added.

        `asked` is the row of the article that was asked about; `number`, `id`, `source` and `date` are the archived one's, `relation`,
        `similarity` and `evidence` as in ``Report.members``, and `is_estimated` says whether these are estimates. An article that is
        archived itself is its own exact copy. What was added and not committed is found as well. Only the texts are looked at, and the
        dates if `within` was given: then only articles of near dates are found.

        >>> import retold, tempfile
        >>> archive = retold.Archive.create(tempfile.mkdtemp() + "/news", date="day", source="paper")
        >>> _ = archive.add({"id": "a1", "text": "The ferry leaves at nine.", "day": "2024-05-01", "paper": "Herald"})
        >>> found = archive.matches(["Snow fell in the night.", "The ferry leaves at nine, they say."]).to_pylist()
        >>> [(match["asked"], match["id"], match["source"]) for match in found]
        [(1, 'a1', 'Herald')]
        >>> archive.close()
        """
        return self._archive.matches(articles)

    def ask(self, articles: Articles) -> Answer:
        """What `matches` finds, and the passages of each article that stand in archived ones which are otherwise other writing.

        Passages are looked for if the archive was opened with `excerpts`. `asked` is the row of the article that was asked about, and
        ``text[start:end]`` the passage in it; `archived_start` and `archived_end` are its place in the text of the archived article, whose
        `number`, `id`, `source` and `date` are there. `others` are the numbers of the other holders, if five and more hold it; the rest is
        as in ``Report.excerpts``. Takes articles with the columns or keys that the archive was opened with, the id aside. Of articles with
        too few words to be compared a warning tells.

        >>> import retold, tempfile
        >>> said = (
        ...     "On Monday the harbour board announced that the ferry to Orrin will stop in March. It said that fewer than nine people a "
        ...     "day had crossed the bay in winter, and that the old ship would not pass its next inspection."
        ... )
        >>> first = said + " Three readers wrote to us. The first asks who will pay for a bus, and the others why nobody asked them."
        >>> fresh = "Nobody in Orrin was surprised last night, and at the pier they had known it since Easter. " + said
        >>> fresh += " The mayor had more to say about the road, which is to be widened between the church and the mill."
        >>> archive = retold.Archive.create(tempfile.mkdtemp() + "/news", excerpts=True)
        >>> _ = archive.add([("first", first)])
        >>> answer = archive.ask(fresh)
        >>> len(answer.matches)
        0
        >>> (passage,) = answer.excerpts.to_pylist()
        >>> passage["id"], fresh[passage["start"]:passage["end"]] == said[:-1]
        ('first', True)
        >>> archive.close()
        """
        return Answer(*self._archive.ask(articles))

    def ask_and_add(self, articles: Articles) -> tuple[Answer, Array]:
        """Asks about each article among all that came before it, as `ask`, and adds it, as `add`: the answer, and the numbers.

        A stream of articles is taken in so, many at a time: each is read once. Of one that `add` passes over nothing is told.

        >>> import retold, tempfile
        >>> with retold.Archive.create(tempfile.mkdtemp() + "/news") as archive:
        ...     told, numbers = archive.ask_and_add([("a1", "The ferry leaves at nine."), ("a2", "The ferry leaves at nine!")])
        >>> [(match["asked"], match["id"]) for match in told.matches.to_pylist()], list(numbers)
        ([(1, 'a1')], [0, 1])
        """
        told, numbers = self._archive.ask_and_add(articles)
        return Answer(*told), numbers

    def remove(self, id: str | SupportsIndex) -> int:
        """Removes all articles of an id; how many."""
        return self._archive.remove(id)

    def remove_number(self, number: int) -> bool:
        """Removes the article of a number; whether there was one."""
        return self._archive.remove_number(number)

    def expire(self, before: str | _date) -> int:
        """Removes all articles that are older than a date, or a string in ISO 8601; how many. Those without a date stay."""
        return self._archive.expire(before)

    def commit(self) -> None:
        """Makes all changes last: they outlive any crash, and readers see them once they `refresh`."""
        self._archive.commit()

    def merge(self) -> None:
        """Puts small files together, and commits. Commits put files together by themselves now and then."""
        self._archive.merge()

    def compact(self) -> None:
        """Gives the room of removed articles back, so that nothing of them is left in any file, and commits."""
        self._archive.compact()

    def needs_census(self, growth: float | None = None) -> bool:
        """Whether so many articles were added or removed, and committed, since the last census that another one should be taken.

        That is one in twenty, or another share as `growth`. Where edited copies alone are looked for and no excerpts none is needed.
        """
        return self._archive.needs_census(growth)

    def take_census(self, *, progress: Progress = False) -> int:
        """Counts how rare words are, how common copies, and what is page furniture, and commits; the number of the census.

        It takes as long as to `find` all copies in the archive. Between two of these a verdict on two articles does not change, and
        before the first no rewordings are found.
        """
        return self._archive.take_census(progress)

    def census(self) -> int:
        """The number of the last census; 0 if there was none."""
        return self._archive.census()

    def report(self, *, progress: Progress = False) -> tuple[Report, Table]:
        """What `find` finds among the articles that are committed, and a table of these: `position` is a row of it.

        The table has `number`, `id`, `text`, `date` and `source`; `text` is null where no texts are kept.
        """
        return self._archive.report(progress)

    def stats(self) -> dict[str, int]:
        """Figures about the archive: articles, removed ones that still take room, files, bytes, the census, whether texts are kept."""
        return self._archive.stats()

    def verify(self) -> None:
        """Checks every byte of every file that is committed. Raises OSError, which names the file and the place, if one is damaged."""
        self._archive.verify()

    def close(self) -> None:
        """Lets go of the folder. What was not committed is lost."""
        self._archive.close()


class ArchiveReader:
    """Asks an archive as it was last committed, whether another program writes to it or not. Many threads may ask at once.

    The options are those of `Archive.open`.

    >>> import retold, tempfile
    >>> folder = tempfile.mkdtemp() + "/news"
    >>> archive = retold.Archive.create(folder)
    >>> reader = retold.ArchiveReader(folder)
    >>> numbers = archive.add([("monday", "The ferry leaves the harbour at nine and comes back at noon.")])
    >>> archive.commit()
    >>> reader.refresh()
    >>> len(reader.matches("The ferry leaves the harbour at nine, and is back at noon."))
    1
    >>> archive.close()
    """

    def __init__(
        self,
        folder: str | PathLike[str],
        *,
        text: str = "text",
        id: str | None = "id",
        date: str | None = None,
        source: str | None = None,
        threads: int | None = None,
        **options: Unpack[Options],
    ) -> None:
        names = _names(text, id, date, source, None)
        self._reader = _retold.ArchiveReader(folder, names, dict(options), threads)

    def refresh(self) -> None:
        """Looks at what was committed in the meantime."""
        self._reader.refresh()

    def census(self) -> int:
        """As `Archive.census`."""
        return self._reader.census()

    def matches(self, articles: Articles) -> Table:
        """As `Archive.matches`, among what was committed."""
        return self._reader.matches(articles)

    def ask(self, articles: Articles) -> Answer:
        """As `Archive.ask`, among what was committed."""
        return Answer(*self._reader.ask(articles))

    def stats(self) -> dict[str, int]:
        """As `Archive.stats`, of what was committed."""
        return self._reader.stats()

    def verify(self) -> None:
        """As `Archive.verify`."""
        self._reader.verify()

    def articles(self) -> Table:
        """All articles in the order of their numbers: `number`, `id`, `text`, `date` and `source`."""
        return self._reader.articles()

    def report(self, *, progress: Progress = False) -> tuple[Report, Table]:
        """As `Archive.report`."""
        return self._reader.report(progress=progress)


def compare(left: str, right: str, **options: Unpack[Options]) -> Comparison:
    """Compares two texts, copies or not, with all evidence, as if they were the whole corpus.

    `lookalike` says why two texts may look alike that are no copies, if that is seen.

    >>> import retold
    >>> left = "The ferry leaves the harbour at nine on every weekday morning."
    >>> comparison = retold.compare(left, left[:-1] + " and returns by noon.")
    >>> comparison["relation"], comparison["left_in_right"]
    ('near', 1.0)
    """
    found: Any = _retold.compare(left, right, dict(options))
    return found  # type: ignore[no-any-return]


def shared_passages(left: str, right: str) -> list[Passage]:
    """The passages of two texts that say the same, in the same or in other words, as slices of the strings.

    >>> import retold
    >>> left = "The board met on Monday. The ferry to Orrin will stop in March, it said."
    >>> right = "Nobody was surprised: the ferry to Orrin will stop in March."
    >>> [left[passage["left"]] for passage in retold.shared_passages(left, right)]
    ['The ferry to Orrin will stop in March']
    """
    found: Any = _retold.shared_passages(left, right)
    return found  # type: ignore[no-any-return]


def jaccard(left: str, right: str, *, shingle: Shingle = 3) -> float:
    """The exact Jaccard similarity of the shingles of two texts: of so many words, or "5-character shingles".

    >>> import retold
    >>> retold.jaccard("one two three four", "one two three five", shingle=2)
    0.5
    """
    return _retold.jaccard(left, right, {"shingle": shingle})


def sign(
    texts: Articles, *, text: str = "text", shingle: Shingle = 5, slots: int = 128, threads: int | None = None
) -> Array:
    """MinHash signatures of texts: a fixed-size list of unsigned 32-bit integers each, null for a text without a shingle.

    The share of equal slots of two signatures estimates the Jaccard similarity of their shingles. The bits are the same on every
    platform and in every release of one `FORMAT_VERSION`.

    >>> import retold
    >>> signatures = retold.sign(["one two three four five six", "One, two, three, four, five, six!"], slots=16)
    >>> signatures[0] == signatures[1], len(signatures[0])
    (True, 16)
    """
    return _retold.sign(texts, _names(text, None, None, None, None), {"shingle": shingle}, slots, threads)


def simhash(texts: Articles, *, text: str = "text", shingle: Shingle = 5, threads: int | None = None) -> Array:
    """SimHash signatures of texts: unsigned 64-bit integers, null for a text without a shingle.

    >>> import retold
    >>> a, b = retold.simhash(["one two three four five six", "One, two, three, four, five, six!"])
    >>> (a ^ b).bit_count()
    0
    """
    return _retold.simhash(texts, _names(text, None, None, None, None), {"shingle": shingle}, threads)
