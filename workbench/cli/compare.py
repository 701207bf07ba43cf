"""``workbench compare``: is one encoder better than another, at the cutoff each would use?

What is compared is in :mod:`workbench.cli.variants`.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from workbench.cli.options import (
    FORMS,
    ClusterColumn,
    ColumnNames,
    Json,
    KindOfPairs,
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
    cells_table,
    note,
    print_json,
    print_signed,
    say,
    stdout_console,
    wrapped,
)
from workbench.cli.variants import Asked, Scored, score_variants
from workbench.errors import InputError
from workbench.i18n import gettext as _
from workbench.i18n import listed, ngettext
from workbench.results import plain

if TYPE_CHECKING:
    import pandas as pd

    from workbench.calibration import Comparison, Rule

SIGNS = {"better": ("▲", "green"), "worse": ("▼", "red"), "unclear": ("○", "yellow")}
# Of more encoders the table says the rest, so that the answer stays within a screen.
MOST_SENTENCES = 4


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
    scorer: Annotated[
        list[str] | None,
        typer.Option(
            "--scorer",
            "-s",
            metavar="SPEC",
            help="Also compare this scorer, such as use+relative or column:score; repeatable.",
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
            help="Compare recall at this precision: each encoder has the smallest cutoff that reaches it.",
            show_default="each at the cutoff with its highest F1",
        ),
    ] = None,
    choose_by: Annotated[
        str | None, typer.Option(metavar="RULE", help=f"Choose each cutoff by a rule: {FORMS}.")
    ] = None,
    kind: KindOfPairs = "everyday",
    prevalence: Prevalence = None,
    confidence: Annotated[float, typer.Option(metavar="SHARE", help="Of intervals.")] = 0.95,
    cluster: ClusterColumn = None,
    weights: WeightColumn = None,
    groups: Annotated[
        str | None,
        typer.Option(
            metavar="COLUMNS",
            help="With --evidence: also compare within groups, such as language.",
            show_default="source",
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
    evidence: Annotated[
        bool, typer.Option("--evidence", help="Also print all figures, decisions that differ, and groups.")
    ] = False,
    column: ColumnNames = None,
    positive: PositiveWords = None,
    negative: NegativeWords = None,
    seed: Seed = 0,
    as_json: Json = False,
) -> None:
    """Is one encoder or scorer better than another on labelled PAIRS, at the cutoff each would use?

    Compares recall at --target-precision, else the best F1, with intervals that know that each cutoff was
    chosen on these pairs. Also of vectors cut to --dimension 512, and of another precision (--dtype).
    """
    from workbench.calibration import compare_by, compare_scored
    from workbench.calibration.observations import AUTO
    from workbench.calibration.pair_kinds import of_kind
    from workbench.pairs import read_pairs

    if out is not None and out.suffix.lower() not in (".html", ".csv"):
        raise InputError(
            _("--out is {file}; a report is an .html file, figures are a .csv file.").format(
                file=repr(str(out))
            )
        )
    rule = _rule(target_precision, choose_by)
    labelled = read_pairs(pairs, columns=column_names(column), positive=positive, negative=negative)
    by = _group_columns(groups, labelled)
    default: list[str | None] = [] if scorer else [None]
    asked = Asked(encoder or default, scorer or [], dimension or [], instruction or [], dtype or [], timing)
    variants = score_variants(labelled, asked)
    scored = {each.name: each.frame for each in variants}
    found = compare_scored(
        scored,
        kind=kind,
        cluster=cluster or AUTO,
        weight=weights or AUTO,
        rule=rule,
        prevalence=prevalence,
        confidence=confidence,
        milliseconds={each.name: each.milliseconds for each in variants if each.milliseconds is not None},
        seed=seed,
    )
    grouped = {
        name: compare_by(
            scored, name, cluster=cluster or AUTO, weight=weights or AUTO, confidence=confidence, seed=seed
        )
        for name in (by if evidence or as_json or out is not None else [])
    }
    if out is not None:
        compared = {name: of_kind(frame, kind) for name, frame in scored.items()}
        _write(found, compared, grouped, out, prevalence, weights or AUTO)
    if as_json:
        print_json(_entry(found, variants, grouped, pairs, out))
        return
    _print(found)
    if found.n_left_out:
        said = ngettext(
            "{n} pair of another kind is left out (--pairs all takes it).",
            "{n} pairs of another kind are left out (--pairs all takes them).",
            found.n_left_out,
        )
        note(said.format(n=f"{found.n_left_out:,}"))
    if evidence:
        _print_evidence(found, grouped)
    if out is not None:
        say(f"{_('report') if out.suffix.lower() == '.html' else _('figures')}: {out}")
    elif not evidence:
        note(_("What stands behind it: --evidence, or a report with --out FILE.html."))


def _rule(target_precision: float | None, choose_by: str | None) -> Rule | None:
    """How cutoffs are chosen, known before hours of encoding."""
    from workbench.calibration import TargetPrecision

    if target_precision is not None and choose_by is not None:
        raise InputError(_("Give --target-precision or --choose-by; each of them chooses the cutoffs."))
    if target_precision is not None:
        return TargetPrecision(target_precision)
    return None if choose_by is None else rule_from_text(choose_by)


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


def _print(found: Comparison) -> None:
    console = stdout_console()
    print_signed(
        (*SIGNS[found.standing(name)], found.sentence(name)) for name in found.others[:MOST_SENTENCES]
    )
    console.print(cells_table(found.table(found.figures[:1]), console.width))


def _print_evidence(found: Comparison, grouped: dict[str, pd.DataFrame]) -> None:
    from workbench.calibration.comparison import groups_table

    console = stdout_console()
    for name in found.others:
        console.print(wrapped(found.evidence(name), console.width))
    console.print(cells_table(found.table(across=True), console.width, _("All figures")))
    for column, frame in grouped.items():
        title = _("By {column}").format(column=column)
        console.print(cells_table(groups_table(frame), console.width, title))
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
        "sentences": {name: found.sentence(name) for name in found.others},
        "encoders": {each.name: each.entry for each in variants},
        **found.to_dict(),
        "groups": {name: plain(frame) for name, frame in grouped.items()},
        "file": None if out is None else str(out),
    }
