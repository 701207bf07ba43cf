"""One row of a search result, and the checks that every search makes before it encodes anything."""

from __future__ import annotations

import operator
import sys
import warnings
from collections.abc import Mapping, Sequence
from typing import Any, NotRequired, TypedDict

import numpy as np
import numpy.typing as npt

from workbench.cutoffs import Cutoff
from workbench.errors import CleaningWarning, InputError
from workbench.retrieval.hit_probability import HitProbability, hit_probabilities
from workbench.texts import MAX_CHARACTERS, clean

__all__ = ["DEFAULT_K", "Hit", "check_k", "clean_query", "hits_from", "warn_caller"]

DEFAULT_K = 5


class Hit(TypedDict):
    """One row of a search result.

    Attributes
    ----------
    rank : int
        From 1, best first; equal scores stay in the order of the knowledge base.
    text : str
        The text as it was encoded, after cleaning.
    score : float
        Cosine similarity in [-1, 1], full precision; show it with 4 decimals.
    is_match : bool
        Whether ``score > cutoff``.
    index : int
        Position in the list that was searched, or row number in the knowledge base, from 0.
    metadata : dict
        What was stored with the text; empty for a list.
    probability : HitProbability
        How probable a match is, with its interval; only where the cutoff's card says so.
    """

    rank: int
    text: str
    score: float
    is_match: bool
    index: int
    metadata: dict[str, Any]
    probability: NotRequired[HitProbability]


def hits_from(
    scores: npt.NDArray[np.float32],
    rows: npt.NDArray[np.intp],
    texts: Sequence[str],
    records: Sequence[Mapping[str, Any]],
    cutoff: Cutoff,
    positions: Sequence[int] | None = None,
) -> list[Hit]:
    """Hits of one query from what an index returned: `scores` and `rows`, shape (k,), best first.

    `positions` gives the caller's position of each row, where it is not the row number itself.
    """
    hits = [
        Hit(
            rank=rank,
            text=texts[row],
            score=score,
            is_match=score > cutoff.value,
            index=row if positions is None else positions[row],
            metadata=dict(records[row]) if records else {},
        )
        for rank, (score, row) in enumerate(zip(scores.tolist(), rows.tolist(), strict=True), start=1)
    ]
    for hit, probability in zip(hits, hit_probabilities(cutoff, scores.tolist()) or (), strict=False):
        hit["probability"] = probability
    return hits


def clean_query(query: str) -> str:
    """The query, cleaned as the texts of a knowledge base are, with a warning if it had to be cut.

    Raises
    ------
    InputError
        If the query is not a string, or has nothing but white space.
    """
    if not isinstance(query, str):
        raise InputError(f"The query is {type(query).__name__} ({query!r:.40}); pass one string.")
    cleaned = clean([query])
    if not cleaned.texts:
        raise InputError(
            "The query is empty; type what you are looking for, such as a skill or an experience."
        )
    for cut in cleaned.report.cut:
        warn_caller(
            f"The query has {cut.length:,} characters; only the first {cut.kept} were searched for "
            f"(texts are cut at {MAX_CHARACTERS}).",
            CleaningWarning,
        )
    return cleaned.texts[0]


def check_k(k: int | None, n: int, note: str = "") -> int:
    """How many hits to return: `k`, or by default 5, or all where there are fewer.

    Raises
    ------
    InputError
        If there are no texts, or `k` is not an integer from 1 to `n`.
    """
    if n == 0:
        raise InputError(f"The knowledge base is empty{note}; add at least one text before searching.")
    if k is None:
        return min(DEFAULT_K, n)
    try:
        k = operator.index(k)
    except TypeError:
        raise InputError(f"k is {k!r}; it must be a whole number from 1 to {n}.") from None
    if k < 1:
        raise InputError(f"k is {k}; ask for at least 1 hit.")
    if k > n:
        raise InputError(
            f"k is {k}, but the knowledge base has {n} text{'s' * (n != 1)}{note}; "
            f"ask for at most {n}, or leave k out."
        )
    return k


def warn_caller(message: str, category: type[Warning]) -> None:
    """Warn at the line outside the workbench that led here, so that Python can show it once a line."""
    frame, level = sys._getframe(1), 2
    while frame.f_back and _is_ours(frame.f_globals.get("__name__", "")):
        frame, level = frame.f_back, level + 1
    warnings.warn(message, category, stacklevel=level)


def _is_ours(module: str) -> bool:
    return module.partition(".")[0] == "workbench"
