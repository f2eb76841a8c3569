"""The steps of a detection as kernels for dataflow engines: record batches in, record batches out.

`retold.spark` is made of these; what it shows holds for any engine that runs a Python function over Arrow data, sorts, and joins. Most
users want `retold.find` or `retold.spark.find`.

A `Step` is one kernel with what it must know. It takes an iterator of record batches and gives one, as ``mapInArrow`` of Spark wants
it, and it can be pickled. What comes of it depends on its rows and on what it knows alone, so that a step that is run again gives the
same bits.

>>> import pyarrow as pa
>>> from retold import kernels
>>> step = kernels.Step("number", {"level": "near"})
>>> batch = pa.record_batch({"text": ["The ferry leaves at nine.", "The ferry leaves at nine!", "No."]})
>>> [out.to_pydict() for out in step([batch])][0]["refused"]
[False, False, True]

**Version.** A step holds the version of the package that made it, `VERSION`: of the signatures, of what kernels exchange, and of
what they judge by. Where another one is installed it refuses to run, and names both.

**Types.** Numbers are int64 unless said otherwise, hashes of 64 bits with the sign bit turned, so that they sort as they should; data is
binary; floats are float32. Articles are numbered from 0 on in the order of their ids, those of one id by ``exact_a``, ``exact_b``,
``words``, whether they are new, their date if dates matter, ``hash`` and ``beside``. Texts are articles that can be compared, each once, and are
numbered on in the same order. ``l`` and ``r`` are texts, the first before the second.

**Kernels.** "In order" are those that need their rows sorted by the columns named first, all rows of one of the first column in one
task. What they hold in memory at a time is named as well.

| kernel | takes | gives | knows | in order |
| --- | --- | --- | --- | --- |
| number | text, and if they are there label (any), date (any), source (any) | id (label written out, if that is there), words, refused, exact_a, exact_b, hash, seconds, beside, outlet (null if unknown) | | |
| texts | n, text | t (-1 for none), mini | distinct | |
| keys | t, text | key, t for each tree | | |
| roots | key, t | kind, a, b, round, depth, rows: pairs a, b that meet (0), and b under a crowded key a (1) | | key, t: 17 texts |
| deeper | key, t, text | b in the next bucket a (kind 2) | | |
| buckets | a, b, round, depth, rows | as roots: pairs (0), and b in the next bucket a (2) | | a, b: 4,096 texts |
| may_be | l, r, round, l_mini, l_words, r_mini, r_words | l, r, round of likely pairs | | |
| compare | l, r, round, glance, l_text, r_text | l, r, round, similarity, jaccard, containment of edited copies | | |
| common_slots | crowd, text | crowd, common | | crowd: its rows, at most 256 |
| closest | crowd, t, text | crowd, distance, t of the closest | commons, most | |
| fingerprints | t, text | fingerprint, words, t, needed (-1 for never) | whole | |
| overlaps | fingerprint, words, t, needed | kind, a, b, count, crowded, needed: pairs (0), common fingerprints (1), a crowded ones (2) | | fingerprint, words, t: 41 texts |
| windows | t, text | window, hash, t | whole, common | |
| holders | window, hash, t | window, holders | | window, hash, t: 24 texts |
| explode | holders | holders, place, t | | |
| stems | holders, place, text | holders, place, stems, window | common | |
| unrelated | holders, place, stems, window | event, window of furniture: what rewordings are judged without, or what is no excerpt | | holders, place: the stems of 24 texts |
| frequent | t, text | kind, number: features frequent among these (0), and counts of words (1 to 5) | leads, common, windows | |
| features | t, text | bucket, data | leads, common, windows, frequent, buckets | |
| count | bucket, data | kind, number, code, data: answers for a block of texts (0), frequent features with a code (1) | | bucket: its rows |
| weigh | block, t, data, text | t, stems, rare, pair_total, rare_total, kin (int32), met | leads, common, windows, frequent, frequent_codes, documents, english | block, t: answers for 512 texts, which come first |
| neighbours | t, met | l, r, pairs (int32), share (int32) | totals | |
| shares | t, share | t, usual (int32) | | t: its shares |
| compared | l, r, pairs, share | t, block, home, pairs, share, is_left of pairs to be looked at: t is sent to home | least, totals, blocks | |
| visits | t, block, home, pairs, share, is_left | t, block, data | | t, block: the homes in a block |
| look | block, data (null first), t, stems | l, r, pairs, share, evidence, l_is_shorter, l_mate, r_mate | | block, data: the stems of a block |
| mates | l, r, share, l_mate, r_mate | t, share, other, mate | crowded | |
| usual | t, share (falling), other, mate | t, share | | t, share, other: 64 rows |
| worth | l, r, pairs, evidence, l_is_shorter | l, r, evidence, l_is_shorter of pairs worth reading | totals, usual | |
| read | l, r, evidence, l_is_shorter, l_text, r_text | l, r, odds, evidence, near, similarity, jaccard, containment; and last, with l = r = 0, the counts of odds as evidence | common, windows | |
| direct | at, l, r, and of both text, stems, rare | at, near, similarity, jaccard, containment, evidence of copies | common, windows, usual, prior | |
| side_by_side | at, l, r, l_text, r_text | at, near, similarity, jaccard, containment, covered | | |
| all_fingerprints | t, text, speaker (the text that speaks for it, or null) | fingerprint, words, t, needed | | |
| choose | l (the shorter one), r, count, crowded, needed, in parts | l, r, crowd of pairs to be read | stories, known | l, r: a pair |
| passages | l (the shorter one), r, crowd, l_text, r_text | l, r, data of those that share passages | common, windows that are no excerpts | |

What a kernel knows was found from the whole corpus: ``distinct``, ``whole``, ``leads``, ``crowded`` and ``known`` say of each article
or text whether it is one, a bit each; ``common`` and ``windows`` are numbers of four bytes, ``frequent`` of eight; ``totals``, ``usual``,
``stories`` and ``least`` have eight, four, four and two bytes for each text. `retold.spark` shows where each comes from.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any

from . import _retold

__all__ = ["BLOCK", "VERSION", "Step"]

VERSION: tuple[int, int, int] = _retold.kernels_version()

BLOCK = 512
"""Texts that are weighed together: ``block`` is the number of a text divided by this."""


class Step:
    """A kernel of a name with the options of `retold.find` and what it knows.

    `carry` names columns that it passes on beside its own, if it gives a row for each row.
    """

    def __init__(
        self, kernel: str, options: Mapping[str, Any] | None = None, carry: Sequence[str] = (), **knows: Any
    ) -> None:
        self.kernel = kernel
        self.options = plain(options or {})
        self.carry = tuple(carry)
        self.knows = knows
        self.version = VERSION

    def __call__(self, batches: Iterable[Any]) -> Iterator[Any]:
        if self.version != VERSION:
            raise ValueError(
                f"this worker has another version of retold: its kernels are of version {written(VERSION)}, and the step was "
                f"made by version {written(self.version)}. Install the same version everywhere"
            )
        import pyarrow as pa

        kernel = _retold.Kernel(self.kernel, self.options, self.knows)
        for batch in batches:
            if batch.num_rows == 0:
                continue
            yield from self._out(pa.table(kernel.push(batch)), batch)
        rest = kernel.finish()
        if rest is not None:
            yield from self._out(pa.table(rest), None)

    def _out(self, table: Any, batch: Any) -> Iterator[Any]:
        if batch is not None:
            for at, name in enumerate(self.carry):
                table = table.add_column(at, name, [batch.column(batch.schema.get_field_index(name))])
        for out in table.to_batches():
            if out.num_rows:
                yield out


def plain(options: Mapping[str, Any]) -> dict[str, Any]:
    """Options without what is not given, as any worker reads them."""
    seconds = {name: value.total_seconds() for name, value in options.items() if isinstance(value, timedelta)}
    return {name: value for name, value in {**options, **seconds}.items() if value is not None}


def written(version: tuple[int, ...]) -> str:
    return ".".join(str(part) for part in version)
