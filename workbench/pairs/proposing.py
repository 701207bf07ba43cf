"""What to label next: a batch of a pool that says most about the cutoff, with the probability of each pair.

Every pair of the pool can be drawn, with a probability that is known, so that figures weighted by its inverse
are unbiased however much denser the batch is near the cutoff. How many labels are needed is in
:mod:`workbench.pairs.planning`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from scipy import special

from workbench.errors import InputError
from workbench.i18n import gettext as _
from workbench.pairs.checks import places, require_columns

if TYPE_CHECKING:
    import pandas as pd

FloatArray = npt.NDArray[np.float64]

# Share of the batch that is spread evenly over the pool whatever the model says; weights are at most
# 1 / SPREAD times those of an even draw. Of 0.1, 0.2 and 0.3 the last was best in simulation.
SPREAD = 0.3
# Without labels, how fast matches become frequent with the score, and how sure the cutoff is: in standard
# deviations of the pool's scores.
SLOPE = 0.4
UNSURE = 0.2


def propose(
    pool: pd.DataFrame,
    n: int,
    cutoff: float,
    *,
    groups: str | Sequence[str] = (),
    labelled: pd.DataFrame | None = None,
    score: str = "score",
    seed: int = 0,
) -> pd.DataFrame:
    """Draw the pairs to label next.

    Pairs are drawn with probabilities that make the variances of precision above the cutoff and of the
    share of matches missed below it, taken together, as small as they can be [1]_: proportional to the
    standard deviation of the label at that score, and to the weight of a pair on its side. So the batch
    is dense around the cutoff, and denser above it, where there are fewer pairs. The draw is systematic in
    the order of groups and scores [2]_: in each group and each range of scores the batch has as many pairs
    as it should, to within one.

    Parameters
    ----------
    pool : DataFrame
        Unlabelled pairs with `score` (see :func:`workbench.score_pairs`) and the columns of `groups`.
        Pairs whose ``pair_id`` is in `labelled` are not drawn.
    n : int
        Size of the batch.
    cutoff : float
        Today's cutoff, or a guess.
    groups : str or sequence of str
        Columns over which the batch is stratified.
    labelled : DataFrame, optional
        Pairs that are labelled already, with `score` and ``label``: they tell how likely a match is at
        each score. Without them a slope around the cutoff is assumed.
    score : str
        Name of the column.
    seed : int
        Of the draw.

    Returns
    -------
    DataFrame
        The rows drawn, in random order, so that work can stop anywhere; with ``inclusion_probability``
        and ``weight`` (its inverse). Calibration reads either column.

    Raises
    ------
    InputError
        If a column is missing, a score is not finite, the cutoff is no cosine, or the pool has fewer
        than `n` pairs.

    References
    ----------
    .. [1] Neyman (1934), On the two different aspects of the representative method, JRSS 97, 558-625;
       Isaki & Fuller (1982), Survey design under the regression superpopulation model, JASA 77, 89-96.
    .. [2] Madow (1949), On the theory of systematic sampling II, Annals of Mathematical Statistics 20,
       333-354; Särndal, Swensson & Wretman (1992), Model Assisted Survey Sampling, sections 3.6 and 3.7.

    Examples
    --------
    >>> import pandas as pd
    >>> pool = pd.DataFrame({"pair_id": range(1000), "score": [i / 1000 for i in range(1000)]})
    >>> batch = propose(pool, 50, cutoff=0.7)
    >>> int((batch["score"] > 0.7).sum()), int((pool["score"] > 0.7).sum())
    (24, 299)
    >>> bool(batch["weight"].max() <= 1000 / 50 / 0.3)
    True
    """
    columns = [groups] if isinstance(groups, str) else list(groups)
    if score not in pool.columns:
        raise InputError(
            _("The pool has no column {score}. Score it first with workbench.score_pairs.").format(
                score=repr(score)
            )
        )
    require_columns(pool, columns, _("The pairs of the pool"))
    if labelled is not None and {"pair_id"} <= set(pool.columns) & set(labelled.columns):
        pool = pool[~pool["pair_id"].isin(set(labelled["pair_id"]))]
    if not 1 <= n <= len(pool):
        raise InputError(
            _("n is {n}; the pool has {most} pairs that are not labelled yet: choose 1 to {most}.").format(
                n=n, most=len(pool)
            )
        )
    scores = _scores(pool, score)
    sizes = _sizes(scores, cutoff, _chance_of_match(scores, cutoff, labelled, score))
    probabilities = inclusion_probabilities(sizes, n)
    rng = np.random.default_rng(seed)
    drawn = _systematic(probabilities, _ordered(pool, columns, scores, rng), rng)
    drawn = rng.permutation(drawn)
    batch = pool.iloc[drawn].drop(columns=["inclusion_probability", "weight"], errors="ignore")
    chosen = probabilities[drawn]
    return batch.assign(inclusion_probability=chosen, weight=1 / chosen).reset_index(drop=True)


def combine_batches(batches: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Several batches from one pool as one sample, with weights that keep estimates unbiased.

    Each batch must have been drawn from what the earlier ones left of the same pool. Seen from batch k,
    the pool is the earlier batches, which are known, and the rest, which batch k represents with its own
    weights; that estimate is unbiased however batch k was chosen in the light of the earlier ones. The
    result is the mean of these estimates, each weighted by the size of its batch [1]_.

    Parameters
    ----------
    batches : sequence of DataFrame
        In the order in which they were drawn, as :func:`propose` gave them, labelled since; a batch that
        was only labelled in part cannot be used.

    Returns
    -------
    DataFrame
        All rows, with ``weight``, and ``batch`` (from 1); without ``inclusion_probability``, which no
        longer has a meaning for one row.

    Raises
    ------
    InputError
        If there is no batch, one has no ``inclusion_probability``, or a pair is in two of them.

    References
    ----------
    .. [1] Farquhar, Gal & Rainforth (2021), On statistical bias in active learning, ICLR: the same idea
       for batches of one.
    """
    import pandas as pd

    if not batches:
        raise InputError(_("There is no batch to combine."))
    for number, batch in enumerate(batches, start=1):
        if "inclusion_probability" not in batch.columns:
            raise InputError(
                _(
                    "Batch {number} has no column 'inclusion_probability'; pass it as propose() gave it."
                ).format(number=number)
            )
    sizes = np.array([len(batch) for batch in batches])
    shares = sizes / sizes.sum()
    # In the estimates of later batches, the pairs of this one stand for themselves only.
    later = np.append(np.cumsum(shares[::-1])[::-1][1:], 0.0)
    parts = [
        batch.drop(columns="inclusion_probability").assign(
            weight=shares[k] / batch["inclusion_probability"].to_numpy() + later[k], batch=k + 1
        )
        for k, batch in enumerate(batches)
    ]
    combined = pd.concat(parts, ignore_index=True)
    if "pair_id" in combined.columns and combined["pair_id"].duplicated().any():
        twice = combined.loc[combined["pair_id"].duplicated(), "pair_id"].iloc[0]
        raise InputError(
            _(
                "Pair {pair} is in more than one batch; pass what is labelled as labelled= when you propose."
            ).format(pair=twice)
        )
    return combined


def inclusion_probabilities(sizes: npt.ArrayLike, n: int) -> FloatArray:
    """Probabilities proportional to sizes, none above 1, that sum to `n`.

    Parameters
    ----------
    sizes : array-like of float, shape (N,)
        Positive.
    n : int
        At most N.

    Returns
    -------
    ndarray of float64, shape (N,)

    References
    ----------
    Särndal, Swensson & Wretman (1992), section 3.6.1: what would exceed 1 is taken for sure.

    Examples
    --------
    >>> inclusion_probabilities([1, 1, 2, 12], 2).tolist()
    [0.25, 0.25, 0.5, 1.0]
    """
    sizes = np.asarray(sizes, dtype=np.float64)
    if not (sizes > 0).all() or not 0 <= n <= len(sizes):
        raise InputError(_("Sizes must be above 0, and n no more than there are of them."))
    sure = np.zeros(len(sizes), dtype=np.bool_)
    while True:
        rest = sizes[~sure].sum()
        share = (n - sure.sum()) / rest if rest else 0.0
        over = ~sure & (sizes * share >= 1)
        if not over.any():
            return np.where(sure, 1.0, sizes * share)
        sure |= over


def _sizes(scores: FloatArray, cutoff: float, chance: FloatArray) -> FloatArray:
    """What each pair adds to the two variances, per unit of 1 / probability, mixed with an even spread."""
    above = max(int((scores > cutoff).sum()), 1)
    below = max(int((scores <= cutoff).sum()), 1)
    # The cutoff itself is not sure: near it a pair may turn out to lie on either side.
    side = special.ndtr((scores - cutoff) / (UNSURE * _spread(scores)))
    sizes = np.sqrt(chance * (1 - chance) * (side / above**2 + (1 - side) / below**2))
    return np.asarray((1 - SPREAD) * sizes / sizes.mean() + SPREAD)


def _chance_of_match(
    scores: FloatArray, cutoff: float, labelled: pd.DataFrame | None, score: str
) -> FloatArray:
    known = None if labelled is None or not len(labelled) else labelled
    if known is not None:
        require_columns(known, [score, "label"], _("The labelled pairs"))
    if known is None or known["label"].nunique() < 2:
        chance = special.expit((scores - cutoff) / (SLOPE * _spread(scores)))
    else:
        chance = _logistic(known, score, scores)
    # Where the model is certain, it may still be wrong.
    return np.asarray(np.clip(chance, 0.01, 0.99))


def _logistic(known: pd.DataFrame, score: str, scores: FloatArray) -> FloatArray:
    from sklearn.linear_model import LogisticRegression

    at = _scores(known, score)
    centre, spread = at.mean(), _spread(at)
    weights = known["weight"].to_numpy() if "weight" in known.columns else None
    model = LogisticRegression().fit(((at - centre) / spread)[:, None], known["label"], sample_weight=weights)
    return np.asarray(model.predict_proba(((scores - centre) / spread)[:, None])[:, 1])


def _ordered(
    pool: pd.DataFrame, columns: Sequence[str], scores: FloatArray, rng: np.random.Generator
) -> npt.NDArray[np.intp]:
    """Positions by group, then score; up in one group and down in the next, so that no step is large."""
    ties = rng.random(len(scores))
    if not columns:
        return np.lexsort([ties, scores])
    codes = pool.groupby(list(columns), sort=True, dropna=False).ngroup().to_numpy()
    return np.lexsort([ties, np.where(codes % 2, -scores, scores), codes])


def _systematic(
    probabilities: FloatArray, order: npt.NDArray[np.intp], rng: np.random.Generator
) -> npt.NDArray[Any]:
    """Positions drawn: those in whose stretch of the summed probabilities a comb of step 1 has a tooth."""
    sums = np.cumsum(probabilities[order])
    n = round(float(sums[-1]))
    # The sum is n but for rounding; the last tooth must not fall behind it.
    sums[-1] = n
    return order[np.searchsorted(sums, rng.random() + np.arange(n), side="right")]


def _scores(frame: pd.DataFrame, score: str) -> FloatArray:
    scores = frame[score].to_numpy(dtype=np.float64)
    if bad := np.flatnonzero(~np.isfinite(scores)).tolist():
        raise InputError(
            _("The pairs have no score in {rows} (counted from 0); score them again.").format(
                rows=places(bad)
            )
        )
    return scores


def _spread(scores: FloatArray) -> float:
    return float(scores.std()) or 1.0
