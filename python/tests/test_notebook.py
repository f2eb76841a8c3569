"""The notebook runs from top to bottom, without a browser."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest


def test_notebook() -> None:
    nbclient = pytest.importorskip("nbclient", reason="SKIPPED the notebook: nbclient is not installed")
    nbformat = pytest.importorskip("nbformat", reason="SKIPPED the notebook: nbformat is not installed")
    pytest.importorskip("ipykernel", reason="SKIPPED the notebook: ipykernel is not installed")
    notebook: Any = nbformat.read(Path(__file__).parent.parent / "example.ipynb", as_version=4)
    nbclient.NotebookClient(notebook, timeout=120, kernel_name="python3").execute()
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    html = [output["data"]["text/html"] for output in outputs if "text/html" in output.get("data", {})]
    assert len(html) == 1 and "reprint" in html[0]
    assert "['monday', 'weather']" in outputs[2]["data"]["text/plain"]
