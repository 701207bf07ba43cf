"""Which character encoding a text file has: told by a mark, certain (UTF-8), likely (GBK), or asked for."""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from workbench.errors import InputError

__all__ = ["find_encoding", "open_text"]

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
            f"{encoding!r} is no encoding that Python knows; such as 'utf-8', 'gb18030', 'big5' or 'cp1252'."
        ) from error
    except UnicodeError as error:
        raise InputError(
            f"{path.name} is not all in {encoding}: {error}. Pass the right one as encoding=, or save the "
            "file as UTF-8."
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
    likely = ", ".join(encoding for encoding, _ in ranked[:4])
    found = f"it could be {likely}" if ranked else "no encoding fits it"
    raise InputError(
        f"{path.name} is not UTF-8, and its encoding cannot be told ({found}). Pass it, such as "
        "encoding='gb18030' for Chinese or encoding='cp1252' for Western European, or save the file as UTF-8."
    )


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
            f"{path.name} is UTF-8 but for a damaged place at byte {place:,}. Repair it there and save the "
            "file again, or pass encoding= if it is something else."
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
