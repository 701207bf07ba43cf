"""Which requirement of a JD is covered by which phrase of a résumé: the evidence behind a score.

What no phrase was found for may still be there in other words: nothing here says that a person lacks it.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module, resources
from itertools import groupby
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt

from workbench.documents.document import Document
from workbench.documents.splitting import Part, Side
from workbench.i18n import N_
from workbench.results import Result, plain
from workbench.scorers.base import FloatArray
from workbench.scorers.collection import (
    SIDES,
    Languages,
    Vectors,
    centred,
    languages_of,
    offsets_of,
    trust_of,
)
from workbench.scorers.keywords import Keywords
from workbench.text_encoder import TextEncoder

if TYPE_CHECKING:
    import pandas as pd

State = Literal["covered", "unsure", "not found"]
STATES = {"covered": N_("covered"), "unsure": N_("unsure"), "not found": N_("no phrase found")}
# Told apart without colour too.
SIGNS = {"covered": "✓", "unsure": "?", "not found": "○", None: ""}
# Beside the vectors; keywords count for more between a line and a line than between whole texts.
KEYWORDS = 0.5


@dataclass(frozen=True)
class CoverageLevels(Result):
    """From which score on a requirement counts as covered, and up to which no phrase is found.

    Attributes
    ----------
    covered, unsure : float
        ``score > covered`` is covered, ``score <= unsure`` is not found, between them it is unsure.
    encoder_fingerprint : str
        Of the encoder that they were measured with.
    """

    covered: float
    unsure: float
    encoder_fingerprint: str

    def state(self, score: float) -> State:
        """What a score means."""
        return "covered" if score > self.covered else "unsure" if score > self.unsure else "not found"


@dataclass(frozen=True)
class Covered(Result):
    """A requirement with the phrase that comes nearest to it; `state` is None without levels."""

    requirement: Part
    phrase: Part
    score: float
    state: State | None


@dataclass(frozen=True, eq=False)
class Coverage(Result):
    """A JD's requirements against one résumé, in the order of the JD.

    Attributes
    ----------
    jd, resume : Document
    rows : tuple of Covered
    """

    jd: Document
    resume: Document
    rows: tuple[Covered, ...]

    def to_dict(self) -> dict[str, Any]:
        """Its rows; the documents by their ids only, since many pairs share them."""
        return {"jd_id": self.jd.id, "resume_id": self.resume.id, "rows": plain(self.rows)}

    @property
    def best(self) -> Covered:
        """The requirement that is covered best."""
        return max(self.rows, key=lambda row: row.score)

    @property
    def missing(self) -> list[Covered]:
        """Requirements, not those that are nice to have, for which no phrase was found."""
        return [
            row for row in self.rows if row.state == "not found" and row.requirement.kind == "requirement"
        ]

    @property
    def counts(self) -> dict[str, int]:
        """How many rows have each state."""
        return {state: sum(row.state == state for row in self.rows) for state in STATES}

    @property
    def names_requirements(self) -> bool:
        """Whether the JD asks for anything; otherwise its other lines stand in the rows."""
        return any(row.requirement.is_asked for row in self.rows)

    def _repr_html_(self) -> str:
        # Looks up to the reports by name, as a study does to its plots.
        return str(import_module("workbench.reports.shortlist").coverage_html(self))

    def to_frame(self) -> pd.DataFrame:
        """``requirement, kind, must, phrase, section, score, state``, a row a requirement."""
        import pandas as pd

        return pd.DataFrame(
            [
                {
                    "requirement": row.requirement.text,
                    "kind": row.requirement.kind,
                    "must": row.requirement.must,
                    "phrase": row.phrase.text,
                    "section": row.phrase.section,
                    "score": row.score,
                    "state": row.state,
                }
                for row in self.rows
            ]
        )


def levels_of(fingerprint: str) -> CoverageLevels | None:
    """The levels that were measured with an encoder on the demonstration's documents; None for others.

    ``python benchmarks/requirement_coverage.py`` measures them.
    """
    measured = json.loads(resources.files("workbench").joinpath("data/coverage.json").read_text("utf-8"))
    found = measured.get(fingerprint)
    return None if found is None else CoverageLevels(found["covered"], found["unsure"], fingerprint)


def cover(
    encoder: TextEncoder,
    jds: Sequence[Document],
    resumes: Sequence[Document],
    pairs: Sequence[tuple[int, int]],
    *,
    levels: CoverageLevels | None = None,
    progress: bool | None = None,
) -> list[Coverage]:
    """The coverage of some pairs; only their requirements and phrases are encoded, each once.

    The score of a requirement and a phrase is their cosine after what all requirements and all phrases here
    have in common came off, where there are enough, and half their keywords'.

    Parameters
    ----------
    pairs : sequence of (int, int)
        Positions in `jds` and `resumes`.
    levels : CoverageLevels, optional
        Without them, requirements have no state.
    """
    used: dict[Side, list[int]] = {
        "jd": sorted({jd for jd, _resume in pairs}),
        "resume": sorted({resume for _jd, resume in pairs}),
    }
    parts: dict[Side, dict[int, Sequence[Part]]] = {
        "jd": {at: jds[at].requirements for at in used["jd"]},
        "resume": {at: resumes[at].phrases for at in used["resume"]},
    }
    vectors: dict[Side, Vectors] = {}
    languages: dict[Side, Languages] = {}
    places: dict[Side, dict[int, slice]] = {}
    texts: dict[Side, list[str]] = {}
    for side in SIDES:
        encode = encoder.encode_documents if side == "jd" else encoder.encode_queries
        texts[side] = [part.text for at in used[side] for part in parts[side][at]]
        ends = np.cumsum([0, *(len(parts[side][at]) for at in used[side])])
        places[side] = {at: slice(ends[n], ends[n + 1]) for n, at in enumerate(used[side])}
        vectors[side] = encode(texts[side], progress=progress)
        languages[side] = languages_of(texts[side])
    offsets = offsets_of(vectors, languages, trust_of(vectors, languages))
    less = {side: centred(vectors[side], side, languages[side], offsets) for side in SIDES}
    keywords = Keywords.of(texts["jd"], texts["resume"])
    found = []
    for jd, some in groupby(pairs, key=lambda pair: pair[0]):
        candidates = [resume for _jd, resume in some]
        left = places["jd"][jd]
        right = np.r_[tuple(places["resume"][at] for at in candidates)]
        scores = less["jd"][left] @ less["resume"][right].T + KEYWORDS * keywords.between(left, right)
        ends = np.cumsum([len(parts["resume"][at]) for at in candidates])
        for resume, own in zip(candidates, np.split(scores, ends[:-1], axis=1), strict=True):
            sides = parts["jd"][jd], parts["resume"][resume]
            found.append(_coverage(jds[jd], resumes[resume], *sides, own, levels))
    return found


def _coverage(
    jd: Document,
    resume: Document,
    requirements: Sequence[Part],
    phrases: Sequence[Part],
    scores: FloatArray | npt.NDArray[np.float32],
    levels: CoverageLevels | None,
) -> Coverage:
    best = scores.argmax(axis=1)
    rows = [
        (requirement, phrases[column], round(float(scores[row, column]), 4))
        for row, (requirement, column) in enumerate(zip(requirements, best.tolist(), strict=True))
    ]
    return Coverage(
        jd,
        resume,
        tuple(Covered(*row, levels.state(row[2]) if levels is not None else None) for row in rows),
    )
