"""Near duplicates: all pairs of texts above a score, exactly, and the groups that they form."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from workbench.errors import InputError
from workbench.exploration.inputs import (
    Fingerprint,
    Ids,
    Rows,
    Vectors,
    check_between,
    check_one_for_each,
    distinct,
    one_fingerprint,
    unit_rows,
)
from workbench.i18n import gettext as _
from workbench.i18n import ngettext, number
from workbench.progress import progress_bar
from workbench.results import Result, plain

# Rows of a block of scores: 1,024 x 4,096 float32 numbers are 16 MB, which a cache of two cores nearly holds.
ROWS, COLUMNS = 1024, 4096
# Directions in which scores are bounded before they are computed.
HEAD = 96
MOST_PAIRS = 20_000_000


@dataclass(frozen=True, eq=False)
class NearDuplicates(Result):
    """Groups of texts that say nearly the same.

    Attributes
    ----------
    table : DataFrame
        A row for each text in a group: ``group`` (from 0, largest first), ``position`` of the text,
        ``score`` with the text that stands for the group, ``keep`` (whether it is that text: the one
        nearest to all of its group), ``lowest`` (lowest score within the group: texts may be linked
        through others), and where texts were given, ``text``.
    pairs : DataFrame
        All pairs above the score: ``first`` < ``second`` (positions), ``score``. Of equal vectors, only
        the first is paired with others.
    score : float
    n : int
        Texts in all.
    """

    table: pd.DataFrame
    pairs: pd.DataFrame
    score: float
    n: int

    def __len__(self) -> int:
        return int(self.table["group"].nunique())

    @property
    def keep(self) -> npt.NDArray[np.bool_]:
        """A mask over all texts, shape (n,), that keeps one of each group and all that are in none."""
        mask = np.ones(self.n, dtype=bool)
        mask[self.table.loc[~self.table["keep"], "position"].to_numpy(dtype=np.intp)] = False
        return mask

    def sentence(self) -> str:
        """How many texts could go."""
        said = ngettext(
            "{groups:,} group of near duplicates among {n:,} texts (scores above {score}); with one kept of "
            "each, {spare:,} could go.",
            "{groups:,} groups of near duplicates among {n:,} texts (scores above {score}); with one kept of "
            "each, {spare:,} could go.",
            len(self),
        )
        spare = int((~self.keep).sum())
        return said.format(groups=len(self), n=self.n, score=number(self.score), spare=spare)

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "n": self.n,
            "score": self.score,
            "n_groups": len(self),
            "n_spare": int((~self.keep).sum()),
            "groups": plain(self.table),
        }

    def __repr__(self) -> str:
        return f"<NearDuplicates: {self.sentence()}>"


def find_near_duplicates(
    vectors: npt.ArrayLike,
    *,
    score: float = 0.95,
    texts: Sequence[str] | None = None,
    ids: Ids | None = None,
    fingerprint: Fingerprint = None,
    progress: bool | None = None,
) -> NearDuplicates:
    """Find all pairs of texts with a score above `score`, and group them.

    Exact, though not all scores are computed. Vectors are turned so that the first directions hold most
    of their length; the score of two is then at most ``head . head' + |tail| |tail'|`` (Cauchy and
    Schwarz). That bound is itself an inner product, of vectors a fraction as long, and only pairs whose
    bound is above `score` are looked at.

    Parameters
    ----------
    vectors : array_like, shape (n, d)
    score : float
        From above 0 to below 1. What counts as saying the same depends on the encoder: look at the
        groups.
    texts : sequence of str, optional
        For the table.
    ids : sequence of str or int, optional
        Decide which of equal texts comes first; see :func:`~workbench.exploration.fit_map`.
    fingerprint : str or sequence of str, optional
    progress : bool, optional
        Show a bar. Can be interrupted between any two blocks.

    Returns
    -------
    NearDuplicates
        Texts are linked if they are in a pair; a group is all that is linked, directly or through
        others.

    Raises
    ------
    InputError
        If vectors cannot be used, `score` is out of range, or there are more than 20 million pairs.
    EncoderMismatchError
        If vectors come from more than one encoder.

    Examples
    --------
    >>> found = find_near_duplicates([[1, 0], [0, 1], [1, 0.1]], score=0.9)
    >>> found.pairs
       first  second     score
    0      0       2  0.995037
    >>> found.keep.tolist()
    [True, True, False]
    """
    rows = unit_rows(vectors)
    one_fingerprint(fingerprint, len(rows))
    check_between("score", score, 0.95)
    check_one_for_each("texts", texts, len(rows))
    found = distinct(rows, ids)
    own = rows[found.rows]
    first, second, scores = _pairs_above(own, score, progress)
    group_of = _components(len(own), first, second)[found.inverse]
    table = _table(rows, group_of)
    if texts is not None:
        table["text"] = [texts[position] for position in table["position"]]
    a, b = found.rows[first], found.rows[second]
    pairs = pd.DataFrame({"first": np.minimum(a, b), "second": np.maximum(a, b), "score": scores})
    pairs = pairs.sort_values(["score", "first", "second"], ascending=[False, True, True], ignore_index=True)
    return NearDuplicates(table, pairs, float(score), len(rows))


def _pairs_above(
    rows: Vectors, score: float, progress: bool | None
) -> tuple[Rows, Rows, npt.NDArray[np.float32]]:
    n = len(rows)
    bounding = _bounding(rows)
    # A bound may be off by rounding; the score itself decides.
    slack = np.float32(score - 1e-5)
    firsts: list[Rows] = []
    seconds: list[Rows] = []
    values: list[npt.NDArray[np.float32]] = []
    total = 0
    with progress_bar(n, _("near duplicates"), progress, unit="text") as bar:
        for top in range(0, n, ROWS):
            block = bounding[top : top + ROWS]
            for left in range(top, n, COLUMNS):
                bounds = block @ bounding[left : left + COLUMNS].T
                places = np.flatnonzero(bounds > slack)
                if not len(places):
                    continue
                i, j = np.divmod(places, bounds.shape[1])
                i, j = i + top, j + left
                upper = i < j
                i, j = i[upper], j[upper]
                exact = _scores(rows, i, j)
                above = exact > score
                firsts.append(i[above])
                seconds.append(j[above])
                values.append(exact[above])
                total += int(above.sum())
                if total > MOST_PAIRS:
                    many = _(
                        "More than {n:,} pairs have a score above {score}, which are no near duplicates any "
                        "more; raise the score."
                    )
                    raise InputError(many.format(n=MOST_PAIRS, score=number(score)))
            bar.update(len(block))
    empty = np.empty(0, dtype=np.intp)
    return (
        np.concatenate([empty, *firsts]),
        np.concatenate([empty, *seconds]),
        np.concatenate([np.empty(0, np.float32), *values]),
    )


def _bounding(rows: Vectors) -> Vectors:
    """Shorter vectors, whose inner products are at least the scores; unit length like the rows."""
    dimension = rows.shape[1]
    if dimension <= HEAD + 1:
        return rows
    # Directions of most length, not of most variance: nothing is centred.
    directions = np.linalg.eigh((rows.T @ rows).astype(np.float64))[1]
    head = rows @ directions[:, -HEAD:].astype(np.float32)
    tail = np.sqrt(np.clip(1 - (head.astype(np.float64) ** 2).sum(axis=1, keepdims=True), 0, None))
    return np.ascontiguousarray(np.hstack([head, tail]), dtype=np.float32)


def _scores(rows: Vectors, i: Rows, j: Rows) -> npt.NDArray[np.float32]:
    scores = np.empty(len(i), dtype=np.float32)
    for start in range(0, len(i), 65_536):
        some = slice(start, start + 65_536)
        scores[some] = np.einsum("ij,ij->i", rows[i[some]], rows[j[some]], dtype=np.float64)
    return np.clip(scores, -1, 1)


def _components(n: int, first: Rows, second: Rows) -> Rows:
    """The group of each text, from links between two."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    graph = coo_array((np.ones(len(first), dtype=bool), (first, second)), shape=(n, n))
    return np.asarray(connected_components(graph, directed=False)[1], dtype=np.intp)


def _table(rows: Vectors, group_of: Rows) -> pd.DataFrame:
    members = np.split(np.argsort(group_of, kind="stable"), np.cumsum(np.bincount(group_of))[:-1])
    # Largest group first; among equals, the one whose first text comes first.
    wanted = sorted((own for own in members if len(own) > 1), key=lambda own: (-len(own), own[0]))
    parts = []
    for rank, own in enumerate(wanted):
        centre = rows[own].mean(axis=0)
        middle = int(np.argmax(rows[own] @ centre))
        scores = np.clip(rows[own] @ rows[own[middle]], -1, 1)
        parts.append(
            pd.DataFrame(
                {
                    "group": rank,
                    "position": own,
                    "score": scores,
                    "keep": np.arange(len(own)) == middle,
                    "lowest": _lowest(rows[own]),
                }
            )
        )
    columns = {"group": int, "position": int, "score": float, "keep": bool, "lowest": float}
    if not parts:
        return pd.DataFrame({name: pd.Series(dtype=kind) for name, kind in columns.items()})
    return pd.concat(parts, ignore_index=True)


def _lowest(rows: Vectors) -> float:
    """The lowest score within a group."""
    return float(
        np.clip(min((rows[at : at + ROWS] @ rows.T).min() for at in range(0, len(rows), ROWS)), -1, 1)
    )
