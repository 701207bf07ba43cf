"""How far people agree: percent agreement, Cohen's kappa and Krippendorff's alpha, overall and per group.

Only blind labels count: adjudicators have seen those of the others and are left out. What disagreement
does to a measured precision is in :mod:`workbench.pairs.noise`.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np

from workbench.errors import InputError
from workbench.pairs.coefficients import Level, alpha, kappa, resampled
from workbench.pairs.intervals import Interval, wilson
from workbench.pairs.resolution import is_adjudicator, without_repeats

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Agreement", "agreement", "blind_labels"]


@dataclass(frozen=True)
class Agreement:
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

    def to_dict(self) -> dict[str, Any]:
        """For JSON: None for what is undefined."""
        return {
            "column": self.column,
            "group": self.group,
            "annotators": list(self.annotators),
            "n_pairs": self.n_pairs,
            "n_disagreements": self.n_disagreements,
            "percent": self.percent.to_dict(),
            "kappa": self.kappa.to_dict(),
            "alpha": self.alpha.to_dict(),
            "shares": {
                name: {str(label): share for label, share in shares.items()}
                for name, shares in self.shares.items()
            },
            "level": self.level,
            "confidence": self.confidence,
            "groups": [group.to_dict() for group in self.groups],
        }

    def summary(self, language: str = "en") -> str:
        """One sentence with the figures."""
        if language == "zh":
            return (
                f"{len(self.annotators)} 位标注者都看过的 {self.n_pairs} 对里，"
                f"有 {self.n_disagreements} 对意见不同：一致率 {self.percent}，Cohen κ {self.kappa}，"
                f"Krippendorff α {self.alpha}（{self.confidence:.0%} 区间）。"
            )
        return (
            f"{len(self.annotators)} annotators differ on {self.n_disagreements} of {self.n_pairs} pairs "
            f"that two or more of them labelled: percent agreement {self.percent}, Cohen's kappa "
            f"{self.kappa}, Krippendorff's alpha {self.alpha} ({self.confidence:.0%} intervals)."
        )

    def __repr__(self) -> str:
        return f"<Agreement: {self.summary()}>"

    def _repr_html_(self) -> str:
        head = "".join(
            f"<th>{name}</th>"
            for name in ("", "pairs", "differ", "agreement", "Cohen's κ", "Krippendorff's α")
        )
        rows = "".join(
            f"<tr><th style='text-align:left'>{escape(part.name)}</th><td>{part.n_pairs}</td>"
            f"<td>{part.n_disagreements}</td><td>{part.percent}</td><td>{part.kappa}</td><td>{part.alpha}</td></tr>"
            for part in (self, *self.groups)
        )
        return f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"

    @property
    def name(self) -> str:
        """The part in words."""
        return "all" if self.column is None else f"{self.column} = {self.group}"


def agreement(
    annotations: pd.DataFrame,
    pairs: pd.DataFrame | None = None,
    by: str | Sequence[str] = (),
    *,
    adjudicators: Collection[str] | None = None,
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
    level: Level = "ordinal" if np.nanmax(table.to_numpy()) > 1 else "nominal"
    columns = [by] if isinstance(by, str) else list(by)
    rng = np.random.default_rng(seed)

    def part(
        rows: pd.DataFrame, column: str | None = None, group: str | None = None, **more: Any
    ) -> Agreement:
        return _agreement(rows, level, confidence, n_resamples, rng, column=column, group=group, **more)

    whole = part(table)
    groups = []
    for column in columns:
        if pairs is None or column not in pairs.columns:
            there = "" if pairs is None else f" (they have {', '.join(map(str, pairs.columns))})"
            raise InputError(f"The pairs have no column {column!r} to group by{there}.")
        known = pairs.drop_duplicates("pair_id").set_index("pair_id")[column]
        if lost := list(table.index.difference(known.index)):
            # Pairs that were resolved lack those on which people differ, and all groups would seem to agree.
            raise InputError(
                f"{len(lost)} pairs that were labelled are not among the pairs, such as {lost[0]}; pass all "
                "of them: read_pairs(path, labelled=False)."
            )
        values = known.reindex(table.index)
        groups += [part(table.loc[at.index], column, str(value)) for value, at in values.groupby(values)]
    return replace(whole, groups=tuple(groups))


def blind_labels(annotations: pd.DataFrame, adjudicators: Collection[str] | None = None) -> pd.DataFrame:
    """Labels as a table: a row for each pair with at least two blind labels, a column for each annotator.

    Values are float, NaN where an annotator has not labelled the pair.

    Raises
    ------
    InputError
        If there is no such pair.
    """
    said = without_repeats(annotations)
    said = said[~is_adjudicator(said["annotator"], adjudicators)]
    table = said.pivot_table(
        index="pair_id", columns="annotator", values="label", aggfunc="first", sort=False
    )
    table = table.sort_index(axis=1).astype(np.float64)
    table = table[table.notna().sum(axis=1) >= 2]
    if table.empty:
        raise InputError(
            "No pair was labelled by two people independently, so nothing can be said about agreement; "
            "let a second person label some of the pairs."
        )
    return table.dropna(axis=1, how="all")


def _agreement(
    table: pd.DataFrame,
    level: Level,
    confidence: float,
    n_resamples: int,
    rng: np.random.Generator,
    *,
    column: str | None,
    group: str | None,
) -> Agreement:
    labels = table.to_numpy()
    scale = np.arange(int(np.nanmax(labels)) + 1) if level == "ordinal" else np.arange(2)
    differ = np.nanmax(labels, axis=1) != np.nanmin(labels, axis=1)
    ends = np.full((2, 2), np.nan)
    if differ.any():
        tails = [(1 - confidence) / 2, (1 + confidence) / 2]
        figures = resampled(labels, scale, level, n_resamples, rng)
        ends = np.array([np.nanquantile(figure, tails) for figure in figures])
    return Agreement(
        column=column,
        group=group,
        annotators=tuple(map(str, table.columns)),
        n_pairs=len(table),
        n_disagreements=int(differ.sum()),
        percent=wilson(int((~differ).sum()), len(table), confidence),
        kappa=Interval(kappa(labels, scale, level), *ends[0].tolist()),
        alpha=Interval(alpha(labels, scale, level), *ends[1].tolist()),
        shares={
            str(name): {int(label): float((said == label).mean()) for label in scale}
            for name, said in ((name, table[name].dropna().to_numpy()) for name in table.columns)
            if len(said)
        },
        level=level,
        confidence=confidence,
    )
