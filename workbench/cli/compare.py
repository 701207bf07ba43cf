"""``workbench compare``: is one encoder worth it over another, on the same labelled pairs?"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from workbench.cli.calibration import (
    ClusterColumn,
    ColumnNames,
    PairsPath,
    PositiveWords,
    Prevalence,
    WeightColumn,
    column_names,
)
from workbench.cli.calibration_rules import FORMS
from workbench.cli.output import print_json, say, stdout_console, wrapped
from workbench.cli.search import Json
from workbench.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

    from workbench.calibration import Comparison
    from workbench.cli.compare_variants import Scored

__all__ = ["compare"]

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
    seed: Annotated[int, typer.Option(help="Of resampling.")] = 0,
    as_json: Json = False,
) -> None:
    """Compare encoders on labelled PAIRS: each at its own cutoff, with intervals, flips and cost.

    Answers "is the larger model worth it", "do 512 dimensions suffice" (--dimension 512) and "does another
    precision change decisions" (--dtype): the sentence first, then the table.
    """
    from workbench.calibration import compare_by, compare_scored
    from workbench.calibration.observations import AUTO
    from workbench.cli.calibration_rules import rule_from_text
    from workbench.cli.compare_variants import Asked, score_variants
    from workbench.pairs import read_pairs

    if out is not None and out.suffix.lower() not in (".html", ".csv"):
        raise InputError(f"--out is {str(out)!r}; a report is an .html file, figures are a .csv file.")
    rule = None if choose_by is None else rule_from_text(choose_by)
    labelled = read_pairs(pairs, columns=column_names(column), positive=positive)
    by = _group_columns(groups, labelled)
    asked = Asked(encoder or [None], dimension or [], instruction or [], dtype or [], timing)
    variants = score_variants(labelled, asked)
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
        say(f"\n{'report' if out.suffix.lower() == '.html' else 'figures'}: {out}")


def _group_columns(text: str | None, pairs: pd.DataFrame) -> list[str]:
    """Columns that name groups; by default where pairs came from, where they came from several places."""
    if text is None:
        return ["source"] if "source" in pairs.columns and len(pairs["source"].unique()) > 1 else []
    names = [name.strip() for name in text.split(",") if name.strip() and name.strip().lower() != "none"]
    for name in names:
        # Before hours of encoding, not after.
        if name not in pairs.columns:
            raise InputError(f"The pairs have no column {name!r} (they have {', '.join(pairs.columns)}).")
    return names


def _print(found: Comparison, grouped: dict[str, pd.DataFrame]) -> None:
    from rich.table import Table
    from rich.text import Text

    from workbench.cli.compare_tables import figures_table, groups_rows

    console = stdout_console()
    lines = Table.grid(padding=(0, 1))
    for name in found.encoders:
        if name != found.baseline:
            sign, colour = SIGNS[found.standing(name)]
            lines.add_row(
                Text(sign, style=f"bold {colour}"),
                wrapped(found.sentence(name), console.width - 2),
                style="bold",
            )
    console.print(lines)
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
    from workbench.results import plain

    return {
        "pairs": str(pairs),
        "sentences": {name: found.sentence(name) for name in found.encoders if name != found.baseline},
        "encoders": {each.name: each.entry for each in variants},
        **found.to_dict(),
        "groups": {name: plain(frame.to_dict("records")) for name, frame in grouped.items()},
        "file": None if out is None else str(out),
    }
