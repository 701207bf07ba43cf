"""What the modules of the map ask of vectors, and in which order they take them.

Vectors are made in :mod:`workbench.encoders`, which nothing here imports; all messages name the first
row that is wrong.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from workbench.errors import EncoderMismatchError, InputError

__all__ = [
    "Distinct",
    "Fingerprint",
    "Ids",
    "Vectors",
    "check_same_encoder",
    "distinct",
    "one_fingerprint",
    "unit_rows",
]

Vectors = npt.NDArray[np.float32]
Rows = npt.NDArray[np.intp]
Ids = Sequence[str] | Sequence[int] | npt.NDArray[Any]
# One for all rows, or one for each row.
Fingerprint = str | Sequence[str] | None


def unit_rows(vectors: npt.ArrayLike, what: str = "Vector") -> Vectors:
    """A copy of `vectors` as float32 of shape (n, d) with rows of unit length.

    Parameters
    ----------
    vectors : array_like, shape (n, d)
    what : str
        How a row is called in messages.

    Raises
    ------
    InputError
        If it is no matrix with at least one row, or a row is not finite or has no length.
    """
    try:
        matrix = np.array(vectors, dtype=np.float32, order="C")
    except ValueError as error:
        lengths = sorted({np.size(row) for row in vectors})  # type: ignore[union-attr]
        if len(lengths) < 2:
            raise InputError(f"{what}s must be numbers, in a matrix of shape (n, d).") from error
        raise EncoderMismatchError(
            f"{what}s have different dimensions ({', '.join(map(str, lengths))}), so they come from "
            "different encoders and cannot be compared. Encode all texts with one encoder."
        ) from error
    if matrix.ndim != 2 or 0 in matrix.shape:
        raise InputError(
            f"{what}s must be a matrix of shape (n, d) with at least one row, not {matrix.shape}."
        )
    lengths = np.linalg.norm(matrix, axis=1, keepdims=True)
    for wrong, fault in (
        (~np.isfinite(lengths), "has values that are not finite (NaN or infinity)"),
        (lengths == 0, "is all zeros"),
    ):
        rows = np.flatnonzero(wrong)
        if len(rows):
            raise InputError(
                f"{what} {rows[0]} {fault}"
                + (f" ({len(rows)} in all)" if len(rows) > 1 else "")
                + ", so it has no cosine similarity with anything. Encode its text again, with "
                "dtype='float32' if the encoder has such an option, or leave it out."
            )
    matrix /= lengths
    return matrix


def one_fingerprint(fingerprint: Fingerprint, n: int) -> str | None:
    """The fingerprint that all `n` rows share; None where none is known.

    Raises
    ------
    EncoderMismatchError
        If rows come from more than one encoder.
    InputError
        If there is not one for each row.
    """
    if fingerprint is None or isinstance(fingerprint, str):
        return fingerprint
    counts = Counter(fingerprint)
    if counts.total() != n:
        raise InputError(
            f"There are {counts.total():,} fingerprints for {n:,} vectors; give one for each, or one for all."
        )
    if len(counts) > 1:
        found = ", ".join(f"{count:,} of [{name}]" for name, count in counts.most_common())
        raise EncoderMismatchError(
            f"The vectors come from {len(counts)} encoders ({found}); cosine similarity means nothing "
            "between them. Encode all texts with one encoder."
        )
    return next(iter(counts), None)


def check_same_encoder(
    known: str | None, dimension: int, fingerprint: str | None, vectors: Vectors, what: str
) -> None:
    """Refuse vectors that were made by another encoder than `what` (such as ``"The map"``).

    Raises
    ------
    EncoderMismatchError
        If fingerprints differ, or where one is not known, dimensions.
    """
    if known is not None and fingerprint is not None and known != fingerprint:
        raise EncoderMismatchError(
            f"{what} was made with the encoder [{known}], these vectors with [{fingerprint}]; cosine "
            "similarity means nothing between them. Encode the texts with the same encoder."
        )
    if vectors.shape[1] != dimension:
        raise EncoderMismatchError(
            f"{what} was made of vectors of {dimension} dimensions, these have {vectors.shape[1]}, so they "
            "come from another encoder. Encode the texts with the same encoder."
        )


@dataclass(frozen=True, eq=False)
class Distinct:
    """The distinct rows of a matrix, in an order that does not depend on the order of its rows.

    Attributes
    ----------
    rows : ndarray of intp, shape (m,)
        Of equal vectors one row number, in canonical order.
    inverse : ndarray of intp, shape (n,)
        For each row of the matrix, the place of its vector in `rows`.
    """

    rows: Rows
    inverse: Rows


def distinct(vectors: Vectors, ids: Ids | None = None) -> Distinct:
    """Find equal rows, and put the rest in the order of `ids`, or without ids, of their content.

    Examples
    --------
    >>> found = distinct(np.eye(2, dtype=np.float32)[[1, 0, 1]], ids=["c", "b", "a"])
    >>> found.rows.tolist(), found.inverse.tolist()
    ([2, 1], [0, 1, 0])

    Raises
    ------
    InputError
        If there is not exactly one id for each row.
    """
    n = len(vectors)
    # As opaque bytes: comparing rows number by number takes ten times as long. Zero has two bit patterns.
    content = (
        np.ascontiguousarray(vectors + np.float32(0))
        .view(np.dtype((np.void, vectors.itemsize * vectors.shape[1])))
        .ravel()
    )
    _, group = np.unique(content, return_inverse=True)
    if ids is None:
        rank, by_rank = group, np.argsort(group, kind="stable")
    else:
        by_rank = np.argsort(_checked_ids(ids, n), kind="stable")
        rank = np.empty(n, dtype=np.intp)
        rank[by_rank] = np.arange(n)
    # The first of each group in the order of rank stands for it.
    _, first = np.unique(group[by_rank], return_index=True)
    rows = by_rank[np.sort(first)]
    place = np.empty(len(rows), dtype=np.intp)
    place[group[rows]] = np.arange(len(rows))
    return Distinct(rows.astype(np.intp), place[group])


def _checked_ids(ids: Ids, n: int) -> npt.NDArray[Any]:
    listed = list(ids)
    if len(listed) != n:
        raise InputError(f"There are {len(listed):,} ids for {n:,} vectors; give one for each.")
    counts = Counter(listed)
    repeated, times = counts.most_common(1)[0]
    if times > 1:
        raise InputError(
            f"The id {repeated!r} is given {times} times; ids must be distinct, such as row numbers or "
            "hashes of the texts."
        )
    # Mixed kinds have no order of their own.
    return (
        np.array(listed)
        if len({type(one) for one in listed}) == 1
        else np.array([str(one) for one in listed])
    )
