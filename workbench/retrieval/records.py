"""Metadata of texts as plain records: what JSON can hold, so that it survives on disk and in reports."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from itertools import compress
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, Self
from uuid import UUID

import numpy as np
import numpy.typing as npt

from workbench.errors import InputError
from workbench.i18n import gettext as _
from workbench.i18n import listed
from workbench.texts import kind_of, too_long

if TYPE_CHECKING:
    import pandas as pd

    from workbench.documents.reading import Unread

Record = dict[str, Any]


class Records(Sequence[Record]):
    """Records as they are kept, each as a line of JSON; what is taken out is a copy.

    Parameters
    ----------
    kept : list of str
    """

    def __init__(self, kept: list[str]) -> None:
        self.kept = kept

    @classmethod
    def of(cls, records: Iterable[Mapping[str, Any]]) -> Self:
        """Keep records that :func:`records_from` made."""
        return cls([json.dumps(record, ensure_ascii=False, allow_nan=False) for record in records])

    def __len__(self) -> int:
        return len(self.kept)

    def __getitem__(self, row: int) -> Record:  # type: ignore[override]
        record: Record = json.loads(self.kept[row])
        return record

    def __iter__(self) -> Iterator[Record]:
        # All at once takes a third of the time.
        return iter(json.loads(f"[{','.join(self.kept)}]"))


@dataclass(frozen=True)
class FileTexts:
    """The texts of one file, not yet cleaned, with a record for each.

    Attributes
    ----------
    source : str
        Name of the file, without its folder.
    texts : list of str
    records : list of dict
        Other columns, then ``source`` and the place: ``line``, ``row`` or ``page``, counted from 1.
    notes : tuple of str
        How it was read, where that was a choice, and what could not be read.
    """

    source: str
    texts: list[str]
    records: list[Record]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class FilesRead:
    """What was read of some files, and what could not be."""

    files: tuple[FileTexts, ...] = ()
    unread: tuple[Unread, ...] = ()

    def without_too_long(self) -> FilesRead:
        """Texts that are longer than any document count as not read."""
        from workbench.documents.reading import Unread

        unread = [
            Unread(file.source, said)
            for file in self.files
            for text in file.texts
            if (said := too_long(text))
        ]
        return FilesRead(
            tuple(_those(file, [not too_long(text) for text in file.texts]) for file in self.files),
            (*self.unread, *unread),
        )

    @property
    def texts(self) -> list[str]:
        """Of all files."""
        return [text for file in self.files for text in file.texts]

    @property
    def records(self) -> list[Record]:
        """Of all texts."""
        return [record for file in self.files for record in file.records]


def _those(file: FileTexts, kept: Sequence[bool]) -> FileTexts:
    return replace(file, texts=list(compress(file.texts, kept)), records=list(compress(file.records, kept)))


def records_from(metadata: pd.DataFrame | Sequence[Mapping[str, Any]] | None, n: int) -> list[Record]:
    """One plain record for each of `n` texts.

    Missing values (None, NaN, NaT) are left out; numpy scalars become Python's; dates become ISO 8601
    text; infinities and numbers of arbitrary precision become text.

    Parameters
    ----------
    metadata : DataFrame, sequence of mappings, or None
        A row for each text, in order; a DataFrame's index is ignored.
    n : int
        How many texts there are.

    Raises
    ------
    InputError
        If there are more or fewer rows than texts, or a value that JSON cannot hold.

    Examples
    --------
    >>> records_from([{"city": "上海", "level": np.int64(7)}, {"city": None}], 2)
    [{'city': '上海', 'level': 7}, {}]
    """
    if metadata is None:
        return [{} for _ in range(n)]
    if isinstance(metadata, str | Mapping):
        raise InputError(
            _("metadata is one {type}; pass a DataFrame, or a list with one mapping for each text.").format(
                type=type(metadata).__name__
            )
        )
    rows = metadata.to_dict("records") if hasattr(metadata, "to_dict") else list(metadata)
    if len(rows) != n:
        raise InputError(
            _("metadata has {rows} rows for {n} texts; pass one row for each text.").format(
                rows=len(rows), n=n
            )
        )
    return [_record(row, position) for position, row in enumerate(rows)]


def frame_of(records: Sequence[Record]) -> pd.DataFrame:
    """Records as a DataFrame with a row for each; whole numbers stay whole where values are missing."""
    import pandas as pd

    frame = pd.DataFrame(list(records), index=pd.RangeIndex(len(records)))
    for name in frame.columns[frame.dtypes == np.float64]:
        values = [record.get(name) for record in records]
        if all(value is None or isinstance(value, int) for value in values):
            frame[name] = pd.array(values, dtype="Int64")
    return frame


def row_numbers(rows: int | npt.ArrayLike, n: int) -> npt.NDArray[np.intp]:
    """Row numbers from one, several, or a boolean mask over `n` rows.

    Raises
    ------
    InputError
        If there is no such row, or the mask has another length.
    """
    given = np.atleast_1d(np.asarray(rows))
    if given.dtype == object and all(isinstance(value, bool) or _is_missing(value) for value in given):
        # A nullable mask of pandas: what is not known is not meant.
        given = np.array([value is True for value in given], dtype=np.bool_)
    if given.dtype == bool:
        if given.shape != (n,):
            raise InputError(
                _("The mask has {size} values, but there are {n} rows; pass one for each row.").format(
                    size=given.size, n=n
                )
            )
        return np.flatnonzero(given)
    if not given.size:
        return np.empty(0, dtype=np.intp)
    if not np.issubdtype(given.dtype, np.integer):
        raise InputError(
            _("Row numbers must be whole numbers or a boolean mask, not {type}.").format(type=given.dtype)
        )
    outside = given[(given < 0) | (given >= n)]
    if outside.size and n:
        raise InputError(
            _("There is no row {row}; rows go from 0 to {last}.").format(row=outside[0], last=n - 1)
        )
    if outside.size:
        raise InputError(_("There are no rows."))
    return given.ravel().astype(np.intp)


def matching_rows(records: Sequence[Record], where: Mapping[str, Any]) -> npt.NDArray[np.intp]:
    """Rows whose record has all the given values.

    Raises
    ------
    InputError
        If no row has such a column, or nothing is asked for.
    """
    known = {name for record in records for name in record}
    unknown = [name for name in where if name not in known]
    if unknown:
        raise InputError(
            _("No text has metadata {name}; the columns are: {columns}.").format(
                name=repr(unknown[0]), columns=listed(sorted(known)) or _("none")
            )
        )
    if not where:
        raise InputError(_("where= is empty; name at least one column and its value."))
    wanted = _record(where, 0)
    return np.array(
        [
            row
            for row, record in enumerate(records)
            if all(record.get(name) == wanted.get(name) for name in where)
        ],
        dtype=np.intp,
    )


def _record(row: Mapping[str, Any], position: int) -> Record:
    if not isinstance(row, Mapping):
        raise InputError(
            _("Row {position} of the metadata is {type}, not a mapping.").format(
                position=position, type=type(row).__name__
            )
        )
    record = {}
    for key, value in row.items():
        try:
            value = _plain(value)
        except TypeError:
            raise InputError(
                _(
                    "Metadata {key} of text {position} is {type}; use text, numbers, dates, or lists of them."
                ).format(key=repr(key), position=position, type=kind_of(value))
            ) from None
        if value is not None:
            record[_text(str(key))] = value
    return record


def _plain(value: Any) -> Any:
    if isinstance(value, np.generic):
        value = value.item()
    match value:
        case None | bool() | int():
            return value
        case float():
            if value != value:
                return None
            return value if abs(value) != float("inf") else str(value)
        case str():
            return _text(value)
        case date() | time() | datetime():
            # NaT is a datetime that is not equal to itself
            return value.isoformat() if value == value else None
        case Decimal() | UUID() | PurePath() | timedelta():
            return str(value)
        case Mapping():
            return {_text(str(key)): _plain(inner) for key, inner in value.items()}
        case list() | tuple() | np.ndarray():
            return [_plain(inner) for inner in value]
    if _is_missing(value):
        return None
    raise TypeError


def _is_missing(value: Any) -> bool:
    # pd.NA, which is a singleton; pandas need not be imported to know it
    return type(value).__name__ == "NAType"


def _text(value: str) -> str:
    """Without split surrogate pairs, which no file could hold."""
    return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
