"""``workbench prevalence``: the share of matches among live pairs, from their scores, for a card."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from workbench.cli.options import ColumnNames, EncoderSpec, Json, PairsPath, read_scored
from workbench.cli.output import answer, cutoff_entry
from workbench.cli.running import ExitCode


def prevalence(
    card: Annotated[Path, typer.Argument(metavar="CARD", help="File of a cutoff card.")],
    pairs: PairsPath,
    encoder: EncoderSpec = None,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out", "-o", metavar="CARD.json", help="Write the card, to be read at this share, to this file."
        ),
    ] = None,
    confidence: Annotated[float, typer.Option(metavar="SHARE", help="Of the interval.")] = 0.95,
    column: ColumnNames = None,
    as_json: Json = False,
) -> None:
    """Estimate the share of matches among PAIRS, which need no labels, from their scores.

    Right if live matches, and others, score like the labelled ones of CARD; where scores show that they do
    not, it says so.

    Exit code 0 if there is an estimate, 1 if scores contradict it (then CARD.json is not written).
    """
    from workbench.calibration import estimate_prevalence
    from workbench.cutoffs import Cutoff
    from workbench.encoders import load_encoder

    cutoff = Cutoff.load(card)
    loaded = load_encoder(encoder if encoder is not None else cutoff.encoder_name)
    cutoff.check_encoder(loaded.name, loaded.fingerprint)
    scored = read_scored(pairs, loaded, column, labelled=False)
    jds = scored["jd_id" if "jd_id" in scored else "jd"]
    clusters = jds if jds.nunique() > 1 else None
    found = estimate_prevalence(cutoff, scored["score"], clusters=clusters, confidence=confidence)
    if not found.plausible:
        answer(as_json, found.to_dict() | {"plausible": False, "card": None}, found.sentence())
        raise typer.Exit(ExitCode.NO)
    at = found.on(cutoff)
    said = [found.sentence(), at.origin(), at.holds_for() or ""]
    if out is not None:
        said.append(str(at.save(out)))
    entry = found.to_dict() | {"plausible": True, "cutoff": cutoff_entry(at)}
    answer(as_json, entry | {"card": None if out is None else str(out)}, *filter(None, said))
