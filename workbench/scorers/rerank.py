"""A second look at the best: a first stage orders all résumés, a reranker reads the top ones with the JD."""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

from workbench.errors import EncoderError, InputError
from workbench.i18n import gettext as _
from workbench.i18n import ngettext, pgettext
from workbench.progress import progress_bar
from workbench.scorers.base import FloatArray, Scorer, Scores, check_sides
from workbench.scorers.drift import State
from workbench.scorers.rerank_store import RerankStore
from workbench.scorers.rerankers import Reranked, Reranker

TOP = 50


class RerankScorer(Scorer):
    """The reranker's probability for the résumés that a first stage puts on top, below 0 for all others.

    A pair that the reranker has read has its probability, 0 to 1; any other has ``-1 / (1 + exp(s))`` of its
    first score `s`, which is between -1 and 0 and keeps the first stage's order. So every pair that was read
    is above every other, and a cutoff is one of the reranker's probabilities.

    Parameters
    ----------
    first : Scorer
        Scores all pairs.
    reranker : Reranker
        See :func:`~workbench.scorers.load_reranker`.
    top : int
        Résumés of each JD that it reads; the same text counts once.
    store : RerankStore, optional
        Where its scores are kept, batch by batch: a stopped run goes on where it was, and no pair is read
        twice.

    Raises
    ------
    InputError
        If `top` is below 1.
    """

    def __init__(
        self, first: Scorer, reranker: Reranker, top: int = TOP, store: RerankStore | None = None
    ) -> None:
        if top < 1:
            raise InputError(_("{name} is {value}; it must be at least 1.").format(name="top", value=top))
        self.first, self.reranker, self.top, self.store = first, reranker, top, store
        self.encoder = first.encoder

    @property
    def name(self) -> str:
        return f"{self.first.name}+rerank:{self.reranker.name}"

    @property
    def fingerprint(self) -> str:
        parts = f"rerank 1 {self.top} {self.first.fingerprint} {self.reranker.fingerprint}"
        return hashlib.sha256(parts.encode()).hexdigest()[:12]

    @property
    def is_fitted(self) -> bool:
        return self.first.is_fitted

    def fit(
        self, jds: Sequence[str], resumes: Sequence[str], *, progress: bool | None = None
    ) -> RerankScorer:
        first = self.first.fit(jds, resumes, progress=progress)
        return RerankScorer(first, self.reranker, self.top, self.store)

    def state(self) -> State:
        return self.first.state()

    def with_state(self, state: State) -> RerankScorer:
        return RerankScorer(self.first.with_state(state), self.reranker, self.top, self.store)

    def score_pairs(
        self,
        jds: Sequence[str],
        resumes: Sequence[str],
        rows: npt.NDArray[np.intp],
        columns: npt.NDArray[np.intp],
        *,
        progress: bool | None = None,
    ) -> FloatArray:
        """As of :class:`Scorer`; the top of a JD is among the pairs that are asked for, not all résumés.

        So what a cutoff finds of labelled pairs is what it finds among résumés that are read; in use, those
        that the first stage leaves out are missed besides.
        """
        check_sides(jds, resumes)
        asked = np.zeros((len(jds), len(resumes)), dtype=bool)
        asked[rows, columns] = True
        first = self.first.score(jds, resumes, progress=progress)
        return self._combined(first, jds, resumes, asked, progress).matrix[rows, columns]

    def _score(self, jds: Sequence[str], resumes: Sequence[str], progress: bool | None) -> Scores:
        first = self.first.score(jds, resumes, progress=progress)
        return self._combined(first, jds, resumes, np.ones(first.matrix.shape, dtype=bool), progress)

    def _combined(
        self,
        first: Scores,
        jds: Sequence[str],
        resumes: Sequence[str],
        asked: npt.NDArray[np.bool_],
        progress: bool | None,
    ) -> Scores:
        read = self._read(first.matrix, jds, resumes, asked, progress)
        return Scores(
            np.where(np.isnan(read), -1 / (1 + np.exp(first.matrix)), read),
            self.name,
            self.fingerprint,
            _(
                "{first} Of each JD the best {top} were then read together with it by {reranker}, whose "
                "probability is their score; all others are below 0."
            ).format(first=first.how, top=self.top, reranker=self.reranker.name),
            {"first": first.matrix, "rerank": read},
            first.drift,
        )

    def _read(
        self,
        first: FloatArray,
        jds: Sequence[str],
        resumes: Sequence[str],
        asked: npt.NDArray[np.bool_],
        progress: bool | None,
    ) -> FloatArray:
        """The reranker's probabilities; NaN where it did not look."""
        # Sorted by text, so that ties at the end of the top do not depend on the order of the texts.
        texts, at, which = np.unique(np.array(resumes, dtype=object), return_index=True, return_inverse=True)
        read = np.full((len(jds), len(texts)), np.nan)
        chosen = []
        # Equal but for the rounding of their vectors.
        for row, scores in enumerate(np.round(first, 6)):
            wanted = np.zeros(len(texts), dtype=bool)
            wanted[which[asked[row]]] = True
            order = np.argsort(np.where(wanted, -scores[at], np.inf), kind="stable")
            chosen.append(order[: min(self.top, int(wanted.sum()))])
        total, n_in_windows = sum(map(len, chosen)), 0
        unit = pgettext("unit of a progress bar", "pair")
        with progress_bar(total, self.reranker.name, progress, unit=unit) as bar:
            for row, (jd, some) in enumerate(zip(jds, chosen, strict=True)):
                for positions, scores, in_windows in self._batches(jd, [texts[i] for i in some]):
                    read[row, some[positions]] = self._checked(scores)
                    n_in_windows += int(in_windows.sum())
                    bar.update(len(positions))
        if n_in_windows:
            warnings.warn(
                ngettext(
                    "{n} of {total} pairs was too long for {reranker}, which read it in windows; the best of "
                    "them is its score.",
                    "{n} of {total} pairs were too long for {reranker}, which read them in windows; the best "
                    "of these is a pair's score.",
                    n_in_windows,
                ).format(n=n_in_windows, total=total, reranker=self.reranker.name),
                stacklevel=2,
            )
        return np.where(asked, read[:, which], np.nan)

    def _batches(self, jd: str, resumes: Sequence[str]) -> Iterator[Reranked]:
        """The reranker's batches; what is stored comes first, and what is not is stored before it counts."""
        missing = np.arange(len(resumes))
        if self.store and len(resumes):
            fingerprint = self.reranker.fingerprint
            scores, in_windows = self.store.get(fingerprint, jd, resumes)
            known = np.flatnonzero(~np.isnan(scores))
            yield Reranked(known, scores[known], in_windows[known])
            missing = np.flatnonzero(np.isnan(scores))
        if not len(missing):
            return
        wanted = [resumes[at] for at in missing.tolist()]
        for positions, scores, in_windows in self.reranker.score_batches(jd, wanted):
            if self.store:
                done = [wanted[at] for at in positions.tolist()]
                self.store.put(fingerprint, jd, done, self._checked(scores), in_windows)
            yield Reranked(missing[positions], scores, in_windows)

    def _checked(self, scores: FloatArray) -> FloatArray:
        bad = scores[~((scores >= 0) & (scores <= 1))]
        if len(bad):
            raise EncoderError(
                _(
                    "{reranker} gave {score}, where a probability from 0 to 1 was expected. If it is a "
                    "server that gives raw numbers, load its reranker with the option logits."
                ).format(reranker=self.reranker.name, score=f"{bad[0]:.4g}")
            )
        return scores
