"""A comparison of encoders in words and as a table, in English and Chinese."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from workbench.calibration.wording import number, percent
from workbench.settings import get_settings

if TYPE_CHECKING:
    from workbench.calibration.comparing_figures import ComparedFigure
    from workbench.calibration.comparison import Comparison

__all__ = ["cell", "dimensions", "figure_name", "html", "method", "sentence", "summary", "table"]

# With fewer JDs or pairs to draw from, intervals tend to be too narrow: Cameron, Gelbach & Miller (2008),
# Bootstrap-based improvements for inference with clustered errors, Review of Economics and Statistics 90.
FEW_UNITS = 30
# With fewer matches or others, normal and bootstrap intervals of AUC are a matter of luck.
FEW_OF_A_KIND = 10

NAMES: dict[ComparedFigure, tuple[str, str]] = {
    "auc": ("AUC", "AUC"),
    "average_precision": ("平均精度 AP", "AP"),
    "precision_at_recall": ("召回率 {} 时的正确率", "precision at recall {}"),
    "f1": ("F1", "F1"),
    "precision": ("正确率", "precision"),
    "recall": ("召回率", "recall"),
    "accuracy": ("判断正确率", "accuracy"),
}
STANDINGS = {
    "better": ("更好", "it is better"),
    "worse": ("更差", "it is worse"),
    "as good": ("一样好（差别小于 {margin:g}）", "it is as good, to within {margin:g}"),
    "no worse": ("不差于后者（以 {margin:g} 为界）", "it is no worse, to within {margin:g}"),
    "unclear": ("还分不出高下", "which is better cannot be told from these pairs"),
}
# Figures that are told as areas, not as percent.
AREAS = {"auc", "average_precision", "f1"}


def sentence(found: Comparison, encoder: str, language: str = "en") -> str:
    """Is it worth it: the difference to the baseline, flips, and cost."""
    zh = language == "zh"
    row, base = found.row(encoder), found.row(found.baseline)
    if encoder == found.baseline:
        ends = f"{row['low']:.3f}–{row['high']:.3f}"
        return (
            f"{encoder}（基准）：AUC {row['value']:.3f}（{ends}）{_cost(found, encoder, language)}。"
            if zh
            else f"{encoder} (baseline): AUC {row['value']:.3f} ({ends}){_cost(found, encoder, language)}."
        )
    standing = found.standing(encoder)
    said = STANDINGS[standing][0 if zh else 1].format(margin=found.margin)
    if standing == "worse" and found.suffices(encoder):
        less = f"{found.margin:g}"
        said += f"，但差距小于 {less}" if zh else f", but by less than {less}"
    gap = f"{row['difference']:+.3f}"
    if np.isnan(row["difference_low"]):
        ends = "区间无法计算" if zh else "no interval can be given"
    else:
        ends = (
            f"{row['difference_low']:+.3f} 至 {row['difference_high']:+.3f}"
            if zh
            else (f"{row['difference_low']:+.3f} to {row['difference_high']:+.3f}")
        )
    p = (
        "–"
        if np.isnan(row["p_adjusted"])
        else ("< 0.001" if row["p_adjusted"] < 0.001 else f"= {row['p_adjusted']:.3f}")
    )
    flips, cost = _flips(found, encoder, language), _cost(found, encoder, language)
    if zh:
        return (
            f"{encoder} 对比 {found.baseline}：AUC {row['value']:.3f} 对 {base['value']:.3f}，相差 {gap}"
            f"（{ends}；Holm 校正后 p {p}），{said}{cost}。{flips}"
        )
    areas = f"AUC {row['value']:.3f} against {base['value']:.3f}"
    return (
        f"{encoder} against {found.baseline}: {areas}, {gap} ({ends}; p {p} after Holm's correction): "
        f"{said}{cost}. {flips}"
    )


def summary(found: Comparison, language: str = "en") -> str:
    """All encoders against the baseline, one a line, and below what was compared and how."""
    return "\n".join([*(sentence(found, name, language) for name in found.encoders), method(found, language)])


def method(found: Comparison, language: str = "en") -> str:
    """On which pairs, for which prevalence, and where intervals come from."""
    by_jd, sure = found.by == "cluster", f"{100 * found.confidence:.4g}"
    fewest = min(found.n_matches, found.n - found.n_matches)
    share = percent(found.prevalence, language)
    if language == "zh":
        drawn = "整个 JD " if by_jd else "单对"
        of_auc = "同一重抽样" if found.auc_method == "bootstrap" else f" {found.auc_method} 法"
        jds = f"（{found.n_units} 个 JD）" if by_jd else ""
        parts = [
            f"{found.n} 对标注{jds}，{found.n_matches} 对匹配；各项按匹配占 {share} 计算。",
            f"{sure}% 区间以{drawn}为单位重抽样得到，AUC 的用{of_auc}；只检验 AUC 的差异。",
        ]
        if found.rule is not None:
            parts.append(f"各编码器用自己的阈值：{found.rule.describe(language)}；")
            parts.append("该处各项已扣除“在同一批标注上挑选”带来的乐观。")
        if fewest < FEW_OF_A_KIND:
            parts.append(
                f"只有 {fewest} 对{'匹配' if fewest == found.n_matches else '不匹配'}，几乎说明不了什么。"
            )
        if found.n_units < FEW_UNITS:
            parts.append(f"只有 {found.n_units} {'个 JD' if by_jd else '对'}，区间往往偏窄，请多标一些。")
        return "".join(parts)
    units = "JDs" if by_jd else "pairs"
    of_auc = "the same" if found.auc_method == "bootstrap" else f"{found.auc_method}'s method"
    jds = f" of {found.n_units} JDs" if by_jd else ""
    parts = [
        f"{found.n} labelled pairs{jds}, {found.n_matches} of them matches; figures are for {share} matches.",
        f"{sure} % intervals from resampled {units}, those of AUC by {of_auc}; only AUC is tested.",
    ]
    if found.rule is not None:
        parts.append(f"Each encoder has its own cutoff, {found.rule.describe(language)};")
        parts.append("figures there are corrected for having been chosen on the same pairs.")
    if fewest < FEW_OF_A_KIND:
        kind = "matches" if fewest == found.n_matches else "pairs that do not match"
        parts.append(f"There are only {fewest} {kind}, which says next to nothing.")
    if found.n_units < FEW_UNITS:
        parts.append(f"With only {found.n_units} {units}, intervals tend to be too narrow: label more.")
    return " ".join(parts)


def table(found: Comparison, language: str = "en") -> pd.DataFrame:
    """One row an encoder: cutoff, figures with intervals, flips against the baseline, cost."""
    zh = language == "zh"
    rows = []
    for name in found.encoders:
        row: dict[str, object] = {
            "编码器" if zh else "encoder": name,
            "阈值" if zh else "cutoff": number(found.cutoffs[name]),
        }
        for key in NAMES:
            row[figure_name(found, key, language)] = cell(found, name, key, language)
        row["判断不同" if zh else "decisions that differ"] = _differ(found, name)
        if found.milliseconds:
            cost = found.milliseconds.get(name)
            row["毫秒/条" if zh else "ms a text"] = "–" if cost is None else f"{cost:.3g}"
        rows.append(row)
    return pd.DataFrame(rows)


def figure_name(found: Comparison, key: ComparedFigure, language: str = "en") -> str:
    """What a figure is called, with the recall that it is at."""
    return NAMES[key][0 if language == "zh" else 1].format(f"{100 * found.at_recall:.4g}%")


def cell(found: Comparison, encoder: str, key: ComparedFigure, language: str = "en") -> str:
    """A figure with its interval, as text; a dash where it is undefined."""
    row = found.row(encoder, key)
    if np.isnan(row["value"]):
        return "–"
    if key in AREAS:
        value, low, high = (f"{row[column]:.3f}" for column in ("value", "low", "high"))
    else:
        value = percent(row["value"], language)
        low, high = (f"{100 * row[column]:.1f}" for column in ("low", "high"))
    if np.isnan(row["low"]):
        return value
    return f"{value}（{low}–{high}）" if language == "zh" else f"{value} ({low}–{high})"


def dimensions(table: pd.DataFrame, language: str = "en") -> str:
    """What a table of :func:`~workbench.calibration.matryoshka.matryoshka` says of fewer dimensions."""
    zh, whole = language == "zh", table.iloc[-1]
    fewer = table[table["suffices"].astype(bool)].iloc[0]
    full, margin, n = int(whole["dimension"]), table.attrs["margin"], table.attrs["n"]
    enough = fewer["dimension"] < full
    # Where none suffices, the gentlest cut shows what is lost.
    row = fewer if enough else table.iloc[-2]
    cut, differ = int(row["dimension"]), int(row["differ"]) if np.isfinite(row["differ"]) else None
    gap = f"{row['difference']:+.3f}"
    if zh:
        ends = f"{row['difference_low']:+.3f} 至 {row['difference_high']:+.3f}"
        head = f"{full} 维中 {cut} 维就够" if enough else f"这些标注说明不了少于 {full} 维就够"
        flips = "" if differ is None else f"，{n} 对中有 {differ} 对判断不同"
        return f"{head}（容许 AUC 差 {margin:g}）：{cut} 维时 AUC 差 {gap}（{ends}）{flips}。"
    ends = f"{row['difference_low']:+.3f} to {row['difference_high']:+.3f}"
    head = (
        f"{cut} of {full} dimensions suffice"
        if enough
        else f"these pairs do not show that fewer than {full} dimensions suffice"
    )
    flips = "" if differ is None else f", and {differ} of {n} decisions differ"
    head = head[0].upper() + head[1:]
    return f"{head}, to within {margin:g} of AUC: with {cut}, AUC is {gap} ({ends}){flips}."


def html(found: Comparison, language: str | None = None) -> str:
    """The summary over the table; names are escaped."""
    language = language or get_settings().language
    said = "".join(
        f"<p style='margin:0.3em 0'>{escape(line)}</p>" for line in summary(found, language).split("\n")
    )
    return f"<div style='max-width:60em'>{said}{table(found, language).to_html(index=False, border=0)}</div>"


def _differ(found: Comparison, encoder: str) -> str:
    if encoder == found.baseline:
        return ""
    line = found.flips(encoder)
    return "–" if line is None else str(int(line["differ"]))


def _flips(found: Comparison, encoder: str, language: str) -> str:
    zh = language == "zh"
    line = found.flips(encoder)
    if line is None:
        return (
            "至少一方没有可用的阈值，无法比较判断。"
            if zh
            else "One of the two has no cutoff, so that decisions cannot be compared."
        )
    differ, better = int(line["differ"]), int(line["better"])
    if not differ:
        return "在各自的阈值处，所有判断相同。" if zh else "At their own cutoffs no decision differs."
    share = percent(float(line["share"]), language)
    if zh:
        head = f"在各自的阈值处，{found.n} 对中有 {differ} 对判断不同（{share}）"
        return f"{head}，其中 {better} 对由 {encoder} 判对。"
    verb = "is" if better == 1 else "are"
    return (
        f"At their own cutoffs {differ} of {found.n} decisions differ ({share}), of which {better} {verb} "
        f"right with {encoder}."
    )


def _cost(found: Comparison, encoder: str, language: str) -> str:
    zh = language == "zh"
    cost, base = found.milliseconds.get(encoder), found.milliseconds.get(found.baseline)
    if cost is None:
        return ""
    own = f"{cost:.3g}"
    if encoder == found.baseline or base is None or min(base, cost) <= 0:
        return f"，每条 {own} 毫秒" if zh else f", {own} ms a text"
    if zh:
        both = f"每条 {own} 对 {base:.3g} 毫秒"
        if cost > base:
            said = f"耗时为其 {cost / base:.2g} 倍（{both}）"
        else:
            said = f"速度为其 {base / cost:.2g} 倍（{both}）"
        return f"；{said}" if not 0.95 < cost / base < 1.05 else f"；耗时相当（{both}）"
    both = f"{own} against {base:.3g} ms a text"
    if 0.95 < cost / base < 1.05:
        return f"; it takes as long ({both})"
    if cost > base:
        return f"; it takes {cost / base:.2g} times as long ({both})"
    return f"; it is {base / cost:.2g} times as fast ({both})"
