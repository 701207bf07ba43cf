"""``workbench compare``: is one encoder worth it over another, on the same labelled pairs?

Encoders are compared as they are, and also cut to dimensions, with other instructions or in other precisions;
one model is in memory at a time.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from workbench.cli.options import (
    FORMS,
    ClusterColumn,
    ColumnNames,
    Json,
    NegativeWords,
    PairsPath,
    PositiveWords,
    Prevalence,
    Seed,
    WeightColumn,
    column_names,
    rule_from_text,
)
from workbench.cli.output import (
    encoder_entry,
    note,
    print_json,
    print_signed,
    say,
    stdout_console,
    wrapped,
)
from workbench.errors import InputError
from workbench.i18n import gettext as _
from workbench.i18n import listed
from workbench.results import plain

if TYPE_CHECKING:
    import pandas as pd

    from workbench.calibration import Comparison
    from workbench.encoders import Encoder

__all__ = ["compare"]

KEYWORD = "keyword"
LONGEST = 24
SIGNS = {
    "better": ("▲", "green"),
    "worse": ("▼", "red"),
    "as good": ("=", "green"),
    "no worse": ("≥", "green"),
    "unclear": ("○", "yellow"),
}


def compare(
    pairs: PairsPath,
    encoder: Annotated[
        list[str] | None,
        typer.Option(
            "--encoder",
            "-e",
            metavar="SPEC",
            help="Give it once for each encoder, the one that the others are compared with first; "
            "'workbench doctor' says which can be loaded here. The keyword baseline is always added.",
            show_default="auto",
        ),
    ] = None,
    dimension: Annotated[
        list[int] | None,
        typer.Option(
            "--dimension", "-d", metavar="N", help="Also cut vectors to their first N numbers; repeatable."
        ),
    ] = None,
    instruction: Annotated[
        list[str] | None,
        typer.Option(
            "--instruction",
            metavar="TEXT|none",
            help="Also try encoders that take one with this instruction; repeatable.",
        ),
    ] = None,
    dtype: Annotated[
        list[str] | None,
        typer.Option(
            "--dtype",
            metavar="NAME",
            help="Also try encoders that take one in this precision, such as float32; repeatable.",
        ),
    ] = None,
    target_precision: Annotated[
        float | None,
        typer.Option(
            metavar="SHARE",
            help="Give each encoder the smallest cutoff with this precision.",
            show_default="the cutoff with the highest F1",
        ),
    ] = None,
    choose_by: Annotated[
        str | None, typer.Option(metavar="RULE", help=f"Choose each cutoff by a rule: {FORMS}.")
    ] = None,
    at_recall: Annotated[
        float, typer.Option(metavar="SHARE", help="Compare precisions at this recall.")
    ] = 0.8,
    margin: Annotated[
        float, typer.Option(metavar="NUMBER", help="A difference in AUC that does not matter.")
    ] = 0.01,
    prevalence: Prevalence = None,
    confidence: Annotated[float, typer.Option(metavar="SHARE", help="Of intervals.")] = 0.95,
    cluster: ClusterColumn = None,
    weights: WeightColumn = None,
    groups: Annotated[
        str | None,
        typer.Option(
            metavar="COLUMNS", help="Also compare within groups, such as language.", show_default="source"
        ),
    ] = None,
    timing: Annotated[
        bool, typer.Option(help="Measure what a text costs, without the embedding store.")
    ] = True,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            "-o",
            metavar="REPORT.html|FIGURES.csv",
            help="Write a report or the figures to this file.",
        ),
    ] = None,
    column: ColumnNames = None,
    positive: PositiveWords = None,
    negative: NegativeWords = None,
    seed: Seed = 0,
    as_json: Json = False,
) -> None:
    """Compare encoders on labelled PAIRS: each at its own cutoff, with intervals, flips and cost.

    Answers "is the larger model worth it", "do 512 dimensions suffice" (--dimension 512) and "does another
    precision change decisions" (--dtype): the sentence first, then the table.
    """
    from workbench.calibration import compare_by, compare_scored
    from workbench.calibration.observations import AUTO
    from workbench.pairs import read_pairs

    if out is not None and out.suffix.lower() not in (".html", ".csv"):
        raise InputError(
            _("--out is {file}; a report is an .html file, figures are a .csv file.").format(
                file=repr(str(out))
            )
        )
    rule = None if choose_by is None else rule_from_text(choose_by)
    labelled = read_pairs(pairs, columns=column_names(column), positive=positive, negative=negative)
    by = _group_columns(groups, labelled)
    asked = Asked(encoder or [None], dimension or [], instruction or [], dtype or [], timing)
    variants = _score_variants(labelled, asked)
    scored = {each.name: each.frame for each in variants}
    found = compare_scored(
        scored,
        cluster=cluster or AUTO,
        weight=weights or AUTO,
        target_precision=target_precision,
        rule=rule,
        at_recall=at_recall,
        margin=margin,
        prevalence=prevalence,
        confidence=confidence,
        milliseconds={each.name: each.milliseconds for each in variants if each.milliseconds is not None},
        seed=seed,
    )
    grouped = {
        name: compare_by(
            scored, name, cluster=cluster or AUTO, weight=weights or AUTO, confidence=confidence, seed=seed
        )
        for name in by
    }
    if out is not None:
        _write(found, scored, grouped, out, prevalence, weights or AUTO)
    if as_json:
        print_json(_entry(found, variants, grouped, pairs, out))
        return
    _print(found, grouped)
    if out is not None:
        say(f"\n{_('report') if out.suffix.lower() == '.html' else _('figures')}: {out}")


def _group_columns(text: str | None, pairs: pd.DataFrame) -> list[str]:
    """Columns that name groups; by default where pairs came from, where they came from several places."""
    if text is None:
        return ["source"] if "source" in pairs.columns and len(pairs["source"].unique()) > 1 else []
    names = [name.strip() for name in text.split(",") if name.strip() and name.strip().lower() != "none"]
    for name in names:
        # Before hours of encoding, not after.
        if name not in pairs.columns:
            raise InputError(
                _("The pairs have no column {name} (they have {columns}).").format(
                    name=repr(name), columns=listed(pairs.columns)
                )
            )
    return names


def _print(found: Comparison, grouped: dict[str, pd.DataFrame]) -> None:
    from workbench.cli.tables import figures_table, groups_rows

    console = stdout_console()
    others = [name for name in found.encoders if name != found.baseline]
    print_signed((*SIGNS[found.standing(name)], found.sentence(name)) for name in others)
    console.print(figures_table(found, console.width))
    for column, frame in grouped.items():
        console.print(groups_rows(frame, column, console.width))
    console.print(wrapped(found.method(), console.width))


def _write(
    found: Comparison,
    scored: dict[str, pd.DataFrame],
    grouped: dict[str, pd.DataFrame],
    out: Path,
    prevalence: float | None,
    weight: str,
) -> None:
    from workbench.calibration import Observations, sweep
    from workbench.files.exporting import export_frame
    from workbench.reports import write_comparison_report

    if out.suffix.lower() == ".csv":
        table = found.frame.assign(cutoff=found.frame["encoder"].map(found.cutoffs))
        table["milliseconds"] = table["encoder"].map(dict(found.milliseconds))
        export_frame(table, out)
        return
    sweeps = {}
    for name, frame in scored.items():
        pairs = Observations.from_frame(frame, weight=weight)
        sweeps[name] = sweep(pairs.scores, pairs.labels, weights=pairs.weights, prevalence=prevalence)
    write_comparison_report(found, out, sweeps=sweeps, groups=grouped)


def _entry(
    found: Comparison,
    variants: list[Scored],
    grouped: dict[str, pd.DataFrame],
    pairs: Path,
    out: Path | None,
) -> dict[str, Any]:
    return {
        "pairs": str(pairs),
        "sentences": {name: found.sentence(name) for name in found.encoders if name != found.baseline},
        "encoders": {each.name: each.entry for each in variants},
        **found.to_dict(),
        "groups": {name: plain(frame) for name, frame in grouped.items()},
        "file": None if out is None else str(out),
    }


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


def _score_variants(pairs: pd.DataFrame, asked: Asked) -> list[Scored]:
    """Score the pairs with all variants, the keyword baseline last if it was not asked for."""
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
            raise InputError(
                _("--{option} was given, but none of these encoders takes one.").format(option=option)
            )
    if missing := [each for each in asked.dimensions if each not in cut]:
        raise InputError(
            _("--dimension {n}: none of these encoders has so many dimensions.").format(n=missing[0])
        )
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


def _named_once(scored: Scored, found: Sequence[Scored]) -> Scored:
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
