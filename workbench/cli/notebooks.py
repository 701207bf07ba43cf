"""``workbench run`` and ``workbench lab``: notebooks as reports, and in JupyterLab."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperCommand

from workbench.cli.output import note, print_json, print_table, say, shown
from workbench.errors import InputError
from workbench.settings import get_settings

__all__ = ["PASS_ON", "RunCommand", "lab", "lab_arguments", "run"]

PASS_ON = {"allow_extra_args": True, "ignore_unknown_options": True}
PARAMETER_FLAGS = ("-p", "--parameter")


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


def run(
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
    from workbench.notebooks.parameters import values_from_text

    path = find_notebook(notebook)
    declared = parameters_of(path)
    if list_parameters:
        _list(declared, as_json)
        return
    values = values_from_text([_pair(text) for text in parameter or []], declared, path.name)
    done = run_notebook(path, values, output, html=html, show_code=show_code)
    if as_json:
        print_json(done.to_dict())
        return
    for name, value in (done.results or {}).items():
        if isinstance(value, list) and value and all(isinstance(row, dict) for row in value):
            print_table(value, title=name)
        else:
            say(f"{name}: {shown(value)}")
    for kind, file in (("notebook", done.output), ("report", done.html), ("results", done.results_file)):
        if file is not None:
            say(f"{kind}: {file}")


def lab(
    ctx: typer.Context,
    port: Annotated[int, typer.Option(help="Port; the next free one where it is taken.")] = 8888,
    browser: Annotated[bool, typer.Option(help="Open the browser.")] = True,
) -> None:
    """Open the notebooks in JupyterLab.

    Further options are passed on to JupyterLab.
    """
    arguments = lab_arguments(get_settings().project_dir, port=port, browser=browser, extra=ctx.args)
    note(f"Starting JupyterLab in {get_settings().project_dir} …")
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
            f"{project} has no folder notebooks/; go to the project's folder, or set WORKBENCH_PROJECT to it."
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


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals:
        raise InputError(f"The parameter {name!r} has no value; write -p {name} VALUE.")
    return name, value


def _list(declared: Any, as_json: bool) -> None:
    rows = [
        {"parameter": p.name, "default": p.default, "takes": p.takes, "what": p.help}
        for p in declared.values()
    ]
    if as_json:
        print_json(rows)
    elif rows:
        print_table(rows)
    else:
        note("The notebook has no parameters.")
