"""Writing tables to files that a spreadsheet may open: whole or not at all, and never as formulas."""

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

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["FORMATS", "export_frame", "neutralise_formulas"]

# Excel's own limits.
MOST_ROWS = 1_048_576
MOST_COLUMNS = 16_384
MOST_CHARACTERS = 32_767

# What makes a spreadsheet take a cell for a formula or a command, full-width forms too.
# OWASP, "CSV Injection", https://owasp.org/www-community/attacks/CSV_Injection
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
# XML 1.0 has no way to write these, so no .xlsx can hold them.
_NOT_IN_XML = regex.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")


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
        write(frame, draft)
    return path


def neutralise_formulas(frame: pd.DataFrame) -> pd.DataFrame:
    """A copy in which no text, nor column name, starts as a formula does: an apostrophe goes before it.

    Texts that start with ``=``, ``+``, ``-``, ``@``, a tab or a line break, or the full-width form of
    these signs, are changed; numbers are not.

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


def _harmless(value: Any) -> Any:
    return "'" + value if isinstance(value, str) and value.startswith(_FORMULA_STARTS) else value


def _flat(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.map(
        lambda value: json.dumps(value, ensure_ascii=False) if isinstance(value, list | dict) else value
    )


def _write_csv(frame: pd.DataFrame, path: Path) -> None:
    neutralise_formulas(_flat(frame)).to_csv(path, index=False, encoding="utf-8-sig")


def _write_xlsx(frame: pd.DataFrame, path: Path) -> None:
    rows, columns = frame.shape
    if rows + 1 > MOST_ROWS or columns > MOST_COLUMNS:
        raise InputError(
            _(
                "{rows} rows and {columns} columns do not fit in an Excel sheet; export to .csv or .parquet."
            ).format(rows=f"{rows:,}", columns=f"{columns:,}")
        )
    safe = neutralise_formulas(_flat(frame)).map(_for_xml).rename(columns=_for_xml)
    safe.to_excel(path, index=False, engine="openpyxl", sheet_name="knowledge base")


def _for_xml(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    if len(value) > MOST_CHARACTERS:
        raise InputError(
            _(
                "{text}… has {n} characters, more than a cell of an Excel sheet holds ({most}); export to "
                ".csv or .parquet."
            ).format(text=repr(value[:40]), n=f"{len(value):,}", most=f"{MOST_CHARACTERS:,}")
        )
    return _NOT_IN_XML.sub("\ufffd", value)


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
