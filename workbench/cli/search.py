"""``workbench search`` and ``kb``: the texts nearest to a query; ``explain``: what makes a score."""

from __future__ import annotations

import json
import warnings
from collections.abc import Sequence
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
    SpokenLanguage,
    TextColumn,
)
from workbench.cli.output import (
    answer,
    cutoff_entry,
    encoder_entry,
    encoder_line,
    note,
    print_facts,
    print_hits,
    print_json,
    probability_line,
    say,
    stdout_console,
    wrapped,
)
from workbench.cli.running import ExitCode, Group
from workbench.errors import InputError
from workbench.i18n import gettext as _
from workbench.i18n import listed, ngettext, paragraph
from workbench.texts import tidy

if TYPE_CHECKING:
    from workbench.cutoffs import Cutoff
    from workbench.retrieval import KnowledgeBase

__all__ = ["explain", "kb", "search"]

kb = typer.Typer(
    help="Keep texts with their vectors in a folder, and search them.", no_args_is_help=True, cls=Group
)

Folder = Annotated[Path, typer.Argument(metavar="FOLDER", help="Folder of the knowledge base.")]
Reencode = Annotated[
    bool,
    typer.Option("--reencode", help="Encode all its texts again if --encoder is another one than before."),
]

LogFile = Annotated[
    Path | None,
    typer.Option(
        "--log",
        metavar="FILE.jsonl",
        help="Add what was decided of each hit to this decision log; no text of QUERY.",
    ),
]
Candidate = Annotated[
    str | None,
    typer.Option(
        metavar="ID", help="Whose text QUERY is, for the log.", show_default="a name made from the text"
    ),
]


def search(
    query: Query,
    kb: Annotated[
        list[Path] | None,
        typer.Option(
            "--kb",
            metavar="FILE|FOLDER",
            help="A file of texts (.txt, .csv, .jsonl, .xlsx, .pdf, .docx; may be given more than once), or "
            "the folder of a knowledge base.",
            show_default="the 8 built-in JDs",
        ),
    ] = None,
    encoder: EncoderSpec = None,
    k: Count = None,
    cutoff: CutoffText = None,
    prevalence: Prevalence = None,
    text_column: TextColumn = None,
    sheet: Sheet = None,
    file_encoding: FileEncoding = None,
    exact: Exact = False,
    log: LogFile = None,
    candidate: Candidate = None,
    as_json: Json = False,
) -> None:
    """Show the texts that are nearest to QUERY in meaning.

    Exit code 0 if a text lies above the cutoff, 1 if none does.
    """
    base = _open(kb or [], encoder, text_column=text_column, sheet=sheet, encoding=file_encoding)
    _show_hits(base, query, k, cutoff, as_json, prevalence=prevalence, exact=exact, log=(log, candidate))


@kb.command()
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
    said = [*(file.summary() for file in report.files), _now_has(folder, base)]
    if base.info().recall is not None:
        said.append(_("They are searched by an index: {index}.").format(index=index))
    answer(as_json, {**report.to_dict(), "n_texts": len(base), "index": index}, *said)


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
    _show_hits(base, query, k, cutoff, as_json, prevalence=prevalence, exact=exact, log=(log, candidate))


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
        raise InputError(_("Say what to remove with --row or with --where, one of the two."))
    conditions = dict(_condition(text) for text in where or [])
    base = KnowledgeBase.open(folder, create=False)
    if not yes:
        asked = (
            _("Remove rows {rows} from {folder}?")
            if row
            else _("Remove all texts with {where} from {folder}?")
        )
        question = asked.format(rows=listed(row or ()), where=listed(where or ()), folder=folder)
        typer.confirm(question, abort=True, err=True)
    removed = base.remove(row) if row else base.remove(where=conditions)
    said = _("{n} removed;").format(n=f"{removed:,}")
    answer(as_json, {"removed": removed, "n_texts": len(base)}, f"{said} {_now_has(folder, base)}")
    if not removed:
        note(_("No text has this metadata."))
        raise typer.Exit(ExitCode.NO)


def explain(
    resume: Annotated[str, typer.Argument(metavar="RESUME", help="A candidate's skill text.")],
    jd: Annotated[str, typer.Argument(metavar="JD", help="A job requirement.")],
    encoder: Annotated[
        str | None,
        typer.Option(
            "--encoder",
            "-e",
            metavar="SPEC",
            help="As of 'workbench search'; 'workbench doctor' says which can be loaded here.",
            show_default="auto",
        ),
    ] = None,
    language: SpokenLanguage = None,
    as_json: Json = False,
) -> None:
    """Show which phrases of RESUME and JD lift (+) or lower (-) their score.

    Each phrase is left out in turn, and the score taken again. Effects do not add up to the score: phrases
    work together.
    """
    from workbench.encoders import load_encoder
    from workbench.exploration import explain as explain_score

    loaded = load_encoder(encoder)
    found = explain_score(jd, resume, loaded)
    if as_json:
        print_json({**found.to_dict(), "encoder": encoder_entry(loaded)})
        return
    console = stdout_console()
    for line in found.to_text().splitlines():
        console.print(wrapped(tidy(line), console.width))
    say(_("Encoder {encoder}.").format(encoder=encoder_line(loaded)))
    if any(side.was_cut for side in (found.jd, found.resume)):
        note(_("A text was too long; only what is encoded is shown."))


def _show_hits(
    base: KnowledgeBase,
    query: str,
    k: int | None,
    cutoff_text: str | None,
    as_json: bool,
    *,
    prevalence: float | None = None,
    exact: bool = False,
    log: tuple[Path | None, str | None] = (None, None),
) -> None:
    """Search, print, log, and end with exit code 1 if nothing lies above the cutoff."""
    from workbench.decision_log import DecisionLog, document_id
    from workbench.retrieval import resolve_cutoff

    written = None if log[0] is None else DecisionLog(log[0])
    if written is None and log[1] is not None:
        raise InputError(_("--candidate names whose text QUERY is in a log; give --log too."))
    given = _read_cutoff(cutoff_text)
    hits = base.search(query, k, given, prevalence=prevalence, exact=exact or None)
    index = _("exact, as asked for") if exact else base.build_index()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the search has warned already
        cutoff = resolve_cutoff(given, base.encoder, prevalence=prevalence)
    if written is not None:
        candidate = log[1] or document_id(query)
        written.record_hits(hits, cutoff, encoder=base.encoder, resume_id=candidate)
    if as_json:
        print_json(
            {
                "query": query,
                "n_texts": len(base),
                "index": index,
                "encoder": encoder_entry(base.encoder),
                "cutoff": cutoff_entry(cutoff),
                "hits": hits,
            }
        )
    else:
        print_hits(hits)
        searched = ngettext("{n} text searched.", "{n} texts searched.", len(base))
        console = stdout_console()
        at = paragraph([cutoff.origin(), searched.format(n=f"{len(base):,}")])
        for said in filter(None, (at, cutoff.holds_for(), probability_line(cutoff))):
            console.print(wrapped(said, console.width))
        if not exact and base.info().recall is not None:
            say(_("Found by an index: {index}; --exact compares with every text.").format(index=index))
        say(_("Encoder {encoder}.").format(encoder=encoder_line(base.encoder)))
    if not any(hit["is_match"] for hit in hits):
        note(_("No text lies above the cutoff."))
        raise typer.Exit(ExitCode.NO)


def _open(
    sources: Sequence[Path],
    encoder: str | None,
    *,
    text_column: str | None,
    sheet: str | None,
    encoding: str | None,
) -> KnowledgeBase:
    from workbench.examples import EXAMPLE_JDS
    from workbench.retrieval import KnowledgeBase

    if not sources:
        note(_("No --kb given: searching the {n} built-in JDs.").format(n=len(EXAMPLE_JDS)))
        return KnowledgeBase.from_texts(EXAMPLE_JDS, encoder)
    folders = [source for source in sources if source.is_dir()]
    if folders:
        if len(sources) > 1:
            raise InputError(
                _("{folder} is a folder; give one knowledge base, or only files.").format(folder=folders[0])
            )
        return KnowledgeBase.open(folders[0], encoder, create=False)
    # An index would be built for this one query.
    base = KnowledgeBase.from_texts([], encoder, exact=True)
    report = base.add_files(sources, text_column=text_column, sheet=sheet, encoding=encoding)
    for file in report.files:
        if file.added < file.n_input or file.cut or file.notes:
            note(file.summary())
    return base


def _read_cutoff(text: str | None) -> float | Cutoff | None:
    from workbench.cutoffs import Cutoff

    if text is None:
        return None
    try:
        return float(text)
    except ValueError:
        pass
    if not Path(text).exists():
        raise InputError(
            _(
                "--cutoff is {text}, which is neither a number from -1 to 1 nor the file of a cutoff card."
            ).format(text=repr(text))
        )
    return Cutoff.load(text)


def _now_has(folder: Path, base: KnowledgeBase) -> str:
    return ngettext("{folder} now has {n} text.", "{folder} now has {n} texts.", len(base)).format(
        folder=folder, n=f"{len(base):,}"
    )


def _condition(text: str) -> tuple[str, Any]:
    key, equals, value = text.partition("=")
    if not equals:
        raise InputError(
            _("--where is {text}; write it as KEY=VALUE, such as source=jds.csv.").format(text=repr(text))
        )
    try:
        return key, json.loads(value)
    except ValueError:
        return key, value
