"""The HTTP API: questions and answers as JSON, described at ``/openapi.json``."""

from __future__ import annotations

import asyncio
import contextvars
import socket
import time
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from functools import partial
from http import HTTPStatus
from importlib.metadata import version
from typing import Any, TypeVar

import uvicorn
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from prometheus_client import generate_latest
from starlette.middleware.trustedhost import TrustedHostMiddleware

from workbench.errors import EncoderError, EncoderMismatchError, InputError, WorkbenchError
from workbench.i18n import gettext as _
from workbench.progress import heard_by
from workbench.service.answers import (
    CardAnswer,
    ExplainAnswer,
    ExplainQuestion,
    RankAnswer,
    RankQuestion,
    ScoreAnswer,
    ScoreQuestion,
    SearchAnswer,
    SearchQuestion,
    Service,
)
from workbench.service.guard import Guard, Metrics
from workbench.service.tools import tools

T = TypeVar("T")

# Questions in a thread each; most of the time they wait for the encoder.
THREADS = 64
STATUS = {
    EncoderMismatchError: HTTPStatus.CONFLICT,
    InputError: HTTPStatus.UNPROCESSABLE_ENTITY,
    EncoderError: HTTPStatus.BAD_GATEWAY,
}
PATHS = ("/health", "/card", "/score", "/search", "/rank", "/explain", "/metrics", "/mcp")
LOCAL = ["localhost", "127.0.0.1", "[::1]"]


class TooLongError(WorkbenchError, TimeoutError):
    """A question took longer than the service allows."""


class Within:
    """Runs acts in threads, each for so many seconds at most.

    One that takes longer is told so, and ends at its next step, as of :func:`workbench.progress.heard_by`.
    """

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._threads = ThreadPoolExecutor(THREADS, "question")

    async def __call__(self, act: Callable[..., T], *question: Any) -> T:
        """What `act` says.

        Raises
        ------
        TooLongError
            If it does not say it in time.
        """
        end = time.monotonic() + self.seconds

        def listen(*_step: object) -> None:
            if time.monotonic() > end:
                raise self._error()

        def heard() -> T:
            with heard_by(listen):
                return act(*question)

        run = partial(contextvars.copy_context().run, heard)
        work = asyncio.get_running_loop().run_in_executor(self._threads, run)
        try:
            return await asyncio.wait_for(work, self.seconds)
        except TimeoutError:
            raise self._error() from None

    def _error(self) -> TooLongError:
        return TooLongError(
            _("This took longer than {seconds:g} seconds; ask for fewer texts at a time.").format(
                seconds=self.seconds
            )
        )


def api(service: Service, metrics: Metrics, *, seconds: float = 60) -> FastAPI:
    """The app, without its guard.

    Parameters
    ----------
    service : Service
    metrics : Metrics
    seconds : float
        That a question may take.
    """
    within = Within(seconds)
    assistants = tools(service, within)
    mcp_app = assistants.streamable_http_app(json_response=True, stateless_http=True, host="0.0.0.0")

    @asynccontextmanager
    async def running(_app: FastAPI) -> AsyncIterator[None]:
        async with assistants.session_manager.run():
            yield

    app = FastAPI(
        title="JD–résumé workbench",
        version=version("jd-resume-workbench"),
        description="Scores, shortlists and their evidence; every answer names the scorer and cutoff card.",
        lifespan=running,
        # Their pages come from elsewhere; the description itself is at /openapi.json.
        docs_url=None,
        redoc_url=None,
    )
    app.add_exception_handler(WorkbenchError, _sentence)
    app.add_exception_handler(RequestValidationError, _places)

    @app.get("/health")
    async def health() -> dict[str, str]:
        """Whether it answers."""
        return {"status": "ok"}

    @app.get("/card")
    async def card() -> CardAnswer:
        """The cutoff card: from which score on it is a match, on what evidence, and how sure that is."""
        return await within(service.about)

    @app.post("/score")
    async def score(question: ScoreQuestion) -> ScoreAnswer:
        """A score for each pair of a JD and a résumé, and whether it is a match."""
        return await within(service.score, question)

    @app.post("/search")
    async def search(question: SearchQuestion) -> SearchAnswer:
        """The texts that are nearest to a query in meaning."""
        return await within(service.search, question)

    @app.post("/rank")
    async def rank(question: RankQuestion) -> RankAnswer:
        """For each JD the résumés that fit best, with the phrase that covers each requirement."""
        return await within(service.rank, question)

    @app.post("/explain")
    async def explain(question: ExplainQuestion) -> ExplainAnswer:
        """Which phrases carry a pair's score, or which requirement is covered by what."""
        return await within(service.explain, question)

    @app.get("/metrics", include_in_schema=False)
    async def counted() -> Response:
        return Response(generate_latest(metrics.registry), media_type="text/plain; version=0.0.4")

    app.mount("/", mcp_app)
    return app


def serve(
    service: Service,
    metrics: Metrics,
    *,
    host: str,
    port: int,
    keys: Sequence[str],
    seconds: float,
    most_bytes: int,
    most_at_once: int,
    local: bool,
    ready: Callable[[str], object],
) -> None:
    """Serve until interrupted.

    Parameters
    ----------
    local : bool
        Whether only this machine can reach `host`: then other names for it are refused (DNS rebinding).
    ready : callable
        Called with the address once it listens.

    Raises
    ------
    InputError
        If the port is taken.
    """
    app: Any = api(service, metrics, seconds=seconds)
    app = Guard(app, metrics, PATHS, keys=keys, most_bytes=most_bytes, most_at_once=most_at_once)
    if local:
        app = TrustedHostMiddleware(app, allowed_hosts=LOCAL)
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # Without its protocol asyncio does not know it for TCP, and an answer's last piece waits 40 ms (Nagle).
    with socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP) as listening:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listening.bind((host, port))
        except OSError as error:
            raise InputError(
                _("Port {port} of {host} cannot be had ({error}); choose another with --port.").format(
                    port=port, host=host, error=error.strerror
                )
            ) from error
        listening.listen(2048)
        ready(f"http://{f'[{host}]' if ':' in host else host}:{listening.getsockname()[1]}")
        # What people ask for is nobody's business: no access log.
        uvicorn.Server(uvicorn.Config(app, log_level="warning", access_log=False)).run([listening])


async def _sentence(_request: Request, error: Exception) -> JSONResponse:
    status = (
        HTTPStatus.GATEWAY_TIMEOUT if isinstance(error, TooLongError) else HTTPStatus.INTERNAL_SERVER_ERROR
    )
    status = next((code for kind, code in STATUS.items() if isinstance(error, kind)), status)
    told = {"error": {"type": type(error).__name__, "message": str(error)}}
    return JSONResponse(told, status)


async def _places(_request: Request, error: Exception) -> JSONResponse:
    """Where a question is none, without the texts in it."""
    assert isinstance(error, RequestValidationError)
    said = "; ".join(f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in error.errors())
    told = {"error": {"type": "InputError", "message": said}}
    return JSONResponse(told, HTTPStatus.UNPROCESSABLE_ENTITY)
