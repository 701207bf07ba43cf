"""The tables of ``workbench calibrate``: figures side by side, and how sure they are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workbench.calibration.figures import title
from workbench.calibration.findings import TOLD
from workbench.cli.output import print_signed, say, simple_table, stdout_console, wrapped
from workbench.i18n import N_, number, percent
from workbench.i18n import gettext as _
from workbench.texts import tidy

if TYPE_CHECKING:
    from workbench.calibration import Study
    from workbench.calibration.groups import GroupFigures

__all__ = ["print_study", "study_entry"]

# What is said beside the table, in this order; the sentence on figures says what the table shows.
LABELS = {
    "cutoff": N_("cutoff"),
    "guarantee": N_("guarantee"),
    "missed_guarantee": N_("missed"),
    "stability": N_("stability"),
    "flips": N_("decisions"),
    "grey_zone": N_("grey zone"),
    "notes": N_("mind"),
}
FILES = {"card": N_("card"), "report": N_("report")}
SIGNS = {"kept": ("✓", "green"), "moved": ("✗", "red"), "not enough labels": ("○", "yellow")}


def print_study(
    study: Study, *, groups: Sequence[GroupFigures] = (), files: Mapping[str, Path | None]
) -> None:
    """The study for people."""
    from rich.table import Table

    console = stdout_console()
    said = study.sentences()
    if study.verdict is not None:
        print_signed([(*SIGNS[study.verdict.answer], said["verdict"])])
    console.print(_figures(study))
    rows = Table.grid(padding=(0, 2))
    rows.add_column(no_wrap=True, style="bold")
    rows.add_column()
    width = console.width - 13
    for key, label in LABELS.items():
        if key in said:
            rows.add_row(_(label), wrapped(said[key], width))
    rows.add_row(_("prevalence"), wrapped(_prevalence(study), width))
    rows.add_row(_("pairs"), wrapped(" ".join(said[key] for key in ("pairs", "kinds") if key in said), width))
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
            say(f"{_(FILES[kind])}: {path}")


def study_entry(study: Study, *, found: bool, files: Mapping[str, Path | None]) -> dict[str, Any]:
    """The study in JSON: answers, sentences, figures at today's cutoff, and the card."""
    today = study.figures_today
    return {
        "found": found,
        "basis": study.basis,
        "cutoff": study.cutoff.value,
        "verdict": None if study.verdict is None else study.verdict.answer,
        "sentences": study.sentences(),
        "figures_today": None if today is None else {name: e.to_dict() for name, e in today.items()},
        "files": {kind: None if path is None else str(path) for kind, path in files.items()},
        "card": study.to_dict(),
    }


def _figures(study: Study) -> Any:
    sure = percent(study.options.confidence, None)
    table = simple_table(
        caption=_("{sure} intervals; corrected: for having been chosen on the same pairs.").format(sure=sure)
    )
    today = study.figures_today
    table.add_column(_("figure"))
    if today is not None:
        head = _("today's, {cutoff}").format(cutoff=number(study.current_cutoff))
        table.add_column(head, justify="right", no_wrap=True)
    if study.basis != "none":
        head = _(_found(study)).format(cutoff=number(study.cutoff.value))
        table.add_column(head, justify="right", no_wrap=True)
        table.add_column(_("corrected"), justify="right", no_wrap=True)
    for name in TOLD:
        cells = [title(name, beta=study.rule.f_beta)]
        if today is not None:
            cells.append(str(today[name]))
        if study.basis != "none":
            honest = study.honest.get(name)
            cells += [str(study.figures[name]), "" if honest is None else percent(honest.honest)]
        table.add_row(*cells)
    above = [f"{sum(study.observations.scores > cut):,}" for cut in _shown_cutoffs(study)]
    table.add_row(_("labelled pairs above"), *above, *([""] if study.basis != "none" else []))
    return table


def _groups(found: GroupFigures) -> Any:
    from rich.text import Text

    cells = found.table(between="\n")
    table = simple_table(_("By {column}").format(column=found.by))
    for place, head in enumerate(cells.columns):
        # Figures stay whole; a long name of a group gives way.
        table.add_column(str(head), no_wrap=place > 0, overflow="fold")
    for row in cells.itertuples(index=False, name=None):
        table.add_row(Text(tidy(str(row[0]))), *(Text(str(value)) for value in row[1:]))
    return table


def _found(study: Study) -> str:
    if study.basis == "guarantee":
        return N_("guaranteed, {cutoff}")
    by_rule = study.guarantee is None and study.missed_guarantee is None
    return N_("chosen, {cutoff}") if by_rule else N_("unproven, {cutoff}")


def _shown_cutoffs(study: Study) -> list[float]:
    today = [] if study.current_cutoff is None else [study.current_cutoff]
    return today + ([study.cutoff.value] if study.basis != "none" else [])


def _prevalence(study: Study) -> str:
    labelled, live = float(study.observations.labels.mean()), study.prevalence
    if study.options.prevalence is not None:
        said = _("Figures are for {share} matches; {labelled} of the labelled pairs are.")
    elif study.observations.weights is not None:
        said = _("Weighted, {share} of pairs are matches; {labelled} as labelled.")
    else:
        said = _(
            "{labelled} of the labelled pairs are matches, and all figures are for pairs like them; give "
            "--prevalence or --live where other pairs come in."
        )
    return said.format(share=percent(live), labelled=percent(labelled))
