"""What the calibration panel says, in Chinese and in English."""

from __future__ import annotations

from dataclasses import dataclass

from workbench.errors import InputError
from workbench.settings import Language, get_settings

__all__ = ["Words", "words_for"]


@dataclass(frozen=True)
class Words:
    """Every text of the panel in one language; braces are filled with :meth:`str.format`."""

    language: Language
    html_lang: str
    title: str
    subtitle: str
    cutoff: str
    back: str
    false_cost: str
    missed_cost: str
    cost: str
    path: str
    save: str
    saved: str
    wrong: str
    sentence: str
    counts: tuple[str, str, str, str]
    match: str
    other: str
    prevalence: str
    guaranteed: str
    guaranteed_mark: str
    drag: str
    not_guaranteed: str
    false_matches: str
    missed_matches: str
    borderline: str
    none: str


_ZH = Words(
    language="zh",
    html_lang="zh-CN",
    title="校准阈值",
    subtitle="拖动图中的线（或用方向键），计数、结论和配对马上跟着变。",
    cutoff="阈值",
    back="回到校准的阈值",
    false_cost="错配一对的代价",
    missed_cost="漏掉一对的代价",
    cost="平均每对代价 {here:.3f}；最低 {lowest:.3f}，在阈值 {best:.4f} 处。",
    path="文件",
    save="存为阈值卡",
    saved="已写入 {path}。",
    wrong="没有成功：{message}",
    sentence="高于 {cutoff} 的 {above} 对里，{precision} 是真匹配；不高于它的 {below} 对里，"
    "{missed} 其实匹配；全部匹配里找到了 {recall}。",
    counts=("匹配，判对", "不匹配，错配", "匹配，漏掉", "不匹配，判对"),
    match="匹配",
    other="不匹配",
    prevalence="适用于匹配占 {share} 的配对",
    guaranteed="达到目标有保证的最低阈值：{at}",
    guaranteed_mark="有保证",
    drag="拖动这条线，或用方向键",
    not_guaranteed="这些标注不能为任何阈值作出保证。",
    false_matches="错配：分数最高的在前",
    missed_matches="漏掉：分数最低的在前",
    borderline="离阈值最近的配对",
    none="没有。",
)

_EN = Words(
    language="en",
    html_lang="en",
    title="Calibrate the cutoff",
    subtitle="Drag the line in the picture (arrow keys work too): counts, sentence and pairs follow at once.",
    cutoff="Cutoff",
    back="Back to the study's cutoff",
    false_cost="Cost of a false match",
    missed_cost="Cost of a missed match",
    cost="Mean cost of a pair {here:.3f}; lowest {lowest:.3f}, at cutoff {best:.4f}.",
    path="File",
    save="Save as card",
    saved="Written to {path}.",
    wrong="That did not work: {message}",
    sentence="Of {above} pairs above {cutoff}, {precision} are matches; of {below} pairs at or below it, "
    "{missed} are matches, too; {recall} of all matches are found.",
    counts=("match, right", "no match, false match", "match, missed", "no match, right"),
    match="match",
    other="no match",
    prevalence="for pairs of which {share} are matches",
    guaranteed="Smallest cutoff guaranteed to meet the target: {at}",
    guaranteed_mark="guaranteed",
    drag="Drag this line, or use the arrow keys",
    not_guaranteed="These labels guarantee no cutoff.",
    false_matches="False matches, highest scores first",
    missed_matches="Missed matches, lowest scores first",
    borderline="Pairs nearest to the cutoff",
    none="None.",
)


def words_for(language: Language | None) -> Words:
    """Words in `language`, by default that of the settings.

    Raises
    ------
    InputError
        If there are no words in that language.
    """
    wanted = language or get_settings().language
    for words in (_ZH, _EN):
        if words.language == wanted:
            return words
    raise InputError(f"There is no language {wanted!r}; choose one of zh, en.")
