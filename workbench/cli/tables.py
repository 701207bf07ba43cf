"""The tables of ``workbench calibrate``: figures side by side, and how sure they are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from workbench.cli.output import cells_table, print_signed, say, stdout_console, wrapped
from workbench.i18n import N_, number, percent
from workbench.i18n import gettext as _

if TYPE_CHECKING:
    from workbench.calibration import Study
    from workbench.calibration.groups import GroupFigures

# What the evidence says beside its table, in this order; the sentence on figures says what the table shows.
LABELS = {
    "verdict": N_("today"),
    "guarantee": N_("guarantee"),
    "missed_guarantee": N_("missed"),
    "grey_zone": N_("grey zone"),
    "stability": N_("stability"),
    "flips": N_("decisions"),
    "notes": N_("mind"),
}
FILES = {"card": N_("card"), "report": N_("report")}
SIGNS = {"keep": ("✓", "green"), "move": ("→", "green"), "grey_zone": ("◐", "yellow"), "none": ("○", "red")}
BLOCKS = " ▁▂▃▄▅▆▇█"


def print_study(
    study: Study,
    *,
    groups: Sequence[GroupFigures] = (),
    files: Mapping[str, Path | None],
    evidence: bool = False,
) -> None:
    """The study for people: what to do, three figures and a picture in 15 lines; the rest as evidence."""
    console, advice = stdout_console(), study.advice
    print_signed([(*SIGNS[advice.kind], advice.sentence())])
    for reason in advice.reasons()[: None if evidence else 1]:
        console.print(wrapped(reason, console.width))
    console.print()
    console.print(_key_figures(study))
    console.print(_picture(study, min(console.width, 80)))
    if study.kinds is not None:
        say(study.kinds.sentence())
    if evidence:
        _print_evidence(study)
    for found in groups:
        say("")
        title = _("By {column}").format(column=found.by)
        console.print(cells_table(found.table(between="\n"), console.width, title))
        for sentence in found.summary().split("\n"):
            console.print(wrapped(sentence, console.width))
    for kind, path in files.items():
        if path is not None:
            say(f"{_(FILES[kind])}: {path}")
    if not evidence:
        say(_("Why, and how sure: --evidence, or the report."))


def _key_figures(study: Study) -> Any:
    from rich.table import Table

    table = Table.grid(padding=(0, 2))
    for column in ("left", "right", "left", "right"):
        table.add_column(justify=column, no_wrap=True)
    sure = _("{sure} interval").format(sure=percent(study.options.confidence, None))
    labelled = _("{n:,} pairs, {share} matches").format(
        n=len(study.observations), share=percent(study.prevalence)
    )
    table.add_row(labelled, "", sure, _("target"), style="dim")
    for told in study.key_figures:
        table.add_row(told.caption(), told.share, told.interval, told.asked(), style="bold")
    return table


def _picture(study: Study, width: int) -> Any:
    """The scores of both classes as two rows of blocks, and where the cutoff or the grey zone lies."""
    from rich.cells import cell_len
    from rich.text import Text

    pairs = study.observations
    names = (_("matches"), _("no matches"))
    margin = max(map(cell_len, names)) + 2
    bins, (low, high) = width - margin, (float(pairs.scores.min()), float(pairs.scores.max()))
    edges = np.linspace(low, max(high, low + 1e-9), bins + 1)
    counts = [np.histogram(pairs.scores[pairs.labels == label], edges)[0] for label in (1, 0)]
    most = max(int(count.max()) for count in counts)
    lines = []
    for name, count in zip(names, counts, strict=True):
        blocks = "".join(BLOCKS[min(int(np.ceil(8 * n / most)), 8)] for n in count.tolist())
        lines.append(name + " " * (margin - cell_len(name)) + blocks)
    advised = {at for at in study.advice.ends if at is not None}
    today = set() if study.current_cutoff is None else {study.current_cutoff}
    marks = ""
    for at in sorted(advised or today):
        place = int(np.clip((at - edges[0]) / (edges[-1] - edges[0]) * bins, 0, bins - 1))
        label = f"▲ {number(at)}" if place + 8 <= bins else f"{number(at)} ▲"
        start = place if label.startswith("▲") else place - len(label) + 1
        marks = marks.ljust(max(start, len(marks) + 1 if marks else 0)) + label
    return Text("\n".join([*lines, " " * margin + marks]).rstrip())


def _print_evidence(study: Study) -> None:
    from rich.table import Table

    console, said = stdout_console(), study.sentences()
    console.print()
    sure = percent(study.options.confidence, None)
    caption = _("{sure} intervals; corrected: for having been chosen on the same pairs.").format(sure=sure)
    console.print(cells_table(study.table(), console.width, caption=caption))
    rows = Table.grid(padding=(0, 2))
    rows.add_column(no_wrap=True, style="bold")
    rows.add_column()
    width = console.width - 13
    for key, label in LABELS.items():
        if key in said:
            rows.add_row(_(label), wrapped(said[key], width))
    rows.add_row(_("prevalence"), wrapped(_prevalence(study), width))
    rows.add_row(_("pairs"), wrapped(" ".join(said[key] for key in ("pairs", "kinds") if key in said), width))
    console.print(rows)
    say("")


def study_entry(study: Study, *, files: Mapping[str, Path | None]) -> dict[str, Any]:
    """The study in JSON: the advice, answers, sentences, figures at today's cutoff, and the card."""
    today, advice = study.figures_today, study.advice
    return {
        "advice": {**advice.to_dict(), "sentence": advice.sentence(), "reasons": advice.reasons()},
        "key_figures": [told.to_dict() for told in study.key_figures],
        "found": advice.cutoff is not None,
        "basis": study.basis,
        "cutoff": advice.cutoff,
        "verdict": None if study.verdict is None else study.verdict.answer,
        "sentences": study.sentences(),
        "figures_today": None if today is None else {name: e.to_dict() for name, e in today.items()},
        "files": {kind: None if path is None else str(path) for kind, path in files.items()},
        "card": None if advice.cutoff is None else study.to_dict(),
    }


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
