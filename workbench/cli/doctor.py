"""``workbench doctor``: what is on this machine, and what to do where something is amiss."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

import typer

from workbench.cli.exits import ExitCode
from workbench.cli.output import print_json, say, stdout_console
from workbench.cli.search import Json

if TYPE_CHECKING:
    from workbench.diagnostics import Finding

__all__ = ["doctor"]

# Signs beside colours, for those who see none.
SIGNS = {"ok": ("✓", "green"), "note": ("○", "yellow"), "problem": ("✗", "red")}


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
        count = f"{len(problems)} problem{'s' * (len(problems) != 1)}" if problems else "No problem"
        say(f"{count} found.  ✓ fine   ○ can be done without   ✗ problem")
    if problems:
        raise typer.Exit(ExitCode.NO)


def _show(findings: list[Finding]) -> None:
    from rich.padding import Padding
    from rich.table import Table
    from rich.text import Text

    console = stdout_console()
    width = max(len(finding.name) for finding in findings)
    for topic, group in groupby(findings, key=lambda finding: finding.topic):
        console.print(Text(topic, style="bold"))
        table = Table.grid(padding=(0, 2))
        table.add_column()
        table.add_column(min_width=width)
        table.add_column(overflow="fold")
        for finding in group:
            sign, colour = SIGNS[finding.status]
            said = Text(finding.value)
            if finding.advice:
                said.append(f"\n{finding.advice}", style="italic")
            table.add_row(Text(sign, style=colour), Text(finding.name), said)
        console.print(Padding(table, (0, 0, 1, 2)))
