"""``workbench run`` and ``lab``: notebooks as reports, and in JupyterLab; ``doctor``: would all work here?"""

from __future__ import annotations

import os
import subprocess
import sys
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperCommand

from workbench.cli.options import Json
from workbench.cli.output import note, print_json, print_table, say, shown, stdout_console
from workbench.cli.running import ExitCode
from workbench.errors import InputError
from workbench.i18n import gettext as _
from workbench.i18n import ngettext
from workbench.settings import get_settings

if TYPE_CHECKING:
    from workbench.diagnostics import Finding

running, laboratory = typer.Typer(add_completion=False), typer.Typer(add_completion=False)
PARAMETER_FLAGS = ("-p", "--parameter")
# Signs beside colours, for those who see none.
SIGNS = {"ok": ("✓", "green"), "note": ("○", "yellow"), "problem": ("✗", "red")}


class RunCommand(TyperCommand):
    """Reads ``-p key value`` as papermill does; typer itself knows no repeated option of two values."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        joined: list[str] = []
        rest = iter(args)
        for arg in rest:
            joined.append(arg)
            if arg in PARAMETER_FLAGS and (name := next(rest, None)) is not None:
                value = None if "=" in name else next(rest, None)
                joined.append(name if value is None else f"{name}={value}")
        return super().parse_args(ctx, joined)


@running.command(cls=RunCommand)
def run(
    ctx: typer.Context,
    notebook: Annotated[
        str,
        typer.Argument(
            metavar="NOTEBOOK", help="A notebook file, or a name in notebooks/ such as 01_search."
        ),
    ],
    parameter: Annotated[
        list[str] | None,
        typer.Option(
            *PARAMETER_FLAGS,
            metavar="KEY VALUE",
            help="Set a parameter of the notebook; may be given more than once. 'key=value' works too.",
        ),
    ] = None,
    output: Annotated[
        str | None,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE|FOLDER",
            help="The executed notebook (.ipynb), or a folder for it.",
            show_default="reports",
        ),
    ] = None,
    html: Annotated[bool, typer.Option(help="Write an HTML report beside it.")] = True,
    show_code: Annotated[bool, typer.Option("--show-code", help="Keep the code in the report.")] = False,
    list_parameters: Annotated[
        bool,
        typer.Option("--list", help="List the notebook's parameters with their defaults, and do not run it."),
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print files and results as JSON.")] = False,
) -> None:
    """Execute a notebook with papermill, and print its results.

    Relative paths in parameters are relative to the folder that you are in.
    """
    from workbench.notebooks import find_notebook, parameters_of, run_notebook
    from workbench.notebooks.values import values_from_text

    path = find_notebook(notebook)
    declared = parameters_of(path)
    if list_parameters:
        _list(declared, as_json)
        return
    values = values_from_text([_pair(text) for text in parameter or []], declared, path.name)
    asked = ctx.find_root().params.get("language")
    if asked is not None and "language" in declared:
        values.setdefault("language", asked)
    done = run_notebook(path, values, output, html=html, show_code=show_code)
    if as_json:
        print_json(done.to_dict())
        return
    for name, value in (done.results or {}).items():
        if isinstance(value, list) and value and all(isinstance(row, dict) for row in value):
            print_table(value, title=name)
        else:
            say(f"{name}: {shown(value)}")
    files = ((_("notebook"), done.output), (_("report"), done.html), (_("results"), done.results_file))
    for kind, file in files:
        if file is not None:
            say(f"{kind}: {file}")


@laboratory.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def lab(
    ctx: typer.Context,
    port: Annotated[int, typer.Option(help="Port; the next free one where it is taken.")] = 8888,
    browser: Annotated[bool, typer.Option(help="Open the browser.")] = True,
) -> None:
    """Open the notebooks in JupyterLab.

    Further options are passed on to JupyterLab.
    """
    arguments = lab_arguments(get_settings().project_dir, port=port, browser=browser, extra=ctx.args)
    note(_("Starting JupyterLab in {folder} …").format(folder=get_settings().project_dir))
    if os.name == "posix":
        # JupyterLab takes our place, so that Ctrl-C is its own.
        os.execv(arguments[0], arguments)
    raise typer.Exit(subprocess.call(arguments))


def lab_arguments(project: Path, *, port: int, browser: bool, extra: list[str]) -> list[str]:
    """The command that starts JupyterLab on the project's notebooks.

    Raises
    ------
    InputError
        If the project has no ``notebooks/``.
    """
    if not (project / "notebooks").is_dir():
        raise InputError(
            _(
                "{folder} has no folder notebooks/; go to the project's folder, or set WORKBENCH_PROJECT to "
                "it."
            ).format(folder=project)
        )
    arguments = [
        sys.executable,
        "-m",
        "jupyterlab",
        f"--ServerApp.root_dir={project}",
        "--LabApp.default_url=/lab/tree/notebooks",
        f"--ServerApp.port={port}",
        f"--ServerApp.open_browser={browser}",
        # Nothing is asked of or told to other machines.
        "--LabApp.news_url=None",
        "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
    ]
    if hasattr(os, "geteuid") and os.geteuid() == 0:  # in a container; Jupyter refuses root unless told
        arguments.append("--allow-root")
    return arguments + extra


def doctor(as_json: Json = False) -> None:
    """Show what is installed, which encoders can be loaded here, and what is amiss.

    Exit code 1 if there is a problem that keeps the workbench from its work.
    """
    from workbench.diagnostics import diagnose

    findings = diagnose()
    problems = [finding for finding in findings if finding.status == "problem"]
    if as_json:
        print_json({"ok": not problems, "findings": [finding.to_dict() for finding in findings]})
    else:
        _show(findings)
        found = ngettext("{n} problem found.", "{n} problems found.", len(problems))
        count = found.format(n=len(problems)) if problems else _("No problem found.")
        say(f"{count}  ✓ {_('fine')}   ○ {_('can be done without')}   ✗ {_('problem')}")
    if problems:
        raise typer.Exit(ExitCode.NO)


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals:
        raise InputError(_("The parameter '{name}' has no value; write -p {name} VALUE.").format(name=name))
    return name, value


def _list(declared: Any, as_json: bool) -> None:
    rows = [
        {"parameter": p.name, "default": p.default, "takes": p.takes, "what": p.help}
        for p in declared.values()
    ]
    if as_json:
        print_json(rows)
    elif rows:
        heads = (_("parameter"), _("default"), _("takes"), _("what"))
        print_table([dict(zip(heads, row.values(), strict=True)) for row in rows])
    else:
        note(_("The notebook has no parameters."))


def _show(findings: list[Finding]) -> None:
    from rich.cells import cell_len
    from rich.padding import Padding
    from rich.table import Table
    from rich.text import Text

    from workbench.diagnostics import heading

    console = stdout_console()
    width = max(cell_len(heading(finding.name)) for finding in findings)
    for topic, group in groupby(findings, key=lambda finding: finding.topic):
        console.print(Text(heading(topic), style="bold"))
        table = Table.grid(padding=(0, 2))
        table.add_column()
        table.add_column(min_width=width)
        table.add_column(overflow="fold")
        for finding in group:
            sign, colour = SIGNS[finding.status]
            said = Text(finding.value)
            if finding.advice:
                said.append(f"\n{finding.advice}", style="italic")
            table.add_row(Text(sign, style=colour), Text(heading(finding.name)), said)
        console.print(Padding(table, (0, 0, 1, 2)))
