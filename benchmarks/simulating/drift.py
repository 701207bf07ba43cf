"""How often drift is told where there is none, and where there is, on the demonstration's texts."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import numpy as np

import workbench as wb
from workbench.scorers import RelativeScorer, relative
from workbench.scorers.collection import SIDES
from workbench.scorers.drift import Texts, drift_from, seen_in

__all__ = ["run"]

PAIRS = Path(__file__).parents[2] / "labeled_pairs"
FOLDERS = {"jd": "jds", "resume": "resumes"}
Pile = Mapping[str, Texts]
Rows = Mapping[str, np.ndarray]


def pile(texts: Mapping[str, list[str]]) -> dict[str, Texts]:
    """Texts of both sides, as the default scorer sees them with the embedded encoder."""
    scorer = RelativeScorer(wb.load_encoder("use"))
    return relative._texts({side: scorer._encode(some, side, False) for side, some in texts.items()})


def part(of: Pile, rows: Rows) -> dict[str, Texts]:
    """Some texts of each side."""
    return {
        side: Texts(of[side].vectors[at], of[side].languages[at], np.array(of[side].lengths)[at].tolist())
        for side, at in rows.items()
        if len(at)
    }


def documents() -> tuple[dict[str, Texts], dict[str, np.ndarray]]:
    """The whole documents, and the family of each."""
    with (PAIRS / "documents" / "documents.csv").open(encoding="utf-8") as file:
        family = {row["id"]: row["family"] for row in csv.DictReader(file)}
    read = {
        side: wb.read_documents(PAIRS / "documents" / FOLDERS[side], side=side, progress=False)
        for side in SIDES
    }
    families = {side: np.array([family[each.id] for each in some]) for side, some in read.items()}
    return pile({side: [each.text for each in some] for side, some in read.items()}), families


def run(runs: int = 500, seed: int = 0) -> str:
    """A row for each way in which a fit and what is scored may come from one pile, or from two."""
    rng = np.random.default_rng(seed)
    whole, families = documents()
    pairs = wb.read_pairs(PAIRS / "demo")
    lines = pile({side: list(dict.fromkeys(pairs[side])) for side in SIDES})
    n = {side: len(whole[side].vectors) for side in SIDES}
    every = {side: np.arange(n[side]) for side in SIDES}

    def held_out(size: Callable[[str], int]) -> Iterator[tuple[Pile, Pile]]:
        for _ in range(runs):
            order = {side: rng.permutation(n[side]) for side in SIDES}
            new = {side: order[side][: size(side)] for side in SIDES}
            yield part(whole, {side: order[side][size(side) :] for side in SIDES}), part(whole, new)

    def other_families() -> Iterator[tuple[Pile, Pile]]:
        for _ in range(runs):
            names = np.unique(families["jd"])
            half = rng.permutation(names)[: len(names) // 2]
            chosen = {side: np.isin(families[side], half) for side in SIDES}
            yield (
                part(whole, {side: every[side][~chosen[side]] for side in SIDES}),
                part(whole, {side: every[side][chosen[side]] for side in SIDES}),
            )

    def one_family() -> Iterator[tuple[Pile, Pile]]:
        for family in np.unique(families["resume"]):
            chosen = families["resume"] == family
            rest = {"jd": every["jd"][families["jd"] != family], "resume": every["resume"][~chosen]}
            yield part(whole, rest), part(whole, {"resume": every["resume"][chosen]})

    few = {"jd": 1, "resume": 3}
    cases = {
        "a third of the pile, held out": held_out(lambda side: n[side] // 3),
        "10 JDs and 10 résumés held out": held_out(lambda side: 10),
        "a JD and 3 résumés held out": held_out(few.__getitem__),
        "the résumés of one family, each in turn": one_family(),
        "the other half of the job families": other_families(),
        "lines, against documents": iter([(whole, lines)]),
        "documents, against lines": iter([(lines, whole)]),
    }
    table = []
    for name, drawn in cases.items():
        told = [{found.what for found in drift_from(seen_in(fit), new)} for fit, new in drawn]
        counts = Counter(what for some in told for what in some)
        shares = [counts[what] / len(told) for what in ("content", "length", "unseen")]
        any_of = np.mean([bool(some) for some in told])
        table.append([name, str(len(told)), *(f"{share:.1%}" for share in (any_of, *shares))])
    head = ["what is scored", "draws", "told", "content", "length", "language"]
    body = "\n".join(f"| {' | '.join(row)} |" for row in [head, ["---", *["---:"] * 5], *table])
    return (
        "# Drift: do texts look like those that a scorer was fitted on?\n\n"
        "A scorer is fitted on a part of the demonstration's documents (encoder `use`), and what is scored\n"
        "is another part of them, or other texts. How often something is told, and what.\n\n" + body
    )
