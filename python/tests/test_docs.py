"""The examples in docstrings and in the README run."""

from __future__ import annotations

import doctest
import inspect
import os
import re
import shutil
from pathlib import Path
from typing import Any

import pytest

import retold
import retold.kernels

README = Path(__file__).parent.parent / "README.md"


def documented() -> list[tuple[str, str]]:
    found = [("retold", retold.__doc__ or ""), ("retold.kernels", retold.kernels.__doc__ or "")]
    for name in retold.__all__:
        item: Any = getattr(retold, name)
        found.append((name, inspect.getdoc(item) or ""))
        if inspect.isclass(item):
            found += [(f"{name}.{member}", inspect.getdoc(value) or "") for member, value in vars(item).items()]
    return [(name, doc) for name, doc in found if ">>>" in doc]


@pytest.mark.parametrize(("name", "doc"), documented(), ids=[name for name, _ in documented()])
def test_docstring(name: str, doc: str) -> None:
    if "import pyarrow" in doc:
        pytest.importorskip("pyarrow", reason=f"SKIPPED the example of {name}: pyarrow is not installed")
    test = doctest.DocTestParser().get_doctest(doc, {}, name, name, 0)
    runner = doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE)
    output: list[str] = []
    runner.run(test, out=output.append)
    assert runner.failures == 0, "".join(output)


def test_all_that_users_meet_has_documentation() -> None:
    names = {name.split(".")[0] for name, _ in documented()}
    assert names >= {"retold", "find", "pairs", "Collector", "compare", "shared_passages", "jaccard", "sign", "simhash", "Report", "Table", "Array", "Archive", "ArchiveReader"}


def snippets() -> list[tuple[str, str]]:
    """The Python of the README by the heading that it stands under."""
    found, heading = [], ""
    for part in re.split(r"^(#+ .*)$", README.read_text(encoding="utf-8"), flags=re.MULTILINE):
        if part.startswith("#"):
            heading = part.lstrip("# ")
        found += [(heading, code) for code in re.findall(r"```python\n(.*?)```", part, flags=re.DOTALL)]
    return found


@pytest.mark.parametrize(("heading", "code"), snippets(), ids=[heading for heading, _ in snippets()])
def test_readme(heading: str, code: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for library in re.findall(r"^(?:import|from) (\w+)", code, flags=re.MULTILINE):
        pytest.importorskip(library, reason=f"SKIPPED the README's snippet on {heading}: {library} is not installed")
    if "pyspark" in code and shutil.which("java") is None and "JAVA_HOME" not in os.environ:
        pytest.skip(f"SKIPPED the README's snippet on {heading}: Java is not installed")
    # Two runs take a minute on two cores.
    if "pyspark" in code and "RETOLD_SPARK_CORPUS" not in os.environ:
        pytest.skip("part of .ci/full")
    monkeypatch.chdir(tmp_path)
    ferry = "The ferry to Orrin will stop in March, the harbour board announced on Monday"
    lines = [(1, f"{ferry}."), (2, f"{ferry}!"), (3, "Snow closed the mountain road to Hallin for the third time in a week.")]
    with open("crawl.jsonl", "w", encoding="utf-8") as file:
        import json

        file.writelines(json.dumps({"id": f"{id}", "text": text}) + "\n" for id, text in lines)
    exec(compile(code, f"README.md: {heading}", "exec"), {"__name__": "readme"})
