"""``workbench kb``: documents kept with their vectors in a folder, and searched there."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from workbench.cli.options import (
    Count,
    CutoffText,
    EncoderSpec,
    Exact,
    FileEncoding,
    Json,
    Prevalence,
    Query,
    Sheet,
    TextColumn,
)
from workbench.cli.output import (
    answer,
    note,
    print_facts,
    print_json,
)
from workbench.cli.running import ExitCode, Group
from workbench.errors import InputError
from workbench.i18n import gettext as _
from workbench.i18n import listed, ngettext
from workbench.visible import visible

if TYPE_CHECKING:
    from workbench.retrieval import KnowledgeBase

from workbench.cli.search import Candidate, How, LogFile, show_hits

kb = typer.Typer(
    help="Keep texts with their vectors in a folder, and search them.",
    no_args_is_help=True,
    cls=Group,
    add_completion=False,
)

Folder = Annotated[
    str,
    typer.Argument(
        metavar="FOLDER",
        help="Folder of the knowledge base; or of one in Milvus milvus:./jobs.db or milvus:http://host:19530.",
    ),
]
Where = Annotated[
    list[str] | None,
    typer.Option(
        "--where",
        metavar="KEY=VALUE",
        help="All texts with this metadata, such as source=jds.csv; more than one narrows it down. "
        "A value that reads as JSON is taken as such: level=7 is a number, level='\"7\"' a text.",
    ),
]
Reencode = Annotated[
    bool,
    typer.Option("--reencode", help="Encode all its texts again if --encoder is another one than before."),
]


@kb.command()
def add(
    folder: Folder,
    files: Annotated[
        list[Path],
        typer.Argument(
            metavar="FILES...",
            help="Whole documents such as .docx and .pdf, tables with one a row, folders, zips, e-mails; or "
            "one folder of 'workbench encode', with its vectors.",
        ),
    ],
    encoder: EncoderSpec = None,
    reencode: Reencode = False,
    text_column: TextColumn = None,
    sheet: Sheet = None,
    file_encoding: FileEncoding = None,
    how: How = None,
    as_json: Json = False,
) -> None:
    """Add the documents of FILES whole; the knowledge base is made if it is not there.

    Texts that it has already are not added again. Files that cannot be read are named, and the rest is added.
    Exit code 0 if all could be read, 1 if some could not.
    """
    from workbench.retrieval import KnowledgeBase
    from workbench.retrieval.encoded import is_encoded
    from workbench.retrieval.readers import read_files

    read: Any = files[0]
    if len(files) > 1 or not is_encoded(read):
        # Read first: no knowledge base is made where nothing can be read.
        read = read_files(files, how=how, text_column=text_column, sheet=sheet, encoding=file_encoding)
    base = KnowledgeBase.open(folder, encoder, reencode=reencode)
    report = base.add_files(read)
    index = base.build_index()
    said = [report.summary()] if len(report.files) > 1 else []
    said += [*report.lines(), _now_has(folder, base)]
    if base.info().recall is not None:
        said.append(_("They are searched by an index: {index}.").format(index=index))
    answer(as_json, {**report.to_dict(), "n_texts": len(base), "index": index}, *said)
    if report.unread:
        raise typer.Exit(ExitCode.NO)


@kb.command()
def info(folder: Folder, as_json: Json = False) -> None:
    """Show how many texts it has, of which encoder their vectors are, and how they are searched."""
    from workbench.retrieval import KnowledgeBase

    facts = KnowledgeBase.open(folder, create=False).info().to_dict()
    if as_json:
        print_json(facts)
        return
    heads = [_("folder"), "n", _("dimension"), _("encoder"), _("fingerprint"), _("bytes"), _("index")]
    heads += [_("recall"), _("created"), _("changed")]
    print_facts(dict(zip(heads, facts.values(), strict=True)))


@kb.command("search")
def search_base(
    folder: Folder,
    query: Query,
    encoder: EncoderSpec = None,
    reencode: Reencode = False,
    k: Count = None,
    cutoff: CutoffText = None,
    where: Where = None,
    prevalence: Prevalence = None,
    exact: Exact = False,
    log: LogFile = None,
    candidate: Candidate = None,
    as_json: Json = False,
) -> None:
    """Show its texts that are nearest to QUERY in meaning.

    Exit code 0 if a text lies above the cutoff, 1 if none does.
    """
    from workbench.retrieval import KnowledgeBase

    base = KnowledgeBase.open(folder, encoder, reencode=reencode, create=False)
    narrowed = _conditions(where)
    show_hits(
        base, query, k, cutoff, as_json, narrowed, prevalence=prevalence, exact=exact, log=(log, candidate)
    )


@kb.command()
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
    said = ngettext("{n} text written to {file}", "{n} texts written to {file}", len(base))
    entry = {"path": str(written), "n_texts": len(base)}
    answer(as_json, entry, said.format(n=f"{len(base):,}", file=written))


@kb.command()
def remove(
    folder: Folder,
    row: Annotated[
        list[int] | None,
        typer.Option(
            "--row", metavar="N", help="Row number from 0, the 'index' of a hit; may be given more than once."
        ),
    ] = None,
    where: Where = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    as_json: Json = False,
) -> None:
    """Remove texts, by row number or by metadata. Exit code 1 if there was nothing to remove."""
    from workbench.retrieval import KnowledgeBase

    if bool(row) == bool(where):
        raise InputError(_("Say what to remove with --row or with --where, one of the two."))
    base = KnowledgeBase.open(folder, create=False)
    if not yes:
        asked = (
            _("Remove rows {rows} from {folder}?")
            if row
            else _("Remove all texts with {where} from {folder}?")
        )
        question = asked.format(rows=listed(row or ()), where=listed(where or ()), folder=folder)
        typer.confirm(visible(question), abort=True, err=True)
    removed = base.remove(row) if row else base.remove(where=_conditions(where))
    said = _("{n} removed;").format(n=f"{removed:,}")
    answer(as_json, {"removed": removed, "n_texts": len(base)}, f"{said} {_now_has(folder, base)}")
    if not removed:
        note(_("No text has this metadata."))
        raise typer.Exit(ExitCode.NO)


def _now_has(folder: str, base: KnowledgeBase) -> str:
    return ngettext("{folder} now has {n} text.", "{folder} now has {n} texts.", len(base)).format(
        folder=folder, n=f"{len(base):,}"
    )


def _conditions(where: list[str] | None) -> dict[str, Any] | None:
    return dict(map(_condition, where)) if where else None


def _condition(text: str) -> tuple[str, Any]:
    key, equals, value = text.partition("=")
    if not equals:
        raise InputError(
            _("--where is {text}; write it as KEY=VALUE, such as source=jds.csv.").format(text=repr(text))
        )
    try:
        return key, json.loads(value)
    except (ValueError, RecursionError):
        return key, value
