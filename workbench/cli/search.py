"""``workbench search``: the texts nearest to a query; ``explain``: what makes a score."""

from __future__ import annotations

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
    cutoff_entry,
    encoder_entry,
    encoder_line,
    note,
    one_line,
    print_hits,
    print_json,
    probability_line,
    say,
    stdout_console,
    wrapped,
)
from workbench.cli.running import ExitCode
from workbench.documents.pasted import Pasted
from workbench.errors import InputError
from workbench.i18n import gettext as _
from workbench.i18n import ngettext, paragraph

if TYPE_CHECKING:
    from workbench.cutoffs import Cutoff
    from workbench.retrieval import KnowledgeBase

How = Annotated[
    Pasted | None,
    typer.Option(
        "--how",
        help="What .txt files hold: one document, one a line (lines) or one a block (blocks).",
        show_default="as their lines look",
    ),
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
        list[str] | None,
        typer.Option(
            "--kb",
            metavar="FILE|FOLDER",
            help="A knowledge base, or whole documents: a file such as .docx or .pdf, a table with one a "
            "row, a folder, a zip; may be given more than once.",
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
    how: How = None,
    exact: Exact = False,
    log: LogFile = None,
    candidate: Candidate = None,
    as_json: Json = False,
) -> None:
    """Show the texts that are nearest to QUERY, a text or a file of one document, in meaning.

    Of a whole document the part that carries the hit is shown. Exit code 0 if a text lies above the cutoff, 1
    if none does.
    """
    base = _open(kb or [], encoder, text_column=text_column, sheet=sheet, encoding=file_encoding, how=how)
    show_hits(base, query, k, cutoff, as_json, prevalence=prevalence, exact=exact, log=(log, candidate))


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
        console.print(wrapped(one_line(line), console.width))
    say(_("Encoder {encoder}.").format(encoder=encoder_line(loaded)))


def show_hits(
    base: KnowledgeBase,
    query: str,
    k: int | None,
    cutoff_text: str | None,
    as_json: bool,
    where: dict[str, Any] | None = None,
    *,
    prevalence: float | None = None,
    exact: bool = False,
    log: tuple[Path | None, str | None] = (None, None),
) -> None:
    """Search, print, log, and end with exit code 1 if nothing lies above the cutoff."""
    from workbench.retrieval import resolve_cutoff
    from workbench.retrieval.hits import not_judged

    if log[0] is None and log[1] is not None:
        raise InputError(_("--candidate names whose text QUERY is in a log; give --log too."))
    query = _query_text(query)
    given = read_cutoff(cutoff_text)
    hits = base.search(query, k, given, where=where, prevalence=prevalence, exact=exact or None)
    index = _("exact, as asked for") if exact else base.build_index()
    # The search has warned already.
    with warnings.catch_warnings(action="ignore"):
        cutoff = resolve_cutoff(given, base.encoder, prevalence=prevalence)
    if log[0] is not None:
        from workbench.decision_log import DecisionLog, document_id

        candidate = log[1] or document_id(query)
        DecisionLog(log[0]).record_hits(hits, cutoff, encoder=base.encoder, resume_id=candidate)
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
        # Of what it was not measured on, a card promises nothing; the search has said so.
        promise = () if not_judged(hits, cutoff) else (cutoff.holds_for(), probability_line(cutoff))
        for said in filter(None, (at, *promise)):
            console.print(wrapped(said, console.width))
        if not exact and base.info().recall is not None:
            say(_("Found by an index: {index}; --exact compares with every text.").format(index=index))
        say(_("Encoder {encoder}.").format(encoder=encoder_line(base.encoder)))
    if all(hit["is_match"] is False for hit in hits):
        note(_("No text lies above the cutoff."))
        raise typer.Exit(ExitCode.NO)


def _open(
    sources: Sequence[str],
    encoder: str | None,
    *,
    text_column: str | None,
    sheet: str | None,
    encoding: str | None,
    how: Pasted | None,
) -> KnowledgeBase:
    from workbench.examples import EXAMPLE_JDS
    from workbench.retrieval import KnowledgeBase
    from workbench.retrieval.folder_store import FolderStore

    if not sources:
        note(_("No --kb given: searching the {n} built-in JDs.").format(n=len(EXAMPLE_JDS)))
        return KnowledgeBase.from_texts(EXAMPLE_JDS, encoder)
    folders = [
        source
        for source in sources
        if source.startswith("milvus:") or (Path(source).is_dir() and FolderStore.exists(Path(source)))
    ]
    if folders:
        if len(sources) > 1:
            raise InputError(
                _("{folder} is a folder; give one knowledge base, or only files.").format(folder=folders[0])
            )
        return KnowledgeBase.open(folders[0], encoder, create=False)
    # An index would be built for this one query.
    base = KnowledgeBase.from_texts([], encoder, exact=True)
    report = base.add_files(
        [*map(Path, sources)], how=how, text_column=text_column, sheet=sheet, encoding=encoding
    )
    for file in report.files:
        if file.added < file.n_input or file.notes:
            note(file.summary())
    for each in report.unread:
        note(each.summary())
    return base


def _query_text(query: str) -> str:
    """The text itself, or that of the one document in a file."""
    from workbench.retrieval.searching import is_path

    if not is_path(query):
        return query
    from workbench.documents import read_documents

    documents = read_documents(query)
    if len(documents) > 1:
        raise InputError(
            _("{file} holds {n} documents, and the query is one; take a file of one document.").format(
                file=Path(query).name, n=len(documents)
            )
        )
    return documents[0].text


def read_cutoff(text: str | None) -> float | Cutoff | None:
    """The number, or the card of the file, that ``--cutoff`` names.

    Raises
    ------
    InputError
        If it is neither.
    """
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
