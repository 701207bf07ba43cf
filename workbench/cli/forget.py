"""``workbench forget``: erase a person's texts and vectors wherever the workbench has written them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from workbench.cli.options import Json
from workbench.cli.output import answer, note
from workbench.cli.running import ExitCode
from workbench.i18n import gettext as _


def forget(
    text: Annotated[
        str | None, typer.Option("--text", metavar="TEXT", help="Of the person, or a telling piece of it.")
    ] = None,
    file: Annotated[
        Path | None, typer.Option("--file", metavar="FILE", help="That holds the text; it is not deleted.")
    ] = None,
    person: Annotated[
        str | None,
        typer.Option(
            "--person",
            metavar="ID",
            help="Value of resume_id, candidate_id, person_id, candidate, person or id in metadata and "
            "tables, or name of the file that the text came from.",
        ),
    ] = None,
    folder: Annotated[
        list[Path] | None,
        typer.Option("--folder", metavar="DIR", help="Look here too; may be given more than once."),
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    as_json: Json = False,
) -> None:
    """Erase a person's texts, vectors, labels, decisions and reports, and prove that nothing is left.

    If it is killed, whoever starts the workbench next completes it.

    Exit code 0 if nothing is left where the workbench can look; 1 if something is, which is named.
    """
    from workbench.forgetting.act import forget as run

    if not yes:
        found = run(text, file=file, person=person, folders=folder or (), dry_run=True)
        for place, n in found.erased.items():
            note(f"{place}: {n}")
        typer.confirm(_("Erase this for good?"), abort=True, err=True)
    done = run(text, file=file, person=person, folders=folder or ())
    answer(as_json, done.to_dict(), *done.sentences())
    if not done.is_proven:
        raise typer.Exit(ExitCode.NO)
