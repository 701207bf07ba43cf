"""From what several people said to one label a pair, with a count of what could not be resolved.

A label that nobody gave never comes out: what cannot be resolved is dropped, with its reason.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np
import numpy.typing as npt

from workbench.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["GRADES", "How", "Resolution", "is_adjudicator", "resolve", "without_repeats"]

How = Literal["majority", "unanimous", "adjudicated"]
GRADES = (0, 1, 2, 3)
ADJUDICATOR = "adjudicator"

NO_MAJORITY = "no majority"
NOT_UNANIMOUS = "not unanimous"
NOT_ADJUDICATED = "disagreement not adjudicated"
ADJUDICATORS_DISAGREE = "adjudicators disagree"
TOO_FEW = "too few labels"
_REASONS_ZH = {
    NO_MAJORITY: "没有多数意见",
    NOT_UNANIMOUS: "意见不一致",
    NOT_ADJUDICATED: "有分歧，尚未裁定",
    ADJUDICATORS_DISAGREE: "裁定者之间有分歧",
    TOO_FEW: "标注份数不足",
}


@dataclass(frozen=True, eq=False, repr=False)
class Resolution:
    """One label a pair, and what was dropped.

    Attributes
    ----------
    labels : Series of int64
        The label of each resolved pair; the index, named ``pair_id``, is in the order of first mention.
    dropped : DataFrame
        ``pair_id, reason`` of each pair without a label.
    how : {"majority", "unanimous", "adjudicated"}
        The rule.
    threshold : int or None
        The smallest grade that counts as a match, where grades were turned into 0 and 1.
    n_single : int
        Resolved pairs that only one person has labelled.
    n_adjudicated : int
        Resolved pairs whose label is an adjudicator's.
    """

    labels: pd.Series[int]
    dropped: pd.DataFrame
    how: How
    threshold: int | None
    n_single: int
    n_adjudicated: int

    @property
    def reasons(self) -> dict[str, int]:
        """Number of dropped pairs by reason, most frequent first."""
        return {str(reason): int(n) for reason, n in self.dropped["reason"].value_counts().items()}

    def to_dict(self) -> dict[str, Any]:
        """The rule and the counts, for the cutoff card."""
        return {
            "how": self.how,
            "threshold": self.threshold,
            "n_resolved": len(self.labels),
            "n_single": self.n_single,
            "n_adjudicated": self.n_adjudicated,
            "n_dropped": len(self.dropped),
            "dropped": self.reasons,
        }

    def summary(self, language: str = "en") -> str:
        """One sentence.

        Examples
        --------
        >>> import pandas as pd
        >>> said = pd.DataFrame({"pair_id": list("aab"), "annotator": list("xyx"), "label": [1, 0, 1]})
        >>> resolve(said, "unanimous").summary()
        '1 of 2 pairs resolved (unanimous; 1 with one label only); 1 dropped: 1 not unanimous.'
        """
        n = len(self.labels) + len(self.dropped)
        if language == "zh":
            rule = {"majority": "多数", "unanimous": "一致", "adjudicated": "裁定"}[self.how]
            single = f"；其中 {self.n_single} 对只有一份标注" if self.n_single else ""
            dropped = "、".join(f"{_REASONS_ZH[reason]} {count} 对" for reason, count in self.reasons.items())
            tail = f"；舍去 {len(self.dropped)} 对：{dropped}。" if dropped else "。"
            return f"{n} 对中 {len(self.labels)} 对有定论（规则：{rule}{single}）{tail}"
        single = f"; {self.n_single} with one label only" if self.n_single else ""
        dropped = ", ".join(f"{count} {reason}" for reason, count in self.reasons.items())
        tail = f"; {len(self.dropped)} dropped: {dropped}." if dropped else "."
        return f"{len(self.labels)} of {n} pairs resolved ({self.how}{single}){tail}"

    def __repr__(self) -> str:
        return f"<Resolution: {self.summary()}>"

    def _repr_html_(self) -> str:
        return f"<p>{escape(self.summary())}</p>"


def resolve(
    annotations: pd.DataFrame,
    how: How = "adjudicated",
    *,
    threshold: int | None = None,
    min_labels: int = 1,
    adjudicators: Collection[str] | None = None,
) -> Resolution:
    """One label a pair.

    Parameters
    ----------
    annotations : DataFrame
        ``pair_id, annotator, label``, one row for each label that somebody gave.
    how : {"majority", "unanimous", "adjudicated"}
        ``"majority"``: the label that more than half have given, adjudicators counted like the others.
        ``"unanimous"``: the label that all have given. ``"adjudicated"``: the adjudicator's label where
        there is one, else the label that all have given.
    threshold : int, optional
        For grades: those from `threshold` on count as a match, and everybody's grade is turned into
        0 or 1 before people are compared. Without it, labels stay as they are.
    min_labels : int
        Pairs with fewer labels are dropped.
    adjudicators : collection of str, optional
        Whose label is the last word. By default ``adjudicator`` and names that begin with
        ``adjudicator-``.

    Returns
    -------
    Resolution

    Raises
    ------
    InputError
        If a column is missing, a label is not on the scale, or one annotator has given two labels to a
        pair.

    Examples
    --------
    >>> import pandas as pd
    >>> said = pd.DataFrame({
    ...     "pair_id": ["a", "a", "b", "b", "b"],
    ...     "annotator": ["x", "y", "x", "y", "adjudicator"],
    ...     "label": [1, 1, 0, 1, 0],
    ... })
    >>> resolve(said, "adjudicated").labels.to_dict()
    {'a': 1, 'b': 0}
    >>> resolve(said, "unanimous").reasons
    {'not unanimous': 1}
    """
    import pandas as pd

    if how not in get_args(How):
        raise InputError(f"how is {how!r}; choose one of {', '.join(get_args(How))}.")
    if threshold is not None and threshold not in GRADES[1:]:
        raise InputError(f"threshold is {threshold!r}; it is the smallest grade that is a match: 1, 2 or 3.")
    said = without_repeats(annotations)
    values = said["label"].to_numpy(dtype=np.int64)
    if threshold is not None:
        values = (values >= threshold).astype(np.int64)
    pair_codes, pair_ids = pd.factorize(said["pair_id"])
    last_word = is_adjudicator(said["annotator"], adjudicators)
    n = len(pair_ids)
    votes = _votes(pair_codes, values, n)
    reasons = np.full(n, "", dtype=object)
    if how == "adjudicated":
        adjudicated = _votes(pair_codes[last_word], values[last_word], n)
        decided = adjudicated.sum(axis=1) > 0
        labels = np.where(decided, adjudicated.argmax(axis=1), votes.argmax(axis=1))
        reasons[~decided & ~_all_same(votes)] = NOT_ADJUDICATED
        reasons[decided & ~_all_same(adjudicated)] = ADJUDICATORS_DISAGREE
    else:
        decided = np.zeros(n, dtype=np.bool_)
        labels = votes.argmax(axis=1)
        if how == "unanimous":
            reasons[~_all_same(votes)] = NOT_UNANIMOUS
        else:
            reasons[2 * votes.max(axis=1, initial=0) <= votes.sum(axis=1)] = NO_MAJORITY
    reasons[votes.sum(axis=1) < min_labels] = TOO_FEW
    kept = reasons == ""
    index = pd.Index(pair_ids, name="pair_id")
    return Resolution(
        labels=pd.Series(labels[kept], index=index[kept], name="label", dtype=np.int64),
        dropped=pd.DataFrame({"pair_id": index[~kept], "reason": reasons[~kept]}),
        how=how,
        threshold=threshold,
        n_single=int((votes[kept].sum(axis=1) == 1).sum()),
        n_adjudicated=int(decided[kept].sum()),
    )


def is_adjudicator(annotators: pd.Series[str], names: Collection[str] | None = None) -> npt.NDArray[np.bool_]:
    """Whether each of the annotators has the last word; bool, shape (n,)."""
    if names is not None:
        return annotators.isin(list(names)).to_numpy(dtype=np.bool_)
    return (annotators.eq(ADJUDICATOR) | annotators.str.startswith(f"{ADJUDICATOR}-")).to_numpy(
        dtype=np.bool_
    )


def without_repeats(annotations: pd.DataFrame) -> pd.DataFrame:
    """Annotations checked, with one row for each annotator and pair.

    Raises
    ------
    InputError
        As :func:`resolve`.
    """
    missing = [name for name in ("pair_id", "annotator", "label") if name not in annotations.columns]
    if missing:
        raise InputError(
            f"The annotations have no column {', '.join(missing)}; "
            f"they have {', '.join(map(str, annotations.columns))}."
        )
    off_scale = annotations.index[~annotations["label"].isin(GRADES)]
    if len(off_scale):
        raise InputError(
            f"{len(off_scale)} label(s) are not 0, 1, 2 or 3, the first being "
            f"{annotations['label'].loc[off_scale[0]]} in row {off_scale[0]}."
        )
    said = annotations.drop_duplicates(["pair_id", "annotator", "label"])
    twice = said[said.duplicated(["pair_id", "annotator"], keep=False)]
    if len(twice):
        first = twice.iloc[0]
        raise InputError(
            f"{first['annotator']} has given more than one label to pair {first['pair_id']} "
            f"({twice.groupby(['pair_id', 'annotator']).ngroups} such case(s)); keep the one that is meant."
        )
    return said


def _votes(pair_codes: npt.NDArray[np.intp], values: npt.NDArray[np.int64], n: int) -> npt.NDArray[np.intp]:
    """How often each label was given to each pair; shape (n, number of grades)."""
    width = len(GRADES)
    return np.bincount(pair_codes * width + values, minlength=n * width).reshape(n, width)


def _all_same(votes: npt.NDArray[np.intp]) -> npt.NDArray[np.bool_]:
    same: npt.NDArray[np.bool_] = np.count_nonzero(votes, axis=1) <= 1
    return same
