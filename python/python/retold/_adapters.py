"""What other libraries have, as Arrow data that the package can read, and the names of its columns where they are known.

Only the columns that are wanted are handed over: among the others there may be types that Arrow data has not.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any


def from_frame(frame: Any, wanted: list[str]) -> tuple[Any, list[str] | None]:
    """A data frame or column of polars or pandas; anything else of theirs as it is."""
    library, kind = type(frame).__module__.split(".")[0], type(frame).__name__
    if kind == "LazyFrame":
        raise TypeError("articles is a LazyFrame, a query that has not run yet: give articles.collect()")
    columns = None
    if kind == "DataFrame":
        # The index of pandas is handed over as well.
        named = [*frame.columns, *(frame.index.names if library == "pandas" else [])]
        columns = [name for name in named if isinstance(name, str)]
        frame = frame[[name for name in frame.columns if name in wanted]]
    if library == "polars" and kind in ("DataFrame", "Series"):
        import polars

        # Nulls of no type have a buffer in polars, which Arrow does not allow.
        if kind == "DataFrame":
            frame = frame.cast({polars.Null: polars.String})
        elif frame.dtype == polars.Null:
            frame = frame.cast(polars.String)
    return frame, columns


def from_datasets(dataset: Any, wanted: list[str]) -> tuple[Iterator[Any], list[str] | None]:
    """A Hugging Face dataset, in memory, memory-mapped or streamed, as record batches or lists of dicts."""
    if isinstance(dataset, dict):
        names = ", ".join(map(str, dataset))
        raise TypeError(f"articles is a dict of datasets: give one of its splits ({names})")
    columns = dataset.column_names
    if columns is None:
        # A stream that does not know its columns may change their types on the way, which its record batches do not outlive.
        rows = iter(dataset.with_format(None))
        return iter(lambda: list(islice(rows, 1000)), []), None
    # With an index, rows are taken out of order, and "arrow" does so by copying batch for batch.
    dataset = dataset.select_columns([name for name in columns if name in wanted]).with_format("arrow")
    tables = dataset.iter(batch_size=10_000)
    return (batch for table in tables for batch in table.to_batches()), columns
