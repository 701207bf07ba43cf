"""The cards that the package brings, measured anew: ``make cards``.

One for each encoder whose weights come with the package, on the everyday pairs of the demonstration set, all
at one target; why 0.80 is in ``docs/decisions/0009-a-card-for-each-embedded-encoder.md``.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from workbench.calibration import Study, calibrate
from workbench.cutoffs import SHIPPED, Cutoff
from workbench.encoders import load_encoder
from workbench.pairs import read_pairs, score_pairs

EMBEDDED = ("use", "keyword")
PAIRS = Path(__file__).parents[1] / "labeled_pairs" / "demo"
TARGET = 0.80
CONFIDENCE = 0.95
# For whoever opens the file; what people are shown is said by the card, in their language.
NOTE = (
    "Demonstration pairs, everyday ones, labelled by a language model; not your data. With {confidence:.0%} "
    "confidence at least {target:.0%} of pairs above the cutoff are matches where {share:.1%} of all are."
)


def measured(name: str) -> Study:
    """What the demonstration's everyday pairs say of an encoder."""
    encoder = load_encoder(name, store=False)
    scored = score_pairs(read_pairs(PAIRS), encoder, progress=False)
    return calibrate(
        scored, target_precision=TARGET, confidence=CONFIDENCE, current_cutoff=None, encoder=encoder
    )


def card_of(study: Study) -> Cutoff:
    """The study's card, marked as the demonstration's."""
    if study.advice.cutoff is None:
        raise SystemExit(f"{study.cutoff.evidence['encoder']}: {study.advice.sentence()}")
    note = NOTE.format(target=TARGET, confidence=CONFIDENCE, share=study.observations.prevalence)
    return replace(study.cutoff, evidence={**study.cutoff.evidence, "demonstration": note})


def main() -> None:
    """Write a card for each embedded encoder, and say what is on it."""
    for name in EMBEDDED:
        card = card_of(measured(name))
        print(card.save(SHIPPED / f"{name}.json").relative_to(Path.cwd()))
        print(f"  {card.origin()} {card.holds_for()}")


if __name__ == "__main__":
    main()
