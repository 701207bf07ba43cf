"""How well the nearest phrase tells whether a requirement is covered, and by which levels a score is read.

python benchmarks/requirement_coverage.py [--encoder use]    writes docs/measured/coverage.md and the levels

Measured on requirements of the demonstration's JDs that were labelled twice, each against some résumés. A
requirement counts as covered where both said yes or partly, as not covered where both said no; rows on which
they differ are left out. Intervals are of 95 %, from JDs drawn with replacement.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from datetime import date
from pathlib import Path

import document_labels
import numpy as np
import pandas as pd
from sklearn.metrics import roc_auc_score

import workbench as wb
from workbench.documents import Document, Part
from workbench.scorers import cover

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs/measured/coverage.md"
LEVELS = ROOT / "workbench/data/coverage.json"
FOLDER = ROOT / "labeled_pairs/documents"
N_RESAMPLES = 1000
# Covered: of ten such requirements, nine are. Not found: of ten, no more than half are.
COVERED, NOT_FOUND = 0.9, 0.5


class Asked(Document):
    """A JD with the requirements that were labelled for its parts."""

    parts: tuple[Part, ...] = ()  # type: ignore[assignment]


def labels() -> pd.DataFrame:
    """``jd_id, requirement_id, resume_id, covered, phrase``: rows on which two blind labels agree."""
    first, second = (pd.read_csv(FOLDER / f"coverage_{which}.csv") for which in ("first", "second"))
    both = first.merge(second, on=["jd_id", "requirement_id", "resume_id"], suffixes=("", "_second"))
    is_covered = both["covered"].ne("no")
    agreed = both[is_covered == both["covered_second"].ne("no")]
    return agreed.assign(is_covered=is_covered).reset_index(drop=True)


def scored(encoder: wb.BaseEncoder) -> pd.DataFrame:
    """The labels with the score of the nearest phrase, and the rank of a phrase that people named."""
    told = labels()
    requirements = pd.read_csv(FOLDER / "requirements.csv")
    jds = []
    for jd, some in requirements.groupby("jd_id"):
        asked = Asked(str(jd), "\n".join(some["text"]), side="jd")
        parts = tuple(
            Part(0, 0, text, "requirement", must=kind == "must")
            for text, kind in zip(some["text"], some["kind"], strict=True)
        )
        object.__setattr__(asked, "parts", parts)
        jds.append(asked)
    resumes = wb.read_documents(FOLDER / "resumes", side="resume", progress=False)
    at = {document.id: place for place, document in enumerate(jds)}
    columns = {document.id: place for place, document in enumerate(resumes)}
    pairs = sorted({(at[row.jd_id], columns[row.resume_id]) for row in told.itertuples()})
    found = {}
    for coverage in cover(encoder, jds, resumes, pairs):
        ids = requirements.loc[requirements["jd_id"] == coverage.jd.id, "requirement_id"]
        for requirement, row in zip(ids, coverage.rows, strict=True):
            found[coverage.jd.id, requirement, coverage.resume.id] = (row.score, row.phrase.text)
    keys = list(zip(told["jd_id"], told["requirement_id"], told["resume_id"], strict=True))
    named = [
        isinstance(phrase, str) and (phrase in found[key][1] or found[key][1] in phrase)
        for key, phrase in zip(keys, told["phrase"], strict=True)
    ]
    return told.assign(score=[found[key][0] for key in keys], names_it=named)


def levels(table: pd.DataFrame) -> tuple[float, float]:
    """The lowest score above which `COVERED` of requirements are covered, and the highest below which not."""
    ordered = table.sort_values("score", ascending=False)
    above = ordered["is_covered"].expanding().mean()
    below = ordered["is_covered"][::-1].expanding().mean()[::-1]
    enough = np.arange(1, len(ordered) + 1) >= 30
    covered = ordered["score"][(above >= COVERED).to_numpy() & enough].min()
    unsure = ordered["score"][(below <= NOT_FOUND).to_numpy() & enough[::-1]].max()
    return round(float(covered), 2), round(float(unsure), 2)


def with_interval(table: pd.DataFrame, figure: Callable[[pd.DataFrame], float]) -> str:
    """A figure of the table, with its interval."""
    return document_labels.with_interval(table, figure, N_RESAMPLES)


def auc(table: pd.DataFrame) -> float:
    """Of the scores, for what is covered against what is not."""
    return float(roc_auc_score(table["is_covered"], table["score"]))


def named(table: pd.DataFrame) -> float:
    """How often the nearest phrase is one that people named."""
    return float(table["names_it"].mean())


def share(table: pd.DataFrame) -> float:
    """How often a requirement is covered."""
    return float(table["is_covered"].mean())


def main() -> None:
    """Measure, print and write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--encoder", default="use")
    encoder = wb.load_encoder(parser.parse_args().encoder)
    table = scored(encoder)
    covered, unsure = levels(table)
    states = pd.cut(
        table["score"], [-np.inf, unsure, covered, np.inf], labels=["not found", "unsure", "covered"]
    )
    rows = [
        (
            "requirements and résumés",
            f"{len(table):,}, of which {table['is_covered'].mean():.1%} are covered",
        ),
        ("AUC of the nearest phrase's score", with_interval(table, auc)),
        ("the nearest phrase is one that people named", with_interval(table[table["is_covered"]], named)),
    ]
    for state, where in (
        ("covered", f"above {covered}"),
        ("unsure", f"above {unsure}"),
        ("not found", f"at or below {unsure}"),
    ):
        some = table[states == state]
        rows.append(
            (f"{state} ({where}): {len(some) / len(table):.0%} of rows", f"{with_interval(some, share)} are")
        )
    text = "\n".join(
        [
            "# Coverage\n",
            f"`python benchmarks/requirement_coverage.py --encoder {encoder.name}`, {date.today()}, "
            f"encoder {encoder.name} [{encoder.fingerprint}]\n",
            "| what | measured |\n| --- | --- |",
            *(f"| {what} | {value} |" for what, value in rows),
        ]
    )
    measured = json.loads(LEVELS.read_text("utf-8")) if LEVELS.exists() else {}
    measured[encoder.fingerprint] = {"encoder": encoder.name, "covered": covered, "unsure": unsure}
    LEVELS.write_text(json.dumps(measured, indent=2) + "\n", encoding="utf-8")
    PAGE.parent.mkdir(parents=True, exist_ok=True)
    PAGE.write_text(f"{text}\n", encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
