"""Headings and labels of reports, in Chinese and English; sentences come with the results themselves."""

from __future__ import annotations

from dataclasses import dataclass

from workbench.settings import Language

__all__ = ["WORDS", "Words"]


@dataclass(frozen=True)
class Words:
    """Every heading of a report in one language, so that the type checker finds a missing one."""

    html_lang: str
    title: str
    bases: dict[str, str]
    scored_by: str
    no_encoder: str
    sentences: dict[str, str]
    figures: str
    figure: str
    today: str
    found: str
    corrected: str
    above: str
    intervals: str
    pictures: str
    errors: str
    false_matches: str
    missed: str
    flips: str
    jd: str
    resume: str
    score: str
    label: str
    labels: tuple[str, str]
    right_now: str
    yes_no: tuple[str, str]
    more: str
    none: str
    groups: str
    probability: str
    no_probability: str
    at_cutoffs: str
    evidence: str
    facts: dict[str, str]


WORDS: dict[Language, Words] = {
    "zh": Words(
        html_lang="zh-CN",
        title="阈值报告",
        bases={"guarantee": "有统计保证", "rule": "无统计保证", "none": "未找到"},
        scored_by="编码器",
        no_encoder="编码器未注明",
        sentences={
            "cutoff": "阈值",
            "guarantee": "正确率保证",
            "missed_guarantee": "遗漏率保证",
            "stability": "稳定性",
            "flips": "判断变化",
            "grey_zone": "灰色地带",
            "notes": "注意",
            "pairs": "标注",
        },
        figures="各项指标",
        figure="指标",
        today="现用 {at}",
        found="新阈值 {at}",
        corrected="校正后",
        above="高于阈值的标注对",
        intervals="括号内为 {sure}% 区间；“校正后”扣除了在同一批标注上选阈值的乐观偏差。",
        pictures="图",
        errors="最严重的错误",
        false_matches="不匹配却高于阈值，分数最高的在前",
        missed="匹配却不高于阈值，分数最低的在前",
        flips="判断会改变的标注对",
        jd="JD",
        resume="简历文本",
        score="分数",
        label="标注",
        labels=("不匹配", "匹配"),
        right_now="新判断对吗",
        yes_no=("对", "错"),
        more="另有 {n} 对未列出。",
        none="没有。",
        groups="按 {by} 分组",
        probability="分数与匹配概率",
        no_probability="标注太少，无法给出匹配概率。",
        at_cutoffs="分数 {phrases}。",
        evidence="依据",
        facts={
            "date": "日期",
            "encoder": "编码器",
            "fingerprint": "指纹",
            "instruction": "指令",
            "dimension": "维度",
            "source": "标注来源",
            "content_hash": "标注内容哈希",
            "resolution": "标签如何合并",
            "cleaning": "清洗",
            "method": "方法",
            "targets": "目标",
            "live": "实际分布",
            "versions": "版本",
        },
    ),
    "en": Words(
        html_lang="en",
        title="Cutoff report",
        bases={"guarantee": "guaranteed", "rule": "no guarantee", "none": "none found"},
        scored_by="Encoder",
        no_encoder="encoder not named",
        sentences={
            "cutoff": "Cutoff",
            "guarantee": "Precision",
            "missed_guarantee": "Missed",
            "stability": "Stability",
            "flips": "Decisions",
            "grey_zone": "Grey zone",
            "notes": "Mind",
            "pairs": "Pairs",
        },
        figures="Figures",
        figure="figure",
        today="today's, {at}",
        found="found, {at}",
        corrected="corrected",
        above="labelled pairs above",
        intervals="In brackets: {sure} % intervals. Corrected: for having been chosen on the same pairs.",
        pictures="Pictures",
        errors="The worst errors",
        false_matches="No matches, yet above the cutoff; highest scores first",
        missed="Matches, yet not above the cutoff; lowest scores first",
        flips="Pairs whose decision changes",
        jd="JD",
        resume="résumé text",
        score="score",
        label="label",
        labels=("no match", "match"),
        right_now="new decision",
        yes_no=("right", "wrong"),
        more="{n} more are not listed.",
        none="None.",
        groups="By {by}",
        probability="From score to probability",
        no_probability="Too few labels to give probabilities of a match.",
        at_cutoffs="A score of {phrases} to be a match.",
        evidence="Evidence",
        facts={
            "date": "date",
            "encoder": "encoder",
            "fingerprint": "fingerprint",
            "instruction": "instruction",
            "dimension": "dimension",
            "source": "pairs from",
            "content_hash": "hash of the pairs",
            "resolution": "labels resolved by",
            "cleaning": "cleaning",
            "method": "method",
            "targets": "targets",
            "live": "live pairs",
            "versions": "versions",
        },
    ),
}
