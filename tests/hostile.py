"""Files that are small, or within the limit of an upload, and hold without end; and what reading one takes.

``python tests/hostile.py [name ...]`` makes and reads them all, each in a process of its own, and prints a
line of JSON for each. Those called ``real`` people have: they must be read.
"""

from __future__ import annotations

import json
import re
import struct
import subprocess
import sys
import tempfile
import time
import zlib
from collections.abc import Callable, Iterator, Sequence
from io import BytesIO
from pathlib import Path
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile

MEGABYTE = 2**20
# What one file may take: megabytes of both processes, and seconds on the clock or of a processor, whichever
# are less: a busy machine adds to the one, several threads to the other.
MOST_MEGABYTES, MOST_SECONDS = 500, 60


def read(kind: str, path: Path) -> dict[str, Any]:
    """Read a file as a page does with an upload, in a new process; peaks of parent and child are summed."""
    before = time.monotonic()
    command = [sys.executable, __file__, "--read", kind, str(path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600)
    seconds = time.monotonic() - before
    *said, took = done.stdout.splitlines() or [f"no answer, exit code {done.returncode}\n", "nan nan"]
    megabytes, processor = map(float, took.split())
    return {"said": "\n".join(said), "megabytes": megabytes, "seconds": min(seconds, processor)}


def read_here(kind: str, path: str) -> None:
    import resource

    from workbench.documents import read_documents
    from workbench.pairs import read_label_studio, read_pairs

    try:
        reader = {"pairs": read_pairs, "tasks": read_label_studio}.get(kind, read_documents)
        found = reader(path)
        said = found.summary() if kind not in ("pairs", "tasks") else f"{len(found)} pairs"
    except Exception as error:
        said = f"{type(error).__name__}: {str(error)[:300]}"
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    # Of this process not `getrusage`, which counts what took that started it.
    peak = int(Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0])
    print(said)
    print(
        f"{(peak + used[1].ru_maxrss) / 1024:.0f} {sum(each.ru_utime + each.ru_stime for each in used):.1f}"
    )


# How they are made.


def pieces(start: bytes, piece: bytes, times: int, end: bytes = b"") -> Iterator[bytes]:
    yield start
    many = max(1, min(times, MEGABYTE // len(piece)))
    for _ in range(times // many):
        yield piece * many
    yield piece * (times % many) + end


def written(path: Path, start: bytes, piece: bytes, times: int, end: bytes = b"") -> Path:
    with path.open("wb") as file:
        file.writelines(pieces(start, piece, times, end))
    return path


Put = tuple[str, bytes, bytes, bytes, int, bytes]


def grown(path: Path, **put: Put) -> Path:
    """A sound file of its kind; each `put`: member, place before which it grows, start, piece, times, end."""
    import fuzz

    into = {member: rest for member, *rest in put.values()}
    with (
        ZipFile(BytesIO(fuzz.samples()[path.suffix])) as old,
        ZipFile(path, "w", ZIP_DEFLATED, compresslevel=1) as new,
    ):
        for name in dict.fromkeys((*old.namelist(), *into)):
            place, start, piece, times, end = into.get(name, (b"<", b"", b" ", 0, b""))
            before, at, after = (old.read(name) if name in old.namelist() else b"").partition(place)
            with new.open(name, "w", force_zip64=True) as file:
                for each in pieces(before + start, piece, times, end):
                    file.write(each)
                # An end that closes all replaces the rest.
                file.write(b"" if end.endswith((b"</worksheet>", b"</w:document>")) else at + after)
    return path


def word(folder: Path, piece: bytes, times: int, end: bytes = b"") -> Path:
    return grown(folder / "a.docx", body=("word/document.xml", b"<w:sectPr", b"", piece, times, end))


def sheet(folder: Path, piece: bytes, times: int, end: bytes = b"", **more: Put) -> Path:
    rows = ("xl/worksheets/sheet1.xml", b"</sheetData>", b"", piece, times, end)
    links = ("xl/_rels/workbook.xml.rels", b"</Relationships>", b"", LINK, 1, b"")
    return grown(folder / "a.xlsx", **({"shared": SHORT, "links": links, "rows": rows} | more))


def open_document(path: Path, piece: bytes, times: int, start: bytes = b"", end: bytes = b"") -> Path:
    place = b"</table:table>" if path.suffix == ".ods" else b"</office:text>"
    return grown(path, body=("content.xml", place, start, piece, times, end))


def ods_row(repeated: int, text: bytes) -> bytes:
    return (
        b'<table:table-row table:number-rows-repeated="%d"><table:table-cell office:value-type="string">'
        b"<text:p>%s</text:p></table:table-cell></table:table-row>" % (repeated, text)
    )


def laughs(folder: Path) -> Path:
    """Entities in entities."""
    entities = b"".join(b'<!ENTITY l%d "%s">' % (n, b"&l%d;" % (n - 1) * 10) for n in range(1, 10))
    start = b'<!DOCTYPE d [<!ENTITY l0 "ha">%s]>' % entities
    main = b"http://schemas.openxmlformats.org/wordprocessingml/2006/main"
    body = b'<w:document xmlns:w="%s"><w:body><w:p><w:r><w:t>&l9;</w:t></w:r></w:p></w:body>' % main
    end = body + b"</w:document>"
    return grown(folder / "a.docx", body=("word/document.xml", b"<w:document", start, b" ", 1, end))


def xls(path: Path, records: list[tuple[int, bytes]]) -> Path:
    """A workbook of Excel 97 ([MS-XLS], [MS-CFB]) with these records as its only sheet."""

    def said(*records: tuple[int, bytes]) -> bytes:
        return b"".join(struct.pack("<HH", kind, len(body)) + body for kind, body in records)

    begin, end = struct.pack("<HHHHII", 0x0600, 5, 0, 0, 0, 0), (0x0A, b"")
    start = len(said((0x809, begin), (0x85, bytes(9)), end))
    book = said((0x809, begin), (0x85, struct.pack("<IHBB", start, 0, 1, 0) + b"S"), end)
    book += said((0x809, begin[:2] + b"\x10" + begin[3:]), *records, end)
    n = max(8, -(-len(book) // 512))
    table = struct.pack("<128i", -3, -2, *range(3, n + 2), -2, *[-1] * (126 - n))

    def entry(name: str, kind: int, child: int, first: int, size: int) -> bytes:
        coded = name.encode("utf-16-le")
        head = coded.ljust(64, b"\0") + struct.pack("<HBBiii", len(coded) + 2, kind, 1, -1, -1, child)
        return head.ljust(116, b"\0") + struct.pack("<iQ", first, size)

    folder = entry("Root Entry", 5, 1, -2, 0) + entry("Workbook", 2, -1, 2, n * 512) + bytes(256)
    head = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(16) + struct.pack("<HHHHH", 62, 3, 0xFFFE, 9, 6)
    head += bytes(10) + struct.pack("<iiIIiiii", 1, 1, 0, 4096, -2, 0, -2, 0)
    head += struct.pack("<109i", 0, *[-1] * 108)
    path.write_bytes(head + table + folder + book.ljust(n * 512, b"\0"))
    return path


def pdf(
    path: Path,
    pages: int,
    contents: bytes = b"BT /F 12 Tf 20 100 Td (Nurse) Tj ET",
    more: Sequence[bytes] = (),
    root: bytes = b"",
    filters: bytes = b"/FlateDecode",
    filler: bytes = b"",
) -> Path:
    """A PDF of equal pages, with more objects from number 5 on."""
    first, packed = 5 + len(more), zlib.compress(contents)
    kids = b" ".join(b"%d 0 R" % n for n in range(first, first + pages))
    page = b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 200 200]/Contents 4 0 R/Resources<</Font<</F 3 0 R>>>>>>"
    bodies = [
        b"<</Type/Catalog/Pages 2 0 R%s>>" % root,
        b"<</Type/Pages/Count %d/Kids[%s]>>" % (pages, kids),
        b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
        b"<</Length %d/Filter[%s]>>stream\n%s\nendstream" % (len(packed), filters, packed),
        *more,
        *[page] * pages,
    ]
    with path.open("wb") as file:
        file.write(b"%PDF-1.5\n")
        places = []
        for number, body in enumerate(bodies, 1):
            places.append(file.tell())
            file.write(b"%d 0 obj\n%s\nendobj\n" % (number, body))
        file.write(filler)
        start, size = file.tell(), len(places) + 1
        file.write(b"xref\n0 %d\n0000000000 65535 f \n" % size)
        file.write(b"".join(b"%010d 00000 n \n" % place for place in places))
        file.write(b"trailer<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF" % (size, start))
    return path


def fields_tree(folder: Path) -> Path:
    """Each field has the next one's two times as kids: 2^40 paths."""
    fields = [b"<</T(f)/Kids[%d 0 R %d 0 R]>>" % (6 + at, 6 + at) for at in range(40)]
    leaf = b"<</FT/Tx/T(x)/V(y)>>"
    return pdf(folder / "a.pdf", 1, more=[*fields, leaf], root=b"/AcroForm<</Fields[5 0 R]>>")


def zipped(path: Path, times: int, **members: bytes) -> Path:
    """Each member so often."""
    with ZipFile(path, "w", ZIP_DEFLATED, compresslevel=1) as archive:
        for n in range(times):
            for name, content in members.items():
                archive.writestr(f"{n}.{name}", content)
    return path


def zip_in_zips(folder: Path) -> Path:
    """A hundred zips of five files of 95 MB each: 47 GB from 50 kB, each within its own bound."""
    inner = zipped(folder / "inner.zip", 5, txt=bytes(95 * MEGABYTE)).read_bytes()
    return zipped(folder / "a.zip", 100, zip=inner)


def pages_of_text(path: Path, pages: int) -> Path:
    lines = b"".join(b"(a ward nurse by night, for three years) Tj 0 -4 Td " for _ in range(45))
    return pdf(path, pages, contents=b"BT /F 4 Tf 9 190 Td " + lines + b"ET")


def picture(path: Path, width: int, height: int, mode: str = "RGBA") -> Path:
    from PIL import Image

    Image.MAX_IMAGE_PIXELS = None
    Image.new(mode, (width, height), "white").save(path)
    return path


def repeated(path: Path) -> Path:
    """A text of a megabyte that stands in a hundred thousand rows, and in the file once."""
    import pyarrow as pa
    from pyarrow import parquet

    text = pa.DictionaryArray.from_arrays(pa.array([0] * 100_000, pa.int32()), ["nurse " * 170_000])
    table = pa.table({"jd": text, "resume": text, "label": [1, 0] * 50_000})
    parquet.write_table(table, path, store_schema=False)
    return path


FULL_LINE = "Looked after ventilated patients by night, kept records, led a team of five nurses"


def scan(path: Path, pages: int, lines: int = 10, text: str = "A ward nurse by night") -> Path:
    """As a scanner gives it: A4 at 300 dpi."""
    from PIL import Image, ImageDraw, ImageFont

    page, font = Image.new("L", (2480, 3508), "white"), ImageFont.load_default(50)
    for line in range(lines):
        ImageDraw.Draw(page).text((200, 200 + 70 * line), text, fill=0, font=font)
    page.save(path, save_all=True, append_images=[page] * (pages - 1), resolution=300)
    return path


def long_word(path: Path) -> Path:
    """A hundred pages of text, and nine megabytes of pictures."""
    import random

    line = b"<w:p><w:r><w:t>%s</w:t></w:r></w:p>" % (b"a ward nurse by night " * 5)
    word(path.parent, line, 5_000).rename(path)
    with ZipFile(path, "a") as archive:
        archive.writestr("word/media/photo.png", random.Random(1).randbytes(9 * MEGABYTE))
    return path


ROW = b'<row><c t="s"><v>0</v></c></row>'
KIND = b"http://schemas.openxmlformats.org/officeDocument/2006/relationships"
SHARED = b'<sst xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><si><t>'
SHORT = ("xl/sharedStrings.xml", b"<", SHARED, b"a ward nurse", 1, b"</t></si></sst>")
LONG = ("xl/sharedStrings.xml", b"<", SHARED, b"ward nurse ", 3_000_000, b"</t></si></sst>")
MANY = ("xl/sharedStrings.xml", b"<", SHARED, b"x</t></si><si><t>", 12_000_000, b"</t></si></sst>")
LINK = b'<Relationship Id="s" Type="%s/sharedStrings" Target="sharedStrings.xml"/>' % KIND
SHEETS = b'<sheet xmlns:r="%s" name="S" sheetId="1" r:id="rId1"/>' % KIND
MERGES = b"</sheetData><mergeCells>%s</mergeCells></worksheet>" % (b'<mergeCell ref="A1:A9999"/>' * 100_000)
SPAN = b'<w:tc><w:tcPr><w:gridSpan w:val="1000000000"/></w:tcPr><w:p><w:r><w:t>x</w:t></w:r></w:p></w:tc>'
RELATION = b'<Relationship Id="r" Type="%s/styles" Target="a"/>' % KIND
RELATIONS = ("word/_rels/document.xml.rels", b"</Relationships>", b"", RELATION, 3_000_000, b"")
CELL = b'<row r="1048576"><c r="XFD1048576"><v>1</v></c></row>'
NESTED = b"<w:tbl><w:tr><w:tc>", b"</w:tc></w:tr></w:tbl>"
HOSTILE: dict[str, Callable[[Path], Path]] = {
    "docx_paragraphs": lambda at: word(at, b"<w:p><w:r><w:t>ward</w:t></w:r></w:p>", 10_000_000),
    "docx_elements": lambda at: word(at, b"<w:b/>", 5_300_000),
    "docx_relations": lambda at: grown(at / "a.docx", relations=RELATIONS),
    "docx_nested_tables": lambda at: word(at, NESTED[0], 200_000, NESTED[1] * 200_000),
    "docx_span": lambda at: word(at, b"<w:tbl><w:tr>%s</w:tr></w:tbl>" % SPAN, 2),
    "docx_laughs": laughs,
    "xlsx_rows": lambda at: sheet(at, ROW, 15_000_000),
    "xlsx_shared_texts": lambda at: sheet(at, ROW, 2, shared=MANY),
    "xlsx_long_shared_text": lambda at: sheet(at, ROW, 20_000, shared=LONG),
    "xlsx_merged": lambda at: sheet(at, ROW, 100_000, MERGES),
    "xlsx_last_cell": lambda at: sheet(at, CELL, 1),
    "xlsx_sheets": lambda at: sheet(
        at, ROW, 2, sheets=("xl/workbook.xml", b"</sheets>", b"", SHEETS, 1_700_000, b"")
    ),
    "xls_last_cell": lambda at: xls(
        at / "a.xls",
        [(0x203, struct.pack("<HHHd", *place, 0, 1.0)) for place in ((0, 0), (65535, 255))],
    ),
    "ods_rows_repeated": lambda at: open_document(at / "a.ods", ods_row(2 * 10**9, b"a ward nurse"), 1),
    "ods_long_text_repeated": lambda at: open_document(
        at / "a.ods", ods_row(10**5, b"ward nurse " * 20_000), 1
    ),
    "odt_elements": lambda at: open_document(
        at / "a.odt", b"<text:s/>", 3_000_000, b"<text:p>", b"</text:p>"
    ),
    "odt_spaces": lambda at: open_document(
        at / "a.odt", b'<text:p>a<text:s text:c="2000000000"/>b</text:p>', 1
    ),
    "pdf_pages": lambda at: pdf(at / "a.pdf", 50_000),
    "pdf_stream": lambda at: pdf(at / "a.pdf", 1, contents=b"q Q " * 50_000_000),
    "pdf_fields_tree": fields_tree,
    "pdf_large": lambda at: pdf(at / "a.pdf", 1, filler=b"% " + b"x" * 490_000_000 + b"\n"),
    "pdf_runs": lambda at: pdf(
        at / "a.pdf", 1, contents=b"\x81 " * 30_000_000, filters=b"/FlateDecode/RunLengthDecode"
    ),
    "html_deep": lambda at: written(
        at / "a.html", b"<html><body>Nurse", b"<div>", 10**6, b"ward" + b"</div>" * 10**6
    ),
    "html_spans": lambda at: written(
        at / "a.html",
        b"<html><table>",
        b'<tr><td colspan="1000000000" rowspan="1000000000">Nurse</td></tr>',
        3,
    ),
    "rtf_groups": lambda at: written(at / "a.rtf", b"{\\rtf1 Nurse", b"{\\b ", 10**7, b"ward" + b"}" * 10**7),
    "txt_large": lambda at: written(at / "a.txt", b"", b"a ward nurse by night\n", 22_000_000),
    "csv_rows": lambda at: written(at / "a.csv", b"id,text\n", b"1,ward nurse\n", 38_000_000),
    "csv_long_texts": lambda at: written(
        at / "a.csv", b"id,text\n", b"1," + "夜班护士".encode() * 2000 + b"\n", 20_000
    ),
    "csv_columns": lambda at: written(
        at / "a.csv", b"text" + b",b" * 100 + b"\n", b"x" + b",1" * 100 + b"\n", 50_000
    ),
    "jsonl_deep": lambda at: written(
        at / "a.jsonl", b"", b'{"text":%s%s}\n' % (b"[" * 10**5, b"]" * 10**5), 2
    ),
    "eml_nested": lambda at: written(
        at / "a.eml", b"", b"Content-Type: message/rfc822\n\n", 100_000, b"Subject: a\n\nNurse"
    ),
    "eml_parts": lambda at: written(
        at / "a.eml", b'Content-Type: multipart/mixed; boundary="b"\n\n', b"--b\n\nNurse\n", 3 * 10**6
    ),
    "zip_in_zips": zip_in_zips,
    "zip_members": lambda at: zipped(at / "a.zip", 100_000, txt=b""),
    "zip_slow": lambda at: zipped(at / "a.zip", 50, pdf=pages_of_text(at / "b.pdf", 390).read_bytes()),
    "zip_tables": lambda at: zipped(at / "a.zip", 20, csv=b"id,text\n" + b"1,a ward nurse\n" * 90_000),
    "png_huge": lambda at: picture(at / "a.png", 30_000, 30_000, "L"),
    "png_within": lambda at: picture(at / "a.png", 6300, 6300),
    "webp_frames": lambda at: picture(at / "a.webp", 6300, 6300),
    "pairs_csv": lambda at: written(at / "a.csv", b"jd,resume,label\n", b"a,b,1\n", 80_000_000),
    "pairs_jsonl": lambda at: written(
        at / "a.jsonl", b"", b'{"jd":"a","resume":"b","label":1}\n', 14_000_000
    ),
    "pairs_parquet": lambda at: repeated(at / "a.parquet"),
    "pairs_xlsx": lambda at: sheet(at, ROW, 20_000, shared=LONG),
    "tasks_json": lambda at: written(at / "a.json", b"[[]", b",[]", 160_000_000, b"]"),
    "real_pdf_300_pages": lambda at: pages_of_text(at / "a.pdf", 300),
    "real_scan_10_pages": lambda at: scan(at / "a.pdf", 10),
    "real_scan_full_page": lambda at: scan(at / "a.pdf", 1, 45, FULL_LINE),
    "real_scan_3_full_pages": lambda at: scan(at / "a.pdf", 3, 45, FULL_LINE),
    "real_docx_9_megabytes": lambda at: long_word(at / "b.docx"),
}


def tried(name: str) -> dict[str, Any]:
    """What was said, what it took, and what harm that is."""
    with tempfile.TemporaryDirectory() as folder:
        row = read(name.split("_")[0], HOSTILE[name](Path(folder)))
    lost = [f"{row['megabytes']} MB"] if not row["megabytes"] < MOST_MEGABYTES else []
    lost += [f"{row['seconds']} s"] if not row["seconds"] < MOST_SECONDS else []
    must = name.startswith("real")
    lost += ["not read"] if must and re.search("Error:|not read", row["said"]) else []
    return {"name": name, "times": 1, "lost": lost, **row, "said": row["said"][:200]}


def main(names: list[str]) -> None:
    for name in names or HOSTILE:
        print(json.dumps(tried(name)), flush=True)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--read"]:
        read_here(*sys.argv[2:])
    else:
        main(sys.argv[1:])
