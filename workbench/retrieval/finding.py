"""From queries and rows to hits: how lines and whole documents are compared, and which phrase carries a hit.

Between two lines the score is the cosine of both. Where one of the two is a whole document, the part of it
that comes nearest to the line counts; between two whole documents, the cosine of the whole texts. Measured by
``python benchmarks/whole_documents.py``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from workbench.cutoffs import Cutoff
from workbench.encoders.base import Encoder, Vectors
from workbench.errors import UncalibratedCutoffWarning
from workbench.retrieval.adding import encode
from workbench.retrieval.exact import FlatIndex
from workbench.retrieval.hits import Hit, HitPhrase, hits_from, not_judged, warn_caller
from workbench.retrieval.index import RESOLUTION, Index, Rows, Scores
from workbench.retrieval.parts import Asked, Parts, places_of
from workbench.retrieval.storage import Contents, Store

# Letters, of which a Chinese character counts as two; what is shorter carries nothing by itself.
FEW_WORDS = 14

PartsOfOne = tuple[npt.NDArray[np.int64], Vectors]


def find(
    queries: Sequence[str],
    store: Store,
    index: Index | None,
    k: int,
    encoder: Encoder,
    *,
    cutoff: Cutoff,
    where: Mapping[str, Any] | None = None,
    progress: bool | None = None,
) -> list[list[Hit]]:
    """The `k` best hits of each clean query, by the index where all are lines, else by comparing with all.

    Without an index, only what the store names as near is compared.
    """
    asked = _asked(queries, encoder, progress)
    several = []
    for some, contents, over, rows in _looked_at(asked, store, index, k, where):
        found = _found(some, contents, over, min(k, len(contents)))
        for each, (scores, at, phrases) in zip(some, found, strict=True):
            hits = hits_from(
                scores, at, contents.texts, contents.records, cutoff, query=each.text, phrases=phrases
            )
            several.append(hits if rows is None else [_moved(hit, rows) for hit in hits])
    if said := not_judged([hit for hits in several for hit in hits], cutoff):
        warn_caller(said, UncalibratedCutoffWarning)
    return several


def _asked(queries: Sequence[str], encoder: Encoder, progress: bool | None) -> list[Asked]:
    """The queries with their vectors, and whole documents with those of their parts."""
    places = [places_of(query) for query in queries]
    said = [query[start:end] for query, some in zip(queries, places, strict=True) for start, end in some]
    vectors = encode(encoder, queries, "query", progress)
    ends = np.cumsum([*map(len, places)])
    parts = np.split(encode(encoder, said, "query", progress), ends[:-1]) if said else []
    return [
        Asked(query, vector, some, parts[at] if some else None)
        for at, (query, vector, some) in enumerate(zip(queries, vectors, places, strict=True))
    ]


def _looked_at(
    asked: Sequence[Asked], store: Store, index: Index | None, k: int, where: Mapping[str, Any] | None
) -> Iterator[tuple[Sequence[Asked], Contents, Index, Rows | None]]:
    """Which queries to compare with which rows; and the numbers of these, where they are not all."""
    if index is not None:
        yield asked, store.contents, index, None
        return
    for each, (contents, rows) in zip(asked, store.near(asked, k, where), strict=True):
        yield [each], contents, FlatIndex(contents.vectors), rows


def _moved(hit: Hit, rows: Rows) -> Hit:
    return Hit(**{**hit, "index": int(rows[hit["index"]])})


def _found(
    asked: Sequence[Asked], contents: Contents, index: Index, k: int
) -> Iterator[tuple[Scores, Rows, list[HitPhrase] | None]]:
    """Scores, rows and phrases of the `k` best of each query."""
    if not len(contents):
        yield from ((np.empty(0, np.float32), np.empty(0, np.intp), None) for _each in asked)
        return
    if not len(contents.parts) and all(each.vectors is None for each in asked):
        found = index.search(np.stack([each.vector for each in asked]), k)
        yield from ((scores, rows, None) for scores, rows in zip(*found, strict=True))
        return
    texts, vectors, parts = contents.texts, contents.vectors, contents.parts
    for each in asked:
        rows = _best_rows(each, vectors, parts, k)
        compared = [_compared(each, texts[row], vectors[row], parts[row]) for row in rows.tolist()]
        # Rounding could part what is the same; what is shown is the exact product.
        exact = np.array([score for score, _phrase in compared], dtype=np.float32)
        order = np.lexsort((rows, -exact))
        yield exact[order], rows[order], [compared[at][1] for at in order.tolist()]


def _best_rows(asked: Asked, vectors: Vectors, parts: Parts, k: int) -> Rows:
    """Numbers of the `k` best rows, by products in float32; equal ones in their order."""
    scores = np.asarray(vectors @ asked.vector, dtype=np.float32)
    if asked.vectors is None:
        scores[parts.rows] = np.maximum.reduceat(parts.vectors @ asked.vector, parts.starts)
    elif len(parts) < len(scores):
        is_of_lines = np.ones(len(scores), dtype=np.bool_)
        is_of_lines[parts.rows] = False
        scores[is_of_lines] = (vectors @ asked.vectors.T).max(axis=1)[is_of_lines]
    return np.lexsort((np.arange(len(scores)), -scores))[:k]


def _compared(asked: Asked, text: str, vector: Vectors, parts: PartsOfOne | None) -> tuple[float, HitPhrase]:
    """The score of a hit, and what carries it: the part of its text and of the query nearest to one another.

    Of two whole documents it is one of those parts that say a few words, where there are any.
    """
    left = asked.vector[None] if asked.vectors is None else asked.vectors
    right = vector[None] if parts is None else parts[1]
    near = cosines = left @ right.T
    score = None
    if asked.places and parts is not None:
        score = _cosine(vector, asked.vector)
        said = np.outer(
            [_letters(asked.text[start:end]) >= FEW_WORDS for start, end in asked.places],
            [_letters(text[start:end]) >= FEW_WORDS for start, end in parts[0].tolist()],
        )
        near = np.where(said | ~said.any(), cosines, -np.inf)
    at_left, at_right = divmod(int(near.argmax()), len(right))
    start, end = (0, len(text)) if parts is None else parts[0][at_right].tolist()
    first, last = asked.places[at_left] if asked.places else (0, len(asked.text))
    phrase = HitPhrase(
        text=text[start:end],
        start=start,
        end=end,
        score=_cosine(right[at_right], left[at_left]),
        query=asked.text[first:last],
        query_start=first,
        query_end=last,
    )
    if asked.vectors is not None and len(asked.requirements) > 1:
        least = asked.requirements[cosines[asked.requirements].max(axis=1).argmin()]
        phrase["least"] = asked.text[slice(*asked.places[least])]
    return phrase["score"] if score is None else score, phrase


def _cosine(one: Vectors, other: Vectors) -> float:
    """Of two unit vectors, as indexes reckon it: see :func:`~workbench.retrieval.index.best_of`."""
    total = np.multiply(one, other.astype(np.float64)).sum()
    return float(np.float32(np.clip(np.rint(total / RESOLUTION) * RESOLUTION, -1, 1) + 0.0))


def _letters(text: str) -> int:
    return sum(2 if character >= "\u2e80" else 1 for character in text if character.isalnum())
