"""Looking up the vectors of texts: by what, and in the folders of knowledge bases.

What else is in such a folder is told in :mod:`workbench.retrieval.folder_store`.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
import numpy.typing as npt

from workbench.encoders.base import Vectors

KNOWLEDGE_BASE_FILE = "knowledge_base.sqlite"
MILVUS_LITE_FILE = "LOCK"
# Below 999, the smallest limit on bound values that SQLite was ever built with.
KEYS_A_QUERY = 500


def vectors_file(generation: int) -> str:
    """Name of the file of a knowledge base's vectors, of which row numbers stay what they are."""
    return f"vectors-{generation:06d}.npy"


def text_key(text: str) -> bytes:
    """What a text is looked up by."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()


def vectors_in(
    folder: Path, fingerprint: str, keys: Iterable[bytes], dimension: int
) -> Iterator[tuple[list[bytes], Vectors]]:
    """Vectors in a knowledge base; its file of vectors stays there while its SQLite file is being read."""
    address = f"{(folder / KNOWLEDGE_BASE_FILE).as_uri()}?mode=ro"
    with closing(sqlite3.connect(address, uri=True, isolation_level=None)) as connection:
        connection.execute("BEGIN")
        encoder, generation = connection.execute("SELECT encoder, generation FROM state").fetchone()
        if json.loads(encoder)["fingerprint"] != fingerprint:
            return
        kept = np.load(folder / vectors_file(generation), mmap_mode="r")
        for chunk, places in chunks(keys):
            rows = connection.execute(
                f"SELECT text_sha256, row FROM document WHERE text_sha256 IN {places}", chunk
            ).fetchall()
            vectors = np.array(kept[[row for _key, row in rows]]).reshape(-1, dimension)
            sound = np.flatnonzero(of_unit_length(vectors))
            yield [rows[place][0] for place in sound], vectors[sound]


def chunks(keys: Iterable[bytes]) -> Iterator[tuple[list[bytes], str]]:
    """Keys, as many at a time as a query takes, with its place holders for them."""
    every = list(keys)
    for start in range(0, len(every), KEYS_A_QUERY):
        chunk = every[start : start + KEYS_A_QUERY]
        yield chunk, f"({','.join('?' * len(chunk))})"


def of_unit_length(vectors: Vectors) -> npt.NDArray[np.bool_]:
    """Whether each row has length 1, as far as float32 can tell."""
    near: npt.NDArray[np.bool_] = np.isclose(np.einsum("ij,ij->i", vectors, vectors), 1, atol=1e-3)
    return near
