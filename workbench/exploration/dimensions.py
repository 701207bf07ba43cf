"""Dimension by dimension: a score taken apart, and what the dimensions of an encoder do: which vary most,
which hardly vary, which make all texts look alike.

Whether what stands out in a score is more than chance is asked in :mod:`workbench.exploration.chance`.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from workbench.errors import InputError
from workbench.exploration.inputs import FloatArray, check_between, two_unit_vectors, unit_rows
from workbench.i18n import gettext as _
from workbench.i18n import listed, ngettext, number, paragraph, percent
from workbench.results import Result

if TYPE_CHECKING:
    import pandas as pd

ROGUE_SHARE = 0.05
NEAR_CONSTANT = 0.2
# A dimension that moves the score of two random texts by less is not rogue, whatever its share: where texts
# point in all directions, the shares are shares of next to nothing.
LEAST_CONTRIBUTION = 0.005
# How many times the root mean square of its vector a value must be to count as clearly positive. Of
# normally distributed values 6.7 % are, so that two unrelated vectors share 0.45 % of their dimensions.
CLEAR = 1.5
MOST_NAMED = 5


@dataclass(frozen=True, eq=False, repr=False)
class Contributions(Result):
    """What each dimension contributes to a score.

    Attributes
    ----------
    first, second : ndarray of float64, shape (d,)
        Both vectors, of unit length.
    clear : float
        A value is clearly positive from this many times the root mean square of its vector on.
    """

    first: FloatArray
    second: FloatArray
    clear: float = CLEAR

    @cached_property
    def products(self) -> FloatArray:
        """Product of both vectors in each dimension, shape (d,); their sum is the score."""
        return self.first * self.second

    @property
    def score(self) -> float:
        """Cosine similarity."""
        return float(self.products.sum())

    @cached_property
    def shared(self) -> npt.NDArray[np.intp]:
        """Dimensions in which both are clearly positive, largest contribution first."""
        both = clearly_positive(self.first, self.clear) & clearly_positive(self.second, self.clear)
        return self.leading[both[self.leading]]

    @cached_property
    def leading(self) -> npt.NDArray[np.intp]:
        """All dimensions, largest contribution first."""
        return np.argsort(-self.products, kind="stable")

    @property
    def agreeing(self) -> float:
        """Share of dimensions in which both have the same sign, and so add to the score."""
        return float((self.products > 0).mean())

    def needed_for(self, share: float = 0.5) -> int:
        """How many dimensions, largest first, add up to this share of all that is added.

        What is added is the sum of the positive contributions, which is more than the score: negative
        ones take away from it.
        """
        added = np.cumsum(np.clip(self.products[self.leading], 0, None))
        if added[-1] == 0:
            return 0
        return int(np.searchsorted(added, share * added[-1] - 1e-12) + 1)

    def sentence(self) -> str:
        """The score taken apart, in words."""
        half, shared = self.needed_for(0.5), len(self.shared)
        added = float(self.products[self.products > 0].sum())
        told = [
            _("Score {score} = {added} added − {lost} taken away.").format(
                score=number(self.score), added=number(added), lost=number(added - self.score)
            ),
            ngettext(
                "The signs agree in {share} of {total:,} dimensions; {n} of them makes half of what is "
                "added.",
                "The signs agree in {share} of {total:,} dimensions; {n} of them make half of what is added.",
                half,
            ).format(share=percent(self.agreeing, 0), total=len(self.products), n=half),
        ]
        if shared:
            told.append(
                ngettext(
                    "Both are clearly positive in {n} dimension ({dimensions}).",
                    "Both are clearly positive in {n} dimensions ({dimensions}).",
                    shared,
                ).format(n=shared, dimensions=named_dimensions(self.shared))
            )
        else:
            told.append(_("Both are clearly positive in no dimension."))
        return paragraph(told)

    def __repr__(self) -> str:
        return f"<Contributions: {self.sentence()}>"

    def to_frame(self) -> pd.DataFrame:
        """A row for each dimension, largest contribution first."""
        import pandas as pd

        dimensions = np.arange(len(self.products))
        frame = pd.DataFrame(
            {
                "dimension": dimensions,
                "first": self.first,
                "second": self.second,
                "contribution": self.products,
                "shared": np.isin(dimensions, self.shared),
            }
        )
        return frame.iloc[self.leading].reset_index(drop=True)

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "score": self.score,
            "dimension": len(self.products),
            "agreeing": self.agreeing,
            "needed_for_half": self.needed_for(0.5),
            "shared": self.shared.tolist(),
            "clear": self.clear,
        }


@dataclass(frozen=True, eq=False, repr=False)
class DimensionProfile(Result):
    """What each dimension does in a set of vectors.

    Attributes
    ----------
    table : DataFrame
        A row for each dimension: ``dimension``; ``mean`` and ``std`` of its values; ``variance_share``;
        ``expected_contribution``, the mean of what it contributes to the score of a random pair, and
        ``cosine_share``, that as a share of the sum of all sizes; ``is_rogue``; ``is_near_constant``.
    mean_score : float
        Mean score of random pairs, the sum of expected contributions. Far above 0 where all texts point
        the same way ("anisotropy").
    n : int
        Vectors.
    rogue_share, near_constant : float
        What the last two columns were decided by.
    """

    table: pd.DataFrame
    mean_score: float
    n: int
    rogue_share: float
    near_constant: float

    @property
    def rogue(self) -> npt.NDArray[np.intp]:
        """Dimensions with a large part in the score of any two texts, largest first."""
        return self._where("is_rogue", "cosine_share")

    @property
    def constant(self) -> npt.NDArray[np.intp]:
        """Dimensions that are nearly the same in all texts, the least varying first."""
        found = self.table[self.table["is_near_constant"]]
        return np.asarray(found.sort_values("std", kind="stable")["dimension"], dtype=np.intp)

    @property
    def by_variance(self) -> npt.NDArray[np.intp]:
        """All dimensions, the one that carries most variance first."""
        return self._ordered("variance_share")

    @property
    def by_contribution(self) -> npt.NDArray[np.intp]:
        """All dimensions, the one that contributes most to the score of a random pair first."""
        return self._ordered("cosine_share")

    def needed_for(self, share: float = 0.5) -> int:
        """How many dimensions, most varying first, carry this share of the variance."""
        carried = np.sort(self.table["variance_share"].to_numpy())[::-1].cumsum()
        return min(int(np.searchsorted(carried, share - 1e-12)) + 1, len(carried))

    def sentence(self) -> str:
        """What the dimensions do, in words."""
        half, first = self.needed_for(0.5), self.by_contribution[0]
        share = abs(float(self.table["cosine_share"].iloc[first]))
        return paragraph(
            [
                _(
                    "Two random texts score {score} on average, {share} of it in dimension #{dimension}."
                ).format(score=number(self.mean_score), share=percent(share), dimension=first),
                _("Rogue dimensions (from {share} on): {rogue}; nearly constant ones: {constant}.").format(
                    share=percent(self.rogue_share, None), rogue=len(self.rogue), constant=len(self.constant)
                ),
                ngettext(
                    "{n} of {total:,} dimensions carries half of the variance.",
                    "{n} of {total:,} dimensions carry half of the variance.",
                    half,
                ).format(n=half, total=len(self.table)),
            ]
        )

    def __repr__(self) -> str:
        return f"<DimensionProfile: {self.sentence()}>"

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "n": self.n,
            "dimension": len(self.table),
            "mean_score": self.mean_score,
            "rogue": self.rogue.tolist(),
            "near_constant": self.constant.tolist(),
            "needed_for_half_of_variance": self.needed_for(0.5),
            "leading_variance": self.by_variance[:10].tolist(),
            "leading_contribution": self.by_contribution[:10].tolist(),
        }

    def _where(self, flag: str, column: str) -> npt.NDArray[np.intp]:
        return np.array([d for d in self._ordered(column) if self.table[flag].iloc[d]], dtype=np.intp)

    def _ordered(self, column: str) -> npt.NDArray[np.intp]:
        return np.argsort(-self.table[column].abs().to_numpy(), kind="stable")


def split_score(first: npt.ArrayLike, second: npt.ArrayLike, *, clear: float = CLEAR) -> Contributions:
    """Split the cosine similarity of two vectors into what each dimension contributes.

    Parameters
    ----------
    first, second : array_like, shape (d,)
        Such as the vectors of a JD and a résumé text; they are made unit length.
    clear : float
        A value is clearly positive from this many times the root mean square of its vector on.

    Returns
    -------
    Contributions
        Its `products` sum to the score.

    Raises
    ------
    InputError
        If a vector is not finite or all zeros, or `clear` is not positive.
    EncoderMismatchError
        If they have different dimensions.

    Notes
    -----
    A single dimension of a neural encoder has no meaning of its own: turning all vectors together leaves
    every score as it is, but other dimensions stand out afterwards.

    Examples
    --------
    >>> parts = split_score([0.6, 0.8], [0.8, 0.6])
    >>> parts.products.round(2).tolist(), round(parts.score, 2)
    ([0.48, 0.48], 0.96)
    """
    if not clear > 0:
        raise InputError(_("clear is {value}; it must be above 0 (1.5 is usual).").format(value=clear))
    return Contributions(*two_unit_vectors(first, second), float(clear))


def profile_dimensions(
    vectors: npt.ArrayLike, *, rogue_share: float = ROGUE_SHARE, near_constant: float = NEAR_CONSTANT
) -> DimensionProfile:
    """See which dimensions vary, which hardly do, and which push all scores up.

    A dimension is *rogue* where it makes up a large part of the score of any two texts [1]_: its expected
    contribution is the mean product over all pairs of different texts. It is *near-constant* where its
    standard deviation is small beside its mean: it says the same of every text.

    Parameters
    ----------
    vectors : array_like, shape (n, d)
        At least 3 texts, better some hundreds; they are made unit length.
    rogue_share : float
        From this share of the expected contributions (in size) on, a dimension is rogue, if it also moves
        the score of a random pair by at least 0.005.
    near_constant : float
        Below this ratio of standard deviation to mean (in size), a dimension is near-constant. One that
        is zero in all texts is too.

    Raises
    ------
    InputError
        If there are fewer than 3 rows, one is not finite or has no length, or an option is out of range.

    References
    ----------
    .. [1] Timkey & van Schijndel (2021), All bark and no bite: rogue dimensions in transformer language
       models obscure representational quality, EMNLP, 4527-4546.

    Examples
    --------
    >>> rows = np.random.default_rng(0).standard_normal((200, 16))
    >>> rows[:, 3] += 8
    >>> found = profile_dimensions(rows)
    >>> found.rogue.tolist(), found.constant.tolist()
    ([3], [3])
    """
    import pandas as pd

    check_between("rogue_share", rogue_share, ROGUE_SHARE)
    check_between("near_constant", near_constant, NEAR_CONSTANT)
    rows: FloatArray = unit_rows(vectors).astype(np.float64)
    n = len(rows)
    if n < 3:
        raise InputError(
            _(
                "What a dimension does shows in many texts: give at least 3 vectors, better some hundreds, "
                "not {n}."
            ).format(n=n)
        )
    mean, std = rows.mean(axis=0), rows.std(axis=0)
    # Mean product over ordered pairs of different rows, from sums alone.
    expected = (rows.sum(axis=0) ** 2 - (rows**2).sum(axis=0)) / (n * (n - 1))
    variance = std**2
    share = expected / (np.abs(expected).sum() or 1.0)
    table = pd.DataFrame(
        {
            "dimension": np.arange(rows.shape[1]),
            "mean": mean,
            "std": std,
            "variance_share": variance / (variance.sum() or 1.0),
            "expected_contribution": expected,
            "cosine_share": share,
            "is_rogue": (np.abs(share) >= rogue_share) & (np.abs(expected) >= LEAST_CONTRIBUTION),
            # Rounding to float32 leaves a little where all values are the same.
            "is_near_constant": std <= np.maximum(near_constant * np.abs(mean), 1e-7),
        }
    )
    return DimensionProfile(table, float(expected.sum()), n, rogue_share, near_constant)


def clearly_positive(rows: npt.NDArray[Any], clear: float) -> npt.NDArray[np.bool_]:
    """Where unit vectors have values of at least `clear` times their root mean square; any shape (…, d)."""
    return np.asarray(rows >= clear / np.sqrt(rows.shape[-1]))


def named_dimensions(dimensions: npt.NDArray[np.intp]) -> str:
    """The first five dimensions of some, and how many more there are."""
    named = listed(f"#{dimension}" for dimension in dimensions[:MOST_NAMED])
    if len(dimensions) <= MOST_NAMED:
        return named
    return _("{dimensions} and {n} more").format(dimensions=named, n=len(dimensions) - MOST_NAMED)
