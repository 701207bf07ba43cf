"""What the search panel says, in Chinese and in English.

The texts are fields of one dataclass, so that the type checker finds a missing translation.
"""

from __future__ import annotations

from dataclasses import dataclass

from workbench.errors import InputError
from workbench.settings import Language, get_settings

__all__ = ["LABELS", "Labels", "labels_for"]


@dataclass(frozen=True)
class Labels:
    """Every text of the panel in one language; braces are filled with :meth:`str.format`."""

    language: Language
    html_lang: str
    title: str
    subtitle: str
    knowledge_base: str
    knowledge_base_hint: str
    query: str
    query_hint: str
    search: str
    searching: str
    cancel: str
    upload: str
    upload_hint: str
    uploaded: str
    shortcuts: str
    # status
    encoder: str
    dimensions: str
    device: str
    encoded: str
    cleaned: str
    query_cut: str
    cutoff_calibrated: str
    cutoff_uncalibrated: str
    cutoff_chosen: str
    cutoff_uncalibrated_why: str
    loading: str
    encoding: str
    cancelled: str
    stale: str
    # filters
    cutoff: str
    cutoff_reset: str
    only_matches: str
    contains: str
    contains_hint: str
    most: str
    export: str
    # results
    results: str
    none_yet: str
    nothing_shown: str
    summary: str
    match: str
    below: str
    rank: str
    score: str
    is_match: str
    text: str
    probability: str
    probability_low: str
    probability_high: str
    probability_from: str
    is_guess: str
    cutoff_mark: str
    yes: str
    no: str
    # behind the scenes
    behind: str
    chosen: str
    chosen_query: str
    first_values: str
    vector_facts: str
    behind_hint: str
    # errors
    empty_query: str
    empty_knowledge_base: str
    wrong: str
    unexpected: str


_ZH = Labels(
    language="zh",
    html_lang="zh-CN",
    title="语义搜索",
    subtitle="用一段简历描述，找出意思最接近的岗位要求",
    knowledge_base="知识库",
    knowledge_base_hint="每行一条：岗位要求、简历技能、OKR 或白皮书段落",
    query="语义查询",
    query_hint="输入一段简历技能描述，按回车搜索",
    search="搜索",
    searching="搜索中…",
    cancel="取消",
    upload="从文件添加",
    upload_hint="支持 {formats}，单个文件不超过 {megabytes} MB",
    uploaded="已从 {name} 添加 {count} 条",
    shortcuts="快捷键：Tab 切换，查询框内回车搜索，滑块用 ← → 微调",
    encoder="编码器",
    dimensions="{count} 维",
    device="运行于",
    encoded="{count} 条已编码",
    cleaned="清洗后 {report}",
    query_cut="查询过长：{length} 个字符只用了前 {kept} 个",
    cutoff_calibrated="阈值 {value}，已为此编码器校准",
    cutoff_uncalibrated="阈值 {value}，未校准",
    cutoff_chosen="阈值 {value}，手动设定",
    cutoff_uncalibrated_why=(
        "这个阈值来自 Qwen3-Embedding-4B 的文献，从未在编码器 {encoder} 上校准过；"
        "不同编码器的分数尺度不同，“匹配”二字请谨慎看待。"
    ),
    loading="正在准备编码器…",
    encoding="正在编码：{done} / {total} 条",
    cancelled="已取消；已编码的 {done} / {total} 条不会白费，再次搜索时接着来。",
    stale="内容已修改，下面仍是上一次搜索的结果。",
    cutoff="阈值",
    cutoff_reset="恢复",
    only_matches="只看匹配",
    contains="包含文字",
    contains_hint="如：Python",
    most="显示条数",
    export="导出 CSV（{count} 条）",
    results="搜索结果",
    none_yet="还没有结果。点“搜索”，知识库里的每一条都会得到一个分数。",
    nothing_shown="没有符合筛选条件的结果。可以调低阈值，或清空筛选。",
    summary="显示 {shown} 条，共 {total} 条；{matches} 条高于阈值 {cutoff}",
    match="✓ 匹配",
    below="— 未达",
    rank="排名",
    score="相似度",
    is_match="匹配",
    text="文本",
    probability="匹配概率",
    probability_low="概率下限",
    probability_high="概率上限",
    probability_from="匹配概率由 {n} 对标注得出，适用于匹配占 {share} 的配对",
    is_guess="分数超出标注范围，仅为推测",
    cutoff_mark="阈值 {cutoff}",
    yes="是",
    no="否",
    behind="查看幕后数据",
    chosen="看哪个向量",
    chosen_query="查询",
    first_values="前 {count} 个数值",
    vector_facts="{dimension} 维，长度 {norm:.4f}，数值从 {low:.4f} 到 {high:.4f}",
    behind_hint="先搜索一次，再来看向量。",
    empty_query="查询是空的：请先输入要找的技能或经历。",
    empty_knowledge_base="知识库是空的：请先粘贴或从文件添加至少一条文本。",
    wrong="没能完成：{message}",
    unexpected="出了意料之外的问题（{kind}）：{message}",
)

_EN = Labels(
    language="en",
    html_lang="en",
    title="Semantic search",
    subtitle="Find the job requirements that are nearest in meaning to a résumé text",
    knowledge_base="Knowledge base",
    knowledge_base_hint="One text a line: job requirements, résumé skills, OKRs or paragraphs of a paper",
    query="Semantic query",
    query_hint="Type a résumé text and press Enter",
    search="Search",
    searching="Searching…",
    cancel="Cancel",
    upload="Add from file",
    upload_hint="{formats}, at most {megabytes} MB a file",
    uploaded="{count} added from {name}",
    shortcuts="Keys: Tab moves on, Enter in the query searches, ← → move the slider",
    encoder="Encoder",
    dimensions="{count} dimensions",
    device="on",
    encoded="{count} encoded",
    cleaned="after cleaning, {report}",
    query_cut="Query too long: {kept} of {length} characters used",
    cutoff_calibrated="Cutoff {value}, calibrated for this encoder",
    cutoff_uncalibrated="Cutoff {value}, not calibrated",
    cutoff_chosen="Cutoff {value}, set by hand",
    cutoff_uncalibrated_why=(
        "This cutoff comes from the literature on Qwen3-Embedding-4B and was never calibrated for the "
        "encoder {encoder}; scores of different encoders lie on different scales, so read “match” with care."
    ),
    loading="Getting the encoder ready…",
    encoding="Encoding: {done} of {total}",
    cancelled="Cancelled; the {done} of {total} already encoded are kept for the next search.",
    stale="Edited since: the results below are those of the last search.",
    cutoff="Cutoff",
    cutoff_reset="Reset",
    only_matches="Only matches",
    contains="Contains",
    contains_hint="e.g. Python",
    most="Show at most",
    export="Export CSV ({count})",
    results="Results",
    none_yet="No results yet. Press “Search”, and every text of the knowledge base gets a score.",
    nothing_shown="No result passes the filters. Lower the cutoff, or clear the filters.",
    summary="Showing {shown} of {total}; {matches} above the cutoff {cutoff}",
    match="✓ match",
    below="— below",
    rank="rank",
    score="score",
    is_match="match",
    text="text",
    probability="probability of a match",
    probability_low="probability, low",
    probability_high="probability, high",
    probability_from="Probabilities from {n} labelled pairs, for pairs of which {share} are matches",
    is_guess="a guess: beyond all labelled scores",
    cutoff_mark="cutoff {cutoff}",
    yes="yes",
    no="no",
    behind="Behind the scenes",
    chosen="Vector of",
    chosen_query="query",
    first_values="First {count} values",
    vector_facts="{dimension} dimensions, length {norm:.4f}, values from {low:.4f} to {high:.4f}",
    behind_hint="Search first, then look at the vectors.",
    empty_query="The query is empty: type the skill or experience that you are looking for.",
    empty_knowledge_base="The knowledge base is empty: paste at least one text, or add a file.",
    wrong="That did not work: {message}",
    unexpected="Something unexpected went wrong ({kind}): {message}",
)

LABELS: dict[Language, Labels] = {"zh": _ZH, "en": _EN}


def labels_for(language: Language | None) -> Labels:
    """Labels in `language`, by default that of the settings.

    Raises
    ------
    InputError
        If there are no labels in that language.
    """
    wanted = language or get_settings().language
    if wanted not in LABELS:
        raise InputError(f"There is no language {wanted!r}; choose one of {', '.join(LABELS)}.")
    return LABELS[wanted]
