"""Simulate what the statistics promise: ``python benchmarks/simulations.py [NAME] [--runs N] [--seed N]``.

``simulating/NAME.py`` has a function ``run(runs=1000, seed=0)``, which returns what was found as Markdown.
Its page is ``docs/simulations/NAME.md``, under a line with the command that made it. Without NAME, all are
listed.
"""

from __future__ import annotations

import argparse
import inspect
import os
import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path

HERE = Path(__file__).parent
PAGES = HERE.parent / "docs" / "simulations"


def names() -> list[str]:
    """What can be simulated; modules that others share start with an underscore."""
    return sorted(path.stem for path in (HERE / "simulating").glob("[!_]*.py"))


def simulate(name: str, folder: Path = PAGES, **given: int) -> Path:
    """Simulate with the numbers given, or else the simulation's own, and write the page."""
    run = import_module(f"simulating.{name}").run
    own = {option: parameter.default for option, parameter in inspect.signature(run).parameters.items()}
    options = {option: given.get(option, default) for option, default in own.items()}
    began = time.monotonic()
    found = run(**options)
    took = time.monotonic() - began
    numbers = "".join(f" --{option} {value}" for option, value in options.items())
    head = (
        f"`python benchmarks/simulations.py {name}{numbers}`, {datetime.now(UTC).date()}, "
        f"{took:.0f} s on {os.cpu_count()} cores"
    )
    folder.mkdir(parents=True, exist_ok=True)
    page = folder / f"{name}.md"
    page.write_text(f"{head}\n\n{found.strip()}\n", encoding="utf-8")
    return page


def main(arguments: Sequence[str] | None = None) -> None:
    """Simulate what is named."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("name", nargs="?", choices=names())
    parser.add_argument("--runs", type=int, help="repetitions, instead of the simulation's own number")
    parser.add_argument("--seed", type=int, help="of all random numbers")
    asked = vars(parser.parse_args(arguments))
    # Modules import the package from this checkout, installed or not, and one another.
    sys.path[:0] = [str(HERE.parent), str(HERE)]
    name = asked.pop("name")
    if name is None:
        print("\n".join(names()))
        return
    page = simulate(name, **{option: value for option, value in asked.items() if value is not None})
    print(page.read_text(encoding="utf-8"))


if __name__ == "__main__":
    main()
