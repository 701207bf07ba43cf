"""What is made of the results: ``results/RESULTS.md``, falls against earlier results, README's table.

It reads the files that ``measuring.save`` writes, and measures nothing.
"""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from _scaling import Curve, draw
from measuring import RESULTS, Measurement, seconds, table

__all__ = [
    "FALL",
    "Change",
    "Result",
    "changes",
    "committed",
    "quoted_section",
    "read_result",
    "read_results",
    "results_page",
    "write_page",
    "write_quotes",
]

# A ratio that is smaller than before by more than this share is a regression.
FALL = 0.15
MARKED = re.compile(r"(<!-- benchmarks -->\n)(.*?)(<!-- /benchmarks -->)", re.DOTALL)
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
        """Whether it is a regression: smaller by more than :data:`FALL`."""
        return self.now < (1 - FALL) * self.before

    def __str__(self) -> str:
        elsewhere = "" if self.same_machine else " (before: on another machine)"
        return (
            f"{self.script}: {self.task}, {self.size}: {self.before:.2f} → {self.now:.2f} times faster, "
            f"{self.now / self.before - 1:+.0%}{elsewhere}"
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
    same = before.machine["processor"] == now.machine["processor"]
    same = same and before.machine["cores"] == now.machine["cores"]
    return [
        Change(now.name, row.task, row.size, earlier[key], row.ratio, same)
        for row in now.measurements
        if (key := (row.task, row.size, row.peer)) in earlier
    ]


def results_page(results: Sequence[Result], *, regressions: Sequence[Change] = ()) -> str:
    """``RESULTS.md``: one table, what else was found, pictures, and where and with what it was measured."""
    rows = [row for result in results for row in result.measurements]
    parts = [
        "# Benchmarks\n\nWritten by `make bench`. *Times faster* is the median of the ratios of runs that "
        "took turns in one process; the seconds are medians, and depend on the machine.",
        table(rows),
    ]
    if missed := [row for row in rows if row.reached is False]:
        parts.append("**Required and not reached:**\n\n" + "\n".join(f"- {row}" for row in missed))
    if regressions:
        fallen = "\n".join(f"- {change}" for change in regressions)
        parts.append(f"**Slower than before by more than {FALL:.0%}:**\n\n{fallen}")
    if notes := [note for result in results for note in result.notes]:
        parts.append("## What else was measured\n\n" + "\n".join(f"- {note}" for note in notes))
    pictures = {name: caption for result in results for name, caption in result.pictures.items()}
    if curves := [curve for result in results for curve in result.curves]:
        pictures[SCALING] = "Time and memory against N, with the exponent of the fitted power; all measured."
        parts.append(f"## Scaling\n\n{_scaling_table(curves)}")
    parts += [f"![{caption}]({name})\n\n*{caption}*" for name, caption in pictures.items()]
    parts.append(f"## Where, when and with what\n\n{_conditions(results)}")
    return "\n\n".join(parts) + "\n"


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
    lines = ["| Script | Date | Commit | Machine | Load at start | Took |", "|---|---|---|---|---:|---:|"]
    machines: list[tuple[str, str]] = []
    for result in results:
        where = (_machine(result.machine), ", ".join(f"{k} {v}" for k, v in result.versions.items()))
        if where not in machines:
            machines.append(where)
        load = "" if result.load_at_start is None else f"{result.load_at_start:.1f}"
        lines.append(
            f"| `{result.name}.py` | {result.date} | {result.commit or ''} | {machines.index(where) + 1} "
            f"| {load} | {seconds(result.seconds_in_all)} |"
        )
    described = [f"{at}. {machine}; {versions}." for at, (machine, versions) in enumerate(machines, 1)]
    return "\n".join([*lines, "", *described])


def _machine(machine: dict[str, Any]) -> str:
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


# What README quotes: script, a part of the task that only the row meant has, its size or "" for the largest
# number in it, and how a reader of README would say it.
QUOTED: tuple[tuple[str, str, str, str, str], ...] = (
    (
        "bootstrap",
        "bootstrap of precision and recall",
        "500 pairs, 10,000 resamples",
        "Precision and recall at every cutoff in 10,000 bootstrap samples of 500 pairs",
        "500 对标注、10,000 次自助抽样，每个阈值的精确率与召回率",
    ),
    (
        "calibration",
        "cutoff with guaranteed precision",
        "5,000 pairs, 140 cutoffs",
        "Guaranteed cutoff, 5,000 pairs",
        "有保证的阈值，5,000 对标注",
    ),
    (
        "embedded_encoders",
        "encode with the embedded `use`",
        "400 Chinese JDs",
        "Encoding with the embedded `use`",
        "用内置编码器 `use` 编码",
    ),
)
HEADS = {
    "en": ("Task", "Here", "Against", "Times faster"),
    "zh": ("任务", "本项目", "对照", "快几倍"),
}
SOURCES = {
    "en": "Measured on {machine}, {date}; `make bench` measures anew, all rows: "
    "[benchmarks/results/RESULTS.md](benchmarks/results/RESULTS.md).",
    "zh": "测于 {date}，{machine}；`make bench` 可重新测量，全部结果见 "
    "[benchmarks/results/RESULTS.md](benchmarks/results/RESULTS.md)。",
}


def quoted_section(results: Sequence[Result], language: str = "en") -> str:
    """The table that stands between README's two marks.

    Raises
    ------
    ValueError
        If a row that is to be quoted was not measured, or is not one row.
    """
    by_name = {result.name: result for result in results}
    task, here, against, faster = HEADS[language]
    lines = [f"| {task} | {here} | {against} | {faster} |", "|---|---|---|---:|"]
    used = []
    for script, part, size, *said in QUOTED:
        rows = [
            row
            for row in (by_name[script].measurements if script in by_name else ())
            if part in row.task and size == row.size
        ]
        if len(rows) != 1:
            raise ValueError(
                f"README quotes '{part}' ({size}) of {script}.py: {len(rows)} rows have it, not 1."
            )
        used.append(by_name[script])
        (row,) = rows
        lines.append(
            f"| {said[language == 'zh']} | {seconds(row.ours_seconds)} "
            f"| {row.peer}: {seconds(row.peer_seconds)} | **{row.ratio:.1f}×** |"
        )
    machines = list(dict.fromkeys(_machine(result.machine) for result in used))
    dates = sorted({result.date for result in used})
    date = dates[0] if len(dates) == 1 else f"{dates[0]} – {dates[-1]}"
    source = SOURCES[language].format(machine=" / ".join(machines), date=date)
    return "\n".join([*lines, "", source, ""])


def write_quotes(readme: Path, results: Sequence[Result]) -> bool:
    """Renew the section between README's marks, in README's language; False where it has no marks."""
    text = readme.read_text(encoding="utf-8")
    if not MARKED.search(text):
        return False
    section = quoted_section(results, "zh" if ".zh" in readme.name else "en")
    renewed = MARKED.sub(lambda marks: marks[1] + section + marks[3], text)
    readme.write_text(renewed, encoding="utf-8")
    return True
