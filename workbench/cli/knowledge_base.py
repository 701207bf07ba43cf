"""``workbench kb``: knowledge bases in folders."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from workbench.cli.exits import ExitCode
from workbench.cli.output import note, print_facts, print_json, say
from workbench.cli.search import (
    Count,
    CutoffText,
    EncoderSpec,
    Exact,
    FileEncoding,
    Json,
    Sheet,
    TextColumn,
    show_hits,
)
from workbench.errors import InputError

__all__ = ["app"]

app = typer.Typer(help="Keep texts with their vectors in a folder, and search them.", no_args_is_help=True)

Folder = Annotated[Path, typer.Argument(metavar="FOLDER", help="Folder of the knowledge base.")]
Reencode = Annotated[
    bool,
    typer.Option("--reencode", help="Encode all its texts again if --encoder is another one than before."),
]


@app.command()
def add(
    folder: Folder,
    files: Annotated[
        list[Path],
        typer.Argument(metavar="FILES...", help="Files of texts: .txt, .csv, .jsonl, .xlsx, .pdf, .docx."),
    ],
    encoder: EncoderSpec = None,
    reencode: Reencode = False,
    text_column: TextColumn = None,
    sheet: Sheet = None,
    file_encoding: FileEncoding = None,
    as_json: Json = False,
) -> None:
    """Add the texts of FILES; the knowledge base is made if it is not there.

    Texts that it has already are not added again. A file that cannot be read adds nothing.
    """
    from workbench.retrieval import KnowledgeBase
    from workbench.retrieval.readers import read_file

    # Read first: no knowledge base is made for a file that cannot be read.
    read = [read_file(file, text_column=text_column, sheet=sheet, encoding=file_encoding) for file in files]
    base = KnowledgeBase.open(folder, encoder, reencode=reencode)
    report = base.add_files(read)
    index = base.build_index()
    if as_json:
        print_json({**report.to_dict(), "n_texts": len(base), "index": index})
        return
    for file in report.files:
        say(file.summary())
    say(f"{folder} now has {len(base):,} texts.")
    if base.info().recall is not None:
        say(f"They are searched by an index: {index}.")


@app.command()
def info(folder: Folder, as_json: Json = False) -> None:
    """Show how many texts it has, of which encoder their vectors are, and how they are searched."""
    from workbench.retrieval import KnowledgeBase

    facts = KnowledgeBase.open(folder, create=False).info().to_dict()
    if as_json:
        print_json(facts)
        return
    print_facts(facts)


@app.command()
def search(
    folder: Folder,
    query: Annotated[
        str, typer.Argument(metavar="QUERY", help="What to look for, such as a candidate's skill text.")
    ],
    encoder: EncoderSpec = None,
    reencode: Reencode = False,
    k: Count = None,
    cutoff: CutoffText = None,
    exact: Exact = False,
    as_json: Json = False,
) -> None:
    """Show its texts that are nearest to QUERY in meaning.

    Exit code 0 if a text lies above the cutoff, 1 if none does.
    """
    from workbench.retrieval import KnowledgeBase

    base = KnowledgeBase.open(folder, encoder, reencode=reencode, create=False)
    show_hits(base, query, k, cutoff, as_json, exact=exact)


@app.command()
def export(
    folder: Folder,
    target: Annotated[
        Path, typer.Argument(metavar="FILE", help="File to write; its suffix says which format.")
    ],
    as_json: Json = False,
) -> None:
    """Write its texts and metadata to FILE."""
    from workbench.retrieval import KnowledgeBase

    base = KnowledgeBase.open(folder, create=False)
    written = base.export(target)
    if as_json:
        print_json({"path": str(written), "n_texts": len(base)})
    else:
        say(f"{len(base):,} texts written to {written}")


@app.command()
def remove(
    folder: Folder,
    row: Annotated[
        list[int] | None,
        typer.Option(
            "--row", metavar="N", help="Row number from 0, the 'index' of a hit; may be given more than once."
        ),
    ] = None,
    where: Annotated[
        list[str] | None,
        typer.Option(
            "--where",
            metavar="KEY=VALUE",
            help="All texts with this metadata, such as source=jds.csv; more than one narrows it down. "
            "A value that reads as JSON is taken as such: level=7 is a number, level='\"7\"' a text.",
        ),
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    as_json: Json = False,
) -> None:
    """Remove texts, by row number or by metadata. Exit code 1 if there was nothing to remove."""
    from workbench.retrieval import KnowledgeBase

    if bool(row) == bool(where):
        raise InputError("Say what to remove with --row or with --where, one of the two.")
    conditions = dict(_condition(text) for text in where or [])
    base = KnowledgeBase.open(folder, create=False)
    if not yes:
        what = f"rows {', '.join(map(str, row))}" if row else f"all texts with {', '.join(where or [])}"
        typer.confirm(f"Remove {what} from {folder}?", abort=True, err=True)
    removed = base.remove(row) if row else base.remove(where=conditions)
    if as_json:
        print_json({"removed": removed, "n_texts": len(base)})
    else:
        say(f"{removed:,} removed; {folder} now has {len(base):,} texts.")
    if not removed:
        note("No text has this metadata.")
        raise typer.Exit(ExitCode.NO)


def _condition(text: str) -> tuple[str, Any]:
    key, equals, value = text.partition("=")
    if not equals:
        raise InputError(f"--where is {text!r}; write it as KEY=VALUE, such as source=jds.csv.")
    try:
        return key, json.loads(value)
    except ValueError:
        return key, value
