"""From what several people said to one label a pair, and the pairs that they see differently.

A label that nobody gave never comes out: what cannot be resolved is dropped, with its reason.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np
import numpy.typing as npt

from workbench.errors import InputError
from workbench.html import render
from workbench.i18n import N_, listed, ngettext, pgettext
from workbench.i18n import gettext as _
from workbench.pairs.checks import ANNOTATION_COLUMNS, GRADES, require_columns
from workbench.results import Result

if TYPE_CHECKING:
    import pandas as pd

How = Literal["majority", "unanimous", "adjudicated"]
ADJUDICATOR = "adjudicator"

_RULES = {"majority": N_("majority"), "unanimous": N_("unanimous"), "adjudicated": N_("adjudicated")}
# Reasons stand in cards, in English.
NO_MAJORITY = N_("no majority")
NOT_UNANIMOUS = N_("not unanimous")
NOT_ADJUDICATED = N_("disagreement not adjudicated")
ADJUDICATORS_DISAGREE = N_("adjudicators disagree")
TOO_FEW = N_("too few labels")


@dataclass(frozen=True, eq=False, repr=False)
class Resolution(Result):
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
    double_labels : dict
        Twos of labels that people gave independently of each other, to resolved and dropped pairs: how many
        say ``both`` match, ``differ``, or say match ``neither``; empty for grades.
    """

    labels: pd.Series[int]
    dropped: pd.DataFrame
    how: How
    threshold: int | None
    n_single: int
    n_adjudicated: int
    double_labels: dict[str, int]

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
            "double_labels": self.double_labels,
        }

    def summary(self) -> str:
        """One sentence.

        Examples
        --------
        >>> import pandas as pd
        >>> said = pd.DataFrame({"pair_id": list("aab"), "annotator": list("xyx"), "label": [1, 0, 1]})
        >>> resolve(said, "unanimous").summary()
        '1 of 2 pairs resolved (unanimous; 1 with one label only); 1 dropped: 1 not unanimous.'
        """
        rule = _(_RULES[self.how])
        if self.n_single:
            rule = _("{rule}; {n} with one label only").format(rule=rule, n=self.n_single)
        n_resolved, n_dropped = len(self.labels), len(self.dropped)
        facts = {"n_resolved": n_resolved, "n": n_resolved + n_dropped, "rule": rule, "n_dropped": n_dropped}
        if not n_dropped:
            return _("{n_resolved} of {n} pairs resolved ({rule}).").format(**facts)
        reasons = listed(
            pgettext("pairs dropped", "{n} {reason}").format(n=n, reason=_(reason))
            for reason, n in self.reasons.items()
        )
        return _("{n_resolved} of {n} pairs resolved ({rule}); {n_dropped} dropped: {reasons}.").format(
            **facts, reasons=reasons
        )

    def __repr__(self) -> str:
        return f"<Resolution: {self.summary()}>"

    def _repr_html_(self) -> str:
        return render("pairs/sentence.html", sentence=self.summary())


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
        raise InputError(
            _("how is {how}; choose one of {known}.").format(how=repr(how), known=listed(get_args(How)))
        )
    if threshold is not None and threshold not in GRADES[1:]:
        raise InputError(
            _("threshold is {threshold}; it is the smallest grade that is a match: 1, 2 or 3.").format(
                threshold=repr(threshold)
            )
        )
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
        double_labels=_twos(_votes(pair_codes[~last_word], values[~last_word], n)),
    )


def disagreements(
    annotations: pd.DataFrame,
    pairs: pd.DataFrame | None = None,
    *,
    adjudicators: Collection[str] | None = None,
) -> pd.DataFrame:
    """Pairs with different blind labels, strongest first.

    The order: labels furthest apart; then those that nobody has adjudicated; then those with more notes,
    where people have something to say; then the highest score, if `pairs` has one, because what is wrong
    above the cutoff costs precision.

    Parameters
    ----------
    annotations : DataFrame
        ``pair_id, annotator, label`` and perhaps ``note``.
    pairs : DataFrame, optional
        ``pair_id`` and columns to show beside: texts, groups, ``score``.
    adjudicators : collection of str, optional
        As of :func:`resolve`.

    Returns
    -------
    DataFrame
        ``pair_id, distance`` (largest difference of two labels), ``adjudicated`` (the label, missing
        where there is none), a column ``label: NAME`` for each annotator, ``notes``, then the columns of
        `pairs`. Texts and notes are untrusted: escape them where you show them as HTML.

    Examples
    --------
    >>> import pandas as pd
    >>> said = pd.DataFrame({
    ...     "pair_id": list("aabbcc"), "annotator": ["x", "y"] * 3, "label": [1, 0, 1, 1, 0, 1],
    ...     "note": ["", "", "", "", "licence missing", ""],
    ... })
    >>> disagreements(said)["pair_id"].tolist()
    ['c', 'a']
    """
    import pandas as pd

    said = without_repeats(annotations)
    last_word = is_adjudicator(said["annotator"], adjudicators)
    blind, adjudicated = said[~last_word], said[last_word]
    table = blind.pivot_table(
        index="pair_id", columns="annotator", values="label", aggfunc="first", sort=False
    )
    spread = (table.max(axis=1) - table.min(axis=1)).rename("distance")
    found = table[spread > 0].sort_index(axis=1).astype("Int64").add_prefix("label: ")
    found.columns.name = None
    found.insert(0, "distance", spread[spread > 0].astype(np.int64))
    # Where adjudicators disagree, nothing is adjudicated.
    verdicts = adjudicated.drop_duplicates(["pair_id", "label"]).set_index("pair_id")["label"]
    verdicts = verdicts[~verdicts.index.duplicated(keep=False)]
    found.insert(1, "adjudicated", verdicts.reindex(found.index).astype("Int64"))
    found["notes"] = _notes(said).reindex(found.index).fillna("")
    if pairs is not None:
        require_columns(pairs, ["pair_id"], _("The pairs"))
        beside = pairs.drop_duplicates("pair_id").set_index("pair_id")
        found = found.join(beside.drop(columns=[name for name in beside.columns if name in found.columns]))
    order = pd.DataFrame(
        {
            "distance": -found["distance"],
            "adjudicated": found["adjudicated"].notna(),
            "notes": -found["notes"].str.count("\n").where(found["notes"].ne(""), -1),
            "score": -found["score"] if "score" in found.columns else 0,
        }
    )
    order = order.sort_values(list(order.columns), kind="stable")
    return found.loc[order.index].reset_index()


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
    require_columns(annotations, ANNOTATION_COLUMNS[:3], _("The annotations"))
    off_scale = annotations.index[~annotations["label"].isin(GRADES)]
    if len(off_scale):
        sentence = ngettext(
            "{n} label is not 0, 1, 2 or 3, but {label}, in row {row}.",
            "{n} labels are not 0, 1, 2 or 3, the first being {label} in row {row}.",
            len(off_scale),
        )
        raise InputError(
            sentence.format(n=len(off_scale), label=annotations["label"].loc[off_scale[0]], row=off_scale[0])
        )
    said = annotations.drop_duplicates(["pair_id", "annotator", "label"])
    twice = said[said.duplicated(["pair_id", "annotator"], keep=False)]
    if len(twice):
        first = twice.iloc[0]
        n = twice.groupby(["pair_id", "annotator"]).ngroups
        sentence = ngettext(
            "{annotator} has given more than one label to pair {pair}; keep the one that is meant.",
            "{annotator} has given more than one label to pair {pair}, the first of {n} such cases; keep "
            "the one that is meant.",
            n,
        )
        raise InputError(sentence.format(annotator=first["annotator"], pair=first["pair_id"], n=n))
    return said


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
            _(
                "No pair was labelled by two people independently, so nothing can be said about agreement; "
                "let a second person label some of the pairs."
            )
        )
    return table.dropna(axis=1, how="all")


def _votes(pair_codes: npt.NDArray[np.intp], values: npt.NDArray[np.int64], n: int) -> npt.NDArray[np.intp]:
    """How often each label was given to each pair; shape (n, number of grades)."""
    width = len(GRADES)
    return np.bincount(pair_codes * width + values, minlength=n * width).reshape(n, width)


def _twos(votes: npt.NDArray[np.intp]) -> dict[str, int]:
    """How many twos of labels of one pair say match both, differ, or say it neither."""
    if votes[:, 2:].any():
        return {}
    no, yes = votes[:, 0], votes[:, 1]
    return {
        "both": int((yes * (yes - 1) // 2).sum()),
        "differ": int((yes * no).sum()),
        "neither": int((no * (no - 1) // 2).sum()),
    }


def _all_same(votes: npt.NDArray[np.intp]) -> npt.NDArray[np.bool_]:
    same: npt.NDArray[np.bool_] = np.count_nonzero(votes, axis=1) <= 1
    return same


def _notes(said: pd.DataFrame) -> pd.Series[str]:
    """All notes on a pair, a line for each."""
    import pandas as pd

    if "note" not in said.columns:
        return pd.Series(dtype="str")
    noted = said[said["note"].fillna("").str.strip().ne("")]
    lines = noted["annotator"] + ": " + noted["note"].str.split().str.join(" ")
    return lines.groupby(noted["pair_id"], sort=False).agg("\n".join)
