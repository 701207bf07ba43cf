# ruff: noqa: E501, E741
"""Files that are small, or within the limit of an upload, and hold without end; and what reading one takes.

``python tests/hostile.py [name ...]`` makes and reads them all, each in a process of its own, and prints a line of
JSON for each.
"""

from __future__ import annotations

import io
import json
import subprocess
import sys
import tempfile
import time
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile

MEGABYTE = 2**20
# What one file may take in all: megabytes of both processes, with OCR, and seconds of a processor.
MOST_MEGABYTES, MOST_SECONDS = 500, 60
Builder = Callable[[Path], Path]
HOSTILE: dict[str, Builder] = {}


@dataclass(frozen=True)
class Read:
    """What came of reading a file: what was said, and what it took of this process and those it started."""

    said: str
    megabytes: float
    seconds: float
    cpu_seconds: float

    @property
    def refused(self) -> bool:
        return self.said.startswith("InputError")


def read(path: Path, patience: float = 300.0) -> Read:
    """Read a file as a page does with an upload, in a new process; peaks of parent and child are summed."""
    before = time.monotonic()
    done = subprocess.run(
        [sys.executable, __file__, "--read", str(path)], capture_output=True, text=True, timeout=patience
    )
    seconds = time.monotonic() - before
    *said, took = done.stdout.splitlines() or [f"no answer, exit code {done.returncode}\n", "nan nan"]
    megabytes, cpu = map(float, took.split())
    return Read("\n".join(said), megabytes, seconds, cpu)


def _read_here(path: Path) -> None:
    import resource

    from workbench.documents import read_documents

    try:
        found = read_documents(path)
        said = f"{len(found)} documents, {len(found.unread)} not read\n" + "\n".join(
            found.summary().splitlines()[1:4]
        )
    except Exception as error:
        said = f"{type(error).__name__}: {str(error)[:300]}"
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    cpu = sum(each.ru_utime + each.ru_stime for each in used)
    # Of this process not `getrusage`, which counts what took that started it.
    peak = int(Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0])
    print(said, f"{(peak + used[1].ru_maxrss) / 1024:.0f} {cpu:.1f}", sep="\n")


def hostile(build: Builder) -> Builder:
    HOSTILE[build.__name__] = build
    return build


def packed(path: Path, members: dict[str, tuple[bytes, bytes, int, bytes]], **others: bytes) -> Path:
    """An archive: of each member its beginning, a piece, how often that comes, and its end."""
    with ZipFile(path, "w", ZIP_DEFLATED, compresslevel=1) as archive:
        for name, (start, piece, times, end) in members.items():
            with archive.open(name, "w", force_zip64=True) as file:
                file.write(start)
                block = piece * max(1, min(times, MEGABYTE // len(piece)))
                whole, rest = divmod(times * len(piece), len(block))
                for _ in range(whole):
                    file.write(block)
                file.write(block[:rest])
                file.write(end)
        for name, content in others.items():
            archive.writestr(name, content)
    return path


# Word

W = b'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main" xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"'
RELS = b"http://schemas.openxmlformats.org/package/2006/relationships"
OFFICE = b"http://schemas.openxmlformats.org/officeDocument/2006/relationships"


def word(
    path: Path, piece: bytes, times: int, end: bytes = b"", **members: tuple[bytes, bytes, int, bytes]
) -> Path:
    """A .docx whose body is a piece many times."""
    rels = (
        b'<Relationships xmlns="%s"><Relationship Id="r1" Type="%s/officeDocument" Target="word/document.xml"/>'
        % (RELS, OFFICE)
    )
    types = (
        b'<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
        b'<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        b'<Default Extension="xml" ContentType="application/xml"/></Types>'
    )
    return packed(
        path,
        {
            "[Content_Types].xml": (types, b" ", 0, b""),
            "_rels/.rels": (rels, b" ", 0, b"</Relationships>"),
            "word/document.xml": (
                b"<w:document %s><w:body><w:p><w:r><w:t>Nurse</w:t></w:r></w:p>" % W,
                piece,
                times,
                end + b"</w:body></w:document>",
            ),
            **members,
        },
    )


@hostile
def docx_paragraphs(folder: Path) -> Path:
    return word(folder / "a.docx", b"<w:p><w:r><w:t>ward</w:t></w:r></w:p>", 10_000_000)


@hostile
def docx_elements(folder: Path) -> Path:
    """Elements of no text, which are neither paragraphs nor runs, just within 32 MB."""
    return word(folder / "a.docx", b"<w:b/>", 5_500_000)


@hostile
def docx_relations(folder: Path) -> Path:
    """Parts whose names do not end in .xml."""
    link = b'<Relationship Id="r" Type="%s/styles" Target="a"/>' % OFFICE
    rels = {
        "word/_rels/document.xml.rels": (
            b'<Relationships xmlns="%s">' % RELS,
            link,
            3_000_000,
            b"</Relationships>",
        )
    }
    return word(folder / "a.docx", b"", 1, **rels) if False else _word_with(folder, rels)


def _word_with(folder: Path, members: dict[str, tuple[bytes, bytes, int, bytes]]) -> Path:
    return word(folder / "a.docx", b" ", 1, **members)


@hostile
def docx_nested_tables(folder: Path) -> Path:
    n = 200_000
    return word(folder / "a.docx", b"<w:tbl><w:tr><w:tc>", n, b"</w:tc></w:tr></w:tbl>" * n)


@hostile
def docx_span(folder: Path) -> Path:
    cell = b'<w:tc><w:tcPr><w:gridSpan w:val="1000000000"/></w:tcPr><w:p><w:r><w:t>x</w:t></w:r></w:p></w:tc>'
    return word(folder / "a.docx", b"<w:tbl><w:tr>" + cell + b"</w:tr></w:tbl>", 2)


@hostile
def docx_laughs(folder: Path) -> Path:
    """Entities in entities."""
    entities = b"".join(b'<!ENTITY l%d "%s">' % (n, b"&l%d;" % (n - 1) * 10) for n in range(1, 10))
    start = b'<!DOCTYPE d [<!ENTITY l0 "ha">%s]>' % entities
    body = b"<w:document %s><w:body><w:p><w:r><w:t>&l9;</w:t></w:r></w:p></w:body></w:document>" % W
    return _word_with(folder, {"word/document.xml": (start + body, b" ", 1, b"")})


# Workbooks

S = b'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'


def workbook(
    path: Path,
    sheet: bytes,
    times: int,
    start: bytes = b"",
    end: bytes = b"",
    **others: tuple[bytes, bytes, int, bytes],
) -> Path:
    targets = {
        "worksheets/sheet1.xml": b"worksheet",
        "sharedStrings.xml": b"sharedStrings",
        "styles.xml": b"styles",
    }
    links = b"".join(
        b'<Relationship Id="r%d" Type="%s/%s" Target="%s"/>' % (n, OFFICE, kind, target.encode())
        for n, (target, kind) in enumerate(targets.items(), 1)
    )
    book = (
        b'<workbook %s xmlns:r="%s"><sheets><sheet name="S" sheetId="1" r:id="r1"/></sheets></workbook>'
        % (S, OFFICE)
    )
    head = b'<worksheet %s>%s<sheetData><row r="1"><c r="A1" t="inlineStr"><is><t>text</t></is></c></row>' % (
        S,
        start,
    )
    rels = b'<Relationships xmlns="%s">' % RELS
    members = {
        "_rels/.rels": (
            rels
            + b'<Relationship Id="r1" Type="%s/officeDocument" Target="xl/workbook.xml"/></Relationships>'
            % OFFICE,
            b" ",
            0,
            b"",
        ),
        "xl/_rels/workbook.xml.rels": (rels + links, b" ", 0, b"</Relationships>"),
        "xl/workbook.xml": (book, b" ", 0, b""),
        "xl/worksheets/sheet1.xml": (head, sheet, times, end or b"</sheetData></worksheet>"),
        "xl/sharedStrings.xml": (b"<sst %s>" % S, b"<si><t>a ward nurse</t></si>", 1, b"</sst>"),
        "xl/styles.xml": (b"<styleSheet %s>" % S, b" ", 0, b"</styleSheet>"),
        **others,
    }
    return packed(path, members)


TEXT_ROW = b'<row><c t="s"><v>0</v></c></row>'


@hostile
def xlsx_rows(folder: Path) -> Path:
    return workbook(folder / "a.xlsx", TEXT_ROW, 15_000_000)


@hostile
def xlsx_shared_texts(folder: Path) -> Path:
    shared = {"xl/sharedStrings.xml": (b"<sst %s>" % S, b"<si><t>x</t></si>", 25_000_000, b"</sst>")}
    return workbook(folder / "a.xlsx", TEXT_ROW, 2, **shared)


@hostile
def xlsx_long_shared_text(folder: Path) -> Path:
    shared = {"xl/sharedStrings.xml": (b"<sst %s><si><t>" % S, b"ward nurse ", 3_000_000, b"</t></si></sst>")}
    return workbook(folder / "a.xlsx", TEXT_ROW, 20_000, **shared)


@hostile
def xlsx_merged(folder: Path) -> Path:
    """A hundred thousand merged ranges over a hundred thousand rows each."""
    merges = (
        b"</sheetData><mergeCells>"
        + b'<mergeCell ref="A1:A100000"/>' * 100_000
        + b"</mergeCells></worksheet>"
    )
    return workbook(folder / "a.xlsx", TEXT_ROW, 100_000, end=merges)


@hostile
def xlsx_last_cell(folder: Path) -> Path:
    return workbook(folder / "a.xlsx", b'<row r="1048576"><c r="XFD1048576"><v>1</v></c></row>', 1)


@hostile
def xlsx_sheets(folder: Path) -> Path:
    sheets = b'<sheet name="S%d" sheetId="1" r:id="r1"/>'
    book = b'<workbook %s xmlns:r="%s"><sheets>' % (S, OFFICE)
    return workbook(
        folder / "a.xlsx",
        TEXT_ROW,
        2,
        **{"xl/workbook.xml": (book, sheets % 1, 5_000_000, b"</sheets></workbook>")},
    )


# OpenDocument

O = (
    b'<office:document-content xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0" '
    b'xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0" '
    b'xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0" office:version="1.2"><office:body>'
)
MANIFEST = (
    b'<manifest:manifest xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0">'
    b'<manifest:file-entry manifest:full-path="/" manifest:media-type="application/vnd.oasis.opendocument.%s"/>'
    b'<manifest:file-entry manifest:full-path="content.xml" manifest:media-type="text/xml"/></manifest:manifest>'
)


def open_document(
    path: Path, kind: bytes, piece: bytes, times: int, start: bytes = b"", end: bytes = b""
) -> Path:
    name = {b"spreadsheet": b"spreadsheet", b"text": b"text"}[kind]
    members = {
        "mimetype": (b"application/vnd.oasis.opendocument." + kind, b" ", 0, b""),
        "META-INF/manifest.xml": (MANIFEST % kind, b" ", 0, b""),
        "content.xml": (
            O + b"<office:" + name + b">" + start,
            piece,
            times,
            end + b"</office:" + name + b"></office:body></office:document-content>",
        ),
    }
    return packed(path, members)


HEAD = b'<table:table table:name="S"><table:table-row><table:table-cell office:value-type="string"><text:p>text</text:p></table:table-cell></table:table-row>'
CELL = b'<table:table-cell office:value-type="string" %s><text:p>%s</text:p></table:table-cell>'


@hostile
def ods_rows_repeated(folder: Path) -> Path:
    row = (
        b'<table:table-row table:number-rows-repeated="2000000000">'
        + CELL % (b"", b"a ward nurse")
        + b"</table:table-row>"
    )
    return open_document(folder / "a.ods", b"spreadsheet", row, 1, HEAD, b"</table:table>")


@hostile
def ods_long_text_repeated(folder: Path) -> Path:
    row = (
        b'<table:table-row table:number-rows-repeated="100000">'
        + CELL % (b"", b"ward nurse " * 20_000)
        + b"</table:table-row>"
    )
    return open_document(folder / "a.ods", b"spreadsheet", row, 1, HEAD, b"</table:table>")


@hostile
def odt_elements(folder: Path) -> Path:
    return open_document(folder / "a.odt", b"text", b"<text:s/>", 3_500_000, b"<text:p>", b"</text:p>")


@hostile
def odt_spaces(folder: Path) -> Path:
    return open_document(folder / "a.odt", b"text", b'<text:p>a<text:s text:c="2000000000"/>b</text:p>', 1)


# PDF


def pdf(
    path: Path,
    pages: int,
    objects: tuple[bytes, ...] | list[bytes] = (),
    contents: bytes = b"BT /F 12 Tf 20 100 Td (Nurse) Tj ET",
    root: bytes = b"",
    resources: bytes = b"",
    filler: bytes = b"",
) -> Path:
    """A PDF of equal pages, with more objects from number 5 on."""
    first = 5 + len(objects)
    with path.open("wb") as file:
        places = []

        def write(number: int, body: bytes) -> None:
            places.append(file.tell())
            file.write(b"%d 0 obj\n%s\nendobj\n" % (number, body))

        file.write(b"%PDF-1.5\n")
        write(1, b"<</Type/Catalog/Pages 2 0 R%s>>" % root)
        write(
            2,
            b"<</Type/Pages/Count %d/Kids[%s]>>"
            % (pages, b" ".join(b"%d 0 R" % n for n in range(first, first + pages))),
        )
        write(3, b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>")
        packed_contents = zlib.compress(contents)
        write(
            4,
            b"<</Length %d/Filter/FlateDecode>>stream\n%s\nendstream"
            % (len(packed_contents), packed_contents),
        )
        for number, body in enumerate(objects, 5):
            write(number, body)
        for number in range(first, first + pages):
            write(
                number,
                b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 200 200]/Contents 4 0 R/Resources<</Font<</F 3 0 R>>%s>>>>"
                % resources,
            )
        file.write(filler)
        start = file.tell()
        file.write(b"xref\n0 %d\n0000000000 65535 f \n" % (len(places) + 1))
        file.write(b"".join(b"%010d 00000 n \n" % place for place in places))
        file.write(b"trailer<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF" % (len(places) + 1, start))
    return path


@hostile
def pdf_pages(folder: Path) -> Path:
    return pdf(folder / "a.pdf", 50_000)


@hostile
def pdf_stream(folder: Path) -> Path:
    return pdf(folder / "a.pdf", 1, contents=b"q Q " * 50_000_000)


@hostile
def pdf_fields_tree(folder: Path) -> Path:
    """Each field has the next one's two times as kids: 2^40 paths."""
    fields = [b"<</T(f)/Kids[%d 0 R %d 0 R]>>" % (6 + at, 6 + at) for at in range(40)] + [
        b"<</FT/Tx/T(x)/V(y)>>"
    ]
    return pdf(folder / "a.pdf", 1, fields, root=b"/AcroForm<</Fields[5 0 R]>>")


@hostile
def pdf_large(folder: Path) -> Path:
    """As large as an upload may be."""
    return pdf(folder / "a.pdf", 1, filler=b"% " + b"x" * 490_000_000 + b"\n")


@hostile
def pdf_lzw(folder: Path) -> Path:
    """Runs of one byte in RunLength, then in Flate."""
    data = zlib.compress(b"\x81 " * 30_000_000)
    body = b"<</Length %d/Filter[/FlateDecode/RunLengthDecode]>>stream\n%s\nendstream" % (len(data), data)
    path = pdf(folder / "a.pdf", 1, [body])
    path.write_bytes(path.read_bytes().replace(b"/Contents 4 0 R", b"/Contents 5 0 R"))
    return path


# Markup


def written(path: Path, start: bytes, piece: bytes, times: int, end: bytes = b"") -> Path:
    with path.open("wb") as file:
        file.write(start)
        block = piece * max(1, min(times, MEGABYTE // len(piece)))
        whole, rest = divmod(times * len(piece), len(block))
        for _ in range(whole):
            file.write(block)
        file.write(block[:rest] + end)
    return path


@hostile
def html_deep(folder: Path) -> Path:
    n = 1_000_000
    return written(folder / "a.html", b"<html><body>Nurse", b"<div>", n, b"ward" + b"</div>" * n)


@hostile
def html_spans(folder: Path) -> Path:
    return written(
        folder / "a.html",
        b"<html><body><table>",
        b'<tr><td colspan="1000000000" rowspan="1000000000">Nurse</td></tr>',
        3,
        b"</table>",
    )


@hostile
def rtf_groups(folder: Path) -> Path:
    n = 10_000_000
    return written(folder / "a.rtf", b"{\\rtf1 Nurse", b"{\\b ", n, b"ward" + b"}" * n)


@hostile
def txt_large(folder: Path) -> Path:
    return written(folder / "a.txt", b"", b"a ward nurse by night\n", 22_000_000)


# Tables of text


@hostile
def csv_rows(folder: Path) -> Path:
    return written(folder / "a.csv", b"id,text\n", b"1,ward nurse\n", 38_000_000)


@hostile
def csv_long_texts(folder: Path) -> Path:
    return written(folder / "a.csv", b"id,text\n", b"1," + "夜班护士".encode() * 2000 + b"\n", 20_000)


@hostile
def jsonl_deep(folder: Path) -> Path:
    n = 100_000
    return written(folder / "a.jsonl", b"", b'{"text":' + b"[" * n + b"]" * n + b"}\n", 2)


# Containers


@hostile
def eml_nested(folder: Path) -> Path:
    return written(
        folder / "a.eml", b"", b"Content-Type: message/rfc822\n\n", 100_000, b"Subject: a\n\nNurse"
    )


@hostile
def eml_parts(folder: Path) -> Path:
    return written(
        folder / "a.eml",
        b'Content-Type: multipart/mixed; boundary="b"\n\n',
        b"--b\n\nNurse\n",
        3_000_000,
        b"--b--\n",
    )


def zip_of(path: Path, members: dict[str, bytes]) -> bytes:
    made = io.BytesIO()
    with ZipFile(made, "w", ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return made.getvalue()


@hostile
def zip_in_zips(folder: Path) -> Path:
    """A hundred zips of five files of 95 MB each: 47 GB from 50 kB, each within its own bound."""
    made = io.BytesIO()
    with ZipFile(made, "w", ZIP_DEFLATED) as archive:
        for n in range(5):
            archive.writestr(f"{n}.txt", bytes(95 * MEGABYTE))
    with ZipFile(folder / "a.zip", "w", ZIP_DEFLATED) as archive:
        for n in range(100):
            archive.writestr(f"{n}.zip", made.getvalue())
    return folder / "a.zip"


@hostile
def zip_members(folder: Path) -> Path:
    with ZipFile(folder / "a.zip", "w", ZIP_STORED) as archive:
        for n in range(100_000):
            archive.writestr(f"{n}.txt", b"")
    return folder / "a.zip"


# Pictures


def png(path: Path, width: int, height: int, colour: int = 0) -> Path:
    import struct

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    per_pixel = {0: 1, 2: 3, 6: 4}[colour]
    packer = zlib.compressobj(1)
    row = b"\0" + b"\xff" * (width * per_pixel)
    body = b"".join(packer.compress(row) for _ in range(height)) + packer.flush()
    head = struct.pack(">IIBBBBB", width, height, 8, colour, 0, 0, 0)
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", body) + chunk(b"IEND", b""))
    return path


@hostile
def png_huge(folder: Path) -> Path:
    return png(folder / "a.png", 50_000, 50_000)


@hostile
def png_within(folder: Path) -> Path:
    """Just as many pixels as are read, in four channels."""
    return png(folder / "a.png", 7000, 7000, 6)


@hostile
def webp_frames(folder: Path) -> Path:
    from PIL import Image

    page = Image.new("RGB", (7000, 7000), "white")
    page.save(folder / "a.webp")
    return folder / "a.webp"


def main(names: list[str]) -> None:
    for name in names or HOSTILE:
        with tempfile.TemporaryDirectory() as folder:
            found = read(HOSTILE[name](Path(folder)))
        lost = [] if found.megabytes < MOST_MEGABYTES else [f"{found.megabytes:.0f} MB"]
        lost += [] if found.cpu_seconds < MOST_SECONDS else [f"{found.cpu_seconds:.0f} s"]
        row = {"name": name, "times": 1, "lost": lost, "said": found.said[:200]}
        print(json.dumps(row | {"seconds": found.cpu_seconds, "megabytes": found.megabytes}), flush=True)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--read"]:
        _read_here(Path(sys.argv[2]))
    else:
        main(sys.argv[1:])
