"""Reading slow and large files in processes of their own: one that hangs, or grows, takes no other with it.

They are new interpreters, not forks of this one: that works on every system, in notebooks, and in scripts
without ``if __name__ == "__main__"``. One file may take so much time and memory there and no more, whatever
the library does that reads it, and who waits for it may stop at any time.
"""

from __future__ import annotations

import os
import pickle
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from math import inf
from pathlib import Path
from queue import SimpleQueue
from threading import Timer
from typing import Any, TypeVar

from workbench.errors import InputError
from workbench.files.kinds import unpacked_size
from workbench.i18n import current_language, language, pgettext
from workbench.i18n import gettext as _
from workbench.progress import heard_by, progress_bar

T = TypeVar("T")
# Reads the file at a path, which is called by a name, and perhaps until a time of the monotonic clock.
Read = Callable[..., T]
# What is done, how many steps of it, and of how many.
Step = tuple[str, int, int]
# About what a file takes; others are read in less than it takes to ask for it.
SECONDS = {
    ".pdf": 0.1,
    ".odt": 0.02,
    ".docx": 0.02,
    **dict.fromkeys((".png", ".jpg", ".jpeg", ".tif", ".tiff"), 1.0),
}
# Processes take about a second to start.
WORTH_WHILE = 2.0
MOST_PROCESSES = 4
# What one file may take: with what it takes of who asks, less than 60 s and 500 MB. Of a processor's time,
# since others may want it too; a page that is read by OCR, which bounds itself, has as much again.
MOST_SECONDS = 50
MOST_MEGABYTES = 340
# From the first page on that is read by OCR.
MOST_MEGABYTES_OCR = 460
# Seconds on the clock: it waits for something that never comes.
LONGEST = 300.0
# Of these come many texts, which then take as much memory again of who asks.
MANY = (".csv", ".tsv", ".json", ".jsonl", ".xlsx", ".xls", ".ods", ".eml")
MOST_MEGABYTES_MANY = 200
PICTURES = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".webp")
# glibc gives freed memory back at once with these; to read a page by OCR then takes 120 MB less. Threads of
# BLAS and OpenMP, which no reader needs, set 200 MB aside.
THRIFT = {"MALLOC_ARENA_MAX": "1", "MALLOC_MMAP_THRESHOLD_": "262144", "MALLOC_TRIM_THRESHOLD_": "262144"}
THRIFT |= {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
# Bytes, once unpacked, that are read in this process.
LIGHT = 2**20
# Never here: what unpacks workbooks believes no declared size, and ends its process when it fails; Parquet
# holds once what stands in a million rows; a PDF has filters in filters; OCR stays in memory.
HEAVY = (".xlsx", ".xls", ".ods", ".parquet", ".pdf", *PICTURES)
# How soon somebody who waits is heard, in seconds.
PATIENCE = 0.2


@contextmanager
def reading_aside(read: Read[T], files: Iterable[tuple[str, Path]], bar: Any) -> Iterator[Read[T]]:
    """`read`, in other processes where that is safer, and where many files are slow, several of them ahead.

    `bar` is updated while somebody waits.
    """
    slow = [(name, file) for name, file in files if file.suffix.lower() in SECONDS]
    n = min(MOST_PROCESSES, os.cpu_count() or 1, len(slow))
    if n < 2 or sum(SECONDS[file.suffix.lower()] for _name, file in slow) < WORTH_WHILE:
        n, slow = 1, []
    idle: SimpleQueue[_Reader] = SimpleQueue()
    readers = [_Reader() for _at in range(n)]
    for reader in readers:
        idle.put(reader)
    pool = ThreadPoolExecutor(n, thread_name_prefix="reading")

    def begun(file: Path, name: str, until: float = inf) -> tuple[Future[T], list[Step]]:
        steps: list[Step] = []

        def do(code: str) -> Any:
            reader = idle.get()
            try:
                longest = min(LONGEST, max(until - time.monotonic(), 0.0))
                return reader.do(partial(read, file, name), code, file.name, steps, longest)
            finally:
                idle.put(reader)

        return pool.submit(do, current_language()), steps

    ahead = {file: begun(file, name) for name, file in slow}

    def chosen(file: Path, name: str, until: float = inf) -> T:
        if file in ahead:
            return _awaited(*ahead.pop(file), bar)
        is_light = file.suffix.lower() not in HEAVY and unpacked_size(file) <= LIGHT
        return read(file, name) if is_light else _awaited(*begun(file, name, until), bar)

    try:
        yield chosen
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
        for reader in readers:
            reader.close()


def read_aside(read: Callable[[], T], file: Path) -> T:
    """What `read` makes of one file: in another process where that is safer."""
    if file.suffix.lower() not in HEAVY and unpacked_size(file) <= LIGHT:
        return read()
    reader = _Reader()
    try:
        found: T = reader.do(read, current_language(), file.name, [], LONGEST)
        return found
    finally:
        reader.close()


def _awaited(reading: Future[T], steps: list[Step], bar: Any) -> T:
    """What is read, with a bar of its pages meanwhile; who listens may end it."""
    with ExitStack() as stack:
        pages, shown = None, 0
        while not wait([reading], PATIENCE).done:
            bar.update(0)
            if steps:
                what, done, total = steps[-1]
                unit = pgettext("unit of a progress bar", "page")
                pages = pages or stack.enter_context(progress_bar(total, what, None, unit=unit, short=2))
                pages.update(done - shown)
                shown = done
    return reading.result()


class _Reader:
    """A process that reads one file after the other; when it ends, the next file has a new one."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._is_closed = False

    def do(self, act: Callable[[], Any], code: str, name: str, steps: list[Step], longest: float) -> Any:
        """What `act` gives there; what is heard of it meanwhile goes into `steps`.

        Raises
        ------
        InputError
            That it raised, or if it took too much.
        """
        if self._process is None:
            self._process = _start()
        process = self._process
        if self._is_closed:
            self.end()
        assert process.stdin is not None
        assert process.stdout is not None
        timer = Timer(longest, process.kill)
        timer.start()
        try:
            pickle.dump((act, code, _megabytes(name)), process.stdin)
            process.stdin.flush()
            while (answer := pickle.load(process.stdout))[0] == "step":
                steps.append(answer[1])
        except (EOFError, OSError, ValueError, pickle.UnpicklingError):
            self.end()
            answer = "refused", None, False
        finally:
            timer.cancel()
        kind, found, is_large = answer
        if is_large:
            # The next file has all of its bound.
            self.end()
        if kind == "refused":
            with language(code):
                raise InputError(found or _too_much(name))
        return found

    def end(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            with suppress(OSError), process:
                process.kill()

    def close(self) -> None:
        """End it, and let nobody begin anew."""
        self._is_closed = True
        self.end()


def _megabytes(name: str) -> int:
    return MOST_MEGABYTES_MANY if name.lower().endswith(MANY) else MOST_MEGABYTES


def _too_much(name: str) -> str:
    return _(
        "{file} takes more than {seconds} s or more than {megabytes} MB of memory to read, which is the most "
        "that one file may take. Split it, or save it anew in the program that wrote it."
    ).format(file=name, seconds=MOST_SECONDS, megabytes=_megabytes(name))


def _start() -> subprocess.Popen[bytes]:
    # The package is found where this process found it.
    path = os.pathsep.join(filter(None, (str(Path(__file__).parents[2]), os.environ.get("PYTHONPATH"))))
    return subprocess.Popen(
        [sys.executable, "-m", __name__],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=os.environ | THRIFT | {"PYTHONPATH": path},
    )


def main() -> None:
    """Do what is asked for on standard input, until there is no more."""
    # Ctrl-C is for the process that asks; it ends this one.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    answers = os.fdopen(os.dup(1), "wb")
    # What a library prints must not come between the answers.
    os.dup2(2, 1)

    megabytes = MOST_MEGABYTES

    def answer(kind: str, said: Any) -> None:
        pickle.dump((kind, said, _peak() > megabytes / 2), answers)
        answers.flush()

    def tell(*step: Any) -> None:
        # Of the readers, only OCR tells of steps.
        _bound(MOST_MEGABYTES_OCR)
        answer("step", step)

    while True:
        try:
            act, code, megabytes = pickle.load(sys.stdin.buffer)
        except EOFError:
            return
        _bound(megabytes)
        with language(code), heard_by(tell):
            try:
                answer("found", act())
            except InputError as error:
                # Without memory, libraries give reasons that mislead.
                if _peak() > 0.9 * megabytes:
                    return
                answer("refused", str(error))
            except (MemoryError, RecursionError):
                # Of an answer without an end, too, which is nested as deep as it could be read.
                return


def _bound(megabytes: int) -> None:
    """Bound the memory of this process, and how long it goes on from now, where the system can do that."""
    with suppress(ImportError, OSError, ValueError):
        import resource

        # What is read must not lie about in a file because it was too much.
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        _soft, hard = resource.getrlimit(resource.RLIMIT_DATA)
        resource.setrlimit(resource.RLIMIT_DATA, (megabytes * 2**20, hard))
        _soft, hard = resource.getrlimit(resource.RLIMIT_CPU)
        resource.setrlimit(resource.RLIMIT_CPU, (int(time.process_time()) + 1 + MOST_SECONDS, hard))


def _peak() -> float:
    """The most megabytes that this process took; 0 where the system does not tell."""
    with suppress(OSError, ValueError, IndexError):
        # Not `getrusage`: it counts what the process took that started this one.
        peak = Path("/proc/self/status").read_text(encoding="utf-8").split("VmHWM:")[1].split()[0]
        return int(peak) / 1024
    return 0.0


if __name__ == "__main__":
    main()
