"""Tables of pairs as frames: rows of .csv, .tsv, .jsonl, .xlsx, .parquet, values as text, texts cleaned.

What the columns mean is in :mod:`workbench.pairs.reading`; how a file is read, in :mod:`workbench.files`.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from math import inf
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workbench.documents.aside import read_aside
from workbench.documents.formats import check_file
from workbench.errors import InputError
from workbench.files.kinds import EXCEL, TEXT, find_encoding
from workbench.files.rows import delimited_rows, folded, json_lines, too_much_text
from workbench.files.workbooks import sheet_rows
from workbench.i18n import N_, listed
from workbench.i18n import gettext as _
from workbench.pairs.checks import ANNOTATION_COLUMNS, PAIR_COLUMNS
from workbench.texts import clean

if TYPE_CHECKING:
    import pandas as pd

PARQUET = N_("a Parquet file")


def read_table(path: str | Path, *, encoding: str | None = None, most: float = inf) -> pd.DataFrame:
    """Read a table.

    Parameters
    ----------
    path : str or Path
        .csv and .tsv with a header (values stay text, ``007`` too), .jsonl with an object on each line,
        .xlsx (its first sheet that is not hidden), .parquet.
    encoding : str, optional
        Of a text file, if it cannot be found out.
    most : float
        Bytes of memory that all values of a .csv, .tsv or .parquet file may take; the others have a bound of
        their own, as documents have.

    Returns
    -------
    DataFrame
        The index holds row numbers as a spreadsheet counts them, the header being row 1 (for .jsonl,
        line numbers). Rows without any value are left out. ``attrs["notes"]`` of a workbook says what else
        a person sees in it.

    Raises
    ------
    InputError
        If there is no such file, its format is not known, it is not what its name says, its encoding
        cannot be told, a row is malformed (with its line), or it holds too much.
    """
    path = Path(path).expanduser()
    suffix = path.suffix.lower()
    if path.is_file() and suffix not in _READERS:
        said = _(
            "{file} is of no known format; labelled pairs are read from a folder with pairs.csv, or from "
            "{suffixes} files."
        ).format(file=path.name, suffixes=listed(_READERS))
        if suffix == ".json":
            said += " " + _("For Label Studio or Argilla, use read_label_studio or read_argilla.")
        raise InputError(said)
    check_file(path, {suffix: kind for suffix, (kind, _read) in _READERS.items()}, encoding)
    return _READERS[suffix][1](path, encoding, most)


def recognised_columns(table: pd.DataFrame) -> tuple[pd.DataFrame, list[str]]:
    """The table with our names where its own are the same but for capitals and blanks; and what was meant."""
    wanted = [name for name in (*PAIR_COLUMNS, *ANNOTATION_COLUMNS) if name not in table.columns]
    alike = {ours: [name for name in table.columns if folded(name) == ours] for ours in dict.fromkeys(wanted)}
    meant = {theirs[0]: ours for ours, theirs in alike.items() if len(theirs) == 1}
    notes = [_("column {theirs} read as {ours}").format(theirs=repr(a), ours=b) for a, b in meant.items()]
    return table.rename(columns=meant), notes


def as_text(values: pd.Series[Any]) -> pd.Series[str]:
    """The values as text, missing ones as ``""``; 3.0 becomes ``"3"``, True ``"1"``."""
    import pandas as pd

    if pd.api.types.is_string_dtype(values.dtype) and values.dtype != object:
        return values.fillna("")
    if pd.api.types.is_float_dtype(values.dtype) or pd.api.types.is_bool_dtype(values.dtype):
        values = values.astype(object)
    return values.map(cell_text).astype("str")


def clean_column(texts: pd.Series[str]) -> pd.Series[str]:
    r"""Clean each text as :func:`workbench.clean` does, but keep duplicates and blanks in their rows.

    Blank texts become ``""``, words such as ``nan`` stay as they stand.

    Examples
    --------
    >>> import pandas as pd
    >>> clean_column(pd.Series(["  RAG  开发", "", "RAG 开发"])).tolist()
    ['RAG 开发', '', 'RAG 开发']
    """
    import pandas as pd

    return pd.Series(clean_texts(texts.tolist()), index=texts.index, name=texts.name, dtype="str")


def clean_texts(texts: Sequence[str]) -> list[str]:
    """As :func:`clean_column`, of a list."""
    distinct = list(dict.fromkeys(texts))
    cleaned = clean(distinct)
    new = dict.fromkeys(distinct, "")
    new.update({distinct[at]: text for at, text in zip(cleaned.positions, cleaned.texts, strict=True)})
    new.update({distinct[at]: text for at, text in cleaned.report.missing.items()})
    new.update({distinct[one.position]: new[distinct[one.first]] for one in cleaned.report.duplicates})
    return [new[text] for text in texts]


def _read_delimited(path: Path, encoding: str | None, most: float) -> pd.DataFrame:
    import pandas as pd

    table = delimited_rows(path, encoding or find_encoding(path), most)
    return pd.DataFrame(table.rows, columns=table.columns, index=table.numbers, dtype="str")


def _read_json_lines(path: Path, encoding: str | None, most: float) -> pd.DataFrame:
    import pandas as pd

    lines = read_aside(partial(json_lines, path, encoding or find_encoding(path)), path)
    for number, value in lines:
        if not isinstance(value, dict):
            raise InputError(
                _("{file}, line {line} is a {type}; each line must be an object.").format(
                    file=path.name, line=number, type=type(value).__name__
                )
            )
    # Object, so that whole numbers stay whole where others are missing.
    rows = [{cell_text(name): each for name, each in value.items()} for __, value in lines]
    return pd.DataFrame(rows, index=[number for number, __ in lines], dtype=object)


def _read_workbook(path: Path, encoding: str | None, most: float) -> pd.DataFrame:
    import pandas as pd

    table = read_aside(partial(sheet_rows, path), path)
    if not table.columns:
        raise InputError(_("The first sheet of {file} is empty.").format(file=path.name))
    frame = pd.DataFrame(table.rows, columns=table.columns, index=table.numbers, dtype=object)
    frame.attrs = {"notes": list(table.notes)}
    return frame


def _read_parquet(path: Path, encoding: str | None, most: float) -> pd.DataFrame:
    return read_aside(partial(_parquet_in, path, most), path)


def _parquet_in(path: Path, most: float) -> pd.DataFrame:
    import pandas as pd
    from pyarrow import parquet

    try:
        table = parquet.read_table(path)
        # Else a text that is no UTF-8 is found out later.
        table.validate(full=True)
        if table.nbytes > most:
            raise too_much_text(path, most)
        frame: pd.DataFrame = table.to_pandas()
    except (InputError, MemoryError):
        raise
    except Exception as error:  # pandas and pyarrow fail in many ways on damaged files
        raise InputError(
            _("{file} cannot be read as a Parquet file: {error}.").format(file=path.name, error=error)
        ) from error
    return frame.set_axis(pd.RangeIndex(2, len(frame) + 2), axis=0)


_READERS = {
    ".csv": (TEXT, _read_delimited),
    ".tsv": (TEXT, _read_delimited),
    ".jsonl": (TEXT, _read_json_lines),
    ".xlsx": (EXCEL, _read_workbook),
    ".parquet": (PARQUET, _read_parquet),
}


def cell_text(value: Any) -> str:
    """A value as text, a missing one as an empty text."""
    match value:
        case None:
            return ""
        case str():
            # JSON can have half of a surrogate pair, and no string of Arrow can.
            return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        case bool():
            return str(int(value))
        case float():
            if value != value:
                return ""
            return str(int(value)) if value.is_integer() else str(value)
    return "" if type(value).__name__ in ("NAType", "NaTType") else str(value)
