"""How long the first answer of a fresh process takes, and where the time goes.

    python benchmarks/first_answers.py                  # writes docs/measured/first_answers.md
    python benchmarks/first_answers.py --before FOLDER  # beside another checkout, in turns

Processor seconds count, since other work on the machine makes the clock run longer. What no process of ours
can go without (Python, numpy, the library that reads the command line) is measured in the same run.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import date
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs/measured/first_answers.md"
QUERY = "做过 AI Agent 开发"
PANEL = "import workbench as wb; panel = wb.SearchPanel(encoder='use'); panel.widgets.search.click(); "
FIGURE = (
    "import io, workbench as wb; from workbench.settings import get_settings; "
    "pairs = wb.read_pairs(get_settings().project_dir / 'labeled_pairs/demo'); "
    "wb.calibrate(wb.score_pairs(pairs, 'use')).plot().savefig(io.BytesIO(), format='png')"
)
# Name, what is run (with {n}: another number each time), and the budget in processor seconds.
TASKS: dict[str, tuple[list[str], float | None]] = {
    "Python": (["-c", "pass"], None),
    "… and numpy": (["-c", "import numpy"], None),
    "… and what reads a command and draws a table": (
        ["-c", "import numpy, rich.console, rich.table, typer, typer._adapters"],
        None,
    ),
    "`workbench search`, a query asked before": (["-m", "workbench", "search", QUERY], 0.5),
    "`workbench search`, a new query": (["-m", "workbench", "search", QUERY + " {n}"], 0.6),
    "`workbench search`, the first on a machine": (["-m", "workbench", "search", QUERY + " first {n}"], 3.0),
    "`workbench doctor`": (["-m", "workbench", "doctor"], 3.5),
    "the torch and matplotlib that it tries": (["-c", "import torch, matplotlib.figure"], None),
    "first result in the search panel, its vectors in the store": (["-c", PANEL + "assert panel.hits"], 1.2),
    "first figure of a calibration, its vectors in the store": (["-c", FIGURE], 2.0),
}
FIRST = "`workbench search`, the first on a machine"
# The parts of a new query, in the order in which a process meets them.
PARTS = f"""
import time; marks = [("Python", time.process_time())]
def mark(name): marks.append((name, time.process_time()))
import numpy; mark("numpy")
import typer, typer._adapters, rich.console, rich.table; mark("reading a command, drawing a table")
import workbench.cli; workbench.cli.Commands()["search"]; mark("our commands")
from workbench.retrieval import KnowledgeBase; mark("our search")
base = KnowledgeBase.from_texts(["Python", "{QUERY}"]); mark("choosing the encoder; two texts from the store")
from workbench.encoders import load_encoder
bare = load_encoder("use", store=False); bare._model; mark("weights and tokenizer")
bare.encode_queries(["{QUERY} new"]); mark("encoding")
hits = base.search("{QUERY}", cutoff=0.4); mark("searching")
from workbench.cli.output import print_hits; import io, contextlib
with contextlib.redirect_stdout(io.StringIO()): print_hits(hits)
mark("printing")
import json; print(json.dumps(marks))
"""


def run(root: Path, cache: Path, arguments: list[str], compiled: Path) -> tuple[float, float, str]:
    """Processor seconds, seconds, and what was printed; modules are compiled, as where they are installed."""
    environment = {
        **{name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"},
        "PYTHONPATH": str(root),
        "PYTHONPYCACHEPREFIX": str(compiled),
        "WORKBENCH_CACHE": str(cache),
        "WORKBENCH_PROJECT": str(root),
        "OMP_NUM_THREADS": "1",
    }
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    command = [sys.executable, *arguments]
    done = subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True, check=False)
    wall, after = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode not in (0, 1):
        raise SystemExit(done.stderr)
    return after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime, wall, done.stdout


def main() -> None:
    """Measure in turns, and write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--before", type=Path, metavar="FOLDER")
    parser.add_argument("--rounds", type=int, default=5)
    asked = parser.parse_args()
    roots = [ROOT, *([asked.before.absolute()] if asked.before else [])]
    seconds = {(root, name): [] for root in roots for name in TASKS if root == ROOT or TASKS[name][1]}
    walls = {key: [] for key in seconds}
    parts: list[list[tuple[str, float]]] = []
    with tempfile.TemporaryDirectory() as folder:
        compiled, caches = (
            Path(folder, "compiled"),
            {root: Path(folder, str(at)) for at, root in enumerate(roots)},
        )
        for number in range(-1, asked.rounds):
            for root, name in seconds:
                arguments = [part.replace("{n}", str(number)) for part in TASKS[name][0]]
                cache = Path(folder, f"new{number}{roots.index(root)}") if name == FIRST else caches[root]
                taken, wall, _said = run(root, cache, arguments, compiled)
                if number >= 0:  # the round before only compiles
                    seconds[root, name].append(taken)
                    walls[root, name].append(wall)
            parts.append(json.loads(run(ROOT, caches[ROOT], ["-c", PARTS], compiled)[2]))
    PAGE.write_text(page(roots, seconds, walls, parts[1:]), encoding="utf-8")
    print(PAGE.read_text(encoding="utf-8"))


def page(roots: list[Path], seconds: dict, walls: dict, parts: list) -> str:
    """The page in Markdown."""
    before = len(roots) > 1
    lines = [
        "# First answers",
        f"`python benchmarks/first_answers.py`, {date.today()}, one of {os.cpu_count()} cores, load "
        f"{os.getloadavg()[0]:.1f} at the end; {len(parts)} fresh processes each, median (least–most). "
        "Processor seconds, which other work on the machine moves less than the clock; modules are compiled, "
        "as where they are installed." + (f" Before is commit {commit(roots[1])}." if before else ""),
        "",
        "| | " + ("before | " if before else "") + "processor, s | budget | clock, s |",
        "|---|" + "---:|" * (3 + before),
    ]
    for name, (_arguments, budget) in TASKS.items():
        was = [shown(seconds.get((roots[-1], name), seconds[ROOT, name]))] if before else []
        within = statistics.median(seconds[ROOT, name]) <= (budget or 0)
        cells = [
            name,
            *was,
            shown(seconds[ROOT, name]),
            f"{budget} {'✓' if within else '✗'}" if budget else "",
        ]
        lines.append("| " + " | ".join([*cells, shown(walls[ROOT, name])]) + " |")
    lines += ["", "## Where a new query's time goes", "", "| | processor, ms |", "|---|---:|"]
    for at, (name, _mark) in enumerate(parts[0]):
        each = [1000 * (some[at][1] - (some[at - 1][1] if at else 0)) for some in parts]
        lines.append(f"| {name} | {statistics.median(each):.0f} ({min(each):.0f}–{max(each):.0f}) |")
    return "\n".join([*lines, ""])


def commit(root: Path) -> str:
    """Of a checkout, in short."""
    command = ["git", "-C", str(root), "rev-parse", "--short", "HEAD"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def shown(values: list[float]) -> str:
    """Median, least and most."""
    return f"{statistics.median(values):.2f} ({min(values):.2f}–{max(values):.2f})"


if __name__ == "__main__":
    main()
