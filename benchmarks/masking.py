"""Measure what masking finds, on lines with known truth and on the documents that ship with the workbench.

    python benchmarks/masking.py            # writes docs/measured/masking.md

The lines are in ``masking.txt``, each number marked by hand. A number counts as found if all of it is masked,
and as what it is; a mask counts as right if it covers some of what was marked as that.
"""

from __future__ import annotations

import re
import time
from collections import Counter
from datetime import date
from pathlib import Path

from workbench.calibration.shares import wilson
from workbench.masking import ID, MAIL, PHONE, _found, mask

ROOT = Path(__file__).parents[1]
KINDS = {"p": PHONE, "m": MAIL, "i": ID}
MARK = re.compile(r"\{([pmi]):([^}]*)\}")
Span = tuple[int, int, str]


def labelled_lines() -> list[tuple[str, str, list[Span]]]:
    """Under which heading a line stands, the line, and what is marked in it."""
    lines, heading = [], "masked"
    for written in (Path(__file__).with_suffix(".txt")).read_text("utf-8").splitlines():
        if written.startswith("# trap: "):
            heading = written.removeprefix("# trap: ")
        if written.startswith("#") or not written:
            continue
        line, spans, at = "", [], 0
        for found in MARK.finditer(written):
            line += written[at : found.start()]
            spans.append((len(line), len(line) + len(found[2]), KINDS[found[1]]))
            line, at = line + found[2], found.end()
        lines.append((heading, line + written[at:], spans))
    return lines


def found_in(line: str) -> list[Span]:
    """What masking finds in a line."""
    from workbench.masking import _WIDE

    return list(_found(line.translate(_WIDE)))


def main() -> None:
    """Measure, and write the page."""
    lines = labelled_lines()
    headings = list(dict.fromkeys(heading for heading, _line, _spans in lines))
    marked, whole, masks, right, missed, wrong = Counter(), Counter(), Counter(), Counter(), [], []
    for heading, line, spans in lines:
        found = found_in(line)
        for start, end, kind in spans:
            is_whole = any(a <= start and end <= b and what == kind for a, b, what in found)
            marked[heading, kind] += 1
            whole[heading, kind] += is_whole
            if not is_whole and heading == headings[0]:
                missed.append(f"`{line[start:end]}`")
        for a, b, what in found:
            is_right = any(a < end and start < b and what == kind for start, end, kind in spans)
            masks[what] += 1
            right[what] += is_right
            if not is_right:
                wrong.append(f"`{line[a:b]}` as {what}")

    def share(n: int, total: int) -> str:
        low, high = wilson(n / total if total else float("nan"), total)
        return f"{n} of {total}, {n / total:.3f} ({float(low):.3f}–{float(high):.3f})" if total else "–"

    rows = []
    for name, kind in (("phone numbers", PHONE), ("e-mail addresses", MAIL), ("ID numbers", ID)):
        recall = share(whole[headings[0], kind], marked[headings[0], kind])
        rows.append(f"| {name} | {recall} | {share(right[kind], masks[kind])} |")
    of_all = [
        sum(whole[headings[0], kind] for kind in KINDS.values()),
        sum(marked[headings[0], kind] for kind in KINDS.values()),
    ]
    rows.append(f"| all | {share(*of_all)} | {share(sum(right.values()), sum(masks.values()))} |")
    hard = [sum(counts[headings[2], kind] for kind in KINDS.values()) for counts in (whole, marked)]
    quiet = [line for heading, line, _spans in lines if heading == headings[1]]
    silent = sum(not found_in(line) for line in quiet)

    texts = [
        path.read_text("utf-8") for path in sorted((ROOT / "labeled_pairs" / "documents").glob("*/*.txt"))
    ]
    began = time.process_time()
    several = Counter(what for text in texts for _a, _b, what in found_in(text))
    taken = time.process_time() - began
    for text in texts:
        assert mask(mask(text)) == mask(text)
    listed = ", ".join(f"{n} {what}" for what, n in several.most_common()) or "none"
    page = f"""# What masking finds

`python benchmarks/masking.py`, {date.today()}; 95 % intervals (Wilson), lines of `benchmarks/masking.txt`

| what | found, whole | masked rightly |
| --- | --- | --- |
{chr(10).join(rows)}

- Of {len(quiet)} lines with nothing to mask (years, wages, versions, order numbers, fingerprints) {silent}
  were left as they are.
- Of {hard[1]} numbers that no rule can know (in words, without a country, without check digits) {hard[0]}
  were found.
- Missed: {", ".join(missed) or "none"}. Masked wrongly: {", ".join(wrong) or "none"}.
- In the {len(texts)} documents of `labeled_pairs/documents` ({sum(map(len, texts)):,} characters, invented):
  {listed}; {1000 * taken / len(texts):.1f} s of one core for 1,000 documents.

Names, addresses, birthdays, accounts and numbers in pictures are not found. The lines were written by whoever
wrote the rules, before the first run; after it, and after a look at these documents, one rule was added: two
numbers of as many digits, or with a stroke between them, are a range. Expect less on other texts.

`presidio-analyzer`, which also looks for names, was weighed and left out: 299 MB in 49 packages, without the
language models that it needs, beside 28 MB of `phonenumbers` and `python-stdnum`; and it knows no Chinese ID
number.
"""
    (ROOT / "docs" / "measured" / "masking.md").write_text(page, encoding="utf-8")
    print(page)


if __name__ == "__main__":
    main()
