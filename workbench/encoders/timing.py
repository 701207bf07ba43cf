"""What a text costs with an encoder, measured here and now."""

from __future__ import annotations

from collections.abc import Sequence
from time import perf_counter
from typing import cast

from workbench.encoders.base import Encoder
from workbench.errors import InputError

__all__ = ["milliseconds_a_text"]

# Texts encoded between two looks at the clock: enough for a batch to be worth while.
AT_ONCE = 64


def milliseconds_a_text(
    encoder: Encoder, documents: Sequence[str], queries: Sequence[str] = (), *, seconds: float = 2.0
) -> float:
    """Mean time that a text takes, encoded afresh.

    The encoder is warm (a few texts are encoded before the clock starts), but no vector comes from the
    embedding store. It depends on the machine, on what else runs there, and on how long the texts are, so
    that encoders are to be compared on the same texts, one after another.

    Parameters
    ----------
    encoder : Encoder
        See :func:`~workbench.encoders.load_encoder`; one that keeps vectors in a store is asked directly.
    documents, queries : sequence of str
        Some texts of each side; each distinct one is encoded at most once.
    seconds : float
        After this time no further batch is begun.

    Returns
    -------
    float
        Milliseconds.

    Raises
    ------
    InputError
        If there are no texts.

    Examples
    --------
    >>> from workbench.encoders import load_encoder
    >>> 0 < milliseconds_a_text(load_encoder("keyword"), ["护士", "Java 后端"]) < 1000
    True
    """
    bare = cast(Encoder, getattr(encoder, "encoder", encoder))
    sides = [
        (encode, list(dict.fromkeys(texts)))
        for encode, texts in ((bare.encode_documents, documents), (bare.encode_queries, queries))
    ]
    if not any(texts for _, texts in sides):
        raise InputError("There are no texts to measure the time of.")
    for encode, texts in sides:
        if texts:
            encode(texts[:2], progress=False)
    taken, n = 0.0, 0
    longest = max(len(texts) for _, texts in sides)
    for start in range(0, longest, AT_ONCE):
        for encode, texts in sides:
            if batch := texts[start : start + AT_ONCE]:
                before = perf_counter()
                encode(batch, progress=False)
                taken, n = taken + perf_counter() - before, n + len(batch)
        if taken >= seconds:
            break
    return 1000 * taken / n
