"""Everyday pairs and hard ones: which of them a cutoff is calibrated on, and how well each are told apart.

Where a set says in a column ``source`` how its pairs came about, those composed to mislead are another
population than those that occur: one figure for both says nothing about either.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
import numpy.typing as npt
import pandas as pd

from workbench.calibration.difference_tests import delong
from workbench.calibration.figures import Estimate
from workbench.calibration.observations import Observations
from workbench.cutoffs import Cutoff
from workbench.errors import InputError
from workbench.i18n import gettext as _
from workbench.i18n import paragraph
from workbench.results import Result

PairKind = Literal["everyday", "hard", "all"]

SOURCE = "source"
HARD = "hard"


@dataclass(frozen=True, repr=False)
class PairKinds(Result):
    """Which pairs of a set were used, and how well an encoder tells matches among each kind.

    Attributes
    ----------
    used : {"everyday", "hard", "all"}
    n_everyday, n_hard : int
    auc_everyday, auc_hard : Estimate
        Probability that a match scores higher than another pair; NaN where a kind is all of one class. On
        hard pairs it shows the limit of the encoder, not what it does at work.
    """

    used: PairKind
    n_everyday: int
    n_hard: int
    auc_everyday: Estimate
    auc_hard: Estimate

    @property
    def n_used(self) -> int:
        """Pairs that were calibrated on."""
        return {"everyday": self.n_everyday, "hard": self.n_hard}.get(
            self.used, self.n_everyday + self.n_hard
        )

    def sentence(self) -> str:
        """Which pairs were used, and what stands apart."""
        said = {
            "everyday": _("{n} of {total} pairs used: everyday; {hard} hard ones shown apart."),
            "hard": _("{n} of {total} pairs used: hard; {everyday} everyday ones shown apart."),
            "all": _("All {total} pairs used, {everyday} everyday and {hard} hard ones together."),
        }[self.used]
        return said.format(
            n=f"{self.n_used:,}",
            total=f"{self.n_everyday + self.n_hard:,}",
            everyday=f"{self.n_everyday:,}",
            hard=f"{self.n_hard:,}",
        )

    def limit(self) -> str:
        """How well matches are told among each kind, and what that means."""
        everyday, hard = self.auc_everyday, self.auc_hard
        said = _(
            "A match scores higher than another pair in {everyday} of cases among everyday pairs, and in "
            "{hard} among pairs composed to mislead, where chance alone gives half."
        ).format(everyday=everyday, hard=hard)
        if not hard.low <= 0.5:
            return said
        limit = _("That is the limit of this encoder, which reads each text by itself; no cutoff mends it.")
        return paragraph([said, limit])

    def __repr__(self) -> str:
        return f"PairKinds: {self.sentence()}"


def is_hard(pairs: pd.DataFrame) -> npt.NDArray[np.bool_]:
    """Which pairs were composed to mislead: those whose ``source`` is ``hard``, or ends in ``-hard``.

    Examples
    --------
    >>> is_hard(pd.DataFrame({"source": ["composed-hard", "drawn", "our hard-copy archive"]})).tolist()
    [True, False, False]
    >>> is_hard(pd.DataFrame({"score": [0.1]})).tolist()
    [False]
    """
    if SOURCE not in pairs.columns:
        return np.zeros(len(pairs), dtype=bool)
    codes, words = pd.factorize(pairs[SOURCE])
    found = pd.Series(words, dtype="string").str.strip().str.fullmatch(rf"(?:.*-)?{HARD}", case=False)
    return np.append(found.fillna(False).to_numpy(dtype=bool), False)[codes]


def alike(pairs: pd.DataFrame, card: Cutoff) -> tuple[pd.DataFrame, int]:
    """New pairs as those of a card: without hard ones if it is of everyday ones; how many were left out."""
    kinds, hard = (card.evidence.get("pairs") or {}).get("kinds") or {}, is_hard(pairs)
    if kinds.get("used") != "everyday" or hard.all():
        return pairs, 0
    return pairs[~hard], int(hard.sum())


def select(
    scored: pd.DataFrame, kind: PairKind, columns: dict[str, Any], confidence: float
) -> tuple[pd.DataFrame, PairKinds | None]:
    """The pairs of a kind, and what is known of each kind; None where a set has no hard pairs.

    Parameters
    ----------
    scored : DataFrame
    kind : {"everyday", "hard", "all"}
    columns : mapping
        As :meth:`Observations.from_frame` takes them.
    confidence : float
        Of the intervals of the areas.

    Raises
    ------
    InputError
        If there is no such kind, or no pair of it.
    """
    chosen, hard = of_kind(scored, kind), is_hard(scored)
    if not hard.any():
        return scored, None
    found = PairKinds(
        kind,
        int((~hard).sum()),
        int(hard.sum()),
        *(_auc(scored[part], columns, confidence) for part in (~hard, hard)),
    )
    return chosen, found


def of_kind(pairs: pd.DataFrame, kind: PairKind) -> pd.DataFrame:
    """The pairs of a kind; errors as of :func:`select`."""
    if kind not in get_args(PairKind):
        raise InputError(_("pairs is {kind}; it is one of everyday, hard and all.").format(kind=repr(kind)))
    hard = is_hard(pairs)
    wanted = {"everyday": ~hard, "hard": hard}.get(kind, np.ones(len(pairs), dtype=bool))
    if len(pairs) and not wanted.any():
        raise InputError(
            _(
                "None of the {n} pairs is of the kind asked for ({kind}); the column source says which pairs "
                "are hard. Take all pairs."
            ).format(n=f"{len(pairs):,}", kind=kind)
        )
    chosen = pairs[wanted].reset_index(drop=True)
    chosen.attrs = dict(pairs.attrs)
    return chosen


def _auc(pairs: pd.DataFrame, columns: dict[str, Any], confidence: float) -> Estimate:
    if len(pairs) < 2:
        return Estimate(np.nan, np.nan, np.nan, confidence)
    observations = Observations.from_frame(pairs, **columns).in_order
    if observations.labels.min() == observations.labels.max():
        return Estimate(np.nan, np.nan, np.nan, confidence)
    areas = delong(observations.scores, observations.labels, observations.clusters)
    return Estimate(float(areas.auc[0]), *areas.interval(0, confidence), confidence)
