"""The pairs that people see differently, strongest first, to be talked about or adjudicated."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

import numpy as np

from workbench.errors import InputError
from workbench.pairs.resolution import is_adjudicator, without_repeats

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["disagreements"]


def disagreements(
    annotations: pd.DataFrame,
    pairs: pd.DataFrame | None = None,
    *,
    adjudicators: Collection[str] | None = None,
) -> pd.DataFrame:
    """Pairs with different blind labels, strongest first.

    The order: labels furthest apart; then those that nobody has adjudicated; then those with more notes,
    where people have something to say; then the highest score, if `pairs` has one, because what is wrong
    above the cutoff costs precision.

    Parameters
    ----------
    annotations : DataFrame
        ``pair_id, annotator, label`` and perhaps ``note``.
    pairs : DataFrame, optional
        ``pair_id`` and columns to show beside: texts, groups, ``score``.
    adjudicators : collection of str, optional
        As of :func:`~workbench.pairs.resolve`.

    Returns
    -------
    DataFrame
        ``pair_id, distance`` (largest difference of two labels), ``adjudicated`` (the label, missing
        where there is none), a column ``label: NAME`` for each annotator, ``notes``, then the columns of
        `pairs`. Texts and notes are untrusted: escape them where you show them as HTML.

    Examples
    --------
    >>> import pandas as pd
    >>> said = pd.DataFrame({
    ...     "pair_id": list("aabbcc"), "annotator": ["x", "y"] * 3, "label": [1, 0, 1, 1, 0, 1],
    ...     "note": ["", "", "", "", "licence missing", ""],
    ... })
    >>> disagreements(said)["pair_id"].tolist()
    ['c', 'a']
    """
    import pandas as pd

    said = without_repeats(annotations)
    last_word = is_adjudicator(said["annotator"], adjudicators)
    blind, adjudicated = said[~last_word], said[last_word]
    table = blind.pivot_table(
        index="pair_id", columns="annotator", values="label", aggfunc="first", sort=False
    )
    spread = (table.max(axis=1) - table.min(axis=1)).rename("distance")
    found = table[spread > 0].sort_index(axis=1).astype("Int64").add_prefix("label: ")
    found.columns.name = None
    found.insert(0, "distance", spread[spread > 0].astype(np.int64))
    # Where adjudicators disagree, nothing is adjudicated.
    verdicts = adjudicated.drop_duplicates(["pair_id", "label"]).set_index("pair_id")["label"]
    verdicts = verdicts[~verdicts.index.duplicated(keep=False)]
    found.insert(1, "adjudicated", verdicts.reindex(found.index).astype("Int64"))
    found["notes"] = _notes(said).reindex(found.index).fillna("")
    if pairs is not None:
        if "pair_id" not in pairs.columns:
            raise InputError("The pairs have no column 'pair_id', by which they are found.")
        beside = pairs.drop_duplicates("pair_id").set_index("pair_id")
        found = found.join(beside.drop(columns=[name for name in beside.columns if name in found.columns]))
    order = pd.DataFrame(
        {
            "distance": -found["distance"],
            "adjudicated": found["adjudicated"].notna(),
            "notes": -found["notes"].str.count("\n").where(found["notes"].ne(""), -1),
            "score": -found["score"] if "score" in found.columns else 0,
        }
    )
    order = order.sort_values(list(order.columns), kind="stable")
    return found.loc[order.index].reset_index()


def _notes(said: pd.DataFrame) -> pd.Series[str]:
    """All notes on a pair, a line for each."""
    import pandas as pd

    if "note" not in said.columns:
        return pd.Series(dtype="str")
    noted = said[said["note"].fillna("").str.strip().ne("")]
    lines = noted["annotator"] + ": " + noted["note"].str.split().str.join(" ")
    return lines.groupby(noted["pair_id"], sort=False).agg("\n".join)
