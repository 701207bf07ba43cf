"""What labelled pairs must hold, and every problem at once, with file, row and column.

Frames come in with all values as text and row numbers as their index.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
import numpy.typing as npt

from workbench.asking import option
from workbench.errors import InputError
from workbench.i18n import N_, listed, ngettext, paragraph
from workbench.i18n import gettext as _
from workbench.pair_hashes import texts_hash
from workbench.texts import LONGEST_WORD, brief, says_missing

if TYPE_CHECKING:
    import pandas as pd

PAIR_COLUMNS = ("pair_id", "jd", "resume")
ANNOTATION_COLUMNS = ("pair_id", "annotator", "label", "labelled_at", "note")
# Columns that mean the same in every set; all others are groups, and stay text.
NUMBER_COLUMNS = ("weight", "inclusion_probability", "score")
GRADES = (0, 1, 2, 3)

# A name becomes the name of a file.
ANNOTATOR_NAME = r"[^\W_][\w\-.@+]{0,63}"
_ISO_8601 = r"\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?(Z|[+-]\d{2}:?\d{2})?)?"

MOST_SHOWN = 20
MOST_ROWS = 8


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong, wherever it occurs.

    Attributes
    ----------
    file : str
        Name of the file.
    column : str or None
        Name of the column in that file; None where it is about more than one.
    rows : tuple of int
        Rows as a spreadsheet counts them, the header being row 1 (lines, in JSON Lines); empty where it
        is about the whole file.
    what : str
        A sentence without its full stop: what is wrong, and what was expected.
    """

    file: str
    column: str | None
    rows: tuple[int, ...]
    what: str

    def __str__(self) -> str:
        where = self.file
        if self.column is not None:
            where = _("{file}, column {column}").format(file=self.file, column=self.column)
        if self.rows:
            where = _("{where}, {rows}").format(where=where, rows=places(self.rows))
        return _("{where}: {what}").format(where=where, what=self.what)


class PairsError(InputError):
    """A file of labelled pairs cannot be used as it is.

    Attributes
    ----------
    problems : tuple of Problem
        All of them; the message shows the first ones.
    """

    def __init__(
        self, problems: Sequence[Problem], *, advice: str = "", done: Literal["read", "written"] = "read"
    ) -> None:
        self.problems = tuple(problems)
        n = len(self.problems)
        nothing = _("nothing was read") if done == "read" else _("nothing was written")
        head = ngettext(
            "{n} problem in the labelled pairs; {nothing}.",
            "{n} problems in the labelled pairs; {nothing}.",
            n,
        )
        lines = [head.format(n=n, nothing=nothing), *bullets(self.problems, MOST_SHOWN), advice]
        super().__init__("\n".join(filter(None, lines)))

    def to_frame(self) -> pd.DataFrame:
        """All problems, one line for each row: ``file, row, column, what``; without row for a whole file."""
        import pandas as pd

        records = [
            (problem.file, row, problem.column, problem.what)
            for problem in self.problems
            for row in (problem.rows or (None,))
        ]
        return pd.DataFrame(records, columns=["file", "row", "column", "what"]).astype({"row": "Int64"})


def bullets(problems: Sequence[Problem], most: int) -> list[str]:
    """A line for each of the first problems, and one that says how many more there are."""
    lines = [f"  - {problem}" for problem in problems[:most]]
    if more := len(problems) - len(lines):
        lines.append("  - " + _("and {n} more").format(n=more))
    return lines


def places(rows: Sequence[int], most: int = MOST_ROWS) -> str:
    """Row numbers for people: all of them, or the first where there are many.

    Examples
    --------
    >>> places([2]), places([2, 5, 9])
    ('row 2', 'rows 2, 5, 9')
    >>> places(range(3, 6771))
    'row 3 and 6,767 more'
    """
    if len(rows) > most:
        return _("row {row} and {n} more").format(row=rows[0], n=f"{len(rows) - 1:,}")
    return ngettext("row {rows}", "rows {rows}", len(rows)).format(rows=listed(rows))


def some_of(items: Collection[object], most: int = 5) -> str:
    """The first of some things, and how many more there are.

    Examples
    --------
    >>> some_of("abc", most=2)
    'a, b and 1 more'
    """
    first = listed(list(items)[:most])
    if len(items) <= most:
        return first
    return _("{items} and {n} more").format(items=first, n=len(items) - most)


def require_columns(frame: pd.DataFrame, needed: Iterable[str], whose: str) -> None:
    """Refuse a frame without columns that are needed; `whose` is a plural, such as "The pairs"."""
    if lost := [name for name in needed if name not in frame.columns]:
        raise InputError(
            _("{whose} have no column {lost}; they have {names}.").format(
                whose=whose, lost=listed(map(repr, lost)), names=listed(_names(frame))
            )
        )


def missing_columns(table: pd.DataFrame, needed: Iterable[str], file: str) -> list[Problem]:
    """The problem that columns are not there, if they are not."""
    if lost := [name for name in needed if name not in table.columns]:
        what = _("no column {lost}; the columns are {names}").format(
            lost=listed(lost), names=some_of(_names(table), 12)
        )
        return [Problem(file, None, (), what)]
    return []


def _names(table: pd.DataFrame) -> list[str]:
    """Its columns; without a header, they are texts."""
    return [name if len(name) <= LONGEST_WORD else brief(name) for name in map(str, table.columns)]


def which_is_which(ours: Iterable[str]) -> str:
    """The advice to say which column is which, as it can be given here."""
    lost = list(ours)
    how = option("columns", dict.fromkeys(lost, "NAME"))
    said = [
        _("Say what it is called in the file: {how}.").format(how=how) if how else "",
        if_unlabelled() if "label" in lost else "",
    ]
    return paragraph(filter(None, said)) if any(said) else ""


def if_unlabelled() -> str:
    """The advice for pairs without labels, where they can be taken."""
    how = option("labelled", False)
    return _("If the pairs have no labels: {unlabelled}.").format(unlabelled=how) if how else ""


def pair_problems(pairs: pd.DataFrame, file: str, *, one_id: bool = True) -> list[Problem]:
    """All that is wrong with pairs; without `one_id`, the same texts may stand under several ids."""
    distinct = pairs.drop_duplicates(["pair_id", "jd", "resume"])
    twice = distinct.loc[distinct["pair_id"].duplicated(keep=False), "pair_id"].unique()
    bad = pairs["pair_id"].isin(twice)
    what = _("one pair_id with different texts: {ids}").format(ids=some_of(twice))
    problems = [*_misfits(pairs, _PAIR_CHECKS, file), *_problem(pairs[bad], file, "pair_id", what)]
    if one_id:
        # Blank texts are another matter.
        blank = distinct["jd"].map(_is_empty).astype(bool)  # of no rows, map keeps the type of texts
        again = distinct[distinct.duplicated(["jd", "resume"]) & ~blank]
        what = _("the same two texts as an earlier row, under another pair_id")
        problems += _problem(again, file, None, what)
    return problems


def label_problems(annotations: pd.DataFrame, file: str) -> list[Problem]:
    """All that is wrong with the values of annotations from a table; rows are its index."""
    return _misfits(annotations, _ANNOTATION_CHECKS, file)


def misplaced_labels(annotations: pd.DataFrame, pairs: pd.DataFrame) -> list[Problem]:
    """Labels of pairs that are not there, of texts that were changed since, and contradictions."""
    bad = annotations[~among(annotations["pair_id"], pairs["pair_id"])]
    unknown = _("no such pair in pairs.csv: {ids}").format(ids=some_of(bad["pair_id"].unique()))
    changed = _("the texts of the pair were changed after they were labelled; label it again")
    return [
        *_by_file(bad, "pair_id", unknown),
        *_by_file(_stale(annotations, pairs), "pair_id", changed),
        *contradictions(annotations),
    ]


def contradictions(annotations: pd.DataFrame) -> list[Problem]:
    """Rows in which an annotator gives a pair more than one label; ``file`` and ``row`` are columns."""
    distinct = annotations[annotations["label"].ne("")].drop_duplicates(["pair_id", "annotator", "label"])
    twice = distinct.loc[distinct.duplicated(["pair_id", "annotator"]), ["pair_id", "annotator"]]
    if twice.empty:
        return []
    keys = dict.fromkeys(zip(twice["pair_id"], twice["annotator"], strict=True))
    bad = annotations.set_index(["pair_id", "annotator"]).index.isin(list(keys))
    cases = [_("{pair} by {annotator}").format(pair=pair, annotator=name) for pair, name in keys]
    what = _("more than one label by the same annotator: {cases}").format(cases=some_of(cases))
    return _by_file(annotations[bad], "label", what)


def losses(counts: Mapping[str, int]) -> list[str]:
    """A sentence on each kind of row that reading left out."""
    n_bad, n_repeated, n_without = (counts.get(name, 0) for name in ("bad_rows", "repeated", "without_label"))
    sentences = [
        (
            n_bad,
            ngettext(
                "{n} row that could not be used left out.", "{n} rows that could not be used left out.", n_bad
            ),
        ),
        (n_repeated, ngettext("{n} repeated row left out.", "{n} repeated rows left out.", n_repeated)),
        (
            n_without,
            ngettext("{n} pair without a label left out.", "{n} pairs without a label left out.", n_without),
        ),
    ]
    return [sentence.format(n=f"{n:,}") for n, sentence in sentences if n]


def among(values: pd.Series[str], known: pd.Series[str]) -> npt.NDArray[np.bool_]:
    """Whether each value is one of those known; bool, shape (n,)."""
    import pandas as pd

    # Series.isin on strings of Arrow takes 20 s for a million.
    mask: npt.NDArray[np.bool_] = (
        pd.Index(known, dtype=object).unique().get_indexer(pd.Index(values, dtype=object)) >= 0
    )
    return mask


def _is_empty(value: str) -> bool:
    return not value or says_missing(value)


def _number(values: pd.Series[str]) -> pd.Series[float]:
    import pandas as pd

    return pd.to_numeric(values, errors="coerce")


# What a column's values must be, and what is said of those that are not.
_Checks = dict[str, tuple[Callable[["pd.Series[str]"], "pd.Series[bool]"], str]]
_EMPTY = N_("empty, where a text was expected")
_FILLED = (lambda values: values.ne(""), _EMPTY)
_TEXT = (lambda values: ~values.map(_is_empty), _EMPTY)
_PAIR_CHECKS: _Checks = {
    "pair_id": _FILLED,
    **dict.fromkeys(("jd", "resume"), _TEXT),
    "weight": (lambda values: _number(values).gt(0), N_("not a number above 0")),
    "inclusion_probability": (
        lambda values: _number(values).between(0, 1, inclusive="right"),
        N_("not a number above 0 and at most 1"),
    ),
    "score": (lambda values: _number(values).between(-1, 1), N_("not a number from -1 to 1")),
}
_ANNOTATION_CHECKS: _Checks = {
    "pair_id": _FILLED,
    "annotator": (
        lambda values: values.str.fullmatch(ANNOTATOR_NAME),
        N_(
            "not a name that a file could have (letters, digits, and - . @ + _ after the first, "
            "64 characters at most)"
        ),
    ),
    "label": (
        lambda values: values.isin(["", *map(str, GRADES)]),
        N_("not a label; expected 0 or 1, a grade from 0 to 3, or a word of which it is said what it means"),
    ),
    "labelled_at": (
        lambda values: values.eq("") | values.str.fullmatch(_ISO_8601),
        N_("not a time such as 2026-03-01T09:30:00Z"),
    ),
}


def _misfits(frame: pd.DataFrame, checks: _Checks, file: str) -> list[Problem]:
    """Values that do not fit, a problem for each column with all its rows; missing columns are no matter."""
    problems = []
    for column, (fits, what) in checks.items():
        if column not in frame.columns:
            continue
        bad = frame[~fits(frame[column]).to_numpy(dtype=bool)]
        found = list(dict.fromkeys(brief(value) for value in bad[column].unique() if value))
        said = _("{found}: {what}").format(found=some_of(found, 3), what=_(what)) if found else _(what)
        problems += _problem(bad, file, column, said)
    return problems


def _stale(annotations: pd.DataFrame, pairs: pd.DataFrame) -> pd.DataFrame:
    """Labels that were given to other texts than the pair has now; the logs know what was shown."""
    texts = pairs.drop_duplicates("pair_id").set_index("pair_id")[["jd", "resume"]]
    shown = annotations[annotations["texts"].ne("") & annotations["pair_id"].isin(texts.index)]
    now = texts.loc[shown["pair_id"]]
    hashes = [texts_hash(jd, resume) for jd, resume in zip(now["jd"], now["resume"], strict=True)]
    stale: pd.DataFrame = shown[shown["texts"].to_numpy() != np.array(hashes, dtype=object)]
    return stale


def _problem(bad: pd.DataFrame, file: str, column: str | None, what: str) -> list[Problem]:
    return [Problem(file, column, tuple(map(int, sorted(bad.index))), what)] if len(bad) else []


def _by_file(bad: pd.DataFrame, column: str, what: str) -> list[Problem]:
    return [
        Problem(str(file), column, tuple(map(int, rows)), what)
        for file, rows in bad.groupby("file", sort=False)["row"]
    ]
