"""Labelled pairs that keep coming in, as the user names their time: what a sequential check needs to know.

The tests are in :mod:`workbench.calibration.sequential`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pandas as pd

from workbench.asking import with_option
from workbench.calibration.arrivals import arrival_times
from workbench.calibration.evidence import Promise
from workbench.calibration.observations import AUTO, CLUSTER_COLUMNS, Observations
from workbench.calibration.sequential import SequentialTest, sequential_test
from workbench.cutoffs import Cutoff
from workbench.errors import InputError
from workbench.i18n import gettext as _

# Larger JDs will come than the largest among the card's own pairs; a larger bound makes bets smaller.
ROOM = 2


@dataclass(frozen=True)
class Stream:
    """What the user says of pairs that keep coming in.

    Attributes
    ----------
    time : str or None
        Column that says when each pair came.
    most_per_jd : int or None
        For how many pairs on one side of the cutoff a JD counts at most; by default twice the most that a JD
        had there among the card's own pairs.
    prevalence : float or None
        Refused: a stream is live.

    Raises
    ------
    InputError
        If no sequential check can be made so.
    """

    time: str | None
    most_per_jd: int | None = None
    prevalence: float | None = None

    def __post_init__(self) -> None:
        if self.prevalence is not None:
            raise InputError(
                _(
                    "A sequential check is of a fair stream of pairs, whose prevalence is the live one; "
                    "leave prevalence out, or test all pairs at once."
                )
            )
        if self.time is None:
            said = _(
                "A sequential check follows the evidence as pairs came in, and the rows of a file say "
                "nothing about that; in an order made by somebody who saw the labels, any cutoff looks bad, "
                "or good, for a while. Name the column with the time of each pair."
            )
            raise InputError(with_option(said, "time", "COLUMN"))
        if self.most_per_jd is not None and self.most_per_jd < 1:
            raise InputError(
                _("A JD counts for {n} pairs at most; it is 1 or more.").format(n=self.most_per_jd)
            )

    def tests(
        self,
        labelled: pd.DataFrame,
        columns: dict[str, Any],
        card: Cutoff,
        promises: tuple[Promise, ...],
        confidence: float,
    ) -> tuple[SequentialTest, ...]:
        """Each promise of a card, tested on all that has come in.

        `columns` are as of :meth:`Observations.from_frame`.

        Raises
        ------
        InputError
            If a time or another value cannot be used, or nobody says for how many pairs a JD counts.
        """
        times = arrival_times(labelled, str(self.time))
        # Even where all pairs so far are of one JD: others may follow.
        jd = columns["cluster"]
        if jd == AUTO:
            jd = next((name for name in CLUSTER_COLUMNS if name in labelled.columns), None)
        observations = Observations.from_frame(labelled, **columns | {"cluster": jd})
        # With two promises, each is called failed at half the level, as the verdict does.
        failed_level = (1 - confidence) / len(promises)
        return tuple(
            sequential_test(
                observations,
                card.value,
                promise,
                times=times,
                most_per_jd=1 if jd is None else self.most_per_jd or _most_per_jd(card, promise),
                confidence=confidence,
                failed_level=failed_level,
            )
            for promise in promises
        )


def _most_per_jd(card: Cutoff, promise: Promise) -> int:
    kept = (card.evidence.get("pairs") or {}).get("most_per_jd") or {}
    most = kept.get("above" if promise.figure == "precision" else "below")
    if most is None:
        said = _(
            "The card does not say how many pairs a JD has on one side of its cutoff; older cards do not. "
            "Say, without looking at these pairs, for how many a JD shall count at most."
        )
        raise InputError(with_option(said, "most_per_jd", "N"))
    return ROOM * int(most)
