"""Damaged files for every reader and import: each gives a value or an error of ours, and soon.

``python tests/fuzz.py --minutes 60`` goes on for so long, and writes what it found as JSON.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import random
import signal
import sys
import tempfile
import time
import traceback
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from email.message import EmailMessage
from functools import cache
from pathlib import Path
from typing import Any
from zipfile import ZIP_DEFLATED, BadZipFile, ZipFile

from workbench.documents import aside
from workbench.documents.reading import read_documents
from workbench.errors import WorkbenchError

# Seconds of a processor that one small file may take.
PATIENCE = 10.0
TEXT = "Ward nurse\nRequirements\n1. RN licence; 三年以上经验\n- night shifts\n"
# Numbers, names and marks that mean something somewhere.
PIECES = (
    *(b"\0", b"\xff" * 8, b"\r\n\r\n", b"\xef\xbb\xbf", b"\xff\xfe", b"\xed\xa0\x80", "\u2028".encode()),
    *(b"-1", b"NaN", b"1e999", b"4294967295", b"2147483648", b"99999999999999999999", b"null", b"true"),
    *(b"<", b">", b"&#x110000;", b"&a;", b"<!--", b"]]>", b"<w:p/>", b"<![CDATA["),
    *(b'"', b"'", b"{", b"}", b"[" * 50, b"(" * 50, b"\\u", b"\\bin9999", b"/Kids", b" 0 R", b"endobj"),
    *(b"=?utf-8?b?/?=", b"--b", b"charset=zz", b"%", b",", b"\t", b";"),
)


# What is damaged: small files of every kind, as the libraries write them that people use.


def _word() -> bytes:
    import docx

    made, to = docx.Document(), io.BytesIO()
    made.add_heading("Ward nurse")
    for line in TEXT.splitlines():
        made.add_paragraph(line, style="List Bullet" if line[0] == "-" else None)
    table = made.add_table(2, 2)
    table.cell(0, 0).merge(table.cell(0, 1)).text = "merged"
    made.sections[0].header.paragraphs[0].text = "Page"
    made.save(to)
    return to.getvalue()


def _workbook() -> bytes:
    import openpyxl

    made, to = openpyxl.Workbook(), io.BytesIO()
    for row in (["jd", "resume", "label"], ["Nurse", "Ward nurse", 1], ["Nurse", "Chef", 0]):
        made.active.append(row)
    made.active.merge_cells("A2:A3")
    made.create_sheet("other").append(["x"])
    made.save(to)
    return to.getvalue()


def _open_document(kind: str) -> bytes:
    from odfdo import Document, Header, List, Paragraph, Table

    made, to = Document(kind), io.BytesIO()
    table = Table("T")
    table.set_values([["text", "id"], ["a ward nurse by night", 1], ["a cook by day", 2]])
    if kind == "text":
        made.body.clear()
        made.body.extend([Header(1, "Nurse"), Paragraph(TEXT), List(["RN licence"])])
    else:
        made.body.clear()
    made.body.append(table)
    made.save(to)
    return to.getvalue()


def _pdf() -> bytes:
    from reportlab.pdfgen.canvas import Canvas

    to = io.BytesIO()
    canvas = Canvas(to, pageCompression=0)
    for line in range(6):
        canvas.drawString(40, 700 - 15 * line, "a ward nurse by night")
    canvas.acroForm.textfield(name="name", x=40, y=500, value="Li")
    canvas.showPage()
    canvas.drawString(40, 700, "page two")
    canvas.save()
    return to.getvalue()


def _picture(kind: str) -> bytes:
    from PIL import Image

    to = io.BytesIO()
    Image.new("RGB", (24, 16), "white").save(to, kind)
    return to.getvalue()


def _message(**attached: bytes) -> bytes:
    made = EmailMessage()
    made["Subject"], made["From"], made["To"] = "申请 ward nurse", "li@mail.example", "hr@mail.example"
    made.set_content(TEXT)
    made.add_alternative(f"<html><body><p>{TEXT}</p><table><tr><td>a<td>b</table></body></html>", "html")
    for name, content in attached.items():
        made.add_attachment(content, maintype="application", subtype="octet-stream", filename=name)
    return made.as_bytes()


def _zip(**members: bytes) -> bytes:
    to = io.BytesIO()
    with ZipFile(to, "w", ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return to.getvalue()


def _parquet() -> bytes:
    import pandas as pd

    to = io.BytesIO()
    pd.DataFrame(
        {"jd": ["Nurse"] * 3, "resume": ["a nurse", "a chef", "a cook"], "label": [1, 0, 1]}
    ).to_parquet(to)
    return to.getvalue()


TABLE = 'pair_id,jd,resume,label,annotator\n1,Nurse,Ward nurse,1,王芳\n2,"Nurse, night",Chef,0,li\n'
LINES = (
    '{"jd": "Nurse", "resume": "Ward nurse", "label": 1}\n'
    '{"jd": "Nurse", "resume": "护士", "label": 0, "a": [1]}\n'
)
PAGE = (
    f"<!DOCTYPE html><html><head><style>p {{margin: 1em}}</style></head><body><p>{TEXT}</p>"
    "<ul><li>a<li>b</ul><table><tr><td colspan=2>a<td>b</table><pre>x  y</pre></body></html>"
)
RICH = (
    "{\\rtf1\\ansi\\ansicpg1252{\\fonttbl{\\f0 Arial;}}\\b Ward\\b0  nurse\\par\\u24037?\\u20316?\\'e9"
    "{\\*\\x y}{\\pict 00ff}\\par night}"
)
TASKS = [
    {
        "id": 1,
        "data": {"pair_id": "1", "jd": "Nurse", "resume": "Ward nurse", "group": "a"},
        "annotations": [
            {
                "completed_by": {"id": 1, "email": "li@mail.example"},
                "was_cancelled": False,
                "created_at": "2026-01-01T00:00:00Z",
                "result": [
                    {"from_name": "label", "type": "choices", "value": {"choices": ["match"]}},
                    {"from_name": "note", "type": "textarea", "value": {"text": ["a note"]}},
                ],
            }
        ],
    },
    {"id": 2, "data": {"jd": "Nurse", "resume": "Chef"}, "annotations": []},
]
RECORDS = [
    {
        "id": "1",
        "fields": {"jd": "Nurse", "resume": "Ward nurse"},
        "metadata": {"group": "a"},
        "responses": {
            "label": [{"value": "match", "user_id": "u-1"}],
            "note": [{"value": "x", "user_id": "u-1"}],
        },
    },
    {
        "id": "2",
        "fields": {"jd": "Nurse", "resume": "Chef"},
        "responses": [{"user_id": "u", "values": {"label": {"value": "no match"}}}],
    },
]
CARD = {
    "pairs": {"n": 100, "n_positive": 40, "reading": {"documents": 0}},
    "live": {"prevalence": 0.4},
    "figures": {
        "precision": {"value": 0.9, "low": 0.8, "high": 0.95},
        "recall": {"value": 0.5, "low": 0.4, "high": 0.6},
    },
}


@cache
def samples() -> dict[str, bytes]:
    """A sound file of each kind, by its suffix."""
    word, text = _word(), TEXT.encode()
    return {
        ".docx": word,
        ".xlsx": _workbook(),
        ".ods": _open_document("spreadsheet"),
        ".odt": _open_document("text"),
        ".pdf": _pdf(),
        ".rtf": RICH.encode(),
        ".html": PAGE.encode(),
        ".txt": text,
        ".md": text,
        ".csv": TABLE.encode(),
        ".tsv": TABLE.replace(",", "\t").encode(),
        ".jsonl": LINES.encode(),
        ".eml": _message(**{"cv.docx": word, "cv.txt": text}),
        ".zip": _zip(**{"a.txt": text, "b/c.docx": word, "d.zip": _zip(**{"e.txt": text})}),
        ".png": _picture("PNG"),
        ".jpg": _picture("JPEG"),
        ".tiff": _picture("TIFF"),
        ".webp": _picture("WEBP"),
        ".parquet": _parquet(),
        ".json": json.dumps(TASKS).encode(),
    }


# How it is damaged.


def damaged(content: bytes, chance: random.Random) -> bytes:
    """Other bytes, fewer, pieces put in, taken out, doubled or moved; in a zip mostly inside its members."""
    if content.startswith(b"PK") and chance.random() < 0.8:
        with contextlib.suppress(
            BadZipFile, OSError, NotImplementedError, EOFError, RuntimeError, ValueError
        ):
            return _with_damaged_member(content, chance)
    found = bytearray(content)
    for _ in range(chance.choice((1, 1, 2, 4, 16))):
        at = chance.randrange(len(found) + 1)
        end = min(len(found), at + chance.choice((1, 2, 8, 64, 512)))
        match chance.randrange(8):
            case 0 | 1 if at < len(found):
                found[at] ^= 1 << chance.randrange(8)
            case 2:
                found[at:at] = chance.choice(PIECES)
            case 3:
                found[at:end] = chance.choice(PIECES)
            case 4:
                del found[at:end]
            case 5:
                found[at:at] = found[at:end] * chance.choice((1, 3, 50))
            case 6:
                other = chance.randrange(len(found) + 1)
                found[at:end] = found[other : other + end - at]
            case 7 if chance.random() < 0.3:
                del found[at:]
    return bytes(found)


def _with_damaged_member(content: bytes, chance: random.Random) -> bytes:
    to = io.BytesIO()
    with ZipFile(io.BytesIO(content)) as old, ZipFile(to, "w", ZIP_DEFLATED) as new:
        names = old.namelist()
        bad, other = chance.choice(names), chance.choice(names)
        act = chance.randrange(6)
        for name in names:
            if name != bad:
                new.writestr(name, old.read(name))
            elif act == 0:
                new.writestr(name, old.read(other))
            elif act > 1:
                new.writestr(name, damaged(old.read(name), chance))
        if act == 5:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                new.writestr(other, old.read(bad))
    return to.getvalue()


ODD = (
    None,
    True,
    0,
    -1,
    10**30,
    1.5,
    float("nan"),
    float("inf"),
    "",
    "x",
    "\ud800",
    "\0",
    "\u2028",
    [],
    {},
    [None],
    {"": None},
    [[]],
    "1" * 5000,
)


def altered(value: Any, chance: random.Random) -> Any:
    """The value with one of its places, at any depth, replaced, taken out, or put deeper."""
    if isinstance(value, dict) and value and chance.random() < 0.85:
        key = chance.choice(list(value))
        rest = {name: each for name, each in value.items() if name != key}
        match chance.randrange(12):
            case 0:
                return rest
            case 1:
                return {**rest, str(chance.choice(ODD)): value[key]}
        return {**value, key: altered(value[key], chance)}
    if isinstance(value, list) and value and chance.random() < 0.85:
        at = chance.randrange(len(value))
        return [*value[:at], altered(value[at], chance), *value[at + chance.randrange(2) :]]
    return chance.choice((*ODD, value, [value], {"value": value}, _nested(value, 200)))


def _nested(value: Any, n: int) -> Any:
    for _ in range(n):
        value = [value]
    return value


# Who reads it.


def _written(folder: Path, name: str, content: bytes) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def _documents(suffix: str) -> Callable[[Path, random.Random], object]:
    column = "resume" if suffix in (".xlsx", ".csv", ".tsv", ".jsonl") else None

    def read(folder: Path, chance: random.Random) -> object:
        path = _written(folder, f"a{suffix}", damaged(samples()[suffix], chance))
        return read_documents(path, text_column=column)

    return read


def _pairs(suffix: str) -> Callable[[Path, random.Random], object]:
    def read(folder: Path, chance: random.Random) -> object:
        from workbench.pairs import read_pairs

        return read_pairs(_written(folder, f"a{suffix}", damaged(samples()[suffix], chance)))

    return read


def _set(folder: Path, chance: random.Random) -> object:
    from workbench.pairs import read_pairs

    log = b'{"at": "2026-01-01T00:00:00Z", "action": "label", "pair_id": "1", "label": 1, "note": "x"}\n' * 2
    files = {
        "pairs.csv": b"pair_id,jd,resume,group\n1,Nurse,Ward nurse,a\n2,Nurse,Chef,b\n",
        "annotations.csv": b"pair_id,annotator,label,labelled_at,note\n1,li,1,2026-01-01,\n2,li,0,,x\n",
        "annotations/wang.jsonl": log,
    }
    bad = chance.choice(list(files))
    if bad.endswith("jsonl") and chance.random() < 0.6:
        files[bad] = json.dumps(altered(json.loads(log.splitlines()[0]), chance)).encode() + b"\n"
    else:
        files[bad] = damaged(files[bad], chance)
    for name, content in files.items():
        _written(folder, name, content)
    return read_pairs(folder)


def _document_set(folder: Path, chance: random.Random) -> object:
    from workbench.pairs import read_pairs

    files = {
        "jds/j1.txt": TEXT.encode(),
        "resumes/r1.txt": b"a ward nurse",
        "resumes/r2.txt": b"a cook",
        "pairs_li.csv": b"jd_id,resume_id,rating,note\nj1,r1,3,\nj1,r2,0,x\n",
        "documents.csv": b"id,family,language\nj1,care,en\nr1,care,en\nr2,cook,zh\n",
        "requirements.csv": b"jd_id,requirement_id,kind,text\nj1,j1-r01,must,licence\n",
        "coverage_li.csv": b"jd_id,requirement_id,resume_id,covered,phrase\nj1,j1-r01,r1,yes,a\n",
    }
    bad = chance.choice(list(files))
    for name, content in files.items():
        _written(folder, name, damaged(content, chance) if name == bad else content)
    return read_pairs(folder, level=chance.choice(("pair", "requirement")))


def _import(kind: str, sound: list[Any]) -> Callable[[Path, random.Random], object]:
    def read(folder: Path, chance: random.Random) -> object:
        import workbench.pairs as pairs

        content = json.dumps(sound).encode()
        if chance.random() < 0.8:
            content = json.dumps(altered(altered(sound, chance), chance)).encode()
        else:
            content = damaged(content, chance)
        return getattr(pairs, f"read_{kind}")(_written(folder, "a.json", content))

    return read


def _card(folder: Path, chance: random.Random) -> object:
    from workbench import cutoffs

    cutoff = cutoffs.Cutoff(0.4, "use", "abc", CARD)
    card = cutoff.to_dict()
    del card["digest"]
    if chance.random() < 0.8:
        card = altered(card, chance)
        with contextlib.suppress(ValueError, TypeError):
            card = {**card, "digest": cutoffs._digest(card)}
    content = json.dumps(card).encode()
    path = _written(folder, "card.json", content if chance.random() < 0.8 else damaged(content, chance))
    card = cutoffs.Cutoff.load(path)
    said = [card.origin(), card.holds_for(), card.is_of_lines, card.is_demonstration, card.to_dict()]
    return [*said, *(card.figure(name) for name in ("precision", "recall", "false_omission_rate"))]


TARGETS: dict[str, Callable[[Path, random.Random], object]] = {
    **{
        f"documents{suffix}": _documents(suffix)
        for suffix in samples()
        if suffix not in (".parquet", ".json")
    },
    **{f"pairs{suffix}": _pairs(suffix) for suffix in (".csv", ".tsv", ".jsonl", ".xlsx", ".parquet")},
    "pairs/": _set,
    "whole documents/": _document_set,
    "label studio": _import("label_studio", TASKS),
    "argilla": _import("argilla", RECORDS),
    "cutoff card": _card,
}


# Sound pictures, without a word in them.
REFUSED = {f"documents{suffix}": ("InputError",) for suffix in (".png", ".jpg", ".tiff", ".webp")}


class Slow(BaseException):
    """It takes too long."""


@contextlib.contextmanager
def within(seconds: float) -> Iterator[None]:
    """Raise :class:`Slow` after so many seconds of a processor."""

    def late(*_signal: object) -> None:
        raise Slow

    before = signal.signal(signal.SIGPROF, late)
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


def tried(name: str, seed: int) -> str | None:
    """Read a damaged file: None where that gives a value, else the name of our error.

    Raises
    ------
    Exception
        Any other: a finding.
    """
    chance = random.Random(f"{name} {seed}")
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings(), within(PATIENCE):
        warnings.simplefilter("ignore")
        try:
            TARGETS[name](Path(folder), chance)
        except WorkbenchError as error:
            return type(error).__name__
    return None


def here() -> None:
    """Read everything in this process, where a finding has its traceback."""
    aside.HEAVY, aside.LIGHT = (), 2**40


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=1.0)
    parser.add_argument("--only", nargs="*", default=list(TARGETS))
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path)
    asked = parser.parse_args()
    here()
    counts: dict[str, Counter[str]] = {name: Counter() for name in asked.only}
    findings: dict[str, str] = {}
    start, seed = time.monotonic(), asked.seed
    while time.monotonic() - start < 60 * asked.minutes:
        for name in asked.only:
            try:
                counts[name][tried(name, seed) or "read"] += 1
            except (Exception, Slow) as error:
                counts[name]["found"] += 1
                frames = traceback.extract_tb(error.__traceback__)
                ours = next((f for f in reversed(frames) if "/workbench/" in f.filename), frames[-1])
                place = f"{name}: {type(error).__name__} at {Path(ours.filename).name}:{ours.lineno}"
                if place not in findings:
                    findings[place] = f"seed {seed}: {error!s:.200}"
                    print(place, findings[place], flush=True)
        seed += 1
        took = {"seconds": time.monotonic() - start, "cpu_seconds": time.process_time()}
        if asked.out:
            # After each round: an hour that is stopped in its last minute has told of the others.
            result = {**took, "counts": counts, "findings": findings}
            asked.out.write_text(json.dumps(result, indent=1, ensure_ascii=False) + "\n", "utf-8")
    print(
        json.dumps(
            {**took, "tries": sum(sum(each.values()) for each in counts.values()), "findings": len(findings)}
        )
    )
    sys.exit(bool(findings))


if __name__ == "__main__":
    main()
