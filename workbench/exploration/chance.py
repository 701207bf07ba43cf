"""A pair of vectors beside random pairs, as a result: p-values, findings, and what may be said of them.

Computed in :mod:`workbench.exploration.random_pairs`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from workbench.exploration.contributions import Contributions
from workbench.exploration.vectors import FloatArray
from workbench.settings import Language

__all__ = ["ChanceComparison", "Method"]

Method = Literal["bh", "by"]


@dataclass(frozen=True, eq=False, repr=False)
class ChanceComparison:
    """A pair of vectors beside random pairs of the same encoder.

    Attributes
    ----------
    contributions : Contributions
    p_values : ndarray of float64, shape (d,)
        Share of random pairs that contribute as much or more in each dimension, this pair among them.
    adjusted : ndarray of float64, shape (d,)
        p-values corrected for the number of dimensions.
    fdr : float
        Expected share of false findings that is tolerated among the findings.
    method : {"bh", "by"}
    p_shared, p_score : float
        Share of random pairs with as many shared dimensions, and with as high a score.
    shared_counts : ndarray of int, shape (m,)
        How many random pairs share 0, 1, 2, … dimensions.
    mean_score : float
        Of random pairs.
    usual : ndarray of float64, shape (2, d)
        Between these lie nine tenths of the contributions of random pairs.
    n_pairs : int
        Random pairs that were counted.
    """

    contributions: Contributions
    p_values: FloatArray
    adjusted: FloatArray
    fdr: float
    method: Method
    p_shared: float
    p_score: float
    shared_counts: npt.NDArray[np.intp]
    mean_score: float
    usual: FloatArray
    n_pairs: int

    @property
    def n_shared(self) -> int:
        """Dimensions in which both vectors are clearly positive."""
        return len(self.contributions.shared)

    @property
    def expected_shared(self) -> float:
        """Dimensions that random pairs share on average."""
        return float(np.average(np.arange(len(self.shared_counts)), weights=self.shared_counts))

    @property
    def findings(self) -> npt.NDArray[np.intp]:
        """Dimensions that contribute more than in random pairs, after correction; smallest p-value first."""
        order = np.lexsort((-self.contributions.products, self.p_values))
        return order[self.adjusted[order] <= self.fdr]

    @property
    def pairs_needed(self) -> int:
        """Random pairs from which on the smallest p-value of a single dimension would be a finding."""
        tests: float = len(self.p_values)
        if self.method == "by":
            tests = tests * float((1 / np.arange(1, tests + 1)).sum())
        return math.ceil(tests / self.fdr - 1e-9)

    @property
    def could_find_one(self) -> bool:
        """Whether there are enough random pairs for a single dimension to be found at all."""
        return self.n_pairs >= self.pairs_needed

    def sentence(self, language: Language = "en") -> str:
        """Whether there is anything to read into the dimensions, in words."""
        d, found = len(self.p_values), self.findings
        named = ", ".join(f"#{dimension}" for dimension in found[:5])
        more = len(found) - 5
        rare = f"{self.p_shared:.2%}"
        if language == "zh":
            shared = (
                f"两边都明显为正的有 {self.n_shared} 维；随机配成的 {self.n_pairs:,} 对平均有 "
                f"{self.expected_shared:.1f} 维，其中 {rare} 不少于 {self.n_shared} 维。"
            )
            if not len(found) and not self.could_find_one:
                return (
                    f"{shared}随机配对太少：要在 {d:,} 维里认出一维，至少要 {self.pairs_needed:,} 对，"
                    "所以这里什么也不能说；请给更多文本作参照。"
                )
            if not len(found):
                return f"{shared}按 {d:,} 次检验校正以后，没有哪一维可以说高于随机：不要给单独的维度编故事。"
            named = named.replace(", ", "、") + (" 等" if more > 0 else "")
            return (
                shared + f"按 {d:,} 次检验校正以后，{len(found)} 维高于随机（{named}；其中预计至多 "
                f"{self.fdr:.0%} 是假的）。这说明两段文本相近，不说明某一维代表什么。"
            )
        shared = (
            f"Both are clearly positive in {self.n_shared} dimensions; {self.n_pairs:,} random pairs are in "
            f"{self.expected_shared:.1f} on average, and {rare} of them in {self.n_shared} or more. "
        )
        if not len(found) and not self.could_find_one:
            return (
                f"{shared}These are too few random pairs to tell one dimension of {d:,} from chance, which "
                f"takes {self.pairs_needed:,}: nothing can be said here; give more texts to compare with."
            )
        if not len(found):
            return (
                f"{shared}Corrected for {d:,} tests, no dimension contributes more than in random pairs: "
                "tell no stories about single dimensions."
            )
        more_text = f" and {more} more" if more > 0 else ""
        number = f"{len(found)} dimension{'s contribute' if len(found) > 1 else ' contributes'}"
        return (
            shared + f"Corrected for {d:,} tests, {number} more than in random pairs ({named}{more_text}; at "
            f"most {self.fdr:.0%} false ones are expected). That says that the texts are near, not what a "
            "dimension stands for."
        )

    def __repr__(self) -> str:
        return f"<ChanceComparison: {self.sentence()}>"

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "score": self.contributions.score,
            "mean_score": self.mean_score,
            "p_score": self.p_score,
            "n_shared": self.n_shared,
            "expected_shared": self.expected_shared,
            "p_shared": self.p_shared,
            "findings": self.findings.tolist(),
            "could_find_one": self.could_find_one,
            "smallest_p": float(self.p_values.min()),
            "fdr": self.fdr,
            "method": self.method,
            "n_pairs": self.n_pairs,
        }
