"""``workbench check``: does a card still hold on new pairs?"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from workbench.cli.options import (
    ColumnNames,
    EncoderSpec,
    Json,
    NegativeWords,
    PairsPath,
    PositiveWords,
    Prevalence,
    ScorerSpec,
    load_asked,
    read_scored,
)
from workbench.cli.output import note, print_json, print_signed
from workbench.cli.running import ExitCode
from workbench.i18n import gettext as _

SIGNS = {True: ("✓", "green"), False: ("✗", "red"), None: ("○", "yellow")}


def check(
    card: Annotated[Path, typer.Argument(metavar="CARD", help="File of a cutoff card.")],
    pairs: PairsPath,
    encoder: EncoderSpec = None,
    scorer: ScorerSpec = None,
    target_precision: Annotated[
        float | None,
        typer.Option(metavar="SHARE", help="Test this precision.", show_default="what the card promises"),
    ] = None,
    target_missed: Annotated[
        float | None,
        typer.Option(metavar="SHARE", help="Test this missed share.", show_default="what the card promises"),
    ] = None,
    confidence: Annotated[float, typer.Option(metavar="SHARE", help="Of the check.")] = 0.95,
    prevalence: Prevalence = None,
    unlabelled: Annotated[
        bool,
        typer.Option(
            "--unlabelled",
            help="PAIRS has no labels: see whether scores have moved, and what they let one expect.",
        ),
    ] = False,
    sequential: Annotated[
        bool,
        typer.Option(
            "--sequential",
            help="For a check that is made again whenever labels come in: PAIRS holds all since the card.",
        ),
    ] = False,
    time: Annotated[
        str | None,
        typer.Option(
            "--time", metavar="COLUMN", help="When each pair came, for --sequential; such as 2026-03-31."
        ),
    ] = None,
    most_per_jd: Annotated[
        int | None,
        typer.Option(
            "--most-per-jd",
            metavar="N",
            help="For so many pairs a JD counts at most, with --sequential.",
            show_default="twice the most that a JD had among the card's pairs",
        ),
    ] = None,
    require_proof: Annotated[
        bool, typer.Option("--require-proof", help="End with 1, not 3, where these pairs cannot tell.")
    ] = False,
    column: ColumnNames = None,
    positive: PositiveWords = None,
    negative: NegativeWords = None,
    as_json: Json = False,
) -> None:
    """See whether the cutoff of CARD still keeps its promises on new PAIRS.

    Labelled pairs test its precision and missed share; the scores of all are compared with those that the
    card was made from. PAIRS may be a decision log: its scores are taken as they are, what people decided as
    labels, and 'at' as --time.

    Exit code 0 if it holds, 1 if it no longer holds, with the reason, 3 if these pairs cannot tell (1 with
    --require-proof).
    """
    from workbench.calibration.monitoring import check as check_card
    from workbench.cutoffs import Cutoff
    from workbench.decision_log import DecisionLog
    from workbench.scorers import encoder_or_scorer, scorer_of

    cutoff = Cutoff.load(card)
    if DecisionLog.is_log(pairs):
        scored = DecisionLog(pairs).pairs(cutoff)
        if unlabelled:
            scored = scored.drop(columns="label")
        time = "at" if sequential and time is None else time
        note(_("A log has the pairs that were shown: what is found holds for such pairs, not for all."))
    else:
        is_named = encoder is not None or scorer is not None
        # Refuses another one before hours of encoding, not after.
        loaded = encoder_or_scorer(scorer_of(cutoff, load_asked(encoder, scorer) if is_named else None))
        scored = read_scored(pairs, loaded, column, positive, negative, labelled=not unlabelled)
    found = check_card(
        cutoff,
        scored,
        target_precision=target_precision,
        target_missed=target_missed,
        sequential=sequential,
        time=time,
        most_per_jd=most_per_jd,
        confidence=confidence,
        prevalence=prevalence,
    )
    if as_json:
        print_json({"card": str(card), "pairs": str(pairs), **found.to_dict()})
    else:
        others = [("", "", sentence) for sentence in found.reasons]
        print_signed([(*SIGNS[found.holds], found.answer), *others])
    if found.holds is None and not as_json:
        note(_("That is no proof that it holds."))
    raise typer.Exit(_exit_code(found.holds, require_proof))


def _exit_code(holds: bool | None, require_proof: bool) -> ExitCode:
    if holds is None and not require_proof:
        return ExitCode.CANNOT_TELL
    return ExitCode.FINE if holds else ExitCode.NO
