"""What this folder asks of vectors, and in which order it takes them.

Vectors are made in :mod:`workbench.encoders`, which nothing here imports; all messages name the first
row that is wrong. Searching a knowledge base for a query is another matter: see :mod:`workbench.retrieval`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence, Sized
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from workbench.errors import EncoderMismatchError, InputError
from workbench.i18n import N_, listed
from workbench.i18n import gettext as _

FloatArray = npt.NDArray[np.float64]
Vectors = npt.NDArray[np.float32]
Rows = npt.NDArray[np.intp]
Ids = Sequence[str] | Sequence[int] | npt.NDArray[Any]
# One for all rows, or one for each row.
Fingerprint = str | Sequence[str] | None

VECTOR = N_("Vector")
FIRST, SECOND = N_("First vector"), N_("Second vector")
NOT_FINITE = N_(
    "{vector} {row} has values that are not finite (NaN or infinity; such vectors in all: {n}), so it has no "
    "cosine similarity with anything. Encode its text again, in float32 if the encoder has such an "
    "option, or leave it out."
)
DIFFERENT = N_(
    "Vectors have different dimensions ({dimensions}), so they come from different encoders and cannot be "
    "compared. Encode all texts with one encoder."
)
ZERO = N_(
    "{vector} {row} is all zeros (such vectors in all: {n}), so it has no cosine similarity with anything. "
    "Encode its text again, or leave it out."
)


def unit_rows(vectors: npt.ArrayLike, name: str = VECTOR) -> Vectors:
    """A copy of `vectors` as float32 of shape (n, d) with rows of unit length.

    Refuses what is no matrix with at least one row, and rows that are not finite or have no length, with an
    InputError; rows of different dimensions with an EncoderMismatchError. `name` is how messages call a row.
    """
    try:
        matrix = np.array(vectors, dtype=np.float32, order="C")
    except ValueError as error:
        lengths = sorted({np.size(row) for row in vectors})  # type: ignore[union-attr]
        if len(lengths) < 2:
            raise InputError(_("Vectors must be numbers, in a matrix of shape (n, d).")) from error
        raise EncoderMismatchError(_(DIFFERENT).format(dimensions=listed(lengths))) from error
    if matrix.ndim != 2 or 0 in matrix.shape:
        raise InputError(
            _("Vectors must be a matrix of shape (n, d) with at least one row, not {shape}.").format(
                shape=matrix.shape
            )
        )
    norms = np.linalg.norm(matrix, axis=1, keepdims=True)
    for wrong, message in ((~np.isfinite(norms), NOT_FINITE), (norms == 0, ZERO)):
        rows = np.flatnonzero(wrong)
        if len(rows):
            raise InputError(_(message).format(vector=_(name), row=rows[0], n=len(rows)))
    matrix /= norms
    return matrix


def checked_vector(vector: npt.ArrayLike, name: str = VECTOR) -> FloatArray:
    """One vector as float64 of shape (d,); an InputError where it is empty or not finite."""
    try:
        values = np.asarray(vector, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise InputError(_("A vector must be numbers, in an array of shape (d,).")) from error
    if values.ndim != 1 or not values.size:
        raise InputError(
            _("One vector was expected, shape (d,), not an array of shape {shape}.").format(
                shape=values.shape
            )
        )
    if bad := np.flatnonzero(~np.isfinite(values)).tolist():
        raise InputError(
            _(
                "{vector} has {n} value(s) that are not finite, the first in dimension {dimension}; encode "
                "the text again in a higher precision."
            ).format(vector=_(name), n=len(bad), dimension=bad[0])
        )
    return values


def two_unit_vectors(first: npt.ArrayLike, second: npt.ArrayLike) -> tuple[FloatArray, FloatArray]:
    """Two vectors of one encoder, float64, of unit length; else an InputError or an EncoderMismatchError."""
    rows = unit_rows([checked_vector(first, FIRST), checked_vector(second, SECOND)]).astype(np.float64)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    return rows[0], rows[1]


def check_between(name: str, value: float, usual: float) -> None:
    """Refuse what is not between 0 and 1, with an InputError."""
    if isinstance(value, bool) or not 0 < value < 1:
        message = _("{name} is {value!r}; it must lie between 0 and 1, such as {usual}.")
        raise InputError(message.format(name=name, value=value, usual=usual))


def check_count(name: str, value: int, least: int) -> None:
    """Refuse what is no whole number of at least `least`, with an InputError."""
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        message = _("{name} is {value!r}; it must be a whole number, at least {least}.")
        raise InputError(message.format(name=name, value=value, least=least))


def check_choice(name: str, value: str, choices: Sequence[str]) -> None:
    """Refuse what is none of some words, with an InputError."""
    if value not in choices:
        message = _("{name} is {value!r}; choose one of {choices}.")
        raise InputError(message.format(name=name, value=value, choices=listed(map(repr, choices))))


def check_same_dimension(
    name: str, vectors: FloatArray | Vectors, other: str, others: FloatArray | Vectors
) -> None:
    """Refuse two sides of different dimensions, with an EncoderMismatchError."""
    if vectors.shape[1] != others.shape[1]:
        each = _("{vector}: {n}")
        sides = ((name, vectors.shape[1]), (other, others.shape[1]))
        dimensions = listed(each.format(vector=_(side), n=n) for side, n in sides)
        raise EncoderMismatchError(_(DIFFERENT).format(dimensions=dimensions))


def check_one_for_each(name: str, given: Sized | None, n: int) -> None:
    """Refuse a parameter that does not give one for each vector, with an InputError."""
    if given is not None and len(given) != n:
        raise InputError(
            _("There are {given:,} {name} for {n:,} vectors; give one for each.").format(
                given=len(given), name=name, n=n
            )
        )


def one_fingerprint(fingerprint: Fingerprint, n: int) -> str | None:
    """The fingerprint that all `n` rows share, or None; an EncoderMismatchError if there are several."""
    if fingerprint is None or isinstance(fingerprint, str):
        return fingerprint
    check_one_for_each("fingerprints", fingerprint, n)
    counts = Counter(fingerprint)
    if len(counts) > 1:
        each = _("{n:,} of [{fingerprint}]")
        found = listed(each.format(n=count, fingerprint=name) for name, count in counts.most_common())
        raise EncoderMismatchError(
            _(
                "The vectors come from {n} encoders ({found}); cosine similarity means nothing between them. "
                "Encode all texts with one encoder."
            ).format(n=len(counts), found=found)
        )
    return next(iter(counts), None)


def check_same_encoder(known: str | None, dimension: int, fingerprint: str | None, vectors: Vectors) -> None:
    """Refuse vectors of another encoder than a map's, by fingerprint, or where it is not known, dimension."""
    if known is not None and fingerprint is not None and known != fingerprint:
        raise EncoderMismatchError(
            _(
                "The map was made with the encoder [{known}], these vectors with [{fingerprint}]; cosine "
                "similarity means nothing between them. Encode the texts with the same encoder."
            ).format(known=known, fingerprint=fingerprint)
        )
    if vectors.shape[1] != dimension:
        raise EncoderMismatchError(
            _(
                "The map was made of vectors of {known} dimensions, these have {dimension}, so they come "
                "from another encoder. Encode the texts with the same encoder."
            ).format(known=dimension, dimension=vectors.shape[1])
        )


@dataclass(frozen=True, eq=False)
class Distinct:
    """The distinct rows of a matrix, in an order that does not depend on the order of its rows."""

    rows: Rows  # shape (m,): of equal vectors one row number, in canonical order
    inverse: Rows  # shape (n,): for each row of the matrix, the place of its vector in `rows`


def distinct(vectors: Vectors, ids: Ids | None = None) -> Distinct:
    """Find equal rows, and put the rest in the order of `ids`, or without ids, of their content.

    Examples
    --------
    >>> found = distinct(np.eye(2, dtype=np.float32)[[1, 0, 1]], ids=["c", "b", "a"])
    >>> found.rows.tolist(), found.inverse.tolist()
    ([2, 1], [0, 1, 0])
    """
    # As opaque bytes: comparing rows number by number takes ten times as long. Zero has two bit patterns.
    content = (
        np.ascontiguousarray(vectors + np.float32(0))
        .view(np.dtype((np.void, vectors.itemsize * vectors.shape[1])))
        .ravel()
    )
    group = np.unique(content, return_inverse=True)[1]
    by_rank = np.argsort(group if ids is None else _checked_ids(ids, len(vectors)), kind="stable")
    # The first of each group in the order of rank stands for it.
    first = np.unique(group[by_rank], return_index=True)[1]
    rows = by_rank[np.sort(first)]
    place = np.empty(len(rows), dtype=np.intp)
    place[group[rows]] = np.arange(len(rows))
    return Distinct(rows.astype(np.intp), place[group])


def _checked_ids(ids: Ids, n: int) -> npt.NDArray[Any]:
    given = list(ids)
    check_one_for_each("ids", given, n)
    repeated, times = Counter(given).most_common(1)[0]
    if times > 1:
        raise InputError(
            _(
                "The id {id!r} is given {n} times; ids must be distinct, such as row numbers or hashes of "
                "the texts."
            ).format(id=repeated, n=times)
        )
    # Mixed kinds have no order of their own.
    return np.array(given if len(set(map(type, given))) == 1 else list(map(str, given)))
