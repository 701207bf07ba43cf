"""Another scorer's scores with an offset for each language pair, so that one cutoff serves all of them.

Whether labels support offsets, and which, is found in :mod:`workbench.calibration.language_pairs`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from workbench.i18n import gettext as _
from workbench.scorers.base import FloatArray, Scorer, Scores
from workbench.scorers.collection import Languages, languages_of
from workbench.scorers.drift import State

OFFSETS = "offsets"


class OffsetScorer(Scorer):
    """Adds to the scores of another scorer what labels gave each language pair; part of the fingerprint.

    Parameters
    ----------
    first : Scorer
    offsets : mapping of str to float
        By language pair, as of :func:`language_pairs`; others get none.
    """

    def __init__(self, first: Scorer, offsets: Mapping[str, float] | None = None) -> None:
        self.first, self.offsets = first, dict(offsets or {})
        self.encoder = first.encoder

    @property
    def name(self) -> str:
        return f"{self.first.name}+{OFFSETS}"

    @property
    def fingerprint(self) -> str:
        return offset_fingerprint(self.first.fingerprint, self.offsets)

    @property
    def is_fitted(self) -> bool:
        return self.first.is_fitted and bool(self.offsets)

    def fit(
        self, jds: Sequence[str], resumes: Sequence[str], *, progress: bool | None = None
    ) -> OffsetScorer:
        return OffsetScorer(self.first.fit(jds, resumes, progress=progress), self.offsets)

    def state(self) -> State:
        return {**self.first.state(), **offset_state(self.offsets)}

    def with_state(self, state: State) -> OffsetScorer:
        rest = {name: array for name, array in state.items() if name != OFFSETS}
        offsets = state[OFFSETS].tolist() if OFFSETS in state else []
        return OffsetScorer(self.first.with_state(rest), {name: float(by) for name, by in offsets})

    def score_pairs(
        self,
        jds: Sequence[str],
        resumes: Sequence[str],
        rows: npt.NDArray[np.intp],
        columns: npt.NDArray[np.intp],
        *,
        progress: bool | None = None,
    ) -> FloatArray:
        found = self.first.score_pairs(jds, resumes, rows, columns, progress=progress)
        return found + self._added(languages_of(jds)[rows], languages_of(resumes)[columns])

    def _score(self, jds: Sequence[str], resumes: Sequence[str], progress: bool | None) -> Scores:
        found = self.first.score(jds, resumes, progress=progress)
        added = self._added(languages_of(jds)[:, None], languages_of(resumes)[None])
        how = _("{first} To that, each language pair has an offset.").format(first=found.how)
        stages = {**found.stages, "first": found.matrix}
        return Scores(found.matrix + added, self.name, self.fingerprint, how, stages, found.drift)

    def _added(self, jds: Languages, resumes: Languages) -> FloatArray:
        names = language_pairs(jds, resumes)
        added = np.zeros(names.shape)
        for name, by in self.offsets.items():
            added[names == name] = by
        return added


def language_pairs(jds: Languages, resumes: Languages) -> Languages:
    """``"zh-zh"``, ``"other-other"`` or ``"across"`` of JDs and résumés, in shapes that go together."""
    one, other = np.broadcast_arrays(jds, resumes)
    return np.where(one == other, np.char.add(np.char.add(one, "-"), other), "across")


def offset_state(offsets: Mapping[str, float]) -> dict[str, npt.NDArray[np.str_]]:
    """Offsets as they are kept beside another scorer's state; nothing for none."""
    rows = [(name, f"{by:.4f}") for name, by in sorted(offsets.items())]
    return {OFFSETS: np.array(rows, dtype=str)} if rows else {}


def offset_fingerprint(first: str, offsets: Mapping[str, float]) -> str:
    """Fingerprint of a scorer with offsets, by that of the scorer without."""
    rows = [array.tolist() for array in offset_state(offsets).values()]
    return hashlib.sha256(f"offsets 1 {rows} {first}".encode()).hexdigest()[:12]
