"""Labelling tried out where the truth is known: active against random, and with labels that may be wrong."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from workbench.errors import InputError
from workbench.pairs.proposing import combine_batches, propose

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["live_like_pool", "simulate_label_noise", "simulate_labelling"]

# The first batch knows no labels; what it finds shapes the second.
FIRST_BATCH = 1 / 3


def simulate_labelling(
    pool: pd.DataFrame,
    cutoff: float,
    sizes: Sequence[int] = (60, 120, 240, 480),
    *,
    n_repeats: int = 100,
    seed: int = 0,
) -> pd.DataFrame:
    """How far estimates at the cutoff are from the truth, with so many labels, active or random.

    Active: two batches of :func:`~workbench.pairs.propose`, the second in the light of the first, put
    together by :func:`~workbench.pairs.combine_batches`. Random: as many pairs drawn evenly.

    Parameters
    ----------
    pool : DataFrame
        Pairs with ``score`` and the true ``label``, which is only looked at for pairs that are drawn.
    cutoff : float
        ``score > cutoff`` is a match.
    sizes : sequence of int
        Numbers of labels.
    n_repeats : int
        Draws of each size.
    seed : int
        Of the draws.

    Returns
    -------
    DataFrame
        ``method`` ("active", "random"), ``n``, ``figure`` ("precision", "missed"), ``bias`` and ``rmse``
        (root mean squared error) of the estimates, and ``n_undefined``, the draws without a pair on
        that side of the cutoff, which are left out of both.

    Raises
    ------
    InputError
        If the pool is smaller than the largest size, or has no pair above or below the cutoff.
    """
    import pandas as pd

    if max(sizes) > len(pool) or min(sizes) < 6:
        raise InputError(f"sizes must be from 6 to the {len(pool)} pairs of the pool.")
    pool = pool[["score", "label"]].assign(pair_id=np.arange(len(pool)))
    truth = _figures(pool.assign(weight=1.0), cutoff)
    if not np.isfinite(truth).all():
        raise InputError(f"The pool has pairs on one side of the cutoff {cutoff:g} only.")
    rows = []
    for n in sizes:
        errors: dict[str, list[np.ndarray]] = {"active": [], "random": []}
        for repeat in range(n_repeats):
            drawn = seed * 1_000_003 + repeat
            errors["active"].append(_figures(_active(pool, cutoff, n, drawn), cutoff) - truth)
            even = pool.sample(n, random_state=drawn).assign(weight=1.0)
            errors["random"].append(_figures(even, cutoff) - truth)
        for method, found in errors.items():
            for figure, error in zip(("precision", "missed"), np.array(found).T, strict=True):
                known = error[np.isfinite(error)]
                rows.append(
                    {
                        "method": method,
                        "n": n,
                        "figure": figure,
                        "bias": float(known.mean()) if len(known) else np.nan,
                        "rmse": float(np.sqrt(np.mean(known**2))) if len(known) else np.nan,
                        "n_undefined": int(len(error) - len(known)),
                    }
                )
    return pd.DataFrame(rows)


def live_like_pool(
    matches: Sequence[float] | pd.Series[float],
    others: Sequence[float] | pd.Series[float],
    *,
    n: int = 10_000,
    prevalence: float = 0.1,
    seed: int = 0,
) -> pd.DataFrame:
    """A pool with scores like those of labelled pairs, but of another size and share of matches.

    Scores of each class are drawn from a kernel density estimate [1]_, not again from the same few
    values: a score that occurs twice would give away its label.

    Parameters
    ----------
    matches, others : sequence of float
        Scores of labelled pairs of each class; at least 2 of each.
    n : int
    prevalence : float
        Share of matches.
    seed : int

    Returns
    -------
    DataFrame
        ``score, label``.

    References
    ----------
    .. [1] Silverman (1986), Density Estimation for Statistics and Data Analysis, section 6.4.1 (the
       smoothed bootstrap).
    """
    import pandas as pd
    from scipy.stats import gaussian_kde

    if min(len(matches), len(others)) < 2 or not 0 < prevalence < 1:
        raise InputError(
            "A pool needs scores of at least two pairs of each class, and a prevalence from 0 to 1."
        )
    rng = np.random.default_rng(seed)
    n_matches = round(n * prevalence)
    parts = [
        pd.DataFrame({"score": gaussian_kde(np.asarray(scores)).resample(size, seed=rng)[0], "label": label})
        for scores, size, label in ((matches, n_matches, 1), (others, n - n_matches, 0))
    ]
    pool = pd.concat(parts, ignore_index=True)
    return pool.assign(score=pool["score"].clip(-1, 1))


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


def _active(pool: pd.DataFrame, cutoff: float, n: int, seed: int) -> pd.DataFrame:
    unlabelled = pool.drop(columns="label")
    first = propose(unlabelled, round(n * FIRST_BATCH), cutoff, seed=seed)
    first["label"] = pool["label"].to_numpy()[first["pair_id"]]
    second = propose(unlabelled, n - len(first), cutoff, labelled=first, seed=seed + 500_000)
    second["label"] = pool["label"].to_numpy()[second["pair_id"]]
    return combine_batches([first, second])


def _figures(sample: pd.DataFrame, cutoff: float) -> np.ndarray:
    """Precision above the cutoff and share of matches at or below it, weighted; NaN where undefined."""
    above = sample["score"].to_numpy() > cutoff
    weights, labels = sample["weight"].to_numpy(), sample["label"].to_numpy()
    return np.array(
        [
            np.average(labels[side], weights=weights[side]) if side.any() else np.nan
            for side in (above, ~above)
        ]
    )
