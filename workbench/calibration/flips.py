"""Pairs whose decision changes when the cutoff moves, with their texts."""

from __future__ import annotations

import numpy as np
import pandas as pd

from workbench.errors import InputError

__all__ = ["flips"]

SHOWN = ("pair_id", "jd_id", "jd", "resume")


def flips(
    pairs: pd.DataFrame, before: float, after: float, *, score: str = "score", label: str = "label"
) -> pd.DataFrame:
    """Pairs between two cutoffs.

    Parameters
    ----------
    pairs : DataFrame
        Scored pairs, perhaps with labels.
    before, after : float
        Cutoffs; ``score > cutoff`` is a match.
    score, label : str
        Columns.

    Returns
    -------
    DataFrame
        Highest score first, with the index of `pairs`: texts and ids as far as there are any, score,
        label, ``was_match``, ``is_match``, and ``right_now`` (bool; whether the new decision is the
        labelled one, absent without labels).

    Examples
    --------
    >>> pairs = pd.DataFrame({"jd": ["a", "b", "c"], "score": [0.3, 0.45, 0.6], "label": [0, 0, 1]})
    >>> flips(pairs, 0.4, 0.5)
      jd  score  label  was_match  is_match  right_now
    1  b   0.45      0       True     False       True
    """
    if score not in pairs.columns:
        raise InputError(f"The pairs have no column {score!r}; score them first.")
    scores = pairs[score].to_numpy(np.float64)
    was, now = scores > before, scores > after
    columns = [name for name in (*SHOWN, score, label) if name in pairs.columns]
    changed = pairs.loc[was != now, columns].assign(was_match=was[was != now], is_match=now[was != now])
    if label in changed.columns:
        changed["right_now"] = changed["is_match"] == (changed[label] == 1)
    ordered: pd.DataFrame = changed.sort_values(score, ascending=False, kind="stable")
    return ordered
