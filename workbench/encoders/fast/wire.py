"""What a server may take of us: so much time and so many bytes for one answer, however slowly it drips.

The HTTP library of the ``openai`` client limits the wait for the next bytes only, so a server that sends one
byte at a time could hold us, or fill the memory, for ever.
"""

from __future__ import annotations

import math
import threading
import time
from typing import Any

# 64 vectors of 4,096 numbers are 6 MB of JSON.
MOST_BYTES = 64 * 2**20


class TooMuchError(Exception):
    """An answer is larger than any that was asked for."""


class _Allowance(threading.local):
    """What is left of the time and the bytes of the request that this thread has on the way."""

    until = math.inf
    left: float = math.inf

    def seconds(self, asked: float | None) -> float:
        rest = max(self.until - time.monotonic(), 0.001)
        return rest if asked is None else min(asked, rest)


def bounded(client: Any, seconds: float) -> Any:
    """The HTTP client of the ``openai`` package, each of whose requests now ends in time."""
    allowance = _Allowance()

    def begin(request: Any) -> None:
        allowance.until, allowance.left = time.monotonic() + seconds, MOST_BYTES
        # A small answer could unpack to a large one.
        request.headers["Accept-Encoding"] = "identity"

    def as_sent(response: Any) -> None:
        response.headers.pop("Content-Encoding", None)

    client.event_hooks = {"request": [begin], "response": [as_sent]}
    # There is no public place for this; a server that drips its headers tells, in the tests, if it is gone.
    for transport in (client._transport, *client._mounts.values()):
        if transport is not None:
            transport._pool._network_backend = _Network(transport._pool._network_backend, allowance)
    return client


class _Network:
    """Opens connections that keep to the allowance."""

    def __init__(self, inner: Any, allowance: _Allowance) -> None:
        self._inner, self._allowance = inner, allowance

    def connect_tcp(self, *where: Any, **options: Any) -> _Connection:
        return _Connection(self._inner.connect_tcp(*where, **options), self._allowance)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)


class _Connection:
    def __init__(self, inner: Any, allowance: _Allowance) -> None:
        self._inner, self._allowance = inner, allowance

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        found: bytes = self._inner.read(max_bytes, self._allowance.seconds(timeout))
        self._allowance.left -= len(found)
        if self._allowance.left < 0:
            raise TooMuchError
        return found

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._inner.write(buffer, self._allowance.seconds(timeout))

    def start_tls(self, *how: Any, **options: Any) -> _Connection:
        return _Connection(self._inner.start_tls(*how, **options), self._allowance)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)
