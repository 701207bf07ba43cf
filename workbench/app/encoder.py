"""One encoder for all visitors: a process of its own, which kernels ask over a local socket.

Standard library only: :mod:`multiprocessing.managers` pickles arrays, and its key keeps other programs out.
"""

from __future__ import annotations

import os
import secrets
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from multiprocessing.managers import BaseManager
from pathlib import Path
from typing import Any, cast

import numpy as np

from workbench.encoders import Encoder, load_encoder
from workbench.encoders.base import BaseEncoder, Batch, Role, Vectors
from workbench.errors import EncoderError
from workbench.i18n import gettext as _

ADDRESS, KEY = "WORKBENCH_APP_ENCODER", "WORKBENCH_APP_KEY"
# Texts of one question: few, so that a search waits for no more than these of somebody's ranking.
AT_ONCE = 64
SECONDS_TO_START, SECONDS_TO_RESTART = 120.0, 20.0


class _Service:
    """What the process offers; one question at a time, since few models answer two."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._encoder: Encoder | None = None

    def about(self) -> dict[str, Any]:
        with self._lock:
            self._encoder = self._encoder or load_encoder()
            found = self._encoder
            # Not from the store: the model is to be in memory before somebody waits for it.
            cast(Encoder, getattr(found, "encoder", found)).encode_documents(["Python"], progress=False)
            names = ("name", "dimension", "instruction", "device")
            return {name: getattr(found, name) for name in names} | {"recipe": dict(found.recipe)}

    def encode(self, texts: list[str], role: Role) -> Vectors:
        with self._lock:
            encoder = cast(Encoder, self._encoder)
            encode = encoder.encode_documents if role == "document" else encoder.encode_queries
            return encode(texts, progress=False)


class _Manager(BaseManager):
    service: Any


_SERVICE = _Service()
_Manager.register("service", lambda: _SERVICE, exposed=("about", "encode"))


class SharedEncoder(BaseEncoder):
    """The encoder of :class:`EncoderProcess`, as kernels use it; its fingerprint is that one's."""

    def __init__(self) -> None:
        self._service: Any = None
        self._about = cast(Mapping[str, Any], self._asked(lambda service: service.about()))
        self.instruction, self.device = self._about["instruction"], self._about["device"]

    @property
    def name(self) -> str:
        return str(self._about["name"])

    @property
    def dimension(self) -> int:
        return int(self._about["dimension"])

    @property
    def recipe(self) -> Mapping[str, Any]:
        return cast(Mapping[str, Any], self._about["recipe"])

    def encode_batches(self, texts: Sequence[str], role: Role) -> Iterator[Batch]:
        for start in range(0, len(texts), AT_ONCE):
            positions = np.arange(start, min(start + AT_ONCE, len(texts)))
            yield positions, self._encoded(list(texts[start : start + AT_ONCE]), role)

    def _encoded(self, texts: list[str], role: Role) -> Vectors:
        return cast(Vectors, self._asked(lambda service: service.encode(texts, role)))

    def _asked(self, question: Callable[[Any], object]) -> object:
        """Ask, and ask again while the process, which may have ended, is being started anew."""
        deadline = time.monotonic() + SECONDS_TO_RESTART
        while True:
            try:
                if self._service is None:
                    self._service = _service()
                    self._service.about()
                return question(self._service)
            except (EOFError, OSError) as error:
                self._service = None
                if time.monotonic() > deadline:
                    said = _("The encoder does not answer; it is being started again.")
                    raise EncoderError(said) from error
            time.sleep(0.2)


class EncoderProcess:
    """Starts the process, and starts it again where it has ended.

    Parameters
    ----------
    folder : str
        For the socket; only its owner can enter it.

    Raises
    ------
    WorkbenchError
        As :func:`~workbench.load_encoder`, which it runs with the settings.
    """

    def __init__(self, folder: str) -> None:
        pipe = rf"\\.\pipe\workbench-{secrets.token_hex(8)}"
        os.environ[ADDRESS] = pipe if os.name == "nt" else f"{folder}/encoder"
        os.environ[KEY] = secrets.token_hex(32)
        self._start()
        self.about: Mapping[str, Any] = self._wait()

    @property
    def pid(self) -> int:
        """Of the process."""
        return self._process.pid

    def is_running(self) -> bool:
        """Whether the process lives."""
        return self._process.poll() is None

    def watch(self) -> None:
        """Start it again if it has ended."""
        if not self.is_running():
            self._start()

    def stop(self) -> None:
        """End it."""
        self._process.terminate()
        self._process.wait(10)

    def _start(self) -> None:
        # It ends when this end of the pipe closes, whatever has become of us.
        Path(os.environ[ADDRESS]).unlink(missing_ok=True)  # of one that was killed
        # Ctrl-C is not for it.
        command = [sys.executable, "-m", __name__]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, start_new_session=True)

    def _wait(self) -> Mapping[str, Any]:
        deadline = time.monotonic() + SECONDS_TO_START
        while self._process.poll() is None and time.monotonic() < deadline:
            try:
                return cast(Mapping[str, Any], _service().about())
            except (FileNotFoundError, ConnectionRefusedError):
                time.sleep(0.05)
        raise EncoderError(_("The encoder's process has ended before it answered."))


def _service() -> Any:
    manager = _manager()
    manager.connect()
    return manager.service()


def _manager() -> _Manager:
    return _Manager(os.environ[ADDRESS], bytes.fromhex(os.environ[KEY]))


def _end_with_parent() -> None:
    sys.stdin.read()
    os._exit(0)


if __name__ == "__main__":
    threading.Thread(target=_end_with_parent, daemon=True).start()
    _manager().get_server().serve_forever()
