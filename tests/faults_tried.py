"""Faults around the workbench: its app is ended, two write at once, a disk is full or may only be read.

``python tests/faults_tried.py [fault ...]`` tries each once and prints what came of it, a line of JSON each.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psutil
import pytest
from toy_encoders import ToyEncoder

sys.path.append(str(Path(__file__).parent / "browser"))

from live_app import workbench_app

from workbench.cutoffs import Cutoff
from workbench.decision_log import DecisionLog
from workbench.errors import LogWarning, StoreError
from workbench.retrieval import KnowledgeBase

SECONDS_TO_END = 10
TEXTS = [f"text {number}" for number in range(300)]


def app_ended(how: signal.Signals, folder: Path) -> list[str]:
    """End the app, and tell what is left of it, or was for others to read."""
    amiss, place = [], folder / "tmp"
    place.mkdir()
    with pytest.MonkeyPatch.context() as patch, umask(0):
        patch.setenv("TMPDIR", str(place))
        with workbench_app(folder, encoder="keyword") as app:
            shared = [path.name for path in place.rglob("*") if path.lstat().st_mode & 0o077]
            amiss += [f"others may read {name}" for name in shared]
            processes = psutil.Process(app.process.pid).children(recursive=True)
            if len(processes) < 2:
                amiss.append("neither encoder nor kernel was there")
            app.process.send_signal(how)
            try:
                code = app.process.wait(SECONDS_TO_END)
                if code not in (0, 130, -how):
                    amiss.append(f"exit code {code}")
            except subprocess.TimeoutExpired:
                amiss.append(f"it still runs after {SECONDS_TO_END} s")
            _gone, alive = psutil.wait_procs(processes, SECONDS_TO_END)
            amiss += [f"still there: {' '.join(process.cmdline()[:3])}" for process in alive]
            for process in alive:
                process.kill()
            log = (folder / "app.log").read_text()
            amiss += [log for unwanted in ("Traceback", "without encryption") if unwanted in log]
        if how is signal.SIGKILL:
            # What a server that is killed cannot remove, the next one does.
            (next(place.glob("workbench-*")) / "cv.txt").write_text("of a visitor")
            with workbench_app(folder, encoder="keyword"):
                pass
    return amiss + [f"left: {path.name}" for path in place.iterdir()]


@contextmanager
def umask(mask: int) -> Iterator[None]:
    """Processes that are started here make files with this mask."""
    before = os.umask(mask)
    try:
        yield
    finally:
        os.umask(before)


def two_writers(folder: Path) -> list[str]:
    """Two processes add to one knowledge base at once, a text at a time."""
    program = (
        "import sys; from toy_encoders import ToyEncoder; from workbench.retrieval import KnowledgeBase\n"
        "base = KnowledgeBase.open(sys.argv[1], ToyEncoder())\n"
        "for number in range(20): base.add([f'{sys.argv[2]} {number}', 'of both'])"
    )
    command = [sys.executable, "-c", program, str(folder / "kb")]
    both = [subprocess.Popen([*command, name]) for name in ("one", "other")]
    amiss = [f"exit code {process.returncode}" for process in both if process.wait(120)]
    base = KnowledgeBase.open(folder / "kb", ToyEncoder())
    base._store.check_vectors()
    wanted = {f"{name} {number}" for name in ("one", "other") for number in range(20)} | {"of both"}
    if sorted(base.texts) != sorted(wanted):
        amiss.append(f"{len(wanted - set(base.texts))} texts are missing")
    if (base.vectors != ToyEncoder().encode_documents(base.texts)).any():
        amiss.append("a text has another's vector")
    return amiss


@contextmanager
def mounted(place: Path, options: str) -> Iterator[Path]:
    """A disk of its own, in memory; only root may."""
    place.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", options, "none", str(place)], check=True)
    try:
        yield place
    finally:
        # Vectors are mapped as long as somebody has them.
        subprocess.run(["umount", "--lazy", str(place)], check=True)


def may_mount() -> bool:
    """Whether this process can give itself disks."""
    try:
        with tempfile.TemporaryDirectory() as folder, mounted(Path(folder) / "disk", "size=64k"):
            return True
    except (OSError, subprocess.CalledProcessError):
        return False


def disk_full(folder: Path) -> list[str]:
    """Add until the disk, of half a megabyte, is full; all that was added is there, and room helps."""
    amiss = []
    with mounted(folder / "disk", "size=512k") as disk:
        (disk / "ballast").write_bytes(bytes(100_000))
        base, added = KnowledgeBase.open(disk / "kb", ToyEncoder()), 0
        log = DecisionLog(disk / "decisions.jsonl")
        encoder = ToyEncoder()
        for turn in range(100):
            try:
                base.add([f"{turn} {text} {'x' * 60}" for text in TEXTS[:50]])
                added += 50
            except StoreError:
                break
        else:
            amiss.append("the disk was never full")
        decided = 0
        with suppress(StoreError):
            while True:
                log.record(Cutoff(0.4), encoder=encoder, jd_id="j", resume_id=str(decided), score=0.5)
                decided += 1
        base = KnowledgeBase.open(disk / "kb", ToyEncoder())
        base._store.check_vectors()
        if len(base) != added:
            amiss.append(f"{added} texts were added, {len(base)} are there")
        (disk / "ballast").unlink()
        if base.add(["with room again"]).added != 1:
            amiss.append("room does not help")
        log.record(Cutoff(0.4), encoder=encoder, jd_id="j", resume_id="last", score=0.5)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", LogWarning)
            if len(log.read()) != decided + 1:
                amiss.append("decisions are missing")
    return amiss


def read_only(folder: Path) -> list[str]:
    """A knowledge base that may only be read is searched; to add says why not."""
    amiss = []
    with mounted(folder / "disk", "mode=700") as disk:
        KnowledgeBase.open(disk / "kb", ToyEncoder()).add(TEXTS)
        subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
        base = KnowledgeBase.open(disk / "kb", ToyEncoder())
        if len(base.search(TEXTS[7], k=3, cutoff=0.5)) != 3 or base.texts != TEXTS:
            amiss.append("it is not searched")
        for act in (
            lambda: base.add(["more"]),
            lambda: base.remove([0]),
            lambda: base.export(disk / "x.csv"),
        ):
            try:
                act()
                amiss.append("a change was said to be made")
            except StoreError:
                continue
    return amiss


def clock_that_jumps(folder: Path) -> list[str]:
    """The clock goes back a year and on again, between records and while another waits for a lock."""
    import workbench.decision_log as module

    amiss, log, base = [], DecisionLog(folder / "log.jsonl"), None
    for turn, days in enumerate((0, -365, 4000, -1)):
        moment = datetime.now(UTC) + timedelta(days=days)

        class Clock(datetime):
            @classmethod
            def now(cls, tz=None, moment=moment):
                return moment

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(module, "datetime", Clock)
            patch.setattr("workbench.retrieval.storage.datetime", Clock)
            patch.setattr(time, "time", moment.timestamp)
            log.record(Cutoff(0.4), encoder=ToyEncoder(), jd_id="j", resume_id=str(turn), score=0.5)
            base = KnowledgeBase.open(folder / "kb", ToyEncoder())
            base.add([f"turn {turn}"])
    if log.read()["resume_id"].tolist() != ["0", "1", "2", "3"]:
        amiss.append("decisions are not in the order in which they were made")
    if base is None or base.texts != [f"turn {turn}" for turn in range(4)]:
        amiss.append("texts are missing")
    return amiss


FAULTS: dict[str, Callable[[Path], list[str]]] = {
    "Ctrl-C at the app": lambda folder: app_ended(signal.SIGINT, folder),
    "kill at the app": lambda folder: app_ended(signal.SIGTERM, folder),
    "kill -9 at the app": lambda folder: app_ended(signal.SIGKILL, folder),
    "two writers on one base": two_writers,
    "disk full": disk_full,
    "read-only disk": read_only,
    "clock that jumps": clock_that_jumps,
}


NEED_MOUNT = {"disk full", "read-only disk"}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("faults", nargs="*", metavar="FAULT")
    for name in parser.parse_args().faults or FAULTS:
        began = time.monotonic()
        with tempfile.TemporaryDirectory() as folder:
            lost = FAULTS[name](Path(folder))
        print(json.dumps({"name": name, "lost": lost, "seconds": time.monotonic() - began}), flush=True)


if __name__ == "__main__":
    main()
