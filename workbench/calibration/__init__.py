"""From labelled pairs with scores to a cutoff with its evidence; arrays and frames only, no encoder.

Start at :func:`calibrate`, which does all of it, or at the pieces: :class:`Observations` (checked input),
:func:`sweep` (every figure at every cutoff), :func:`verdict`, :func:`choose`, :func:`guarantee_precision`.
"""

from workbench.calibration.at_cutoff import figures_at, flips
from workbench.calibration.bootstrap import Resamples, bands, resample
from workbench.calibration.choice import (
    Capacity,
    Choice,
    MaxAccuracy,
    MaxFBeta,
    MaxYouden,
    MinCost,
    Rule,
    TargetMissed,
    TargetPrecision,
    TargetRecall,
    choose,
)
from workbench.calibration.comparing import compare, compare_by, compare_scored
from workbench.calibration.comparison import Comparison, beyond_chance, groups_table
from workbench.calibration.counts import Counts, count, sweep, tabulate
from workbench.calibration.cut_dimensions import matryoshka, which_suffice
from workbench.calibration.decision import GreyZone, grey_zone
from workbench.calibration.difference_tests import delong
from workbench.calibration.exact_tests import pairs_needed
from workbench.calibration.figures import Costs, Estimate, figure
from workbench.calibration.findings import Study
from workbench.calibration.groups import GroupFigures, by_group
from workbench.calibration.guarantee import Guarantee, guarantee_missed, guarantee_precision
from workbench.calibration.monitoring import CheckResult, check
from workbench.calibration.observations import Observations
from workbench.calibration.optimism import (
    HoldOut,
    HonestFigure,
    Stability,
    hold_out,
    honest_figures,
    stability,
)
from workbench.calibration.probability import MatchProbability, fit_probability
from workbench.calibration.reliability_diagram import Reliability, reliability
from workbench.calibration.reweighting import live_weights
from workbench.calibration.selection_rates import AdverseImpact, adverse_impact
from workbench.calibration.shift import ScoreProfile, ScoreShift, score_profile, score_shift
from workbench.calibration.study import calibrate
from workbench.calibration.verdicts import Verdict, verdict

__all__ = [
    "AdverseImpact",
    "Capacity",
    "CheckResult",
    "Choice",
    "Comparison",
    "Costs",
    "Counts",
    "Estimate",
    "GreyZone",
    "GroupFigures",
    "Guarantee",
    "HoldOut",
    "HonestFigure",
    "MatchProbability",
    "MaxAccuracy",
    "MaxFBeta",
    "MaxYouden",
    "MinCost",
    "Observations",
    "Reliability",
    "Resamples",
    "Rule",
    "ScoreProfile",
    "ScoreShift",
    "Stability",
    "Study",
    "TargetMissed",
    "TargetPrecision",
    "TargetRecall",
    "Verdict",
    "adverse_impact",
    "bands",
    "beyond_chance",
    "by_group",
    "calibrate",
    "check",
    "choose",
    "compare",
    "compare_by",
    "compare_scored",
    "count",
    "delong",
    "figure",
    "figures_at",
    "fit_probability",
    "flips",
    "grey_zone",
    "groups_table",
    "guarantee_missed",
    "guarantee_precision",
    "hold_out",
    "honest_figures",
    "live_weights",
    "matryoshka",
    "pairs_needed",
    "reliability",
    "resample",
    "score_profile",
    "score_shift",
    "stability",
    "sweep",
    "tabulate",
    "verdict",
    "which_suffice",
]
