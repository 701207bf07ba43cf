"""Probabilities of a match in words, in English and Chinese; every number comes from the table."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workbench.calibration.wording import number, percent

if TYPE_CHECKING:
    from workbench.calibration.probability import MatchProbability

__all__ = ["chance", "phrase", "summary"]

NAMES = {
    "sigmoid": ("Platt S 形曲线", "a sigmoid (Platt)"),
    "beta": ("beta 校准曲线", "beta calibration"),
    "isotonic": ("保序回归", "isotonic regression"),
}


def phrase(model: MatchProbability, score: float, language: str = "en") -> str:
    """A score with its probability: "0.7200, about 94 % (90–97)"."""
    zh = language == "zh"
    found = model.probability_of_match(score)
    said = chance(found.value, found.low, found.high, language)
    guess = ""
    if model.outside(score):
        guess = "，超出标注分数范围，仅为推测" if zh else ", a guess beyond all labelled scores"
    return f"{number(score)}{'，' if zh else ', '}{said}{guess}"


def chance(value: float, low: float, high: float, language: str = "en") -> str:
    """A probability with its interval, as a hit says it: "about 94 % (90–97)"."""
    shown, least, most = (_whole(share) for share in (value, low, high))
    if language == "zh":
        return f"{shown if shown[0] in '<>' else f'约 {shown}'}%（{least}–{most}）"
    return f"{shown if shown[0] in '<>' else f'about {shown}'} % ({least}–{most})"


def summary(model: MatchProbability, language: str = "en") -> str:
    """What was fitted to what, and what it says at the ends."""
    zh = language == "zh"
    name = NAMES[model.method][0 if zh else 1]
    sure = f"{100 * model.confidence:.4g}"
    share = percent(model.prevalence, language)
    ends = [phrase(model, float(score), language) for score in (model.scores[0], model.scores[-1])]
    if zh:
        unit = " JD " if model.by == "cluster" else "对"
        return (
            f"由 {model.n} 对标注（{model.n_matches} 对匹配）得出的匹配概率（{name}，匹配占 {share} 时），"
            f"{sure}% 区间按{unit}重抽样；从 {ends[0]} 到 {ends[1]}。"
        )
    unit = "JD" if model.by == "cluster" else "pair"
    return (
        f"Probability of a match by {name} from {model.n} labelled pairs ({model.n_matches} matches), for "
        f"pairs of which {share} are matches, with {sure} % intervals resampled by {unit}: "
        f"from {ends[0]} to {ends[1]}."
    )


def _whole(share: float) -> str:
    """Whole percent; one digit more near 0 and 1, where whole percents would say never or always."""
    percents = 100 * share
    if 1 <= percents <= 99:
        return f"{percents:.0f}"
    if percents < 0.1:
        return "<0.1"
    if percents > 99.9:
        return ">99.9"
    return f"{percents:.1f}"
