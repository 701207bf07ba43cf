"""Whether explanations can be trusted: phrases that they name are deleted, and random ones for comparison.

Explanations themselves are made in :mod:`workbench.exploration.explanation`.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt

from workbench.errors import InputError
from workbench.exploration.explanation import (
    ExplainedText,
    Explanation,
    Side,
    cosines_with,
    encoded_once,
    explain_pairs,
    side_name,
)
from workbench.exploration.inputs import check_between, check_count
from workbench.exploration.phrases import MOST_WORDS, Phrase, without
from workbench.i18n import N_, listed, paragraph, percent
from workbench.i18n import gettext as _
from workbench.results import Result, plain
from workbench.text_encoder import TextEncoder

if TYPE_CHECKING:
    import pandas as pd

Standing = Literal["faithful", "partly", "not faithful"]

FIGURES = (
    "drop_top",
    "drop_longest",
    "drop_random",
    "kept_top",
    "kept_random",
    "share_top",
    "share_random",
)
VERDICTS: dict[Standing, str] = {
    "faithful": N_("Both tests pass: the named phrases are what the score comes from."),
    "partly": N_("One of two tests fails: take highlights as a hint, do not quote them as a reason."),
    "not faithful": N_(
        "Neither test passes: with this encoder highlights are worth no more than phrases named at random; "
        "do not read them as reasons."
    ),
}


@dataclass(frozen=True)
class Difference(Result):
    """A mean over pairs, with its interval."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.value:+.4f} [{self.low:+.4f}, {self.high:+.4f}]"


@dataclass(frozen=True, eq=False, repr=False)
class Faithfulness(Result):
    """How much more the named phrases matter than others, over many pairs.

    Attributes
    ----------
    table : DataFrame
        A row for each pair that was used: ``pair`` (its place among those given), ``jd``, ``score``,
        ``n_phrases``; ``drop_top``, ``drop_random`` and ``drop_longest``, by how much the score falls when
        the `k` phrases that were named, `k` random ones, or the `k` longest are deleted; ``kept_top`` and
        ``kept_random``, the score of only those phrases; ``share_top`` and ``share_random``, how much of
        the text they are.
    deleted : Difference
        ``drop_top`` less ``drop_random``.
    beside_longest : Difference
        ``drop_top`` less ``drop_longest``: an explanation that only named long phrases would give 0.
    kept : Difference
        ``kept_top`` less ``kept_random``.
    k : int
        Phrases deleted, or kept.
    side : {"jd", "resume"}
        Whose phrases.
    n_jds : int
        JDs behind the pairs, which the intervals were drawn from.
    n_short : int
        Pairs left out because their text has no more than `k` phrases.
    confidence : float
    """

    table: pd.DataFrame
    deleted: Difference
    beside_longest: Difference
    kept: Difference
    k: int
    side: Side
    n_jds: int
    n_short: int
    confidence: float

    @property
    def standing(self) -> Standing:
        """Faithful where both tests show it, each by its whole interval."""
        passed = (self.deleted.low > 0) + (self.kept.low > 0)
        return ("not faithful", "partly", "faithful")[passed]

    @property
    def share_of_pairs(self) -> float:
        """Share of pairs in which the named phrases lower the score more than random ones do."""
        return float((self.table["drop_top"] > self.table["drop_random"]).mean())

    def sentence(self) -> str:
        """What was measured, and whether highlights may be read as reasons."""
        top, random = (float(self.table[name].mean()) for name in ("drop_top", "drop_random"))
        deleted = _(
            "In {n:,} pairs ({jds} JDs), deleting the {k} phrases that the explanation of the {side} names "
            "lowers the score by {top:.4f} on average, deleting {k} random ones by {random:.4f}: a "
            "difference of {difference}, found in {share} of pairs."
        )
        longest = _("Beside the {k} longest phrases, the difference is {difference}.")
        kept = _("Keeping only these {k} rather than {k} random ones makes a difference of {difference}.")
        return paragraph(
            [
                deleted.format(
                    n=len(self.table),
                    jds=self.n_jds,
                    k=self.k,
                    side=side_name(self.side),
                    top=top,
                    random=random,
                    difference=self._told(self.deleted),
                    share=percent(self.share_of_pairs),
                ),
                longest.format(k=self.k, difference=self._told(self.beside_longest)),
                kept.format(k=self.k, difference=self._told(self.kept)),
                _(VERDICTS[self.standing]),
            ]
        )

    def _told(self, found: Difference) -> str:
        return _("{value:+.4f} ({confidence}: {low:+.4f} to {high:+.4f})").format(
            confidence=percent(self.confidence, None), **found.to_dict()
        )

    def __repr__(self) -> str:
        return f"<Faithfulness: {self.standing}, deleted {self.deleted}, kept {self.kept}>"

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON, means in the place of the table."""
        means = ("drop_top", "drop_random", "drop_longest")
        own = ("side", "k", "n_jds", "n_short", "confidence", "deleted", "beside_longest", "kept")
        return {
            "standing": self.standing,
            "share_of_pairs": self.share_of_pairs,
            "n_pairs": len(self.table),
            **{name: float(self.table[name].mean()) for name in means},
            **{name: plain(getattr(self, name)) for name in own},
        }


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
        As of :func:`~workbench.exploration.explain`.

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
            _(
                "In none of the {n:,} pairs has the {side} more than {k} phrases, so that nothing is left to "
                "compare with; take longer texts."
            ).format(n=len(used), side=side_name(side), k=k)
        )
    jds = used["jd_id" if "jd_id" in used else "jd"].to_numpy()[long_enough]
    if len(set(jds)) < 2:
        raise InputError(
            _(
                "All pairs ({n}) are of one JD; how much the figures would vary with other JDs cannot be "
                "told: give pairs of several JDs."
            ).format(n=len(jds))
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
            raise InputError(
                _("The pairs have no column {column!r} (they have {columns}).").format(
                    column=column, columns=listed(pairs)
                )
            )
    if not len(pairs):
        raise InputError(_("There are no pairs to measure explanations on."))
    if k < 2:
        raise InputError(
            _(
                "k is {k}; explanations name the phrase whose deletion lowers the score most, so that "
                "deleting one proves nothing: take at least 2."
            ).format(k=k)
        )
    check_count("n_random", n_random, 1)
    check_between("confidence", confidence, 0.95)


def _variants(text: ExplainedText, k: int, n_random: int, rng: np.random.Generator) -> Iterator[list[Phrase]]:
    """Which phrases are deleted: those named, the longest, then random ones."""
    phrases: list[Phrase] = list(text.phrases)
    effects = np.array([phrase.effect for phrase in text.phrases])
    lengths = np.array([len(phrase.text) for phrase in phrases])
    for order in (np.argsort(-effects, kind="stable"), np.argsort(-lengths, kind="stable")):
        yield [phrases[row] for row in order[:k]]
    for _draw in range(n_random):
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
