"""Tables in files that a spreadsheet may open: written whole or not at all, and never as formulas.

A text that a spreadsheet would take for one has an apostrophe before it there. Our own readers take it off.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import regex

from workbench.atomic import replacing
from workbench.errors import InputError
from workbench.i18n import gettext as _
from workbench.i18n import listed
from workbench.masking import masked
from workbench.texts import brief

if TYPE_CHECKING:
    import pandas as pd

# Excel's own limits.
MOST_ROWS = 1_048_576
MOST_COLUMNS = 16_384
MOST_CHARACTERS = 32_767

# What makes a spreadsheet take a cell for a formula or a command: a sign in any of its widths, behind what
# some programs strip (white space, a byte-order mark, marks that nobody sees), or a tab or an end of a line.
# What begins with apostrophes before that counts too, so that one apostrophe more can be taken off again.
# OWASP, "CSV Injection", https://owasp.org/www-community/attacks/CSV_Injection
_FORMULA = regex.compile(
    r"'*(?:[\t\r\n]|[\s\p{Cc}\p{Cf}]*[=+\-@\uff1d\uff0b\uff0d\uff20\ufe66\ufe62\ufe63\ufe6b\u2212])"
)
# XML 1.0 has no way to write these, so no .xlsx can hold them.
NOT_IN_XML = regex.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")


def export_frame(frame: pd.DataFrame, path: str | Path) -> Path:
    """Write a table to a file; the suffix says which format.

    ``.csv`` (UTF-8 with a byte-order mark, so that Excel shows Chinese) and ``.xlsx`` are made safe
    with :func:`neutralise_formulas`; ``.jsonl`` and ``.parquet``, which no program evaluates, are
    written as they are. Lists and mappings become JSON text, except in ``.jsonl``.

    Raises
    ------
    InputError
        If the suffix is not one of these, or the table is too large for a spreadsheet.
    StoreError
        If the file cannot be written; a file that was there before is then still whole.
    """
    path = Path(path).expanduser()
    write = FORMATS.get(path.suffix.lower())
    if write is None:
        raise InputError(
            _("{file} does not say in which format to write: end it with {suffixes}.").format(
                file=path.name, suffixes=listed(FORMATS)
            )
        )
    with replacing(path) as draft:
        write(frame.map(masked), draft)
    return path


def neutralise_formulas(frame: pd.DataFrame) -> pd.DataFrame:
    """A copy in which no text, nor column name, starts as a formula does: an apostrophe goes before it.

    Texts that start with ``=``, ``+``, ``-``, ``@`` or another form of these signs, whatever white space or
    invisible mark is before it, with a tab, or with a line break, are changed; numbers are not.
    :func:`as_it_was` takes the apostrophe off again.

    Examples
    --------
    >>> import pandas as pd
    >>> neutralise_formulas(pd.DataFrame({"text": ["=1+1", "Python", "-5"], "score": [-5, 0, 1]}))
         text  score
    0   '=1+1     -5
    1  Python      0
    2     '-5      1
    """
    return frame.map(_harmless).rename(columns=_harmless)


def is_formula(text: str) -> bool:
    """Whether a spreadsheet may take a text for a formula or a command."""
    return _FORMULA.match(text) is not None


def as_it_was(value: Any) -> Any:
    """The value of a cell without the apostrophe that :func:`neutralise_formulas` has put before it.

    Examples
    --------
    >>> as_it_was("'=1+1"), as_it_was("'tis"), as_it_was("''=1")
    ('=1+1', "'tis", "'=1")
    """
    is_neutral = isinstance(value, str) and value[:1] == "'" and is_formula(value)
    return value[1:] if is_neutral else value


def csv_bytes(frame: pd.DataFrame) -> bytes:
    """A table as a .csv file, with the byte-order mark by which Excel knows UTF-8.

    Lines end as RFC 4180 has it: with a lone line feed pandas leaves a carriage return in a text unquoted,
    and what follows it would begin a cell. A NUL, which readers take for no text, is marked.
    """
    safe = neutralise_formulas(frame.map(masked)).replace("\x00", "\ufffd", regex=True)
    return str(safe.to_csv(index=False, lineterminator="\r\n")).encode("utf-8-sig")


def _harmless(value: Any) -> Any:
    return "'" + value if isinstance(value, str) and is_formula(value) else value


def _flat(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.map(
        lambda value: json.dumps(value, ensure_ascii=False) if isinstance(value, list | dict) else value
    )


def _write_csv(frame: pd.DataFrame, path: Path) -> None:
    path.write_bytes(csv_bytes(_flat(frame)))


def _write_xlsx(frame: pd.DataFrame, path: Path) -> None:
    rows, columns = frame.shape
    if rows + 1 > MOST_ROWS or columns > MOST_COLUMNS:
        raise InputError(
            _(
                "{rows} rows and {columns} columns do not fit in an Excel sheet; export to .csv or .parquet."
            ).format(rows=f"{rows:,}", columns=f"{columns:,}")
        )
    flat = _flat(frame)
    _check_lengths(flat)
    safe = neutralise_formulas(flat).map(_for_xml).rename(columns=_for_xml)
    safe.to_excel(path, index=False, engine="openpyxl", sheet_name="knowledge base")


def _check_lengths(frame: pd.DataFrame) -> None:
    for name, column in frame.items():
        for row, value in enumerate(column, start=2):
            # An apostrophe may come to it.
            if isinstance(value, str) and len(value) >= MOST_CHARACTERS:
                raise InputError(
                    _(
                        "Row {row}, column {name} has {n} characters, more than a cell of an Excel sheet "
                        "holds ({most}); export to .csv or .parquet."
                    ).format(row=row, name=brief(str(name)), n=f"{len(value):,}", most=f"{MOST_CHARACTERS:,}")
                )


def _for_xml(value: Any) -> Any:
    return NOT_IN_XML.sub("\ufffd", value) if isinstance(value, str) else value


def _write_jsonl(frame: pd.DataFrame, path: Path) -> None:
    with path.open("w", encoding="utf-8") as file:
        for row in frame.to_dict("records"):
            known = {name: value for name, value in row.items() if not _is_missing(value)}
            file.write(json.dumps(known, ensure_ascii=False, allow_nan=False) + "\n")


def _is_missing(value: Any) -> bool:
    import pandas as pd

    return bool(pd.api.types.is_scalar(value) and pd.isna(value))


def _write_parquet(frame: pd.DataFrame, path: Path) -> None:
    flat = _flat(frame)
    for name in flat.columns:
        # Arrow knows no columns of mixed types; text is what all values can become.
        if _is_mixed(flat[name]):
            flat[name] = flat[name].map(str, na_action="ignore")
    flat.to_parquet(path, index=False)


def _is_mixed(column: pd.Series[Any]) -> bool:
    import pandas as pd

    return pd.api.types.infer_dtype(column, skipna=True).startswith("mixed")


FORMATS: dict[str, Callable[[pd.DataFrame, Path], None]] = {
    ".csv": _write_csv,
    ".xlsx": _write_xlsx,
    ".jsonl": _write_jsonl,
    ".parquet": _write_parquet,
}
