"""A reliability diagram in words, and as a table for notebooks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workbench.calibration.wording import percent
from workbench.settings import get_settings

if TYPE_CHECKING:
    from workbench.calibration.reliability import Reliability

__all__ = ["html", "summary"]

COLUMNS = {
    "n": ("对数", "pairs"),
    "said": ("预测概率", "said"),
    "seen": ("实际匹配", "seen"),
    "interval": ("区间", "interval"),
    "consistent": ("若概率准确", "if right"),
}


def summary(found: Reliability, language: str = "en") -> str:
    """Whether the probabilities can be believed, and how good they are, in two sentences."""
    zh = language == "zh"
    right = found.p_right > 1 - found.confidence
    low, high = 100 * found.ece.low, 100 * found.ece.high
    ece, chance = percent(found.ece.value, language), percent(found.ece_if_right, language)
    debiased = percent(found.rms_debiased, language)
    p = "< 0.001" if found.p_right < 0.001 else f"= {found.p_right:.3f}"
    brier, parts = found.brier, found.parts
    if zh:
        verdict = "没有失准的迹象" if right else "概率失准"
        return (
            f"{verdict}（p {p}）：{found.n_bins} 个等量区间的期望校准误差为 {ece}（{low:.1f}–{high:.1f}），"
            f"概率完全准确时仅凭偶然也会有 {chance}；扣除偶然后的均方根误差为 {debiased}。"
            f"Brier 分数 {brier.value:.3f}（{brier.low:.3f}–{brier.high:.3f}）= 失准 "
            f"{parts.miscalibration:.3f} − 区分 {parts.discrimination:.3f} + 不确定 {parts.uncertainty:.3f}。"
        )
    verdict = "No sign that the probabilities are off" if right else "The probabilities are off"
    return (
        f"{verdict} (p {p}): the expected calibration error in {found.n_bins} bins of equal mass is {ece} "
        f"({low:.1f}–{high:.1f}), where chance alone would show {chance}; without chance, the root mean "
        f"squared error is {debiased}. Brier score {brier.value:.3f} ({brier.low:.3f}–{brier.high:.3f}) = "
        f"{parts.miscalibration:.3f} miscalibration - {parts.discrimination:.3f} discrimination + "
        f"{parts.uncertainty:.3f} uncertainty."
    )


def html(found: Reliability, language: str | None = None) -> str:
    """The summary over the table of bins."""
    from html import escape

    language = language or get_settings().language
    column = 0 if language == "zh" else 1
    bins = found.bins
    shown = bins[["n"]].copy()
    shown["said"] = [percent(share, language) for share in bins["said"]]
    shown["seen"] = [percent(share, language) for share in bins["seen"]]
    for name, prefix in (("interval", "seen"), ("consistent", "consistent")):
        ends = zip(bins[f"{prefix}_low"], bins[f"{prefix}_high"], strict=True)
        shown[name] = [f"{100 * low:.1f}–{100 * high:.1f}" for low, high in ends]
    shown = shown.rename(columns={name: names[column] for name, names in COLUMNS.items()})
    table = shown.to_html(index=False, border=0)
    return f"<div style='max-width:52em'><p>{escape(summary(found, language))}</p>{table}</div>"
