"""The forward pass of ``use`` with all that depends on a token alone looked up instead of computed again.

Its first steps (projection, layer norm, the products of the first convolution) see one token at a time: they
are computed once a token and kept in a table. What is left for a place in a text is sums of rows, the second
convolution, and a mean. Words are cut into tokens once, too. The weights are those of the package, and so are
the vectors, up to rounding.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain
from threading import Lock
from typing import Any

import numpy as np
import numpy.typing as npt
from numpy.lib.stride_tricks import as_strided

Floats = npt.NDArray[np.float32]
Places = npt.NDArray[np.intp]

EMBEDDED, WIDTH = 512, 256
# Of each of the three convolutions, how many tokens it sees, and how many of those stand before the place.
REACHES = ((2, 0), (3, 1), (5, 2))
# Of a token, its products with the weights of each place that the convolutions see, and what goes past them.
FOLDED = (sum(reach for reach, _left in REACHES) + len(REACHES)) * WIDTH
# Two convolutions reach so far to either side; empty places between texts keep them apart.
FURTHEST, BETWEEN = 4, 2
# Places computed at a time: enough for the products, few enough for the cache.
BLOCK = 768
# Tokens in the table, 15 kB each; then it begins anew. A thousand documents have fewer.
MOST_TOKENS = 2**14
# Words of more characters are seldom seen twice: Chinese has no spaces.
LONGEST_WORD, MOST_WORDS = 24, 2**17
_SPACES = str.maketrans("\n\t\r\f", "    ")


class FoldedUse:
    """Encodes as the package's model does; several threads may use one.

    Parameters
    ----------
    model, tokenizer
        See :func:`~workbench.encoders.fast.mapped_use.load_use`.
    """

    def __init__(self, model: Any, tokenizer: Any) -> None:
        self._model, self._tokenizer = model, tokenizer
        self._words: dict[str, list[int]] = {}
        self._filling = Lock()
        self._n_rows = 1
        # The first convolution's weights, for each of its tokens side by side.
        self._first = [
            weights.reshape(reach, WIDTH, WIDTH).transpose(1, 0, 2).reshape(WIDTH, reach * WIDTH)
            for weights, (reach, _left) in zip(model.w1, REACHES, strict=True)
        ]
        self._clear()

    def encode(self, texts: Sequence[str]) -> Floats:
        """Unit rows, shape ``(n, 512)``."""
        tokens = [self._tokens_of(text) for text in texts]
        lengths = np.fromiter(map(len, tokens), np.intp, len(tokens))
        of_text = np.repeat(np.arange(len(texts)), lengths)
        places = np.arange(len(of_text)) + BETWEEN * of_text + FURTHEST
        stream = np.full(places[-1] + 1 + FURTHEST, -1)
        stream[places] = np.fromiter(chain.from_iterable(tokens), np.intp, len(places))
        sums = np.zeros((len(texts), EMBEDDED + len(REACHES) * WIDTH), dtype=np.float32)
        # Room for the rows of a block, taken once: it is larger than what an allocator keeps at hand.
        room = [np.empty((BLOCK + 2 * FURTHEST, width), dtype=np.float32) for width in (EMBEDDED, FOLDED)]
        for start in range(FURTHEST, len(stream) - FURTHEST, BLOCK):
            end = min(start + BLOCK, len(stream) - FURTHEST)
            inside = slice(*np.searchsorted(places, (start, end)))
            self._add_block(
                stream[start - FURTHEST : end + FURTHEST], places[inside] - start, of_text[inside], sums, room
            )
        return self._vectors(sums, lengths.astype(np.float32))

    def _tokens_of(self, text: str) -> list[int]:
        """The package's, word by word: no token spans two, and sums of scores are exact."""
        found = [self._tokenizer._bos_id]
        for word in text.translate(_SPACES).split(" "):
            tokens = self._words.get(word)
            if tokens is None:
                normalized = self._tokenizer._normalizer.normalize(word)
                tokens = self._tokenizer._viterbi(normalized) if normalized else []
                if len(word) <= LONGEST_WORD and len(self._words) < MOST_WORDS:
                    self._words[word] = tokens
            found += tokens
        if len(found) == 1:
            found.append(self._tokenizer._unk_id)
        found.append(self._tokenizer._eos_id)
        return found

    def _add_block(
        self, stream: Places, places: Places, of_text: Places, sums: Floats, room: Sequence[Floats]
    ) -> None:
        """Add what a block's places give to their texts; `stream` is `FURTHEST` longer at both ends."""
        model, n = self._model, len(stream) - 2 * FURTHEST
        embedded, folded = self._rows(stream, *room)
        features = np.empty((n, len(REACHES) * WIDTH), dtype=np.float32)
        hidden = np.empty((n + 2 * BETWEEN, WIDTH), dtype=np.float32)
        empty = np.flatnonzero(stream[BETWEEN:-BETWEEN] < 0)
        done = 0
        for at, (reach, left) in enumerate(REACHES):
            own = slice(at * WIDTH, (at + 1) * WIDTH)
            for k in range(reach):
                start = BETWEEN + k - left
                some = folded[start : start + len(hidden), (done + k) * WIDTH : (done + k + 1) * WIDTH]
                if k:
                    hidden += some
                else:
                    hidden[:] = some
            done += reach
            np.maximum(hidden, 0, out=hidden)
            hidden += folded[BETWEEN:-BETWEEN, 10 * WIDTH :][:, own]
            hidden[empty] = 0
            windows = as_strided(hidden[BETWEEN - left :], (n, reach * WIDTH), hidden.strides)
            second = np.ascontiguousarray(windows) @ model.w2[at]
            second += model.b2[at]
            np.maximum(second, 0, out=second)
            np.add(second, hidden[BETWEEN:-BETWEEN], out=features[:, own])
        # Layer norm and sum over a text's places in one product: (x - mean) * scale, summed.
        embedded = embedded[FURTHEST:-FURTHEST]
        width = sums.shape[1]
        means = (embedded.sum(axis=1) + features.sum(axis=1)) / width
        squares = np.einsum("ij,ij->i", embedded, embedded) + np.einsum("ij,ij->i", features, features)
        scales = 1 / np.sqrt(squares / width - means**2 + model.eps)
        first, last = of_text[0], of_text[-1] + 1
        weights = np.zeros((last - first, n), dtype=np.float32)
        weights[of_text - first, places] = scales[places]
        off = (weights @ means)[:, None]
        sums[first:last, :EMBEDDED] += weights @ embedded - off
        sums[first:last, EMBEDDED:] += weights @ features - off

    def _rows(self, stream: Places, *room: Floats) -> Iterator[Floats]:
        """Of each token its embedding, and its share in the first convolutions with what goes past them."""
        with self._filling:
            new = _distinct(stream[(stream >= 0) & (self._row_of[stream] == 0)])
            if len(new):
                if self._n_rows + len(new) > len(self._embedded):
                    self._clear()
                    new = _distinct(stream[stream >= 0])
                self._fill(new)
            rows = np.where(stream >= 0, self._row_of[stream], 0)
            tables = self._embedded, self._folded
        # Without a mode, a copy would be taken first, lest a row be out of bounds.
        return (
            table.take(rows, axis=0, out=some[: len(rows)], mode="clip")
            for table, some in zip(tables, room, strict=True)
        )

    def _fill(self, tokens: Places) -> None:
        model, rows = self._model, slice(self._n_rows, self._n_rows + len(tokens))
        chunk = tokens % len(model.scale)
        embedded = model.table[tokens] * model.scale[chunk, None] + model.lo[chunk, None]
        projected = embedded @ model.proj_W + model.proj_b
        projected -= projected.mean(axis=1, keepdims=True)
        projected /= np.sqrt(np.square(projected).mean(axis=1, keepdims=True) + model.eps)
        projected = projected * model.ln_g_all + model.ln_b_all
        self._embedded[rows] = embedded
        self._folded[rows, 10 * WIDTH :] = projected
        done = 0
        for at, (reach, left) in enumerate(REACHES):
            columns = slice(done * WIDTH, (done + reach) * WIDTH)
            self._folded[rows, columns] = projected[:, at * WIDTH : (at + 1) * WIDTH] @ self._first[at]
            self._folded[rows, (done + left) * WIDTH : (done + left + 1) * WIDTH] += model.b1[at]
            done += reach
        self._row_of[tokens] = np.arange(rows.start, rows.stop)
        self._n_rows = rows.stop

    def _clear(self) -> None:
        # Row 0 is that of an empty place. Memory is taken by the rows that are filled.
        self._row_of = np.zeros(len(self._model.table), dtype=np.intp)
        self._embedded = np.empty((MOST_TOKENS, EMBEDDED), dtype=np.float32)
        self._folded = np.empty((MOST_TOKENS, FOLDED), dtype=np.float32)
        self._embedded[0], self._folded[0] = 0, 0
        self._n_rows = 1

    def _vectors(self, sums: Floats, lengths: Floats) -> Floats:
        model, lengths = self._model, lengths[:, None]
        mean = (sums * model.ln_g + lengths * model.ln_b) @ model.cnn_W + lengths * model.cnn_b
        mean /= np.sqrt(lengths)
        first = np.maximum(mean @ model.d0, 0)
        second = np.maximum(mean @ model.p1 + first @ model.d1, 0)
        third = np.maximum(second @ model.d2, 0)
        vectors = np.tanh(second @ model.p3 + third @ model.d3)
        unit: Floats = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
        return unit


def _distinct(tokens: Places) -> Places:
    # np.unique would load all of numpy.ma for the first query.
    return np.array(sorted(set(tokens.tolist())), dtype=np.intp)
