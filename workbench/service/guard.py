"""Who comes in, with how much, for how long, in which language; and what is counted of it."""

from __future__ import annotations

import asyncio
import hmac
import json
import time
from collections.abc import Awaitable, Callable, MutableMapping, Sequence
from contextlib import nullcontext
from http import HTTPStatus
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Histogram

from workbench.i18n import gettext as _
from workbench.i18n import language

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Any, Receive, Send], Awaitable[None]]

# Paths that tell nothing of anybody.
OPEN = {"/health"}
# Within which a body has to be here.
SECONDS_TO_SEND = 30


class Metrics:
    """What Prometheus is told: how many, how long, how many together; nothing of what was said."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.answers = Counter(
            "workbench_answers_total", "Answers.", ("path", "status"), registry=self.registry
        )
        self.seconds = Histogram(
            "workbench_answer_seconds", "From question to answer.", ("path",), registry=self.registry
        )
        self.texts = Counter("workbench_encoded_texts_total", "Texts encoded.", registry=self.registry)
        self.together = Histogram(
            "workbench_batch_texts",
            "Texts asked for in one batch.",
            buckets=[4**power for power in range(6)],
            registry=self.registry,
        )

    def batch(self, distinct: int, asked: int) -> None:
        """Count a batch of the encoder."""
        self.texts.inc(distinct)
        self.together.observe(asked)


class Guard:
    """In front of an ASGI app: keys, size of a question, how many at once, and the language asked for.

    Parameters
    ----------
    app : ASGI app
    metrics : Metrics
    paths : sequence of str
        That are counted by name; others are told as ``other``.
    keys : sequence of str
        One of which a caller must have; none asks for none.
    most_bytes, most_at_once : int
    """

    def __init__(
        self,
        app: App,
        metrics: Metrics,
        paths: Sequence[str],
        *,
        keys: Sequence[str],
        most_bytes: int,
        most_at_once: int,
    ) -> None:
        self._app, self._metrics, self._paths = app, metrics, frozenset(paths)
        self._keys = [key.encode() for key in keys]
        self._most_bytes, self._most_at_once, self._inside = most_bytes, most_at_once, 0

    async def __call__(self, scope: Any, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        path = scope["path"] if scope["path"] in self._paths else "other"
        began, status = time.perf_counter(), 500

        async def noted(message: Message) -> None:
            nonlocal status
            status = message.get("status", status)
            await send(message)

        headers = dict(scope["headers"])
        asked = headers.get(b"accept-language", b"")[:2].lower().decode("latin-1")
        try:
            with language(asked) if asked in ("zh", "en") else nullcontext():
                await self._pass(scope, headers, receive, noted)
        finally:
            self._metrics.answers.labels(path, status).inc()
            self._metrics.seconds.labels(path).observe(time.perf_counter() - began)

    async def _pass(self, scope: Any, headers: dict[bytes, bytes], receive: Receive, send: Send) -> None:
        if scope["path"] in OPEN:
            await self._app(scope, receive, send)
        elif not self._knows(headers):
            await refusal(HTTPStatus.UNAUTHORIZED, _("Send a key: 'Authorization: Bearer KEY'."), send)
        elif self._inside >= self._most_at_once:
            said = _("{n} questions are being answered; ask again in a moment.").format(n=self._inside)
            await refusal(HTTPStatus.SERVICE_UNAVAILABLE, said, send, retry=True)
        else:
            self._inside += 1
            try:
                await self._with_body(scope, receive, send)
            finally:
                self._inside -= 1

    def _knows(self, headers: dict[bytes, bytes]) -> bool:
        given = headers.get(b"authorization", b"").removeprefix(b"Bearer ").strip()
        # All are compared, so that time tells nothing.
        return not self._keys or sum(hmac.compare_digest(given, key) for key in self._keys) > 0

    async def _with_body(self, scope: Any, receive: Receive, send: Send) -> None:
        body, more = b"", True
        try:
            async with asyncio.timeout(SECONDS_TO_SEND):
                while more:
                    message = await receive()
                    body += message.get("body", b"")
                    more = message.get("more_body", False) and message["type"] == "http.request"
                    if len(body) > self._most_bytes:
                        said = _("A question has {megabytes:g} MB at most; send several.").format(
                            megabytes=self._most_bytes / 2**20
                        )
                        await refusal(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, said, send)
                        return
        except TimeoutError:
            said = _("The question was not here after {n} seconds.").format(n=SECONDS_TO_SEND)
            await refusal(HTTPStatus.REQUEST_TIMEOUT, said, send)
            return
        given: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

        async def again() -> Message:
            return given.pop() if given else await receive()

        await self._app(scope, again, send)


async def refusal(status: HTTPStatus, said: str, send: Send, *, retry: bool = False) -> None:
    """Answer with an error."""
    body = json.dumps({"error": {"type": status.phrase, "message": said}}, ensure_ascii=False).encode()
    headers = [(b"content-type", b"application/json")]
    headers += [(b"retry-after", b"1")] if retry else []
    headers += [(b"www-authenticate", b"Bearer")] if status == HTTPStatus.UNAUTHORIZED else []
    await send({"type": "http.response.start", "status": int(status), "headers": headers})
    await send({"type": "http.response.body", "body": body})
