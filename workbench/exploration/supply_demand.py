"""Supply and demand: how many candidates lie above the cutoff for each group of job requirements.

Groups come from the caller, such as clusters of the map or job families; pictures are in
:mod:`workbench.plots.supply_demand`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from workbench.cutoffs import Cutoff
from workbench.errors import InputError
from workbench.exploration.inputs import (
    Fingerprint,
    FloatArray,
    Rows,
    Vectors,
    check_between,
    check_one_for_each,
    check_same_dimension,
    one_fingerprint,
    unit_rows,
)
from workbench.i18n import N_, number
from workbench.i18n import gettext as _
from workbench.progress import progress_bar
from workbench.results import Result, plain

# JDs that are scored against all résumé texts at a time.
BLOCK = 64
JD_VECTOR, RESUME_VECTOR = N_("JD vector"), N_("Résumé vector")
COUNTED = ["n_jds", "n_candidates", "candidates_per_jd"]


@dataclass(frozen=True, eq=False)
class SupplyDemand(Result):
    """Candidates for each group of JDs.

    Attributes
    ----------
    table : DataFrame
        A row for each group, scarcest first: ``group``, ``n_jds``, ``n_candidates`` (with a score above
        the cutoff for at least one of its JDs), ``low`` and ``high`` (ends of the interval of that
        number), ``candidates_per_jd``, ``balance`` (times the average of all groups),
        ``status`` ("shortage" or "surplus" where the whole interval lies below or above the average,
        else "unclear"), ``n_jds_without`` (JDs with no candidate).
    jds : DataFrame
        A row for each JD, as given: ``jd``, ``group``, ``n_candidates``, ``low``, ``high``,
        ``best_score``.
    resumes : DataFrame
        A row for each résumé text, as given: ``resume``, ``candidate``, ``n_jds`` that it matches,
        ``best_score``, ``best_jd`` (row number of the JD it is nearest to).
    cutoff : Cutoff
    cutoff_low, cutoff_high : float
        Interval of the cutoff where its card has one; else the cutoff itself.
    interval : {"cutoff", "candidates"}
        What the intervals of counts come from: the cutoff's uncertainty, or chance in who applied.
    confidence : float
        Of the intervals.
    n_candidates : int
        Candidates in all.
    """

    table: pd.DataFrame
    jds: pd.DataFrame
    resumes: pd.DataFrame
    cutoff: Cutoff
    cutoff_low: float
    cutoff_high: float
    interval: Literal["cutoff", "candidates"]
    confidence: float
    n_candidates: int

    @property
    def average(self) -> float:
        """Candidates for each JD, over all groups."""
        return float(self.table["n_candidates"].sum() / self.table["n_jds"].sum())

    @property
    def jds_without_candidate(self) -> pd.DataFrame:
        """JDs for which no candidate lies above the cutoff, best score first."""
        return self.jds[self.jds["n_candidates"] == 0].sort_values("best_score", ascending=False)

    @property
    def unasked(self) -> pd.DataFrame:
        """Résumé texts that no JD asks for: above the cutoff for none; least like any JD first."""
        return self.resumes[self.resumes["n_jds"] == 0].sort_values("best_score")

    def sentence(self) -> str:
        """Where candidates are short and where they abound."""
        status = self.table["status"].value_counts()
        return _(
            "Groups of JDs: {groups}, of which {short} short of candidates and {over} with more than most; "
            "{without} of {jds} JDs without any candidate above the cutoff {cutoff}."
        ).format(
            groups=len(self.table),
            short=status.get("shortage", 0),
            over=status.get("surplus", 0),
            without=len(self.jds_without_candidate),
            jds=len(self.jds),
            cutoff=number(self.cutoff.value),
        )

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON: the table and the totals."""
        return {
            "cutoff": self.cutoff.value,
            "cutoff_low": self.cutoff_low,
            "cutoff_high": self.cutoff_high,
            "interval": self.interval,
            "confidence": self.confidence,
            "n_jds": len(self.jds),
            "n_candidates": self.n_candidates,
            "n_jds_without": len(self.jds_without_candidate),
            "n_unasked": len(self.unasked),
            "groups": plain(self.table),
        }

    def __repr__(self) -> str:
        return f"<SupplyDemand: {self.sentence()}>"


def supply_and_demand(
    jd_vectors: npt.ArrayLike,
    resume_vectors: npt.ArrayLike,
    *,
    cutoff: float | Cutoff,
    groups: Sequence[Any] | None = None,
    candidates: Sequence[Any] | None = None,
    jds: Sequence[str] | None = None,
    resumes: Sequence[str] | None = None,
    confidence: float = 0.95,
    fingerprint: Fingerprint = None,
    progress: bool | None = None,
) -> SupplyDemand:
    """Count, for each group of JDs, the candidates that lie above the cutoff.

    Parameters
    ----------
    jd_vectors : array_like, shape (m, d)
        Encoded as documents.
    resume_vectors : array_like, shape (n, d)
        Encoded as queries.
    cutoff : float or Cutoff
        ``score > cutoff`` is a match. A calibrated cutoff brings its interval along, and counts are then
        given for the whole of it. A bare number has none: the interval is then that of Wilson (1927) for
        the share of candidates, and says how far chance in who applied moves a count. (A bootstrap over
        candidates would call a count of zero certain.)
    groups : sequence, optional
        The group of each JD, such as the names of clusters; by default all are one group.
    candidates : sequence, optional
        Whose each résumé text is, where a candidate has several; by default each is a candidate.
    jds, resumes : sequence of str, optional
        Texts, for the tables.
    confidence : float
        Of Wilson's interval; the cutoff's interval has that of its card.
    fingerprint : str or sequence of str, optional
        Of the encoder of both; checked against the cutoff's.
    progress : bool, optional

    Returns
    -------
    SupplyDemand

    Raises
    ------
    InputError
        If vectors cannot be used, or lengths do not fit.
    EncoderMismatchError
        If the two sides have different dimensions, or the cutoff was calibrated for another encoder.

    Examples
    --------
    >>> found = supply_and_demand(
    ...     [[1, 0], [0, 1]], [[1, 0.1], [1, -0.1], [-1, 0]], cutoff=0.5, groups=["Java", "Nursing"]
    ... )
    >>> found.table[["group", "n_jds", "n_candidates", "n_jds_without"]]
         group  n_jds  n_candidates  n_jds_without
    0  Nursing      1             0              1
    1     Java      1             2              0
    """
    asked, offered = unit_rows(jd_vectors, JD_VECTOR), unit_rows(resume_vectors, RESUME_VECTOR)
    check_same_dimension(JD_VECTOR, asked, RESUME_VECTOR, offered)
    known = one_fingerprint(fingerprint, len(asked) + len(offered))
    taken = cutoff if isinstance(cutoff, Cutoff) else Cutoff(cutoff)
    if known is not None:
        taken.check_encoder(known, known)
    m, n = len(asked), len(offered)
    check_one_for_each("groups", groups, m)
    check_one_for_each("jds", jds, m)
    check_one_for_each("candidates", candidates, n)
    check_one_for_each("resumes", resumes, n)
    group_of, group_names = pd.factorize(
        np.array(["all"] * m if groups is None else list(groups), dtype=object)
    )
    owner, owners = pd.factorize(
        np.arange(n) if candidates is None else np.array(list(candidates), dtype=object)
    )
    low, high, level = _interval_of(taken)
    counted = _count(asked, offered, group_of, owner, (taken.value, low, high), progress)
    by_group = counted.by_group
    table = pd.DataFrame({"group": group_names, "n_jds": np.bincount(group_of), "n_candidates": by_group[0]})
    per_jd = counted.by_jd
    if level is None:
        table["low"], table["high"] = _wilson(by_group[0], len(owners), confidence)
        jd_low, jd_high = _wilson(per_jd[0], len(owners), confidence)
    else:
        # The higher the cutoff, the fewer are above it.
        table["low"], table["high"] = by_group[2].astype(float), by_group[1].astype(float)
        jd_low, jd_high = per_jd[2].astype(float), per_jd[1].astype(float)
    table = _judged(table)
    table["n_jds_without"] = np.bincount(group_of, weights=per_jd[0] == 0).astype(int)
    table = table.sort_values(["candidates_per_jd", "n_jds"], ascending=[True, False], kind="stable")
    jd_table = pd.DataFrame(
        {
            "jd": range(m) if jds is None else list(jds),
            "group": group_names[group_of],
            "n_candidates": per_jd[0],
            "low": jd_low,
            "high": jd_high,
            "best_score": counted.best_of_jd,
        }
    )
    resume_table = pd.DataFrame(
        {
            "resume": range(n) if resumes is None else list(resumes),
            "candidate": owners[owner],
            "n_jds": counted.n_jds,
            "best_score": counted.best_of_resume,
            "best_jd": counted.nearest_jd,
        }
    )
    return SupplyDemand(
        table.reset_index(drop=True),
        jd_table,
        resume_table,
        taken,
        low,
        high,
        "candidates" if level is None else "cutoff",
        confidence if level is None else level,
        len(owners),
    )


def supply_change(before: SupplyDemand, after: SupplyDemand) -> pd.DataFrame:
    """What has changed between two dates, for groups that are named alike in both.

    Counts at one cutoff only can be compared; the interval of a change is not that of either date.

    Parameters
    ----------
    before, after : SupplyDemand

    Returns
    -------
    DataFrame
        A row for each group of either date, the greatest loss of candidates for each JD first:
        ``group``; ``n_jds``, ``n_candidates`` and ``candidates_per_jd``, each with ``_before``,
        ``_after`` and ``_change``; ``status_before``, ``status_after``. A group that is missing at one
        date has no JDs then: its counts are 0, its ratio and status are missing.

    Raises
    ------
    InputError
        If the two were counted at different cutoffs.
    """
    if before.cutoff.value != after.cutoff.value:
        raise InputError(
            _(
                "The two dates were counted at different cutoffs ({before} and {after}); count both at the "
                "same one."
            ).format(before=number(before.cutoff.value), after=number(after.cutoff.value))
        )
    columns = ["group", *COUNTED, "status"]
    both = before.table[columns].merge(
        after.table[columns], on="group", how="outer", suffixes=("_before", "_after")
    )
    for name in ("n_jds", "n_candidates"):
        for date in ("before", "after"):
            both[f"{name}_{date}"] = both[f"{name}_{date}"].fillna(0).astype(int)
    for name in COUNTED:
        both[f"{name}_change"] = both[f"{name}_after"] - both[f"{name}_before"]
    order = [
        "group",
        *(f"{name}_{what}" for name in COUNTED for what in ("before", "after", "change")),
        "status_before",
        "status_after",
    ]
    return (
        both[order].sort_values(["candidates_per_jd_change", "group"], kind="stable").reset_index(drop=True)
    )


@dataclass(frozen=True, eq=False)
class _Counted:
    by_group: Rows  # (cutoffs, groups): candidates above for any JD of the group
    by_jd: Rows  # (cutoffs, m): candidates above
    best_of_jd: Vectors
    n_jds: Rows  # (n,): JDs above the first cutoff
    best_of_resume: Vectors
    nearest_jd: Rows


def _count(
    asked: Vectors,
    offered: Vectors,
    group_of: Rows,
    owner: Rows,
    cutoffs: tuple[float, float, float],
    progress: bool | None,
) -> _Counted:
    m, n = len(asked), len(offered)
    # Résumé texts of one candidate side by side, so that the best of each is one reduction.
    order = np.argsort(owner, kind="stable")
    starts = np.flatnonzero(np.diff(owner[order], prepend=-1))
    sorted_offers = offered[order]
    best_for_group = np.full((int(group_of.max()) + 1, len(starts)), -np.inf, dtype=np.float32)
    by_jd = np.zeros((len(cutoffs), m), dtype=np.intp)
    best_of_jd = np.empty(m, dtype=np.float32)
    n_jds, best, nearest_jd = (
        np.zeros(n, dtype=np.intp),
        np.full(n, -np.inf, np.float32),
        np.zeros(n, dtype=np.intp),
    )
    with progress_bar(m, _("JDs"), progress, unit="JD") as bar:
        for start in range(0, m, BLOCK):
            scores = np.clip(asked[start : start + BLOCK] @ sorted_offers.T, -1, 1)
            rows = np.arange(start, start + len(scores))
            n_jds[order] += (scores > cutoffs[0]).sum(axis=0)
            top = scores.argmax(axis=0)
            better = scores.max(axis=0) > best[order]
            nearest_jd[order[better]], best[order[better]] = rows[top[better]], scores.max(axis=0)[better]
            of_candidate = np.maximum.reduceat(scores, starts, axis=1)
            by_jd[:, rows] = [(of_candidate > cutoff).sum(axis=1) for cutoff in cutoffs]
            best_of_jd[rows] = scores.max(axis=1)
            np.maximum.at(best_for_group, group_of[rows], of_candidate)
            bar.update(len(scores))
    by_group = np.array([(best_for_group > cutoff).sum(axis=1) for cutoff in cutoffs])
    return _Counted(by_group, by_jd, best_of_jd, n_jds, best, nearest_jd)


def _interval_of(cutoff: Cutoff) -> tuple[float, float, float | None]:
    """The cutoff's interval and its confidence, from the evidence of its card; None where it has none."""
    noted = cutoff.evidence.get("stability") or {}
    low, high, level = (noted.get(name) for name in ("low", "high", "confidence"))
    if low is None or high is None or level is None:
        return cutoff.value, cutoff.value, None
    return min(float(low), cutoff.value), max(float(high), cutoff.value), float(level)


def _wilson(counts: Rows, n: int, confidence: float) -> tuple[FloatArray, FloatArray]:
    check_between("confidence", confidence, 0.95)
    from scipy.stats import binomtest

    intervals = {
        count: binomtest(count, n).proportion_ci(confidence, method="wilson")
        for count in set(counts.tolist())
    }
    low, high = (
        np.array([n * getattr(intervals[count], end) for count in counts.tolist()]) for end in ("low", "high")
    )
    return low, high


def _judged(table: pd.DataFrame) -> pd.DataFrame:
    average = table["n_candidates"].sum() / table["n_jds"].sum()
    per_jd = table["n_candidates"] / table["n_jds"]
    below, above = table["high"] / table["n_jds"] < average, table["low"] / table["n_jds"] > average
    return table.assign(
        candidates_per_jd=per_jd,
        balance=per_jd / average if average else np.nan,
        status=np.select([below, above], ["shortage", "surplus"], "unclear"),
    )
