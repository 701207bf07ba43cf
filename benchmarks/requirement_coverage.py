"""How well the nearest phrase tells whether a requirement is covered, and by which levels a score is read.

python benchmarks/requirement_coverage.py [--encoder use]    writes docs/measured/coverage.md and the levels

Measured on requirements of the demonstration's JDs that were labelled twice and, where these differ, decided
by a third reading. A requirement counts as covered where it is said to be, or partly. Intervals are of 95 %,
from JDs drawn with replacement. What the levels promise is measured on JDs that did not set them: half of
the JDs set the levels by which the other half is read.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from datetime import date
from pathlib import Path
from unittest import mock

import document_labels
import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

import workbench as wb
from workbench.documents import Document, Part
from workbench.scorers import cover, coverage

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs/measured/coverage.md"
LEVELS = ROOT / "workbench/data/coverage.json"
FOLDER = ROOT / "labeled_pairs/documents"
N_RESAMPLES = 1000
# Covered: of ten such requirements, nine are. Not found: more are not than are.
COVERED, NOT_FOUND = 0.9, 0.45


class Asked(Document):
    """A JD with the requirements that were labelled for its parts."""

    parts: tuple[Part, ...] = ()  # type: ignore[assignment]


def labels() -> pd.DataFrame:
    """``jd_id, requirement_id, resume_id, covered, phrase, is_covered``; the third reading decides."""
    keys = ["jd_id", "requirement_id", "resume_id"]
    first, third = (
        pd.read_csv(FOLDER / f"coverage_{which}.csv").set_index(keys) for which in ("first", "adjudicated")
    )
    told = first.drop(third.index)
    told = pd.concat([told, third]).sort_index().reset_index()
    return told.assign(is_covered=told["covered"].ne("no"))


def scored(encoder: wb.BaseEncoder) -> pd.DataFrame:
    """The labels with the score of the nearest phrase, and whether it is one that people named."""
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
    for each in cover(encoder, jds, resumes, pairs):
        ids = requirements.loc[requirements["jd_id"] == each.jd.id, "requirement_id"]
        for requirement, row in zip(ids, each.rows, strict=True):
            found[each.jd.id, requirement, each.resume.id] = (row.score, row.phrase.text)
    keys = list(zip(told["jd_id"], told["requirement_id"], told["resume_id"], strict=True))
    named = [
        isinstance(phrase, str) and (phrase in found[key][1] or found[key][1] in phrase)
        for key, phrase in zip(keys, told["phrase"], strict=True)
    ]
    return told.assign(score=[found[key][0] for key in keys], names_it=named)


def levels(table: pd.DataFrame) -> tuple[float, float]:
    """The lowest score above which `COVERED` of requirements are covered, and the highest below which not.

    By a logistic curve, since so few labels say little about any one score.
    """
    scores = table["score"].to_numpy()[:, None]
    curve = LogisticRegression(C=np.inf).fit(scores, table["is_covered"])
    grid = np.round(np.arange(scores.min(), scores.max(), 0.01), 2)
    chances = curve.predict_proba(scores)[:, 1]
    covered = min(at for at in grid if chances[scores[:, 0] > at].mean() >= COVERED)
    unsure = max((at for at in grid[1:] if chances[scores[:, 0] <= at].mean() <= NOT_FOUND), default=grid[0])
    return float(covered), float(unsure)


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


def states(table: pd.DataFrame, covered: float, unsure: float) -> pd.Series:
    """What each score means by these levels."""
    edges = [-np.inf, unsure, covered, np.inf]
    return pd.cut(table["score"], edges, labels=["not found", "unsure", "covered"])


def states_by_other_half(table: pd.DataFrame) -> pd.Series:
    """What each score means by levels of the JDs that its own is not among."""
    half = table["jd_id"].rank(method="dense") % 2
    return pd.concat([states(some, *levels(table[half != which])) for which, some in table.groupby(half)])


def tried(encoder: wb.BaseEncoder) -> list[tuple[str, str, str]]:
    """AUC, and how often the nearest phrase is the named one, by the weight of keywords."""
    rows = []
    for weight in (0.0, 0.2, 0.5, 1.0):
        with mock.patch.object(coverage, "KEYWORDS", weight):
            table = scored(encoder)
        rows.append(
            (
                f"{weight} × keywords",
                with_interval(table, auc),
                with_interval(table[table["is_covered"]], named),
            )
        )
    with mock.patch.object(coverage, "offsets_of", return_value={}):
        table = scored(encoder)
    rows.append(
        ("nothing taken off", with_interval(table, auc), with_interval(table[table["is_covered"]], named))
    )
    return rows


def main() -> None:
    """Measure, print and write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--encoder", default="use")
    encoder = wb.load_encoder(parser.parse_args().encoder)
    table = scored(encoder)
    covered, unsure = levels(table)
    crossed = states_by_other_half(table)
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
        some = table[crossed.reindex(table.index) == state]
        rows.append(
            (
                f"{state} ({where}): {len(some) / len(table):.0%} of rows",
                f"{with_interval(some, share)} are covered",
            )
        )
    text = "\n".join(
        [
            "# Coverage\n",
            f"`python benchmarks/requirement_coverage.py --encoder {encoder.name}`, {date.today()}, "
            f"encoder {encoder.name} [{encoder.fingerprint}]\n",
            "| what | measured |\n| --- | --- |",
            *(f"| {what} | {value} |" for what, value in rows),
            "\n| how a requirement and a phrase are scored | AUC | the nearest phrase is the named one |",
            "| --- | --- | --- |",
            *(f"| {' | '.join(row)} |" for row in tried(encoder)),
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
