"""Whether explanations can be trusted, as a result: figures, intervals, and what may be said of them.

Measured in :mod:`workbench.exploration.deletion`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from workbench.exploration.explanation import Side
from workbench.settings import Language

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Difference", "Faithfulness"]

Standing = Literal["faithful", "partly", "not faithful"]


@dataclass(frozen=True)
class Difference:
    """A mean over pairs, with its interval."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.value:+.4f} [{self.low:+.4f}, {self.high:+.4f}]"


@dataclass(frozen=True, eq=False, repr=False)
class Faithfulness:
    """How much more the named phrases matter than others, over many pairs.

    Attributes
    ----------
    table : DataFrame
        A row for each pair that was used: ``pair`` (its place among those given), ``jd``, ``score``,
        ``n_phrases``; ``drop_top``, ``drop_random`` and ``drop_longest``, by how much the score falls when
        the `k` phrases that were named, `k` random ones, or the `k` longest are deleted; ``kept_top`` and
        ``kept_random``, the score of only those phrases; ``share_top`` and ``share_random``, how much of
        the text they are.
    deleted : Difference
        ``drop_top`` less ``drop_random``.
    beside_longest : Difference
        ``drop_top`` less ``drop_longest``: an explanation that only named long phrases would give 0.
    kept : Difference
        ``kept_top`` less ``kept_random``.
    k : int
        Phrases deleted, or kept.
    side : {"jd", "resume"}
        Whose phrases.
    n_jds : int
        JDs behind the pairs, which the intervals were drawn from.
    n_short : int
        Pairs left out because their text has no more than `k` phrases.
    confidence : float
    """

    table: pd.DataFrame
    deleted: Difference
    beside_longest: Difference
    kept: Difference
    k: int
    side: Side
    n_jds: int
    n_short: int
    confidence: float

    @property
    def standing(self) -> Standing:
        """Faithful where both tests show it, each by its whole interval."""
        passed = (self.deleted.low > 0) + (self.kept.low > 0)
        return ("not faithful", "partly", "faithful")[passed]

    @property
    def share_of_pairs(self) -> float:
        """Share of pairs in which the named phrases lower the score more than random ones do."""
        return float((self.table["drop_top"] > self.table["drop_random"]).mean())

    def sentence(self, language: Language = "en") -> str:
        """What was measured, and whether highlights may be read as reasons."""
        top, random = (float(self.table[name].mean()) for name in ("drop_top", "drop_random"))
        n, k, level = len(self.table), self.k, f"{self.confidence:.0%}"
        zh = language == "zh"
        deleted, longest, kept = (
            f"{one.value:+.4f} ({level}: {one.low:+.4f} {'至' if zh else 'to'} {one.high:+.4f})"
            for one in (self.deleted, self.beside_longest, self.kept)
        )
        if zh:
            name = {"jd": "岗位要求", "resume": "简历"}[self.side]
            return (
                f"{n:,} 对（{self.n_jds} 个 JD）里，删掉{name}中解释点名的 {k} 个短语，分数平均降 {top:.4f}；"
                f"随机删 {k} 个降 {random:.4f}，相差 {deleted}，{self.share_of_pairs:.1%} 的配对如此；"
                f"与删最长的 {k} 个相差 {longest}。只留这 {k} 个，与只留随机 {k} 个相差 {kept}。"
                f"{self._verdict(language)}"
            )
        name = {"jd": "JD", "resume": "résumé text"}[self.side]
        return (
            f"In {n:,} pairs ({self.n_jds} JDs), deleting the {k} phrases that the explanation of the {name} "
            f"names lowers the score by {top:.4f} on average, deleting {k} random ones by {random:.4f}: a "
            f"difference of {deleted}, found in {self.share_of_pairs:.1%} of pairs; beside the {k} longest "
            f"it is {longest}. Keeping only these {k} rather than {k} random ones makes {kept}. "
            f"{self._verdict(language)}"
        )

    def _verdict(self, language: Language) -> str:
        zh = {
            "faithful": "两项检验都通过：点名的短语确实是分数的来由。",
            "partly": "两项检验只通过一项：把高亮当线索看，不要当理由引用。",
            "not faithful": "两项检验都没通过：对这个编码器，高亮不比随机点名更可信，请不要当理由看。",
        }
        en = {
            "faithful": "Both tests pass: the named phrases are what the score comes from.",
            "partly": "One of two tests fails: take highlights as a hint, do not quote them as a reason.",
            "not faithful": "Neither test passes: with this encoder highlights are worth no more than "
            "phrases named at random; do not read them as reasons.",
        }
        return (zh if language == "zh" else en)[self.standing]

    def __repr__(self) -> str:
        return f"<Faithfulness: {self.standing}, deleted {self.deleted}, kept {self.kept}>"

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON, without the table."""
        return {
            "standing": self.standing,
            "side": self.side,
            "k": self.k,
            "n_pairs": len(self.table),
            "n_jds": self.n_jds,
            "n_short": self.n_short,
            "confidence": self.confidence,
            "drop_top": float(self.table["drop_top"].mean()),
            "drop_random": float(self.table["drop_random"].mean()),
            "drop_longest": float(self.table["drop_longest"].mean()),
            "share_of_pairs": self.share_of_pairs,
            **{
                name: {"value": found.value, "low": found.low, "high": found.high}
                for name, found in (
                    ("deleted", self.deleted),
                    ("beside_longest", self.beside_longest),
                    ("kept", self.kept),
                )
            },
        }
