"""A check of a cutoff in words, in English and Chinese; every number comes from the result."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from workbench.calibration.verdict import Verdict
from workbench.calibration.wording import number, percent, target_tested
from workbench.settings import get_settings

if TYPE_CHECKING:
    from workbench.calibration.monitoring import CheckResult
    from workbench.calibration.sequential import SequentialTest
    from workbench.calibration.shift import ScoreShift

__all__ = ["html", "sentences"]

HEADS = {
    True: ("阈值 {at} 仍然成立。", "The cutoff {at} still holds."),
    False: ("阈值 {at} 不再成立。", "The cutoff {at} no longer holds."),
    None: (
        "这些数据还不足以判断阈值 {at} 是否仍然成立。",
        "These pairs are not enough to say whether the cutoff {at} still holds.",
    ),
}
FIGURES = {"precision": ("正确率", "Precision"), "false_omission_rate": ("遗漏率", "Missed")}
SOURCES = {
    "guaranteed": ("卡片保证", "guaranteed by the card"),
    "measured": ("卡片区间的较差一端", "the worse end of the card's interval"),
    "given": ("指定的目标", "the target given"),
}
THUMB = {"stable": ("稳定", "stable"), "moderate": ("中等", "moderate"), "large": ("大", "large")}


def sentences(found: CheckResult, language: str = "en") -> list[str]:
    """The answer, then what speaks for it, one sentence each."""
    column = 0 if language == "zh" else 1
    said = [HEADS[found.holds][column].format(at=number(found.cutoff))]
    said += _tests(found, language)
    if found.shift is not None:
        said.append(_shift(found.shift, found, language))
    return said + _notes(found, language)


def html(found: CheckResult, language: str | None = None) -> str:
    """The sentences, the answer in bold."""
    head, *reasons = sentences(found, language or get_settings().language)
    items = "".join(f"<li>{escape(reason)}</li>" for reason in reasons)
    return f"<div style='max-width:52em'><p><b>{escape(head)}</b></p><ul>{items}</ul></div>"


def _tests(found: CheckResult, language: str) -> list[str]:
    zh = language == "zh"
    if found.tested is None:
        return [
            f"{found.n_unlabelled} 对都没有标注，无法检验卡片的承诺；只比较分数。"
            if zh
            else f"None of the {found.n_unlabelled} pairs is labelled, so that what the card promises cannot "
            "be tested; only scores are compared."
        ]
    said = []
    tests = found.tested.tests if isinstance(found.tested, Verdict) else found.tested
    for promise, test in zip(found.promises, tests, strict=True):
        name = FIGURES[promise.figure][0 if zh else 1]
        source = SOURCES[promise.source][0 if zh else 1]
        body = (
            target_tested(test, found.confidence, language)  # type: ignore[arg-type]
            if isinstance(found.tested, Verdict)
            else _sequential(test, found.confidence, language)  # type: ignore[arg-type]
        )
        said.append(f"{name}：{body}（{source}）。" if zh else f"{name}: {body} ({source}).")
    return said


def _sequential(test: SequentialTest, confidence: float, language: str) -> str:
    zh = language == "zh"
    above = test.figure == "precision"
    target = percent(test.target, language)
    if not test.n:
        return "还没有一对在这一侧" if zh else "no pair has come on this side yet"
    ends = f"{100 * test.low:.1f}–{100 * test.high:.1f}"
    seen = percent(test.estimate, language)
    sure = f"{100 * confidence:.4g}"
    counted = test.n - test.errors if above else test.errors
    largest = test.path[["e_failed", "e_met"]].max()
    shown = "e_met" if test.answer == "met" else "e_failed"
    evidence, need = largest[shown], test.e_met_needed if shown == "e_met" else test.e_failed_needed
    factor = f"{evidence:.1f}" if evidence < 1e4 else f"{evidence:.0e}"
    side = ("至少" if above else "至多") if zh else ("at least" if above else "at most")
    if zh:
        what = "正确" if above else "其实匹配"
        unused = f"（同一 JD 的后续 {test.n_unused} 对未计入）" if test.n_unused else ""
        against = "达标" if shown == "e_met" else "未达标"
        when = "" if test.decided_at is None else f"，第 {test.decided_at} 对时得出结论"
        return (
            f"先后到来的 {test.n} 对{unused}中 {counted} 对{what}，{seen}（随时有效的 {sure}% 区间 {ends}），"
            f"目标{side} {target}；{against}的证据最高 {factor} 倍（需 {need:.4g} 倍）{when}"
        )
    what = "are right" if above else "are matches"
    unused = f" ({test.n_unused} later ones of the same JDs not counted)" if test.n_unused else ""
    against = "for" if shown == "e_met" else "against"
    when = "" if test.decided_at is None else f", decided at pair {test.decided_at}"
    return (
        f"of the {test.n} pairs that came in{unused}, {counted} {what}, {seen} (interval valid at any time "
        f"{ends}, {sure} %), target {side} {target}; evidence {against} it reached a factor of {factor} "
        f"({need:.4g} needed){when}"
    )


def _shift(shift: ScoreShift, found: CheckResult, language: str) -> str:
    zh = language == "zh"
    ks_p, psi_p = (f"< {0.001}" if p < 0.001 else f"= {p:.3f}" for p in (shift.ks_p, shift.psi_p))
    before, now = number(shift.median_before), number(shift.median_now)
    above = ""
    if shift.above_before is not None and shift.above_now is not None:
        shares = percent(shift.above_before, language), percent(shift.above_now, language)
        above = (
            f"，高于阈值的比例 {shares[0]} → {shares[1]}" if zh else f", {shares[0]} → {shares[1]} above it"
        )
    thumb = THUMB[shift.rule_of_thumb][0 if zh else 1]
    if zh:
        head = (
            "分数分布已明显移动"
            if shift.serious
            else "分数分布有变化"
            if shift.shifted
            else "分数分布没有超出偶然的变化"
        )
        return (
            f"{head}：中位数 {before} → {now}{above}；KS {shift.ks:.3f}（p {ks_p}），PSI {shift.psi:.3f}"
            f"（p {psi_p}；仅凭偶然低于 {shift.psi_by_chance:.3f}；按经验界限为“{thumb}”）。"
        )
    head = (
        "Scores have moved much"
        if shift.serious
        else "Scores have moved"
        if shift.shifted
        else "Scores have not moved by more than chance"
    )
    return (
        f"{head}: median {before} → {now}{above}; KS {shift.ks:.3f} (p {ks_p}), PSI {shift.psi:.3f} (p "
        f"{psi_p}; chance alone stays below {shift.psi_by_chance:.3f}; {thumb} by the rule of thumb)."
    )


def _notes(found: CheckResult, language: str) -> list[str]:
    zh = language == "zh"
    notes = []
    if found.same_pairs:
        notes.append(
            "注意：这些正是制作卡片所用的标注，不能证明阈值仍然成立；请换新的标注。"
            if zh
            else "Mind: these are the very pairs that the card was made from, which cannot show that it "
            "still holds; take new ones."
        )
    if found.prevalence_moved is not None:
        before, now = (percent(share, language) for share in found.prevalence_moved)
        notes.append(
            f"注意：匹配占比 {before} → {now}，正确率随之变化；若新标注并非随机抽取，请给出 prevalence。"
            if zh
            else f"Mind: {now} of the new labelled pairs are matches, the card's figures are for {before}, "
            "and precision moves with it; if the new pairs are no fair sample of live ones, give prevalence."
        )
    if found.shift is None:
        notes.append(
            "注意：卡片没有分数分布，无法比较分数。"
            if zh
            else "Mind: the card keeps no profile of scores, so that scores could not be compared."
        )
    if not found.encoder_known:
        notes.append(
            "注意：这些数据没有注明由哪个编码器打分。"
            if zh
            else "Mind: these pairs do not say which encoder scored them."
        )
    return notes
