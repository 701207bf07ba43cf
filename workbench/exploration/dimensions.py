"""The dimensions of an encoder: which vary most, which hardly vary, which make all texts look alike.

And what leaving them out does to scores. Vectors come from the caller.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from workbench.errors import InputError
from workbench.exploration.inputs import unit_rows
from workbench.exploration.vectors import FloatArray
from workbench.settings import Language

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["DimensionProfile", "profile_dimensions"]

ROGUE_SHARE = 0.05
NEAR_CONSTANT = 0.2
# A dimension that moves the score of two random texts by less is not rogue, whatever its share: where texts
# point in all directions, the shares are shares of next to nothing.
LEAST_CONTRIBUTION = 0.005


@dataclass(frozen=True, eq=False, repr=False)
class DimensionProfile:
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

    def sentence(self, language: Language = "en") -> str:
        """What the dimensions do, in words."""
        d, half, first = len(self.table), self.needed_for(0.5), self.by_contribution[0]
        share = float(self.table["cosine_share"].iloc[first])
        rogue, constant = len(self.rogue), len(self.constant)
        if language == "zh":
            return (
                f"随机两段文本的平均分是 {self.mean_score:.4f}，其中 #{first} 一维占 {abs(share):.1%}；"
                f"占到 {self.rogue_share:.0%} 的“失控”维度有 {rogue} 个，几乎不变的维度有 {constant} 个；"
                f"{d:,} 维里 {half} 维承担一半的方差。"
            )
        return (
            f"Two random texts score {self.mean_score:.4f} on average, {abs(share):.1%} of it in dimension "
            f"#{first}; rogue dimensions (from {self.rogue_share:.0%} on): {rogue}; nearly constant ones: "
            f"{constant}; {half} of {d:,} dimensions carry half of the variance."
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

    for name, value in (("rogue_share", rogue_share), ("near_constant", near_constant)):
        if not 0 < value < 1:
            raise InputError(f"{name} is {value}; it must lie between 0 and 1.")
    rows: FloatArray = unit_rows(vectors).astype(np.float64)
    n = len(rows)
    if n < 3:
        raise InputError(
            f"There {'is' if n == 1 else 'are'} only {n} vector{'s' * (n != 1)}; what a dimension does shows "
            "in many texts: give at least 3, better some hundreds."
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
