"""What was found, said in words that an auditor understands, in English and Chinese.

Every number in a sentence comes from the result that it is about; nothing is computed here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from workbench.calibration.choice import Choice
    from workbench.calibration.grey_zone import GreyZone
    from workbench.calibration.guarantee import Guarantee
    from workbench.calibration.verdict import TargetTest, Verdict

__all__ = ["choice", "grey_zone", "guarantee", "number", "percent", "target_tested", "verdict"]


def percent(share: float, language: str = "en") -> str:
    """A share in percent with one digit; a dash where it is undefined."""
    if np.isnan(share):
        return "–"
    return f"{100 * share:.1f}%" if language == "zh" else f"{100 * share:.1f} %"


def number(cutoff: float | None) -> str:
    """A cutoff or score with four digits."""
    return "–" if cutoff is None or np.isnan(cutoff) else f"{cutoff:.4f}"


def _confidence(confidence: float) -> str:
    return f"{100 * confidence:.4g}"


def _worth(n: int, size: float, language: str) -> str:
    """What is to be said where pairs are not worth their number."""
    if size > n - 0.5:
        return ""
    if language == "zh":
        return f"（相当于 {size:.0f} 对独立样本）"
    return f" (worth {size:.0f} independent ones)"


def _share(estimate: float, shown: int, n: int, language: str, what: str = "") -> str:
    """The figure; where it is not simply the share of labelled pairs, that it was reweighted."""
    said = percent(estimate, language) + what
    if not n or abs(estimate - shown / n) < 5e-4:
        return said
    return f"{said}（折算后）" if language == "zh" else f"{said} once reweighted"


def verdict(found: Verdict, language: str = "en") -> str:
    """One sentence: kept, moved, or not enough labels, with the numbers."""
    zh = language == "zh"
    at = number(found.cutoff)
    head = {
        "kept": (f"当前阈值 {at} 可以保留", f"Today's cutoff {at} is kept"),
        "moved": (f"当前阈值 {at} 需要调整", f"Today's cutoff {at} is to be moved"),
        "not enough labels": (
            f"标注还不够，无法判断当前阈值 {at} 是否成立",
            f"There are not enough labels to say whether today's cutoff {at} holds",
        ),
    }[found.answer][0 if zh else 1]
    parts = [target_tested(test, found.confidence, language) for test in found.tests]
    return f"{head}：{'；'.join(parts)}。" if zh else f"{head}: {'; '.join(parts)}."


def target_tested(test: TargetTest, confidence: float, language: str) -> str:
    """One target of a verdict, with the numbers, as a part of a sentence."""
    zh = language == "zh"
    above = test.figure == "precision"
    sure = _confidence(confidence)
    if test.n == 0:
        if zh:
            return f"没有一对标注{'高于' if above else '不高于'}它" + _more(test, language)
        return f"no labelled pair lies {'above' if above else 'at or below'} it" + _more(test, language)
    right = test.n - test.errors
    low, high = percent(test.low, language), percent(test.high, language)
    missed = "" if zh or above else " missed"
    seen = _share(test.estimate, right if above else test.errors, test.n, language, missed)
    target = percent(test.target, language)
    worth = _worth(test.n, test.size, language)
    if zh:
        what = (
            f"高于它的 {test.n} 对{worth}中 {right} 对匹配正确，正确率 {seen}"
            if above
            else f"不高于它的 {test.n} 对{worth}中 {test.errors} 对其实匹配，遗漏率 {seen}"
        )
    else:
        what = (
            f"of the {test.n} pairs above it{worth}, {right} are right ({seen})"
            if above
            else f"of the {test.n} pairs at or below it{worth}, {test.errors} are matches ({seen})"
        )
    good_end, bad_end = (low, high) if above else (high, low)
    least, most = ("至少", "至多") if zh else ("at least", "at most")
    side, other = (least, most) if above else (most, least)
    if test.answer == "met":
        end = f"{sure}% 把握{side} {good_end}" if zh else f"{side} {good_end} with {sure} % confidence"
    elif test.answer == "failed":
        end = f"{sure}% 把握{other} {bad_end}" if zh else f"{other} {bad_end} with {sure} % confidence"
    else:
        end = f"单侧 {sure}% 界限为 {low} 与 {high}" if zh else f"one-sided {sure} % bounds {low} and {high}"
    target_said = f"目标{side} {target}" if zh else f"target {side} {target}"
    sentence = f"{what}，{end}，{target_said}" if zh else f"{what}, {end}, {target_said}"
    return sentence + (_more(test, language) if test.answer == "unclear" else "")


def _more(test: TargetTest, language: str) -> str:
    """What it would take to tell, in brackets."""
    zh = language == "zh"
    notes = []
    if test.size < test.pairs_without_error:
        least = test.pairs_without_error
        notes.append(
            f"即使一对不错，这一侧也需要 {least} 对独立样本"
            if zh
            else f"even without an error, {least} independent pairs there would be needed"
        )
    if test.more_pairs is not None:
        more = test.more_pairs
        notes.append(
            f"再标约 {more} 对大概可以分出"
            if zh
            else f"about {more} more labelled pairs would probably settle it"
        )
    elif test.n:
        notes.append(
            "离目标太近，要分出需要多得多的标注"
            if zh
            else "so near the target that far more labels would be needed to tell"
        )
    if not notes:
        return ""
    return f"（{'；'.join(notes)}）" if zh else f" ({'; '.join(notes)})"


def guarantee(found: Guarantee, language: str = "en") -> str:
    """What is guaranteed, on what, or why nothing is."""
    zh = language == "zh"
    above = found.figure == "precision"
    sure, target = _confidence(found.confidence), percent(found.target, language)
    bound = percent(found.bound, language)
    seen = _share(found.estimate, found.n - found.errors if above else found.errors, found.n, language)
    worth = _worth(found.n, found.size, language)
    if found.cutoff is not None:
        at = number(found.cutoff)
        if zh:
            what = (
                f"高于 {at} 的匹配中至少 {target} 是对的"
                if above
                else f"不高于 {at} 的各对中至多 {target} 其实匹配"
            )
            side, wrong = ("至少", "有误") if above else ("至多", "其实匹配")
            there = f"标注中 {found.n} 对{worth}里 {found.errors} 对{wrong}"
            return f"{what}（把握 {sure}%）：{there}（{seen}，{side} {bound}）。"
        what = (
            f"Above {at}, at least {target} of matches are right"
            if above
            else f"At or below {at}, at most {target} of pairs are matches (missed)"
        )
        side, wrong = ("at least", "wrong") if above else ("at most", "matches")
        verb = "is" if found.errors == 1 else "are"
        wrong = "a match" if found.errors == 1 and not above else wrong
        return (
            f"{what}, with {sure} % confidence: of {found.n} labelled pairs there{worth}, {found.errors} "
            f"{verb} {wrong} ({seen}, {side} {bound})."
        )
    how = {
        "independent": ("", ""),
        "effective": ("（按有效样本量计算）", ", reckoned with the effective sample"),
        "one_per_cluster": ("（按每个 JD 取一对计算）", ", reckoned with one pair a JD"),
    }[found.method][0 if zh else 1]
    if zh:
        what = "匹配正确率" if above else "遗漏率"
        side = "至少" if above else "至多"
        head = f"这些标注不能以 {sure}% 的把握为任何阈值保证{what}{side} {target}{how}"
        if found.more_pairs is None:
            return f"{head}；看上去没有阈值明显超过目标，多标也难有帮助：请放宽目标，或换编码器。"
        return f"{head}；大约还需要 {found.more_pairs} 对标注。"
    what = "precision of at least" if above else "a missed share (false omission rate) of at most"
    head = f"No cutoff with {what} {target} can be guaranteed with {sure} % confidence from these labels{how}"
    if found.more_pairs is None:
        return (
            f"{head}; none looks as if it met the target by enough, so that more labels would hardly help: "
            "lower the target, or try another encoder."
        )
    return f"{head}; about {found.more_pairs} more labelled pairs would be needed."


def choice(found: Choice, language: str = "en") -> str:
    """What a rule chose, and the naive figures there."""
    zh = language == "zh"
    rule = found.rule.describe(language)
    if found.cutoff is None:
        return f"没有阈值满足：{rule}。" if zh else f"There is no such cutoff: {rule}."
    precision, recall, missed = (
        percent(found.figures[name].value, language)
        for name in ("precision", "recall", "false_omission_rate")
    )
    if zh:
        return f"{number(found.cutoff)}（{rule}）：正确率 {precision}，召回率 {recall}，遗漏率 {missed}。"
    return f"{number(found.cutoff)} ({rule}): precision {precision}, recall {recall}, missed {missed}."


def grey_zone(found: GreyZone, language: str = "en") -> str:
    """The two cutoffs, and what people have to read."""
    zh = language == "zh"
    sure = _confidence(found.confidence)
    to_read = percent(found.share_to_read.value, language)
    accepted, rejected = percent(found.share_accepted, language), percent(found.share_rejected, language)
    right, missed = percent(found.precision.target, language), percent(found.missed.target, language)
    held = [
        said
        for said, there in (
            (f"正确率至少 {right}" if zh else f"precision of at least {right}", found.accept_from),
            (f"遗漏率至多 {missed}" if zh else f"at most {missed} missed", found.reject_to),
        )
        if there is not None
    ]
    if zh:
        both = f"{' 与'.join(held)} {'同时' if len(held) == 2 else ''}成立（把握 {sure}%）"
    else:
        holds = "hold at once" if len(held) == 2 else "holds"
        both = f"{' and '.join(held)} {holds} with {sure} % confidence"
    if not held:
        return (
            "接受线和拒绝线都无法保证，全部需要人工阅读。"
            if zh
            else "No cutoff for accepting or rejecting can be guaranteed: all pairs have to be read."
        )
    if found.accept_from is not None and found.accept_from == found.reject_to:
        at = number(found.accept_from)
        return (
            f"无需人工阅读：以 {at} 为界，{both}。"
            if zh
            else f"Nothing has to be read: with the one cutoff {at}, {both}."
        )
    if zh:
        accept = (
            f"高于 {number(found.accept_from)} 自动接受（{accepted}）"
            if found.accept_from is not None
            else "没有可保证的接受线"
        )
        reject = (
            f"不高于 {number(found.reject_to)} 自动拒绝（{rejected}）"
            if found.reject_to is not None
            else "没有可保证的拒绝线"
        )
        return f"{accept}，{reject}，其余 {to_read} 由人阅读；{both}。"
    accept = (
        f"accept above {number(found.accept_from)} ({accepted} of pairs)"
        if found.accept_from is not None
        else "accept none unread"
    )
    reject = (
        f"reject at or below {number(found.reject_to)} ({rejected})"
        if found.reject_to is not None
        else "reject none unread"
    )
    return f"{accept[0].upper()}{accept[1:]}, {reject}, and read the other {to_read}: {both}."
