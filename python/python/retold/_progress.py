"""A progress bar for a detection: tqdm's where it is installed, a line on standard error otherwise."""

from __future__ import annotations

import sys
from typing import Any


class Bar:
    """Called with the stage, the articles done and their total."""

    def __init__(self) -> None:
        try:
            from tqdm.auto import tqdm
        except ImportError:
            tqdm = None
        self._tqdm: Any = tqdm
        self._bar: Any = None
        self._stage = ""
        self._done = 0

    def __call__(self, stage: str, done: int, total: int) -> None:
        if stage != self._stage:
            self.close()
            self._stage, self._done = stage, 0
            if self._tqdm is not None:
                self._bar = self._tqdm(total=total, desc=stage, unit=" articles")
        # Told by several threads, so that one may come late.
        if done < self._done:
            return
        if self._bar is not None:
            self._bar.update(done - self._done)
        else:
            print(f"\r{stage}: {done} of {total}", end="", file=sys.stderr, flush=True)
        self._done = done

    def close(self) -> None:
        if self._bar is not None:
            self._bar.close()
            self._bar = None
        elif self._stage:
            print(file=sys.stderr)
        self._stage = ""
