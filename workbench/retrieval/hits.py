"""One row of a search result, the cutoff and the probability it goes by, and what every search checks first.

How a cutoff and a table of probabilities are found is of :mod:`workbench.calibration`, which no search needs
to load.
"""

from __future__ import annotations

import operator
import sys
import warnings
from collections.abc import Iterable, Mapping, Sequence
from numbers import Real
from pathlib import Path
from typing import TYPE_CHECKING, Any, NotRequired, TypedDict

import numpy as np
import numpy.typing as npt

from workbench.asking import with_option
from workbench.cutoffs import Cutoff, cards_in, shipped_card
from workbench.encoders.base import Encoder
from workbench.errors import CardError, CleaningWarning, InputError, UncalibratedCutoffWarning
from workbench.i18n import gettext as _
from workbench.i18n import ngettext, number, percent
from workbench.settings import get_settings
from workbench.texts import CleaningReport, clean, is_line, kind_of, too_long

if TYPE_CHECKING:
    from workbench.scorers.base import Scorer

DEFAULT_K = 5
# What a card's table has, and its values below and above all labelled scores: None is that of the nearest.
TABLE = {"probability": (None, None), "low": (0.0, None), "high": (None, 1.0)}


class HitProbability(TypedDict):
    """How probable it is that a pair with this score is a match.

    Attributes
    ----------
    value, low, high : float
        The probability, and its interval.
    confidence : float
        Of the interval, at this one score.
    prevalence : float
        Share of matches among the pairs that it is for; where fewer are, it is less probable.
    is_guess : bool
        Whether the score lies beyond all labelled scores.
    """

    value: float
    low: float
    high: float
    confidence: float
    prevalence: float
    is_guess: bool


class HitPhrase(TypedDict):
    """What carries a hit: the part of its text, and of the query, that come nearest to one another.

    Attributes
    ----------
    text : str
        The part; of a line, all of it.
    start, end : int
        Its place in the hit's text.
    score : float
        Cosine similarity of the two parts.
    query : str
        The part of the query; of a line, all of it.
    query_start, query_end : int
        Its place in the query, after cleaning.
    least : str
        What of all that the query asks for this text comes least near to; only of a query that asks for
        several things, as a whole JD does.
    """

    text: str
    start: int
    end: int
    score: float
    query: str
    query_start: int
    query_end: int
    least: NotRequired[str]


class Hit(TypedDict):
    """One row of a search result.

    Attributes
    ----------
    rank : int
        From 1, best first; equal scores stay in the order of the knowledge base.
    text : str
        The text as it was encoded, after cleaning; all of it.
    score : float
        Cosine similarity in [-1, 1], full precision; show it with 4 decimals. Of a line and a whole document,
        that of the line and the part of the document that comes nearest to it.
    is_match : bool or None
        Whether ``score > cutoff``; None where a whole document is compared and the cutoff was measured on
        lines, since it does not carry over between text lengths.
    index : int
        Position in the list that was searched, or row number in the knowledge base, from 0.
    metadata : dict
        What was stored with the text; empty for a list.
    phrase : HitPhrase
        Which part of the text carries it, and where it stands.
    probability : HitProbability
        How probable a match is, with its interval; only where the cutoff's card says so.
    """

    rank: int
    text: str
    score: float
    is_match: bool | None
    index: int
    metadata: dict[str, Any]
    phrase: HitPhrase
    probability: NotRequired[HitProbability]


def hits_from(
    scores: npt.NDArray[np.float32],
    rows: npt.NDArray[np.intp],
    texts: Sequence[str],
    records: Sequence[Mapping[str, Any]],
    cutoff: Cutoff,
    *,
    query: str,
    phrases: Sequence[HitPhrase] | None = None,
) -> list[Hit]:
    """Hits of one query from what an index returned: `scores` and `rows`, shape (k,), best first.

    Parameters
    ----------
    phrases : sequence of HitPhrase, optional
        Of each; by default query and text are compared as one thing.
    """
    hits = [
        Hit(
            rank=rank,
            text=texts[row],
            score=score,
            is_match=score > cutoff.value if holds(cutoff, query, texts[row]) else None,
            index=row,
            metadata=dict(records[row]) if records else {},
            phrase=phrases[rank - 1] if phrases else _whole(query, texts[row], score),
        )
        for rank, (score, row) in enumerate(zip(scores.tolist(), rows.tolist(), strict=True), start=1)
    ]
    for hit, probability in zip(hits, hit_probabilities(cutoff, scores.tolist()) or (), strict=False):
        if hit["is_match"] is not None:
            hit["probability"] = probability
    return hits


def not_judged(hits: Sequence[Hit], cutoff: Cutoff) -> str:
    """Why hits are not called a match or none, in a sentence; empty where all are."""
    if all(hit["is_match"] is not None for hit in hits):
        return ""
    return _(
        "The cutoff {cutoff} was measured on single lines, and a cutoff does not carry over between text "
        "lengths: no whole document is called a match by it. Calibrate one on whole documents, or set a "
        "number of your own."
    ).format(cutoff=number(cutoff.value))


def hit_probabilities(cutoff: Cutoff, scores: Sequence[float]) -> list[HitProbability] | None:
    """What a card says of each score; None if it says nothing, as a bare number does not.

    Raises
    ------
    CardError
        If its table of probabilities lacks a part.

    Examples
    --------
    >>> table = {"scores": [0.0, 1.0], "probability": [0.1, 0.9], "low": [0.0, 0.8], "high": [0.2, 1.0]}
    >>> card = Cutoff(0.5, evidence={"probability": {**table, "confidence": 0.95, "prevalence": 0.4}})
    >>> [round(found["value"], 2) for found in hit_probabilities(card, [0.5, 0.75])]
    [0.5, 0.7]
    """
    table = cutoff.evidence.get("probability")
    if table is None:
        return None
    try:
        knots = np.asarray(table["scores"], dtype=np.float64)
        at = np.asarray(scores, dtype=np.float64)
        read = (
            np.interp(at, knots, np.asarray(table[name], dtype=np.float64), left=left, right=right)
            for name, (left, right) in TABLE.items()
        )
        value, low, high = (share.tolist() for share in cutoff.carried(*read))
        beyond = ((at < knots[0]) | (at > knots[-1])).tolist()
        confidence, prevalence = float(table["confidence"]), float(table["prevalence"])
        prevalence = prevalence if cutoff.prevalence is None else cutoff.prevalence
    except (KeyError, IndexError, TypeError, ValueError) as error:
        raise CardError(
            _(
                "The card's table of probabilities lacks a part, or it is not a number ({reason}); calibrate "
                "again."
            ).format(reason=error)
        ) from None
    return [
        HitProbability(
            value=value[row],
            low=low[row],
            high=high[row],
            confidence=confidence,
            prevalence=prevalence,
            is_guess=beyond[row],
        )
        for row in range(len(value))
    ]


def meaning(hits: Iterable[Mapping[str, Any]], line: float) -> str:
    """How many matches to expect above and below a cutoff; empty where a hit has no probability."""
    told = [(hit["score"] > line, hit.get("probability") or {}) for hit in hits]
    if not told or not all(chance for _is_above, chance in told):
        return ""
    above, below = ([chance["value"] for up, chance in told if up is side] for side in (True, False))
    return _(
        "Above the line: {n}, of which about {matches} are matches. Below it: {others}, of which about "
        "{missed} are. So it is where {share} of all pairs are matches."
    ).format(
        n=len(above),
        matches=number(sum(above), 0),
        others=len(below),
        missed=number(sum(below), 0),
        share=percent(told[0][1]["prevalence"]),
    )


def resolve_cutoff(
    cutoff: float | Cutoff | str | Path | None,
    encoder: Encoder | Scorer,
    *,
    prevalence: float | None = None,
    shipped: bool = True,
) -> Cutoff:
    """The cutoff to use with an encoder or a scorer.

    Parameters
    ----------
    cutoff : float, Cutoff, str, Path or None
        A number is taken as it is. A cutoff, or the path of a card, must be of this encoder. None
        takes the last card (by file name) in the project's ``labeled_pairs/cutoffs`` whose
        fingerprint is the encoder's; without one, the card that the workbench brings for exactly this
        encoder, measured on its demonstration pairs; without one, the 0.4 of the Qwen3-Embedding-4B
        literature, with an :class:`~workbench.errors.UncalibratedCutoffWarning`.
    prevalence : float, optional
        Share of matches among the pairs that are searched, for which probabilities and precision shall be
        told; by default the one that the card is for.
    shipped : bool
        Whether a card of the workbench will do.

    Raises
    ------
    InputError
        If a number is not in [-1, 1], or `prevalence` is no share, or given for a bare number.
    CardError
        If the file is no cutoff card.
    EncoderMismatchError
        If the card was calibrated for another encoder.
    """
    resolved = _resolved(cutoff, encoder, shipped)
    return resolved if prevalence is None else resolved.at_prevalence(prevalence)


def _resolved(cutoff: float | Cutoff | str | Path | None, encoder: Encoder | Scorer, shipped: bool) -> Cutoff:
    if isinstance(cutoff, str | Path):
        cutoff = Cutoff.load(cutoff)
    if isinstance(cutoff, Cutoff):
        cutoff.check_encoder(encoder.name, encoder.fingerprint)
        return cutoff
    if cutoff is not None:
        # numpy's floats are numbers too, bool is one that Cutoff itself refuses
        return Cutoff(float(cutoff) if isinstance(cutoff, Real) and not isinstance(cutoff, bool) else cutoff)
    cards = cards_in(get_settings().cutoffs_dir)
    own = [card for _, card in cards if card.fingerprint == encoder.fingerprint]
    brought = shipped_card(encoder.fingerprint) if shipped else None
    if own:
        return own[-1]
    if brought is not None:
        return brought
    literature = Cutoff.from_literature()
    said = _(
        "The cutoff {cutoff} comes from the literature on Qwen3-Embedding-4B and was never calibrated "
        "for the encoder {encoder}, whose scores lie on a scale of their own: read 'match' with care. "
        "Calibrate one on labelled pairs with 'workbench calibrate', or give a cutoff."
    ).format(cutoff=f"{literature.value:.2f}", encoder=f"{encoder.name} [{encoder.fingerprint}]")
    warn_caller(with_option(said, "cutoff", "card.json"), UncalibratedCutoffWarning)
    return literature


def clean_query(query: str) -> str:
    """The query, cleaned as the texts of a knowledge base are; a line or a whole document.

    Raises
    ------
    InputError
        If the query is not a string, is longer than any document, or has nothing but white space.
    """
    if not isinstance(query, str):
        raise InputError(_("The query is {type}; pass one string.").format(type=kind_of(query)))
    if said := too_long(query):
        raise InputError(_("The query: {reason}").format(reason=said))
    cleaned = clean([query])
    if not cleaned.texts:
        raise InputError(
            _("The query is empty; type what you are looking for, such as a skill or an experience.")
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
        raise InputError(
            _("The knowledge base is empty{note}; add at least one text before searching.").format(note=note)
        )
    if k is None:
        return min(DEFAULT_K, n)
    try:
        k = operator.index(k)
    except TypeError:
        raise InputError(
            _("k is {k}; it must be a whole number from 1 to {n}.").format(k=repr(k), n=n)
        ) from None
    if k < 1:
        raise InputError(_("k is {k}; ask for at least 1 hit.").format(k=k))
    if k > n:
        raise InputError(
            ngettext(
                "k is {k}, but the knowledge base has {n} text{note}; ask for at most {n}, or leave k out.",
                "k is {k}, but the knowledge base has {n} texts{note}; ask for at most {n}, or leave k out.",
                n,
            ).format(k=k, n=n, note=note)
        )
    return k


def warn_of_cleaning(report: CleaningReport) -> None:
    """Say what cleaning dropped, if anything."""
    if report.n_output < report.n_input:
        warn_caller(_("Cleaning changed the knowledge base: {what}.").format(what=report), CleaningWarning)


def warn_caller(message: str, category: type[Warning]) -> None:
    """Warn at the line outside the workbench that led here, so that Python can show it once a line."""
    frame, level = sys._getframe(1), 2
    while frame.f_back and _is_ours(frame.f_globals.get("__name__", "")):
        frame, level = frame.f_back, level + 1
    warnings.warn(message, category, stacklevel=level)


def holds(cutoff: Cutoff, query: str, text: str) -> bool:
    """Whether a cutoff may judge this pair: one of lines says nothing of whole documents."""
    return not cutoff.is_of_lines or (is_line(query) and is_line(text))


def _whole(query: str, text: str, score: float) -> HitPhrase:
    return HitPhrase(
        text=text, start=0, end=len(text), score=score, query=query, query_start=0, query_end=len(query)
    )


def _is_ours(module: str) -> bool:
    return module.partition(".")[0] == "workbench"
