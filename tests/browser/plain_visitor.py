"""A visitor of `workbench app` without a browser: what a page sends and hears, as Jupyter's messages."""

from __future__ import annotations

import asyncio
import json
import re
import time
import uuid
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urljoin

from jupyter_server.services.kernels.connection.base import deserialize_msg_from_ws_v1, serialize_msg_to_ws_v1
from tornado.httpclient import AsyncHTTPClient, HTTPRequest
from tornado.websocket import WebSocketClientConnection, websocket_connect

PROTOCOL = "v1.kernel.websocket.jupyter.org"
CONFIGURED = re.compile(r'id="jupyter-config-data"[^>]*>(.*?)</script>', re.DOTALL)
# What stands where hits are shown, before the first search and after it.
RESULTS = re.compile('class="wb wb-results"|No results yet')


@dataclass
class PlainVisitor:
    """A page's connection to its kernel.

    Attributes
    ----------
    states
        Of every widget, by its id, as this visitor knows it.
    heard
        Messages since the last search began.
    """

    socket: WebSocketClientConnection
    session: str
    states: dict[str, dict[str, Any]] = field(default_factory=dict)
    heard: int = 0
    news: asyncio.Event = field(default_factory=asyncio.Event)

    @classmethod
    async def of(cls, url: str) -> PlainVisitor:
        """Open the page of an app, and wait until its kernel has told all widgets."""
        page = await AsyncHTTPClient().fetch(url, request_timeout=60)
        found = CONFIGURED.search(page.body.decode())
        assert found, "no page of Voilà"
        session = uuid.uuid4().hex
        place = urljoin(url, f"/api/kernels/{json.loads(found[1])['kernelId']}/channels?session_id={session}")
        asked = HTTPRequest(place.replace("http", "ws", 1), headers={"Origin": url.rstrip("/")})
        self = cls(await websocket_connect(asked, subprotocols=[PROTOCOL]), session)
        self.listening = asyncio.ensure_future(self.listen())
        self.listening.add_done_callback(lambda _done: self.news.set())
        control = uuid.uuid4().hex
        await self.send(
            "comm_open", control, {"method": "request_states"}, target_name="jupyter.widget.control"
        )
        await self.send("comm_msg", control, {"method": "request_states"})
        while not self.states:
            await self.hear()
        return self

    async def send(self, kind: str, comm: str, data: dict[str, Any], **more: str) -> None:
        """Send one message of a widget."""
        header = {
            "msg_id": uuid.uuid4().hex,
            "msg_type": kind,
            "session": self.session,
            "username": "",
            "version": "5.3",
        }
        parts = (header, {}, {"version": "1.0.0"}, {"comm_id": comm, "data": data, **more})
        packed = [json.dumps(part).encode() for part in parts]
        await self.socket.write_message(serialize_msg_to_ws_v1(packed, "shell"), binary=True)

    async def hear(self) -> None:
        """Wait until something is told."""
        self.news.clear()
        await self.news.wait()
        assert not self.listening.done(), "the connection was closed"

    async def listen(self) -> None:
        """Take note of all that is told: who does not listen answers no ping either, and is put out."""
        while (message := await self.socket.read_message()) is not None:
            self.heard += 1
            self._note(message)
            self.news.set()

    def _note(self, message: Any) -> None:
        _, (header, _parent, _metadata, content, *_buffers) = deserialize_msg_from_ws_v1(message)
        if json.loads(header)["msg_type"] != "comm_msg":
            return
        told = json.loads(content)
        match told["data"]:
            case {"method": "update_states", "states": states}:
                self.states |= {name: each["state"] for name, each in states.items()}
            case {"method": "update", "state": state}:
                self.states.setdefault(told["comm_id"], {}).update(state)

    def widget(self, **state: object) -> str:
        """The id of the widget with this state."""
        return next(name for name, each in self.states.items() if state.items() <= each.items())

    async def type(self, field: str, text: str) -> None:
        """Put a text into a field."""
        place = self.widget(description=field)
        await self.send("comm_msg", place, {"method": "update", "state": {"value": text}})

    async def search(self, query: str, at: float) -> float:
        """Type a query, press the button at a time, and tell the seconds until all hits are there."""
        button = self.widget(icon="search", _model_name="ButtonModel")
        cards = next(name for name, each in self.states.items() if RESULTS.search(str(each.get("value"))))
        await self.type("Semantic query", query)
        await asyncio.sleep(at - time.time())
        began, self.heard = time.perf_counter(), 0
        before = self.states[cards]["value"]
        await self.send("comm_msg", button, {"method": "custom", "content": {"event": "click"}})
        while self.states[cards]["value"] == before:
            await self.hear()
        return time.perf_counter() - began
