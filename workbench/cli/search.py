"""``workbench search``: the texts of a file or knowledge base that are nearest to a query."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from workbench.cli.exits import ExitCode
from workbench.cli.output import (
    cutoff_entry,
    encoder_entry,
    encoder_line,
    note,
    print_hits,
    print_json,
    probability_line,
    say,
)
from workbench.errors import InputError

if TYPE_CHECKING:
    from workbench.cutoffs import Cutoff
    from workbench.retrieval import KnowledgeBase

__all__ = [
    "Count",
    "CutoffText",
    "EncoderSpec",
    "Exact",
    "FileEncoding",
    "Json",
    "Sheet",
    "TextColumn",
    "search",
    "show_hits",
]

EncoderSpec = Annotated[
    str | None,
    typer.Option(
        "--encoder",
        "-e",
        metavar="SPEC",
        help="Such as use, keyword, qwen3-4b, qwen3:/folder, st:/folder, http://host:8000/v1#model; "
        "'workbench doctor' says which can be loaded here.",
        show_default="that of the knowledge base, else auto",
    ),
]
Count = Annotated[int | None, typer.Option("-k", metavar="N", help="Hits to show.", show_default="5")]
CutoffText = Annotated[
    str | None,
    typer.Option(
        "--cutoff",
        "-c",
        metavar="NUMBER|CARD",
        help="A score from -1 to 1, or the file of a cutoff card; a text above it is a match.",
        show_default="the encoder's card in labeled_pairs/cutoffs, else 0.4 with a warning",
    ),
]
TextColumn = Annotated[
    str | None, typer.Option("--text-column", metavar="NAME", help="Column of the texts in a table.")
]
Sheet = Annotated[str | None, typer.Option("--sheet", metavar="NAME", help="Sheet of an Excel file.")]
FileEncoding = Annotated[
    str | None,
    typer.Option("--file-encoding", metavar="NAME", help="Such as gb18030, where it is not found by itself."),
]
Exact = Annotated[
    bool,
    typer.Option(
        "--exact", help="Compare with every text, also where there are many and an index would be faster."
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON, and only that, on stdout.")]


def search(
    query: Annotated[
        str, typer.Argument(metavar="QUERY", help="What to look for, such as a candidate's skill text.")
    ],
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
    text_column: TextColumn = None,
    sheet: Sheet = None,
    file_encoding: FileEncoding = None,
    exact: Exact = False,
    as_json: Json = False,
) -> None:
    """Show the texts that are nearest to QUERY in meaning.

    Exit code 0 if a text lies above the cutoff, 1 if none does.
    """
    base = _open(kb or [], encoder, text_column=text_column, sheet=sheet, encoding=file_encoding)
    show_hits(base, query, k, cutoff, as_json, exact=exact)


def show_hits(
    base: KnowledgeBase,
    query: str,
    k: int | None,
    cutoff_text: str | None,
    as_json: bool,
    *,
    exact: bool = False,
) -> None:
    """Search, print, and end with exit code 1 if nothing lies above the cutoff.

    Raises
    ------
    InputError
        If the query, `k` or the cutoff cannot be used.
    """
    from workbench.retrieval import resolve_cutoff

    given = _read_cutoff(cutoff_text)
    hits = base.search(query, k, given, exact=exact or None)
    index = "exact, as asked for" if exact else base.build_index()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the search has warned already
        cutoff = resolve_cutoff(given, base.encoder)
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
        calibrated = "calibrated for this encoder" if cutoff.is_calibrated else "not calibrated"
        say(f"Cutoff {cutoff.value:.4f}, {calibrated}. {len(base):,} texts searched.")
        if index.startswith("approximate"):
            say(f"Found by an index: {index}; --exact compares with every text.")
        say(f"Encoder {encoder_line(base.encoder)}.")
        if said := probability_line(cutoff):
            say(said)
    if not any(hit["is_match"] for hit in hits):
        note("No text lies above the cutoff.")
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
        note(f"No --kb given: searching the {len(EXAMPLE_JDS)} built-in JDs.")
        return KnowledgeBase.from_texts(EXAMPLE_JDS, encoder)
    folders = [source for source in sources if source.is_dir()]
    if folders:
        if len(sources) > 1:
            raise InputError(f"{folders[0]} is a folder; give one knowledge base, or only files.")
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
            f"--cutoff is {text!r}, which is neither a number from -1 to 1 nor the file of a cutoff card."
        )
    return Cutoff.load(text)
