"""From the pairs that were labelled to the pairs that come in: weights by live scores.

Labelled sets are rarely a fair sample. A live prevalence is handled by
:meth:`~workbench.calibration.counts.Counts.at_prevalence`; nothing else of calibration cares where
weights come from.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from workbench.calibration.observations import FloatArray, Observations
from workbench.errors import InputError
from workbench.i18n import gettext as _

PAIRS_PER_BIN = 20
MOST_BINS = 10


@dataclass(frozen=True, eq=False)
class LiveWeights:
    """Weights that make labelled pairs stand for live ones.

    Attributes
    ----------
    weights : ndarray of float64, shape (n,)
        One for each labelled pair, with the sampling weights it had multiplied in; 0 where no live pair
        scores alike.
    table : DataFrame
        One row a bin of scores: ``low, high`` (low < score <= high), ``labelled`` and ``live`` (shares of
        pairs), ``factor``.
    n_unused : int
        Labelled pairs of scores that do not occur live; their weight is 0.
    share_outside : float
        Share of live scores below all labelled scores or above them: what is said of these is a guess.
    """

    weights: FloatArray
    table: pd.DataFrame
    n_unused: int
    share_outside: float

    def apply(self, observations: Observations) -> Observations:
        """The pairs with these weights, without those that are not used.

        Raises
        ------
        InputError
            If these are all matches or all none.
        """
        used = self.weights > 0
        reweighted = observations.subset(used).with_weights(self.weights[used])
        reweighted.require_both_classes()
        return reweighted


def live_weights(
    observations: Observations, live_scores: npt.ArrayLike, *, n_bins: int | None = None
) -> LiveWeights:
    """Weights by score, so that labelled pairs are spread over scores as live pairs are.

    Post-stratification [1]_ over bins with equal numbers of labelled pairs. It supposes that a pair of a
    given score is as likely a match live as among the labelled (covariate shift); no live labels are
    needed.

    Parameters
    ----------
    observations : Observations
        Sampling weights that it has are kept and adjusted.
    live_scores : array-like of float
        Scores of live pairs, by the same encoder.
    n_bins : int, optional
        By default as many as leave 20 labelled pairs a bin, and at most 10.

    Returns
    -------
    LiveWeights

    Raises
    ------
    InputError
        If there are no live scores, or one is not finite.

    References
    ----------
    .. [1] Holt & Smith (1979), Post stratification, JRSS A 142(1), 33-46.
    """
    try:
        live = np.asarray(live_scores, dtype=np.float64).ravel()
    except (TypeError, ValueError) as error:
        raise InputError(
            _("The {what} cannot be read as numbers: {error}.").format(what="live_scores", error=error)
        ) from None
    if not len(live):
        raise InputError(_("live_scores is empty; give the scores of pairs as they come in."))
    if not np.isfinite(live).all():
        position = int(np.flatnonzero(~np.isfinite(live))[0])
        raise InputError(
            _("The live score at position {position} is {value}; all must be finite.").format(
                position=position, value=live[position]
            )
        )
    scores = observations.scores
    bins = n_bins or int(np.clip(len(scores) // PAIRS_PER_BIN, 1, MOST_BINS))
    if bins < 1:
        raise InputError(_("n_bins is {n}; at least 1 is needed.").format(n=n_bins))
    inner = np.unique(np.quantile(scores, np.linspace(0, 1, bins + 1)[1:-1], method="lower"))
    # An edge at the highest score would leave nothing above it.
    inner = inner[inner < scores.max()]
    edges = np.concatenate([[-np.inf], inner, [np.inf]])
    of_labelled = np.searchsorted(inner, scores, side="left")
    of_live = np.searchsorted(inner, live, side="left")
    base = observations.unit_weights
    labelled = np.bincount(of_labelled, base, minlength=len(inner) + 1) / base.sum()
    wanted = np.bincount(of_live, minlength=len(inner) + 1) / len(live)
    factor = wanted / labelled
    table = pd.DataFrame(
        {"low": edges[:-1], "high": edges[1:], "labelled": labelled, "live": wanted, "factor": factor}
    )
    weights = base * factor[of_labelled]
    outside = float(np.mean((live < scores.min()) | (live > scores.max())))
    return LiveWeights(weights, table, int((weights == 0).sum()), outside)
