"""Rows of a table file as a frame whose index is the row number: .csv, .tsv, .jsonl, .xlsx, .parquet.

Only reading; what the columns mean is in :mod:`workbench.pairs.reading`. Encodings and file kinds are told
by :mod:`workbench.files`.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workbench.errors import InputError
from workbench.files.encodings import find_encoding, open_text
from workbench.files.headers import column_names, separator_of
from workbench.files.kinds import EXCEL, TEXT, check_archive_size, kind_of

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["SUFFIXES", "as_text", "read_table"]

PARQUET = "a Parquet file"
# A résumé may be a page; a field of more is a quotation mark that is not closed.
LONGEST_FIELD = 2**20


def read_table(path: str | Path, *, encoding: str | None = None) -> pd.DataFrame:
    """Read a table.

    Parameters
    ----------
    path : str or Path
        .csv and .tsv with a header (values stay text, ``007`` too), .jsonl with an object on each line,
        .xlsx (its first sheet; formulas are not evaluated), .parquet.
    encoding : str, optional
        Of a text file, if it cannot be found out.

    Returns
    -------
    DataFrame
        The index holds row numbers as a spreadsheet counts them, the header being row 1 (for .jsonl,
        line numbers). Rows without any value are left out.

    Raises
    ------
    InputError
        If there is no such file, its format is not known, it is not what its name says, its encoding
        cannot be told, or a row is malformed (with its line).
    """
    path = Path(path).expanduser()
    suffix = path.suffix.lower()
    if not path.is_file():
        raise InputError(f"There is no file {path}; check the path.")
    if suffix not in _READERS:
        advice = ""
        if suffix == ".json":
            advice = " For Label Studio or Argilla, use workbench.pairs.read_label_studio or read_argilla."
        raise InputError(
            f"{path.name} is of no known format; labelled pairs are read from a folder with pairs.csv, or "
            f"from {', '.join(SUFFIXES)} files.{advice}"
        )
    expected, read = _READERS[suffix]
    if not path.stat().st_size:
        raise InputError(f"{path.name} is empty.")
    kind = kind_of(path)
    if kind != expected:
        raise InputError(f"{path.name} is named as {expected}, but is {kind}. Save it as what it is named.")
    return read(path, encoding)


def as_text(values: pd.Series[Any]) -> pd.Series[str]:
    """The values as text, missing ones as ``""``; 3.0 becomes ``"3"``, True ``"1"``."""
    import pandas as pd

    if pd.api.types.is_string_dtype(values.dtype) and values.dtype != object:
        return values.fillna("")
    if pd.api.types.is_float_dtype(values.dtype) or pd.api.types.is_bool_dtype(values.dtype):
        values = values.astype(object)
    return values.map(_cell).astype("str")


def _read_delimited(path: Path, encoding: str | None) -> pd.DataFrame:
    import pandas as pd

    with open_text(path, encoding or find_encoding(path), newline="") as file:
        separator = separator_of(file, path)
        before = csv.field_size_limit(LONGEST_FIELD)
        reader = csv.reader(file, delimiter=separator, strict=True)
        try:
            header = column_names(next(reader, []))
            numbers: list[int] = []
            columns: list[list[str]] = [[] for _ in header]
            for number, row in enumerate(_checked(reader, len(header), path), start=2):
                if any(row):
                    numbers.append(number)
                    for column, value in zip(columns, row, strict=True):
                        column.append(value)
        except csv.Error as error:
            raise InputError(
                f"{path.name}, line {reader.line_num}: {error}. A text with quotation marks must stand in "
                "quotation marks, and those inside it must be doubled; or save the file as .xlsx."
            ) from error
        finally:
            csv.field_size_limit(before)
    return pd.DataFrame(dict(zip(header, columns, strict=True)), index=numbers, dtype="str")


def _checked(reader: Any, width: int, path: Path) -> Iterator[list[str]]:
    for row in reader:
        if len(row) != width:
            if any(row[width:]):
                raise InputError(
                    f"{path.name}, line {reader.line_num} has {len(row)} fields, but the header has {width}. "
                    "Put texts that contain the separator in quotation marks."
                )
            row = [*row[:width], *[""] * (width - len(row))]
        yield row


def _read_json_lines(path: Path, encoding: str | None) -> pd.DataFrame:
    import pandas as pd

    numbers, rows = [], []
    with open_text(path, encoding or find_encoding(path)) as file:
        for number, line in enumerate(file, start=1):
            if not line.strip():
                continue
            try:
                row = json.loads(line)
            except (ValueError, RecursionError) as error:
                raise InputError(f"{path.name}, line {number} is not JSON: {error}.") from None
            if not isinstance(row, dict):
                raise InputError(
                    f"{path.name}, line {number} is a {type(row).__name__}; each line must be an object."
                )
            numbers.append(number)
            rows.append(row)
    # Object, so that whole numbers stay whole where others are missing.
    return pd.DataFrame(rows, index=numbers, dtype=object)


def _read_workbook(path: Path, encoding: str | None) -> pd.DataFrame:
    import openpyxl
    import pandas as pd

    check_archive_size(path)
    try:
        with closing(openpyxl.load_workbook(path, read_only=True, data_only=True)) as book:
            sheet = book.worksheets[0]
            # The declared size of a sheet is often wrong.
            sheet.reset_dimensions()
            filled = [
                (number, values)
                for number, values in enumerate(sheet.iter_rows(values_only=True), start=1)
                if any(value is not None and value != "" for value in values)
            ]
    except Exception as error:  # openpyxl and the XML under it fail in many ways on damaged files
        raise InputError(
            f"{path.name} cannot be read as an Excel workbook: {error}. Open it in Excel and save it again."
        ) from error
    if not filled:
        raise InputError(f"The first sheet of {path.name} is empty.")
    width = max(len(values) for _, values in filled)
    header = column_names([*filled[0][1], *[None] * (width - len(filled[0][1]))])
    rows = [[*values, *[None] * (width - len(values))] for _, values in filled[1:]]
    return pd.DataFrame(rows, columns=header, index=[number for number, _ in filled[1:]], dtype=object)


def _read_parquet(path: Path, encoding: str | None) -> pd.DataFrame:
    import pandas as pd

    try:
        frame = pd.read_parquet(path)
    except (OSError, ValueError) as error:
        raise InputError(f"{path.name} cannot be read as a Parquet file: {error}.") from error
    return frame.set_axis(pd.RangeIndex(2, len(frame) + 2), axis=0)


_READERS = {
    ".csv": (TEXT, _read_delimited),
    ".tsv": (TEXT, _read_delimited),
    ".jsonl": (TEXT, _read_json_lines),
    ".xlsx": (EXCEL, _read_workbook),
    ".parquet": (PARQUET, _read_parquet),
}
SUFFIXES = tuple(_READERS)


def _cell(value: Any) -> str:
    match value:
        case None:
            return ""
        case str():
            return (
                value
                if _is_whole(value)
                else value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
            )
        case bool():
            return str(int(value))
        case float():
            if value != value:
                return ""
            return str(int(value)) if value.is_integer() else str(value)
    return "" if type(value).__name__ in ("NAType", "NaTType") else str(value)


def _is_whole(text: str) -> bool:
    """Whether no half of a surrogate pair is in it, as JSON can have and no string of Arrow."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
