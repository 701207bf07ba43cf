"""What ``workbench compare`` compares: encoders as they are, cut, instructed or rounded otherwise.

One model is in memory at a time.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from workbench.cli.output import encoder_entry, note
from workbench.errors import InputError
from workbench.i18n import gettext as _

if TYPE_CHECKING:
    import pandas as pd

    from workbench.encoders import Encoder

KEYWORD = "keyword"
LONGEST = 24


@dataclass(frozen=True)
class Asked:
    """What the command line asks for."""

    specs: Sequence[str | None]
    scorers: Sequence[str] = ()
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
    """Score the pairs with all variants, the keyword baseline last if it was not asked for."""
    found: list[Scored] = []
    taken: set[str] = set()
    cut: set[int] = set()

    def add(spec: str | None) -> None:
        for encoder, what in _variants(spec, asked, taken):
            for scored in _scored(pairs, encoder, what, asked):
                if encoder.name != KEYWORD:
                    cut.add(scored.entry["dimension"])
                found.append(named_once(scored, found))

    for spec in asked.specs:
        add(spec)
    for spec in asked.scorers:
        found.append(named_once(_scored_by(pairs, spec), found))
    if all(each.name != KEYWORD for each in found):
        add(KEYWORD)
    for option, given in (("instruction", asked.instructions), ("dtype", asked.dtypes)):
        if given and option not in taken:
            raise InputError(
                _("--{option} was given, but none of these encoders takes one.").format(option=option)
            )
    if missing := [each for each in asked.dimensions if each not in cut]:
        raise InputError(
            _("--dimension {n}: none of these encoders has so many dimensions.").format(n=missing[0])
        )
    return found


def _scored_by(pairs: pd.DataFrame, spec: str) -> Scored:
    from workbench.pairs import score_pairs
    from workbench.scorers import encoder_or_scorer, load_scorer

    scored = score_pairs(pairs, encoder_or_scorer(load_scorer(spec)))
    noted = scored.attrs["encoder"]
    entry = {key: noted[key] for key in ("name", "fingerprint", "dimension", "instruction")}
    return Scored(noted["name"], scored, entry, None)


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
            shortened = value if len(value) <= LONGEST else f"{value[: LONGEST - 1]}…"
            said = _("no instruction") if is_none else value if option == "dtype" else f"“{shortened}”"
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
        raise InputError(
            _("--dimension is {n}; it is a number of dimensions, such as 512.").format(n=wrong[0])
        )
    if not dimensions or encoder.name == KEYWORD:
        return
    if "dimension" not in inspect.signature(type(getattr(encoder, "encoder", encoder))).parameters:
        note(
            _("{name} was not made to be cut to fewer dimensions; expect it to lose by it.").format(
                name=encoder.name
            )
        )
    jds, resumes = pair_vectors(pairs, encoder)
    for dimension in dimensions:
        frame = pairs.assign(score=cut_cosines(jds, resumes, dimension))
        # The fingerprint is that of all dimensions, so that it would be wrong here.
        changed = {**entry, "dimension": dimension, "fingerprint": None}
        yield Scored(f"{encoder.name}{what}@{dimension}", frame, changed, cost)


def named_once(scored: Scored, found: Sequence[Scored]) -> Scored:
    """Two checkpoints may have folders of one name."""
    fingerprint = scored.entry["fingerprint"]
    if fingerprint is not None and any(each.entry["fingerprint"] == fingerprint for each in found):
        raise InputError(
            _("{name} was given twice; nothing is learnt from comparing it with itself.").format(
                name=scored.name
            )
        )
    names = [each.name for each in found]
    if scored.name not in names:
        return scored
    same = sum(name == scored.name or name.startswith(f"{scored.name} [") for name in names)
    return replace(scored, name=f"{scored.name} [{same + 1}]")
