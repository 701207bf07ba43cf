"""What a pasted text holds: one document, or a list of them, and how that was told.

A page never guesses in silence: it shows what was understood, and offers the others.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal, get_args

from workbench.documents.document import Document
from workbench.errors import InputError
from workbench.i18n import N_, listed, ngettext
from workbench.i18n import gettext as _

if TYPE_CHECKING:
    from workbench.documents.splitting import Side

Pasted = Literal["one", "lines", "blocks"]
WAYS: dict[Pasted, str] = {"one": N_("all one"), "lines": N_("one a line"), "blocks": N_("one a block")}
# A rule or several blank lines between texts.
_RULE = re.compile(r"\s*\n[ \t]*[-=*_#~—]{3,}[ \t]*\n|\n[ \t]*\n[ \t]*\n\s*")
_ITEM = re.compile(
    r"\s*(?:[•●○◦▪■□◆◇▶‣·*➢✓–—-]\s|\(?\d{1,2}[.)、．）]|[①-⑳]|[一二三四五六七八九十]{1,3}、|#{1,6}\s)"
)
# A longer line is a paragraph rather than an entry of a list.
_LONGEST_ENTRY = 200


def understood_as(text: str) -> Pasted:
    r"""Whether a pasted text is one document, one a line, or one a block.

    It is blocks where rules or several blank lines stand between texts that look like whole documents; lines,
    where each is a short entry of its own and nothing (a heading, a bullet, a number) says that they belong
    together; else one.

    Examples
    --------
    >>> understood_as("熟悉 RAG 架构设计\n有护理经验")
    'lines'
    >>> understood_as("任职要求：\n1. 熟悉 RAG 架构设计\n2. 有护理经验")
    'one'
    """
    from workbench.documents.splitting import side_of

    blocks = [block for block in _RULE.split(text.strip()) if block.strip()]
    if len(blocks) > 1 and all(side_of(block) for block in blocks):
        return "blocks"
    lines = [line for line in text.splitlines() if line.strip()]
    entries = all(len(line) <= _LONGEST_ENTRY and not _ITEM.match(line) for line in lines)
    if len(lines) > 1 and entries and side_of(text) is None and not any(map(_goes_on, lines)):
        return "lines"
    return "one"


def understood(n: int, how: Pasted) -> str:
    """What a text was understood as, in words: how many documents, and how they were told apart."""
    count = ngettext("understood as {n} document", "understood as {n} documents", n).format(n=f"{n:,}")
    return _("{count}, {way}").format(count=count, way=_(WAYS[how])) if n > 1 else count


def documents_in(text: str, how: Pasted | None = None, *, side: Side | None = None) -> list[Document]:
    """The documents in a pasted text.

    Parameters
    ----------
    how : {"one", "lines", "blocks"}, optional
        By default what it is understood as; blocks are parted by rules, or by blank lines.
    """
    if how is not None and how not in get_args(Pasted):
        raise InputError(
            _("{name} is {value}; choose one of {known}.").format(
                name="how", value=repr(how), known=listed(map(repr, get_args(Pasted)))
            )
        )
    texts: Sequence[str]
    match how or understood_as(text):
        case "lines":
            texts = text.splitlines()
        case "blocks":
            texts = _RULE.split(text)
            texts = texts if len(texts) > 1 else re.split(r"\n\s*\n", text)
        case _:
            texts = [text]
    kept = [each.strip("\n") for each in texts if each.strip()]
    return [
        Document(str(number), each, {"pasted": number}, side) for number, each in enumerate(kept, start=1)
    ]


def _goes_on(line: str) -> bool:
    """Whether a sentence goes on after the line, or the line is a heading."""
    return line.rstrip().endswith((",", "，", ":", "：", ";", "；"))
