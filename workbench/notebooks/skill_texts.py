"""What the notebook of the skill map starts from: JDs and résumé texts of a table, and a cutoff for them."""

from __future__ import annotations

import operator
import re
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workbench.cutoffs import Cutoff
from workbench.errors import InputError, UncalibratedCutoffWarning
from workbench.i18n import gettext as _
from workbench.i18n import listed

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pandas as pd

    from workbench.encoders import Encoder

# What a set of labelled pairs says of a pair, not of its texts.
NOT_GROUPS = {"pair_id", "jd", "resume", "label", "jd_id", "weight", "inclusion_probability", "score"}
# As many colours as can be told apart on a map.
MOST_COLOURS = 6

_CONDITION = re.compile(r"\s*(?P<column>.+?)\s*(?P<sign><=|>=|!=|=|<|>)\s*(?P<value>.+?)\s*")
_SIGNS = {"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}


@dataclass(frozen=True, eq=False)
class SkillTexts:
    """The distinct texts of a table of pairs, JDs first.

    Attributes
    ----------
    pairs : DataFrame
        As read; see :func:`~workbench.pairs.read_pairs`.
    jds, resumes : list of str
    groups : DataFrame
        For each text (JDs first), the group columns of the first row that it stands in.
    is_labelled : bool
        Whether the table says which pairs are matches.
    """

    pairs: pd.DataFrame
    jds: list[str]
    resumes: list[str]
    groups: pd.DataFrame
    is_labelled: bool

    @property
    def texts(self) -> list[str]:
        """All texts, JDs first."""
        return [*self.jds, *self.resumes]

    @property
    def kinds(self) -> list[str]:
        """``"jd"`` or ``"resume"``, for each text."""
        return ["jd"] * len(self.jds) + ["resume"] * len(self.resumes)

    @property
    def ids(self) -> list[str]:
        """An id for each text that stays the same in every run."""
        return [f"{kind}: {text}" for kind, text in zip(self.kinds, self.texts, strict=True)]

    @property
    def colouring(self) -> str | None:
        """The column to colour a map by: the first with two to six values, else the first at all."""
        named = [str(name) for name in self.groups]
        few = (name for name in named if 2 <= self.groups[name].nunique() <= MOST_COLOURS)
        return next(few, named[0] if named else None)

    def owners(self, column: str) -> list[str]:
        """Whose each résumé text is: the value of a column, or without one, a candidate for each text.

        A text that several candidates wrote counts for the first. One without a value is a candidate of
        its own.

        Raises
        ------
        InputError
            If there is no such column.
        """
        if not column:
            return [f"text {at}" for at in range(len(self.resumes))]
        if column not in self.pairs:
            raise InputError(
                _("There is no column {column} of candidates; there are {columns}.").format(
                    column=repr(column), columns=listed(self.pairs.columns)
                )
            )
        names = self.pairs.drop_duplicates("resume")[column].fillna("").astype(str)
        return [name.strip() or f"text {at}" for at, name in enumerate(names)]

    def placed(self, places: npt.NDArray[Any], labels: npt.NDArray[np.intp]) -> pd.DataFrame:
        """A row for each text: ``kind``, ``x``, ``y``, ``cluster`` (-1 for none), ``text``."""
        import pandas as pd

        return pd.DataFrame(
            {
                "kind": self.kinds,
                "x": places[:, 0],
                "y": places[:, 1],
                "cluster": labels,
                "text": self.texts,
            }
        )

    def rows_where(self, condition: str, *, negate: bool = False) -> tuple[list[int], list[int]]:
        """Positions of the JDs, and of the résumé texts, of the rows that meet a condition.

        Parameters
        ----------
        condition : str
            A column, one of ``= != < <= > >=``, and a value, such as ``"month=2026-01"`` or
            ``"applied<2026-02-01"``. Order is that of numbers or of dates.
        negate : bool
            Take the rows that do not meet it.

        Raises
        ------
        InputError
            If the condition cannot be read, there is no such column, its values have no order, or no
            row is left.
        """
        meets = _meeting(self.pairs, condition)
        rows = self.pairs[~meets if negate else meets]
        if rows.empty:
            said = (
                _("All rows of the table: {condition}.") if negate else _("No row of the table: {condition}.")
            )
            raise InputError(said.format(condition=condition))
        jds, resumes = set(rows["jd"]), set(rows["resume"])
        return (
            [at for at, text in enumerate(self.jds) if text in jds],
            [at for at, text in enumerate(self.resumes) if text in resumes],
        )

    def cutoff(self, encoder: Encoder, given: float | None = None) -> tuple[Cutoff, str]:
        """A cutoff for these texts, and where it comes from.

        Parameters
        ----------
        encoder : Encoder
        given : float, optional
            Taken as it is. Else labels, where there are any, are calibrated for the highest F1; else the
            encoder's card counts, or the literature's 0.4.

        Returns
        -------
        cutoff : Cutoff
        origin : {"given", "labels", "card", "literature"}
        """
        if given is not None:
            return Cutoff(given), "given"
        if self.is_labelled:
            from workbench.calibration import MaxFBeta, calibrate
            from workbench.pairs import score_pairs

            scored = score_pairs(self.pairs, encoder, progress=False)
            return calibrate(scored, rule=MaxFBeta(), encoder=encoder).cutoff, "labels"
        from workbench.retrieval import resolve_cutoff

        with warnings.catch_warnings(action="ignore", category=UncalibratedCutoffWarning):
            found = resolve_cutoff(None, encoder)
        return found, "card" if found.is_calibrated else "literature"

    def sentence(self) -> str:
        """How many texts there are, and whether pairs are labelled."""
        said = (
            _("{jds} JDs and {resumes} résumé texts (from {pairs} pairs, labelled)")
            if self.is_labelled
            else _("{jds} JDs and {resumes} résumé texts (from {pairs} pairs, without labels)")
        )
        return said.format(
            jds=f"{len(self.jds):,}", resumes=f"{len(self.resumes):,}", pairs=f"{len(self.pairs):,}"
        )

    def __repr__(self) -> str:
        return f"<SkillTexts: {self.sentence()}>"


def read_skill_texts(path: str | Path) -> SkillTexts:
    """Read a set of labelled pairs, or a table with the columns ``jd`` and ``resume``.

    Labels are used where there are any, and not asked for.

    Raises
    ------
    InputError
        If the table cannot be read, or lacks one of the columns.
    """
    from workbench.pairs import read_pairs

    is_labelled = True
    try:
        pairs = read_pairs(path)
    except InputError:
        # A table without labels is read as one; any other mistake comes up again.
        pairs, is_labelled = read_pairs(path, labelled=False), False
    return _texts_of(pairs, is_labelled)


def _texts_of(pairs: pd.DataFrame, is_labelled: bool) -> SkillTexts:
    import pandas as pd

    columns: list[Any] = [name for name in pairs.columns if name not in NOT_GROUPS]
    by_side = [pairs.drop_duplicates(side) for side in ("jd", "resume")]
    groups = pd.concat([side[columns] for side in by_side], ignore_index=True)
    jds, resumes = by_side[0]["jd"].tolist(), by_side[1]["resume"].tolist()
    # A column that is different for nearly every text colours nothing.
    few = [name for name in columns if groups[name].nunique() <= max(50, len(groups) // 20)]
    return SkillTexts(pairs, jds, resumes, groups[few], is_labelled)


def _meeting(pairs: pd.DataFrame, condition: str) -> pd.Series[bool]:
    parts = _CONDITION.fullmatch(condition)
    if parts is None:
        raise InputError(
            _(
                "{condition} is no condition; write a column, a sign and a value, such as month=2026-01 or "
                "applied<2026-02-01."
            ).format(condition=repr(condition))
        )
    column, sign, value = parts["column"], parts["sign"], parts["value"]
    if column not in pairs:
        raise InputError(
            _("{condition}: there is no column {column}; there are {columns}.").format(
                condition=repr(condition), column=repr(column), columns=listed(pairs.columns)
            )
        )
    if sign in ("=", "!="):
        return (pairs[column].astype(str) == value) == (sign == "=")
    compared = _ordered(pairs[column], value)
    if compared is None:
        raise InputError(
            _(
                "{condition}: the values of {column} are neither all numbers nor all dates (such as "
                "2026-02-01), so none lies before another; compare with = or !=."
            ).format(condition=repr(condition), column=repr(column))
        )
    meets: pd.Series[bool] = _SIGNS[sign](*compared)
    return meets


def _ordered(values: pd.Series[Any], value: str) -> tuple[pd.Series[Any], Any] | None:
    """Values and the one that they are compared with, as numbers or as dates; blanks compare as false."""
    import pandas as pd

    together = pd.concat([values, pd.Series([value])], ignore_index=True)
    for read in (pd.to_numeric, lambda them: pd.to_datetime(them, format="mixed")):
        try:
            found = pd.Series(read(together))
        except (ValueError, TypeError):
            continue
        return found.iloc[:-1].set_axis(values.index), found.iloc[-1]
    return None
