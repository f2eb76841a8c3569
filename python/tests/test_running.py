"""Other threads go on, Ctrl-C ends the work, progress is told, forks work."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable

import pytest

import retold
from corpus import corpus

ARTICLES = [article[:2] for article in corpus(random.Random(11), 3000)]


def waits(job: Callable[[], object]) -> tuple[float, float, int]:
    """How long a job takes, how long another thread waits at most meanwhile, and how often it comes to its turn."""
    counts: list[float] = []
    done = threading.Event()

    def count() -> None:
        while not done.is_set():
            counts.append(time.perf_counter())
            time.sleep(0.001)

    thread = threading.Thread(target=count)
    thread.start()
    start = time.perf_counter()
    job()
    end = time.perf_counter()
    done.set()
    thread.join()
    within = [at for at in counts if start < at < end]
    return end - start, max(after - before for before, after in zip([start, *within], [*within, end])), len(within)


def test_a_thread_counts_meanwhile() -> None:
    total, longest, turns = waits(lambda: retold.find(ARTICLES, threads=1))
    assert turns > 20, (turns, total)
    assert longest < max(0.25 * total, 0.1), (longest, total)


def test_many_passages_are_counted_out_beside_other_threads() -> None:
    stories = [" ".join(f"wört{story}x{at}" for at in range(12)) for story in range(8000)]
    left, right = (". ".join(f"{story}. {' '.join(f'{side}{at}y{n}' for n in range(14))}" for at, story in enumerate(stories)) for side in ("é", "right"))
    passages: list[retold.Passage] = []
    total, longest, _ = waits(lambda: passages.extend(retold.shared_passages(left, right)))
    assert [left[of["left"]] for of in passages] == [right[of["right"]] for of in passages] == stories
    assert longest < max(0.5 * total, 0.1), (longest, total)


def test_two_at_once() -> None:
    found: list[str] = []
    threads = [threading.Thread(target=lambda: found.append(repr(retold.find(ARTICLES[:500])))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 4 and len(set(found)) == 1


def test_progress() -> None:
    told: list[tuple[str, int, int]] = []
    retold.find(ARTICLES, progress=lambda *progress: told.append(progress))
    stages = list(dict.fromkeys(stage for stage, _, _ in told))
    assert stages == ["sign", "near", "candidates", "verify", "cluster"]
    assert told[0] == ("sign", 0, len(ARTICLES)) and ("sign", len(ARTICLES), len(ARTICLES)) in told
    assert all(done <= total for _, done, total in told)


def test_what_progress_raises_ends_it() -> None:
    def stop(stage: str, done: int, total: int) -> None:
        raise LookupError(f"enough at {stage}")

    with pytest.raises(LookupError, match="enough at sign"):
        retold.find(ARTICLES, progress=stop)
    # And nothing is left of it.
    assert len(retold.find(ARTICLES[:50]).keep_mask()) == 50


def test_a_bar(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    retold.find(ARTICLES[:50], progress=True)
    assert "sign" in capfd.readouterr().err
    for name in ("tqdm", "tqdm.auto"):
        monkeypatch.setitem(sys.modules, name, None)
    retold.find(ARTICLES[:50], progress=True)
    assert "cluster: 0 of" in capfd.readouterr().err


SLOW = """
import retold, signal, sys, time
# Whoever runs the tests may ignore it.
signal.signal(signal.SIGINT, signal.default_int_handler)
articles = [f"The ferry number {n} to Orrin will stop in March, told {n * 7919 % 100003} {n * 104729 % 99991} people of the board" for n in range(6000)]
try:
    print("ready", flush=True)
    # However fast the machine is.
    while True:
        retold.find(articles, search="exhaustive", threads=2)
except KeyboardInterrupt:
    print("interrupted", flush=True)
    # And it goes on.
    print(len(retold.find(articles[:10]).keep_mask()), flush=True)
"""


@pytest.mark.skipif(os.name != "posix", reason="SKIPPED Ctrl-C: sends a POSIX signal")
def test_ctrl_c() -> None:
    child = subprocess.Popen([sys.executable, "-c", SLOW], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert child.stdout is not None and child.stdout.readline() == "ready\n"
    time.sleep(0.5)
    child.send_signal(signal.SIGINT)
    out, err = child.communicate(timeout=120)
    assert out.split() == ["interrupted", "10"], err
    assert "panicked" not in err


LONG = """
import retold, signal
# Whoever runs the tests may ignore it.
signal.signal(signal.SIGINT, signal.default_int_handler)
articles = [f"The ferry number {n} to Orrin will stop in March, told {n * 7919 % 100003} {n * 104729 % 99991} people of the board" for n in range(40000)]
def tell(stage, done, total):
    if stage == "near":
        print(stage, flush=True)
try:
    retold.find(articles, level="near", search="exhaustive", threads=1, progress=tell)
except KeyboardInterrupt:
    print("interrupted", flush=True)
"""


@pytest.mark.skipif(os.name != "posix", reason="SKIPPED Ctrl-C: sends a POSIX signal")
def test_ctrl_c_where_nothing_is_counted() -> None:
    """It returns although the work, which compares all with all for minutes, does not look whether it is to stop."""
    child = subprocess.Popen([sys.executable, "-c", LONG], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert child.stdout is not None and child.stdout.readline() == "near\n"
    child.send_signal(signal.SIGINT)
    out, err = child.communicate(timeout=60)
    assert out.split() == ["interrupted"] and "panicked" not in err, (out, err)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="SKIPPED forks: this system has none")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_after_a_fork() -> None:
    retold.find(ARTICLES[:50])
    child = os.fork()
    if child == 0:
        # Its parent's threads are not here.
        os._exit(0 if len(retold.find(ARTICLES[:50]).keep_mask()) == 50 else 1)
    deadline = time.time() + 60
    while (status := os.waitpid(child, os.WNOHANG))[0] == 0:
        if time.time() > deadline:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
            pytest.fail("the child hangs")
        time.sleep(0.01)
    assert os.waitstatus_to_exitcode(status[1]) == 0
