"""Groups in words and as tables, in English and Chinese; every number comes from the results."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from workbench.calibration.wording import number, percent
from workbench.settings import get_settings

if TYPE_CHECKING:
    from workbench.calibration.adverse_impact import AdverseImpact
    from workbench.calibration.groups import GroupFigures

__all__ = ["html", "impact", "summary", "table"]

NAMES = {
    "precision": ("正确率", "precision"),
    "recall": ("召回率", "recall"),
    "false_omission_rate": ("遗漏率", "missed"),
    "specificity": ("特异度", "specificity"),
    "accuracy": ("判断正确率", "accuracy"),
    "share_selected": ("通过比例", "share selected"),
}
# More groups than these in one sentence nobody reads; the table has them all.
MOST_NAMED = 5


def summary(found: GroupFigures, language: str = "en") -> str:
    """Which groups differ, which are too small, and the four-fifths rule; one sentence a line."""
    return "\n".join([*_flags(found, language), *_too_small(found, language), impact(found.impact, language)])


def impact(found: AdverseImpact, language: str = "en") -> str:
    """The adverse-impact ratio, and what it means."""
    zh = language == "zh"
    if found.reference is None or found.ratio is None:
        return (
            "足够大的组不足两个（或无人通过），无法计算差别影响比。"
            if zh
            else "Fewer than two groups are large enough (or nothing is selected): selection rates cannot be "
            "compared."
        )
    worst = found.frame[found.frame["judged"]].iloc[0]
    below = found.frame.loc[found.frame["answer"] == "below", "group"].astype(str).tolist()
    rates = found.frame.set_index("group")["rate"]
    ends = f"{found.ratio.low:.2f}–{found.ratio.high:.2f}"
    group, reference = str(worst["group"]), found.reference
    rate, best = percent(worst["rate"], language), percent(float(rates[reference]), language)
    said = {
        "below": (
            f"确实低于五分之四的有：{_named(below, '、', '等 {n} 组')}",
            f"below four fifths beyond chance: {_named(below, ', ', ' and {left} more')}",
        ),
        "above": ("确实不低于五分之四", "all ratios are at least four fifths beyond chance"),
        "unclear": ("样本还不足以判断是否低于五分之四", "whether it is below four fifths cannot be told yet"),
        None: ("", ""),
    }[found.answer][0 if zh else 1]
    if zh:
        return (
            f"差别影响比 {found.ratio.value:.2f}（{ends}）：{group} 的通过比例为 {rate}，"
            f"最高的 {reference} 为 {best}；{said}。"
        )
    return (
        f"Adverse-impact ratio {found.ratio.value:.2f} ({ends}): {rate} of {group} are selected, {best} of "
        f"{reference}, the highest; {said}."
    )


def table(found: GroupFigures, language: str = "en", between: str = " ") -> pd.DataFrame:
    """One row a group: pairs, JDs, and each figure with its interval and what is to be said of it.

    Parameters
    ----------
    found : GroupFigures
    language : {"zh", "en"}
    between : str
        What stands between a figure and the remark that there are too few pairs for it.
    """
    zh = language == "zh"
    rows = []
    for group, of_group in found.frame.groupby("group", sort=False):
        row: dict[str, object] = {
            "组" if zh else "group": group,
            "对数" if zh else "pairs": of_group["n"].iloc[0],
        }
        if of_group["n_jds"].notna().all():
            row["JD"] = int(of_group["n_jds"].iloc[0])
        for line in of_group.to_dict("records"):
            row[NAMES[line["figure"]][0 if zh else 1]] = _cell(line, language, between)
        rows.append(row)
    return pd.DataFrame(rows)


def html(found: GroupFigures, language: str | None = None) -> str:
    """The summary over the table; group names are escaped."""
    language = language or get_settings().language
    lines = summary(found, language).split("\n")
    said = "".join(f"<p style='margin:0.3em 0'>{escape(line)}</p>" for line in lines)
    return f"<div style='max-width:60em'>{said}{table(found, language).to_html(index=False, border=0)}</div>"


def _cell(line: Mapping[Any, Any], language: str, between: str) -> str:
    zh = language == "zh"
    if np.isnan(line["value"]):
        return "–"
    ends, value = f"{100 * line['low']:.0f}–{100 * line['high']:.0f}", percent(line["value"], language)
    said = f"{value}（{ends}）" if zh else f"{value} ({ends})"
    if line["flag"]:
        said += {"lower": " ▼", "higher": " ▲"}[line["flag"]]
    if not line["enough"]:
        said += between + ("样本太少" if zh else "too few")
    return said


def _flags(found: GroupFigures, language: str) -> list[str]:
    zh = language == "zh"
    tested = found.frame[found.frame["p_value"].notna()]
    n_tests, names = len(tested), [NAMES[name][0 if zh else 1] for name in tested["figure"].unique()]
    at = number(found.cutoff)
    if not n_tests:
        return []
    flagged = found.flagged.sort_values("p_adjusted", kind="stable")
    if flagged.empty and zh:
        what = "、".join(names)
        return [
            f"按 {found.by} 分组，阈值 {at}：各组{what}与其余相比，差别不超出偶然"
            f"（{n_tests} 次检验，Holm 校正）。"
        ]
    if flagged.empty:
        return [
            f"By {found.by}, at {at}: no group differs from the rest by more than chance in {_and(names)} "
            f"({n_tests} tests, Holm's correction)."
        ]
    return [_flag(line, found, language) for line in flagged.to_dict("records")]


def _flag(line: Mapping[Any, Any], found: GroupFigures, language: str) -> str:
    zh = language == "zh"
    name, group = NAMES[line["figure"]][0 if zh else 1], f"{found.by} = {line['group']}"
    value, rest = percent(line["value"], language), percent(line["rest"], language)
    ends = f"{100 * line['low']:.1f}–{100 * line['high']:.1f}"
    p = "< 0.001" if line["p_adjusted"] < 0.001 else f"= {line['p_adjusted']:.3f}"
    if zh:
        side = "低于" if line["flag"] == "lower" else "高于"
        return f"{group}：{name} {value}（{ends}），{side}其余的 {rest}（Holm 校正后 p {p}）。"
    return (
        f"{group}: {name} is {line['flag']} at {number(found.cutoff)}, {value} ({ends}) against {rest} in "
        f"the rest (p {p} after Holm's correction)."
    )


def _too_small(found: GroupFigures, language: str) -> list[str]:
    zh = language == "zh"
    small = found.too_small
    if small.empty:
        return []
    # The figure that needs most says what a group needs.
    needs = small.groupby("group", sort=False, as_index=False).agg(
        n=("n", "first"), n_jds=("n_jds", "first"), more=("more_pairs", "max")
    )
    parts = []
    for need in needs.head(MOST_NAMED).to_dict("records"):
        said = f"{need['n']} 对" if zh else f"{need['n']} pairs"
        if not np.isnan(need["n_jds"]):
            said += f"、{need['n_jds']:.0f} 个 JD" if zh else f" of {need['n_jds']:.0f} JDs"
        if not np.isnan(need["more"]):
            said += f"，约还需 {need['more']:.0f} 对" if zh else f", about {need['more']:.0f} more needed"
        parts.append(f"{need['group']}（{said}）" if zh else f"{need['group']} ({said})")
    total, margin = found.frame["group"].nunique(), f"{100 * found.margin:.0f}"
    left = len(needs) - len(parts)
    if zh:
        rest = f"等 {len(needs)} 组" if left else ""
        head = f"{total} 组中有 {len(needs)} 组样本太少，无法精确到 ±{margin} 个百分点"
        return [f"{head}：{'、'.join(parts)}{rest}。"]
    rest = f" and {left} more" if left else ""
    return [
        f"{len(needs)} of {total} groups are too small to be judged to ±{margin} points in some figure: "
        f"{', '.join(parts)}{rest}."
    ]


def _named(names: list[str], between: str, rest: str) -> str:
    """Names, the first of them where there are many."""
    left = len(names) - MOST_NAMED
    return between.join(names[:MOST_NAMED]) + (rest.format(n=len(names), left=left) if left > 0 else "")


def _and(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
