"""Where testing for a guaranteed cutoff starts, and how many more pairs are planned where it finds none."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from simulating._worlds import World, share_with_error

from workbench.calibration import guarantee_precision
from workbench.calibration.exact_tests import begun, p_value_above, rejected, start_sizes
from workbench.calibration.observations import Observations
from workbench.calibration.shares import one_side

CONFIDENCE = 0.9
# Name, world, target.
STARTS = [
    ("70 JDs of 7 pairs", World(500, 70, 1.0, 0.5), 0.8),
    ("the same", World(500, 70, 1.0, 0.5), 0.89),
    ("20 JDs of 15 that differ much", World(300, 20, 2.0, 0.5), 0.8),
    ("150 JDs of 2", World(300, 150, 1.0, 0.3), 0.8),
    ("60 JDs of very unequal size", World(400, 60, 1.0, 0.5, unequal=True), 0.8),
    ("50 JDs without an effect", World(500, 50, 0.0, 0.5), 0.89),
    ("20 JDs of 50", World(1000, 20, 1.5, 0.5), 0.8),
]


def run(runs: int = 400, seed: int = 7) -> str:
    """Starts with a say of the labels and without; and what plans come to."""
    return f"{starts(runs, seed)}\n\n{plans(runs, seed)}"


def starts(runs: int, seed: int) -> str:
    """The start by sizes that labels show (as it was), and by those foreseen without them."""
    rows = []
    for name, world, target in STARTS:
        rng = np.random.default_rng(seed)
        cutoffs: dict[str, list[float | None]] = {"before": [], "now": []}
        for _ in range(runs):
            pairs = world.draw(rng)
            cutoffs["before"].append(by_sizes_that_labels_show(pairs, target))
            cutoffs["now"].append(guarantee_precision(pairs, target, confidence=CONFIDENCE).cutoff)
        for when, found in cutoffs.items():
            some = [cutoff for cutoff in found if cutoff is not None]
            broken = sum(world.precision(cutoff) < target for cutoff in some)
            recalls = [world.recall(cutoff) for cutoff in found]
            error = 1.96 * np.std(recalls) / np.sqrt(runs)
            rows.append(
                f"| {name} | {100 * target:.0f} % | {when} | {share_with_error(len(some), runs)} "
                f"| {share_with_error(broken, runs)} | {np.mean(recalls):.3f} ± {error:.3f} |"
            )
    head = [
        "## Where testing starts",
        "",
        f"Guaranteed precision with {100 * CONFIDENCE:.0f} % confidence. Before: testing started at the set "
        "whose *measured* effective size was large enough, in which labels had a say. Now: at the set whose "
        "size is *foreseen* from scores, weights and JDs. Recall is 0 where no cutoff is found.",
        "",
        f"| labelled sets | target | start | found, % | broken, % (at most {100 * (1 - CONFIDENCE):.0f}) "
        "| true recall at the cutoff |",
        "|---|---|---|---|---|---|",
    ]
    return "\n".join(head + rows)


def plans(runs: int, seed: int) -> str:
    """How often there is a cutoff once the planned number of pairs is labelled too."""
    rng = np.random.default_rng(seed)
    kinds: dict[str, Callable[[], tuple[World, float]]] = {
        "drawn at random": lambda: (
            World(
                int(rng.choice([60, 120, 250, 500])), steepness=rng.uniform(1.5, 5), top=rng.uniform(0.9, 1)
            ),
            float(rng.choice([0.8, 0.85, 0.9])),
        ),
        "150 pairs, a clear encoder, 90 %": lambda: (World(150), 0.9),
        "150 pairs of 50 JDs, 85 %": lambda: (World(150, 50, 1.0, 0.3), 0.85),
        "300 pairs, 93 % at best, 90 %": lambda: (World(300, steepness=4.0, top=0.93), 0.9),
        "500 pairs, 88 % at best, 90 %": lambda: (World(500, steepness=4.0, top=0.88), 0.9),
    }
    rows = []
    for name, draw in kinds.items():
        told: dict[str, list[int]] = {"even": [], "likely": []}
        met: dict[str, int] = {"even": 0, "likely": 0}
        n_none = n_hopeless = 0
        for _ in range(runs):
            world, target = draw()
            pairs = world.draw(rng)
            further = guarantee_precision(pairs, target).further
            if further is None:
                continue
            n_none += 1
            n_hopeless += further.even is None
            for chance in told:
                more = getattr(further, chance)
                if more is not None:
                    told[chance].append(more)
                    met[chance] += guarantee_precision(_with(pairs, world.draw(rng, more)), target).found
        columns = [
            f"{len(numbers)}{f' ({np.median(numbers):.0f})' if numbers else ''} "
            f"| {share_with_error(met[chance], len(numbers))}"
            for chance, numbers in told.items()
        ]
        rows.append(f"| {name} | {n_none} | {n_hopeless} | {' | '.join(columns)} |")
    head = [
        "## How many more pairs",
        "",
        "Sets in which no cutoff is guaranteed (95 % confidence), and what is found once the number said is "
        "labelled too. *Even*, *likely*: in how many sets a number is said (its median), and in how many of "
        "these there is a cutoff then. Promised are 50 % and 80 %, over worlds drawn at random (sizes 60 to "
        "500, targets 80 to 90 %, encoders clear and unclear). In a single world that is worse than it looks "
        "(93 or 88 % at best), whoever is told a number was lucky, and it is not kept; there it should be "
        "said seldom.",
        "",
        "| labelled sets | none found | no number said | even | found, % | likely | found, % |",
        "|---|---|---|---|---|---|---|",
    ]
    return "\n".join(head + rows)


def _with(pairs: Observations, more: Observations) -> Observations:
    clusters = None
    if pairs.clusters is not None:
        others = np.arange(len(more)) if more.clusters is None else more.clusters
        clusters = np.append(pairs.clusters, pairs.clusters.max() + 1 + others)
    scores, labels = np.append(pairs.scores, more.scores), np.append(pairs.labels, more.labels)
    return Observations(scores, labels, clusters=clusters)


def by_sizes_that_labels_show(pairs: Observations, target: float) -> float | None:
    """The guaranteed cutoff as it was found before."""
    sets = one_side(pairs, "above")
    began = tuple(
        begun(sets.size, size) for size in start_sizes(target, 1 - CONFIDENCE, float(sets.size[-1]))
    )
    passed = rejected(p_value_above(sets.share_right, sets.size, target), began, 1 - CONFIDENCE)
    return float(sets.cutoffs[np.flatnonzero(passed)[-1]]) if passed.any() else None
