"""Which encoders ``workbench compare`` compares: specs, each also cut to dimensions, with other instructions
or in other precisions; and the scores of each, one model in memory at a time.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from workbench.cli.output import encoder_entry, note
from workbench.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

    from workbench.encoders import Encoder

__all__ = ["Asked", "Scored", "score_variants"]

KEYWORD = "keyword"
LONGEST = 24


@dataclass(frozen=True)
class Asked:
    """What the command line asks for."""

    specs: Sequence[str | None]
    dimensions: Sequence[int] = ()
    instructions: Sequence[str] = ()
    dtypes: Sequence[str] = ()
    timing: bool = True


@dataclass(frozen=True)
class Scored:
    """Pairs scored by one variant."""

    name: str
    frame: pd.DataFrame
    entry: dict[str, Any]
    milliseconds: float | None


def score_variants(pairs: pd.DataFrame, asked: Asked) -> list[Scored]:
    """Score the pairs with all variants, the keyword baseline last if it was not asked for.

    Raises
    ------
    InputError
        If nothing takes an option that was given, or a dimension is larger than all encoders have.
    """
    found: list[Scored] = []
    taken: set[str] = set()
    cut: set[int] = set()

    def add(spec: str | None) -> None:
        for encoder, what in _variants(spec, asked, taken):
            for scored in _scored(pairs, encoder, what, asked):
                if encoder.name != KEYWORD:
                    cut.add(scored.entry["dimension"])
                found.append(_named_once(scored, found))

    for spec in asked.specs:
        add(spec)
    if all(each.name != KEYWORD for each in found):
        add(KEYWORD)
    for option, given in (("instruction", asked.instructions), ("dtype", asked.dtypes)):
        if given and option not in taken:
            raise InputError(f"--{option} was given, but none of these encoders takes one.")
    if missing := [each for each in asked.dimensions if each not in cut]:
        raise InputError(f"--dimension {missing[0]}: none of these encoders has so many dimensions.")
    return found


def _variants(spec: str | None, asked: Asked, taken: set[str]) -> Iterator[tuple[Encoder, str]]:
    """The encoder as it is, then with each other instruction, then in each other precision."""
    from workbench.encoders import load_encoder

    encoder = load_encoder(spec)
    takes = inspect.signature(type(getattr(encoder, "encoder", encoder))).parameters
    yield encoder, ""
    del encoder
    for option, values in (("instruction", asked.instructions), ("dtype", asked.dtypes)):
        if option not in takes:
            continue
        taken.add(option)
        for value in values:
            is_none = option == "instruction" and value.lower() == "none"
            options: dict[str, Any] = {option: None if is_none else value}
            said = "no instruction" if is_none else value if option == "dtype" else f"“{_short(value)}”"
            yield load_encoder(spec, **options), f", {said}"


def _scored(pairs: pd.DataFrame, encoder: Encoder, what: str, asked: Asked) -> Iterator[Scored]:
    from workbench.calibration.cut_dimensions import cut_cosines
    from workbench.encoders import milliseconds_a_text
    from workbench.pairs import pair_vectors, score_pairs

    # First, while no text of theirs is in any cache.
    cost = (
        milliseconds_a_text(encoder, pairs["jd"].tolist(), pairs["resume"].tolist()) if asked.timing else None
    )
    entry = encoder_entry(encoder)
    yield Scored(f"{encoder.name}{what}", score_pairs(pairs, encoder), entry, cost)
    dimensions = [each for each in dict.fromkeys(asked.dimensions) if each < encoder.dimension]
    if wrong := [each for each in dimensions if each < 1]:
        raise InputError(f"--dimension is {wrong[0]}; it is a number of dimensions, such as 512.")
    if not dimensions or encoder.name == KEYWORD:
        return
    if "dimension" not in inspect.signature(type(getattr(encoder, "encoder", encoder))).parameters:
        note(f"{encoder.name} was not made to be cut to fewer dimensions; expect it to lose by it.")
    jds, resumes = pair_vectors(pairs, encoder)
    for dimension in dimensions:
        frame = pairs.assign(score=cut_cosines(jds, resumes, dimension))
        # The fingerprint is that of all dimensions, so that it would be wrong here.
        changed = {**entry, "dimension": dimension, "fingerprint": None}
        yield Scored(f"{encoder.name}{what}@{dimension}", frame, changed, cost)


def _named_once(scored: Scored, found: Sequence[Scored]) -> Scored:
    """Two checkpoints may have folders of one name."""
    fingerprint = scored.entry["fingerprint"]
    if fingerprint is not None and any(each.entry["fingerprint"] == fingerprint for each in found):
        raise InputError(f"{scored.name} was given twice; nothing is learnt from comparing it with itself.")
    names = [each.name for each in found]
    if scored.name not in names:
        return scored
    same = sum(name == scored.name or name.startswith(f"{scored.name} [") for name in names)
    return replace(scored, name=f"{scored.name} [{same + 1}]")


def _short(text: str) -> str:
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"
