"""What a calibration is asked for, in one object that its steps hand on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy.typing as npt

from workbench.calibration.choice import Rule, TargetMissed, TargetPrecision
from workbench.calibration.counts import check_share
from workbench.calibration.label_error import LabelErrorLike
from workbench.calibration.observations import AUTO
from workbench.calibration.pair_kinds import PairKind
from workbench.calibration.shares import Dependence
from workbench.cutoffs import Cutoff
from workbench.errors import InputError
from workbench.i18n import gettext as _
from workbench.settings import LITERATURE_CUTOFF

# What is said of 0.4: "above it 89.3 % of matches are right, below it under 6 % are missed".
CLAIMED_PRECISION = 0.893
CLAIMED_MISSED = 0.06


class NamedEncoder(Protocol):
    """What a study needs to know of an encoder; it never encodes."""

    @property
    def name(self) -> str: ...
    @property
    def fingerprint(self) -> str: ...


@dataclass(frozen=True, eq=False, kw_only=True)
class Options:
    """The parameters of :func:`~workbench.calibration.study.calibrate`, where they are described.

    Where neither a target nor a rule is given, the targets are what is claimed for 0.4.
    """

    target_precision: float | None = None
    target_missed: float | None = None
    rule: Rule | None = None
    pairs: PairKind = "everyday"
    confidence: float = 0.95
    current_cutoff: float | Cutoff | None = LITERATURE_CUTOFF
    prevalence: float | None = None
    live_scores: npt.ArrayLike | None = None
    cluster: str | None = AUTO
    weight: str | None = AUTO
    score: str = "score"
    label: str = "label"
    label_error: LabelErrorLike = None
    dependence: Dependence = "auto"
    held_out: float | None = None
    n_resamples: int = 2000
    seed: int = 0
    encoder: NamedEncoder | None = None

    def __post_init__(self) -> None:
        if self.prevalence is not None and self.live_scores is not None:
            raise InputError(
                _(
                    "prevalence and live_scores correct for different things (label shift, covariate "
                    "shift), and live scores imply a prevalence; give one of them."
                )
            )
        if self.held_out is not None:
            check_share(self.held_out, "held_out", _("the share of pairs to hold out"))
        if self.target_precision is None and self.target_missed is None and self.rule is None:
            object.__setattr__(self, "target_precision", CLAIMED_PRECISION)
            object.__setattr__(self, "target_missed", CLAIMED_MISSED)

    @property
    def chooses_by(self) -> Rule:
        """The rule that was given, else the one that aims at the target."""
        if self.rule is not None:
            return self.rule
        if self.target_precision is not None:
            return TargetPrecision(self.target_precision)
        return TargetMissed(CLAIMED_MISSED if self.target_missed is None else self.target_missed)

    @property
    def today(self) -> float | None:
        """The cutoff in use, as a number."""
        return None if self.current_cutoff is None else float(self.current_cutoff)

    @property
    def columns(self) -> dict[str, Any]:
        """The columns, as :meth:`Observations.from_frame` takes them."""
        return {name: getattr(self, name) for name in ("score", "label", "weight", "cluster")}

    @property
    def live(self) -> dict[str, Any]:
        """What figures are for: confidence and live prevalence."""
        return {"confidence": self.confidence, "prevalence": self.prevalence}

    @property
    def tested(self) -> dict[str, Any]:
        """How guarantees are tested."""
        error = {"label_error": self.label_error}
        return {**self.live, **error, "dependence": self.dependence, "seed": self.seed}

    @property
    def told(self) -> dict[str, Any]:
        """How F-beta and expected cost are told."""
        return {"beta": self.chooses_by.f_beta, "costs": self.chooses_by.costs}

    @property
    def drawn(self) -> dict[str, Any]:
        """How resamples are drawn."""
        return {"n_resamples": self.n_resamples, "seed": self.seed}
