"""Write docs/reference.md: every name of the public face, from the stub of the package and the docstrings.

python tools/reference.py        'make reference'
"""

from __future__ import annotations

import ast
import inspect
import re
import textwrap
from functools import cached_property
from pathlib import Path
from typing import Any

import workbench

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs/reference.md"
# The rooms in the order in which work is done, and what is done there; any other follows.
ROOMS = {
    "texts": "Texts",
    "encoders": "Encoders",
    "retrieval": "Search",
    "pairs": "Labelled pairs",
    "calibration": "Cutoffs, guarantees and comparisons",
    "cutoffs": "Cutoff cards",
    "exploration": "Inside the vectors, and the skill map",
    "shortcuts": "In one step",
    "plots": "Figures",
    "panels": "Panels",
    "reports": "Reports",
    "notebooks": "Notebooks",
    "i18n": "Language",
}
OTHERS = "More"
HEAD = """# Reference

What `import workbench as wb` offers; `help(wb.calibrate)` says more, with examples and sources. This page is
written from the docstrings by `make reference`.
"""
# Sections of a docstring that are kept; the rest is for help().
KEPT = ("Parameters", "Attributes", "Returns")


def homes() -> dict[str, str]:
    """The room of each public name, as the package's stub has it."""
    stub = ast.parse((ROOT / "workbench/__init__.pyi").read_text(encoding="utf-8"))
    imports = [statement for statement in stub.body if isinstance(statement, ast.ImportFrom)]
    return {alias.name: str(found.module).split(".")[0] for found in imports for alias in found.names}


def reference() -> str:
    """The page."""
    rooms: dict[str, list[str]] = {title: [] for title in [*ROOMS.values(), OTHERS]}
    for name, room in homes().items():
        rooms[ROOMS.get(room, OTHERS)].append(name)
    parts = [HEAD]
    for title, names in rooms.items():
        entries = [entry(name, getattr(workbench, name)) for name in sorted(names, key=str.casefold)]
        parts += [f"## {title}\n", *entries]
    return "\n".join(parts)


def entry(name: str, value: Any) -> str:
    """A heading, how it is called, and what its docstring says."""
    head = f"### wb.{name}\n"
    if not callable(value):
        return f"{head}\nA {type(value).__name__}.\n"
    text = sections(inspect.getdoc(value) or "")
    is_error = inspect.isclass(value) and issubclass(value, Exception)
    # "py", for the tests run what is marked as "python" in full.
    lines = [head, *([] if is_error else [f"```py\n{call(name, value)}\n```\n"]), prose(text.pop("")), ""]
    for title in KEPT:
        if title in text:
            lines += [f"**{title}**\n", listing(text[title]), ""]
    if inspect.isclass(value) and (methods := methods_of(value)):
        lines += ["**Methods**\n", *methods, ""]
    return "\n".join(lines)


def methods_of(value: type) -> list[str]:
    """What objects of a class can be asked for and do, a line each."""
    members = [(name, member) for name, member in vars(value).items() if not name.startswith("_")]
    documented = [(name, inspect.getdoc(member)) for name, member in members if not isinstance(member, type)]
    return [
        f"- `.{name}`: {prose(doc.split(chr(10) * 2)[0])}"
        for name, doc in documented
        if doc
        and (callable(getattr(value, name)) or isinstance(vars(value)[name], property | cached_property))
    ]


def call(name: str, value: Any) -> str:
    """How it is called: parameters with their defaults."""
    parameters = inspect.signature(value).parameters.values()
    bare = [parameter.replace(annotation=inspect.Parameter.empty) for parameter in parameters]
    return textwrap.fill(f"wb.{name}{inspect.Signature(bare)}", 90, subsequent_indent="    ")


def sections(doc: str) -> dict[str, str]:
    """The text before the first underlined title, under "", and that of each title."""
    pieces = re.split(r"^(\w[\w ]*)\n-{3,}\n", doc, flags=re.MULTILINE)
    return {"": pieces[0], **dict(zip(pieces[1::2], pieces[2::2], strict=True))}


def prose(text: str) -> str:
    """Docstrings' markup as Markdown: roles and literals as code, references left out."""
    text = re.sub(r":\w+:`~?(?:[^`<]*<)?(?:workbench\.)?([\w.]+)>?`", r"`\1`", text)
    return re.sub(r" ?\[\d+\]_", "", text.replace("``", "`")).strip()


def listing(text: str) -> str:
    """``name : type`` with an indented text below, as a list."""
    lines = []
    for line in prose(text).splitlines():
        if line.startswith(" "):
            lines.append(f"  {line.strip()}")
        elif line:
            name, colon, kind = line.partition(" : ")
            lines.append(f"- `{name}`{f' ({kind})' if colon else ''}  ")
    return "\n".join(lines)


if __name__ == "__main__":
    PAGE.write_text(reference(), encoding="utf-8")
