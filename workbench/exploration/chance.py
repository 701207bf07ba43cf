"""Whether what two vectors share is more than any two texts of the same encoder share.

The null hypothesis is a pair drawn at random; the test is exact, by counting over all random pairs, and
the many dimensions are corrected for.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from workbench.errors import InputError
from workbench.exploration.dimensions import (
    CLEAR,
    Contributions,
    clearly_positive,
    named_dimensions,
    split_score,
)
from workbench.exploration.inputs import (
    FloatArray,
    check_between,
    check_choice,
    check_count,
    check_same_dimension,
    unit_rows,
)
from workbench.i18n import N_, ngettext, paragraph, percent
from workbench.i18n import gettext as _
from workbench.results import Result

Method = Literal["bh", "by"]

# Products are compared with one that may have been rounded differently.
ROUNDING = 1e-9
# Two thousand texts of each kind make four million random pairs.
MOST_REFERENCES = 2000
# Random pairs behind the usual range of a contribution, which is only shown.
SHOWN_PAIRS = 4000
REFERENCE, SECOND_REFERENCE = N_("Reference"), N_("Second reference")
PAIR = N_("Vector of the pair")


@dataclass(frozen=True, eq=False, repr=False)
class ChanceComparison(Result):
    """A pair of vectors beside random pairs of the same encoder.

    Attributes
    ----------
    contributions : Contributions
    p_values : ndarray of float64, shape (d,)
        Share of random pairs that contribute as much or more in each dimension, this pair among them.
    adjusted : ndarray of float64, shape (d,)
        p-values corrected for the number of dimensions.
    fdr : float
        Expected share of false findings that is tolerated among the findings.
    method : {"bh", "by"}
    p_shared, p_score : float
        Share of random pairs with as many shared dimensions, and with as high a score.
    shared_counts : ndarray of int, shape (m,)
        How many random pairs share 0, 1, 2, … dimensions.
    mean_score : float
        Of random pairs.
    usual : ndarray of float64, shape (2, d)
        Between these lie nine tenths of the contributions of random pairs.
    n_pairs : int
        Random pairs that were counted.
    """

    contributions: Contributions
    p_values: FloatArray
    adjusted: FloatArray
    fdr: float
    method: Method
    p_shared: float
    p_score: float
    shared_counts: npt.NDArray[np.intp]
    mean_score: float
    usual: FloatArray
    n_pairs: int

    @property
    def n_shared(self) -> int:
        """Dimensions in which both vectors are clearly positive."""
        return len(self.contributions.shared)

    @property
    def expected_shared(self) -> float:
        """Dimensions that random pairs share on average."""
        return float(np.average(np.arange(len(self.shared_counts)), weights=self.shared_counts))

    @property
    def findings(self) -> npt.NDArray[np.intp]:
        """Dimensions that contribute more than in random pairs, after correction; smallest p-value first."""
        order = np.lexsort((-self.contributions.products, self.p_values))
        return order[self.adjusted[order] <= self.fdr]

    @property
    def pairs_needed(self) -> int:
        """Random pairs from which on the smallest p-value of a single dimension would be a finding."""
        tests: float = len(self.p_values)
        if self.method == "by":
            tests = tests * float((1 / np.arange(1, tests + 1)).sum())
        return math.ceil(tests / self.fdr - 1e-9)

    @property
    def could_find_one(self) -> bool:
        """Whether there are enough random pairs for a single dimension to be found at all."""
        return self.n_pairs >= self.pairs_needed

    def sentence(self) -> str:
        """Whether there is anything to read into the dimensions, in words."""
        d, n = len(self.p_values), len(self.findings)
        told = [
            ngettext(
                "Both are clearly positive in {n} dimension; {pairs:,} random pairs are in {expected:.1f} on "
                "average, and {share} of them in {n} or more.",
                "Both are clearly positive in {n} dimensions; {pairs:,} random pairs are in {expected:.1f} "
                "on average, and {share} of them in {n} or more.",
                self.n_shared,
            ).format(
                n=self.n_shared,
                pairs=self.n_pairs,
                expected=self.expected_shared,
                share=percent(self.p_shared, 2),
            )
        ]
        if n:
            more = ngettext(
                "Corrected for {tests:,} tests, {n} dimension contributes more than in random pairs "
                "({dimensions}; at most {fdr} false ones are expected).",
                "Corrected for {tests:,} tests, {n} dimensions contribute more than in random pairs "
                "({dimensions}; at most {fdr} false ones are expected).",
                n,
            )
            named, fdr = named_dimensions(self.findings), percent(self.fdr, None)
            told.append(more.format(tests=d, n=n, dimensions=named, fdr=fdr))
            told.append(_("That says that the texts are near, not what a dimension stands for."))
        elif self.could_find_one:
            none = _(
                "Corrected for {tests:,} tests, no dimension contributes more than in random pairs: tell no "
                "stories about single dimensions."
            )
            told.append(none.format(tests=d))
        else:
            few = _(
                "These are too few random pairs to tell one dimension of {n:,} from chance, which takes "
                "{needed:,}: nothing can be said here; give more texts to compare with."
            )
            told.append(few.format(n=d, needed=self.pairs_needed))
        return paragraph(told)

    def __repr__(self) -> str:
        return f"<ChanceComparison: {self.sentence()}>"

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "score": self.contributions.score,
            "mean_score": self.mean_score,
            "p_score": self.p_score,
            "n_shared": self.n_shared,
            "expected_shared": self.expected_shared,
            "p_shared": self.p_shared,
            "findings": self.findings.tolist(),
            "could_find_one": self.could_find_one,
            "smallest_p": float(self.p_values.min()),
            "fdr": self.fdr,
            "method": self.method,
            "n_pairs": self.n_pairs,
        }


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
        As of :func:`~workbench.exploration.split_score`.
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

    check_between("fdr", fdr, 0.05)
    check_choice("method", method, ("bh", "by"))
    check_count("most_references", most_references, 2)
    rng = np.random.default_rng(seed)
    parts = split_score(first, second, clear=clear)
    one_kind = second_references is None
    left = _references(references, REFERENCE, parts, most_references, rng)
    if one_kind:
        # Each pair of different texts, of which this one is one; all are counted in both orders below.
        left = right = np.vstack([left, parts.first, parts.second])
    else:
        right = _references(second_references, SECOND_REFERENCE, parts, most_references, rng)
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


def _references(
    vectors: npt.ArrayLike | None, name: str, parts: Contributions, most: int, rng: np.random.Generator
) -> FloatArray:
    """Unit rows in float64, at most `most` of them, drawn at random where there are more."""
    rows = unit_rows(vectors, name).astype(np.float64)  # type: ignore[arg-type]
    if len(rows) < 2:
        raise InputError(
            _(
                "There is only one reference vector; chance is judged by many random pairs: give some "
                "hundreds of other texts."
            )
        )
    check_same_dimension(name, rows, PAIR, parts.first[None])
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
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
