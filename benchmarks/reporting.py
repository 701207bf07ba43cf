"""What is made of the results: the page ``results/RESULTS.md``, and falls against earlier results.

It reads the files that ``measuring.save`` writes, and measures nothing. README's table is in ``quoting.py``.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from _scaling import Curve, draw
from measuring import RESULTS, Measurement, seconds, table, times

__all__ = [
    "BUDGETS",
    "FALL",
    "Change",
    "Result",
    "changes",
    "committed",
    "machine_in_words",
    "read_result",
    "read_results",
    "results_page",
    "write_page",
]

# The speed table, the scripts that `make bench` runs, with the seconds that each may take: 15 minutes in all.
# The others are studies of their own, run by name.
BUDGETS = {
    "peers": 330,
    "encoding": 110,
    "search": 140,
    "skill_map": 210,
    "embedded_encoders": 40,
    "bootstrap": 45,
    "calibration": 15,
    "gpu": 10,
}
# A ratio that is smaller than before by more than this share is a regression.
FALL = 0.15
SCALING = "scaling.svg"


@dataclass(frozen=True)
class Result:
    """What one script found, as :func:`measuring.save` wrote it."""

    name: str
    date: str
    commit: str | None
    machine: dict[str, Any]
    versions: dict[str, str]
    load_at_start: float | None
    seconds_in_all: float
    measurements: tuple[Measurement, ...]
    figures: dict[str, Any]

    @property
    def budget(self) -> int | None:
        """Seconds that it may take as a part of ``make bench``; None where it is no part of it."""
        return BUDGETS.get(self.name)

    @property
    def notes(self) -> list[str]:
        """Sentences that the script wrote about its other figures."""
        return list(self.figures.get("notes", ()))

    @property
    def pictures(self) -> dict[str, str]:
        """File names in the results folder, with what they show."""
        return dict(self.figures.get("pictures", {}))

    @property
    def curves(self) -> list[Curve]:
        """Times and memory against N."""
        return [Curve.from_dict(kept) for kept in self.figures.get("scaling", ())]


@dataclass(frozen=True)
class Change:
    """A ratio now beside what it was."""

    script: str
    task: str
    size: str
    before: float
    now: float
    same_machine: bool

    @property
    def fell(self) -> bool:
        """Whether it is a regression: smaller by more than :data:`FALL` on the same machine."""
        return self.same_machine and self.now < (1 - FALL) * self.before

    def __str__(self) -> str:
        return (
            f"{self.script}: {self.task}, {self.size}: {times(self.before)} → {times(self.now)} times "
            f"faster, {self.now / self.before - 1:+.0%}"
        )


def read_result(text: str) -> Result:
    """A result from the text of its file."""
    kept = json.loads(text)
    known = {field.name for field in fields(Measurement)}
    rows = tuple(
        Measurement(**{key: row[key] for key in row if key in known} | {"ratios": tuple(row["ratios"])})
        for row in kept["measurements"]
    )
    return Result(**{field.name: kept[field.name] for field in fields(Result)} | {"measurements": rows})


def read_results(folder: Path = RESULTS) -> list[Result]:
    """All results of a folder, by name; files of another form are named and left out."""
    found = []
    for path in sorted(folder.glob("*.json")):
        try:
            found.append(read_result(path.read_text(encoding="utf-8")))
        except (KeyError, TypeError, ValueError):
            print(f"{path.name} is no result in today's form and was left out; run its script again.")
    return found


def committed(name: str, folder: Path = RESULTS) -> Result | None:
    """The last result of a script that was committed; else the file that is there; else None."""
    path = folder / f"{name}.json"
    git = ["git", "show", f"HEAD:./{path.name}"]
    try:
        shown = subprocess.run(git, cwd=folder, capture_output=True, text=True, encoding="utf-8", check=True)
        return read_result(shown.stdout)
    except (OSError, subprocess.CalledProcessError, KeyError, TypeError, ValueError):
        pass  # not committed yet, no git here, or committed in an older form
    try:
        return read_result(path.read_text(encoding="utf-8"))
    except (OSError, KeyError, TypeError, ValueError):
        return None


def changes(before: Result | None, now: Result) -> list[Change]:
    """Each ratio beside the earlier one of the same task, size and peer."""
    if before is None:
        return []
    earlier = {(row.task, row.size, row.peer): row.ratio for row in before.measurements}
    same = all(
        before.machine.get(what) == now.machine.get(what) for what in ("processor", "cores", "instructions")
    )
    return [
        Change(now.name, row.task, row.size, earlier[key], row.ratio, same)
        for row in now.measurements
        if (key := (row.task, row.size, row.peer)) in earlier
    ]


def results_page(results: Sequence[Result], *, regressions: Sequence[Change] = ()) -> str:
    """``RESULTS.md``: one table, what else was found, pictures, and where and with what it was measured."""
    rows = [row for result in results for row in result.measurements]
    parts = [
        "# Benchmarks\n\nWritten by `make bench`. *Times faster* is the median of the ratios of rounds in "
        "which both took turns in one process, below 1 where the peer is faster; in brackets between which "
        "two of the ratios it lies with 95 % probability (order statistics; all of them where there were "
        "fewer than six rounds). The seconds are medians, and depend on the machine.",
        _table_of([result for result in results if result.measurements]),
    ]
    if missed := [row for row in rows if row.reached is False]:
        parts.append("**Required and not reached:**\n\n" + "\n".join(f"- {row}" for row in missed))
    if regressions:
        fallen = "\n".join(f"- {change}" for change in regressions)
        parts.append(f"**Slower than before by more than {FALL:.0%}:**\n\n{fallen}")
    for heading, of_table in (("What else was measured", True), ("Studies, run by their names", False)):
        of_them = [result for result in results if (result.budget is not None) is of_table]
        if notes := [f"- `{result.name}.py`: {note}" for result in of_them for note in result.notes]:
            parts.append(f"## {heading}\n\n" + "\n".join(notes))
    pictures = {name: caption for result in results for name, caption in result.pictures.items()}
    if curves := [curve for result in results for curve in result.curves]:
        pictures[SCALING] = "Time and memory against N, with the exponent of the fitted power; all measured."
        parts.append(f"## Scaling\n\n{_scaling_table(curves)}")
    parts += [f"![{caption}]({name})\n\n*{caption}*" for name, caption in pictures.items()]
    parts.append(f"## Where, when and with what\n\n{_conditions(results)}")
    return "\n\n".join(parts) + "\n"


def _table_of(results: Sequence[Result]) -> str:
    """The rows of all scripts, with the script's name before its own."""
    head, rule = table([]).splitlines()
    lines = [f"| Script {head}", f"|---{rule}"]
    for result in results:
        lines += [f"| {result.name} {line}" for line in table(result.measurements).splitlines()[2:]]
    return "\n".join(lines)


def write_page(folder: Path, *, regressions: Sequence[Change] = ()) -> Path | None:
    """Write ``RESULTS.md`` and the picture in it from the results of a folder; None where there are none."""
    results = read_results(folder)
    if not results:
        return None
    if curves := [curve for result in results for curve in result.curves]:
        draw(curves, folder / SCALING)
    page = folder / "RESULTS.md"
    partial = page.with_suffix(".partial")
    partial.write_text(results_page(results, regressions=regressions), encoding="utf-8")
    partial.replace(page)
    return page


def _scaling_table(curves: Sequence[Curve]) -> str:
    lines = ["| | From | To | Time at the largest | Exponent of time |", "|---|---:|---:|---:|---:|"]
    lines += [
        f"| {curve.what}: {curve.name} | {curve.n[0]:,} | {curve.n[-1]:,} | {seconds(curve.seconds[-1])} "
        f"| {f'{curve.exponent:.2f}' if len(curve.n) > 1 else ''} |"
        for curve in curves
    ]
    return "\n".join(lines)


def _conditions(results: Sequence[Result]) -> str:
    """A line a script, then machines and versions, each said once."""
    lines = [
        "| Script | Date | Commit | Machine | Load at start | Took | Of at most |",
        "|---|---|---|---|---:|---:|---:|",
    ]
    machines: list[tuple[str, str]] = []
    for result in results:
        where = (machine_in_words(result.machine), ", ".join(f"{k} {v}" for k, v in result.versions.items()))
        if where not in machines:
            machines.append(where)
        load = "" if result.load_at_start is None else f"{result.load_at_start:.1f}"
        lines.append(
            f"| `{result.name}.py` | {result.date} | {result.commit or ''} | {machines.index(where) + 1} "
            f"| {load} | {seconds(result.seconds_in_all)} | {of_budget(result)} |"
        )
    if of_table := [result for result in results if result.budget is not None]:
        taken = sum(result.seconds_in_all for result in of_table)
        lines.append(f"| `make bench` | | | | | {taken:.0f} s | {sum(BUDGETS.values())} s |")
    described = [f"{at}. {machine}; {versions}." for at, (machine, versions) in enumerate(machines, 1)]
    return "\n".join([*lines, "", *described])


def of_budget(result: Result) -> str:
    """Its budget in words; an empty string where it has none."""
    if result.budget is None:
        return ""
    return f"{result.budget} s" + (" **exceeded**" if result.seconds_in_all > result.budget else "")


def machine_in_words(machine: dict[str, Any]) -> str:
    """Processor, cores, instructions, memory, system and GPU, between commas."""
    parts = [
        str(machine["processor"]),
        f"{machine['cores']} cores",
        *(machine.get("instructions") or [])[-1:],
        f"{machine['memory_gib']} GiB",
        str(machine["system"]),
        str(machine.get("gpu") or ""),
    ]
    if machine.get("threads_asked_for"):
        parts.append(f"OMP_NUM_THREADS={machine['threads_asked_for']}")
    return ", ".join(part for part in parts if part)
