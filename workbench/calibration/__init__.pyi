from .advice import Advice
from .at_cutoff import figures_at, flips
from .audit import Audit, audit
from .bootstrap import Resamples, bands, resample
from .choice import (
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
from .comparing import compare, compare_by, compare_scored
from .comparison import Comparison, beyond_chance, groups_table
from .counts import Counts, count, sweep, tabulate
from .cut_dimensions import matryoshka, which_suffice
from .difference_tests import delong
from .estimation import EstimatedPerformance, estimate_performance
from .exact_tests import pairs_needed
from .figures import Costs, Estimate, figure
from .findings import Study
from .grey_zones import GreyZone, grey_zone
from .groups import GroupFigures, by_group
from .guarantee import Guarantee, guarantee_missed, guarantee_precision
from .key_figures import KeyFigure
from .label_error import LabelError
from .monitoring import CheckResult, check
from .observations import Observations
from .optimism import (
    HoldOut,
    HonestFigure,
    Stability,
    hold_out,
    honest_figures,
    stability,
)
from .prevalence import Prevalence, estimate_prevalence
from .probability import MatchProbability, fit_probability
from .reliability_diagram import Reliability, reliability
from .reweighting import live_weights
from .scored_files import read_scores
from .selection_rates import AdverseImpact, adverse_impact
from .shift import ScoreProfile, ScoreShift, score_profile, score_shift
from .study import calibrate
from .verdicts import Verdict, verdict

__all__ = [
    "AdverseImpact",
    "Advice",
    "Audit",
    "Capacity",
    "CheckResult",
    "Choice",
    "Comparison",
    "Costs",
    "Counts",
    "Estimate",
    "EstimatedPerformance",
    "GreyZone",
    "GroupFigures",
    "Guarantee",
    "HoldOut",
    "HonestFigure",
    "KeyFigure",
    "LabelError",
    "MatchProbability",
    "MaxAccuracy",
    "MaxFBeta",
    "MaxYouden",
    "MinCost",
    "Observations",
    "Prevalence",
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
    "audit",
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
    "estimate_performance",
    "estimate_prevalence",
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
    "read_scores",
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
