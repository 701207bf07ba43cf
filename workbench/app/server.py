"""The server: Voilà with one page, an own template, and what keeps visitors apart and the machine alone.

Each visitor has a kernel, started before it is needed; kernels that nobody uses are ended. Nothing is run
that a browser sends, and no file is served but Voilà's own.
"""

from __future__ import annotations

import asyncio
import hmac
import os
import secrets
import signal
import threading
import time
import webbrowser
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote

import tornado.ioloop
import tornado.web
from jupyter_core.utils import ensure_async, run_sync
from jupyter_server.auth.decorator import allow_unauthenticated
from jupyter_server.auth.login import LoginFormHandler
from jupyter_server.base.handlers import JupyterHandler
from markupsafe import Markup
from tornado.escape import url_escape
from traitlets.config import Config
from voila.app import Voila

from workbench.app.encoder import EncoderProcess
from workbench.atomic import WorkFolder, remove_left
from workbench.html import render
from workbench.i18n import N_, Language, language, language_names
from workbench.i18n import gettext as _
from workbench.settings import get_settings

HERE = Path(__file__).parent
# Of each page what the navigation calls it.
PAGES = {"search": N_("Search"), "rank": N_("Rank"), "label": N_("Label"), "cutoff": N_("Cutoff")}
# A pasted collection travels in one message; files come in pieces and need no more room.
LARGEST_MESSAGE = 64 * 2**20
SECONDS_BETWEEN_LOOKS = 5
# A socket's path may have 107 characters, of which a kernel's name takes 65.
LONGEST_FOLDER = 42
# A page asks every other second; browsers let those behind others ask once a minute.
SECONDS_WITHOUT_PAGE = 300


class Alive(JupyterHandler):  # type: ignore[misc]
    """Whether a page's kernel lives, which the page asks every other second."""

    @tornado.web.authenticated
    async def get(self, kernel_id: str) -> None:
        kernels = self.kernel_manager
        self.settings["voila"].seen[kernel_id] = time.monotonic()
        alive = kernel_id in kernels and await ensure_async(kernels.get_kernel(kernel_id).is_alive())
        self.set_header("Cache-Control", "no-store")
        # Sets the cookie that a page needs to end its kernel when it is closed.
        self.xsrf_token  # noqa: B018
        self.write({"alive": bool(alive)})


class Health(tornado.web.RequestHandler):
    """Whether the pages can be used, for programs that watch over them; tells nothing else."""

    @allow_unauthenticated  # type: ignore[untyped-decorator]
    def get(self) -> None:
        self.set_header("Cache-Control", "no-store")
        ready = self.settings["voila"].is_ready()
        self.set_status(200 if ready else 503)
        self.finish({"ready": ready})


class Login(LoginFormHandler):  # type: ignore[misc]
    """Asks for the token; whoever gives it gets a cookie instead."""

    def _render(self, message: object = None) -> None:
        code: Language = "zh" if self.request.headers.get("Accept-Language", "").startswith("zh") else "en"
        values = {"again": message is not None, "asked": url_escape(self.get_argument("next", self.base_url))}
        with language(code):
            self.finish(render("app/login.html", form=Markup(self.xsrf_form_html()), **values))

    @allow_unauthenticated  # type: ignore[untyped-decorator]
    def post(self) -> None:
        typed, own = self.get_argument("token", ""), self.settings["identity_provider"]
        if not own.token or not hmac.compare_digest(typed.encode(), own.token.encode()):
            self.set_status(401)
            self._render("wrong")
            return
        own.set_login_cookie(self, own.generate_anonymous_user(self))
        self._redirect_safe(self.get_argument("next", self.base_url))


class AppServer(Voila):  # type: ignore[misc]
    """Voilà, which also tells whether a kernel lives, and says where it is once it listens."""

    announce: Callable[[str], None]
    is_ready: Callable[[], bool]

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.seen: dict[str, float] = {}

    def init_handlers(self) -> list[Any]:
        tornado.ioloop.IOLoop.current().add_callback(self._await_spare)
        at = self.server_url
        own = [(rf"{at}alive/(\w+-\w+-\w+-\w+-\w+)", Alive), (f"{at}health", Health), (f"{at}login", Login)]
        return [*own, *super().init_handlers()]

    async def _await_spare(self) -> None:
        """Say that all is ready once the first visitor need not wait either."""
        for pool in getattr(self.kernel_manager, "_pools", {}).values():
            await (await pool[0])["task"]
        self.announce(self.address)

    def stop(self) -> None:
        """End all kernels at once: one that is asked to end while it starts tells what broke in it."""
        run_sync(self.kernel_manager.shutdown_all)(now=True)

    async def end_deserted(self) -> None:
        """End kernels whose page was closed without a word, as by a browser that crashed."""
        kernels, now = self.kernel_manager, time.monotonic()
        for kernel_id, when in list(self.seen.items()):
            if kernel_id not in kernels:
                del self.seen[kernel_id]
            elif now - when > SECONDS_WITHOUT_PAGE and not kernels.kernel_model(kernel_id)["connections"]:
                await kernels.shutdown_kernel(kernel_id)

    @property
    def address(self) -> str:
        """Where a browser finds it, with the token."""
        host = "127.0.0.1" if self.ip in ("", "0.0.0.0", "::") else self.ip
        token = f"?token={quote(self.token)}" if self.token else ""
        return f"http://{host}:{self.port}{self.base_url}{token}"


def serve(
    *,
    port: int,
    host: str,
    token: str | None,
    browser: bool,
    spare: int,
    idle_minutes: float,
    announce: Callable[[str, EncoderProcess], None],
) -> None:
    """Serve the pages until interrupted.

    Parameters
    ----------
    port : int
        The next free one where it is taken.
    host : str
        Address to listen on.
    token : str, optional
        What visitors have to give; None makes one up where other machines can reach the server, and asks for
        none where they cannot.
    browser : bool
        Open one.
    spare : int
        Kernels that wait for visitors.
    idle_minutes : float
        After which a kernel that does nothing ends.
    announce : callable
        Called with the address and the encoder once all is ready.
    """
    asyncio.set_event_loop(asyncio.new_event_loop())
    if token is None and not is_loopback(host):
        token = secrets.token_urlsafe(24)
    # Visitors' files are ours only, and gone with the server even where a kernel was killed; where the server
    # was, the next one removes them.
    os.umask(0o077)
    remove_left()
    files = WorkFolder()
    sockets = files if len(files.name) <= LONGEST_FOLDER or os.name != "posix" else WorkFolder("/tmp")
    os.environ |= {
        "TMPDIR": files.name,
        # Kernels run in a folder of ours; what they read and write lies in the user's project.
        "WORKBENCH_PROJECT": str(get_settings().project_dir.resolve()),
        "WORKBENCH_PROGRESS": "0",
        "JUPYTER_PATH": os.pathsep.join(filter(None, [str(HERE), os.environ.get("JUPYTER_PATH")])),
    }
    encoder = EncoderProcess(sockets.name)
    app = AppServer(config=_configuration(host, spare, idle_minutes, encoder.about["name"], sockets.name))
    app.port, app.ip, app.token, app.open_browser = port, host, token or None, False

    def ready(address: str) -> None:
        announce(address, encoder)
        for look in (encoder.watch, app.end_deserted):
            tornado.ioloop.PeriodicCallback(look, 1000 * SECONDS_BETWEEN_LOOKS).start()
        if browser:
            threading.Thread(target=webbrowser.open, args=[address], daemon=True).start()

    app.announce, app.is_ready = ready, encoder.is_running
    try:
        app.initialize([str(HERE / "page.ipynb")])
        # As kill does: an exception in the middle of whatever runs would be told as that one's fault.
        signal.signal(signal.SIGINT, lambda *_received: app.ioloop.add_callback_from_signal(app.ioloop.stop))
        app.start()
    finally:
        encoder.stop()
        sockets.cleanup()
        files.cleanup()


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach a server that listens there."""
    return host in ("localhost", "::1") or host.startswith("127.")


def _chrome(encoder: str, idle_minutes: float) -> dict[str, str]:
    """What stands around the pages, in all languages; the style sheet shows the one that is spoken."""
    header, footer = "", ""
    names = language_names()
    for code in names:
        other = next(each for each in names if each != code)
        with language(code):
            pages = {name: _(title) for name, title in PAGES.items()}
            header += render("app/header.html", pages=pages, other=other, other_name=names[other])
            footer += render("app/footer.html", encoder=encoder, minutes=f"{idle_minutes:g}")
    return {
        "header": header,
        "footer": footer,
        "style": render("style.html"),
        "script": render("app/page.html"),
    }


def _configuration(host: str, spare: int, idle_minutes: float, encoder: str, sockets: str) -> Config:
    config = Config()
    config.Voila.config_file_paths = []
    config.Voila.log_level = "WARN"
    config.Voila.tornado_settings = {
        "websocket_max_message_size": LARGEST_MESSAGE,
        "ws_ping_interval": 20_000,
        # Longer than between two: as long, and connections are cut before the first is sent.
        "ws_ping_timeout": 60_000,
        # A page elsewhere must not reach a server on this machine under another name (DNS rebinding).
        "allow_remote_access": not is_loopback(host),
        # Without any referrer a browser would not say either where the form with the token comes from.
        "headers": {"X-Frame-Options": "SAMEORIGIN", "Referrer-Policy": "same-origin"},
    }
    config.VoilaConfiguration = Config(
        template="workbench",
        theme="light",  # the style sheet follows the system
        allow_template_override="NO",
        allow_theme_override="NO",
        file_allowlist=[],
        extension_allowlist=[
            "@jupyter-widgets/jupyterlab-manager",
            "@voila-dashboards/widgets-manager8",
            "anywidget",
        ],
        preheat_kernel=spare > 0,
        default_pool_size=spare,
        resources={"workbench": _chrome(encoder, idle_minutes)},
    )
    config.VoilaKernelManager.fill_delay = 0
    # Other users of the machine must not hear what kernels are told.
    config.Voila.connection_dir_root = sockets
    if os.name == "posix":
        config.KernelManager.transport = "ipc"
    # A page whose kernel was started anew behind its back would look alive and answer nothing.
    config.KernelManager.autorestart = False
    config.MappingKernelManager = Config(
        cull_idle_timeout=int(60 * idle_minutes),
        cull_interval=min(60, int(60 * idle_minutes)),
        cull_connected=True,
    )
    return config
