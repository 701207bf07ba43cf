"""Measure the speed table, script by script: ``python benchmarks/run.py [--quick] [--only NAME | --all]``.

``--all`` adds the studies, which have no time limit together; ``--only`` runs what is named. Each script
writes its own results when it is done, so that stopping loses only the one that is running. Ratios are
compared with the committed ones; the page ``results/RESULTS.md`` is written at the end.
"""

from __future__ import annotations

import argparse
import math
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from measuring import RESULTS, ROOT
from quoting import write_quotes
from reporting import (
    BUDGETS,
    FALL,
    Change,
    changes,
    committed,
    read_result,
    read_results,
    write_page,
)

HERE = Path(__file__).parent
NO_SCRIPTS = {"document_labels", "faults", "measuring", "quoting", "reporting", "run", "simulations"}
READMES = (ROOT / "README.md", ROOT / "README.zh-CN.md")
# A script that hangs must not take the others with it.
MOST_SECONDS = 600


def scripts(folder: Path = HERE) -> list[str]:
    """Names of the scripts in a folder; neighbours that they share start with an underscore."""
    found = (path.stem for path in folder.glob("[!_]*.py"))
    return sorted(name for name in found if name not in NO_SCRIPTS)


def run_script(name: str, *, quick: bool, folder: Path = HERE, most_seconds: float = MOST_SECONDS) -> str:
    """Run one script with its output shown; returns why it failed, or an empty string."""
    command = [sys.executable, str(folder / f"{name}.py"), *(["--quick"] if quick else [])]
    # Scripts import the package from this checkout, installed or not.
    path = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH"))))
    started = {"WORKBENCH_BENCH_STARTED": str(time.time())}
    environment = os.environ | {"PYTHONPATH": path, "PYTHONUNBUFFERED": "1"} | started
    try:
        done = subprocess.run(command, env=environment, timeout=most_seconds, check=False)
    except subprocess.TimeoutExpired:
        return f"took more than {most_seconds:g} s and was stopped"
    return f"ended with exit code {done.returncode}" if done.returncode else ""


def run_all(
    names: Sequence[str],
    *,
    quick: bool = False,
    most_seconds: float = MOST_SECONDS,
    folder: Path = HERE,
    results: Path = RESULTS,
) -> int:
    """Run scripts, compare, write the page; the exit code: 0 fine, 1 one failed or fell, 130 interrupted."""
    failed: dict[str, str] = {}
    compared: list[Change] = []
    interrupted = False
    for number, name in enumerate(names, 1):
        print(f"\n[{number}/{len(names)}] {name}", flush=True)
        before, start, file = committed(name, results), time.perf_counter(), results / f"{name}.json"
        written = file.stat().st_mtime_ns if file.exists() else None
        try:
            failure = run_script(name, quick=quick, folder=folder, most_seconds=most_seconds)
        except KeyboardInterrupt:
            interrupted = True
            print(f"Stopped during {name}; what was finished before it is kept.", flush=True)
            break
        taken, budget = time.perf_counter() - start, BUDGETS.get(name, math.inf)
        over = f", MORE THAN THE {budget} s that it may take" if taken > budget else ""
        print(f"{name}: {failure or 'done'} after {taken:.0f} s{over}", flush=True)
        if failure:
            failed[name] = failure
        # A script that has nothing to measure here, such as gpu.py without a GPU, writes nothing.
        elif file.exists() and file.stat().st_mtime_ns != written:
            compared += changes(before, read_result(file.read_text(encoding="utf-8")))
    fallen = _say(compared, failed)
    _write_page(results / "quick" if quick else results, fallen)
    return 130 if interrupted else int(bool(failed or fallen))


def _say(compared: Sequence[Change], failed: dict[str, str]) -> list[Change]:
    """Print what changed and what failed; returns the ratios that fell too far."""
    fallen = [change for change in compared if change.fell]
    if fallen:
        print(f"\nRegressions (more than {FALL:.0%} below the committed ratio):")
        print("\n".join(f"  {change}" for change in fallen))
        print("On a busy machine ratios wander: run these again with --only before you believe them.")
    elif compared:
        print(f"\nNo ratio fell by more than {FALL:.0%}; {len(compared)} were compared.")
    for name, failure in failed.items():
        print(f"FAILED: {name}.py {failure}.")
    return fallen


def _write_page(folder: Path, regressions: Sequence[Change] = ()) -> None:
    page = write_page(folder, regressions=regressions)
    print("No results yet, so there is no page to write." if page is None else f"\nWrote {page.name}.")


def quote_in_readmes() -> int:
    """Renew the section between the marks of README.md and README.zh-CN.md."""
    results = read_results()
    missing = [readme.name for readme in READMES if not write_quotes(readme, results)]
    if missing:
        print(
            f"{' and '.join(missing)}: no lines '<!-- benchmarks -->' and '<!-- /benchmarks -->', so nothing "
            "was written there; add both where the table is to stand."
        )
    return int(bool(missing))


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line."""
    names = scripts()
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="smaller tasks, kept in results/quick")
    chosen = parser.add_mutually_exclusive_group()
    chosen.add_argument("--only", nargs="+", choices=names, metavar="NAME", help=f"of {', '.join(names)}")
    chosen.add_argument("--all", action="store_true", help="the studies too, without a limit together")
    parser.add_argument(
        "--minutes",
        type=float,
        default=MOST_SECONDS / 60,
        help="a script that takes longer is stopped (%(default)g)",
    )
    parser.add_argument(
        "--page", action="store_true", help="measure nothing; write RESULTS.md from what is there"
    )
    parser.add_argument(
        "--readme", action="store_true", help="measure nothing; renew the table in both READMEs"
    )
    options = parser.parse_args(arguments)
    # Stopped from elsewhere is stopped by hand: else the script that runs would go on by itself.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    if options.page:
        _write_page(RESULTS)
    if options.readme:
        return quote_in_readmes()
    if options.page:
        return 0
    names = options.only or (names if options.all else list(BUDGETS))
    return run_all(names, quick=options.quick, most_seconds=60 * options.minutes)


if __name__ == "__main__":
    sys.exit(main())
