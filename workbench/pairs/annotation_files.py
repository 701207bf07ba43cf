"""Annotations from files: a table such as ``annotations.csv``, and the logs that the labelling panel writes.

Frames here have all columns as text, and say of each label in which ``file`` and ``row`` it stands.
"""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from workbench.errors import InputError
from workbench.pair_hashes import texts_hash
from workbench.pairs.annotation_log import AnnotationLog, logs_in
from workbench.pairs.labels import standard_labels
from workbench.pairs.problems import Problem
from workbench.pairs.schema import ANNOTATION_COLUMNS, annotation_schema, misfits
from workbench.pairs.tables import as_text, read_table

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["ANNOTATIONS_FILE", "annotations_from", "annotations_in", "no_annotations", "stale_labels"]

ANNOTATIONS_FILE = "annotations.csv"
_COLUMNS = [*ANNOTATION_COLUMNS, "texts", "file", "row"]


def annotations_in(folder: Path, encoding: str | None = None) -> tuple[pd.DataFrame, list[Problem]]:
    """All labels of a set: those of ``annotations.csv`` and those of the logs."""
    import pandas as pd

    problems: list[Problem] = []
    tables = []
    if (folder / ANNOTATIONS_FILE).is_file():
        table = read_table(folder / ANNOTATIONS_FILE, encoding=encoding)
        said, problems = annotations_from(table, ANNOTATIONS_FILE)
        tables.append(said)
    tables += [_of_log(log) for log in logs_in(folder)]
    filled = [table for table in tables if len(table)]
    return (pd.concat(filled, ignore_index=True) if filled else no_annotations()), problems


def annotations_from(
    table: pd.DataFrame,
    file: str,
    positive: str | Collection[str] | None = None,
    negative: str | Collection[str] | None = None,
) -> tuple[pd.DataFrame, list[Problem]]:
    """The annotations in a table, and what is wrong with them; without its columns there are none."""
    if lost := [name for name in ANNOTATION_COLUMNS[:3] if name not in table.columns]:
        what = f"no column {', '.join(lost)}; the columns are {', '.join(map(str, table.columns[:12]))}"
        return no_annotations(), [Problem(file, None, (), what)]
    there = [name for name in ANNOTATION_COLUMNS if name in table.columns]
    said = table[there].assign(**{name: as_text(table[name]).str.strip() for name in there})
    said = said.reindex(columns=list(ANNOTATION_COLUMNS), fill_value="")
    said["texts"], said["file"], said["row"] = "", file, said.index
    try:
        said["label"] = standard_labels(said["label"], positive, negative)
    except InputError as error:
        return said, [Problem(file, "label", (), str(error).removesuffix("."))]
    return said, misfits(said, annotation_schema(), file)


def stale_labels(said: pd.DataFrame, pairs: pd.DataFrame) -> list[Problem]:
    """Labels that were given to other texts than the pair has now; the logs know what was shown."""
    shown = said[said["texts"].ne("")]
    texts = pairs.drop_duplicates("pair_id").set_index("pair_id")[["jd", "resume"]]
    shown = shown[shown["pair_id"].isin(texts.index)]
    now = texts.loc[shown["pair_id"]]
    hashes = [texts_hash(jd, resume) for jd, resume in zip(now["jd"], now["resume"], strict=True)]
    stale = shown[shown["texts"].to_numpy() != np.array(hashes, dtype=object)]
    what = "the texts of the pair were changed after they were labelled; label it again"
    return [
        Problem(str(file), "pair_id", tuple(map(int, rows)), what)
        for file, rows in stale.groupby("file", sort=False)["row"]
    ]


def no_annotations() -> pd.DataFrame:
    """A frame without a row."""
    import pandas as pd

    return pd.DataFrame({name: pd.Series(dtype="int64" if name == "row" else "str") for name in _COLUMNS})


def _of_log(log: AnnotationLog) -> pd.DataFrame:
    import pandas as pd

    file = f"{log.path.parent.name}/{log.path.name}"
    rows = [
        (entry.pair_id, log.annotator, str(entry.label), entry.at, entry.note, entry.texts, file, entry.line)
        for entry in log.current().values()
        if entry.action == "label"
    ]
    return pd.DataFrame(rows, columns=_COLUMNS)
