"""``workbench calibrate``: from labelled pairs to a card and a report."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from workbench.cli.options import (
    FORMS,
    ClusterColumn,
    ColumnNames,
    EncoderSpec,
    Json,
    KindOfPairs,
    NegativeWords,
    PairsPath,
    PositiveWords,
    Prevalence,
    ScorerSpec,
    Seed,
    WeightColumn,
    column_names,
    load_asked,
    read_scored,
    rule_from_text,
)
from workbench.cli.output import note, print_json
from workbench.cli.running import ExitCode
from workbench.errors import InputError
from workbench.i18n import gettext as _
from workbench.results import plain

if TYPE_CHECKING:
    from workbench.calibration import Study
    from workbench.calibration.groups import GroupFigures
    from workbench.cutoffs import Cutoff
    from workbench.encoders import Encoder
    from workbench.scorers import Scorer


def calibrate(
    pairs: PairsPath,
    encoder: EncoderSpec = None,
    scorer: ScorerSpec = None,
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
    kind: KindOfPairs = "everyday",
    confidence: Annotated[float, typer.Option(metavar="SHARE", help="Of guarantees and intervals.")] = 0.95,
    current_cutoff: Annotated[
        str | None,
        typer.Option(
            metavar="NUMBER|CARD|none",
            help="The cutoff in use, which is tested first.",
            show_default="the card in labeled_pairs/cutoffs, else 0.4 of an encoder, none of another scorer",
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
    label_error: Annotated[
        str | None,
        typer.Option(
            metavar="SHARE|A,B|annotators",
            help="Up to this share of labels may be wrong (of non-matches labelled a match, of matches that "
            "are not), as you say, or as the pairs show that two people labelled.",
            show_default="none: a match is what is labelled one",
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
            help="Where none can be guaranteed, take the cutoff that merely looks as if it met the target; "
            "the card says so.",
        ),
    ] = False,
    evidence: Annotated[
        bool, typer.Option("--evidence", help="Also print all that the advice rests on.")
    ] = False,
    column: ColumnNames = None,
    positive: PositiveWords = None,
    negative: NegativeWords = None,
    seed: Seed = 0,
    as_json: Json = False,
) -> None:
    """Find a cutoff for an encoder or a scorer on labelled PAIRS, and say how sure it is.

    Today's cutoff is tested first, as it stands, and kept where it meets what is asked for. Else the smallest
    cutoff is looked for that does, with the confidence asked for; with two targets, one that meets both, or
    two cutoffs with people reading in between.

    A Parquet file, or a folder of some, of scores without texts (--scorer column:NAME) may hold millions.

    Exit code 0 if there is a cutoff to adopt, 1 if these labels show none (then CARD.json is not written, but
    the report is).
    """
    from workbench.calibration import calibrate as run_study
    from workbench.calibration.observations import AUTO
    from workbench.calibration.scored_files import is_scores_alone, read_scores
    from workbench.cli.tables import print_study, study_entry
    from workbench.frozen import arrays_in
    from workbench.language_offsets import with_language_offsets
    from workbench.pairs import score_pairs
    from workbench.scorers import load_scorer

    if out is not None and out.suffix != ".json":
        raise InputError(_("--out is {file}; a cutoff card is a .json file.").format(file=repr(str(out))))
    if live is not None and prevalence is not None:
        raise InputError(_("Give --prevalence or --live: live pairs imply a prevalence."))
    rule = None if choose_by is None else rule_from_text(choose_by)
    loaded = load_asked(encoder, scorer)
    current = _current_cutoff(current_cutoff, loaded)
    compared_by = [name.strip() for name in (groups or "").split(",") if name.strip()]
    names = {"label": "label", "resume": "resume", **(column_names(column) or {})}
    score_column = getattr(loaded, "column", None)
    if score_column is not None and is_scores_alone(pairs, names["resume"]):
        read_as = {"label": names["label"], "cluster": cluster or AUTO, "weight": weights or AUTO}
        scored = read_scores(pairs, score=score_column, **read_as, also=compared_by)
        scored = score_pairs(scored.rename(columns={names["label"]: "label"}), loaded)
    else:
        scored = read_scored(pairs, loaded, column, positive, negative)
    live_scores = None
    if live is not None:
        if frozen := scored.attrs["encoder"].get("frozen"):
            loaded = load_scorer(loaded, state=arrays_in(frozen))
        live_scores = read_scored(live, loaded, column, positive, negative, labelled=False)["score"]
    languages = None
    if {"jd", "resume"} <= set(scored.columns):
        offered, languages = with_language_offsets(scored, kind=kind, confidence=confidence)
        # Of an encoder it is only said: search goes by its plain cosine.
        if scorer is not None and not scorer.startswith("column:"):
            scored = offered
    ask = partial(
        run_study,
        scored,
        pairs=kind,
        confidence=confidence,
        current_cutoff=current,
        prevalence=prevalence,
        live_scores=live_scores,
        label_error=_label_error(label_error),
        cluster=cluster or AUTO,
        weight=weights or AUTO,
        held_out=held_out,
        seed=seed,
    )
    study = ask(target_precision=target_precision, target_missed=target_missed, rule=rule)
    if allow_unproven and study.advice.cutoff is None:
        study = ask(rule=study.rule)
    compared = study.by_group(compared_by)
    if compared:
        study = study.with_groups(compared)
    written = _written(study, compared, out, with_report=report, texts=report_texts)
    if as_json:
        said = languages and {
            "sentence": languages.sentence(),
            "p_value": languages.p_value,
            "offsets": languages.offsets,
        }
        print_json({**study_entry(study, files=written), "languages": plain(said)})
    else:
        print_study(study, groups=compared, files=written, evidence=evidence)
        if languages is not None and len(languages.n) > 1:
            note(languages.sentence())
        if out is not None and written["card"] is None:
            note(study.no_card())
    if study.advice.cutoff is None:
        raise typer.Exit(ExitCode.NO)


def _label_error(text: str | None) -> float | Sequence[float] | Literal["annotators"] | None:
    if text is None:
        return None
    if text == "annotators":
        return "annotators"
    try:
        shares = [float(part) for part in text.split(",")]
    except ValueError:
        raise InputError(
            _(
                "--label-error is {text}; it is a share such as 0.02, two such as 0.02,0.05, or annotators."
            ).format(text=repr(text))
        ) from None
    return shares[0] if len(shares) == 1 else shares


def _current_cutoff(text: str | None, encoder: Encoder | Scorer) -> float | Cutoff | None:
    from workbench.retrieval import resolve_cutoff
    from workbench.scorers import Scorer

    if text is not None and text.lower() == "none":
        return None
    # That 0.4 was never calibrated for this encoder is what is about to be found out.
    with warnings.catch_warnings(action="ignore"):
        if text is None:
            # Not one that came with the workbench: it was chosen on pairs that may be these.
            found = resolve_cutoff(None, encoder, shipped=False)
            # 0.4 is said of cosines.
            return found if found.is_calibrated or not isinstance(encoder, Scorer) else None
        try:
            return resolve_cutoff(float(text), encoder)
        except ValueError as error:
            if isinstance(error, InputError):
                raise
        if not Path(text).exists():
            raise InputError(
                _(
                    "--current-cutoff is {text}; it is a number from -1 to 1, the file of a cutoff card, or "
                    "none."
                ).format(text=repr(text))
            )
        return resolve_cutoff(Path(text), encoder)


def _written(
    study: Study,
    groups: list[GroupFigures],
    out: Path | None,
    *,
    with_report: bool,
    texts: bool,
) -> dict[str, Path | None]:
    files: dict[str, Path | None] = {"card": None, "report": None}
    if out is None:
        return files
    if study.advice.cutoff is not None:
        files["card"] = study.save(out)
    if with_report:
        from workbench.reports import write_study_report

        files["report"] = write_study_report(study, out.with_suffix(".html"), groups=groups, texts=texts)
    return files
