"""The command line ``workbench``: thin commands over the package, a module a family of commands.

A command is a function and a line below. What it needs it imports when it runs, so that ``workbench --help``
answers at once.

Exit codes: 0 fine; 1 the answer is no (no text above the cutoff, something amiss in ``doctor``);
2 usage or input error; 3 nothing can be told yet (``check``); 70 a fault of the program; 130 interrupted.
"""

from __future__ import annotations

import os
import sys
from typing import Annotated

import typer

from workbench import __version__
from workbench.cli import audit, calibration, compare, labelling, notebooks, rank, search
from workbench.cli.app import app as serve_pages
from workbench.cli.check import check
from workbench.cli.compare_encoders import compare_encoders
from workbench.cli.encode import encode
from workbench.cli.forget import forget
from workbench.cli.knowledge_base import kb
from workbench.cli.options import SpokenLanguage
from workbench.cli.output import tell
from workbench.cli.prevalence import prevalence
from workbench.cli.running import ExitCode, Group, holding
from workbench.cli.serve import serve
from workbench.errors import trace_of
from workbench.forgetting import complete
from workbench.i18n import gettext as _

__all__ = ["app", "main"]

app = typer.Typer(
    name="workbench",
    cls=Group,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("search")(search.search)
app.command("rank")(rank.rank)
app.add_typer(kb, name="kb")
app.command("calibrate")(calibration.calibrate)
app.add_typer(labelling.app, name="pairs")
app.command("encode")(encode)
app.command("audit")(audit.audit)
app.command("check")(check)
app.command("prevalence")(prevalence)
app.command("compare")(compare.compare)
app.command("compare-encoders")(compare_encoders)
app.command("explain")(search.explain)
app.command("run", cls=notebooks.RunCommand)(notebooks.run)
app.command("lab", context_settings=notebooks.PASS_ON)(notebooks.lab)
app.command("app")(serve_pages)
app.command("serve")(serve)
app.command("forget")(forget)
app.command("doctor")(notebooks.doctor)


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"workbench {__version__}")
        raise typer.Exit


@app.callback()
def workbench(
    context: typer.Context,
    version: Annotated[
        bool, typer.Option("--version", help="Show the version.", is_eager=True, callback=_show_version)
    ] = False,
    language: SpokenLanguage = None,
    mask: Annotated[
        bool,
        typer.Option(
            "--mask",
            help="Mask phone numbers, e-mail addresses and ID numbers in what is shown, exported or sent to "
            "a server; names stay.",
        ),
    ] = False,
) -> None:
    """Match job descriptions and résumé texts by meaning, and know how far to trust the cutoff.

    Settings come from WORKBENCH_* variables, which 'workbench doctor' shows.
    With WORKBENCH_DEBUG=1 errors come with a traceback.

    Exit codes: 0 fine, 1 the answer is no, 2 usage or input error, 3 these pairs cannot tell (check).
    """
    if mask:
        context.with_resource(holding(os.environ, {"WORKBENCH_MASK": "1"}))
    complete()


def main() -> None:
    """Run the command line and end the process with its exit code."""
    for stream in (sys.stdout, sys.stderr):
        # Texts are Chinese whatever the locale says; half a surrogate pair must not end a report.
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")
    try:
        app(prog_name="workbench")
    except Exception as error:
        tell(trace_of(error))
        tell(
            _(
                "This is a fault of workbench; please report it with the lines above. What it says is left "
                "out, since a text may stand in it; WORKBENCH_DEBUG=1 shows it."
            )
        )
        raise SystemExit(ExitCode.FAULT) from None
