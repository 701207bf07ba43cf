"""Writing a labelled set to a folder, so that reading it gives the same."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from workbench.atomic import write_whole
from workbench.errors import InputError, StoreError
from workbench.pairs.annotation_files import ANNOTATIONS_FILE, annotations_from
from workbench.pairs.checks import contradictions, one_id_many_texts, one_text_many_ids, unknown_pairs
from workbench.pairs.loading import PAIRS_FILE
from workbench.pairs.problems import PairsError
from workbench.pairs.schema import ANNOTATION_COLUMNS, PAIR_COLUMNS, misfits, pair_schema
from workbench.pairs.tables import as_text

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["working_copy", "write_pairs"]


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


def working_copy(source: str | Path, target: str | Path) -> Path:
    """A copy of a set to label in, so that the set itself stays as it is.

    Parameters
    ----------
    source : str or Path
        A set: a folder with ``pairs.csv``.
    target : str or Path
        Where the copy shall be. If it is there already, with the same pairs, it is kept with all labels
        that were given in it; the set itself as target is no copy, and left as it is.

    Returns
    -------
    Path
        The target.

    Raises
    ------
    InputError
        If the source has no pairs, or the target has other ones.
    StoreError
        If the copy cannot be written.
    """
    source, target = Path(source), Path(target)
    if not (source / PAIRS_FILE).is_file():
        raise InputError(f"{source} has no {PAIRS_FILE}; pass the folder of a set.")
    if (target / PAIRS_FILE).is_file():
        if (target / PAIRS_FILE).read_bytes() != (source / PAIRS_FILE).read_bytes():
            raise InputError(
                f"{target} holds other pairs than {source}; choose another folder, or move that one away."
            )
        return target
    try:
        # The pairs last: without them, a copy that was interrupted counts for none and is made anew.
        files = [path for path in sorted(source.rglob("*")) if path.is_file() and path.suffix != ".lock"]
        for path in sorted(files, key=lambda path: path.name == PAIRS_FILE):
            write_whole(target / path.relative_to(source), path.read_bytes())
    except OSError as error:
        raise StoreError(f"{source} cannot be copied to {target}: {error.strerror or error}.") from error
    return target


def _csv(table: pd.DataFrame) -> bytes:
    # pandas leaves a lone carriage return unquoted, and readers take it for the end of a row; no reader
    # takes a file with NUL for text.
    lines = table.replace({"\r\n?": "\n", "\x00": ""}, regex=True)
    return lines.to_csv(index=False, lineterminator="\n").encode()
