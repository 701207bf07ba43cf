"""The table of ratios that README quotes: which rows, in which words, and between which marks.

What stands there is written by ``run.py --readme`` from the committed results; a test holds README to them.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from measuring import Measurement, seconds
from reporting import Result, machine_in_words

__all__ = ["MARKED", "QUOTED", "Quote", "quoted_section", "write_quotes"]

MARKED = re.compile(r"(<!-- benchmarks -->\n)(.*?)(<!-- /benchmarks -->)", re.DOTALL)


@dataclass(frozen=True)
class Quote:
    """A row that README quotes, by parts of its fields that no other row has together.

    Attributes
    ----------
    script, task, size, peer : str
        Whose row it is.
    en, zh : str
        How README says what was done.
    """

    script: str
    task: str
    size: str
    peer: str
    en: str
    zh: str

    def row_in(self, results: Sequence[Result]) -> tuple[Result, Measurement]:
        """The row, with the result that it is in.

        Raises
        ------
        ValueError
            If there is none, or more than one.
        """
        found = [
            (result, row)
            for result in results
            if result.name == self.script
            for row in result.measurements
            if self.task in row.task and self.size in row.size and self.peer in f" {row.peer}"
        ]
        if len(found) != 1:
            raise ValueError(
                f"README quotes the row of {self.script}.py with '{self.task}', '{self.size}' and "
                f"'{self.peer}' in it, and {len(found)} rows have them."
            )
        return found[0]


QUOTED = (
    Quote(
        "peers",
        "exact, one query",
        "",
        "whole numbers",
        "Exact search among 100,000 vectors of 512, one query",
        "在 100,000 个 512 维向量中精确检索，单条查询",
    ),
    Quote("peers", "exact, one query", "", "vecdot", "The same", "同上"),
    Quote("peers", "exact, 64 queries", "", "torch", "64 queries at once", "一次 64 条查询"),
    Quote(
        "peers",
        "approximate, one query",
        "",
        "turbovec",
        "Approximate search among them (recall@10 at least 0.995 on both sides), one query",
        "近似检索（双方 recall@10 均不低于 0.995），单条查询",
    ),
    Quote("peers", "approximate, one query", "", "PQ4", "The same", "同上"),
    Quote("peers", "approximate, 64 queries", "", "turbovec", "64 queries at once", "一次 64 条查询"),
    Quote("peers", "approximate, 64 queries", "", "PQ4", "The same", "同上"),
    Quote(
        "peers",
        "encode one query",
        "",
        "ONNX",
        "Encode one query, all-MiniLM-L6-v2",
        "编码单条查询，all-MiniLM-L6-v2",
    ),
    Quote(
        "encoding",
        "multilingual-e5-small",
        "",
        "batches of",
        "Encode Chinese and English texts in bulk, multilingual-e5-small",
        "批量编码中英文文本，multilingual-e5-small",
    ),
    Quote(
        "encoding",
        ", documents",
        "",
        "batches of",
        "The same, a small Qwen3 (8 layers × 512), JDs",
        "同上，小型 Qwen3（8 层 × 512），JD",
    ),
    Quote("peers", "clusters", "", " hdbscan", "Clusters of 20,000 points", "20,000 个点的聚类"),
    Quote(
        "peers",
        "15 neighbours",
        "",
        "product",
        "Nearest neighbours for a map of 50,000 texts",
        "50,000 条文本地图的最近邻",
    ),
    Quote("peers", "lay out", "", "pacmap", "Lay out 50,000 texts", "50,000 条文本的布局"),
    Quote(
        "bootstrap",
        "bootstrap of precision and recall",
        "",
        "",
        "Precision and recall at every cutoff, 500 pairs, 10,000 resamples",
        "500 对标注、10,000 次重抽样，每个阈值的精确率与召回率",
    ),
    Quote(
        "calibration",
        "cutoff with guaranteed precision",
        "5,000 pairs",
        "",
        "Cutoff with guaranteed precision, 5,000 pairs",
        "有保证的阈值，5,000 对标注",
    ),
)
HEADS = {
    "en": ("Task", "Here", "Against", "Times faster"),
    "zh": ("任务", "本项目", "对照", "快几倍"),
}
SOURCES = {
    "en": "Medians of rounds in turns, with their 95 % intervals (of fewer than six rounds, their range); "
    "below 1 the other is faster. Measured on {machine}, {date}; `make bench` measures anew, in 15 minutes; "
    "all rows: [benchmarks/results/RESULTS.md](benchmarks/results/RESULTS.md).",
    "zh": "双方交替运行，取各轮比值的中位数，括号内为 95 % 区间（不足六轮时为全部范围）；"
    "小于 1 表示对照更快。测于 {date}，{machine}；`make bench` 用 15 分钟重新测量，全部结果见 "
    "[benchmarks/results/RESULTS.md](benchmarks/results/RESULTS.md)。",
}


def quoted_section(results: Sequence[Result], language: str = "en") -> str:
    """The table that stands between README's two marks.

    Raises
    ------
    ValueError
        If a row that is to be quoted was not measured, or is not one row.
    """
    task, here, against, faster = HEADS[language]
    lines = [f"| {task} | {here} | {against} | {faster} |", "|---|---:|---|---:|"]
    used = []
    for quote in QUOTED:
        result, row = quote.row_in(results)
        used.append(result)
        lines.append(
            f"| {quote.zh if language == 'zh' else quote.en} | {seconds(row.ours_seconds)} "
            f"| {row.peer}: {seconds(row.peer_seconds)} | {row.faster} |"
        )
    machines = list(dict.fromkeys(machine_in_words(result.machine) for result in used))
    dates = sorted({result.date for result in used})
    date = dates[0] if len(dates) == 1 else f"{dates[0]} – {dates[-1]}"
    source = SOURCES[language].format(machine=" / ".join(machines), date=date)
    return "\n".join([*lines, "", source, ""])


def write_quotes(readme: Path, results: Sequence[Result]) -> bool:
    """Renew the section between README's marks, in README's language; False where it has no marks."""
    text = readme.read_text(encoding="utf-8")
    if not MARKED.search(text):
        return False
    section = quoted_section(results, "zh" if ".zh" in readme.name else "en")
    renewed = MARKED.sub(lambda marks: marks[1] + section + marks[3], text)
    readme.write_text(renewed, encoding="utf-8")
    return True
