"""What a file really is: its kind by its first bytes, and the character encoding of a text.

A wrong name is met with a clear sentence. An encoding is told by a mark, certain (UTF-8), likely (GBK), or
asked for.
"""

from __future__ import annotations

import codecs
import lzma
import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TextIO
from zipfile import BadZipFile, ZipFile

from workbench.asking import option
from workbench.errors import InputError
from workbench.i18n import N_, listed
from workbench.i18n import gettext as _

TEXT = N_("a text file")
WORD = N_("a Word document (.docx)")
EXCEL = N_("an Excel workbook (.xlsx)")
PDF = N_("a PDF")
HTML = N_("an HTML page")
RICH_TEXT = N_("a Rich Text (.rtf) file")
OPEN_DOCUMENT = N_("an OpenDocument text (.odt)")
OPEN_SHEET = N_("an OpenDocument spreadsheet (.ods)")
OLD_OFFICE = N_("an old Office file (.doc, .xls) or one that is protected with a password")
ZIP = N_("a ZIP archive")
PNG = N_("a PNG picture")
JPEG = N_("a JPEG picture")
TIFF = N_("a TIFF picture")
WEBP = N_("a WebP picture, or sound or video")
BINARY = N_("a binary file")

# A workbook of as many rows as are read unpacks to some hundred megabytes; a zip bomb to gigabytes.
MOST_UNPACKED = 256 * 2**20
# Bytes of an archive's list of its members: some ten thousand, each of which takes ten times as much memory.
MOST_DIRECTORY = 2 * 2**20

_SIGNATURES: tuple[tuple[bytes, str], ...] = (
    (b"%PDF-", PDF),
    (b"\x89PNG\r\n\x1a\n", PNG),
    (b"\xff\xd8\xff", JPEG),
    (b"GIF87a", N_("a GIF picture")),
    (b"GIF89a", N_("a GIF picture")),
    (b"II*\x00", TIFF),
    (b"MM\x00*", TIFF),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", OLD_OFFICE),
    (b"\x1f\x8b", N_("a gzip archive")),
    (b"Rar!\x1a\x07", N_("a RAR archive")),
    (b"7z\xbc\xaf'\x1c", N_("a 7-Zip archive")),
    (b"SQLite format 3\x00", N_("an SQLite database")),
    (b"{\\rtf", RICH_TEXT),
)
# These are words as well, so only where binary numbers follow.
_BINARY_SIGNATURES: tuple[tuple[bytes, str], ...] = (
    (b"RIFF", WEBP),
    (b"PAR1", N_("a Parquet file")),
)
_ARCHIVES = (b"PK\x03\x04", b"PK\x05\x06")
_HTML = (b"<!doctype html", b"<html")
# What a damaged archive, or one with a password, may raise.
DAMAGED = (
    *(BadZipFile, NotImplementedError, RuntimeError, EOFError, OSError, UnicodeError),
    *(zlib.error, lzma.LZMAError, struct.error),
)
_MEMBERS = {
    "word/document.xml": WORD,
    "xl/workbook.xml": EXCEL,
    "ppt/presentation.xml": N_("a PowerPoint file"),
}
_NO_TEXT = (
    *(f"{office}/{kind}/" for office in ("word", "xl") for kind in ("media", "embeddings", "fonts")),
    "Pictures/",
)
_BYTE_ORDER_MARKS = (b"\xff\xfe", b"\xfe\xff", b"\x00\x00\xfe\xff")

# utf-32 before utf-16: the mark of one begins as that of the other does.
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
CHUNK = 2**20
SAMPLE = 2**18

# GB2312 sorts its 3,755 everyday characters into level 1; they make up nearly all of a normal text,
# and only about half of a text of another encoding that is read as GBK.
EVERYDAY_SHARE = 0.85
# Percent of "chaos" by which charset-normalizer's first candidate must beat the second.
CLEAR_LEAD = 5.0


def kind_of(path: Path) -> str:
    """What the file is, as a noun in English: ``"a PDF"``, ``"a text file"``, ``"a binary file"``.

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
        return HTML
    return BINARY if binary else TEXT


@contextmanager
def open_archive(path: Path) -> Iterator[ZipFile]:
    """The archive, open for reading.

    Raises
    ------
    InputError
        If it has absurdly many members.
    BadZipFile
        If it is none.
    """
    with path.open("rb") as file:
        # There is no public place for this; the test with such an archive tells if it is gone.
        end = vars(zipfile)["_EndRecData"](file)
        if end and end[vars(zipfile)["_ECD_SIZE"]] > MOST_DIRECTORY:
            raise InputError(
                _(
                    "{file} holds more files than are read: their list alone has over {most} MB. Split it."
                ).format(file=path.name, most=MOST_DIRECTORY // 2**20)
            )
        with ZipFile(file) as archive:
            yield archive


def unpacked_size(path: Path) -> int:
    """How many bytes a file is, or the members of an archive are by what it declares, without pictures."""
    with path.open("rb") as file:
        is_archive = file.read(4).startswith(_ARCHIVES)
    if is_archive:
        with suppress(BadZipFile, InputError), open_archive(path) as archive:
            return sum(member.file_size for member in archive.infolist() if not is_picture(member.filename))
    return path.stat().st_size


def is_picture(member: str) -> bool:
    """Whether a member of an Office document is none of its text: a picture, a font, something embedded."""
    return member.startswith(_NO_TEXT)


def check_archive_size(path: Path, most: int | None = None) -> None:
    """Refuse a file of Office that would unpack to an absurd size; its pictures are never unpacked.

    What zipfile unpacks never exceeds the sizes that the archive declares, because it stops there.

    Parameters
    ----------
    most : int, optional
        Bytes; 256 MB by default.

    Raises
    ------
    InputError
        If the declared sizes sum to more.
    """
    most = MOST_UNPACKED if most is None else most
    size = unpacked_size(path)
    if size > most:
        raise InputError(
            _(
                "{file} has {size} MB but would unpack to {unpacked} MB; at most {most} MB are unpacked. "
                "Split it, or save its texts as .csv."
            ).format(
                file=path.name,
                size=f"{path.stat().st_size / 2**20:,.1f}",
                unpacked=f"{size / 2**20:,.0f}",
                most=most // 2**20,
            )
        )


@contextmanager
def open_text(path: Path, encoding: str | None = None, newline: str | None = None) -> Iterator[TextIO]:
    """The file, open for reading in the encoding given or found.

    Raises
    ------
    InputError
        If the encoding is unknown, cannot be found out, or does not fit the file.
    """
    encoding = encoding or find_encoding(path)
    try:
        with path.open(encoding=encoding, newline=newline) as file:
            yield file
    except LookupError as error:
        raise InputError(
            _(
                "{encoding} is no encoding that Python knows; such as 'utf-8', 'gb18030', 'big5' or 'cp1252'."
            ).format(encoding=repr(encoding))
        ) from error
    except UnicodeError as error:
        raise InputError(
            _("{file} is not all in {encoding}: {reason}. {advice}").format(
                file=path.name, encoding=encoding, reason=error, advice=_other_encoding()
            )
        ) from error


def find_encoding(path: Path) -> str:
    """The encoding of a text file.

    A byte-order mark decides; then UTF-8, if the whole file is; then GB18030 (which contains GBK and
    GB2312), if the text reads as everyday Chinese in it; then what charset-normalizer finds, if it
    finds one only.

    Raises
    ------
    InputError
        If several encodings are as likely, or none.
    """
    with path.open("rb") as file:
        head = file.read(4)
    for mark, encoding in _MARKS:
        if head.startswith(mark):
            return encoding
    place = _first_not_utf8(path)
    if place is None:
        return "utf-8"
    sample = _sample(path, place)
    _refuse_damaged_utf8(path, sample, place)
    candidates = _candidates(sample)
    if "gb18030" in candidates and _reads_as_chinese(sample):
        return "gb18030"
    ranked = sorted(candidates.items(), key=lambda item: item[1])
    if ranked and (len(ranked) == 1 or ranked[1][1] - ranked[0][1] > CLEAR_LEAD):
        return ranked[0][0]
    likely = listed(encoding for encoding, _chaos in ranked[:4])
    found = _("it could be {names}").format(names=likely) if ranked else _("no encoding fits it")
    raise InputError(
        _("{file} is not UTF-8, and its encoding cannot be told ({found}). {advice}").format(
            file=path.name, found=found, advice=_other_encoding()
        )
    )


def _other_encoding() -> str:
    chinese, western = option("encoding", "gb18030"), option("encoding", "cp1252")
    if not chinese:
        return _("Save the file as UTF-8.")
    return _(
        "Save the file as UTF-8, or name its encoding: {chinese} for Chinese, {western} for Western European."
    ).format(chinese=chinese, western=western)


def chosen_encoding(path: Path, encoding: str | None) -> tuple[str, list[str]]:
    """The encoding to read with, and a note where it is neither given nor Unicode."""
    found = encoding or find_encoding(path)
    is_guess = not encoding and not found.startswith("utf")
    return found, [_("read as {encoding}").format(encoding=found)] if is_guess else []


def _kind_of_archive(path: Path) -> str:
    try:
        with open_archive(path) as archive:
            names = set(archive.namelist())
            declared = b""
            if "mimetype" in names:
                with archive.open("mimetype") as mimetype:
                    declared = mimetype.read(100)
    except DAMAGED:
        return N_("a damaged ZIP archive")
    if declared.startswith(b"application/vnd.oasis.opendocument."):
        return OPEN_SHEET if b"spreadsheet" in declared else OPEN_DOCUMENT
    return next((kind for member, kind in _MEMBERS.items() if member in names), ZIP)


def _first_not_utf8(path: Path) -> int | None:
    """Position of the first byte that cannot be UTF-8; None if all can."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    read = 0
    with path.open("rb") as file:
        while True:
            pending = len(decoder.getstate()[0])
            chunk = file.read(CHUNK)
            try:
                decoder.decode(chunk, final=not chunk)
            except UnicodeDecodeError as error:
                return read - pending + error.start
            if not chunk:
                return None
            read += len(chunk)


def _sample(path: Path, place: int) -> bytes:
    """Bytes around a place, from the start of a line to the end of one."""
    start = max(0, place - SAMPLE // 4)
    with path.open("rb") as file:
        file.seek(start)
        before = file.read(place - start)
        after = file.read(SAMPLE)
        ends = not file.read(1)
    if start:
        before = before[before.find(b"\n") + 1 :]
    if not ends:
        after = after[: after.rfind(b"\n") + 1] or after
    return before + after


def _refuse_damaged_utf8(path: Path, sample: bytes, place: int) -> None:
    text = sample.decode("utf-8", "replace")
    broken = text.count("\ufffd")
    if sum(not character.isascii() for character in text) > 10 * broken:
        raise InputError(
            _(
                "{file} is UTF-8 but for a damaged place at byte {place}. Repair it there and save the file "
                "again."
            ).format(file=path.name, place=f"{place:,}")
        )


def _candidates(sample: bytes) -> dict[str, float]:
    """Encodings that charset-normalizer holds possible, with its percentage of chaos."""
    from charset_normalizer import from_bytes

    return {match.encoding: match.percent_chaos for match in from_bytes(sample)}


def _reads_as_chinese(sample: bytes) -> bool:
    text = codecs.getincrementaldecoder("gb18030")("replace").decode(sample)
    foreign = [character for character in text if not character.isascii()]
    return sum(map(_is_everyday, foreign)) >= EVERYDAY_SHARE * len(foreign)


def _is_everyday(character: str) -> bool:
    try:
        row = character.encode("gb2312")[0]
    except UnicodeEncodeError:
        return character in "…—–·“”‘’《》、。，；：？！（）【】￥"
    # Rows A1 and A3 hold punctuation and full-width letters, B0 to D7 the characters of level 1.
    return row in (0xA1, 0xA3) or 0xB0 <= row <= 0xD7
