"""What the labelling panel says, in Chinese and in English."""

from __future__ import annotations

from dataclasses import dataclass

from workbench.errors import InputError
from workbench.settings import Language, get_settings

__all__ = ["WORDS", "LabellingWords", "words_for"]


@dataclass(frozen=True)
class LabellingWords:
    """Every text of the panel in one language; braces are filled with :meth:`str.format`."""

    language: Language
    html_lang: str
    title: str
    title_adjudicate: str
    question: str
    jd: str
    resume: str
    match: str
    no_match: str
    grade: str
    skip: str
    undo: str
    revisit: str
    note: str
    note_hint: str
    keys: str
    keys_grades: str
    rubric: str
    no_rubric: str
    progress: str
    progress_skipped: str
    annotator: str
    blind: str
    said: str
    verdict: str
    no_disagreement: str
    saved: str
    skipped: str
    undone: str
    nothing_to_undo: str
    finished: str
    finished_skipped: str
    nothing_to_adjudicate: str
    wrong: str


_ZH = LabellingWords(
    language="zh",
    html_lang="zh-CN",
    title="标注：这段简历描述符合这条岗位要求吗？",
    title_adjudicate="裁定：两位标注者意见不同",
    question="只看这两段文字，你会把这位候选人列入要谈的名单吗？",
    jd="岗位要求",
    resume="简历描述",
    match="匹配",
    no_match="不匹配",
    grade="{grade} 分",
    skip="跳过",
    undo="撤销",
    revisit="再看跳过的 {count} 对",
    note="备注",
    note_hint="难在哪里？（可不填）",
    keys="按键：1 匹配，0 不匹配，S 跳过，U 撤销；在备注里按 Esc 或回车后继续",
    keys_grades="按键：0–3 打分，S 跳过，U 撤销；在备注里按 Esc 或回车后继续",
    rubric="标注准则",
    no_rubric="这个集合没有 rubric.md：先写下准则，再开始标注，两个人才可能标得一致。",
    progress="已标 {labelled} / {total} 对",
    progress_skipped="跳过 {skipped}",
    annotator="标注者 {name}",
    blind="看不到分数，也看不到别人的标注",
    said="标注 {number}",
    verdict="裁定",
    no_disagreement="没有分歧。",
    saved="已存盘：{pair} → {label}",
    skipped="已跳过：{pair}",
    undone="已撤销：{pair}，请重新标注",
    nothing_to_undo="没有可以撤销的步骤。",
    finished="全部标完了，共 {total} 对。谢谢！",
    finished_skipped="没跳过的都标完了，还有 {skipped} 对跳过的。",
    nothing_to_adjudicate="没有等待裁定的分歧。",
    wrong="没有存上：{message}",
)

_EN = LabellingWords(
    language="en",
    html_lang="en",
    title="Labelling: does this résumé text meet this requirement?",
    title_adjudicate="Adjudication: two annotators differ",
    question="Reading only these two texts, would you put the candidate on the list of people to talk to?",
    jd="Job requirement",
    resume="Résumé text",
    match="Match",
    no_match="No match",
    grade="Grade {grade}",
    skip="Skip",
    undo="Undo",
    revisit="Go through the {count} skipped",
    note="Note",
    note_hint="What made it hard? (optional)",
    keys="Keys: 1 match, 0 no match, S skip, U undo; Esc or Enter leaves the note",
    keys_grades="Keys: 0–3 grade, S skip, U undo; Esc or Enter leaves the note",
    rubric="Rubric",
    no_rubric="This set has no rubric.md: write the rules down before you label, or two people cannot agree.",
    progress="{labelled} of {total} labelled",
    progress_skipped="{skipped} skipped",
    annotator="Annotator {name}",
    blind="Scores and other people's labels are hidden",
    said="Label {number}",
    verdict="Verdict",
    no_disagreement="There is no disagreement.",
    saved="Saved: {pair} → {label}",
    skipped="Skipped: {pair}",
    undone="Taken back: {pair}; label it again",
    nothing_to_undo="There is no step to take back.",
    finished="All {total} pairs are labelled. Thank you!",
    finished_skipped="All but the {skipped} skipped pairs are labelled.",
    nothing_to_adjudicate="No disagreement is waiting to be adjudicated.",
    wrong="Not saved: {message}",
)

WORDS: dict[Language, LabellingWords] = {"zh": _ZH, "en": _EN}


def words_for(language: Language | None) -> LabellingWords:
    """The words in `language`, by default that of the settings.

    Raises
    ------
    InputError
        If there are none in that language.
    """
    wanted = language or get_settings().language
    if wanted not in WORDS:
        raise InputError(f"There is no language {wanted!r}; choose one of {', '.join(WORDS)}.")
    return WORDS[wanted]
