"""Rising curves from scores to probabilities, one for each resample of the labelled pairs.

An interval at one score says nothing of how errors at different scores go together; averages over many
scores, as in :mod:`workbench.calibration.estimation`, need whole curves. A card keeps a hundred of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from workbench.calibration.bootstrap import draws
from workbench.calibration.observations import FloatArray, Observations
from workbench.calibration.shares import scale_odds
from workbench.errors import CardError
from workbench.i18n import gettext as _
from workbench.results import Result

__all__ = ["DrawnCurves", "draw_curves"]

KNOTS = 51
N_CURVES = 100
# Pairs that are taken together before a curve is fitted: else it follows the luck of the few at either end.
TOGETHER = 20


@dataclass(frozen=True, eq=False)
class DrawnCurves(Result):
    """Curves of as many resamples, read at the same scores.

    Attributes
    ----------
    scores : ndarray of float64, shape (k,)
        Ascending, evenly spaced in rank, from the lowest labelled score to the highest.
    fitted : ndarray of float64, shape (k,)
        The curve of the labelled pairs themselves.
    drawn : ndarray of float64, shape (n_curves, k)
        Those of resamples.
    """

    scores: FloatArray
    fitted: FloatArray
    drawn: FloatArray

    def to_dict(self) -> dict[str, Any]:
        """Plain values for the card: a line a curve, in thousandths, that of all pairs first."""
        thousandths = (1000 * np.vstack([self.fitted, self.drawn])).round().astype(int)
        return {
            "scores": self.scores.round(6).tolist(),
            "thousandths": [" ".join(map(str, curve)) for curve in thousandths.tolist()],
        }

    @classmethod
    def from_dict(cls, card: Mapping[str, Any]) -> DrawnCurves:
        """Read what :meth:`to_dict` wrote.

        Raises
        ------
        CardError
            If a part is missing or no number.
        """
        try:
            scores = np.asarray(card["scores"], dtype=np.float64)
            curves = np.array([curve.split() for curve in card["thousandths"]], dtype=np.float64) / 1000
            fitted, *drawn = curves.reshape(-1, len(scores))
            return cls(scores, fitted, np.array(drawn))
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise CardError(
                _("The card's curves lack a part, or it is not a number ({reason}); calibrate again.").format(
                    reason=error
                )
            ) from None


def draw_curves(
    observations: Observations,
    *,
    prevalence: float | None = None,
    n_curves: int = N_CURVES,
    seed: int = 0,
) -> DrawnCurves:
    """Fit a curve that never falls to each resample, by JD where pairs share JDs.

    Where another share of matches is given, odds are corrected to it.

    Examples
    --------
    >>> scores = np.linspace(0, 1, 400)
    >>> drawn = draw_curves(Observations(scores, scores > 0.5))
    >>> drawn.drawn.shape
    (100, 51)
    """
    pairs = observations.in_order
    knots = np.quantile(pairs.scores, np.linspace(0, 1, KNOTS))
    n_cells = max(2, len(pairs) // TOGETHER)
    cell = np.arange(len(pairs)) * n_cells // len(pairs)
    unit = np.arange(len(pairs)) if pairs.clusters is None else pairs.clusters
    drawn = [
        _curve(pairs, cell, times, knots)
        for chunk in draws(pairs, n_curves, seed, a_resample=len(pairs))
        for times in chunk[unit].T
    ]
    fitted = _curve(pairs, cell, np.ones(len(pairs)), knots)
    factor = 1.0
    if prevalence is not None:
        labelled = observations.prevalence
        factor = prevalence / (1 - prevalence) / (labelled / (1 - labelled))
    return DrawnCurves(knots, scale_odds(fitted, factor), scale_odds(np.array(drawn), factor))


def _curve(
    pairs: Observations, cell: npt.NDArray[np.intp], times: FloatArray, knots: FloatArray
) -> FloatArray:
    """The best curve that never falls, where each pair counts so many times."""
    from scipy.optimize import isotonic_regression

    weights = times * pairs.unit_weights
    of_cell = np.bincount(cell, weights)
    there = np.flatnonzero(of_cell)
    shares = np.bincount(cell, weights * pairs.labels)[there] / of_cell[there]
    centres = (np.bincount(cell, pairs.scores) / np.bincount(cell))[there]
    curve = isotonic_regression(shares, weights=of_cell[there]).x
    return np.asarray(np.interp(knots, centres, curve))
