"""Groups of a study's pairs at its cutoff, and the card that says them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from workbench.calibration.evidence import plain
from workbench.calibration.groups import GroupFigures, by_group
from workbench.calibration.observations import AUTO

if TYPE_CHECKING:
    from workbench.calibration.study import Study

__all__ = ["groups_of", "with_groups"]

# A column beside those that the user may have.
LIVE = "weight of live scores"


def groups_of(
    study: Study, columns: Sequence[str], *, weight: str | None = AUTO, cluster: str | None = AUTO
) -> list[GroupFigures]:
    """Figures per group at the study's cutoff, for each column by itself, weighted as the study is.

    Parameters
    ----------
    study : Study
    columns : sequence of str
        Columns of its pairs, such as ``["job_family", "language"]``.
    weight, cluster : str, optional
        As they were given to :func:`~workbench.calibration.study.calibrate`.

    Raises
    ------
    InputError
        If a column is missing, or names one group only or too many.
    """
    settings, pairs = study.settings, study.pairs
    if study.live_weights is not None:
        used = study.live_weights > 0
        pairs, weight = pairs[used].assign(**{LIVE: study.live_weights[used]}), LIVE
    return [
        by_group(
            pairs,
            column,
            study.cutoff.value,
            confidence=settings["confidence"],
            prevalence=settings["prevalence"],
            score=settings["score"],
            label=settings["label"],
            weight=weight,
            cluster=cluster,
            n_resamples=settings["n_resamples"],
            seed=settings["seed"],
        )
        for column in columns
    ]


def with_groups(study: Study, groups: Sequence[GroupFigures]) -> Study:
    """The study, its card holding the groups too."""
    found = [plain(each.to_dict()) for each in groups]
    cutoff = replace(study.cutoff, evidence={**study.cutoff.evidence, "groups": found})
    return replace(study, cutoff=cutoff)
