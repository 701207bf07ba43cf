"""What wrong labels do to the precision that can be measured.

The model: each label is the truth, turned round with the same small probability, independently of who
else labels and of which class is true. It is the most favourable case: mistakes that annotators share do
not show as disagreement, and make the ceiling lower still.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np
import numpy.typing as npt

from workbench.errors import InputError
from workbench.pairs.annotator_agreement import blind_labels
from workbench.pairs.intervals import Interval, wilson

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["LabelNoise", "LabelSource", "label_noise", "measurable_precision", "wrong_labels"]

LabelSource = Literal["single", "adjudicated", "unanimous"]


@dataclass(frozen=True)
class LabelNoise:
    """How often labels are wrong, estimated from pairs that were labelled twice.

    Attributes
    ----------
    n_twos : int
        Twos of blind labels of the same pair.
    disagreement : Interval
        Share of twos that differ, d.
    flip_rate : Interval
        Probability that one person's label is wrong, e, from ``d = 2 e (1 - e)``.
    confidence : float
        Of the intervals.
    """

    n_twos: int
    disagreement: Interval
    flip_rate: Interval
    confidence: float

    def ceiling(self, source: LabelSource = "single") -> Interval:
        """The precision that a cutoff without a single wrong match would be measured at."""
        rate = self.flip_rate
        value, high, low = (measurable_precision(1.0, e, source) for e in (rate.value, rate.low, rate.high))
        return Interval(float(value), float(low), float(high))

    def measured(self, precision: npt.ArrayLike, source: LabelSource = "single") -> npt.NDArray[np.float64]:
        """The precision that would be measured where the true one is `precision`; same shape."""
        return measurable_precision(precision, self.flip_rate.value, source)

    def to_dict(self) -> dict[str, Any]:
        """For JSON, with the ceilings."""
        return {
            "n_twos": self.n_twos,
            "disagreement": self.disagreement.to_dict(),
            "flip_rate": self.flip_rate.to_dict(),
            "ceiling": {source: self.ceiling(source).to_dict() for source in get_args(LabelSource)},
            "confidence": self.confidence,
        }

    def summary(self, language: str = "en") -> str:
        """Two sentences: the rate, and what it does to precision."""
        single, adjudicated = self.ceiling("single"), self.ceiling("adjudicated")
        rate = f"{self.flip_rate.value:.2%}"
        span = f"{self.flip_rate.low:.2%}–{self.flip_rate.high:.2%}"
        if language == "zh":
            return (
                f"两人独立标注有 {self.disagreement.value:.1%} 不同，"
                f"相当于每人约有 {rate} 的标注是错的（{span}）。"
                f"即使阈值之上没有一个真错，只用一人的标注最多测得 {single.value:.2%} 的精确率，"
                f"经裁定后最多 {adjudicated.value:.3%}；"
                "两人共同的误解不会显示为分歧，实际上限只会更低。"
            )
        return (
            f"Two blind labels differ in {self.disagreement.value:.1%} of cases, as if each person were "
            f"wrong in {rate} ({span}). A cutoff without a single wrong match would be measured at "
            f"{single.value:.2%} precision with one person's labels, and at {adjudicated.value:.3%} with "
            "adjudicated ones; mistakes that people share do not show, and lower it further."
        )

    def __repr__(self) -> str:
        return f"<LabelNoise: {self.summary()}>"

    def _repr_html_(self) -> str:
        return f"<p>{escape(self.summary())}</p>"


def label_noise(
    annotations: pd.DataFrame,
    *,
    adjudicators: Collection[str] | None = None,
    confidence: float = 0.95,
) -> LabelNoise:
    """Estimate how often one person's label is wrong.

    Two independent labels differ where exactly one of them is wrong: ``d = 2 e (1 - e)``, hence
    ``e = (1 - sqrt(1 - 2 d)) / 2``. The interval is that of d (Wilson), carried over.

    Parameters
    ----------
    annotations : DataFrame
        ``pair_id, annotator, label`` with labels 0 and 1.
    adjudicators : collection of str, optional
        As of :func:`~workbench.pairs.resolve`; their labels are not blind and do not count.
    confidence : float
        Two-sided.

    Returns
    -------
    LabelNoise

    Raises
    ------
    InputError
        If no pair has two blind labels, labels are grades, or people differ in half of the pairs or
        more, which no rate of mistakes explains.

    Examples
    --------
    >>> import pandas as pd
    >>> labels = [1, 1, 0, 0, 1, 0, 0, 0, 1, 1]
    >>> said = pd.DataFrame({"pair_id": list("aabbccddee"), "annotator": ["x", "y"] * 5, "label": labels})
    >>> round(label_noise(said).flip_rate.value, 3)
    0.113
    """
    table = blind_labels(annotations, adjudicators).to_numpy()
    if np.nanmax(table) > 1:
        raise InputError("Labels are grades; turn them into 0 and 1 before asking how often they are wrong.")
    known = (~np.isnan(table)).sum(axis=1)
    ones = np.nansum(table, axis=1)
    differ, twos = int((ones * (known - ones)).sum()), int((known * (known - 1) // 2).sum())
    disagreement = wilson(differ, twos, confidence)
    if disagreement.value >= 0.5:
        raise InputError(
            f"Two people differ in {disagreement.value:.0%} of their labels, no better than tossing a coin; "
            "agree on the rubric first, then label again."
        )
    low, value, high = (
        _flip_rate(min(d, 0.5)) for d in (disagreement.low, disagreement.value, disagreement.high)
    )
    return LabelNoise(twos, disagreement, Interval(value, low, high), confidence)


def measurable_precision(
    precision: npt.ArrayLike, flip_rate: float, source: LabelSource = "single"
) -> npt.NDArray[np.float64]:
    """The precision that is measured where the true one is `precision`, with labels that may be wrong.

    A pair above the cutoff is labelled a match if it is one and its label right, or if it is none and
    its label wrong: ``p (1 - f) + (1 - p) f``, where f is the share of wrong labels. The best that can
    be measured, at p = 1, is ``1 - f``.

    Parameters
    ----------
    precision : array-like of float
        True precision, 0 to 1.
    flip_rate : float
        Probability that one person's label is wrong, below 0.5.
    source : {"single", "adjudicated", "unanimous"}
        Where labels come from; see :func:`wrong_labels`.

    Returns
    -------
    ndarray of float64
        Of the shape of `precision`.

    References
    ----------
    Rogan & Gladen (1978), Estimating prevalence from the results of a screening test, American Journal
    of Epidemiology 107, 71-76, with equal sensitivity and specificity.

    Examples
    --------
    >>> float(measurable_precision(1.0, 0.05)), float(measurable_precision(0.9, 0.05))
    (0.95, 0.86)
    """
    p = np.asarray(precision, dtype=np.float64)
    wrong = wrong_labels(flip_rate, source)
    return np.asarray(p * (1 - wrong) + (1 - p) * wrong)


def wrong_labels(flip_rate: float, source: LabelSource = "single") -> float:
    """Share of wrong labels that is left, f.

    Parameters
    ----------
    flip_rate : float
        Of one person, e.
    source : {"single", "adjudicated", "unanimous"}
        ``"single"``: one person's label, e. ``"adjudicated"``: two labels, a third person's where they
        differ; wrong if two of three are, ``3 e² - 2 e³``. ``"unanimous"``: two labels, pairs on which
        they differ dropped; ``e² / (e² + (1 - e)²)``.
    """
    e = flip_rate
    if not 0 <= e <= 0.5:
        raise InputError(f"flip_rate is {e!r}; it is the share of wrong labels, from 0 to 0.5.")
    match source:
        case "single":
            return e
        case "adjudicated":
            return 3 * e**2 - 2 * e**3
        case "unanimous":
            return e**2 / (e**2 + (1 - e) ** 2)
    raise InputError(f"source is {source!r}; choose one of {', '.join(get_args(LabelSource))}.")


def _flip_rate(disagreement: float) -> float:
    return float((1 - np.sqrt(1 - 2 * disagreement)) / 2)
