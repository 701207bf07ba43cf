"""From a folder or a file to two checked frames, pairs and annotations; problems are gathered, then raised.

Labels are still what each annotator said; one label a pair comes from :mod:`workbench.pairs.resolution`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from workbench.errors import InputError
from workbench.pair_hashes import pair_ids_of
from workbench.pairs.annotation_files import annotations_from, annotations_in, no_annotations, stale_labels
from workbench.pairs.checks import among, contradictions, one_id_many_texts, one_text_many_ids, unknown_pairs
from workbench.pairs.cleaning import clean_column
from workbench.pairs.problems import PairsError, Problem
from workbench.pairs.schema import ANNOTATION_COLUMNS, NUMBER_COLUMNS, PAIR_COLUMNS, misfits, pair_schema
from workbench.pairs.tables import as_text, read_table
from workbench.texts import MAX_CHARACTERS

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["PAIRS_FILE", "BadRows", "Loaded", "Options", "load"]

BadRows = Literal["error", "drop"]
PAIRS_FILE = "pairs.csv"


@dataclass(frozen=True)
class Options:
    """How to read; as the parameters of :func:`~workbench.pairs.read_pairs`."""

    columns: Mapping[str, str] | None = None
    positive: str | Collection[str] | None = None
    negative: str | Collection[str] | None = None
    labelled: bool = True
    encoding: str | None = None
    bad_rows: BadRows = "error"
    max_characters: int = MAX_CHARACTERS


@dataclass(frozen=True, eq=False)
class Loaded:
    """What was read.

    Attributes
    ----------
    pairs : DataFrame
        ``pair_id, jd, resume`` and groups; one row a pair, in the order of the file.
    annotations : DataFrame
        ``pair_id, annotator, label`` (int64), ``labelled_at, note``; one row for each label.
    n_repeated : int
        Rows that say again what an earlier row says.
    n_cut : int
        Rows with a text that was too long and was cut.
    problems : tuple of Problem
        Why rows were left out; only with ``bad_rows="drop"``.
    """

    pairs: pd.DataFrame
    annotations: pd.DataFrame
    n_repeated: int
    n_cut: int
    problems: tuple[Problem, ...]


def load(path: str | Path, options: Options) -> Loaded:
    """Read a folder with ``pairs.csv``, or a single file.

    Raises
    ------
    InputError
        If a file cannot be read at all, or an option makes no sense.
    PairsError
        If columns are missing or rows cannot be used; with all of them.
    """
    path = Path(path).expanduser()
    if options.bad_rows not in ("error", "drop"):
        raise InputError(f"bad_rows is {options.bad_rows!r}; choose 'error' or 'drop'.")
    ours = dict.fromkeys((*PAIR_COLUMNS, *ANNOTATION_COLUMNS))
    if unknown := [name for name in options.columns or {} if name not in ours]:
        raise InputError(
            f"columns names {', '.join(map(repr, unknown))}, which is none of ours ({', '.join(ours)}); "
            "write {ours: theirs}. Other columns are kept under the names that they have."
        )
    return _load_folder(path, options) if path.is_dir() else _load_file(path, options)


def _load_folder(folder: Path, options: Options) -> Loaded:
    if not (folder / PAIRS_FILE).is_file():
        raise InputError(f"{folder} has no {PAIRS_FILE}; pass a folder that has one, or a single file.")
    pairs = read_table(folder / PAIRS_FILE, encoding=options.encoding)
    problems = _missing(pairs, PAIR_COLUMNS, PAIRS_FILE)
    said, found = annotations_in(folder, options.encoding) if options.labelled else (no_annotations(), [])
    problems += found
    if _any_whole_file(problems):
        raise PairsError(problems)
    pairs, n_cut = _cleaned(pairs, options)
    problems += [*_pair_problems(pairs, PAIRS_FILE), *unknown_pairs(said, pairs["pair_id"])]
    problems += [*stale_labels(said, pairs), *contradictions(said)]
    return _usable(pairs, said, PAIRS_FILE, n_cut, problems, options)


def _load_file(path: Path, options: Options) -> Loaded:
    table = _renamed(read_table(path, encoding=options.encoding), options.columns or {}, path.name)
    needed = ("jd", "resume", "label") if options.labelled else ("jd", "resume")
    if problems := _missing(table, needed, path.name):
        raise PairsError(problems, advice="Say which column is which: columns={'jd': 'their name', …}.")
    table, n_cut = _cleaned(table, options)
    if "pair_id" not in table.columns:
        table.insert(0, "pair_id", pair_ids_of(table["jd"], table["resume"]))
    pairs = table.drop(columns=[name for name in ANNOTATION_COLUMNS[1:] if name in table.columns])
    problems = _pair_problems(pairs, path.name)
    said = no_annotations()
    if options.labelled:
        if "annotator" not in table.columns:
            table["annotator"] = "file"
        said, found = annotations_from(table, path.name, options.positive, options.negative)
        problems += found
        if not _any_whole_file(problems):
            problems += contradictions(said)
    return _usable(pairs, said, path.name, n_cut, problems, options)


def _usable(
    pairs: pd.DataFrame, said: pd.DataFrame, file: str, n_cut: int, problems: list[Problem], options: Options
) -> Loaded:
    """Refuse the problems, or leave out their rows; then one row for each pair and each label."""
    import pandas as pd

    if problems and (options.bad_rows == "error" or _any_whole_file(problems)):
        raise PairsError(problems, advice="Mend the file, or pass bad_rows='drop' to leave those rows out.")
    if problems:
        bad = [(problem.file, row) for problem in problems for row in problem.rows]
        pairs = pairs[~pairs.index.isin([row for at, row in bad if at == file])]
        said = said[~pd.MultiIndex.from_frame(said[["file", "row"]]).isin(bad)]
    n_repeated = int(said.duplicated(["pair_id", "annotator"]).sum())
    if file == PAIRS_FILE or not options.labelled:
        # Elsewhere, a pair that several people have labelled has a row for each of them.
        n_repeated += int(pairs.duplicated("pair_id").sum())
    pairs = pairs.drop_duplicates("pair_id").reset_index(drop=True)
    pairs = pairs.astype({name: np.float64 for name in NUMBER_COLUMNS if name in pairs.columns})
    said = said[among(said["pair_id"], pairs["pair_id"]) & said["label"].ne("").to_numpy()]
    said = said.drop_duplicates(["pair_id", "annotator"])[list(ANNOTATION_COLUMNS)].reset_index(drop=True)
    return Loaded(pairs, said.astype({"label": np.int64}), n_repeated, n_cut, tuple(problems))


def _cleaned(table: pd.DataFrame, options: Options) -> tuple[pd.DataFrame, int]:
    """The table with values as text (a .parquet file's numbers stay) and clean texts; how many were cut."""
    import pandas as pd

    numeric = pd.api.types.is_numeric_dtype
    texts: dict[str, Any] = {
        str(name): as_text(table[name]).str.strip()
        for name in table.columns
        if name in (*PAIR_COLUMNS, *ANNOTATION_COLUMNS, *NUMBER_COLUMNS) or not numeric(table[name].dtype)
    }
    cleaned = [clean_column(texts[name], options.max_characters) for name in ("jd", "resume")]
    for name, column in zip(("jd", "resume"), cleaned, strict=True):
        texts[name] = column.texts
    return table.assign(**texts), int((cleaned[0].cut | cleaned[1].cut).sum())


def _pair_problems(pairs: pd.DataFrame, file: str) -> list[Problem]:
    return [
        *misfits(pairs, pair_schema(), file),
        *one_id_many_texts(pairs, file),
        *one_text_many_ids(pairs, file),
    ]


def _renamed(table: pd.DataFrame, columns: Mapping[str, str], file: str) -> pd.DataFrame:
    """The table with our names; a column that has one of them already makes way for the one that is meant."""
    if lost := [theirs for theirs in columns.values() if theirs not in table.columns]:
        what = f"no column {', '.join(map(repr, lost))}; the columns are {_listed(table.columns)}"
        raise PairsError([Problem(file, None, (), what)])
    in_the_way = {ours: f"{ours} (column)" for ours, theirs in columns.items() if ours != theirs}
    return table.rename(columns=in_the_way).rename(columns={theirs: ours for ours, theirs in columns.items()})


def _missing(table: pd.DataFrame, needed: Sequence[str], file: str) -> list[Problem]:
    lost = [name for name in needed if name not in table.columns]
    what = f"no column {', '.join(lost)}; the columns are {_listed(table.columns)}"
    return [Problem(file, None, (), what)] if lost else []


def _any_whole_file(problems: Sequence[Problem]) -> bool:
    return any(not problem.rows for problem in problems)


def _listed(names: Sequence[str] | pd.Index, most: int = 12) -> str:
    return ", ".join(map(str, names[:most])) + (", …" if len(names) > most else "")
