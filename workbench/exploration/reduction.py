"""The step before the map: vectors are centred, reduced by PCA where that costs nothing, made unit length.

What all vectors of an encoder share says nothing about which texts are near (Mu and Viswanath 2018,
All-but-the-top, ICLR), so the mean is taken off first.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from workbench.errors import InputError
from workbench.exploration.inputs import Vectors

__all__ = ["PCA_DIMENSION", "Reduction", "reduce"]

# Measured (benchmarks/skill_map.py, part "reduction"): from 100 components on, neither trustworthiness
# nor kNN overlap of the map is lower than without PCA, while finding neighbours is several times faster.
PCA_DIMENSION = 100


@dataclass(frozen=True, eq=False)
class Reduction:
    """A centring and, perhaps, a PCA that were fitted.

    Attributes
    ----------
    mean : ndarray of float32, shape (d,)
    components : ndarray of float32, shape (k, d), or None
        None where vectors are only centred.
    explained : float
        Share of the variance that is kept.
    """

    mean: npt.NDArray[np.float32]
    components: npt.NDArray[np.float32] | None
    explained: float

    def apply(self, vectors: Vectors) -> Vectors:
        """Reduced vectors with rows of unit length; a vector equal to the mean becomes zero."""
        lengths = np.linalg.norm(reduced := self.project(vectors), axis=1, keepdims=True)
        unit = reduced / np.where(lengths > 1e-6, lengths, np.inf)
        return unit.astype(np.float32, copy=False)

    def project(self, vectors: Vectors) -> Vectors:
        """Reduced vectors as they are."""
        centred: Vectors = (vectors - self.mean).astype(np.float32, copy=False)
        return centred if self.components is None else np.asarray(centred @ self.components.T)


def reduce(vectors: Vectors, pca: int | Literal["auto"] | None, seed: int) -> Reduction:
    """Fit a reduction.

    Parameters
    ----------
    vectors : ndarray of float32, shape (n, d)
        Unit rows, distinct.
    pca : int, "auto" or None
        Components to keep. "auto" keeps 100 where there are more dimensions and more texts than that.
        None only centres.
    seed : int
        Of PCA's randomised solver.

    Raises
    ------
    InputError
        If there are not that many components.
    """
    n, dimension = vectors.shape
    most = min(n, dimension)
    if pca == "auto":
        pca = PCA_DIMENSION if most > PCA_DIMENSION else None
    if pca is None:
        return Reduction(vectors.mean(axis=0), None, 1.0)
    if isinstance(pca, bool) or not isinstance(pca, int) or not 1 <= pca <= most:
        raise InputError(
            f"pca is {pca!r}; it must be 'auto', None, or a number of components from 1 to {most} "
            f"({n:,} distinct vectors of {dimension} dimensions)."
        )
    from sklearn.decomposition import PCA

    fitted = PCA(pca, random_state=seed).fit(vectors)
    return Reduction(
        fitted.mean_.astype(np.float32),
        fitted.components_.astype(np.float32),
        float(fitted.explained_variance_ratio_.sum()),
    )
