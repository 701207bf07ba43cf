"""What a reader gives back of a file: its text in blocks, and what was not read."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from workbench.errors import InputError
from workbench.i18n import gettext as _

# Some 300 pages.
MOST_CHARACTERS = 1_000_000

# Between cells of a row, where a reader of the page sees a line.
CELLS = " | "


@dataclass(frozen=True)
class Block:
    """A paragraph, a line of a list, or a row of a table; `page` counts from 1, where there are pages."""

    text: str
    page: int | None = None


@dataclass(frozen=True)
class Content:
    """The text of one document as its file has it.

    Attributes
    ----------
    blocks : tuple of Block
        In reading order, none of them blank.
    notes : tuple of str
        How it was read, where that was a choice, and what a person sees there that was not.
    ocr_pages : int
        How many pages have their text from OCR.
    ocr_confidence : float or None
        The mean confidence of the characters on them.
    """

    blocks: tuple[Block, ...]
    notes: tuple[str, ...] = ()
    ocr_pages: int = 0
    ocr_confidence: float | None = None

    @property
    def text(self) -> str:
        """All blocks, one a line."""
        return "\n".join(block.text for block in self.blocks)


def content_of(text: str, notes: Iterable[str] = ()) -> Content:
    """The lines of a text that are not blank."""
    return Content(tuple(Block(line.rstrip()) for line in text.splitlines() if line.strip()), tuple(notes))


def check_length(text: str, name: str) -> None:
    """Refuse what is longer than any JD or résumé.

    Raises
    ------
    InputError
        If it is.
    """
    if len(text) > MOST_CHARACTERS:
        raise InputError(
            _(
                "{name} has more than {most} characters, and no JD or résumé has so many. Save the part that "
                "matters, or one document a file."
            ).format(name=name, most=f"{MOST_CHARACTERS:,}")
        )
