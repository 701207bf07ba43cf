"""How many cores, bytes and shards a number of résumés takes, from what was measured elsewhere.

    python benchmarks/sizing.py              # writes docs/sizing.md from the figures that are kept
    python benchmarks/sizing.py --measure    # weighs a knowledge base anew first

A test holds the page to the figures.
"""

from __future__ import annotations

import argparse
import json
import math
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
RESULTS, PAGE = ROOT / "benchmarks/results", ROOT / "docs/sizing.md"
RANKING, WEIGHT = ROOT / "docs/measured/ranking.md", ROOT / "benchmarks/sizing.json"
NUMBERS = (1_000_000, 10_000_000, 100_000_000, 1_000_000_000)
WEIGHED = 5_000
DIMENSION = 512


def main() -> None:
    """Write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--measure", action="store_true")
    if parser.parse_args().measure:
        weighed = {"n": WEIGHED, "bytes": weigh(), "dimension": DIMENSION}
        WEIGHT.write_text(json.dumps(weighed) + "\n", encoding="utf-8")
    PAGE.write_text(page(), encoding="utf-8")


def weigh() -> int:
    """Bytes on disk of a knowledge base of lines of some twenty words, with vectors by `use`."""
    from growth import made_up

    import workbench as wb

    words = made_up(4 * WEIGHED, 0)
    texts = [" ".join(words[at : at + 4]) for at in range(0, len(words), 4)]
    with tempfile.TemporaryDirectory() as folder:
        wb.KnowledgeBase.open(f"{folder}/kb", wb.load_encoder("use")).add(texts)
        return sum(path.stat().st_size for path in Path(folder, "kb").rglob("*") if path.is_file())


def kept(name: str) -> dict[str, Any]:
    """The figures of a benchmark."""
    found: dict[str, Any] = json.loads((RESULTS / f"{name}.json").read_text(encoding="utf-8"))
    return found


def largest_of(figures: dict[str, Any]) -> dict[str, Any]:
    """The largest index: seconds of a query in both ways, recall, and mebibytes at most."""
    curves = {curve["name"]: curve for curve in figures["scaling"] if curve["what"] != "encode"}
    found = {name: curve["seconds"][-1] for name, curve in curves.items()}
    n = curves["exact"]["n"][-1]
    peak = max(curve["mebibytes"][-1] for curve in curves.values())
    return found | {"n": n, "peak": peak, "recall": figures["recall"][str(n)]}


def page() -> str:
    """The guide."""
    measured = kept("scaling")
    figures, machine = measured["figures"], measured["machine"]
    encoding = [curve for curve in figures["scaling"] if curve["what"] == "encode"]
    largest = largest_of(figures)
    weighed = json.loads(WEIGHT.read_text(encoding="utf-8"))
    cores = machine["cores"]
    speeds = {curve["name"]: curve["n"][-1] / curve["seconds"][-1] / cores for curve in encoding}
    ranking = RANKING.read_text(encoding="utf-8")
    windows_a_second = _in(r"windows of 25 words: ([\d,]+) a second", ranking)
    n_documents = _in(r"--jds (\d+)", ranking) + _in(r"--resumes (\d+)", ranking)
    windows = _in(r"texts encoded for the score \| ([\d,]+)", ranking) / n_documents
    a_line = weighed["bytes"] / weighed["n"]
    per = {f"lines, `{name}`": (1.0, speed) for name, speed in speeds.items()}
    per["whole documents, `use`"] = (windows, windows_a_second)
    return "\n".join(
        [
            "# What a number of résumés takes",
            "Written by `python benchmarks/sizing.py` from figures that were measured, none of them guessed; "
            "a test holds this page to them. Multiply core hours by what a core hour costs you.",
            "",
            "| | texts encoded for each | a second and core | core hours a million |",
            "|---|---:|---:|---:|",
            *(
                f"| {name} | {number:.1f} | {speed:,.0f} | {_hours(1_000_000, number, speed):,.2f} |"
                for name, (number, speed) in per.items()
            ),
            "",
            *_table(per, a_line, windows, largest),
            "",
            "## The formula",
            "```text",
            "core hours = number × texts encoded for each ÷ texts a second and core ÷ 3,600",
            "cost       = core hours × price of a core hour",
            "days       = core hours ÷ cores ÷ 24",
            f"disk       = number × {a_line:,.0f} bytes (a line with its vector of {DIMENSION} numbers)",
            f"shards     = number ÷ {largest['n']:,}, rounded up (the largest index that was measured)",
            f"memory     = shards × {largest['peak'] / 2**10:.1f} GiB",
            "```",
            "",
            "## What it assumes",
            f"- A core as in the machine that was measured ({machine['processor']}, {cores} cores, "
            f"{machine['memory_gib']} GiB); a core's speed is that of both, halved.",
            "- Time grows with the number to the power 1: measured "
            + ", ".join(f"{curve['exponent']:.2f} (`{curve['name']}`)" for curve in encoding)
            + ", with no more than "
            f"{max(curve['n'][-1] for curve in encoding):,} texts. The rest is multiplied.",
            "- Machines add up. Several processes on one machine were tried ([bulk encoding]"
            "(measured/bulk.md)); several machines were not measured.",
            f"- A whole document is encoded in {windows:.1f} windows of 25 words, as JDs and résumés of real "
            "length were; their vectors alone take windows × dimension × 4 bytes.",
            f"- A query asks all shards at once and waits for the slowest: of {largest['n']:,} lines "
            f"{1000 * largest['approximate']:.1f} ms approximately (recall@5 {largest['recall']:.3f}), "
            f"{1000 * largest['exact']:.0f} ms exactly. Putting the answers of shards together was not "
            "measured.",
            "- A GPU: not measured.",
            "",
            "## Where each figure is from",
            "| figure | file | command |",
            "|---|---|---|",
            "| texts a second, exponents, search, memory of a shard | `benchmarks/results/scaling.json` "
            f"({measured['date']}) | `python benchmarks/scaling.py` |",
            "| windows a document, windows a second and core | `docs/measured/ranking.md` | "
            f"`{_command(ranking)}` |",
            f"| bytes a line, of {weighed['n']:,} | `benchmarks/sizing.json` | "
            "`python benchmarks/sizing.py --measure` |",
            "",
        ]
    )


def _table(
    per: dict[str, tuple[float, float]], a_line: float, windows: float, largest: dict[str, Any]
) -> Iterator[str]:
    """A row a number of résumés."""
    lines, whole = per["lines, `use`"], per["whole documents, `use`"]
    heads = ("résumés", "lines: core hours", "disk, GB", "shards", "memory, GiB", "whole: core hours")
    yield f"| {' | '.join(heads)} | their vectors, GB |"
    yield "|---:|" + "---:|" * 6
    for number in NUMBERS:
        shards = math.ceil(number / largest["n"])
        cells = [
            number,
            _hours(number, *lines),
            number * a_line / 1e9,
            shards,
            shards * largest["peak"] / 2**10,
            _hours(number, *whole),
            number * windows * DIMENSION * 4 / 1e9,
        ]
        shown = (f"{cell:,.{int(cell < 10 and cell % 1 > 0)}f}" for cell in cells)
        yield f"| {' | '.join(shown)} |"


def _hours(number: float, texts: float, speed: float) -> float:
    return number * texts / speed / 3600


def _in(pattern: str, text: str) -> float:
    found = re.search(pattern, text)
    if found is None:
        raise SystemExit(f"{RANKING} does not say {pattern}")
    return float(found[1].replace(",", ""))


def _command(text: str) -> str:
    return text.split("`")[1]


if __name__ == "__main__":
    main()
