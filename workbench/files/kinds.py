"""What a file really is, by its first bytes, so that a wrong name is met with a clear sentence."""

from __future__ import annotations

from pathlib import Path
from zipfile import BadZipFile, ZipFile

from workbench.errors import InputError

__all__ = ["BINARY", "EXCEL", "PDF", "TEXT", "WORD", "check_archive_size", "kind_of"]

TEXT = "a text file"
WORD = "a Word document (.docx)"
EXCEL = "an Excel workbook (.xlsx)"
PDF = "a PDF"
BINARY = "a binary file"

# A workbook of a million rows unpacks to some hundred megabytes; a zip bomb to gigabytes.
MOST_UNPACKED = 512 * 2**20

_SIGNATURES: tuple[tuple[bytes, str], ...] = (
    (b"%PDF-", PDF),
    (b"\x89PNG\r\n\x1a\n", "a PNG picture"),
    (b"\xff\xd8\xff", "a JPEG picture"),
    (b"GIF87a", "a GIF picture"),
    (b"GIF89a", "a GIF picture"),
    (b"II*\x00", "a TIFF picture"),
    (b"MM\x00*", "a TIFF picture"),
    (
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
        "an old Office file (.doc, .xls) or one that is protected with a password",
    ),
    (b"\x1f\x8b", "a gzip archive"),
    (b"Rar!\x1a\x07", "a RAR archive"),
    (b"7z\xbc\xaf'\x1c", "a 7-Zip archive"),
    (b"SQLite format 3\x00", "an SQLite database"),
    (b"{\\rtf", "a Rich Text (.rtf) file"),
)
# These are words as well, so only where binary numbers follow.
_BINARY_SIGNATURES: tuple[tuple[bytes, str], ...] = (
    (b"RIFF", "a WebP picture, or sound or video"),
    (b"PAR1", "a Parquet file"),
)
_ARCHIVES = (b"PK\x03\x04", b"PK\x05\x06")
_HTML = (b"<!doctype html", b"<html")
_MEMBERS = {"word/document.xml": WORD, "xl/workbook.xml": EXCEL, "ppt/presentation.xml": "a PowerPoint file"}
_BYTE_ORDER_MARKS = (b"\xff\xfe", b"\xfe\xff", b"\x00\x00\xfe\xff")


def kind_of(path: Path) -> str:
    """What the file is, as a noun: ``"a PDF"``, ``"a text file"``, ``"a binary file"``.

    Parameters
    ----------
    path : Path
        A file that exists.
    """
    with path.open("rb") as file:
        head = file.read(8192)
    if head.startswith(_ARCHIVES):
        return _kind_of_archive(path)
    # Some programs write a few bytes before the header of a PDF, and readers allow that.
    if b"%PDF-" in head[:1024] and b" obj" in head:
        return PDF
    binary = b"\x00" in head and not head.startswith(_BYTE_ORDER_MARKS)
    for signature, kind in _SIGNATURES + _BINARY_SIGNATURES if binary else _SIGNATURES:
        if head.startswith(signature):
            return kind
    if head.lstrip().lower().startswith(_HTML):
        return "an HTML page"
    return BINARY if binary else TEXT


def check_archive_size(path: Path) -> None:
    """Refuse a .docx or .xlsx that would unpack to an absurd size.

    What is unpacked never exceeds the sizes that the archive declares, because zipfile stops there.

    Raises
    ------
    InputError
        If the declared sizes sum to more than 512 MB.
    """
    with ZipFile(path) as archive:
        unpacked = sum(member.file_size for member in archive.infolist())
    if unpacked > MOST_UNPACKED:
        raise InputError(
            f"{path.name} has {path.stat().st_size / 2**20:,.1f} MB but would unpack to "
            f"{unpacked / 2**20:,.0f} MB; at most {MOST_UNPACKED // 2**20} MB are unpacked. Split it, or "
            "save its texts as .csv."
        )


def _kind_of_archive(path: Path) -> str:
    try:
        with ZipFile(path) as archive:
            names = set(archive.namelist())
    except BadZipFile:
        return "a damaged ZIP archive"
    return next((kind for member, kind in _MEMBERS.items() if member in names), "a ZIP archive")
