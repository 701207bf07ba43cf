"""One JD or one résumé as a person means it: its text, where it came from, its parts that say one thing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from workbench.results import Result

if TYPE_CHECKING:
    from workbench.documents.splitting import Part, Side

LONGEST_TITLE = 90


@dataclass(frozen=True, eq=False)
class Document(Result):
    r"""A JD or a résumé, a line or many pages.

    Attributes
    ----------
    id : str
        Unique among those that were read together.
    text : str
        All of it; nothing is cut.
    source : mapping
        Where it came from: ``file``, ``row``, ``sheet``, other columns of its table; where OCR read some of
        it, ``ocr_pages``, how many, and ``ocr_confidence``, the mean of their characters.
    side : {"jd", "resume"} or None
        None where neither the caller nor the text says.
    notes : tuple of str
        How it was read, where that was a choice, and what was not read.

    Examples
    --------
    >>> document = Document("a", "任职要求\n1. 熟悉 RAG 架构设计\n2. 有护理经验者优先", side="jd")
    >>> for part in document.parts:
    ...     print(part.kind, part.text)
    heading 任职要求
    requirement 1. 熟悉 RAG 架构设计
    nice_to_have 2. 有护理经验者优先
    """

    id: str
    text: str
    source: Mapping[str, Any] = field(default_factory=dict)
    side: Side | None = None
    notes: tuple[str, ...] = ()

    @cached_property
    def parts(self) -> tuple[Part, ...]:
        """Its parts; every character belongs to exactly one."""
        from workbench.documents.splitting import split

        return split(self.text, self.side)

    @property
    def title(self) -> str:
        """Its first line that names a job or a person, where that is short enough; else nothing."""
        from workbench.documents.splitting import section_of

        lines = (line.strip() for line in self.text.splitlines())
        first = next((line for line in lines if line and section_of(line, "title") is None), "")
        return first if first != self.id and len(first) <= LONGEST_TITLE else ""

    @property
    def phrases(self) -> Sequence[Part]:
        """The parts that are scored; all of them, where none looks like it."""
        return [part for part in self.parts if part.is_scored] or list(self.parts)

    @property
    def requirements(self) -> Sequence[Part]:
        """What a JD asks for, or would be glad of; where it names nothing such, what it says at all."""
        return [part for part in self.parts if part.is_asked] or self.phrases

    def __repr__(self) -> str:
        return f"Document({self.id!r}, {self.text!r:.60}, {len(self.text):,} characters)"
