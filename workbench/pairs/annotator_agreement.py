"""How far people agree: percent agreement, Cohen's kappa and Krippendorff's alpha, overall and per group.

Only blind labels count: adjudicators have seen those of the others and are left out. What disagreement
does to a measured precision is in :mod:`workbench.pairs.noise`.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import combinations
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt

from workbench.calibration.shares import wilson
from workbench.errors import InputError
from workbench.html import render
from workbench.i18n import gettext as _
from workbench.i18n import listed, ngettext, percent
from workbench.pairs.checks import require_columns
from workbench.pairs.resolution import blind_labels
from workbench.results import Result

if TYPE_CHECKING:
    import pandas as pd

FloatArray = npt.NDArray[np.float64]
Level = Literal["nominal", "ordinal"]


@dataclass(frozen=True)
class Interval(Result):
    """A figure with its interval; NaN for what is undefined."""

    value: float
    low: float = float("nan")
    high: float = float("nan")

    def __str__(self) -> str:
        if np.isnan(self.value):
            return "–"
        if np.isnan(self.low):
            return f"{self.value:.3f}"
        return f"{self.value:.3f} ({self.low:.3f}–{self.high:.3f})"


@dataclass(frozen=True, repr=False)
class Agreement(Result):
    """How far the annotators of a set, or of a part of it, agree.

    Attributes
    ----------
    column, group : str or None
        The part: pairs whose `column` is `group`; None for the whole set.
    annotators : tuple of str
    n_pairs : int
        Pairs that at least two of them have labelled.
    n_disagreements : int
        Pairs on which not all who labelled them agree.
    percent : Interval
        Percent agreement as a share: pairs on which all agree; Wilson's interval.
    kappa : Interval
        Cohen's kappa; for more than two annotators the mean over all twos (Light's kappa). For grades
        with quadratic weights.
    alpha : Interval
        Krippendorff's alpha.
    shares : dict
        For each annotator, the share of each label among those pairs.
    level : {"nominal", "ordinal"}
        Ordinal for grades.
    confidence : float
        Of the intervals.
    groups : tuple of Agreement
        The parts that were asked for.
    """

    column: str | None
    group: str | None
    annotators: tuple[str, ...]
    n_pairs: int
    n_disagreements: int
    percent: Interval
    kappa: Interval
    alpha: Interval
    shares: dict[str, dict[int, float]]
    level: Level
    confidence: float
    groups: tuple[Agreement, ...] = ()

    def to_frame(self) -> pd.DataFrame:
        """One row for the whole and one for each group, as numbers."""
        import pandas as pd

        rows = []
        for part in (self, *self.groups):
            row: dict[str, Any] = {
                "column": part.column,
                "group": part.group,
                "n_pairs": part.n_pairs,
                "n_disagreements": part.n_disagreements,
            }
            for name in ("percent", "kappa", "alpha"):
                figure: Interval = getattr(part, name)
                row |= {name: figure.value, f"{name}_low": figure.low, f"{name}_high": figure.high}
            rows.append(row)
        return pd.DataFrame(rows)

    def summary(self) -> str:
        """The figures, and what share each annotator calls a match, in words."""
        figures = _(
            "{annotators} annotators differ on {n_differ} of {n_pairs} pairs that two or more of them "
            "labelled: percent agreement {percent}, Cohen's kappa {kappa}, Krippendorff's alpha {alpha} "
            "({confidence} intervals)."
        ).format(
            annotators=len(self.annotators),
            n_differ=self.n_disagreements,
            n_pairs=self.n_pairs,
            percent=self.percent,
            kappa=self.kappa,
            alpha=self.alpha,
            confidence=percent(self.confidence, None),
        )
        if self.level == "ordinal" or any(2 in share for share in self.shares.values()):
            return figures
        shares = listed(f"{name} {percent(share[1])}" for name, share in self.shares.items())
        return figures + " " + _("Share labelled as a match: {shares}.").format(shares=shares)

    def __repr__(self) -> str:
        return f"<Agreement: {self.summary()}>"

    def _repr_html_(self) -> str:
        return render("pairs/agreement.html", parts=[self, *self.groups])

    @property
    def name(self) -> str:
        """The part in words."""
        return _("all") if self.column is None else f"{self.column} = {self.group}"


def agreement(
    annotations: pd.DataFrame,
    pairs: pd.DataFrame | None = None,
    by: str | Sequence[str] = (),
    *,
    adjudicators: Collection[str] | None = None,
    level: Level | None = None,
    threshold: int | None = None,
    together: str | None = None,
    confidence: float = 0.95,
    n_resamples: int = 2000,
    seed: int = 0,
) -> Agreement:
    """How far the annotators agree.

    Parameters
    ----------
    annotations : DataFrame
        ``pair_id, annotator, label``.
    pairs : DataFrame, optional
        ``pair_id`` and the columns of `by`, of all pairs that were labelled, not only of those that were
        resolved: ``read_pairs(path, labelled=False)``.
    by : str or sequence of str
        Columns of `pairs` by which agreement is also shown.
    adjudicators : collection of str, optional
        Who is left out, since adjudicators are not blind; as of :func:`~workbench.pairs.resolve`.
    level : {"nominal", "ordinal"}, optional
        ``"nominal"``: labels differ or not; ``"ordinal"``: by how much. By default ordinal for grades.
    threshold : int, optional
        Compare whether grades reach this one, instead of the grades.
    together : str, optional
        Column of `pairs`, such as ``jd_id``: pairs with the same value are drawn together, since what is
        hard about a JD is hard in all its pairs.
    confidence : float
        Two-sided, of the intervals.
    n_resamples : int
        Bootstrap resamples of pairs, for kappa and alpha. Where nobody disagrees, resampling can tell
        nothing of how rare disagreement is, and there is no interval.
    seed : int
        Of the resampling.

    Returns
    -------
    Agreement

    Raises
    ------
    InputError
        If no pair has two blind labels, a column is not there, or labelled pairs are not among `pairs`.

    References
    ----------
    Cohen (1960), A coefficient of agreement for nominal scales, Educational and Psychological
    Measurement 20, 37-46. Light (1971), Measures of response agreement for qualitative data,
    Psychological Bulletin 76, 365-377. Krippendorff (2019), Content Analysis, 4th ed., chapter 12.
    Efron & Tibshirani (1993), An Introduction to the Bootstrap, section 13.3 (percentile interval).

    Examples
    --------
    >>> import pandas as pd
    >>> said = pd.DataFrame({
    ...     "pair_id": list("aabbccdd"), "annotator": ["x", "y"] * 4, "label": [1, 1, 0, 0, 1, 0, 0, 0],
    ... })
    >>> found = agreement(said)
    >>> found.n_disagreements, found.percent.value, found.kappa.value
    (1, 0.75, 0.5)
    """
    table = blind_labels(annotations, adjudicators)
    if threshold is not None:
        table = (table >= threshold).astype(np.float64).where(table.notna())
    asked = [by] if isinstance(by, str) else list(by)
    columns = _columns(table, pairs, [*asked, *([together] if together else [])])
    part = partial(
        _agreement,
        level=level or ("ordinal" if np.nanmax(table.to_numpy()) > 1 else "nominal"),
        confidence=confidence,
        n_resamples=n_resamples,
        rng=np.random.default_rng(seed),
        together=columns[together] if together else None,
    )
    whole = part(table)
    groups = [
        part(table.loc[at.index], column=column, group=str(value))
        for column in asked
        for value, at in columns[column].groupby(columns[column])
    ]
    return replace(whole, groups=tuple(groups))


def _columns(table: pd.DataFrame, pairs: pd.DataFrame | None, names: Sequence[str]) -> pd.DataFrame:
    """Columns of `pairs` for the rows of the table."""
    import pandas as pd

    if not names:
        return pd.DataFrame(index=table.index)
    if pairs is None:
        raise InputError(_("Pass the pairs too, by whose columns agreement shall be shown."))
    require_columns(pairs, ["pair_id", *names], _("The pairs"))
    known = pairs.drop_duplicates("pair_id").set_index("pair_id")[list(dict.fromkeys(names))]
    if lost := list(table.index.difference(known.index)):
        # Pairs that were resolved lack those on which people differ, and all groups would seem to agree.
        said = ngettext(
            "{n} pair that was labelled is not among the pairs: {first}; pass all of them: "
            "read_pairs(path, labelled=False).",
            "{n} pairs that were labelled are not among the pairs, such as {first}; pass all of them: "
            "read_pairs(path, labelled=False).",
            len(lost),
        )
        raise InputError(said.format(n=len(lost), first=lost[0]))
    return known.reindex(table.index)


def _agreement(
    table: pd.DataFrame,
    level: Level,
    confidence: float,
    n_resamples: int,
    rng: np.random.Generator,
    together: pd.Series[str] | None,
    column: str | None = None,
    group: str | None = None,
) -> Agreement:
    labels = table.to_numpy()
    scale = np.arange(max(int(np.nanmax(labels)), 1) + 1)
    differ = np.nanmax(labels, axis=1) != np.nanmin(labels, axis=1)
    counts = pair_counts(labels, scale)
    kappa, alpha = kappa_and_alpha(counts.sum(axis=0)[None], level)
    ends = np.full((2, 2), np.nan)
    if differ.any():
        tails = [(1 - confidence) / 2, (1 + confidence) / 2]
        if together is not None:
            of = together[table.index].factorize()[0]
            counts = np.stack([counts[of == at].sum(axis=0) for at in range(of.max() + 1)])
        drawn = kappa_and_alpha(resampled(counts, n_resamples, rng), level)
        ends = np.array([np.nanquantile(figure, tails) for figure in drawn])
    return Agreement(
        column=column,
        group=group,
        annotators=tuple(map(str, table.columns)),
        n_pairs=len(table),
        n_disagreements=int(differ.sum()),
        percent=share_of(int((~differ).sum()), len(table), confidence),
        kappa=Interval(float(kappa[0]), *ends[0].tolist()),
        alpha=Interval(float(alpha[0]), *ends[1].tolist()),
        shares={
            str(name): {int(label): float((said == label).mean()) for label in scale}
            for name, said in ((name, table[name].dropna().to_numpy()) for name in table.columns)
            if len(said)
        },
        level=level,
        confidence=confidence,
    )


def share_of(count: int, n: int, confidence: float = 0.95) -> Interval:
    """A share with Wilson's score interval; undefined where `n` is 0.

    Examples
    --------
    >>> print(share_of(9, 10))
    0.900 (0.596–0.982)
    """
    share = count / n if n else float("nan")
    low, high = wilson(share, n, confidence)
    return Interval(share, float(low), float(high))


def pair_counts(labels: FloatArray, scale: npt.NDArray[np.intp]) -> FloatArray:
    """What each pair adds to the confusion matrix of every two annotators and to the coincidence matrix.

    Parameters
    ----------
    labels : ndarray of float64, shape (n, annotators)
        NaN where there is no label.
    scale : ndarray of int, shape (values,)

    Returns
    -------
    ndarray of float64, shape (n, twos + 1, values, values)
        The coincidences last.
    """
    said = labels[:, :, None] == scale
    confusion = [
        said[:, i, :, None] & said[:, j, None, :] for i, j in combinations(range(labels.shape[1]), 2)
    ]
    votes = said.sum(axis=1).astype(np.float64)
    coincidences = votes[:, :, None] * votes[:, None, :] - votes[:, :, None] * np.eye(len(scale))
    coincidences /= votes.sum(axis=1)[:, None, None] - 1
    return np.stack([*confusion, coincidences], axis=1)


def resampled(counts: FloatArray, n_resamples: int, rng: np.random.Generator) -> FloatArray:
    """Sums of the counts over resamples of pairs; shape (n_resamples, twos + 1, values, values).

    Pairs that were labelled alike are the same to both figures, so resampling pairs is drawing how often each
    kind of pair occurs: one multinomial draw instead of n draws with replacement.
    """
    n = len(counts)
    kinds, frequencies = np.unique(counts.reshape(n, -1), axis=0, return_counts=True)
    sums = rng.multinomial(n, frequencies / n, size=n_resamples) @ kinds
    return sums.reshape(n_resamples, *counts.shape[1:])


def kappa_and_alpha(sums: FloatArray, level: Level) -> tuple[FloatArray, FloatArray]:
    """Light's kappa and Krippendorff's alpha of sums of counts; each of shape (len(sums),), NaN for 0/0."""
    confusion, coincidences = sums[:, :-1], sums[:, -1]
    width = sums.shape[-1]
    distance = np.subtract.outer(np.arange(width), np.arange(width)) ** 2.0
    marginals = coincidences.sum(axis=-1)
    total, chance = (
        confusion.sum(axis=(-1, -2)),
        confusion.sum(axis=-1)[..., None] * confusion.sum(axis=-2)[..., None, :],
    )
    expected = marginals[:, :, None] * marginals[:, None, :]
    if level == "ordinal":
        # Half of those with the same grade lie below, and half above.
        middle = np.cumsum(marginals, axis=-1) - marginals / 2
        between = (middle[:, :, None] - middle[:, None, :]) ** 2
    else:
        distance = np.sign(distance)
        between = distance
    with np.errstate(divide="ignore", invalid="ignore"):
        kappas = 1 - total * (confusion * distance).sum(axis=(-1, -2)) / (chance * distance).sum(
            axis=(-1, -2)
        )
        alphas = 1 - (marginals.sum(axis=-1) - 1) * (coincidences * between).sum(axis=(-1, -2)) / (
            expected * between
        ).sum(axis=(-1, -2))
    # With one label only, agreement by chance is certain, and a kappa is 0/0: it does not count in the mean.
    known = (~np.isnan(kappas)).sum(axis=-1)
    return np.nansum(kappas, axis=-1) / np.where(known, known, np.nan), alphas
