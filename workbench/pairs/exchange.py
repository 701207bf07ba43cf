"""Labelled sets to and from other labelling tools: what their formats have in common.

The formats themselves are in :mod:`workbench.pairs.label_studio` and :mod:`workbench.pairs.argilla`.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workbench.errors import InputError
from workbench.files.encodings import open_text
from workbench.pairs.annotation_files import annotations_from
from workbench.pairs.checks import contradictions, one_id_many_texts
from workbench.pairs.cleaning import clean_column
from workbench.pairs.problems import PairsError, Problem
from workbench.pairs.schema import ANNOTATION_COLUMNS, PAIR_COLUMNS, misfits, pair_schema
from workbench.pairs.tables import as_text

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["LabelledSet", "checked_set", "label_word", "read_json", "without_words"]

MATCH, NO_MATCH = "match", "no match"


@dataclass(frozen=True, eq=False)
class LabelledSet:
    """What came from another tool; :func:`~workbench.pairs.write_pairs` makes a set of it.

    Attributes
    ----------
    pairs : DataFrame
        ``pair_id, jd, resume`` and groups.
    annotations : DataFrame
        ``pair_id, annotator, label`` (int64), ``labelled_at, note``.
    n_skipped : int
        Answers that were skipped, cancelled, or only drafts.
    """

    pairs: pd.DataFrame
    annotations: pd.DataFrame
    n_skipped: int

    def __repr__(self) -> str:
        return (
            f"<LabelledSet: {len(self.pairs)} pairs, {len(self.annotations)} labels by "
            f"{self.annotations['annotator'].nunique()} annotators, {self.n_skipped} skipped>"
        )


def checked_set(
    pairs: Sequence[Mapping[str, Any]],
    annotations: Sequence[Mapping[str, Any]],
    file: str,
    *,
    n_skipped: int,
    positive: str | Collection[str] | None,
    negative: str | Collection[str] | None,
) -> LabelledSet:
    """Frames from records, which say in ``row`` where they came from, if nothing is wrong with them.

    Raises
    ------
    PairsError
        If something is, with all of it.
    """
    import pandas as pd

    table = pd.DataFrame(list(pairs), dtype=object).set_index("row")
    table = table.assign(**{str(name): as_text(table[name]).str.strip() for name in table.columns})
    table = table.assign(**{name: clean_column(table[name]).texts for name in ("jd", "resume")})
    problems: list[Problem] = [*misfits(table, pair_schema(), file), *one_id_many_texts(table, file)]
    columns = [*ANNOTATION_COLUMNS, "row"]
    said = pd.DataFrame(list(annotations), columns=columns, dtype=object).set_index("row")
    if positive is None:
        said["label"] = without_words(said["label"])
    labels, found = annotations_from(said, file, positive, negative)
    problems += [*found, *(contradictions(labels) if all(problem.rows for problem in found) else [])]
    if problems:
        raise PairsError(problems)
    labels = labels.loc[labels["label"].ne(""), list(ANNOTATION_COLUMNS)]
    labels = labels.drop_duplicates(["pair_id", "annotator"]).reset_index(drop=True)
    first = [*PAIR_COLUMNS, *(name for name in table.columns if name not in PAIR_COLUMNS)]
    table = table[first].drop_duplicates("pair_id").reset_index(drop=True)
    return LabelledSet(table, labels.astype({"label": "int64"}), n_skipped)


def label_word(label: int, *, grades: bool) -> str:
    """A label as people read it in another tool."""
    if grades:
        return str(label)
    return MATCH if label else NO_MATCH


def without_words(labels: pd.Series[Any]) -> pd.Series[Any]:
    """Our own words for labels as numbers again; the rest as it is."""
    return labels.replace({MATCH: "1", NO_MATCH: "0"})


def read_json(path: str | Path) -> list[Any]:
    """The list in a JSON file.

    Raises
    ------
    InputError
        If the file is not there, not JSON, or no list.
    """
    path = Path(path).expanduser()
    if not path.is_file():
        raise InputError(f"There is no file {path}; check the path.")
    with open_text(path) as file:
        try:
            content = json.load(file)
        except (ValueError, RecursionError) as error:
            raise InputError(f"{path.name} is not JSON: {error}.") from None
    if not isinstance(content, list):
        raise InputError(
            f"{path.name} holds a {type(content).__name__}; a list of tasks or records is expected."
        )
    return content
