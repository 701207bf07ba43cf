"""What must hold between rows: one pair, one id and one pair of texts; one annotator, one label a pair."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from workbench.pairs.problems import Problem

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["among", "contradictions", "one_id_many_texts", "one_text_many_ids", "unknown_pairs"]


def one_id_many_texts(pairs: pd.DataFrame, file: str) -> list[Problem]:
    """Rows whose ``pair_id`` stands for other texts elsewhere."""
    distinct = pairs.drop_duplicates(["pair_id", "jd", "resume"])
    twice = distinct.loc[distinct["pair_id"].duplicated(keep=False), "pair_id"].unique()
    bad = pairs["pair_id"].isin(twice).to_numpy()
    what = f"one pair_id with different texts: {_listed(twice)}"
    return _problem(pairs, bad, file, "pair_id", what)


def one_text_many_ids(pairs: pd.DataFrame, file: str) -> list[Problem]:
    """Rows whose two texts came before under another ``pair_id``; blank texts are another matter."""
    distinct = pairs.drop_duplicates(["pair_id", "jd", "resume"])
    bad = distinct.duplicated(["jd", "resume"]).to_numpy() & distinct["jd"].ne("").to_numpy()
    what = "the same two texts as an earlier row, under another pair_id"
    return _problem(distinct, bad, file, None, what)


def contradictions(annotations: pd.DataFrame) -> list[Problem]:
    """Rows in which an annotator gives a pair more than one label; ``file`` and ``row`` are columns."""
    distinct = annotations[annotations["label"].ne("")].drop_duplicates(["pair_id", "annotator", "label"])
    twice = distinct.loc[distinct.duplicated(["pair_id", "annotator"]), ["pair_id", "annotator"]]
    if twice.empty:
        return []
    keys = list(zip(twice["pair_id"], twice["annotator"], strict=True))
    bad = annotations.set_index(["pair_id", "annotator"]).index.isin(keys)
    named = [f"{pair_id} by {annotator}" for pair_id, annotator in dict.fromkeys(keys)]
    what = f"more than one label by the same annotator: {_listed(named)}"
    return _by_file(annotations, bad, "label", what)


def among(values: pd.Series[str], known: pd.Series[str]) -> npt.NDArray[np.bool_]:
    """Whether each value is one of those known; bool, shape (n,)."""
    import pandas as pd

    # Series.isin on strings of Arrow takes 20 s for a million.
    mask: npt.NDArray[np.bool_] = (
        pd.Index(known, dtype=object).unique().get_indexer(pd.Index(values, dtype=object)) >= 0
    )
    return mask


def unknown_pairs(annotations: pd.DataFrame, pair_ids: pd.Series[str]) -> list[Problem]:
    """Rows about pairs that are not there."""
    bad = ~among(annotations["pair_id"], pair_ids)
    what = f"no such pair in pairs.csv: {_listed(annotations.loc[bad, 'pair_id'].unique())}"
    return _by_file(annotations, bad, "pair_id", what)


def _problem(
    frame: pd.DataFrame, bad: npt.NDArray[np.bool_], file: str, column: str | None, what: str
) -> list[Problem]:
    return [Problem(file, column, tuple(map(int, frame.index[bad])), what)] if bad.any() else []


def _by_file(annotations: pd.DataFrame, bad: npt.NDArray[np.bool_], column: str, what: str) -> list[Problem]:
    return [
        Problem(str(file), column, tuple(map(int, rows)), what)
        for file, rows in annotations[bad].groupby("file", sort=False)["row"]
    ]


def _listed(names: Sequence[str] | npt.NDArray[Any], most: int = 5) -> str:
    return ", ".join(map(str, names[:most])) + (f" and {len(names) - most} more" if len(names) > most else "")
