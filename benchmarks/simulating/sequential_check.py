"""False alarms, false confirmations and power of ``check --sequential``, beside the check that is made once.

JDs have 1 to 50 pairs above the cutoff, and how good they are goes with how many: the promise is about all
pairs, so that a test of one pair a JD, or of the mean over JDs, tests something else.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from workbench.calibration import Observations, verdict
from workbench.calibration.sequential import log_evidence

Array = npt.NDArray[np.float64]

PROMISED, LEVEL, MOST = 0.8, 0.05, 50
NEEDED = -np.log(LEVEL)
# Pairs of one JD are alike: its share of right ones is a beta distribution of this weight.
WEIGHT = 8
# The check that is made once takes 20 times as long, so that only every fourth run has it.
ONCE_IN = 4
RELATIONS = {"small JDs are better": -1, "none": 0, "large JDs are better": 1}
ANSWERS = ("failed", "met")
ONE_PAIR = "one pair of each JD (before)"
ONCE = "the check made once"


@dataclass(frozen=True)
class JDs:
    """JDs in the order in which they came: pairs above the cutoff, and right ones among them."""

    pairs: Array
    right: Array

    @classmethod
    def drawn(cls, rng: np.random.Generator, n: int, precision: float, relation: int) -> JDs:
        """From a population in which exactly this share of all pairs is right."""
        pairs = rng.integers(1, MOST + 1, n)
        # The size that a pair sees on average: there, quality is that of all pairs.
        usual = (2 * MOST + 1) / 3
        slope = 0.95 * relation * min(precision, 1 - precision) / usual
        quality = precision + slope * (pairs - usual)
        right = rng.binomial(pairs, rng.beta(WEIGHT * quality, WEIGHT * (1 - quality)))
        return cls(pairs.astype(np.float64), right.astype(np.float64))

    def __getitem__(self, at: npt.NDArray[np.intp] | slice) -> JDs:
        return JDs(self.pairs[at], self.right[at])

    def evidence(self, answer: str, most: int = MOST) -> Array:
        """Logarithm of the evidence for an answer, after each JD."""
        if answer == "failed":
            return log_evidence(self.pairs - self.right, 1 - PROMISED, self.pairs, most)
        return log_evidence(self.right, PROMISED, self.pairs, most)

    def once(self) -> str:
        """The answer of the check that is made once, on all of these."""
        sizes = self.pairs.astype(np.intp)
        jds = np.repeat(np.arange(len(sizes)), sizes)
        place = np.arange(len(jds)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
        pairs = Observations(np.full(len(jds), 0.9), place < self.right[jds], clusters=jds)
        told = verdict(pairs, 0.5, target_precision=PROMISED, confidence=1 - LEVEL)
        return {"moved": "failed", "kept": "met"}.get(told.answer, "unclear")

    def one_pair(self, rng: np.random.Generator) -> JDs:
        """One pair of each JD, which is what was bet on before."""
        return JDs(np.ones_like(self.pairs), 1.0 * (rng.random(len(self.pairs)) < self.right / self.pairs))


def false_rates(runs: int, seed: int, n_jds: int = 200) -> dict[tuple[str, str, str], Array]:
    """By relation, order and answer: how often a promise that is kept by nothing to spare is called so.

    At the last look alone, and at any of the looks.
    """
    found = {}
    for name, relation in RELATIONS.items():
        rng = np.random.default_rng([seed, relation + 1])
        seen: dict[tuple[str, str], list[tuple[bool, bool]]] = {}
        for run in range(runs):
            came = JDs.drawn(rng, n_jds, PROMISED, relation)
            once = came.once() if run % ONCE_IN == 0 else None
            for answer in ANSWERS:
                for order, evidence in _orders(came, answer, rng):
                    over = evidence >= NEEDED
                    seen.setdefault((order, answer), []).append((bool(over[-1]), bool(over.any())))
                if once:
                    seen.setdefault((ONCE, answer), []).append((once == answer, once == answer))
        found |= {(name, *key): np.mean(each, axis=0) for key, each in seen.items()}
    return found


def _orders(came: JDs, answer: str, rng: np.random.Generator) -> Iterable[tuple[str, Array]]:
    as_it_came, by_size = came.evidence(answer), np.argsort(came.pairs, kind="stable")
    yield "as they come, a look after each JD", as_it_came
    yield "as they come, ten looks", as_it_came[len(by_size) // 10 - 1 :: len(by_size) // 10]
    yield "shuffled", came[rng.permutation(len(by_size))].evidence(answer)
    yield "largest JDs first", came[by_size[::-1]].evidence(answer)
    yield "smallest JDs first", came[by_size].evidence(answer)
    yield ONE_PAIR, came.one_pair(rng).evidence(answer, most=1)


def growing_rates(runs: int, seed: int, n_jds: int = 200, looks: int = 10) -> dict[tuple[str, str], float]:
    """The same at any of ten looks, where the pairs of each JD come in over three of them."""
    found = {}
    for name, relation in RELATIONS.items():
        rng = np.random.default_rng([seed, 10 + relation])
        called = dict.fromkeys(ANSWERS, 0)
        for _run in range(runs):
            came = JDs.drawn(rng, n_jds, PROMISED, relation)
            begins = rng.integers(0, looks, n_jds)
            over = dict.fromkeys(ANSWERS, False)
            for now in _grown(came, begins, looks, rng):
                for answer in ANSWERS:
                    over[answer] |= bool(now.evidence(answer)[-1] >= NEEDED)
            for answer in ANSWERS:
                called[answer] += over[answer]
        found |= {(name, answer): count / runs for answer, count in called.items()}
    return found


def _grown(came: JDs, begins: npt.NDArray[np.intp], looks: int, rng: np.random.Generator) -> Iterable[JDs]:
    """What has come in at each look: about a third of a JD's pairs when it begins, and at the next two."""
    pairs, right = (np.zeros(len(begins), dtype=np.intp) for _each in range(2))
    all_pairs, all_right = came.pairs.astype(np.intp), came.right.astype(np.intp)
    for look in range(looks):
        age = look - begins
        left, left_right = all_pairs - pairs, all_right - right
        more = rng.binomial(left, np.select([age == 0, age == 1, age == 2], [1 / 3, 1 / 2, 1.0], 0.0))
        right = right + rng.hypergeometric(left_right, left - left_right, more)
        pairs = pairs + more
        if pairs.any():
            yield JDs(pairs * 1.0, right * 1.0)[np.flatnonzero(pairs)]


def power(
    runs: int, seed: int, numbers: tuple[int, ...] = (100, 200, 500, 1000)
) -> dict[tuple[float, int], Array]:
    """By what precision differs from the promise, and number of JDs: how often that is found.

    At the last look, at any look, and by the check that is made once.
    """
    found = {}
    for difference in (-0.10, -0.05, 0.05, 0.10):
        rng = np.random.default_rng([seed, int(100 + 100 * difference)])
        answer = "failed" if difference < 0 else "met"
        seen = {n: np.zeros(2) for n in numbers}
        once = dict.fromkeys(numbers, 0)
        for run in range(runs):
            came = JDs.drawn(rng, max(numbers), PROMISED + difference, relation=1)
            over = came.evidence(answer) >= NEEDED
            for n in numbers:
                seen[n] += [over[n - 1], over[:n].any()]
                once[n] += run % ONCE_IN == 0 and came[:n].once() == answer
        of_once = len(range(0, runs, ONCE_IN))
        found |= {(difference, n): np.append(seen[n] / runs, once[n] / of_once) for n in numbers}
    return found


def run(runs: int = 1000, seed: int = 0) -> str:
    """All tables."""
    rates, growing, found = false_rates(runs, seed), growing_rates(runs, seed), power(runs, seed)
    few = len(range(0, runs, ONCE_IN))
    lines = [
        "# The sequential check",
        f"JDs have 1 to {MOST} pairs above the cutoff; {PROMISED:.0%} of all pairs are promised to be right. "
        f"How good a JD is goes with how many pairs it has, and pairs of one JD are alike (beta of weight "
        f"{WEIGHT}). {runs:,} runs each, {few} for the check made once. Level {LEVEL:.0%}.",
        "## False alarms and false confirmations",
        "200 JDs, precision exactly as promised: both answers are wrong. *Last look* is the answer with all "
        "that is in; *any look* is that one of the looks on the way said so. In an order by size no test can "
        "promise anything of looks on the way: while only the large JDs are in, they are all there is.",
        "| Quality and size | Order | false alarm, last look | any look | false confirmation, last look "
        "| any look |",
        "|---|---|---:|---:|---:|---:|",
        *(
            f"| {name} | {order} | {_share(rates[name, order, 'failed'])} "
            f"| {_share(rates[name, order, 'met'])} |"
            for name, order in dict.fromkeys(key[:2] for key in rates)
        ),
        "## JDs that grow",
        "The pairs of each JD come in over three of ten looks.",
        "| Quality and size | false alarm, any look | false confirmation, any look |",
        "|---|---:|---:|",
        *(f"| {name} | {growing[name, 'failed']:.1%} | {growing[name, 'met']:.1%} |" for name in RELATIONS),
        "## Power",
        "Large JDs are better. How often a precision that differs from the promise is found.",
        "| Precision - promise | JDs | last look | any look | the check made once |",
        "|---:|---:|---:|---:|---:|",
        *(
            f"| {difference:+.2f} | {n:,} | {' | '.join(f'{rate:.1%}' for rate in each)} |"
            for (difference, n), each in found.items()
        ),
    ]
    return "\n".join(line if line.startswith("|") else f"\n{line}\n" for line in lines).replace(
        "\n\n\n", "\n\n"
    )


def _share(rates: Array) -> str:
    return " | ".join(f"{rate:.1%}" for rate in rates)
