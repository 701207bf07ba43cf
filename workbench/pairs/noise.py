"""What wrong labels do to the precision that can be measured.

The model: each label is the truth, turned round with the same small probability, independently of who
else labels and of which class is true. It is the most favourable case: mistakes that annotators share do
not show as disagreement, and make the ceiling lower still.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np
import numpy.typing as npt

from workbench.calibration.label_error import RESOLVED, flip_rate
from workbench.errors import InputError
from workbench.html import render
from workbench.i18n import gettext as _
from workbench.i18n import listed, percent
from workbench.pairs.annotator_agreement import Interval, share_of
from workbench.pairs.resolution import blind_labels
from workbench.results import Result, plain

if TYPE_CHECKING:
    import pandas as pd

LabelSource = Literal["single", "adjudicated", "unanimous"]


@dataclass(frozen=True, repr=False)
class LabelNoise(Result):
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

    def to_dict(self) -> dict[str, Any]:
        """For JSON, with the ceilings."""
        ceilings = {source: self.ceiling(source) for source in get_args(LabelSource)}
        found = super().to_dict()
        confidence = found.pop("confidence")
        return {**found, "ceiling": plain(ceilings), "confidence": confidence}

    def summary(self) -> str:
        """Two sentences: the rate, and what it does to precision."""
        return _(
            "Two blind labels differ in {disagreement} of cases, as if each person were wrong in {rate} "
            "({low}–{high}). A cutoff without a single wrong match would be measured at {single} precision "
            "with one person's labels, and at {adjudicated} with adjudicated ones; mistakes that people "
            "share do not show, and lower it further."
        ).format(
            disagreement=percent(self.disagreement.value),
            rate=percent(self.flip_rate.value, 2),
            low=percent(self.flip_rate.low, 2),
            high=percent(self.flip_rate.high, 2),
            single=percent(self.ceiling("single").value, 2),
            adjudicated=percent(self.ceiling("adjudicated").value, 3),
        )

    def __repr__(self) -> str:
        return f"<LabelNoise: {self.summary()}>"

    def _repr_html_(self) -> str:
        return render("pairs/sentence.html", sentence=self.summary())


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
        raise InputError(
            _("Labels are grades; turn them into 0 and 1 before asking how often they are wrong.")
        )
    known = (~np.isnan(table)).sum(axis=1)
    ones = np.nansum(table, axis=1)
    differ, twos = int((ones * (known - ones)).sum()), int((known * (known - 1) // 2).sum())
    disagreement = share_of(differ, twos, confidence)
    if disagreement.value >= 0.5:
        raise InputError(
            _(
                "Two people differ in {share} of their labels, no better than tossing a coin; agree on the "
                "rubric first, then label again."
            ).format(share=percent(disagreement.value, 0))
        )
    low, value, high = (
        flip_rate(min(d, 0.5)) for d in (disagreement.low, disagreement.value, disagreement.high)
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
        raise InputError(
            _("flip_rate is {rate}; it is the share of wrong labels, from 0 to 0.5.").format(rate=repr(e))
        )
    if source not in RESOLVED:
        raise InputError(
            _("source is {source}; choose one of {known}.").format(
                source=repr(source), known=listed(RESOLVED)
            )
        )
    return RESOLVED[source](e)


def simulate_label_noise(
    flip_rates: Sequence[float] = (0.02, 0.05, 0.1, 0.15), *, n: int = 4000, seed: int = 0
) -> pd.DataFrame:
    """Precision that is measured on pairs that are all matches, with labels that may be wrong.

    Parameters
    ----------
    flip_rates : sequence of float
        Share of one person's labels that are wrong.
    n : int
        Pairs for each rate.
    seed : int

    Returns
    -------
    DataFrame
        ``flip_rate``, ``source`` ("single": one person's labels; "adjudicated": two people's, and a
        third's where they differ), ``measured``.
    """
    import pandas as pd

    rng = np.random.default_rng(seed)
    rows = []
    for rate in flip_rates:
        first, second, third = rng.random((3, n)) >= rate
        rows.append((rate, "single", first.mean()))
        rows.append((rate, "adjudicated", np.where(first == second, first, third).mean()))
    return pd.DataFrame(rows, columns=["flip_rate", "source", "measured"])
