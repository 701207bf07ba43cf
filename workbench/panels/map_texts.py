"""What the map panel says, in Chinese and in English."""

from __future__ import annotations

from dataclasses import dataclass

from workbench.errors import InputError
from workbench.settings import Language, get_settings

__all__ = ["MAP_LABELS", "MapLabels", "map_labels_for"]


@dataclass(frozen=True)
class MapLabels:
    """Every text of the panel in one language; braces are filled with :meth:`str.format`."""

    language: Language
    html_lang: str
    title: str
    subtitle: str
    colour: str
    show: str
    everything: str
    jd: str
    resume: str
    kind: str
    cluster: str
    noise: str
    others: str
    more: str
    score: str
    match: str
    below: str
    query: str
    query_hint: str
    search: str
    clear: str
    hits_on_map: str
    hits_elsewhere: str
    how: str
    marks: str
    selection: str
    nothing_selected: str
    selected: str
    of_which: str
    terms: str
    text: str
    number: str
    first_rows: str
    export: str
    too_many_to_export: str
    use: str
    used: str
    used_linked: str
    clear_selection: str
    results: str
    no_encoder: str
    empty_query: str
    nothing_to_use: str
    wrong: str
    unexpected: str


_ZH = MapLabels(
    language="zh",
    html_lang="zh-CN",
    title="技能地图",
    subtitle="意思相近的文本，在图上也相近",
    colour="颜色",
    show="显示",
    everything="全部",
    jd="岗位要求",
    resume="简历技能",
    kind="类型",
    cluster="聚类",
    noise="未归类",
    others="其余 {count} 类",
    more="…还有 {count} 类",
    score="相似度",
    match="匹配",
    below="未达",
    query="查询",
    query_hint="输入一段技能描述，看它落在哪里",
    search="搜索",
    clear="清除",
    hits_on_map="“{query}”：橙圈是最接近的 {count} 条，黄点是查询本身",
    hits_elsewhere="；另有 {count} 条不在图上",
    how="悬停看原文；用左侧的套索圈选；滚轮缩放，拖动平移",
    marks="◉ 岗位要求 　● 简历技能",
    selection="圈选",
    nothing_selected="还没有圈选。点左侧的套索图标，再在图上圈出一片。",
    selected="已选 {count} 条",
    of_which="岗位要求 {jds} 条，简历技能 {resumes} 条",
    terms="区别于其他文本的词",
    text="文本",
    number="序号",
    first_rows="只列出前 {shown} 条，共 {total} 条；导出的文件里有全部。",
    export="导出 CSV（{count} 条）",
    too_many_to_export="选中 {count} 条，太多，浏览器里放不下；请用 panel.selected.to_csv(…) 导出。",
    use="用作知识库",
    used="已用选中的 {count} 条建好知识库：panel.knowledge_base",
    used_linked="选中的 {count} 条已放进搜索面板的知识库，在那里点“搜索”即可。",
    clear_selection="取消圈选",
    results="搜索结果",
    no_encoder="这张地图没有连编码器，不能搜索；建面板时给出 encoder 和 vectors。",
    empty_query="查询是空的：请输入要找的技能或经历。",
    nothing_to_use="还没有圈选任何文本。",
    wrong="没有成功：{message}",
    unexpected="出了意外（{kind}）：{message}",
)

_EN = MapLabels(
    language="en",
    html_lang="en",
    title="Skill map",
    subtitle="Texts of near meaning lie near each other",
    colour="Colour",
    show="Show",
    everything="all",
    jd="JD",
    resume="résumé text",
    kind="kind",
    cluster="cluster",
    noise="no cluster",
    others="{count} others",
    more="… {count} more",
    score="score",
    match="match",
    below="below",
    query="Query",
    query_hint="Type a skill and see where it falls",
    search="Search",
    clear="Clear",
    hits_on_map="“{query}”: the {count} nearest are ringed in orange, the yellow dot is the query itself",
    hits_elsewhere="; {count} more are not on the map",
    how="Hover to read a text; lasso with the tool on the left; scroll to zoom, drag to move",
    marks="◉ JD 　● résumé text",
    selection="Selection",
    nothing_selected="Nothing is selected yet. Press the lasso on the left, then draw around some points.",
    selected="{count} selected",
    of_which="{jds} JDs, {resumes} résumé texts",
    terms="Words that tell them from the rest",
    text="text",
    number="no.",
    first_rows="The first {shown} of {total} are listed; the exported file has them all.",
    export="Export CSV ({count})",
    too_many_to_export=(
        "{count} texts are selected, too many for a link; export them with panel.selected.to_csv(…)."
    ),
    use="Use as knowledge base",
    used="The {count} selected texts are a knowledge base now: panel.knowledge_base",
    used_linked="The {count} selected texts are in the search panel; press “Search” there.",
    clear_selection="Clear selection",
    results="Results",
    no_encoder="This map has no encoder, so it cannot be searched; give the panel encoder= and vectors=.",
    empty_query="The query is empty: type the skill or experience that you are looking for.",
    nothing_to_use="No text is selected yet.",
    wrong="That did not work: {message}",
    unexpected="Something unexpected went wrong ({kind}): {message}",
)

MAP_LABELS: dict[Language, MapLabels] = {"zh": _ZH, "en": _EN}


def map_labels_for(language: Language | None) -> MapLabels:
    """Labels in `language`, by default that of the settings.

    Raises
    ------
    InputError
        If there are none in that language.
    """
    wanted = language or get_settings().language
    if wanted not in MAP_LABELS:
        raise InputError(f"There is no language {wanted!r}; choose one of {', '.join(MAP_LABELS)}.")
    return MAP_LABELS[wanted]
