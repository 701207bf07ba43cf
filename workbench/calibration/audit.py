"""Bias audit of a cutoff: selection and scoring rates by category, as New York City's rules define them.

Local Law 144 of 2021 asks of whoever screens candidates by a tool: how often each category of sex, of race or
ethnicity, and of both together is selected, or scored above the sample's median, over the category for which
that is highest. The rules are 6 RCNY §§ 5-300 to 5-304. How the page looks is in
:mod:`workbench.reports.audit`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from workbench.calibration.counts import check_share
from workbench.calibration.figures import Estimate
from workbench.calibration.observations import FloatArray, Observations, check_column
from workbench.calibration.selection_rates import AdverseImpact, adverse_impact
from workbench.cutoffs import Cutoff
from workbench.errors import InputError
from workbench.i18n import N_, language, language_names
from workbench.i18n import gettext as _
from workbench.results import Result, plain

# 6 RCNY § 5-301(d): categories of less than 2 % of the data may be left out of impact ratios.
SMALLEST_SHARE = 0.02
# Read as "unknown" in each language, beside blank cells, in any capitals.
UNKNOWN_WORDS = N_("unknown | not specified | prefer not to say | not disclosed | n/a")
MOST_CATEGORIES = 100
COLUMNS = (
    *("by", "category", "status", "n", "share"),
    *("selected", "selection_rate", "selection_ratio", "selection_low", "selection_high"),
    *("above_median", "scoring_rate", "scoring_ratio", "scoring_low", "scoring_high"),
)


@dataclass(frozen=True, eq=False, repr=False)
class CategoryAudit(Result):
    """One way to group people.

    Attributes
    ----------
    by : str
        The column, or columns.
    selection, scoring : AdverseImpact
        At the cutoff, and at the median score of the whole sample.
    unknown : int
        Rows whose category is not known; in no rate.
    n : int
        All rows, with the unknown ones.
    """

    by: str
    selection: AdverseImpact
    scoring: AdverseImpact
    unknown: int
    n: int

    @property
    def frame(self) -> pd.DataFrame:
        """One row a category, the columns of :attr:`Audit.frame`."""
        parts = []
        for name, count, found in (
            ("selection", "selected", self.selection),
            ("scoring", "above_median", self.scoring),
        ):
            part = found.frame.set_index("group")[["n", "judged", "selected", "rate", "ratio", "low", "high"]]
            part.loc[~part["judged"].astype(bool), ["ratio", "low", "high"]] = np.nan
            names = {"selected": count, "rate": f"{name}_rate"}
            names |= {end: f"{name}_{end}" for end in ("ratio", "low", "high")}
            parts.append(part.rename(columns=names))
        frame = parts[0].join(parts[1].drop(columns=["n", "judged"])).reset_index(names="category")
        frame = frame.sort_values("judged", ascending=False, kind="stable", ignore_index=True)
        frame["status"] = np.where(frame["judged"].astype(bool), "", "excluded")
        frame["share"] = frame["n"] / self.n
        if self.unknown:
            row = {"category": "", "status": "unknown", "n": self.unknown, "share": self.unknown / self.n}
            frame = pd.concat([frame.drop(columns="judged"), pd.DataFrame([row])], ignore_index=True)
        whole = dict.fromkeys(("n", "selected", "above_median"), "Int64")
        return frame.assign(by=self.by)[list(COLUMNS)].astype(whole)


@dataclass(frozen=True, eq=False, repr=False)
class Audit(Result):
    """Selection and scoring rates of a cutoff, by category.

    Attributes
    ----------
    cutoff : Cutoff
    categories : tuple of CategoryAudit
        One a column, then one of all columns together.
    n, n_people, n_jds : int or None
        Rows that were scored; different people and JDs among them, where columns say so.
    selected : int
        Rows above the cutoff.
    median : float
        Of all scores; the scoring rate is the share above it.
    smallest_share : float
        Categories of a smaller share are shown, but left out of impact ratios.
    confidence : float
        Of intervals of impact ratios, for all categories of one table at once.
    data : mapping
        Where rows come from: ``file, sha256, source`` and what else the caller knows.
    record : mapping
        Of use: ``start, end`` (the first and last time), ``people`` (who decided, how often), ``decided``,
        ``overruled`` (decisions of people that differ from the machine's), ``elsewhere`` (decisions of the
        machine that differ from those at this cutoff).
    date, version : str
    """

    cutoff: Cutoff
    categories: tuple[CategoryAudit, ...]
    n: int
    n_people: int | None
    n_jds: int | None
    selected: int
    median: float
    smallest_share: float
    confidence: float
    data: Mapping[str, Any]
    record: Mapping[str, Any]
    date: str
    version: str

    @property
    def frame(self) -> pd.DataFrame:
        """One row a category of each table.

        ``by, category, status`` (empty, ``"excluded"`` or ``"unknown"``), ``n, share``; ``selected,
        selection_rate, selection_ratio, selection_low, selection_high``; and the same of scores above the
        median.
        """
        return pd.concat([part.frame for part in self.categories], ignore_index=True)

    def summary(self) -> str:
        """What each table says of selection, one sentence a line."""
        return "\n".join(
            _("{by}: {found}").format(by=part.by, found=part.selection.summary()) for part in self.categories
        )

    def __repr__(self) -> str:
        return self.summary()

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON; the card by its identity."""
        frame = self.frame
        found = super().to_dict() | {"cutoff": identity(self.cutoff)}
        return found | {"categories": plain(frame.astype(object).where(frame.notna(), None))}


def identity(cutoff: Cutoff) -> dict[str, Any]:
    """What says which card it is; a bare number has no digest."""
    return {
        "card": cutoff.to_dict()["digest"] if cutoff.is_calibrated else None,
        "cutoff": float(cutoff.value),
        "encoder": cutoff.encoder_name,
        "fingerprint": cutoff.fingerprint,
    }


def audit(
    scored: pd.DataFrame,
    cutoff: Cutoff | float,
    by: str | Sequence[str],
    *,
    score: str = "score",
    person: str | None = None,
    jd: str | None = None,
    smallest_share: float = SMALLEST_SHARE,
    unknown: Iterable[str] = (),
    confidence: float = 0.95,
    data: Mapping[str, Any] | None = None,
    record: Mapping[str, Any] | None = None,
) -> Audit:
    """Selection and scoring rates by category, with impact ratios and their intervals.

    Parameters
    ----------
    scored : DataFrame
        One row a candidate whom the tool assessed (for a JD), with a score.
    cutoff : Cutoff or float
        ``score > cutoff`` is selected.
    by : str or sequence of str
        Columns of categories, such as sex and race; with several, their combinations are looked at too.
    score, person, jd : str
        Columns. Rows of one person, or of one JD, are not independent, which intervals allow for.
    smallest_share : float
        Categories of a smaller share of the rows are left out of impact ratios; 0 keeps all.
    unknown : iterable of str
        Words that say that a category is not known, beside blank cells and the likes of "unknown".
    confidence : float
    data, record : mapping, optional
        See :class:`Audit`.

    Raises
    ------
    InputError
        If a column is missing, a score is no number, or a column has no or too many categories.

    References
    ----------
    Rules of the City of New York, title 6, §§ 5-300 (definitions), 5-301 (bias audit), 5-303 (what is to be
    published). Four-fifths rule: 29 CFR 1607.4 D (1978).

    Examples
    --------
    >>> people = pd.DataFrame({"score": [0.9] * 30 + [0.1] * 10 + [0.9] * 12 + [0.1] * 28})
    >>> people["sex"] = ["male"] * 40 + ["female"] * 40
    >>> found = audit(people, 0.5, "sex")
    >>> found.frame[["category", "n", "selected", "selection_rate", "selection_ratio"]].round(2)
      category   n  selected  selection_rate  selection_ratio
    0   female  40        12            0.30              0.4
    1     male  40        30            0.75              1.0
    """
    columns = [by] if isinstance(by, str) else list(dict.fromkeys(by))
    if not columns:
        raise InputError(_("Name at least one column of categories, such as sex."))
    for column in (score, *columns, *filter(None, (person, jd))):
        check_column(scored, column)
    if not len(scored):
        raise InputError(_("There are no rows to audit."))
    check_share(confidence, "confidence", _("the confidence of intervals"))
    if smallest_share != 0:
        check_share(smallest_share, "smallest_share", _("the share below which categories are left out"))
    card = cutoff if isinstance(cutoff, Cutoff) else Cutoff(cutoff)
    scores = _scores(scored, score)
    words = {word.strip().casefold() for word in (*_unknown_words(), *unknown)}
    values = pd.DataFrame({column: _known(scored[column], words) for column in columns})
    repeated = [
        scored[column].astype(str).to_numpy()
        for column in (jd, person)
        if column and not scored[column].is_unique
    ]
    tables = [[column] for column in columns] + ([columns] if len(columns) > 1 else [])
    median = float(np.median(scores))
    return Audit(
        cutoff=card,
        categories=tuple(
            _categories(scores, values[table], card.value, median, repeated, smallest_share, confidence)
            for table in tables
        ),
        n=len(scored),
        n_people=None if person is None else int(scored[person].nunique()),
        n_jds=None if jd is None else int(scored[jd].nunique()),
        selected=int((scores > card.value).sum()),
        median=median,
        smallest_share=smallest_share,
        confidence=confidence,
        data=dict(data or {}),
        record=dict(record or {}),
        date=datetime.now(UTC).date().isoformat(),
        version=version("jd-resume-workbench"),
    )


def _scores(scored: pd.DataFrame, column: str) -> FloatArray:
    scores = pd.to_numeric(scored[column], errors="coerce").to_numpy(dtype=np.float64)
    bad = np.flatnonzero(~np.isfinite(scores))
    if len(bad):
        raise InputError(
            _(
                "{n} of {total} rows have no score, the first in row {row} ({value!r}); leave no one out: "
                "give each a score, or say why they were not assessed and remove their rows."
            ).format(
                n=len(bad), total=len(scores), row=scored.index[bad[0]], value=scored[column].iloc[bad[0]]
            )
        )
    return scores


def _unknown_words() -> list[str]:
    words = []
    for code in language_names():
        with language(code):
            words += _(UNKNOWN_WORDS).split("|")
    return words


def _known(values: pd.Series[Any], words: set[str]) -> pd.Series[Any]:
    """Categories as text; None where a cell is blank or says that it is not known."""
    text = values.astype(object).where(values.notna(), "").map(lambda value: str(value).strip())
    return text.where(~text.str.casefold().isin({"", *words}), None)


def _categories(
    scores: FloatArray,
    values: pd.DataFrame,
    cutoff: float,
    median: float,
    repeated: list[npt.NDArray[Any]],
    smallest_share: float,
    confidence: float,
) -> CategoryAudit:
    by = " / ".join(values.columns)
    known = values.notna().all(axis=1).to_numpy()
    if not known.any():
        raise InputError(_("No row has a known category of {column}.").format(column=by))
    names = values[known].agg(" / ".join, axis=1).to_numpy(dtype=str)
    categories, counts = np.unique(names, return_counts=True)
    if len(categories) > MOST_CATEGORIES:
        raise InputError(
            _(
                "{column} has {n} different values, too many for categories; cut numbers into ranges "
                "first, or merge rare values."
            ).format(column=by, n=len(categories))
        )
    judged = categories[counts / len(values) >= smallest_share]
    selection, scoring = (
        _impact(scores[known], names, at, judged, [codes[known] for codes in repeated], confidence)
        for at in (cutoff, median)
    )
    return CategoryAudit(by, selection, scoring, unknown=int((~known).sum()), n=len(values))


def _impact(
    scores: FloatArray,
    names: npt.NDArray[np.str_],
    at: float,
    judged: npt.NDArray[np.str_],
    repeated: list[npt.NDArray[Any]],
    confidence: float,
) -> AdverseImpact:
    """Impact ratios; where both people and JDs repeat, the wider of the intervals that allow for either."""
    nobody = np.zeros(len(scores))  # Labels, which selection does not ask for.
    clusters: list[npt.NDArray[Any] | None] = [*repeated] or [None]
    first, *others = [
        adverse_impact(
            Observations(scores, nobody, clusters=codes), names, at, judged=judged, confidence=confidence
        )
        for codes in clusters
    ]
    for other in others:
        if first.ratio is None or other.ratio is None:
            break
        frame = first.frame.assign(
            low=np.minimum(first.frame["low"], other.frame["low"]),
            high=np.maximum(first.frame["high"], other.frame["high"]),
            answer=first.frame["answer"].where(first.frame["answer"] == other.frame["answer"], "unclear"),
        )
        ratio = Estimate(
            first.ratio.value,
            min(first.ratio.low, other.ratio.low),
            max(first.ratio.high, other.ratio.high),
            confidence,
        )
        first = replace(first, frame=frame, ratio=ratio)
    return first
