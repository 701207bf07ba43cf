"""The header of a table: what separates its fields, and a name for each column, that readers share."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TextIO

__all__ = ["column_names", "separator_of"]

# A longer header is none: most likely line breaks are missing.
LONGEST_HEADER = 2**16


def separator_of(file: TextIO, path: Path) -> str:
    """The separator that splits the header into most columns; the suffix decides where none does.

    The file is read from its start, and back there afterwards.
    """
    header = file.readline(LONGEST_HEADER)
    file.seek(0)
    candidates = "\t,;|" if path.suffix.lower() == ".tsv" else ",;\t|"
    return max(candidates, key=lambda separator: len(next(csv.reader([header], delimiter=separator), [])))


def column_names(header: Sequence[Any]) -> list[str]:
    """Names of columns; those without get a number, repeated ones too.

    Examples
    --------
    >>> column_names(["jd", None, "jd"])
    ['jd', 'column 2', 'jd (3)']
    """
    names: list[str] = []
    for number, cell in enumerate(header, start=1):
        name = str(cell).strip() if cell is not None else ""
        name = name or f"column {number}"
        names.append(f"{name} ({number})" if name in names else name)
    return names
