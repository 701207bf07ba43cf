"""How well the splitter finds what a JD asks for: ``python benchmarks/requirement_parts.py``.

Held against the requirements of the demonstration's JDs that were listed for labelling. The list is a
choice: a part that it lacks may still be a requirement. So precision is told twice: of the found parts
those that hold a listed one, and those that stand at or between the first and the last one of their JD.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path

import document_labels
import pandas as pd

import workbench as wb

PAGE = Path(__file__).parents[1] / "docs/measured/requirements.md"
FOLDER = document_labels.FOLDER


def told() -> pd.DataFrame:
    """``jd_id, language, what, is_so``, a row a listed requirement, and two a part that was found."""
    listed = pd.read_csv(FOLDER / "requirements.csv")
    languages = pd.read_csv(FOLDER / "documents.csv").set_index("id")["language"]
    rows = []
    for jd in wb.read_documents(FOLDER / "jds", side="jd", progress=False):
        some = listed[listed["jd_id"] == jd.id]
        spans = [(start := jd.text.index(text), start + len(text)) for text in some["text"]]
        found = [part for part in jd.parts if part.is_asked]
        for (start, end), kind in zip(spans, some["kind"], strict=True):
            over = [part for part in found if part.start < end and part.end > start]
            whole = bool(over) and over[0].start <= start and over[-1].end >= end
            rows.append((jd.id, "a listed requirement is found", whole))
            if over:
                is_must = over[0].kind == "requirement"
                rows.append(
                    (jd.id, "one that is found is rightly must or nice to have", is_must == (kind == "must"))
                )
        for part in found if spans else ():
            holds = any(part.start < end and part.end > start for start, end in spans)
            between = part.end > spans[0][0] and part.start < spans[-1][1]
            rows += [
                (jd.id, "a found one holds a listed one", holds),
                (jd.id, "a found one stands among them", between),
            ]
    table = pd.DataFrame(rows, columns=["jd_id", "what", "is_so"])
    return table.assign(language=table["jd_id"].map(languages))


def main() -> None:
    """Measure, print and write the page."""
    table = told()
    lines = [
        "# Requirements found in JDs\n",
        f"`python benchmarks/requirement_parts.py`, {date.today()}; 95 % intervals by JD\n",
        "| what | English | Chinese | both |\n| --- | --- | --- | --- |",
    ]
    for what, some in table.groupby("what", sort=False):
        cells = [
            f"{document_labels.with_interval(rows, lambda t: float(t['is_so'].mean()))} of {len(rows)}"
            for rows in (some[some["language"] == "en"], some[some["language"] == "zh"], some)
        ]
        lines.append(f"| {what} | {' | '.join(cells)} |")
    text = "\n".join(lines) + "\n"
    PAGE.write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
