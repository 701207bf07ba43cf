"""Scored pairs from Parquet, by the million: numbers alone are read, a batch at a time, and never a text.

What is found on them is what the same rows in a frame give: rows are the same numbers, and JDs the same JDs.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from workbench.calibration.observations import AUTO, CLUSTER_COLUMNS, WEIGHT_COLUMNS, FloatArray
from workbench.calibration.pair_kinds import SOURCE
from workbench.errors import InputError
from workbench.i18n import gettext as _
from workbench.i18n import listed

if TYPE_CHECKING:
    import pyarrow as pa

ROWS_A_BATCH = 100_000


def read_scores(
    path: str | Path,
    *,
    score: str = "score",
    label: str = "label",
    weight: str | None = AUTO,
    cluster: str | None = AUTO,
    also: Sequence[str] = (),
) -> pd.DataFrame:
    """Read scored, labelled pairs of a Parquet file, or of a folder of them, without their texts.

    Parameters
    ----------
    path : str or Path
    score, label, weight, cluster : str
        Columns, as :meth:`Observations.from_frame` takes them: by default `score` and `label` with, where
        they are there, `weight` or `inclusion_probability`, `jd_id` or else `jd`, and `source`.
    also : sequence of str
        Further columns with few distinct values, such as groups to compare.

    Returns
    -------
    DataFrame
        Of the columns that were asked for, sorted by score; about 13 bytes a pair. What is no number is a
        categorical column, so that a JD's text is held once. ``attrs["source"]`` names the file.

    Raises
    ------
    InputError
        If it cannot be read, has not these columns, or has scores or labels that cannot be used; with their
        number.

    Examples
    --------
    >>> import tempfile
    >>> pairs = pd.DataFrame({"score": [0.9, 0.2], "label": [1, 0], "resume": ["long", "texts"]})
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     pairs.to_parquet(f"{folder}/pairs.parquet")
    ...     read_scores(f"{folder}/pairs.parquet")
       score  label
    0    0.2      0
    1    0.9      1
    """
    path = Path(path).expanduser()
    found = _opened(path)
    there = found.schema.names
    numbers = {score: np.dtype(np.float64), label: np.dtype(np.int8)}
    if weight == AUTO:
        weight = next((name for name in WEIGHT_COLUMNS if name in there), None)
    if cluster == AUTO:
        cluster = next((name for name in CLUSTER_COLUMNS if name in there), None)
    if weight is not None:
        numbers[weight] = np.dtype(np.float64)
    kinds = dict.fromkeys([*filter(None, [cluster]), *({SOURCE} & set(there)), *also])
    if missing := [name for name in (*numbers, *kinds) if name not in there]:
        raise InputError(
            _("{file} has no column {missing}; it has {columns}.").format(
                file=path.name, missing=listed(map(repr, missing)), columns=listed(there)
            )
        )
    n = found.count_rows()
    columns: dict[str, Any] = {name: np.empty(n, kind) for name, kind in numbers.items()}
    codes = {name: np.empty(n, np.int32) for name in kinds}
    known: dict[str, dict[Any, int]] = {name: {} for name in kinds}
    unusable, at = dict.fromkeys([*numbers, *filter(None, [cluster])], 0), 0
    for batch in found.to_batches(columns=[*columns, *codes], batch_size=ROWS_A_BATCH):
        rows = slice(at, at + batch.num_rows)
        for name, values in columns.items():
            read = _floats(batch.column(name), path, name)
            usable = np.isin(read, (0, 1)) if name == label else np.isfinite(read)
            unusable[name] += int((~usable).sum())
            values[rows] = np.where(usable, read, 0)
        for name in codes:
            codes[name][rows] = _coded(batch.column(name), known[name])
            if name == cluster:
                unusable[name] += int((codes[name][rows] < 0).sum())
        at = rows.stop
    _refuse(path, n, unusable, label)
    columns |= {name: _categorical(codes.pop(name), known.pop(name)) for name in kinds}
    # In this order nothing needs to be copied to be put in order, by all that calibration does.
    keys = [columns[name] for name in (weight, label, score) if name is not None]
    if cluster is not None:
        keys.insert(0, columns[cluster].codes)
    order = np.lexsort(keys)
    frame = pd.DataFrame({name: columns.pop(name)[order] for name in [*columns]}, copy=False)
    frame.attrs = {"source": path.name}
    return frame


def is_scores_alone(path: Path, resume: str = "resume") -> bool:
    """Whether it is a Parquet file, or a folder of some, without a column of résumé texts."""
    is_parquet = path.suffix == ".parquet" or any(path.glob("*.parquet"))
    return is_parquet and path.exists() and resume not in _opened(path).schema.names


def _opened(path: Path) -> Any:
    """The file, or the folder's, as one table that is not read yet."""
    from pyarrow import ArrowException, dataset

    if not path.exists():
        raise InputError(_("There is no file {path}; check the path.").format(path=path))
    try:
        return dataset.dataset(sorted(path.glob("*.parquet")) if path.is_dir() else path, format="parquet")
    except (ArrowException, OSError, ValueError) as error:
        raise InputError(
            _("{file} cannot be read as a Parquet file: {error}.").format(file=path.name, error=error)
        ) from error


def _floats(values: pa.Array, path: Path, column: str) -> FloatArray:
    try:
        return np.asarray(values.to_numpy(zero_copy_only=False), dtype=np.float64)
    except (TypeError, ValueError):
        raise InputError(
            _("Column {column} of {file} holds {type}; numbers are needed.").format(
                column=repr(column), file=path.name, type=values.type
            )
        ) from None


def _coded(values: pa.Array, known: dict[Any, int]) -> Any:
    """A number for each value, -1 for a missing one; values not seen before get the next."""
    if values.type.__class__.__name__ != "DictionaryType":
        values = values.dictionary_encode()
    new: Iterable[Any] = values.dictionary.to_pylist()
    numbers = np.array([-1 if value is None else known.setdefault(value, len(known)) for value in new] + [-1])
    return numbers[values.indices.fill_null(len(numbers) - 1).to_numpy()]


def _categorical(codes: npt.NDArray[np.int32], known: dict[Any, int]) -> pd.Categorical:
    """Numbered by value, so that the order of rows has no say."""
    rank = np.empty(len(known) + 1, dtype=np.int32)
    rank[[*(known[value] for value in sorted(known)), -1]] = [*range(len(known)), -1]
    names: Any = pd.Index(sorted(known))
    found: pd.Categorical = pd.Categorical.from_codes(rank[codes], names)
    return found


def _refuse(path: Path, n: int, unusable: dict[str, int], label: str) -> None:
    if n == 0:
        raise InputError(_("{file} holds no pair.").format(file=path.name))
    labels = _("{wrong} of the {n} labels in column {column} of {file} are not 0 or 1; leave those rows out.")
    others = _(
        "{wrong} of the {n} values in column {column} of {file} are missing or not finite; leave those "
        "rows out."
    )
    said = [
        (labels if name == label else others).format(
            wrong=f"{wrong:,}", n=f"{n:,}", column=repr(name), file=path.name
        )
        for name, wrong in unusable.items()
        if wrong
    ]
    if said:
        raise InputError(" ".join(said))
