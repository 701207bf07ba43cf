"""What labelling will come to, before one labels: the chance of a cutoff, by pairs and by wrong labels."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from scipy import special

from workbench.calibration.counts import check_share
from workbench.calibration.exact_tests import p_value_above, start_sizes
from workbench.calibration.options import CLAIMED_PRECISION
from workbench.calibration.pair_kinds import is_hard
from workbench.calibration.shares import wilson
from workbench.errors import InputError
from workbench.i18n import gettext as _
from workbench.i18n import percent
from workbench.pairs.planning import live_like_pool

if TYPE_CHECKING:
    import pandas as pd


def chance_of_a_cutoff(
    matches: Sequence[float] | pd.Series[float],
    others: Sequence[float] | pd.Series[float],
    target: float = CLAIMED_PRECISION,
    *,
    confidence: float = 0.95,
    prevalence: float = 0.3,
    sizes: Sequence[int] = (200, 500, 1000, 2000),
    label_errors: Sequence[float] = (0.0, 0.02, 0.05, 0.1),
    n_repeats: int = 400,
    seed: int = 0,
) -> pd.DataFrame:
    """How likely it is that labels will guarantee a precision, if some of them are wrong.

    Sets are drawn with scores like those given, pairs independent of each other, and each label is turned
    round with the same probability. Then it is seen whether
    :func:`~workbench.calibration.guarantee.guarantee_precision` finds a cutoff, without an allowance for
    wrong labels, which would make it find fewer. Pairs that share JDs are worth less than so many.

    Parameters
    ----------
    matches, others : sequence of float
        Scores of each class: :func:`everyday_scores` of the pairs that there are, or :func:`assumed_scores`.
    target, confidence : float
        Of the guarantee.
    prevalence : float
        Share of matches among the pairs that will be labelled.
    sizes : sequence of int
        Numbers of labelled pairs.
    label_errors : sequence of float
        Shares of labels that are wrong.
    n_repeats : int
        Sets of each size.
    seed : int

    Returns
    -------
    DataFrame
        ``n, label_error, chance, low, high``: the share of sets with a cutoff, and its 95 % Monte Carlo
        interval (Wilson).

    Examples
    --------
    >>> found = chance_of_a_cutoff(*assumed_scores(0.97), sizes=[500], label_errors=[0, 0.1], n_repeats=100)
    >>> found["chance"].tolist()[0] > 0.9 > 0.5 > found["chance"].tolist()[1]
    True
    """
    import pandas as pd

    check_share(target, "target", _("the share that shall be guaranteed"))
    check_share(confidence, "confidence", _("the confidence of the guarantee"))
    if min(sizes) < 1 or not all(0 <= error < 0.5 for error in label_errors):
        raise InputError(
            _("sizes are numbers of pairs, and label_errors shares of wrong labels from 0 to under 0.5.")
        )
    rng = np.random.default_rng(seed)
    rows = []
    for n in sizes:
        pool = live_like_pool(matches, others, n=n * n_repeats, prevalence=prevalence, seed=seed)
        sets = rng.permutation(len(pool)).reshape(n_repeats, n)
        strictest = np.argsort(-pool["score"].to_numpy()[sets], axis=1)
        labels = np.take_along_axis(pool["label"].to_numpy()[sets], strictest, axis=1)
        # There is a cutoff exactly if the first set of a start passes.
        starts = start_sizes(target, 1 - confidence, float(n))
        luck = rng.random(labels.shape)
        for error in label_errors:
            right = np.cumsum(np.where(luck < error, 1 - labels, labels), axis=1)
            found = np.zeros(n_repeats, dtype=bool)
            for start in (math.ceil(size - 1e-9) for size in starts):
                if start <= n:
                    p_values = p_value_above(right[:, start - 1] / start, start, target)
                    found |= p_values <= (1 - confidence) / len(starts)
            low, high = wilson(found.mean(), n_repeats)
            rows.append((n, float(error), float(found.mean()), float(low), float(high)))
    return pd.DataFrame(rows, columns=["n", "label_error", "chance", "low", "high"])


def assumed_scores(auc: float, n: int = 500) -> tuple[list[float], list[float]]:
    """Scores of matches and of others as an encoder would give them that tells them apart so well.

    Both normal with one spread: for what to expect before there is any pair.

    Parameters
    ----------
    auc : float
        Probability that a match scores higher than another pair, from 0.5 to under 1.
    n : int
        Scores of each kind, at even quantiles.
    """
    if not 0.5 <= auc < 1:
        raise InputError(
            _("auc is {given}; it is a number from 0.5 to under 1, such as 0.95.").format(given=repr(auc))
        )
    quantiles = special.ndtri((np.arange(n) + 0.5) / n)
    apart = math.sqrt(2) * float(special.ndtri(auc))
    return (0.1 * (quantiles + apart)).tolist(), (0.1 * quantiles).tolist()


def everyday_scores(scored: pd.DataFrame) -> tuple[pd.Series[float], pd.Series[float]]:
    """Scores of matches and of others among labelled pairs, without those that were composed to be hard."""
    everyday = scored[~is_hard(scored)]
    is_match = everyday["label"] == 1
    return everyday.loc[is_match, "score"], everyday.loc[~is_match, "score"]


def chances_table(chances: pd.DataFrame) -> pd.DataFrame:
    """What :func:`chance_of_a_cutoff` found as people read it: pairs down, wrong labels across."""
    said = chances.assign(
        pairs=chances["n"].map("{:,}".format),
        wrong=[
            _("{share} of labels wrong").format(share=percent(error, None))
            for error in chances["label_error"]
        ],
        told=[
            _("{share} ({low}–{high})").format(
                share=percent(chance, 0), low=f"{100 * low:.0f}", high=f"{100 * high:.0f}"
            )
            for chance, low, high in chances[["chance", "low", "high"]].to_numpy(dtype=float)
        ],
    )
    table = said.pivot_table("told", index="pairs", columns="wrong", aggfunc="first", sort=False)
    return table.rename_axis(index=_("pairs"), columns=None)
