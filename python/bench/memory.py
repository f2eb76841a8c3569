"""What a detection takes of memory beside texts that are there already: `memory.py FILE.jsonl [MEMORY]`, on Linux.

A line of the file has the fields `id` and `text`. Each library holds the articles in a process of its own, which then finds the copies
among them with so much memory given (`1 MB`). What the process grew by at most is told beside what its report takes, which is what it is
larger by in the end.
"""

from __future__ import annotations

import ctypes
import gc
import subprocess
import sys

LIBRARIES = ["pyarrow", "polars", "pandas"]


def resident(what: str) -> int:
    """Bytes in memory: `VmRSS` now, `VmHWM` at most since they were last reset."""
    with open("/proc/self/status", encoding="ascii") as status:
        return next(1024 * int(line.split()[1]) for line in status if line.startswith(what))


def settled() -> int:
    """Bytes in memory once all is given back that nobody holds."""
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)
    return resident("VmRSS")


def articles_of(library: str, file: str) -> tuple[object, int]:
    import pyarrow.compute
    import pyarrow.json

    table = pyarrow.json.read_json(file).select(["id", "text"])
    size = pyarrow.compute.sum(pyarrow.compute.binary_length(table["text"])).as_py()
    if library == "polars":
        import polars

        return polars.DataFrame(table), size
    if library == "pandas":
        return table.to_pandas(types_mapper={pyarrow.string(): pandas_strings()}.get), size
    return table, size


def pandas_strings() -> object:
    import pandas
    import pyarrow

    return pandas.ArrowDtype(pyarrow.string())


def measure(library: str, file: str, memory: str) -> None:
    import retold

    articles, size = articles_of(library, file)
    # What is set up once.
    retold.find([("a", "The ferry leaves at nine."), ("b", "The ferry leaves at ten.")], memory=memory)
    before = settled()
    with open("/proc/self/clear_refs", "w", encoding="ascii") as marks:
        marks.write("5")
    report = retold.find(articles, memory=memory)
    peak = resident("VmHWM") - before
    output = settled() - before
    beside = peak - output
    print(f"{library:8} {len(articles)} articles, {size / 1e6:.0f} MB of text: at most {peak / 1e6:.0f} MB more, of which the report", end=" ")
    print(f"{output / 1e6:.0f}; beside it {beside / 1e6:.0f} MB, {100 * beside / size:.1f} % of the text ({report})")


def main() -> None:
    match sys.argv[1:]:
        case [file, memory, library]:
            measure(library, file, memory)
        case [file, *given]:
            for library in LIBRARIES:
                subprocess.run([sys.executable, __file__, file, *(given or ["1 MB"]), library], check=True)


if __name__ == "__main__":
    main()
