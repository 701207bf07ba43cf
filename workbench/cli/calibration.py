"""``workbench calibrate``: from labelled pairs to a cutoff card and its report."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from workbench.cli.calibration_rules import FORMS
from workbench.cli.exits import ExitCode
from workbench.cli.output import note, print_json
from workbench.cli.search import EncoderSpec, Json
from workbench.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

    from workbench.calibration import Study
    from workbench.calibration.groups import GroupFigures
    from workbench.cutoffs import Cutoff
    from workbench.encoders import Encoder

__all__ = [
    "ClusterColumn",
    "ColumnNames",
    "PairsPath",
    "PositiveWords",
    "Prevalence",
    "WeightColumn",
    "calibrate",
    "column_names",
    "read_scored",
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
    typer.Option("--positive", metavar="WORD", help="Label that means a match, such as 'Good Fit'."),
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


def calibrate(
    pairs: PairsPath,
    encoder: EncoderSpec = None,
    target_precision: Annotated[
        float | None,
        typer.Option(
            metavar="SHARE",
            help="Of the pairs above the cutoff, at least this share shall be matches.",
            show_default="0.893, and 0.06 missed, if neither target nor rule is given",
        ),
    ] = None,
    target_missed: Annotated[
        float | None,
        typer.Option(
            metavar="SHARE", help="Of the pairs at or below it, at most this share shall be matches."
        ),
    ] = None,
    choose_by: Annotated[
        str | None,
        typer.Option(metavar="RULE", help=f"Choose by a rule instead, without a guarantee: {FORMS}."),
    ] = None,
    confidence: Annotated[float, typer.Option(metavar="SHARE", help="Of guarantees and intervals.")] = 0.95,
    current_cutoff: Annotated[
        str | None,
        typer.Option(
            metavar="NUMBER|CARD|none",
            help="The cutoff in use, which is tested first.",
            show_default="the encoder's card in labeled_pairs/cutoffs, else 0.4",
        ),
    ] = None,
    prevalence: Prevalence = None,
    live: Annotated[
        Path | None,
        typer.Option(
            metavar="PAIRS",
            help="Pairs as they come in, without labels: figures are weighted to scores like theirs.",
        ),
    ] = None,
    cluster: ClusterColumn = None,
    weights: WeightColumn = None,
    groups: Annotated[
        str | None,
        typer.Option(
            metavar="COLUMNS", help="Also compare groups at the cutoff, such as job_family,language."
        ),
    ] = None,
    held_out: Annotated[
        float | None,
        typer.Option(metavar="SHARE", help="Also choose on the rest, and report figures on this share."),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", metavar="CARD.json", help="Write the cutoff card to this file."),
    ] = None,
    report: Annotated[bool, typer.Option(help="Write an HTML report beside the card.")] = True,
    report_texts: Annotated[
        bool, typer.Option(help="List pairs with their texts, which may be personal, in the report.")
    ] = True,
    allow_unproven: Annotated[
        bool,
        typer.Option(
            "--allow-unproven",
            help="Take the cutoff that merely looks as if it met the target where none can be guaranteed; "
            "the card says so.",
        ),
    ] = False,
    column: ColumnNames = None,
    positive: PositiveWords = None,
    seed: Annotated[int, typer.Option(help="Of resampling.")] = 0,
    as_json: Json = False,
) -> None:
    """Find a cutoff for an encoder on labelled PAIRS, and say how sure it is.

    Today's cutoff is tested first, as it stands. Then the smallest cutoff is looked for that reaches the
    target with the confidence asked for.

    Exit code 0 if there is such a cutoff, 1 if these labels show none (then CARD.json is not written, but
    the report is).
    """
    from workbench.calibration import calibrate as run_study
    from workbench.calibration.observations import AUTO
    from workbench.calibration.study_groups import with_groups
    from workbench.cli.calibration_rules import rule_from_text
    from workbench.cli.calibration_tables import print_study, study_entry
    from workbench.encoders import load_encoder

    if out is not None and out.suffix != ".json":
        raise InputError(f"--out is {str(out)!r}; a cutoff card is a .json file.")
    if live is not None and prevalence is not None:
        raise InputError("Give --prevalence or --live: live pairs imply a prevalence.")
    rule = None if choose_by is None else rule_from_text(choose_by)
    loaded = load_encoder(encoder)
    current = _current_cutoff(current_cutoff, loaded)
    scored = read_scored(pairs, loaded, column, positive)
    live_scores = None
    if live is not None:
        live_scores = read_scored(live, loaded, column, positive, labelled=False)["score"]
    study = run_study(
        scored,
        target_precision=target_precision,
        target_missed=target_missed,
        rule=rule,
        confidence=confidence,
        current_cutoff=current,
        prevalence=prevalence,
        live_scores=live_scores,
        cluster=cluster or AUTO,
        weight=weights or AUTO,
        held_out=held_out,
        seed=seed,
        encoder=loaded,
    )
    compared = _groups(study, groups, cluster, weights)
    if compared:
        study = with_groups(study, compared)
    does_it = study.basis == "guarantee" or (study.basis == "rule" and (rule is not None or allow_unproven))
    written = _written(study, compared, out, with_card=does_it, with_report=report, texts=report_texts)
    if as_json:
        print_json(study_entry(study, found=does_it, files=written))
    else:
        print_study(study, groups=compared, files=written)
        if not does_it:
            note(_why_not(study, out))
    if not does_it:
        raise typer.Exit(ExitCode.NO)


def read_scored(
    path: Path,
    encoder: Encoder,
    column: list[str] | None = None,
    positive: list[str] | None = None,
    *,
    labelled: bool = True,
) -> pd.DataFrame:
    """Pairs of a file or folder with their scores, encoding with a progress bar.

    Raises
    ------
    InputError
        If the pairs cannot be read.
    """
    from workbench.pairs import read_pairs, score_pairs

    pairs = read_pairs(path, columns=column_names(column), positive=positive, labelled=labelled)
    return score_pairs(pairs, encoder)


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
        raise InputError(f"--column is {text!r}; write OURS=THEIRS, such as jd=job_description.")
    return ours, theirs


def _current_cutoff(text: str | None, encoder: Encoder) -> float | Cutoff | None:
    from workbench.retrieval import resolve_cutoff

    if text is not None and text.lower() == "none":
        return None
    with warnings.catch_warnings():
        # That 0.4 was never calibrated for this encoder is what is about to be found out.
        warnings.simplefilter("ignore")
        if text is None:
            return resolve_cutoff(None, encoder)
        try:
            return resolve_cutoff(float(text), encoder)
        except ValueError as error:
            if isinstance(error, InputError):
                raise
        if not Path(text).exists():
            raise InputError(
                f"--current-cutoff is {text!r}; it is a number from -1 to 1, "
                "the file of a cutoff card, or none."
            )
        return resolve_cutoff(Path(text), encoder)


def _groups(
    study: Study, columns: str | None, cluster: str | None, weights: str | None
) -> list[GroupFigures]:
    from workbench.calibration.observations import AUTO
    from workbench.calibration.study_groups import groups_of

    names = [name.strip() for name in (columns or "").split(",") if name.strip()]
    return groups_of(study, names, weight=weights or AUTO, cluster=cluster or AUTO) if names else []


def _written(
    study: Study,
    groups: list[GroupFigures],
    out: Path | None,
    *,
    with_card: bool,
    with_report: bool,
    texts: bool,
) -> dict[str, Path | None]:
    files: dict[str, Path | None] = {"card": None, "report": None}
    if out is None:
        return files
    if with_card:
        files["card"] = study.save(out)
    if with_report:
        from workbench.reports import write_study_report

        files["report"] = write_study_report(study, out.with_suffix(".html"), groups=groups, texts=texts)
    return files


def _why_not(study: Study, out: Path | None) -> str:
    from workbench.calibration.wording import number

    unwritten = "" if out is None else f" {out} was not written."
    if study.basis == "rule":
        at = number(study.cutoff.value)
        return f"No cutoff is guaranteed.{unwritten} --allow-unproven takes {at} all the same."
    return f"No cutoff does what was asked for.{unwritten}"
