"""Faults and attacks, tried again: how often, how long, with how much memory, and what was lost.

    python benchmarks/faults.py                     # all of it; writes docs/measured/faults.md
    python benchmarks/faults.py --times 5           # fewer kills
    python benchmarks/faults.py --only kills        # measures one part anew, and keeps the others

A part is a function below that yields rows; whatever it needs is in ``tests/``.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "measured" / "faults.md"
HEAD = """# Faults and attacks: what was tried, and what was lost
Written by `python benchmarks/faults.py`; a part alone is measured anew with `--only`. `make test` tries the
same, fewer times.
"""
# The files of tests, and which of them, as pytest's -k has it.
ATTACKS = {
    "servers that redirect, drip, or send without end": ("endpoint", ""),
    "control characters and turned lines on a terminal and in HTML": ("visible", ""),
    "markup and scripts in texts that are shown": (
        "calibration_panel card_report cards explanation_html groups labelling_documents labelling_panel "
        "pairs_agreement ranking search_panel",
        "escaped or escapes or markup or nothing_executed",
    ),
    "formulas in exported tables": ("exporting", ""),
    "XML that names files elsewhere (XXE), or grows without end": (
        "readers reading_bounds",
        "entities or xml_that",
    ),
    "pickled weights, in whichever folder of a model": (
        "checkpoint_modules qwen3 rerankers sentence_transformer",
        "pickle",
    ),
    "loops: folders, archives in archives, modules, nesting": (
        "documents checkpoint_modules reading_bounds",
        "leads_back or comes_to_an_end or deep or nested",
    ),
}
FUZZED: Path | None = None
COLUMNS = "| what was tried | times | lost or harmed | seconds | peak MB |\n|---|---:|---|---:|---:|"


@dataclass(frozen=True)
class Row:
    """One fault or attack.

    Attributes
    ----------
    what : str
    times : int
        How often it was tried.
    lost : sequence of str
        What was lost, or what harm was done.
    seconds : float
        In all.
    megabytes : float or None
        The most memory that a process took, where that says something.
    """

    what: str
    times: int
    lost: Sequence[str]
    seconds: float
    megabytes: float | None = None

    def __str__(self) -> str:
        lost = "; ".join(sorted(set(self.lost))) or "nothing"
        used = "" if self.megabytes is None else f"{self.megabytes:,.0f}"
        return f"| {self.what} | {self.times:,} | {lost} | {self.seconds:,.1f} | {used} |"


def kills(times: int) -> Iterator[Row]:
    """Killed with SIGKILL at steps in which it reaches the disk, spread over all, and at random moments

    After each kill all that was said to be saved is there and whole, the same act given again completes, and
    it comes to what an undisturbed run comes to, to the last file.
    """
    for line in output_of("tests/killed_acts.py", "--times", str(times)):
        found = json.loads(line)
        what = f"{found['name']} ({found['steps']} steps)"
        yield Row(what, found["kills"], found["lost"], found["seconds"], found["megabytes"])


def around(times: int) -> Iterator[Row]:
    """The app is ended, two write at once, a disk is full or may only be read, the clock jumps

    The app ends within ten seconds with encoder and kernels, without a traceback, and whatever the umask its
    files are its user's only; what is left after `kill -9` goes with the next start. Disks are mounted in
    memory, for which one has to be root.
    """
    for line in output_of("tests/faults_tried.py"):
        found = json.loads(line)
        yield Row(found["name"], 1, found["lost"], found["seconds"])


def forgetting(times: int) -> Iterator[Row]:
    """`workbench forget`, killed with SIGKILL at random moments

    The next start completes it: no byte of the project tells of the person, and all of the other is there.
    """
    for line in output_of("tests/forgotten.py", "--times", str(times)):
        found = json.loads(line)
        what = f"forget a person ({found['resumed']} had begun to erase)"
        yield Row(what, found["kills"], found["lost"], found["seconds"])


def fuzz(times: int) -> Iterator[Row]:
    """Damaged and made-up files given to all readers and imports

    Each is read, or refused with a sentence; anything else counts as harm, and so does one that takes long.
    """
    with TemporaryDirectory() as folder:
        out = FUZZED or Path(folder, "found.json")
        if not FUZZED:
            list(output_of("tests/fuzz.py", "--minutes", str(times / 60), "--out", str(out), fine=(0, 1)))
        found = json.loads(out.read_text("utf-8"))
    for name, count in found["counts"].items():
        told = [f"{place}: mended since" if FUZZED else place for place in found["findings"]]
        lost = [each for each in told if each.startswith(f"{name}: ")]
        yield Row(name, sum(count.values()), lost, found["seconds"] / len(found["counts"]))


def attacks(times: int) -> Iterator[Row]:
    """Attacks by files, texts and servers, as the tests make them

    A time is a test; where hypothesis makes the texts, it stands for many.
    """
    for what, (names, which) in ATTACKS.items():
        began = time.monotonic()
        files = [f"tests/unit/test_{name}.py" for name in names.split()]
        *said, last = output_of(
            "-m", "pytest", "-q", "-p", "no:cacheprovider", "-k", which, *files, fine=(0, 1)
        )
        passed = re.search(r"(\d+) passed", last)
        harm = [line.strip() for line in said if line.startswith("FAILED")]
        yield Row(what, int(passed[1]) if passed else 0, harm, time.monotonic() - began)


def hostile(times: int) -> Iterator[Row]:
    """Files that are small, or within the limit of an upload, and hold without end

    Each is read, or refused with its name and the bound. Seconds are a processor's, memory is the sum of the
    peaks of who asks and who reads; harm is more than 60 s or 500 MB,
    and of those called real not being read.
    """
    for line in output_of("tests/hostile.py"):
        found = json.loads(line)
        yield Row(found["name"], 1, found["lost"], found["seconds"], found["megabytes"])


PARTS: dict[str, Callable[[int], Iterator[Row]]] = {
    part.__name__: part for part in (kills, forgetting, around, attacks, hostile, fuzz)
}


def output_of(script: str, *arguments: str, fine: Sequence[int] = (0,)) -> Iterator[str]:
    """The lines that a script prints; it runs in a process of its own."""
    path = os.pathsep.join([str(ROOT), str(ROOT / "tests")])
    environment = os.environ | {"PYTHONPATH": path, "OMP_NUM_THREADS": "1"}
    command = [sys.executable, script, *arguments]
    with subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        yield from process.stdout
    if process.returncode not in fine:
        raise SystemExit(f"{script} ended with exit code {process.returncode}")


def section(name: str, times: int) -> str:
    """Measure a part; its rows as Markdown."""
    title, _, more = (PARTS[name].__doc__ or "").partition("\n\n")
    about = " ".join(more.split())
    rows = []
    for row in PARTS[name](times):
        print(row, flush=True)
        rows.append(row)
    said = [f"## {title}", *filter(None, [about]), "", COLUMNS, *map(str, rows)]
    if len(rows) > 1:
        lost = [each for row in rows for each in row.lost]
        total = Row("**all**", sum(row.times for row in rows), lost, sum(row.seconds for row in rows))
        said.append(str(total))
    command, load = f"`--only {name} --times {times}`", f"load {os.getloadavg()[0]:.1f} at the end"
    said += ["", f"{command}, {datetime.now(UTC):%Y-%m-%d}, {load}."]
    return "\n".join(said)


def kept(page: Path) -> dict[str, str]:
    """The parts that are on the page, by name."""
    text = page.read_text(encoding="utf-8") if page.exists() else ""
    parts = re.split(r"^(?=## )", text, flags=re.MULTILINE)[1:]
    return {found[1]: part.rstrip() for part in parts if (found := re.search(r"`--only (\w+)", part))}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--times", type=int, default=50, help="kills of each act, seconds of the fuzzer")
    parser.add_argument("--only", nargs="+", choices=PARTS, default=list(PARTS), metavar="PART")
    parser.add_argument("--out", type=Path, default=PAGE)
    parser.add_argument("--fuzzed", type=Path, help="what tests/fuzz.py --minutes 60 --out FILE has found")
    asked = parser.parse_args()
    global FUZZED
    FUZZED = asked.fuzzed
    for name in asked.only:
        measured = section(name, asked.times)
        # Whatever is stopped, what was measured before it stands.
        parts = kept(asked.out) | {name: measured}
        told = [parts[each] for each in PARTS if each in parts]
        asked.out.write_text("\n\n".join([HEAD.rstrip(), *told]) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
