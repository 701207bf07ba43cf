"""Scores that come from elsewhere: another vendor, an LLM judge, an ATS."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from workbench.errors import InputError
from workbench.i18n import gettext as _
from workbench.i18n import ngettext
from workbench.scorers.base import FloatArray, Scorer, Scores
from workbench.text_encoder import TextEncoder

if TYPE_CHECKING:
    import pandas as pd


class ColumnScorer(Scorer):
    """Takes the score of a pair from a column of the pairs.

    It cannot score texts that nobody scored, so :func:`workbench.score_pairs` takes it, and rankings refuse
    it. Scores in a table of their own come in by ``pairs.merge(table[["jd_id", "resume_id", "score"]],
    how="left")``.

    Parameters
    ----------
    column : str
    source : str
        Your own word for what made the scores, such as ``"vendor 2026-03"``. A cutoff card is for one
        column of one source; a vendor's new model should have a new word.

    Raises
    ------
    InputError
        If the column has no name.
    """

    def __init__(self, column: str, source: str = "") -> None:
        if not column.strip():
            raise InputError(_("Name the column with the scores: column:score."))
        self.column, self.source = column.strip(), source.strip()

    @property
    def name(self) -> str:
        return f"column:{self.column}" + (f"#{self.source}" if self.source else "")

    @property
    def fingerprint(self) -> str:
        return hashlib.sha256(f"column 1 {[self.column, self.source]}".encode()).hexdigest()[:12]

    @property
    def encoder(self) -> TextEncoder:  # type: ignore[override]
        raise self._unable()

    def _score(self, jds: Sequence[str], resumes: Sequence[str], progress: bool | None) -> Scores:
        raise self._unable()

    def scores_in(self, pairs: pd.DataFrame) -> FloatArray:
        """The score of each pair.

        Raises
        ------
        InputError
            If there is no such column, a pair has no score, or a score is not from -1 to 1 (with its pairs).
        """
        import pandas as pd

        if self.column not in pairs.columns:
            raise InputError(
                _("The pairs have no column {column}; join the scores to them first.").format(
                    column=repr(self.column)
                )
            )
        scores = pd.to_numeric(pairs[self.column], errors="coerce").to_numpy(dtype=np.float64)
        lacking, outside = ~np.isfinite(scores), np.abs(scores) > 1
        lack = ngettext(
            "{n} pair has no score in column {column}: {which}.",
            "{n} pairs have no score in column {column}: {which}.",
            int(lacking.sum()),
        )
        self._refuse(pairs, lacking, lack)
        beyond = _(
            "Scores must be from -1 to 1; in column {column} {n} are not: {which}. Bring them there first, "
            "such as by dividing percent by 100."
        )
        self._refuse(pairs, outside, beyond)
        return scores

    def _refuse(self, pairs: pd.DataFrame, bad: npt.NDArray[np.bool_], sentence: str) -> None:
        places = np.flatnonzero(bad).tolist()
        if not places:
            return
        ids = [name for name in ("pair_id", "jd_id", "resume_id") if name in pairs.columns]
        named = [" × ".join(str(pairs[name].iloc[at]) for name in ids) or str(at) for at in places[:5]]
        which = ", ".join(named) + ("…" if len(places) > 5 else "")
        raise InputError(sentence.format(column=repr(self.column), n=len(places), which=which))

    def _unable(self) -> InputError:
        return InputError(
            _(
                "{name} holds scores of pairs that somebody scored and cannot score other texts; use it with "
                "labelled pairs that have this column."
            ).format(name=self.name)
        )
