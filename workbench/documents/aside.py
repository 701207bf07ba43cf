"""Reading many slow files side by side, in processes of their own: one that hangs takes no other with it.

They are new interpreters, not forks of this one: that works on every system, in notebooks, and in scripts
without ``if __name__ == "__main__"``.
"""

from __future__ import annotations

import os
import pickle
import signal
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from contextvars import copy_context
from pathlib import Path
from queue import SimpleQueue
from threading import Timer

from workbench.documents.content import Content
from workbench.documents.formats import read_content
from workbench.errors import InputError
from workbench.i18n import current_language, language, number
from workbench.i18n import gettext as _

__all__ = ["Read", "reading_aside"]

Read = Callable[[Path, str | None], Content]
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
# A longer one is given up; 500 scanned pages take less.
MOST_SECONDS = 1800.0


@contextmanager
def reading_aside(files: Iterable[Path]) -> Iterator[Read]:
    """A function that gives the content of a file; of many slow ones, several are read ahead at a time."""
    slow = [file for file in files if file.suffix.lower() in SECONDS]
    n = min(MOST_PROCESSES, os.cpu_count() or 1, len(slow))
    if n < 2 or sum(SECONDS[file.suffix.lower()] for file in slow) < WORTH_WHILE:
        yield read_content
        return
    idle: SimpleQueue[_Reader] = SimpleQueue()
    readers = [_Reader() for _at in range(n)]
    for reader in readers:
        idle.put(reader)

    def read(file: Path) -> Content:
        reader = idle.get()
        try:
            return reader.read(file)
        finally:
            idle.put(reader)

    pool = ThreadPoolExecutor(n, thread_name_prefix="reading")
    ahead = {file: pool.submit(copy_context().run, read, file) for file in slow}
    try:
        yield (
            lambda file, encoding: ahead.pop(file).result() if file in ahead else read_content(file, encoding)
        )
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
        for reader in readers:
            reader.end()


class _Reader:
    """A process that reads one file after the other; when it ends, the next file has a new one."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None

    def read(self, file: Path) -> Content:
        if self._process is None:
            self._process = _start()
        process = self._process
        assert process.stdin is not None
        assert process.stdout is not None
        timer = Timer(MOST_SECONDS, process.kill)
        timer.start()
        try:
            pickle.dump((file, current_language()), process.stdin)
            process.stdin.flush()
            found = pickle.load(process.stdout)
        except (EOFError, OSError, pickle.UnpicklingError):
            self.end()
            raise InputError(
                _(
                    "{file} cannot be read: it took more than {minutes} minutes, or more memory than there "
                    "is. Save it anew in the program that wrote it, or as text."
                ).format(file=file.name, minutes=number(MOST_SECONDS / 60, 0))
            ) from None
        finally:
            timer.cancel()
        if isinstance(found, str):
            raise InputError(found)
        content: Content = found
        return content

    def end(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            with suppress(OSError), process:
                process.kill()


def _start() -> subprocess.Popen[bytes]:
    # The package is found where this process found it.
    path = os.pathsep.join(filter(None, (str(Path(__file__).parents[2]), os.environ.get("PYTHONPATH"))))
    return subprocess.Popen(
        [sys.executable, "-m", __name__],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=os.environ | {"PYTHONPATH": path},
    )


def main() -> None:
    """Read what is asked for on standard input, until there is no more."""
    # Ctrl-C is for the process that asks; it ends this one.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    answers = os.fdopen(os.dup(1), "wb")
    # What a library prints must not come between the answers.
    os.dup2(2, 1)
    while True:
        try:
            file, code = pickle.load(sys.stdin.buffer)
        except EOFError:
            return
        with language(code):
            try:
                found: Content | str = read_content(file)
            except InputError as error:
                found = str(error)
            pickle.dump(found, answers)
            answers.flush()


if __name__ == "__main__":
    main()
