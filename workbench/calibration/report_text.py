"""A whole study in words: the summary for people, and its table for notebooks.

Single sentences are in :mod:`workbench.calibration.wording`; nothing is computed here but counts of
flipped pairs.
"""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

import numpy as np

from workbench.calibration.figures import FigureName
from workbench.calibration.wording import number, percent
from workbench.settings import get_settings

if TYPE_CHECKING:
    from workbench.calibration.study import Study

__all__ = ["NAMES", "html", "sentences", "summary"]

NAMES: dict[FigureName, tuple[str, str]] = {
    "precision": ("正确率", "precision"),
    "recall": ("召回率", "recall"),
    "false_omission_rate": ("遗漏率", "missed (false omission rate)"),
    "specificity": ("特异度", "specificity"),
    "f_beta": ("F 值", "F-beta"),
    "accuracy": ("判断正确率", "accuracy"),
    "share_selected": ("通过比例", "share selected"),
}
# Scores move by about this much between machines and versions of one encoder.
WAVERING = 1e-4


def summary(study: Study, language: str = "en") -> str:
    """One sentence a line: pairs, verdict, cutoff, guarantees, figures, stability, flips, grey zone."""
    return "\n".join(sentences(study, language).values())


def sentences(study: Study, language: str = "en") -> dict[str, str]:
    """The sentences of the summary by what they are about, as far as there is anything to say.

    Keys, in this order: ``pairs, verdict, cutoff, guarantee, missed_guarantee, figures, stability, flips,
    grey_zone, notes``.
    """
    said: dict[str, str] = {"pairs": _pairs(study, language)}
    if study.verdict is not None:
        said["verdict"] = study.verdict.sentence(language)
    said["cutoff"] = _cutoff(study, language)
    for key, found in (("guarantee", study.guarantee), ("missed_guarantee", study.missed_guarantee)):
        if found is not None:
            said[key] = found.sentence(language)
    said["figures"] = _figures(study, language)
    if study.basis != "none":
        said["stability"] = _stability(study, language)
        if study.verdict is not None:
            said["flips"] = _flips(study, language)
    if study.grey_zone is not None:
        said["grey_zone"] = study.grey_zone.sentence(language)
    if notes := _notes(study, language):
        said["notes"] = "\n".join(notes)
    return said


def html(study: Study, language: str | None = None) -> str:
    """The summary with a table of figures, naive and honest side by side."""
    language = language or get_settings().language
    zh = language == "zh"
    rows = []
    for name, names in NAMES.items():
        if name not in study.figures:
            continue
        estimate, honest = study.figures[name], study.honest.get(name)
        corrected = "" if honest is None else _interval(honest.honest, honest.low, honest.high, language)
        rows.append(
            f"<tr><th style='text-align:left'>{escape(names[0 if zh else 1])}</th>"
            f"<td>{_interval(estimate.value, estimate.low, estimate.high, language)}</td>"
            f"<td>{corrected}</td></tr>"
        )
    heads = ("指标", "在这些标注上", "校正后") if zh else ("figure", "in these pairs", "corrected")
    head = "".join(f"<th style='text-align:left'>{escape(text)}</th>" for text in heads)
    lines = summary(study, language).split("\n")
    said = "".join(f"<p style='margin:0.3em 0'>{escape(line)}</p>" for line in lines)
    title = f"{'阈值' if zh else 'Cutoff'} {number(study.cutoff.value)}"
    return (
        f"<div style='max-width:52em'><h4 style='margin:0.3em 0'>{escape(title)}</h4>{said}"
        f"<table><thead><tr>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table></div>"
    )


def _interval(value: float, low: float, high: float, language: str) -> str:
    if np.isnan(value):
        return "–"
    if np.isnan(low):
        return percent(value, language)
    ends = f"{100 * low:.1f}–{100 * high:.1f}"
    return f"{percent(value, language)}（{ends}）" if language == "zh" else f"{percent(value)} ({ends})"


def _pairs(study: Study, language: str) -> str:
    zh = language == "zh"
    observations = study.observations
    n, matches = len(observations), int(observations.labels.sum())
    share = percent(observations.labels.mean(), language)
    jds = observations.n_clusters
    card = study.cutoff.evidence.get("encoder", {})
    by = study.cutoff.encoder_name or card.get("name")
    live = percent(study.prevalence, language)
    weighted = observations.weights is not None or study.settings["prevalence"] is not None
    if zh:
        head = f"{n} 对标注，其中 {matches} 对匹配（{share}）"
        head += f"，来自 {jds} 个 JD" if jds else ""
        head += f"，由 {by} 打分" if by else ""
        return head + (f"；指标按匹配占 {live} 折算。" if weighted else "。")
    head = f"{n} labelled pairs, {matches} of them matches ({share})"
    head += f", of {jds} JDs" if jds else ""
    head += f", scored by {by}" if by else ""
    return head + (f"; figures are for {live} matches." if weighted else ".")


def _cutoff(study: Study, language: str) -> str:
    zh = language == "zh"
    at, rule = number(study.cutoff.value), study.rule.describe(language)
    if study.basis == "guarantee":
        return f"新阈值 {at}：目标有统计保证。" if zh else f"New cutoff {at}: guaranteed to meet the target."
    if study.basis == "none":
        return (
            f"没有阈值满足要求（{rule}）；仍用 {at}，但它并未经过校准。"
            if zh
            else f"No cutoff does what was asked for ({rule}); {at} stays, but is not calibrated."
        )
    leading = study.guarantee or study.missed_guarantee
    if leading is None:
        return f"新阈值 {at}：{rule}。" if zh else f"New cutoff {at}: {rule}."
    if leading.found:
        return (
            f"新阈值 {at}：{rule}；它不是有保证的那个。"
            if zh
            else f"New cutoff {at}: {rule}; it is not the guaranteed one."
        )
    return (
        f"新阈值 {at}：{rule}；只是在这些标注上看来如此，没有统计保证。"
        if zh
        else f"New cutoff {at}: {rule}, as it looks in these pairs; there is no guarantee."
    )


def _figures(study: Study, language: str) -> str:
    zh = language == "zh"
    sure = f"{100 * study.settings['confidence']:.4g}"
    parts = []
    for name in ("precision", "recall", "false_omission_rate"):
        estimate, honest = study.figures[name], study.honest.get(name)
        said = NAMES[name][0 if zh else 1]
        part = f"{said} {_interval(estimate.value, estimate.low, estimate.high, language)}"
        if honest is not None and not np.isnan(honest.honest):
            part += (
                f"，校正后 {percent(honest.honest, language)}"
                if zh
                else f", corrected {percent(honest.honest)}"
            )
        parts.append(part)
    corrected = bool(study.honest)
    if zh:
        note = f"{sure}% 区间" + ("；已校正在同一批标注上选阈值的乐观偏差" if corrected else "")
        return f"该阈值处：{'；'.join(parts)}（{note}）。"
    note = f"{sure} % intervals" + ("; corrected for the choice on the same pairs" if corrected else "")
    return f"At {number(study.cutoff.value)}: {'; '.join(parts)} ({note})."


def _stability(study: Study, language: str) -> str:
    zh = language == "zh"
    found = study.stability
    sure, flipped = f"{100 * found.confidence:.4g}", percent(found.share_flipped, language)
    unit = (" JD", "JDs") if found.by == "cluster" else ("对数", "pairs")
    if np.isnan(found.low):
        return "重抽样中从未找到这样的阈值。" if zh else "In no resample was there such a cutoff."
    if zh:
        return (
            f"若另标同样多的{unit[0]}，阈值会在 {number(found.low)} 与 {number(found.high)} 之间（{sure}%），"
            f"平均 {flipped} 的判断会改变。"
        )
    return (
        f"With as many other {unit[1]} labelled, the cutoff would lie between {number(found.low)} and "
        f"{number(found.high)} ({sure} %), and {flipped} of decisions would change on average."
    )


def _flips(study: Study, language: str) -> str:
    zh = language == "zh"
    changed = study.flips
    n, total = len(changed), len(study.observations)
    before, after = number(study.current_cutoff), number(study.cutoff.value)
    right = int(changed["right_now"].sum())
    if n == 0:
        return (
            f"从 {before} 改为 {after} 不改变任何判断。"
            if zh
            else f"From {before} to {after} no decision flips."
        )
    gained = int(changed["is_match"].sum())
    if zh:
        what = f"{gained} 对变为匹配" if gained else f"{n} 对不再算匹配"
        return f"从 {before} 改为 {after}，{total} 对中有 {what}：{right} 对改对，{n - right} 对改错。"
    what = "become matches" if gained else "are no matches any more"
    return f"From {before} to {after}, {n} of {total} pairs {what}: {right} rightly, {n - right} wrongly."


def _notes(study: Study, language: str) -> list[str]:
    zh = language == "zh"
    notes = []
    near = int((np.abs(study.observations.scores - study.cutoff.value) < WAVERING).sum())
    if near:
        notes.append(
            f"注意：{near} 对的分数离阈值不到 {WAVERING:g}，换机器或版本时判断可能翻转。"
            if zh
            else f"Mind: {near} pairs score within {WAVERING:g} of the cutoff; another machine may flip them."
        )
    live = study.settings["live_scores"] or {}
    if live.get("n_unused"):
        unused = live["n_unused"]
        notes.append(
            f"注意：{unused} 对标注的分数在实际分数中不出现，未被使用。"
            if zh
            else f"Mind: {unused} labelled pairs were not used, for no live pair scores like them."
        )
    if live.get("share_outside"):
        outside = percent(live["share_outside"], language)
        notes.append(
            f"注意：{outside} 的实际分数超出标注的分数范围，对它们的说法只是推测。"
            if zh
            else f"Mind: {outside} of live scores lie beyond all labelled ones, where figures are guesses."
        )
    return notes
