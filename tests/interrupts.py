"""Processes that a test interrupts, acts that it stops half way, and what only root may do."""

import os
import signal
import sqlite3
from contextlib import contextmanager
from pathlib import Path

__all__ = ["heed_ctrl_c", "stop_at", "without_privileges"]


def heed_ctrl_c() -> None:
    """For ``preexec_fn``: what a shell runs in the background is deaf to Ctrl-C, and so are its children."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@contextmanager
def without_privileges():
    """For root, whom no permission stops: be nobody for a while."""
    user = os.geteuid()
    if user == 0:
        os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(user)


def stop_at(step, error, patch, kind="any"):
    """Raise once at one of the steps in which a change reaches the disk; the list returned then has a member.

    Steps are the syncs of files ("fsync"), the statements that are run in SQLite files ("sqlite"), and the
    removals of files, each before it is done and after. `error` makes what is raised: an error that somebody
    keeps would keep statements alive, and with them the lock of the file.
    """
    count, stopped = iter(range(10_000)), []

    def stepping(act):
        def acting(*arguments, **options):
            for turn in (lambda: None, lambda: act(*arguments, **options)):
                result = turn()
                if next(count) == step:
                    stopped.append(step)
                    result = None
                    raise error()
            return result

        return acting

    class Connection(sqlite3.Connection):
        execute = stepping(sqlite3.Connection.execute)
        executemany = stepping(sqlite3.Connection.executemany)

    connect = sqlite3.connect
    if kind in ("any", "fsync"):
        patch.setattr(os, "fsync", stepping(os.fsync))
    if kind == "any":
        patch.setattr(Path, "unlink", stepping(Path.unlink))
    if kind in ("any", "sqlite"):
        patch.setattr(
            sqlite3, "connect", lambda *args, **options: connect(*args, **options, factory=Connection)
        )
    return stopped
