"""Reading labelled pairs: a set in a folder, or any one table, in one line."""

from __future__ import annotations

import warnings
from collections.abc import Collection, Hashable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workbench.errors import InputError, PairsWarning
from workbench.pairs.checks import among
from workbench.pairs.loading import BadRows, Loaded, Options, load
from workbench.pairs.resolution import How, Resolution
from workbench.pairs.resolution import resolve as resolve_labels
from workbench.texts import MAX_CHARACTERS, cleaning_recipe

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["read_annotations", "read_pairs"]


def read_pairs(
    path: str | Path,
    *,
    columns: Mapping[str, str] | None = None,
    positive: str | Collection[str] | None = None,
    negative: str | Collection[str] | None = None,
    labelled: bool = True,
    resolve: How = "adjudicated",
    threshold: int | None = None,
    min_labels: int = 1,
    adjudicators: Collection[str] | None = None,
    encoding: str | None = None,
    bad_rows: BadRows = "error",
    max_characters: int = MAX_CHARACTERS,
) -> pd.DataFrame:
    r"""Read labelled pairs, checked, cleaned as search cleans texts, with one label a pair.

    Parameters
    ----------
    path : str or Path
        A folder with ``pairs.csv`` (``pair_id, jd, resume`` and any group columns) and the labels in
        ``annotations.csv`` (``pair_id, annotator, label, labelled_at, note``), in the logs of the
        labelling panel (``annotations/*.jsonl``), or in both. Or one table (.csv, .tsv, .xlsx, .jsonl,
        .parquet) with ``jd, resume, label``, where ``pair_id`` and ``annotator`` may be given too.
    columns : mapping, optional
        For a table with other names: ``{"jd": "job_description_text", …}``, ours to theirs.
    positive, negative : str or collection of str, optional
        For a table with words as labels: which mean a match (``["Good Fit"]``). Without `negative`
        all other words mean no match; with it, words that are neither are a mistake.
    labelled : bool
        False for a pool of pairs that are to be labelled: no labels are asked for or returned.
    resolve : {"adjudicated", "majority", "unanimous"}
        How several people's labels become one; see :func:`~workbench.pairs.resolve`.
    threshold : int, optional
        For grades from 0 to 3: the smallest that counts as a match.
    min_labels, adjudicators
        As of :func:`~workbench.pairs.resolve`.
    encoding : str, optional
        Of text files, if it cannot be found out.
    bad_rows : {"error", "drop"}
        Rows that cannot be used are an error that lists them all; or they are left out and counted.
    max_characters : int
        Longer texts are cut, as by :func:`workbench.clean`.

    Returns
    -------
    DataFrame
        ``pair_id, jd, resume, label`` (int64, 0 or 1), then the group columns; a row for each pair, in
        the order of the file. `attrs` says what was read: ``source``, ``reading`` (counts of what was
        left out or cut), ``resolution``, ``cleaning``; it is a note on the file, which does not follow
        what is done to the frame afterwards. :func:`~workbench.pairs.content_hash` is of the frame.

    Raises
    ------
    PairsError
        If columns or rows cannot be used: all problems at once, with file, row and column.
    InputError
        If a file cannot be read at all, or no pair is left.

    Warns
    -----
    PairsWarning
        If pairs were left out or texts cut.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = Path(folder, "fits.csv")
    ...     _ = file.write_text("job,cv,fit\nNurse,Ward nurse,Good Fit\nNurse,Chef,No Fit\n")
    ...     columns = {"jd": "job", "resume": "cv", "label": "fit"}
    ...     pairs = read_pairs(file, columns=columns, positive="Good Fit")
    >>> pairs[["jd", "resume", "label"]]
          jd      resume  label
    0  Nurse  Ward nurse      1
    1  Nurse        Chef      0
    """
    options = Options(columns, positive, negative, labelled, encoding, bad_rows, max_characters)
    loaded = load(path, options)
    counts = _counts(loaded)
    notes: dict[Hashable | None, Any] = {
        "source": Path(path).name,
        "reading": counts,
        "cleaning": cleaning_recipe(max_characters),
    }
    pairs = loaded.pairs
    if labelled:
        _refuse_grades(loaded, threshold)
        resolution = resolve_labels(
            loaded.annotations, resolve, threshold=threshold, min_labels=min_labels, adjudicators=adjudicators
        )
        labels = pairs["pair_id"].map(resolution.labels)
        without = int((~among(pairs["pair_id"], loaded.annotations["pair_id"])).sum())
        counts["without_label"] = without
        notes["resolution"] = resolution.to_dict()
        pairs = pairs[labels.notna()].reset_index(drop=True)
        pairs.insert(3, "label", labels.dropna().astype("int64").to_numpy())
        _say(loaded, without, resolution)
    else:
        _say(loaded, 0, None)
    if pairs.empty:
        raise InputError(
            f"{Path(path).name} has no pair that can be used" + (" with a label." if labelled else ".")
        )
    first = ["pair_id", "jd", "resume", *(["label"] if labelled else [])]
    pairs = pairs[[*first, *(name for name in pairs.columns if name not in first)]]
    pairs.attrs = notes
    return pairs


def read_annotations(
    path: str | Path,
    *,
    columns: Mapping[str, str] | None = None,
    positive: str | Collection[str] | None = None,
    negative: str | Collection[str] | None = None,
    encoding: str | None = None,
    bad_rows: BadRows = "error",
) -> pd.DataFrame:
    """What every annotator of a set has said.

    Parameters are as of :func:`read_pairs`.

    Returns
    -------
    DataFrame
        ``pair_id, annotator, label`` (int64), ``labelled_at`` (ISO 8601 as text), ``note``; one row for
        each label. Labels that were taken back in the labelling panel are not there.

    Raises
    ------
    PairsError, InputError
        As :func:`read_pairs`.
    """
    return load(path, Options(columns, positive, negative, True, encoding, bad_rows)).annotations


def _refuse_grades(loaded: Loaded, threshold: int | None) -> None:
    highest = loaded.annotations["label"].max() if len(loaded.annotations) else 0
    if highest > 1 and threshold is None:
        raise InputError(
            f"The labels are grades up to {highest}; say from which on a pair counts as a match, such as "
            "threshold=2."
        )


def _counts(loaded: Loaded) -> dict[str, int]:
    rows = {(problem.file, row) for problem in loaded.problems for row in problem.rows}
    return {"bad_rows": len(rows), "repeated": loaded.n_repeated, "cut": loaded.n_cut}


def _say(loaded: Loaded, without_label: int, resolution: Resolution | None) -> None:
    """Warn of what was left out or changed; nothing is silently dropped."""
    counts = _counts(loaded)
    parts = [
        (counts["bad_rows"], "row(s) that could not be used left out"),
        (counts["repeated"], "repeated row(s) left out"),
        (without_label, "pair(s) without a label left out"),
        (counts["cut"], "row(s) with a text that was cut"),
    ]
    said = [f"{count} {what}" for count, what in parts if count]
    said += [
        f"{count} pair(s) dropped: {reason}"
        for reason, count in (resolution.reasons if resolution else {}).items()
    ]
    details = [f"  - {problem}" for problem in loaded.problems[:5]]
    if len(loaded.problems) > 5:
        details.append(f"  - and {len(loaded.problems) - 5} more")
    if said:
        warnings.warn("\n".join(["; ".join(said) + ".", *details]), PairsWarning, stacklevel=3)
