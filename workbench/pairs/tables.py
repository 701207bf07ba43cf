"""Rows of a table file as a frame whose index is the row number: .csv, .tsv, .jsonl, .xlsx, .parquet.

Only reading; what the columns mean is in :mod:`workbench.pairs.reading`. How a file is read is the business
of :mod:`workbench.files`.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from workbench.errors import InputError
from workbench.files.encodings import find_encoding
from workbench.files.kinds import EXCEL, TEXT, kind_of
from workbench.files.rows import delimited_rows, json_lines, sheet_rows

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["SUFFIXES", "as_text", "read_table"]

PARQUET = "a Parquet file"


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

    table = delimited_rows(path, encoding or find_encoding(path))
    return pd.DataFrame(table.rows, columns=table.columns, index=table.numbers, dtype="str")


def _read_json_lines(path: Path, encoding: str | None) -> pd.DataFrame:
    import pandas as pd

    lines = json_lines(path, encoding or find_encoding(path))
    for number, value in lines:
        if not isinstance(value, dict):
            raise InputError(
                f"{path.name}, line {number} is a {type(value).__name__}; each line must be an object."
            )
    # Object, so that whole numbers stay whole where others are missing.
    return pd.DataFrame([value for _, value in lines], index=[number for number, _ in lines], dtype=object)


def _read_workbook(path: Path, encoding: str | None) -> pd.DataFrame:
    import pandas as pd

    table = sheet_rows(path)
    if not table.columns:
        raise InputError(f"The first sheet of {path.name} is empty.")
    return pd.DataFrame(table.rows, columns=table.columns, index=table.numbers, dtype=object)


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
