"""Rising curves from scores to probabilities, one for each resample of the labelled pairs.

An interval at one score says nothing of how errors at different scores go together; averages over many
scores, as in :mod:`workbench.calibration.estimation`, need whole curves. A card keeps a hundred of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.sparse import csr_array

from workbench.calibration.bootstrap import is_pooled, pooled_draws, resampled_sums
from workbench.calibration.observations import FloatArray, Observations
from workbench.calibration.shares import scale_odds
from workbench.errors import CardError
from workbench.i18n import gettext as _
from workbench.results import Result

KNOTS = 51
N_CURVES = 100
# Pairs that are taken together before a curve is fitted: else it follows the luck of the few at either end.
TOGETHER = 20
# More cells than these tell nothing at so few knots, and cost memory.
MOST_CELLS = 5_000


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
    n_cells = min(max(2, len(pairs) // TOGETHER), MOST_CELLS)
    cell = np.arange(len(pairs)) * n_cells // len(pairs)
    # Of each cell those that are no match, then those that are.
    place = cell + n_cells * pairs.labels
    if is_pooled(pairs):
        sizes = np.bincount(place, minlength=2 * n_cells)
        sums = np.concatenate([*pooled_draws(sizes, n_curves, seed)], axis=1)
    else:
        n = len(pairs)
        rows = csr_array((np.ones(n), (place, np.arange(n))), (2 * n_cells, n))
        sums = resampled_sums(pairs, rows, n_resamples=n_curves, seed=seed, a_resample=n)
    seen = np.bincount(place, pairs.unit_weights, minlength=2 * n_cells)
    centres = np.bincount(cell, pairs.scores) / np.bincount(cell)
    fitted, *drawn = (_curve(each.reshape(2, -1), centres, knots) for each in (seen, *sums.T))
    factor = 1.0
    if prevalence is not None:
        labelled = observations.prevalence
        factor = prevalence / (1 - prevalence) / (labelled / (1 - labelled))
    return DrawnCurves(knots, scale_odds(fitted, factor), scale_odds(np.array(drawn), factor))


def _curve(weights: FloatArray, centres: FloatArray, knots: FloatArray) -> FloatArray:
    """The best curve that never falls, by the weights of others and of matches in each cell."""
    from scipy.optimize import isotonic_regression

    of_cell = weights.sum(axis=0)
    there = np.flatnonzero(of_cell)
    curve = isotonic_regression(weights[1, there] / of_cell[there], weights=of_cell[there]).x
    return np.asarray(np.interp(knots, centres[there], curve))
