"""What ``workbench calibrate`` prints: the verdict, figures side by side, and how sure they are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workbench.calibration.current import figures_today
from workbench.calibration.report_text import NAMES, sentences
from workbench.calibration.wording import number, percent
from workbench.cli.output import say, stdout_console, wrapped
from workbench.texts import tidy

if TYPE_CHECKING:
    from workbench.calibration import Estimate, Study
    from workbench.calibration.groups import GroupFigures

__all__ = ["print_study", "study_entry"]

# What is said beside the table, in this order; the sentence on figures says what the table shows.
LABELS = {
    "cutoff": "cutoff",
    "guarantee": "guarantee",
    "missed_guarantee": "missed",
    "stability": "stability",
    "flips": "decisions",
    "grey_zone": "grey zone",
    "notes": "mind",
}
SIGNS = {"kept": ("✓", "green"), "moved": ("✗", "red"), "not enough labels": ("○", "yellow")}


def print_study(
    study: Study, *, groups: Sequence[GroupFigures] = (), files: Mapping[str, Path | None]
) -> None:
    """The study for people."""
    from rich.table import Table
    from rich.text import Text

    console = stdout_console()
    said = sentences(study)
    if study.verdict is not None:
        sign, colour = SIGNS[study.verdict.answer]
        line = Table.grid(padding=(0, 1))
        line.add_row(
            Text(sign, style=f"bold {colour}"), wrapped(said["verdict"], console.width - 2), style="bold"
        )
        console.print(line)
    console.print(_figures(study))
    rows = Table.grid(padding=(0, 2))
    rows.add_column(no_wrap=True, style="bold")
    rows.add_column()
    width = console.width - 13
    for key, label in LABELS.items():
        if key in said:
            rows.add_row(label, wrapped(said[key], width))
    rows.add_row("prevalence", wrapped(_prevalence(study), width))
    rows.add_row("pairs", wrapped(said["pairs"], width))
    console.print()
    console.print(rows)
    for found in groups:
        say("")
        console.print(_groups(found))
        for sentence in found.summary().split("\n"):
            console.print(wrapped(sentence, console.width))
    if any(files.values()):
        say("")
    for kind, path in files.items():
        if path is not None:
            say(f"{kind}: {path}")


def study_entry(study: Study, *, found: bool, files: Mapping[str, Path | None]) -> dict[str, Any]:
    """The study in JSON: answers, sentences, figures at today's cutoff, and the card."""
    today = figures_today(study)
    return {
        "found": found,
        "basis": study.basis,
        "cutoff": study.cutoff.value,
        "verdict": None if study.verdict is None else study.verdict.answer,
        "sentences": sentences(study),
        "figures_today": None if today is None else {name: e.to_dict() for name, e in today.items()},
        "files": {kind: None if path is None else str(path) for kind, path in files.items()},
        "card": study.to_dict(),
    }


def _figures(study: Study) -> Any:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    sure = f"{100 * study.settings['confidence']:.4g} %"
    table = Table(
        box=box.SIMPLE_HEAD,
        pad_edge=False,
        caption=Text(f"{sure} intervals; corrected: for having been chosen on the same pairs."),
        caption_justify="left",
    )
    today = figures_today(study)
    table.add_column("figure")
    if today is not None:
        table.add_column(f"today's, {number(study.current_cutoff)}", justify="right", no_wrap=True)
    if study.basis != "none":
        table.add_column(f"{_found(study)}, {number(study.cutoff.value)}", justify="right", no_wrap=True)
        table.add_column("corrected", justify="right", no_wrap=True)
    for name, (_, english) in NAMES.items():
        cells = [english if name != "f_beta" else f"F{study.rule.f_beta:g}"]
        if today is not None:
            cells.append(_interval(today[name]))
        if study.basis != "none":
            honest = study.honest.get(name)
            cells += [_interval(study.figures[name]), "" if honest is None else percent(honest.honest)]
        table.add_row(*cells)
    above = [f"{sum(study.observations.scores > cut):,}" for cut in _shown_cutoffs(study)]
    table.add_row("labelled pairs above", *above, *([""] if study.basis != "none" else []))
    return table


def _groups(found: GroupFigures) -> Any:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    cells = found.table(between="\n")
    table = Table(
        box=box.SIMPLE_HEAD, pad_edge=False, title=Text(f"By {found.by}", "bold"), title_justify="left"
    )
    for name in cells.columns:
        # Figures stay whole; a long name of a group gives way.
        table.add_column(str(name), no_wrap=name != "group", overflow="fold")
    for row in cells.itertuples(index=False, name=None):
        table.add_row(Text(tidy(str(row[0]))), *(Text(str(value)) for value in row[1:]))
    return table


def _found(study: Study) -> str:
    if study.basis == "guarantee":
        return "guaranteed"
    return "chosen" if study.guarantee is None and study.missed_guarantee is None else "unproven"


def _shown_cutoffs(study: Study) -> list[float]:
    today = [] if study.current_cutoff is None else [study.current_cutoff]
    return today + ([study.cutoff.value] if study.basis != "none" else [])


def _prevalence(study: Study) -> str:
    labelled, live = float(study.observations.labels.mean()), study.prevalence
    if study.settings["prevalence"] is not None:
        return f"Figures are for {percent(live)} matches; {percent(labelled)} of the labelled pairs are."
    if study.observations.weights is not None:
        return f"Weighted, {percent(live)} of pairs are matches; {percent(labelled)} as labelled."
    return (
        f"{percent(labelled)} of the labelled pairs are matches, and all figures are for pairs like them; "
        "give --prevalence or --live where other pairs come in."
    )


def _interval(estimate: Estimate) -> str:
    return "–" if str(estimate) == "undefined" else str(estimate)
