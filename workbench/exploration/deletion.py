"""Testing explanations: the phrases that they name are deleted, and random ones for comparison.

Explanations themselves are made in :mod:`workbench.exploration.leaving_out`.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from workbench.errors import InputError
from workbench.exploration.explanation import ExplainedText, Explanation, Side
from workbench.exploration.faithfulness import Difference, Faithfulness
from workbench.exploration.leaving_out import cosines_with, encoded_once, explain_pairs
from workbench.exploration.phrases import MOST_WORDS, Phrase, without
from workbench.text_encoder import TextEncoder

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["measure_faithfulness"]

FIGURES = (
    "drop_top",
    "drop_longest",
    "drop_random",
    "kept_top",
    "kept_random",
    "share_top",
    "share_random",
)


def measure_faithfulness(
    pairs: pd.DataFrame,
    encoder: TextEncoder,
    *,
    side: Side = "resume",
    k: int = 2,
    n_random: int = 5,
    n_pairs: int | None = None,
    confidence: float = 0.95,
    n_resamples: int = 2000,
    most_words: int = MOST_WORDS,
    seed: int = 0,
    progress: bool | None = None,
) -> Faithfulness:
    """Delete the phrases that explanations name, and random ones, and compare what the score loses.

    Deleting what was named is the *comprehensiveness* of DeYoung et al. [1]_, keeping only that their
    *sufficiency*; both are set against the same number of phrases drawn at random. An explanation by
    leaving out one phrase passes the first test for ``k = 1`` by construction, so that at least two are
    deleted together; it never saw the second.

    Parameters
    ----------
    pairs : DataFrame
        ``jd`` and ``resume``; with ``jd_id``, that says which pairs share a JD.
    encoder : TextEncoder
    side : {"jd", "resume"}
        Whose phrases are deleted.
    k : int
        How many, at least 2. Pairs whose text has no more phrases are left out and counted.
    n_random : int
        Random draws for each pair, whose mean is taken.
    n_pairs : int, optional
        Measure on so many pairs, drawn at random; by default on all.
    confidence : float
        Of the intervals: a paired bootstrap that draws whole JDs, percentile method [2]_.
    n_resamples, seed : int
    most_words, progress
        As of :func:`~workbench.exploration.leaving_out.explain`.

    Raises
    ------
    InputError
        If `k` is below 2, no text has more than `k` phrases, or the pairs share one JD.

    References
    ----------
    .. [1] DeYoung et al. (2020), ERASER: a benchmark to evaluate rationalized NLP models, ACL, 4443-4458,
       section 4.2.
    .. [2] Davison & Hinkley (1997), Bootstrap Methods and their Application, sections 3.8 and 5.3.
    """
    import pandas as pd

    _check(pairs, k, n_random, confidence)
    rng = np.random.default_rng(seed)
    places = np.arange(len(pairs))
    if n_pairs is not None and n_pairs < len(pairs):
        places = np.sort(rng.choice(len(pairs), n_pairs, replace=False))
    used = pairs.iloc[places]
    explained = explain_pairs(
        zip(used["jd"], used["resume"], strict=True),
        encoder,
        sides=(side,),
        most_words=most_words,
        progress=progress,
    )
    long_enough = [row for row, one in enumerate(explained) if len(one.side(side).phrases) > k]
    if not long_enough:
        raise InputError(
            f"None of the {len(used):,} {'JDs' if side == 'jd' else 'résumé texts'} has more than {k} "
            "phrases, so that nothing is left to compare with; take longer texts."
        )
    jds = used["jd_id" if "jd_id" in used else "jd"].to_numpy()[long_enough]
    if len(set(jds)) < 2:
        raise InputError(
            f"There {'is only one pair' if len(jds) == 1 else f'are {len(jds)} pairs, but of one JD'}; "
            "how much the figures would vary with other JDs cannot be told: give pairs of several JDs."
        )
    kept = [explained[row] for row in long_enough]
    variants = [list(_variants(one.side(side), k, n_random, rng)) for one in kept]
    rows = _scored(kept, variants, encoder, side, progress)
    table = pd.DataFrame(
        {
            "pair": places[long_enough],
            "jd": jds,
            "score": [one.score for one in kept],
            "n_phrases": [len(one.side(side).phrases) for one in kept],
            **rows,
        }
    )

    def between(one: str, other: str) -> Difference:
        return _interval(table[one] - table[other], jds, confidence, n_resamples, seed)

    return Faithfulness(
        table=table,
        deleted=between("drop_top", "drop_random"),
        beside_longest=between("drop_top", "drop_longest"),
        kept=between("kept_top", "kept_random"),
        k=k,
        side=side,
        n_jds=len(set(jds)),
        n_short=len(used) - len(kept),
        confidence=confidence,
    )


def _check(pairs: pd.DataFrame, k: int, n_random: int, confidence: float) -> None:
    for column in ("jd", "resume"):
        if column not in pairs:
            raise InputError(f"The pairs have no column {column!r} (they have {', '.join(map(str, pairs))}).")
    if not len(pairs):
        raise InputError("There are no pairs to measure explanations on.")
    if k < 2:
        raise InputError(
            f"k is {k}; explanations name the phrase whose deletion lowers the score most, so that deleting "
            "one proves nothing: take at least 2."
        )
    if n_random < 1:
        raise InputError(f"n_random is {n_random}; at least one random draw is needed.")
    if not 0 < confidence < 1:
        raise InputError(f"confidence is {confidence}; it must lie between 0 and 1 (0.95 is usual).")


def _variants(text: ExplainedText, k: int, n_random: int, rng: np.random.Generator) -> Iterator[list[Phrase]]:
    """Which phrases are deleted: those named, the longest, then random ones."""
    phrases: list[Phrase] = list(text.phrases)
    effects = np.array([phrase.effect for phrase in text.phrases])
    lengths = np.array([len(phrase.text) for phrase in phrases])
    for order in (np.argsort(-effects, kind="stable"), np.argsort(-lengths, kind="stable")):
        yield [phrases[row] for row in order[:k]]
    for _ in range(n_random):
        yield [phrases[row] for row in rng.choice(len(phrases), k, replace=False)]


def _scored(
    explained: Sequence[Explanation],
    variants: Sequence[list[list[Phrase]]],
    encoder: TextEncoder,
    side: Side,
    progress: bool | None,
) -> dict[str, list[float]]:
    """Figures of each pair, from one call of the encoder for each side."""
    deleted, only = [], []
    for one, chosen in zip(explained, variants, strict=True):
        text = one.side(side)
        deleted.append([without(text.text, phrases) for phrases in chosen])
        rest = [[phrase for phrase in text.phrases if phrase not in phrases] for phrases in chosen]
        only.append([without(text.text, list(phrases)) for phrases in rest])
    of_side = [[*gone, *left] for gone, left in zip(deleted, only, strict=True)]
    other: Side = "jd" if side == "resume" else "resume"
    opposite = [[one.side(other).text] for one in explained]
    both = {side: of_side, other: opposite}
    vectors = {
        "jd": encoded_once(encoder.encode_documents, both["jd"], progress),
        "resume": encoded_once(encoder.encode_queries, both["resume"], progress),
    }
    rows: dict[str, list[float]] = {name: [] for name in FIGURES}
    for one, chosen, texts, against in zip(explained, variants, of_side, opposite, strict=True):
        scores = cosines_with(vectors[other](against)[0], vectors[side](texts))
        drops, alone = one.score - scores[: len(chosen)], scores[len(chosen) :]
        whole = sum(len(phrase.text) for phrase in one.side(side).phrases)
        shares = np.array([sum(len(phrase.text) for phrase in phrases) / whole for phrases in chosen])
        found = (drops[0], drops[1], drops[2:].mean(), alone[0], alone[2:].mean())
        for name, value in zip(FIGURES, (*found, shares[0], shares[2:].mean()), strict=True):
            rows[name].append(float(value))
    return rows


def _interval(
    differences: pd.Series[float],
    jds: npt.NDArray[Any] | Sequence[Hashable],
    confidence: float,
    n_resamples: int,
    seed: int,
) -> Difference:
    """Mean over pairs; its interval by drawing whole JDs, whose pairs depend on each other."""
    from scipy.stats import bootstrap

    by_jd = differences.groupby(np.asarray(jds), sort=True).agg(["sum", "size"])
    drawn = bootstrap(
        (by_jd["sum"].to_numpy(), by_jd["size"].to_numpy()),
        lambda sums, sizes, axis: sums.sum(axis=axis) / sizes.sum(axis=axis),
        paired=True,
        vectorized=True,
        n_resamples=n_resamples,
        confidence_level=confidence,
        method="percentile",
        rng=np.random.default_rng(seed),
    ).confidence_interval
    return Difference(float(differences.mean()), float(drawn.low), float(drawn.high))
