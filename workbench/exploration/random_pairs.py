"""Whether what two vectors share is more than any two texts of the same encoder share.

The null hypothesis is a pair drawn at random; the test is exact, by counting over all random pairs, and
the many dimensions are corrected for.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from workbench.errors import EncoderMismatchError, InputError
from workbench.exploration.chance import ChanceComparison, Method
from workbench.exploration.contributions import CLEAR, Contributions, clearly_positive, split_score
from workbench.exploration.inputs import unit_rows
from workbench.exploration.vectors import FloatArray

__all__ = ["against_chance"]

# Products are compared with one that may have been rounded differently.
ROUNDING = 1e-9
# Two thousand texts of each kind make four million random pairs.
MOST_REFERENCES = 2000
# Random pairs behind the usual range of a contribution, which is only shown.
SHOWN_PAIRS = 4000


def against_chance(
    first: npt.ArrayLike,
    second: npt.ArrayLike,
    references: npt.ArrayLike,
    second_references: npt.ArrayLike | None = None,
    *,
    clear: float = CLEAR,
    fdr: float = 0.05,
    method: Method = "bh",
    most_references: int = MOST_REFERENCES,
    seed: int = 0,
) -> ChanceComparison:
    """Compare what two vectors share with what random pairs of the same encoder share.

    Were the pair drawn at random, `first` could be any of itself and `references`, and `second` any of
    itself and `second_references`. So the share of all those pairs that contribute as much or more is an
    exact p-value of a permutation test [1]_, in each dimension, for the count of shared dimensions and
    for the score. Dimensions are many: their p-values are adjusted so that the expected share of false
    findings stays below `fdr` [2]_ [3]_.

    Parameters
    ----------
    first, second : array_like, shape (d,)
        The pair, such as a JD and a résumé text.
    references : array_like, shape (n, d)
        Other texts of the first's kind, by the same encoder. Some hundreds; the smallest p-value that
        can come out is one in all random pairs.
    second_references : array_like, shape (m, d), optional
        Other texts of the second's kind; by default both kinds are drawn from `references`.
    clear : float
        As of :func:`~workbench.exploration.contributions.split_score`.
    fdr : float
        Tolerated share of false findings.
    method : {"bh", "by"}
        Benjamini and Hochberg, who allow positive dependence, or Benjamini and Yekutieli, who allow any.
    most_references : int
        Of each kind; where there are more, so many are drawn at random, which leaves the test exact.
    seed : int
        Of that draw, and of the random pairs behind `usual`, which is only shown.

    Raises
    ------
    InputError
        If a vector is not finite or all zeros, there are fewer than 2 references, or an option is out of
        range.
    EncoderMismatchError
        If dimensions differ.

    References
    ----------
    .. [1] Hemerik & Goeman (2018), Exact testing with random permutations, TEST 27, 811-825.
    .. [2] Benjamini & Hochberg (1995), Controlling the false discovery rate, JRSS B 57, 289-300.
    .. [3] Benjamini & Yekutieli (2001), The control of the false discovery rate in multiple testing under
       dependency, Annals of Statistics 29, 1165-1188.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> others = rng.standard_normal((100, 32))
    >>> one, other = rng.standard_normal((2, 32))
    >>> one[5] = other[5] = 9.0
    >>> against_chance(one, other, others).findings.tolist()
    [5]
    """
    from scipy.stats import false_discovery_control

    if not 0 < fdr < 1:
        raise InputError(f"fdr is {fdr}; it must lie between 0 and 1 (0.05 is usual).")
    if method not in ("bh", "by"):
        raise InputError(f"method is {method!r}; it must be 'bh' or 'by'.")
    if most_references < 2:
        raise InputError(f"most_references is {most_references}; at least 2 are needed, hundreds are usual.")
    rng = np.random.default_rng(seed)
    parts = split_score(first, second, clear=clear)
    one_kind = second_references is None
    left = _some(_references(references, parts, "Reference"), most_references, rng)
    right = (
        left
        if one_kind
        else _some(_references(second_references, parts, "Second reference"), most_references, rng)
    )
    if one_kind:
        # Each pair of different texts, of which this one is one; all are counted in both orders below.
        left = right = np.vstack([left, parts.first, parts.second])
    else:
        left, right = np.vstack([left, parts.first]), np.vstack([right, parts.second])
    orders = 2 if one_kind else 1
    n_pairs = len(left) * (len(right) - one_kind) // orders
    at_least = np.array(
        [
            _pairs_at_least(left[:, dimension], right[:, dimension], value, one_kind)
            for dimension, value in enumerate(parts.products)
        ]
    )
    p_values = at_least / (orders * n_pairs)
    shared = _pairs_counted(clearly_positive(left, clear), clearly_positive(right, clear), one_kind) // orders
    scores = left @ right.T
    if one_kind:
        np.fill_diagonal(scores, -np.inf)
    rows, columns = (rng.integers(len(side), size=SHOWN_PAIRS) for side in (left, right))
    different = (rows != columns) | (not one_kind)
    return ChanceComparison(
        contributions=parts,
        p_values=p_values,
        adjusted=false_discovery_control(p_values, method=method),
        fdr=float(fdr),
        method=method,
        p_shared=float(shared[len(parts.shared) :].sum() / n_pairs),
        p_score=float((scores >= parts.score - ROUNDING).sum() / (orders * n_pairs)),
        shared_counts=shared,
        mean_score=float(scores[np.isfinite(scores)].sum() / (orders * n_pairs)),
        usual=np.quantile(left[rows[different]] * right[columns[different]], (0.05, 0.95), axis=0),
        n_pairs=n_pairs,
    )


def _references(vectors: npt.ArrayLike | None, parts: Contributions, what: str) -> FloatArray:
    rows = unit_rows(vectors, what).astype(np.float64)  # type: ignore[arg-type]
    if len(rows) < 2:
        raise InputError(
            f"There is only one {what.lower()} vector; chance is judged by many random pairs: give some "
            "hundreds of other texts."
        )
    if rows.shape[1] != len(parts.first):
        raise EncoderMismatchError(
            f"{what} vectors have {rows.shape[1]} dimensions, the pair has {len(parts.first)}, so they come "
            "from different encoders. Encode all texts with one encoder."
        )
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    return rows


def _some(rows: FloatArray, most: int, rng: np.random.Generator) -> FloatArray:
    return rows if len(rows) <= most else rows[np.sort(rng.choice(len(rows), most, replace=False))]


def _pairs_at_least(left: FloatArray, right: FloatArray, value: float, one_kind: bool) -> int:
    """How many products of one of `left` and one of `right` are at least `value`.

    By sorting, so that a million pairs cost a thousand searches. Products within rounding count too, which
    can only make a p-value larger.
    """
    least = value - ROUNDING * abs(value)
    ordered = np.sort(right)
    positive, negative = left > 0, left < 0
    count = int((len(right) - np.searchsorted(ordered, least / left[positive], "left")).sum())
    count += int(np.searchsorted(ordered, least / left[negative], "right").sum())
    if least <= 0:
        count += int((left == 0).sum()) * len(right)
    if one_kind:
        # The same divisions, so that a text with itself is taken off exactly where it was counted.
        with np.errstate(divide="ignore", invalid="ignore"):
            bound = least / left
        own = np.where(positive, left >= bound, np.where(negative, left <= bound, least <= 0))
        count -= int(own.sum())
    return count


def _pairs_counted(
    left: npt.NDArray[np.bool_], right: npt.NDArray[np.bool_], one_kind: bool
) -> npt.NDArray[np.intp]:
    """How many pairs share 0, 1, 2, … true dimensions."""
    both = np.rint(left.astype(np.float32) @ right.astype(np.float32).T).astype(np.intp)
    counts = np.bincount(both.ravel(), minlength=left.shape[1] + 1)
    if one_kind:
        counts = counts - np.bincount(np.diag(both), minlength=len(counts))
    return counts
