"""``workbench app``: the pages for people without a notebook."""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING, Annotated

import typer

from workbench.cli.output import say
from workbench.errors import MissingDependencyError
from workbench.i18n import gettext as _

if TYPE_CHECKING:
    from workbench.app.encoder import EncoderProcess


def app(
    port: Annotated[int, typer.Option(help="Port; the next free one where it is taken.")] = 8501,
    host: Annotated[
        str, typer.Option(help="Address to listen on; others than this machine need a token then.")
    ] = "127.0.0.1",
    token: Annotated[
        str | None,
        typer.Option(
            envvar="WORKBENCH_TOKEN",
            help="What visitors have to give; made up where other machines can reach the pages.",
        ),
    ] = None,
    browser: Annotated[bool, typer.Option(help="Open the browser.")] = True,
    spare: Annotated[
        int, typer.Option(min=0, metavar="N", help="Visitors for whom a process is kept ready.")
    ] = 2,
    idle_minutes: Annotated[
        float, typer.Option(min=0.1, metavar="MINUTES", help="After which an unused page is put to rest.")
    ] = 120,
) -> None:
    """Serve pages that need no code: search, rank, label, cutoff.

    The encoder is that of the settings (WORKBENCH_ENCODER), loaded once for all visitors.
    """
    if find_spec("voila") is None:
        raise MissingDependencyError(
            _("The pages are served by Voilà, which is not installed; install the extra {extra}.").format(
                extra="jd-resume-workbench[app]"
            )
        )
    from workbench.app.server import serve

    def announce(address: str, encoder: EncoderProcess) -> None:
        say(_("The workbench is open at {address}").format(address=address))
        say(_("Encoder {name}. Ctrl-C ends it.").format(name=encoder.about["name"]))

    serve(
        port=port,
        host=host,
        token=token,
        browser=browser,
        spare=spare,
        idle_minutes=idle_minutes,
        announce=announce,
    )
