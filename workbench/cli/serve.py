"""``workbench serve``: the workbench behind an address, for programs and assistants."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import typer

from workbench.cli.options import ScorerSpec
from workbench.cli.output import note
from workbench.errors import InputError, MissingDependencyError
from workbench.i18n import gettext as _


def serve(
    port: Annotated[int, typer.Option(help="0 takes a free one.")] = 8600,
    host: Annotated[
        str, typer.Option(help="Address to listen on; others than this machine need keys then.")
    ] = "127.0.0.1",
    scorer: ScorerSpec = None,
    card: Annotated[
        Path | None, typer.Option("--card", metavar="CARD", help="A cutoff card; it names its scorer.")
    ] = None,
    base: Annotated[
        str | None, typer.Option("--base", metavar="FOLDER", help="The knowledge base to search.")
    ] = None,
    keys: Annotated[
        Path | None,
        typer.Option(
            "--keys", metavar="FILE", help="Keys of callers, one a line; by default none is needed."
        ),
    ] = None,
    seconds: Annotated[float, typer.Option(min=0.1, help="Seconds that a question may take.")] = 60,
    megabytes: Annotated[float, typer.Option(min=0.001, help="Size that a question may have.")] = 16,
    at_once: Annotated[int, typer.Option(min=1, help="Questions answered at once; more are refused.")] = 256,
    stdio: Annotated[
        bool, typer.Option("--stdio", help="Speak MCP on standard input and output instead of HTTP.")
    ] = False,
) -> None:
    """Answer programs over HTTP (/openapi.json describes it), and assistants over MCP (/mcp).

    Nothing of a question is kept. The scorer is loaded once; what comes together is encoded together.
    """
    if find_spec("fastapi") is None or find_spec("mcp") is None:
        raise MissingDependencyError(
            _("Serving needs FastAPI and mcp, which are not installed; install the extra {extra}.").format(
                extra="jd-resume-workbench[serve]"
            )
        )
    allowed = _keys_in(keys)
    local = host in ("localhost", "::1") or host.startswith("127.")
    if not (local or allowed):
        raise InputError(
            _("Other machines can reach {host}: give a file of keys with --keys.").format(host=host)
        )
    from workbench.service.answers import Service
    from workbench.service.api import Within, serve
    from workbench.service.batching import BatchingEncoder
    from workbench.service.guard import Metrics
    from workbench.service.tools import tools

    metrics = Metrics()
    service = Service.load(
        scorer, card, base, wrap=lambda encoder: BatchingEncoder(encoder, told=metrics.batch)
    )
    if stdio:
        tools(service, Within(seconds)).run("stdio")
        return

    def ready(address: str) -> None:
        note(_("The service answers at {address}").format(address=address))
        note(
            _("Scorer {name} [{fingerprint}]. Ctrl-C ends it.").format(
                name=service.scorer.name, fingerprint=service.scorer.fingerprint
            )
        )

    serve(
        service,
        metrics,
        host=host,
        port=port,
        keys=allowed,
        seconds=seconds,
        most_bytes=int(megabytes * 2**20),
        most_at_once=at_once,
        local=local,
        ready=ready,
    )


def _keys_in(file: Path | None) -> list[str]:
    """The keys in a file.

    Raises
    ------
    InputError
        If it cannot be read, or has none.
    """
    if file is None:
        return []
    try:
        keys = [line.strip() for line in file.read_text("utf-8").splitlines()]
    except (OSError, ValueError) as error:
        raise InputError(
            _("{file} cannot be read as a file of keys: {error}").format(file=file, error=error)
        ) from error
    keys = [key for key in keys if key and not key.startswith("#")]
    if not keys:
        raise InputError(_("{file} has no key; write one a line.").format(file=file))
    return keys
