"""How many dimensions suffice: the comparison of one encoder's vectors, cut to fewer and fewer dimensions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from workbench.calibration.comparing import compare
from workbench.errors import InputError
from workbench.i18n import gettext as _

SMALLEST = 32
# Rows multiplied at a time, so that vectors of a million pairs are not copied whole.
BLOCK = 8192


def matryoshka(
    vectors_jd: npt.ArrayLike,
    vectors_resume: npt.ArrayLike,
    labels: npt.ArrayLike,
    *,
    dimensions: Sequence[int] | None = None,
    margin: float = 0.01,
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
    margin : float
        A difference in AUC that does not matter.
    **options
        Of :func:`~workbench.calibration.comparing.compare`, such as ``clusters`` and ``weights``; the
        baseline is all dimensions.

    Returns
    -------
    DataFrame
        One row a dimension, ascending: ``dimension, auc, auc_low, auc_high, difference`` (to all
        dimensions), ``difference_low, difference_high, suffices`` (with this many dimensions and
        with every larger number, AUC is shown to fall short by less than the margin; tested from the
        largest down, which needs no correction for many tests [2]_), ``average_precision, f1, cutoff,
        cutoff_low, cutoff_high``, and ``differ`` (decisions that are others than with all dimensions, each
        at its own cutoff). Its ``attrs`` hold ``n, margin, confidence, by``.

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
    if not (np.isfinite(margin) and margin >= 0):
        raise InputError(
            _("margin is {margin}; it is a difference in AUC that does not matter, such as 0.01.").format(
                margin=margin
            )
        )
    scores = _cut_scores(np.asarray(vectors_jd), np.asarray(vectors_resume), dimensions)
    found = compare(scores, labels, baseline=max(scores, key=int), **options)
    rows, suffices = [], True
    of_auc = ["value", "low", "high", "difference", "difference_low", "difference_high"]
    for name in sorted(found.encoders, key=int, reverse=True):
        of_dimension, at = found.row(name, "auc"), found.cutoffs[name]
        suffices = suffices and bool(of_dimension["difference_low"] > -margin)
        rows.append(
            {
                "dimension": int(name),
                **of_dimension[of_auc].set_axis(["auc", "auc_low", "auc_high", *of_auc[3:]]),
                "suffices": suffices,
                "average_precision": found.row(name, "average_precision")["value"],
                "f1": found.row(name, "f_beta")["value"],
                "cutoff": np.nan if at is None else at,
                **dict(zip(("cutoff_low", "cutoff_high"), found.cutoff_intervals[name], strict=True)),
                "differ": 0 if name == found.baseline else int(found.flips(name)["differ"]),
            }
        )
    frame = pd.DataFrame(rows[::-1])
    frame.attrs = {"n": found.n, "margin": margin, "confidence": found.confidence, "by": found.by}
    return frame


def which_suffice(table: pd.DataFrame) -> str:
    """What a table of :func:`matryoshka` says of fewer dimensions, in a sentence."""
    full, margin = int(table["dimension"].iloc[-1]), table.attrs["margin"]
    row = table[table["suffices"].astype(bool)].iloc[0]
    if row["dimension"] < full:
        said = _(
            "{cut} of {full} dimensions suffice, to within {margin:g} of AUC: with {cut}, AUC is {gap:+.3f} "
            "({low:+.3f} to {high:+.3f}), and {differ} of {n} decisions differ."
        )
    else:
        # Where none suffices, the gentlest cut shows what is lost.
        row = table.iloc[-2]
        said = _(
            "These pairs do not show that fewer than {full} dimensions suffice, to within {margin:g} of AUC: "
            "with {cut}, AUC is {gap:+.3f} ({low:+.3f} to {high:+.3f}), and {differ} of {n} decisions differ."
        )
    return said.format(
        cut=int(row["dimension"]),
        full=full,
        margin=margin,
        gap=row["difference"],
        low=row["difference_low"],
        high=row["difference_high"],
        differ=row["differ"],
        n=table.attrs["n"],
    )


def _cut_scores(
    jds: npt.NDArray[Any], resumes: npt.NDArray[Any], dimensions: Sequence[int] | None
) -> dict[str, npt.NDArray[np.float64]]:
    """Cosines of each pair by dimension, all dimensions first; checked at the door."""
    if jds.ndim != 2 or jds.shape != resumes.shape:
        raise InputError(
            _(
                "Vectors have the shapes {jds} and {resumes}; one row a pair on both sides is needed, (n, d) "
                "each."
            ).format(jds=jds.shape, resumes=resumes.shape)
        )
    full = jds.shape[1]
    wanted = sorted(set(dimensions)) if dimensions is not None else _powers_of_two(full)
    wrong = [each for each in wanted if isinstance(each, bool) or int(each) != each or not 1 <= each <= full]
    if wrong:
        raise InputError(
            _("Dimension {dimension!r} is none of these vectors; they have 1 to {full}.").format(
                dimension=wrong[0], full=full
            )
        )
    for side, vectors in (("JD", jds), (_("résumé"), resumes)):
        bad = np.flatnonzero(~np.isfinite(vectors).all(axis=1))
        if len(bad):
            raise InputError(
                _("The {side} vector at position {at} is not finite ({n} such in all).").format(
                    side=side, at=bad[0], n=len(bad)
                )
            )
    every = dict.fromkeys([full, *(int(each) for each in wanted)])
    scores = {str(each): cut_cosines(jds, resumes, each) for each in every}
    if len(scores) < 2:
        raise InputError(_("There is one dimension only, {full}; give some smaller ones.").format(full=full))
    return scores


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
                _("A vector of pair {pair} has no length in its first {n} dimensions.").format(
                    pair=at + short[0], n=dimension
                )
            )
        out[at : at + BLOCK] = np.clip(np.einsum("ij,ij->i", left, right) / lengths, -1, 1)
    return out


def _powers_of_two(full: int) -> list[int]:
    powers = [SMALLEST << step for step in range(max(full // SMALLEST, 1).bit_length())]
    return [*(each for each in powers if each < full), full]
