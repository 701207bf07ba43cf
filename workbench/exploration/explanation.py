"""Why a pair has its score, as a result: phrases with their effects, in sentences, as text and as a table.

Explanations are made in :mod:`workbench.exploration.leaving_out`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from workbench.exploration.phrases import Phrase
from workbench.settings import Language

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["NEGLIGIBLE", "ExplainedText", "Explanation", "PhraseEffect", "Side"]

Side = Literal["jd", "resume"]

# Effects below this are not spoken of: vectors differ by up to 1e-4 between batches, and taking out any word
# at all moves a score by about this much.
NEGLIGIBLE = 0.005
NAMES = {"zh": {"jd": "岗位要求", "resume": "简历"}, "en": {"jd": "JD", "resume": "résumé text"}}


@dataclass(frozen=True)
class PhraseEffect(Phrase):
    """A phrase, and by how much it lifts the score: the score less the score without it."""

    effect: float


@dataclass(frozen=True)
class ExplainedText:
    """One side of a pair with its phrases.

    Attributes
    ----------
    text : str
        As given, or cut where it is longer than texts that are encoded.
    phrases : tuple of PhraseEffect
        In order, ``text[start:end]`` each; empty where the text is a single phrase, which cannot be left
        out.
    was_cut : bool
    """

    text: str
    phrases: tuple[PhraseEffect, ...]
    was_cut: bool = False

    def pieces(self) -> list[tuple[str, float | None]]:
        """All of the text in order, phrases with their effects, what lies between them with None."""
        pieces: list[tuple[str, float | None]] = []
        end = 0
        for phrase in self.phrases:
            pieces += [(self.text[end : phrase.start], None), (phrase.text, phrase.effect)]
            end = phrase.end
        pieces.append((self.text[end:], None))
        return [piece for piece in pieces if piece[0]]


@dataclass(frozen=True, repr=False)
class Explanation:
    """A score, and by how much each phrase of both texts lifts it.

    Effects do not add up to the score: phrases work together, and each effect is what the score loses
    when that phrase alone is gone.
    """

    jd: ExplainedText
    resume: ExplainedText
    score: float
    encoder_name: str
    fingerprint: str

    def side(self, side: Side) -> ExplainedText:
        """The JD or the résumé text."""
        return self.jd if side == "jd" else self.resume

    def strongest(self, side: Side, k: int = 3, *, lowers: bool = False) -> list[PhraseEffect]:
        """The phrases that lift the score most, or lower it most; negligible ones are left out."""
        sign = -1 if lowers else 1
        found = [phrase for phrase in self.side(side).phrases if sign * phrase.effect >= NEGLIGIBLE]
        return sorted(found, key=lambda phrase: (-sign * phrase.effect, phrase.start))[:k]

    def sentence(self, language: Language = "en") -> str:
        """What lifts and what lowers the score, in words."""
        zh = language == "zh"
        parts = [f"分数 {self.score:.4f}。" if zh else f"Score {self.score:.4f}."]
        for side in ("resume", "jd"):
            parts.append(self._about(side, language))
        return "".join(parts) if zh else " ".join(parts)

    def _about(self, side: Side, language: Language) -> str:
        name = NAMES[language][side]
        zh = language == "zh"
        if not self.side(side).phrases:
            return (
                f"{name}只有一个短语，不能再拆。"
                if zh
                else f"The {name} is a single phrase, so nothing in it can be left out."
            )
        up, down = self.strongest(side, 1), self.strongest(side, 1, lowers=True)
        if not up and not down:
            return (
                f"{name}里去掉任何一个短语，分数都几乎不变。"
                if zh
                else f"No single phrase of the {name} changes the score."
            )
        told = []
        if up:
            told.append(
                f"“{up[0].text}”拉高最多（去掉后 {-up[0].effect:+.4f}）"
                if zh
                else f"“{up[0].text}” lifts it most ({-up[0].effect:+.4f} without it)"
            )
        if down:
            told.append(
                f"“{down[0].text}”拉低最多（去掉后 {-down[0].effect:+.4f}）"
                if zh
                else f"“{down[0].text}” lowers it most ({-down[0].effect:+.4f} without it)"
            )
        if zh:
            return f"{name}里{'，'.join(told)}。"
        return f"In the {name}, {' and '.join(told)}."

    def to_text(self, language: Language = "en") -> str:
        """Both texts with effects behind their phrases, for places without colour.

        Examples
        --------
        >>> phrases = (PhraseEffect(0, 3, "RAG", 0.1), PhraseEffect(4, 8, "Java", 0.0))
        >>> side = ExplainedText("RAG，Java", phrases)
        >>> print(Explanation(side, side, 0.5, "use", "0123").to_text().splitlines()[0])
        JD: [RAG +0.100]，Java
        """
        lines = []
        for side in ("jd", "resume"):
            shown = "".join(
                piece if effect is None or abs(effect) < NEGLIGIBLE else f"[{piece} {effect:+.3f}]"
                for piece, effect in self.side(side).pieces()
            )
            lines.append(f"{NAMES[language][side]}{'：' if language == 'zh' else ': '}{shown}")
        return "\n".join([*lines, self.sentence(language)])

    def __repr__(self) -> str:
        return f"<Explanation: {self.sentence()}>"

    def to_frame(self) -> pd.DataFrame:
        """A row for each phrase: side, start, end, text, effect."""
        import pandas as pd

        rows = [
            {"side": side, "start": one.start, "end": one.end, "text": one.text, "effect": one.effect}
            for side in ("jd", "resume")
            for one in self.side(side).phrases
        ]
        return pd.DataFrame(rows, columns=["side", "start", "end", "text", "effect"])

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "score": self.score,
            "encoder": self.encoder_name,
            "fingerprint": self.fingerprint,
            **{
                side: {
                    "text": self.side(side).text,
                    "was_cut": self.side(side).was_cut,
                    "phrases": [
                        {"start": one.start, "end": one.end, "text": one.text, "effect": one.effect}
                        for one in self.side(side).phrases
                    ],
                }
                for side in ("jd", "resume")
            },
        }
