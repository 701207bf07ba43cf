"""Arguments and options that several commands share, and what is read by them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from workbench.cli.output import note
from workbench.errors import InputError
from workbench.i18n import N_, Language
from workbench.i18n import gettext as _

if TYPE_CHECKING:
    import pandas as pd

    from workbench.calibration import Rule
    from workbench.encoders import Encoder
    from workbench.scorers import Scorer

# Help texts are gathered from the commands themselves, and shown in the language that is spoken then.
SpokenLanguage = Annotated[
    Language | None,
    typer.Option("--language", help="Of what is said.", show_default="that of the settings"),
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
ScorerSpec = Annotated[
    str | None,
    typer.Option(
        "--scorer",
        "-s",
        metavar="SPEC",
        help="Such as use+relative, use+relative+rerank:/folder, column:score; instead of --encoder, which "
        "means the plain cosine of its vectors.",
        show_default="that of the card, where there is one",
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON, and only that, on stdout.")]
Seed = Annotated[int, typer.Option(help="Of resampling.")]

Query = Annotated[
    str, typer.Argument(metavar="QUERY", help="What to look for, such as a candidate's skill text.")
]
Count = Annotated[int | None, typer.Option("-k", metavar="N", help="Hits to show.", show_default="5")]
CutoffText = Annotated[
    str | None,
    typer.Option(
        "--cutoff",
        "-c",
        metavar="NUMBER|CARD",
        help="A score from -1 to 1, or the file of a cutoff card; a text above it is a match.",
        show_default="the encoder's card in labeled_pairs/cutoffs, else the one that the workbench brings, "
        "else 0.4 with a warning",
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

PairsPath = Annotated[
    Path,
    typer.Argument(
        metavar="PAIRS", help="Labelled pairs: a folder with pairs.csv, or one table with jd, resume, label."
    ),
]
ColumnNames = Annotated[
    list[str] | None,
    typer.Option(
        "--column", metavar="OURS=THEIRS", help="For a table with other names, such as jd=job_description."
    ),
]
PositiveWords = Annotated[
    list[str] | None,
    typer.Option(
        "--positive", metavar="WORD", help="Label that means a match, such as 'Good Fit'; repeat it for more."
    ),
]
NegativeWords = Annotated[
    list[str] | None,
    typer.Option(
        "--negative", metavar="WORD", help="Label that means no match, such as 'No Fit'; repeat it for more."
    ),
]
KindOfPairs = Annotated[
    Literal["everyday", "hard", "all"],
    typer.Option(
        "--pairs",
        help="Which pairs, where a column source says that some were composed to be hard; those are "
        "shown apart.",
    ),
]
Prevalence = Annotated[
    float | None,
    typer.Option(
        metavar="SHARE", help="Share of matches among the pairs that come in, where it is another one."
    ),
]
ClusterColumn = Annotated[
    str | None,
    typer.Option(
        metavar="COLUMN", help="Pairs that share its value are not independent.", show_default="jd_id"
    ),
]
WeightColumn = Annotated[
    str | None,
    typer.Option(
        metavar="COLUMN", help="Sampling weights.", show_default="weight, or 1 / inclusion_probability"
    ),
]

# Rules for choosing a cutoff, as they are written.
FORMS = N_(
    "f1, f2, f0.5, youden, accuracy, recall:0.9, cost:1/5 (false match/missed), capacity:200/1600 (a week)"
)


def rule_from_text(text: str) -> Rule:
    """The rule that `text` names.

    Raises
    ------
    InputError
        If it names none, or its number makes no sense.

    Examples
    --------
    >>> rule_from_text("recall:0.9")
    TargetRecall(target=0.9)
    >>> rule_from_text("f2")
    MaxFBeta(beta=2.0)
    """
    from workbench.calibration import Capacity, MaxAccuracy, MaxFBeta, MaxYouden, MinCost, TargetRecall

    name, _colon, numbers = text.strip().lower().partition(":")
    match name, _numbers(numbers):
        case "youden", []:
            return MaxYouden()
        case "accuracy", []:
            return MaxAccuracy()
        case "recall", [target]:
            return TargetRecall(target)
        case "cost", [false_match, missed_match]:
            return MinCost(fp=false_match, fn=missed_match)
        case "capacity", [per_week, volume]:
            return Capacity(per_week=per_week, volume_per_week=volume)
    beta = _numbers(name[1:]) if name.startswith("f") and not numbers else None
    if beta is not None and len(beta) == 1:
        return MaxFBeta(beta[0])
    raise InputError(
        _("--choose-by is {text}, which names no rule; there are: {forms}.").format(
            text=repr(text), forms=_(FORMS)
        )
    )


def load_asked(encoder: str | None, scorer: str | None) -> Encoder | Scorer:
    """The encoder or the scorer that was asked for.

    Raises
    ------
    InputError
        If both were.
    EncoderUnavailableError
        If it cannot be loaded here.
    """
    from workbench.encoders import load_encoder
    from workbench.scorers import encoder_or_scorer, load_scorer

    if encoder is not None and scorer is not None:
        raise InputError(_("Give --encoder or --scorer: an encoder is a scorer, the plain cosine."))
    return load_encoder(encoder) if scorer is None else encoder_or_scorer(load_scorer(scorer))


def read_scored(
    path: Path,
    encoder: Encoder | Scorer,
    column: list[str] | None = None,
    positive: list[str] | None = None,
    negative: list[str] | None = None,
    *,
    labelled: bool = True,
) -> pd.DataFrame:
    """Pairs of a file or folder with their scores, encoding with a progress bar.

    What a scorer freezes of them is said.

    Raises
    ------
    InputError
        If the pairs cannot be read.
    """
    from workbench.pairs import read_pairs, score_pairs

    pairs = read_pairs(
        path, columns=column_names(column), positive=positive, negative=negative, labelled=labelled
    )
    scored = score_pairs(pairs, encoder)
    if not getattr(encoder, "is_fitted", True):
        said = _(
            "{scorer} measured on these {jds} JDs and {resumes} résumés what they have in common; a card "
            "keeps that, and no text."
        )
        jds, resumes = (f"{pairs[side].nunique():,}" for side in ("jd", "resume"))
        note(said.format(scorer=encoder.name, jds=jds, resumes=resumes))
    return scored


def column_names(options: list[str] | None) -> dict[str, str] | None:
    """What ``--column`` says, as ours to theirs; None if nothing.

    Raises
    ------
    InputError
        If one is not written as OURS=THEIRS.
    """
    return dict(_names(text) for text in options or []) or None


def _names(text: str) -> tuple[str, str]:
    ours, equals, theirs = text.partition("=")
    if not (ours and equals and theirs):
        raise InputError(
            _("--column is {text}; write OURS=THEIRS, such as jd=job_description.").format(text=repr(text))
        )
    return ours, theirs


def _numbers(text: str) -> list[float] | None:
    """Numbers between slashes; none for an empty text, None where one cannot be read."""
    try:
        return [float(part) for part in text.split("/")] if text else []
    except ValueError:
        return None
