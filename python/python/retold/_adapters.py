"""Libraries that have Arrow data and do not speak the PyCapsule interface."""

from __future__ import annotations

from typing import Any


def from_datasets(dataset: Any) -> Any:
    """A Hugging Face dataset, in memory, memory-mapped or streamed, as a stream of record batches."""
    import pyarrow

    if isinstance(dataset, dict):
        names = ", ".join(map(str, dataset))
        raise TypeError(f"articles is a dict of datasets: give one of its splits ({names})")
    # With an index, rows are taken out of order, and "arrow" does so by copying batch for batch.
    tables = dataset.with_format("arrow").iter(batch_size=10_000)
    first = next(tables, None)
    if first is None:
        return pyarrow.table({name: pyarrow.array([], pyarrow.string()) for name in dataset.column_names or ["text"]})

    def batches() -> Any:
        yield from first.to_batches()
        for table in tables:
            yield from table.to_batches()

    return pyarrow.RecordBatchReader.from_batches(first.schema, batches())
