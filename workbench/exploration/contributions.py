"""A score taken apart: what each dimension of two vectors contributes to their cosine similarity.

Whether what stands out is more than chance is asked in :mod:`workbench.exploration.random_pairs`.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from workbench.errors import InputError
from workbench.exploration.vectors import FloatArray, two_unit_vectors
from workbench.settings import Language

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["CLEAR", "Contributions", "clearly_positive", "split_score"]

# How many times the root mean square of its vector a value must be to count as clearly positive. Of
# normally distributed values 6.7 % are, so that two unrelated vectors share 0.45 % of their dimensions.
CLEAR = 1.5


@dataclass(frozen=True, eq=False, repr=False)
class Contributions:
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

    def sentence(self, language: Language = "en") -> str:
        """The score taken apart, in words."""
        d, half = len(self.products), self.needed_for(0.5)
        added = float(self.products[self.products > 0].sum())
        named = ", ".join(f"#{dimension}" for dimension in self.shared[:5])
        more = len(self.shared) - 5
        if language == "zh":
            named = named.replace(", ", "、") + (" 等" if more > 0 else "")
            which = f"（{named}）" if len(self.shared) else ""
            return (
                f"分数 {self.score:.4f} = 加上的 {added:.4f} − 减去的 {added - self.score:.4f}；{d:,} 维里 "
                f"{self.agreeing:.0%} 同号，其中 {half} 维就占了加上部分的一半；"
                f"两边都明显为正的有 {len(self.shared)} 维{which}。"
            )
        which = f" ({named}{f' and {more} more' if more > 0 else ''})" if len(self.shared) else ""
        return (
            f"Score {self.score:.4f} = {added:.4f} added − {added - self.score:.4f} taken away; the signs "
            f"agree in {self.agreeing:.0%} of {d:,} dimensions, and {half} of them make half of what is "
            f"added; both are clearly positive in {len(self.shared)}{which}."
        )

    def __repr__(self) -> str:
        return f"<Contributions: {self.sentence()}>"

    def to_frame(self) -> pd.DataFrame:
        """A row for each dimension, largest contribution first."""
        import pandas as pd

        frame = pd.DataFrame(
            {
                "dimension": np.arange(len(self.products)),
                "first": self.first,
                "second": self.second,
                "contribution": self.products,
                "shared": np.isin(np.arange(len(self.products)), self.shared),
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
        raise InputError(f"clear is {clear}; it must be above 0 (1.5 is usual).")
    one, other = two_unit_vectors(first, second)
    return Contributions(one, other, float(clear))


def clearly_positive(rows: npt.NDArray[Any], clear: float) -> npt.NDArray[np.bool_]:
    """Where unit vectors have values of at least `clear` times their root mean square; any shape (…, d)."""
    return np.asarray(rows >= clear / np.sqrt(rows.shape[-1]))
