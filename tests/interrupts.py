"""Processes that a test interrupts or kills, acts that it stops half way, and what only root may do."""

import os
import random
import shutil
import signal
import sqlite3
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import RLock

import pytest
from tqdm import tqdm


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


def stop_at(step, error, patch, kind="any", passed=None):
    """Raise once at one of the steps in which a change reaches the disk; the list returned then has a member.

    Steps are the syncs of files ("fsync"), the statements that are run in SQLite files ("sqlite"), and that
    files take others' places or are removed, each before it is done and after. `error` makes what is raised:
    an error that somebody keeps would keep statements alive, and with them the lock of the file. `passed` is
    a list to gather the numbers of the steps in.
    """
    passed, stopped = [] if passed is None else passed, []

    def stepping(act):
        def acting(*arguments, **options):
            for turn in (lambda: None, lambda: act(*arguments, **options)):
                result = turn()
                passed.append(len(passed))
                if passed[-1] == step:
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
        patch.setattr(os, "replace", stepping(os.replace))
    if kind in ("any", "sqlite"):
        patch.setattr(
            sqlite3, "connect", lambda *args, **options: connect(*args, **options, factory=Connection)
        )
    return stopped


@dataclass(frozen=True)
class Act:
    """What is killed, and what has to be there afterwards.

    Attributes
    ----------
    name : str
    before : callable
        Makes in a folder what is there when the act begins.
    steps : callable
        Does the act in the folder and yields whenever something is said to be saved. Given again after a
        kill, it does what is left to do.
    left : callable
        What a reader finds in the folder; it raises where something is damaged.
    """

    name: str
    before: Callable[[Path], None]
    steps: Callable[[Path], Iterator[object]]
    left: Callable[[Path], object]


class Killer:
    """Kills an act again and again, each time in a copy of its folder, and looks at what is left.

    The act runs in a fork of this process, which has done it before: a kill costs no more than the act. Only
    for processes without threads; tests start one (:func:`killed`).

    Parameters
    ----------
    act : Act
    folder : Path
        To work in; it is made.

    Attributes
    ----------
    states : list
        What is left of the undisturbed act before it, and after each of its steps.
    seconds : float
        That the undisturbed act takes.
    steps : int
        Of :func:`stop_at`, in which the act reaches the disk.
    kills : int
        Processes that were killed before they were done.
    lost : list of str
        What was amiss after a kill.
    """

    kills: int
    lost: list[str]

    def __init__(self, act: Act, folder: Path) -> None:
        self.act, self.folder = act, folder
        self.kills, self.lost = 0, []
        # A process that is killed keeps the lock that tqdm shares with those which are forked later.
        tqdm.set_lock(RLock())
        tqdm.monitor_interval = 0
        self._template = folder / "before"
        self._template.mkdir(parents=True)
        act.before(self._template)
        undisturbed = self._fresh("undisturbed")
        self.states = [act.left(undisturbed)]
        for _saved in act.steps(undisturbed):
            self.states.append(act.left(undisturbed))
        self._files = _files(undisturbed)
        began = time.monotonic()
        _ended, told = self._run(self._fresh("undisturbed"), step=-1)
        self.seconds, self.steps = time.monotonic() - began, int(told.strip(b"."))

    def at_random(self, seed: int) -> bool:
        """Kill once within the time that the act takes; False if it was done before."""
        return self._kill(delay=random.Random(seed).uniform(0, self.seconds))

    def at_step(self, step: int) -> bool:
        """Kill once at a step of :func:`stop_at`; False if there are no more."""
        return self._kill(step=step)

    def _kill(self, *, delay: float | None = None, step: int | None = None) -> bool:
        folder = self._fresh("killed")
        killed, told = self._run(folder, step=step, delay=delay)
        if not killed:
            return False
        self.kills += 1
        try:
            self._look(folder, told.count(b"."))
        except Exception as error:
            self.lost.append(str(error) or type(error).__name__)
        return True

    def _look(self, folder: Path, told: int) -> None:
        found = self.act.left(folder)
        assert found in self.states[told : told + 2], f"after step {told} something is lost"
        self._run(folder)
        assert self.act.left(folder) == self.states[-1], "the next run comes to something else"
        more = sorted({*_files(folder)} - {*self._files})
        assert not more, f"left over: {', '.join(more)}"

    def _run(
        self, folder: Path, *, step: int | None = None, delay: float | None = None
    ) -> tuple[bool, bytes]:
        """Do the act in a fork: whether it was killed, and a dot for each saving, then how many steps."""
        hear, tell = os.pipe()
        child = os.fork()
        if not child:
            self._do(folder, step, tell)
        os.close(tell)
        if delay is not None:
            time.sleep(delay)
            os.kill(child, signal.SIGKILL)
        told = b"".join(iter(lambda: os.read(hear, 99), b""))
        os.close(hear)
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        assert code in (0, -signal.SIGKILL), f"exit code {code}"
        return code != 0, told

    def _do(self, folder: Path, step: int | None, tell: int) -> None:
        code, passed = 1, []
        try:
            if step is not None:
                stop_at(
                    step, lambda: os.kill(os.getpid(), signal.SIGKILL), pytest.MonkeyPatch(), passed=passed
                )
            for _saved in self.act.steps(folder):
                os.write(tell, b".")
            os.write(tell, b"%d" % len(passed))
            code = 0
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(code)

    def _fresh(self, name: str) -> Path:
        folder = self.folder / name
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(self._template, folder)
        return folder


def _files(folder: Path) -> list[str]:
    """Names of all files, but for locks and what SQLite keeps beside a file that is open."""
    passing = (".lock", "-wal", "-shm")
    found = (str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())
    return sorted(name for name in found if not name.endswith(passing))
