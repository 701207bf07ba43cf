"""How many dimensions suffice: the comparison of one encoder's vectors, cut to fewer and fewer dimensions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from workbench.calibration.comparing import Comparison, compare
from workbench.errors import InputError

__all__ = ["by_dimension", "compare_dimensions", "cut_cosines", "matryoshka"]

SMALLEST = 32
# Rows multiplied at a time, so that vectors of a million pairs are not copied whole.
BLOCK = 8192


def matryoshka(
    vectors_jd: npt.ArrayLike,
    vectors_resume: npt.ArrayLike,
    labels: npt.ArrayLike,
    *,
    dimensions: Sequence[int] | None = None,
    **options: Any,
) -> pd.DataFrame:
    """AUC and best cutoff against dimension.

    Vectors are cut to their first dimensions and made unit length again, as encoders trained for it allow
    [1]_; for others this is a loss, which it shows.

    Parameters
    ----------
    vectors_jd, vectors_resume : array-like of float, shape (n, d)
        Vectors of the JD and of the résumé text of each labelled pair, row by row.
    labels : array-like of {0, 1}, shape (n,)
    dimensions : sequence of int, optional
        Powers of two from 32 on, and all d, by default.
    **options
        Of :func:`~workbench.calibration.comparing.compare`, such as ``clusters`` and ``weights``; the
        baseline is all dimensions.

    Returns
    -------
    DataFrame
        One row a dimension, ascending: ``dimension, auc, auc_low, auc_high, difference`` (to all
        dimensions), ``difference_low, difference_high, p_adjusted, suffices`` (with this many dimensions and
        with every larger number, AUC is shown to fall short by less than the margin; tested from the
        largest down, which needs no correction for many tests [2]_), ``average_precision, f1, cutoff,
        cutoff_low, cutoff_high``, and ``differ`` (decisions that are others than with all dimensions, each
        at its own cutoff). Its ``attrs`` hold ``n, margin, confidence``.

    Raises
    ------
    InputError
        If vectors do not fit together, are not finite, or a dimension is more than there are.

    References
    ----------
    .. [1] Kusupati et al. (2022), Matryoshka representation learning, NeurIPS 35.
    .. [2] Maurer, Hothorn & Lehmacher (1995), Multiple comparisons in drug clinical trials and preclinical
       assays: a-priori ordered hypotheses, in Biometrie in der chemisch-pharmazeutischen Industrie 6.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> jds, resumes = rng.standard_normal((2, 300, 128))
    >>> labels = np.arange(300) % 2
    >>> resumes[labels == 1] += 0.2 * jds[labels == 1]
    >>> matryoshka(jds, resumes, labels, n_resamples=50)[["dimension", "auc"]].round(2)
       dimension   auc
    0         32  0.79
    1         64  0.86
    2        128  0.95
    """
    found = compare_dimensions(vectors_jd, vectors_resume, labels, dimensions=dimensions, **options)
    return by_dimension(found)


def by_dimension(found: Comparison) -> pd.DataFrame:
    """The table of :func:`matryoshka` from a comparison of :func:`compare_dimensions`."""
    rows, suffices = [], True
    for name in sorted(found.encoders, key=int, reverse=True):
        auc, flips = found.row(name), found.flips(name)
        suffices = suffices and found.suffices(name)
        at = found.cutoffs[name]
        differ = 0 if name == found.baseline else np.nan if flips is None else int(flips["differ"])
        rows.append(
            {
                "dimension": int(name),
                "auc": auc["value"],
                "auc_low": auc["low"],
                "auc_high": auc["high"],
                "difference": auc["difference"],
                "difference_low": auc["difference_low"],
                "difference_high": auc["difference_high"],
                "p_adjusted": auc["p_adjusted"],
                "suffices": suffices,
                "average_precision": found.row(name, "average_precision")["value"],
                "f1": found.row(name, "f1")["value"],
                "cutoff": np.nan if at is None else at,
                "cutoff_low": found.cutoff_intervals[name][0],
                "cutoff_high": found.cutoff_intervals[name][1],
                "differ": differ,
            }
        )
    frame = pd.DataFrame(rows[::-1])
    frame.attrs = {"n": found.n, "margin": found.margin, "confidence": found.confidence}
    return frame


def compare_dimensions(
    vectors_jd: npt.ArrayLike,
    vectors_resume: npt.ArrayLike,
    labels: npt.ArrayLike,
    *,
    dimensions: Sequence[int] | None = None,
    **options: Any,
) -> Comparison:
    """As :func:`matryoshka`, as a comparison whose encoders are called by their dimension."""
    jds, resumes = np.asarray(vectors_jd), np.asarray(vectors_resume)
    if jds.ndim != 2 or jds.shape != resumes.shape:
        raise InputError(
            f"Vectors have the shapes {jds.shape} and {resumes.shape}; one row a pair on both sides is "
            "needed, (n, d) each."
        )
    full = jds.shape[1]
    wanted = sorted(set(dimensions)) if dimensions is not None else _powers_of_two(full)
    wrong = [each for each in wanted if isinstance(each, bool) or int(each) != each or not 1 <= each <= full]
    if wrong:
        raise InputError(f"Dimension {wrong[0]!r} is none of these vectors; they have 1 to {full}.")
    for side, vectors in (("JD", jds), ("résumé", resumes)):
        bad = np.flatnonzero(~np.isfinite(vectors).all(axis=1))
        if len(bad):
            raise InputError(
                f"The {side} vector at position {bad[0]} is not finite ({len(bad)} such in all)."
            )
    every = dict.fromkeys([full, *(int(each) for each in wanted)])
    scores = {str(each): cut_cosines(jds, resumes, each) for each in every}
    if len(scores) < 2:
        raise InputError(f"There is one dimension only, {full}; give some smaller ones.")
    return compare(scores, labels, baseline=str(full), **options)


def cut_cosines(
    vectors_jd: npt.NDArray[Any], vectors_resume: npt.NDArray[Any], dimension: int
) -> npt.NDArray[np.float64]:
    """Cosines of the first `dimension` numbers of two vectors, row by row; shape (n,).

    Raises
    ------
    InputError
        If nothing is left of a vector.
    """
    out = np.empty(len(vectors_jd))
    for at in range(0, len(vectors_jd), BLOCK):
        left, right = (
            vectors[at : at + BLOCK, :dimension].astype(np.float64)
            for vectors in (vectors_jd, vectors_resume)
        )
        lengths = np.linalg.norm(left, axis=1) * np.linalg.norm(right, axis=1)
        short = np.flatnonzero(lengths == 0)
        if len(short):
            raise InputError(
                f"A vector of pair {at + short[0]} has no length in its first {dimension} dimensions."
            )
        out[at : at + BLOCK] = np.clip(np.einsum("ij,ij->i", left, right) / lengths, -1, 1)
    return out


def _powers_of_two(full: int) -> list[int]:
    powers = [SMALLEST << step for step in range(max(full // SMALLEST, 1).bit_length())]
    return [*(each for each in powers if each < full), full]
