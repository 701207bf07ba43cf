"""One vector in figures, and how many directions a set of vectors really uses.

The bars and histograms of the same vectors are in :mod:`workbench.plots`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from workbench.errors import InputError
from workbench.exploration.inputs import FloatArray, checked_vector, unit_rows
from workbench.i18n import gettext as _
from workbench.i18n import ngettext, number, paragraph, percent
from workbench.results import Result

FIRST = 50
QUANTILES = (0.0, 0.05, 0.25, 0.5, 0.75, 0.95, 1.0)
# Below this a vector counts as of unit length: float32 rounds, half precision more so.
UNIT_TOLERANCE = 1e-3


@dataclass(frozen=True, eq=False, repr=False)
class VectorSummary(Result):
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

    def sentence(self) -> str:
        """The figures in words."""
        unit = abs(self.norm - 1) < UNIT_TOLERANCE
        size = _("{n:,} dimensions, norm {norm} (unit length).")
        if not unit:
            size = _("{n:,} dimensions, norm {norm} (not of unit length).")
        told = [size.format(n=self.dimension, norm=number(self.norm))]
        if self.n_zero:
            zeros = ngettext("{n:,} of them is zero.", "{n:,} of them are zero.", self.n_zero)
            told.append(zeros.format(n=self.n_zero))
        values = _(
            "Nine tenths of the values lie between {low} and {high}, the {most} largest hold {share} of the "
            "squared length."
        )
        low, high = (number(self.quantiles[level]) for level in (0.05, 0.95))
        most, share = len(self.leading), percent(self.leading_share)
        return paragraph([*told, values.format(low=low, high=high, most=most, share=share)])

    def __repr__(self) -> str:
        return f"<VectorSummary: {self.sentence()}>"

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        levels = {f"{level:g}": value for level, value in self.quantiles.items()}
        return {**super().to_dict(), "quantiles": levels}


@dataclass(frozen=True, repr=False)
class EffectiveDimension(Result):
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

    def sentence(self) -> str:
        """The figure in words, with a warning where there are too few vectors."""
        said = _(
            "Of {dimension:,} dimensions these {n:,} vectors use about {value:.0f} directions ({half:.0f} "
            "from half of the texts)."
        ).format(dimension=self.dimension, n=self.n, value=self.value, half=self.from_half)
        if self.has_settled:
            return said
        return paragraph([said, _("It grows with more texts, so read it as a lower bound.")])

    def __repr__(self) -> str:
        return f"<EffectiveDimension: {self.sentence()}>"

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {**super().to_dict(), "has_settled": self.has_settled}


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
    <VectorSummary: 2 dimensions, norm 1.0000 (unit length). Nine tenths of the values lie between -0.7300 \
and 0.5300, the 2 largest hold 100.0 % of the squared length.>
    """
    values = checked_vector(vector)
    squares = values**2
    leading = np.argsort(-squares, kind="stable")[:10]
    return VectorSummary(
        dimension=len(values),
        norm=float(np.linalg.norm(values)),
        first=values[:FIRST].copy(),
        quantiles=dict(zip(QUANTILES, np.quantile(values, QUANTILES).tolist(), strict=True)),
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
            _(
                "The effective dimension describes how a set varies: give at least 4 vectors, better some "
                "hundreds, not {n}."
            ).format(n=n)
        )
    order = np.random.default_rng(seed).permutation(n)
    value = _participation_ratio(rows)
    if value is None:
        same = _("All {n:,} vectors are the same, so that they vary in no direction; give different texts.")
        raise InputError(same.format(n=n))
    halves = [_participation_ratio(rows[part]) or 0.0 for part in (order[: n // 2], order[n // 2 :])]
    return EffectiveDimension(value, float(np.mean(halves)), dimension, n)


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
