"""The command line ``workbench``: thin commands over the package, a module a family of commands.

A command is a function and a line below. Its module is imported when the command is asked for, and what it
needs when it runs, so that everything answers at once.

Exit codes: 0 fine; 1 the answer is no (no text above the cutoff, something amiss in ``doctor``);
2 usage or input error; 3 nothing can be told yet (``check``); 70 a fault of the program; 130 interrupted.
"""

from __future__ import annotations

import os
import sys
from collections import ChainMap
from collections.abc import Iterator, Mapping
from functools import cache
from importlib import import_module
from typing import Annotated, Any

import typer

from workbench import __version__
from workbench.cli.options import SpokenLanguage
from workbench.cli.output import tell
from workbench.cli.running import ExitCode, Group
from workbench.errors import trace_of
from workbench.forgetting import complete
from workbench.i18n import gettext as _
from workbench.settings import holding

# Each with the module and the name in it of its function, or of a typer.Typer.
COMMANDS = {
    "search": "search:search",
    "rank": "rank:rank",
    "calibrate": "calibration:calibrate",
    "encode": "encode:encode",
    "audit": "audit:audit",
    "check": "check:check",
    "prevalence": "prevalence:prevalence",
    "compare": "compare:compare",
    "compare-encoders": "compare_encoders:compare_encoders",
    "explain": "search:explain",
    "run": "notebooks:running",
    "lab": "notebooks:laboratory",
    "app": "pages:app",
    "serve": "serve:serve",
    "forget": "forget:forget",
    "doctor": "notebooks:doctor",
    "kb": "knowledge_base:kb",
    "pairs": "labelling:app",
}


class Commands(Mapping[str, Any]):
    """Commands by their names, each imported when it is asked for."""

    def __getitem__(self, name: str) -> Any:
        return _command(*COMMANDS[name].split(":"), name)

    def __iter__(self) -> Iterator[str]:
        return iter(COMMANDS)

    def __len__(self) -> int:
        return len(COMMANDS)


@cache
def _command(module: str, attribute: str, name: str) -> Any:
    found = getattr(import_module(f"workbench.cli.{module}"), attribute)
    if not isinstance(found, typer.Typer):
        alone = typer.Typer(add_completion=False)
        alone.command(name)(found)
        found = alone
    command = typer.main.get_command(found)
    command.name = name
    return command


class Workbench(Group):
    """The group of all commands."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        lazily: Any = Commands()
        self.commands = ChainMap(self.commands, lazily)


app = typer.Typer(
    name="workbench",
    cls=Workbench,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


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
