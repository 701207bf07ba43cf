"""How often intervals of the lowest impact ratio, and those of all groups at once, cover the truth.

Groups of 10 to 1,000 members, people one by one or by JD; beside them the way that ignores that the worst
group and the best were picked.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
from scipy import special

from workbench.calibration import Observations, adverse_impact
from workbench.calibration.impact_intervals import ImpactIntervals, impact_intervals, jeffreys

NUMBERS = (2, 3, 5, 10, 20)
SMALLEST, LARGEST = 10, 1000
HEADS = (
    "groups",
    "rates",
    "true ratio",
    "covers",
    "covers all groups",
    "length",
    "picked ignored",
    "length ",
    "rates at once",
    "length  ",
)
Truth = Callable[[int], np.ndarray]


def spread(groups: int) -> np.ndarray:
    """Rates from 0.05 to 0.6 in any order of sizes."""
    return np.random.default_rng(groups).permutation(np.linspace(0.05, 0.6, groups))


def one_lower(groups: int) -> np.ndarray:
    """One large group with half the rate of all others."""
    return np.where(np.arange(groups) == groups - 1, 0.15, 0.3)


def halves(groups: int) -> np.ndarray:
    """Half of the groups with 0.7 of the rate of the others."""
    return np.where(np.arange(groups) < groups // 2, 0.4, 0.28)


TRUTHS: dict[str, Truth] = {
    "all 0.05": lambda groups: np.full(groups, 0.05),
    "all 0.3": lambda groups: np.full(groups, 0.3),
    "all 0.6": lambda groups: np.full(groups, 0.6),
    "0.05 to 0.6": spread,
    "one at half": one_lower,
    "halves, 0.7": halves,
}


def sizes(groups: int) -> np.ndarray:
    """Members of each group, from 10 to 1,000 in equal steps of their logarithm."""
    return np.round(np.geomspace(SMALLEST, LARGEST, groups)).astype(int)


def ignoring(rates: np.ndarray, members: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """95 % interval of the lowest over the highest rate as if both groups had been named beforehand.

    Katz et al. (1978), with half a person more on either side of each group.
    """
    selected = rates * members
    share = (selected + 0.5) / (members + 1)
    variance = (1 - share) / (share * (members + 1))
    each = np.arange(len(rates))
    worst, best = rates.argmin(1), rates.argmax(1)
    ratio = np.log(share[each, worst]) - np.log(share[each, best])
    half = special.ndtri(0.975) * np.sqrt(variance[each, worst] + variance[each, best])
    same = worst == best
    return np.where(same, 1, np.exp(ratio - half)), np.where(same, 1, np.minimum(np.exp(ratio + half), 1))


def rates_at_once(rates: np.ndarray, members: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The simple way that holds: intervals of all rates at once (Šidák), lowest ends over highest ends."""
    groups = rates.shape[1]
    low, high = jeffreys(rates, members.astype(float), special.ndtri((1 + 0.95 ** (1 / groups)) / 2))
    with np.errstate(divide="ignore"):
        return low.min(1) / high.max(1), np.minimum(high.min(1) / low.max(1), 1)


def covered(found: ImpactIntervals, truth: np.ndarray) -> tuple[float, float]:
    """How often the lowest ratio's interval holds it, and all intervals hold theirs."""
    ratios, near = truth / truth.max(), 1e-9
    lowest = (found.smallest_low <= ratios.min() + near) & (ratios.min() <= found.smallest_high + near)
    every = ((found.low <= ratios + near) & (ratios <= found.high + near)).all(-1)
    return float(lowest.mean()), float(every.mean())


def one_by_one(truth: np.ndarray, runs: int, rng: np.random.Generator) -> tuple[float, ...]:
    """Coverage and mean length, of these intervals and of those that ignore the picking."""
    members = sizes(len(truth))
    selected = rng.binomial(members, truth, (runs, len(truth)))
    rates = selected[selected.any(1)] / members
    found = impact_intervals(rates, members)
    ratio, beside = truth.min() / truth.max(), []
    for low, high in (ignoring(rates, members), rates_at_once(rates, members)):
        beside.append(float(((low <= ratio + 1e-9) & (ratio <= high + 1e-9)).mean()))
        beside.append(float((high - low).mean()))
    return (*covered(found, truth), float((found.smallest_high - found.smallest_low).mean()), *beside)


def by_jd(
    truth: np.ndarray, runs: int, rng: np.random.Generator, *, mixed: bool, jds: int = 60
) -> tuple[float, float, float]:
    """The same where a JD has a selection rate of its own, with people of all groups (`mixed`) or of one.

    Rates of JDs follow a beta distribution around the group's, with a within-JD correlation of 0.1.
    """
    members = np.maximum(sizes(len(truth)) // 2, SMALLEST)
    group = np.repeat(np.arange(len(truth)), members)
    found = []
    for _run in range(runs):
        draw = rng.integers(0, jds, len(group))
        jd = draw if mixed else group * jds + draw
        # The quantile of a JD in its groups' beta distributions: a demanding JD selects few of any group.
        quantile = rng.random(jds * len(truth))[jd]
        rate = special.betaincinv(9 * truth[group], 9 * (1 - truth[group]), quantile)
        scores = (rng.random(len(group)) < rate).astype(float)
        impact = adverse_impact(Observations(scores, np.zeros(len(group)), clusters=jd), group, 0.5)
        if impact.ratio is None:
            continue
        ends = impact.frame.sort_values("group", key=lambda names: names.astype(int))
        found.append(
            ImpactIntervals(
                *(ends[end].to_numpy() for end in ("low", "high")),
                *map(np.asarray, (impact.ratio.low, impact.ratio.high)),
            )
        )
    both = np.array([covered(each, truth) for each in found]).mean(0)
    return *both, float(np.mean([each.smallest_high - each.smallest_low for each in found]))


def run(runs: int = 4000, seed: int = 0) -> str:
    """All of these as tables; by JD with a twentieth of the runs."""
    rng = np.random.default_rng(seed)
    rows = []
    for groups in NUMBERS:
        for name, truth in TRUTHS.items():
            rates = truth(groups)
            rows.append((groups, name, rates.min() / rates.max(), *one_by_one(rates, runs, rng)))
    clustered = []
    for groups in (2, 5, 10):
        for name in ("all 0.3", "0.05 to 0.6", "halves, 0.7"):
            rates = TRUTHS[name](groups)
            for mixed in (True, False):
                kind = "all groups at each JD" if mixed else "one group a JD"
                seen = by_jd(rates, max(runs // 20, 1), rng, mixed=mixed)
                clustered.append((groups, name, kind, rates.min() / rates.max(), *seen))
    plain = pd.DataFrame(rows, columns=list(HEADS))
    jds = pd.DataFrame(clustered, columns=[*HEADS[:2], "JDs", *HEADS[2:6]])
    return _page(plain, jds, runs)


def _page(plain: pd.DataFrame, jds: pd.DataFrame, runs: int) -> str:
    fewer = max(runs // 20, 1)
    return f"""# Intervals of impact ratios that know that groups were picked

95 % intervals for the lowest impact ratio (lowest selection rate over highest), for groups of {SMALLEST} to
{LARGEST:,} members; "covers all groups" is how often the intervals of all groups' ratios hold at once.
"Picked ignored" is the interval for two groups named beforehand (Katz), used for the two that were picked.
"Rates at once" are intervals of all rates by Šidák, lowest ends over highest ends: the simple way that holds.
{runs:,} samples a row, which know a coverage of 95 % to ±{_margin(runs):.1f} points.
Lowest coverage: {plain["covers"].min():.3f}, of all groups at once {plain["covers all groups"].min():.3f};
with picking ignored {plain["picked ignored"].min():.3f}.

{_markdown(plain)}

By JD, which has a selection rate of its own (within-JD correlation 0.1; 60 JDs, or 60 a group; groups half as
large, but of {SMALLEST} at least); {fewer:,} samples a row, ±{_margin(fewer):.1f} points.
Lowest coverage: {jds["covers"].min():.3f}, of all groups at once {jds["covers all groups"].min():.3f}.

{_markdown(jds)}
"""


def _margin(runs: int) -> float:
    return float(196 * np.sqrt(0.95 * 0.05 / runs))


def _markdown(frame: pd.DataFrame) -> str:
    shown = frame.map(lambda value: f"{value:.3f}" if isinstance(value, float) else str(value))
    rows = [shown.columns, ["---"] * len(shown.columns), *shown.to_numpy()]
    return "\n".join("| " + " | ".join(map(str.strip, row)) + " |" for row in rows)
