"""One vector in figures, and how many directions a set of vectors really uses.

The bars and histograms of the same vectors are in :mod:`workbench.plots`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from workbench.errors import InputError
from workbench.exploration.inputs import unit_rows
from workbench.settings import Language

__all__ = [
    "EffectiveDimension",
    "FloatArray",
    "VectorSummary",
    "checked_vector",
    "describe_vector",
    "effective_dimension",
    "two_unit_vectors",
]

FloatArray = npt.NDArray[np.float64]

FIRST = 50
QUANTILES = (0.0, 0.05, 0.25, 0.5, 0.75, 0.95, 1.0)
# Below this a vector counts as of unit length: float32 rounds, half precision more so.
UNIT_TOLERANCE = 1e-3


@dataclass(frozen=True, eq=False, repr=False)
class VectorSummary:
    """One vector in figures.

    Attributes
    ----------
    dimension : int
    norm : float
        Length; 1 for vectors of this workbench's encoders.
    first : ndarray of float64
        Its first 50 values, or all where there are fewer.
    quantiles : dict of float to float
        Of the values, at 0, 0.05, 0.25, 0.5, 0.75, 0.95 and 1.
    n_zero : int
        Values that are exactly zero.
    leading : tuple of int
        The ten dimensions whose values are largest, whatever their sign.
    leading_share : float
        Their share of the squared length.
    """

    dimension: int
    norm: float
    first: FloatArray
    quantiles: dict[float, float]
    n_zero: int
    leading: tuple[int, ...]
    leading_share: float

    def sentence(self, language: Language = "en") -> str:
        """The figures in words."""
        low, high = self.quantiles[0.05], self.quantiles[0.95]
        unit = abs(self.norm - 1) < UNIT_TOLERANCE
        most = len(self.leading)
        if language == "zh":
            length = "已归一化" if unit else "未归一化"
            zeros = f"，其中 {self.n_zero:,} 个是零" if self.n_zero else ""
            return (
                f"{self.dimension:,} 维{zeros}，长度 {self.norm:.4f}（{length}）；九成的数值在 {low:.4f} 到 "
                f"{high:.4f} 之间，最大的 {most} 个占长度平方的 {self.leading_share:.1%}。"
            )
        zeros = f" ({self.n_zero:,} of them zero)" if self.n_zero else ""
        length = "unit length" if unit else "not of unit length"
        return (
            f"{self.dimension:,} dimensions{zeros}, norm {self.norm:.4f} ({length}); nine tenths of the "
            f"values lie between {low:.4f} and {high:.4f}, the {most} largest hold "
            f"{self.leading_share:.1%} of the squared length."
        )

    def __repr__(self) -> str:
        return f"<VectorSummary: {self.sentence()}>"

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "dimension": self.dimension,
            "norm": self.norm,
            "first": self.first.tolist(),
            "quantiles": {f"{level:g}": value for level, value in self.quantiles.items()},
            "n_zero": self.n_zero,
            "leading": list(self.leading),
            "leading_share": self.leading_share,
        }


@dataclass(frozen=True)
class EffectiveDimension:
    """How many directions a set of vectors uses, as if it used each of them equally.

    Attributes
    ----------
    value : float
        Participation ratio, from 1 to the smaller of `dimension` and ``n - 1``.
    from_half : float
        The same from half of the vectors (mean of both halves). Where it is much smaller, `n` is too
        small and `value` grows with more vectors.
    dimension, n : int
        Length of a vector, and how many there are.
    """

    value: float
    from_half: float
    dimension: int
    n: int

    @property
    def has_settled(self) -> bool:
        """Whether twice as many vectors changed the figure by less than a tenth."""
        return self.from_half > 0.9 * self.value

    def sentence(self, language: Language = "en") -> str:
        """The figure in words, with a warning where there are too few vectors."""
        if language == "zh":
            tail = "" if self.has_settled else "，文本再多还会变大，只能当作下限"
            return (
                f"{self.dimension:,} 维里，这 {self.n:,} 个向量实际用到约 {self.value:.0f} 个方向"
                f"（只用一半文本时是 {self.from_half:.0f}{tail}）。"
            )
        tail = "" if self.has_settled else ", so it grows with more texts: read it as a lower bound"
        return (
            f"Of {self.dimension:,} dimensions these {self.n:,} vectors use about {self.value:.0f} "
            f"directions ({self.from_half:.0f} from half of the texts{tail})."
        )

    def __repr__(self) -> str:
        return f"<EffectiveDimension: {self.sentence()}>"

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "value": self.value,
            "from_half": self.from_half,
            "dimension": self.dimension,
            "n": self.n,
            "has_settled": self.has_settled,
        }


def describe_vector(vector: npt.ArrayLike) -> VectorSummary:
    """Dimension, norm, first values and quantiles of one vector.

    Parameters
    ----------
    vector : array_like, shape (d,)
        As an encoder gave it; it is not normalised here.

    Raises
    ------
    InputError
        If it is not one vector of finite numbers.

    Examples
    --------
    >>> describe_vector([0.6, -0.8])
    <VectorSummary: 2 dimensions, norm 1.0000 (unit length); nine tenths of the values lie between -0.7300 \
and 0.5300, the 2 largest hold 100.0% of the squared length.>
    """
    values = checked_vector(vector)
    squares = values**2
    leading = np.argsort(-squares, kind="stable")[:10]
    return VectorSummary(
        dimension=len(values),
        norm=float(np.linalg.norm(values)),
        first=values[:FIRST].copy(),
        quantiles={
            level: float(value)
            for level, value in zip(QUANTILES, np.quantile(values, QUANTILES), strict=True)
        },
        n_zero=int((values == 0).sum()),
        leading=tuple(leading.tolist()),
        leading_share=float(squares[leading].sum() / (squares.sum() or 1.0)),
    )


def effective_dimension(vectors: npt.ArrayLike, *, seed: int = 0) -> EffectiveDimension:
    r"""Participation ratio of the eigenvalues of the covariance of a set of vectors.

    With eigenvalues :math:`\lambda` it is :math:`(\sum \lambda)^2 / \sum \lambda^2` [1]_: k where the
    vectors vary equally in k directions and not at all in the others.

    Parameters
    ----------
    vectors : array_like, shape (n, d)
        At least 4 rows; they are made unit length.
    seed : int
        Of the split into halves.

    Raises
    ------
    InputError
        If there are fewer than 4 rows, all are equal, or one is not finite or has no length.

    References
    ----------
    .. [1] Gao, Trautmann, Yu, Santhanam, Ryu, Shenoy & Ganguli (2017), A theory of multineuronal
       dimensionality, dynamics and measurement, bioRxiv 214262.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> flat = np.pad(rng.standard_normal((2000, 8)), ((0, 0), (0, 56)))
    >>> found = effective_dimension(flat)
    >>> round(found.value), found.dimension
    (8, 64)
    """
    rows = unit_rows(vectors)
    n, dimension = rows.shape
    if n < 4:
        raise InputError(
            f"There {'is only 1 vector' if n == 1 else f'are only {n} vectors'}; the effective dimension "
            "describes how a set varies: give at least 4, better some hundreds."
        )
    order = np.random.default_rng(seed).permutation(n)
    value = _participation_ratio(rows)
    if value is None:
        raise InputError(
            f"All {n:,} vectors are the same, so that they vary in no direction; give different texts."
        )
    halves = [_participation_ratio(rows[part]) for part in (order[: n // 2], order[n // 2 :])]
    return EffectiveDimension(value, float(np.mean([half or 0.0 for half in halves])), dimension, n)


def checked_vector(vector: npt.ArrayLike, what: str = "The vector") -> FloatArray:
    """One vector as float64 of shape (d,).

    Raises
    ------
    InputError
        If `vector` is not one-dimensional, is empty, or has values that are not finite.
    """
    try:
        values = np.asarray(vector, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise InputError(f"{what} must be numbers, in an array of shape (d,).") from error
    if values.ndim != 1 or not values.size:
        raise InputError(f"One vector was expected, shape (d,), not an array of shape {values.shape}.")
    if bad := np.flatnonzero(~np.isfinite(values)).tolist():
        raise InputError(
            f"{what} has {len(bad)} value(s) that are not finite, the first in dimension {bad[0]}; "
            "encode the text again in a higher precision."
        )
    return values


def two_unit_vectors(first: npt.ArrayLike, second: npt.ArrayLike) -> tuple[FloatArray, FloatArray]:
    """Two vectors of one encoder, float64, of unit length.

    Raises
    ------
    InputError
        If one is no vector of finite numbers, or all zeros.
    EncoderMismatchError
        If they have different dimensions.
    """
    pair = [checked_vector(first, "The first vector"), checked_vector(second, "The second vector")]
    rows = unit_rows(pair).astype(np.float64)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    return rows[0], rows[1]


def _participation_ratio(rows: npt.NDArray[Any]) -> float | None:
    """The ratio from traces alone, so that no eigenvalue is needed; None where nothing varies."""
    centred = rows.astype(np.float64) - rows.mean(axis=0, dtype=np.float64)
    n, dimension = centred.shape
    # Both have the same eigenvalues but for zeros; the smaller is faster.
    square = centred.T @ centred if dimension <= n else centred @ centred.T
    total = float(np.trace(square))
    # What rounding to float32 leaves where all rows are equal is no direction.
    if total <= n * 1e-12:
        return None
    return total**2 / float((square**2).sum())
