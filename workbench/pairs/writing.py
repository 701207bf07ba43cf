"""Writing a labelled set to a folder, so that reading it gives the same."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from workbench.atomic import write_whole
from workbench.errors import InputError
from workbench.pairs.annotation_files import ANNOTATIONS_FILE, annotations_from
from workbench.pairs.checks import contradictions, one_id_many_texts, one_text_many_ids, unknown_pairs
from workbench.pairs.loading import PAIRS_FILE
from workbench.pairs.problems import PairsError
from workbench.pairs.schema import ANNOTATION_COLUMNS, PAIR_COLUMNS, misfits, pair_schema
from workbench.pairs.tables import as_text

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["write_pairs"]


def write_pairs(folder: str | Path, pairs: pd.DataFrame, annotations: pd.DataFrame | None = None) -> Path:
    """Write ``pairs.csv`` and ``annotations.csv``, checked before the first byte is written.

    The files are for :func:`~workbench.pairs.read_pairs`: texts are written as they are. For a file that
    people open in a spreadsheet, export with formulas made harmless instead.

    Parameters
    ----------
    folder : str or Path
        Made if it is not there; files of these names in it are replaced, each as a whole.
    pairs : DataFrame
        ``pair_id, jd, resume`` and group columns. A ``label`` column is left out: labels are annotations.
    annotations : DataFrame, optional
        ``pair_id, annotator, label`` and perhaps ``labelled_at, note``.

    Returns
    -------
    Path
        The folder.

    Raises
    ------
    PairsError
        If what would be written could not be read again; with all problems.
    StoreError
        If the folder cannot be written.
    """
    import pandas as pd

    folder = Path(folder)
    if lost := [name for name in PAIR_COLUMNS if name not in pairs.columns]:
        raise InputError(f"The pairs have no column {', '.join(lost)}; nothing was written.")
    columns = [*PAIR_COLUMNS, *(name for name in pairs.columns if name not in (*PAIR_COLUMNS, "label"))]
    rows = pd.RangeIndex(2, len(pairs) + 2)
    texts = pairs[columns].set_axis(rows, axis=0)
    texts = texts.assign(**{str(name): as_text(texts[name]).str.strip() for name in columns})
    problems = [
        *misfits(texts, pair_schema(), PAIRS_FILE),
        *one_id_many_texts(texts, PAIRS_FILE),
        *one_text_many_ids(texts, PAIRS_FILE),
    ]
    said = None
    if annotations is not None:
        table = annotations.set_axis(pd.RangeIndex(2, len(annotations) + 2), axis=0)
        said, found = annotations_from(table, ANNOTATIONS_FILE)
        problems += found
        if all(problem.rows for problem in found):
            problems += [*unknown_pairs(said, texts["pair_id"]), *contradictions(said)]
    if problems:
        raise PairsError(problems, done="written")
    write_whole(folder / PAIRS_FILE, _csv(texts))
    if said is not None:
        write_whole(folder / ANNOTATIONS_FILE, _csv(said[list(ANNOTATION_COLUMNS)]))
    return folder


def _csv(table: pd.DataFrame) -> bytes:
    # pandas leaves a lone carriage return unquoted, and readers take it for the end of a row; no reader
    # takes a file with NUL for text.
    lines = table.replace({"\r\n?": "\n", "\x00": ""}, regex=True)
    return lines.to_csv(index=False, lineterminator="\n").encode()
