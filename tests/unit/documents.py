"""Reading the code blocks of a Markdown document: what is to be run, and which output it shows."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path

_FENCE = re.compile(
    r"^(?P<indent> *)(?P<fence>`{3,})(?P<language>[\w+-]*)[^\n]*\n(?P<body>.*?)^ *(?P=fence)`* *$",
    re.MULTILINE | re.DOTALL,
)
_NOT_RUN = re.compile(r"<!-- not run: [^>]+ -->\s*\Z")
_LINK = re.compile(r"\]\((?!https?:|mailto:|#)([^)\s#]+)[^)]*\)|<img[^>]+src=\"(?!https?:)([^\"]+)\"")
OUTPUT_LANGUAGES = ("text", "output")


@dataclass(frozen=True)
class Block:
    """A fenced block; `output` is the text block right after it, which shows what it prints."""

    language: str
    source: str
    line: int
    output: str | None = None


@dataclass(frozen=True)
class Command:
    """A line after ``$`` in a console block, with the output shown below it."""

    line: str
    output: str


def blocks_of(document: Path) -> list[Block]:
    """The blocks of a document, without those below ``<!-- not run: reason -->``."""
    text = document.read_text(encoding="utf-8")
    fences = list(_FENCE.finditer(text))
    blocks = []
    for here, after in zip_longest(fences, fences[1:]):
        if _NOT_RUN.search(text[: here.start()]):
            continue
        adjoins = after is not None and not text[here.end() : after.start()].strip()
        shows = adjoins and after is not None and after["language"] in OUTPUT_LANGUAGES
        line = text.count("\n", 0, here.start("body")) + 1
        output = _dedented(after) if shows and after is not None else None
        blocks.append(Block(here["language"], _dedented(here), line, output))
    return blocks


def commands_in(block: Block) -> list[Command]:
    """The commands of a console block; a trailing backslash goes on in the next line."""
    parts = re.split(r"^\$ ", block.source.replace("\\\n", " "), flags=re.MULTILINE)
    return [Command(*(part + "\n").split("\n", 1)) for part in parts[1:]]


def relative_links(document: Path) -> list[str]:
    """Targets of links and pictures that lie in the repository."""
    text = _FENCE.sub("", document.read_text(encoding="utf-8"))
    return [link or picture for link, picture in _LINK.findall(text)]


def _dedented(fence: re.Match[str]) -> str:
    indent = len(fence["indent"])
    return "".join(
        line[indent:] if line[:indent].isspace() else line for line in fence["body"].splitlines(True)
    )
