"""From texts to batches of tokens: packed ids, batches by token budget, batches side by side.

Shared by the encoders that run a model here. What a batch is turned into is theirs. Texts are tokenised once
over the whole input, since batches are made by token counts, so these must be known first.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import chain
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from workbench.encoders.base import Batch, Vectors
from workbench.encoders.fast.options import checked_token_budget
from workbench.errors import EncoderError
from workbench.i18n import gettext as _

# Texts tokenised together; offsets and strings of each token stay in memory until the chunk is packed.
CHUNK = 8192
# Smaller batches use the processor badly, so a few tokens are not spread over many cores.
SMALLEST_SHARE = 128

Positions = npt.NDArray[np.intp]
Encoded = TypeVar("Encoded")


@dataclass(frozen=True)
class TokenRows:
    """Token ids of many texts, kept one after another in one array.

    A list of lists of Python integers takes about ten times the memory: for a million short texts
    that is the difference between 0.1 GB and 1 GB.

    Attributes
    ----------
    flat : ndarray of int32
        All ids.
    starts, lengths : ndarray of int64, shape (n,)
        Text `i` has the ids ``flat[starts[i] : starts[i] + lengths[i]]``.
    """

    flat: npt.NDArray[np.int32]
    starts: npt.NDArray[np.int64]
    lengths: npt.NDArray[np.int64]

    @classmethod
    def from_lists(cls, rows: Iterable[list[int]]) -> TokenRows:
        """Pack lists of ids.

        Examples
        --------
        >>> TokenRows.from_lists([[5, 6], [7]]).flat.tolist()
        [5, 6, 7]
        """
        kept = list(rows)
        lengths = np.fromiter(map(len, kept), dtype=np.int64, count=len(kept))
        flat = np.fromiter(chain.from_iterable(kept), dtype=np.int32, count=int(lengths.sum()))
        return cls(flat, np.cumsum(lengths) - lengths, lengths)

    @classmethod
    def concatenate(cls, parts: Iterable[TokenRows]) -> TokenRows:
        """Join packed rows, in order."""
        kept = list(parts)
        lengths = np.concatenate([part.lengths for part in kept])
        return cls(np.concatenate([part.flat for part in kept]), np.cumsum(lengths) - lengths, lengths)

    def __len__(self) -> int:
        return len(self.lengths)

    def __getitem__(self, position: int) -> npt.NDArray[np.int32]:
        start = self.starts[position]
        return self.flat[start : start + self.lengths[position]]

    def padded(self, positions: Positions, pad_id: int) -> npt.NDArray[np.int64]:
        """Ids of some rows, padded on the right with `pad_id` to the longest of them."""
        columns = np.arange(self.lengths[positions].max())
        inside = columns < self.lengths[positions, np.newaxis]
        at = np.where(inside, self.starts[positions, np.newaxis] + columns, 0)
        return np.where(inside, self.flat[at], pad_id).astype(np.int64)

    def joined(self, positions: Positions) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int64]]:
        """Ids of some rows, one after another, and the place of each id in its own row.

        Examples
        --------
        >>> ids, places = TokenRows.from_lists([[5, 6], [7]]).joined(np.array([1, 0]))
        >>> ids.tolist(), places.tolist()
        ([7, 5, 6], [0, 0, 1])
        """
        lengths = self.lengths[positions]
        places = np.arange(lengths.sum()) - np.repeat(np.cumsum(lengths) - lengths, lengths)
        return self.flat[np.repeat(self.starts[positions], lengths) + places], places

    def shared_prefix_length(self) -> int:
        """How many ids all rows begin with alike; at most one less than the shortest row has.

        Examples
        --------
        >>> TokenRows.from_lists([[1, 2, 3, 4], [1, 2, 5]]).shared_prefix_length()
        2
        >>> TokenRows.from_lists([[1, 2], [1, 2]]).shared_prefix_length()
        1
        """
        if not len(self):
            return 0
        for column in range(int(self.lengths.min()) - 1):
            ids = self.flat[self.starts + column]
            if (ids != ids[0]).any():
                return column
        return int(self.lengths.min()) - 1

    def without_first(self, count: int) -> TokenRows:
        """The same rows less their first `count` ids; each row must be longer than that."""
        return TokenRows(self.flat, self.starts + count, self.lengths - count)


def tokenise(
    backend: Any, texts: Sequence[str], max_length: int, *, prompt: str = "", end_id: int | None = None
) -> TokenRows:
    """Token ids of texts, with the special tokens that the tokenizer adds.

    Parameters
    ----------
    backend : tokenizers.Tokenizer
        Its truncation and padding are changed.
    texts : sequence of str
    max_length : int
        Longest row, special tokens included. Longer texts are cut; a warning says how many.
    prompt : str
        Put before each text.
    end_id : int, optional
        What each row must end with: appended where the tokenizer does not do so.

    Returns
    -------
    TokenRows
    """
    backend.no_padding()
    backend.enable_truncation(max_length)
    parts, cut = [], []
    for start in range(0, max(1, len(texts)), CHUNK):
        rows = []
        chunk = [prompt + text for text in texts[start : start + CHUNK]]
        for place, encoding in enumerate(backend.encode_batch_fast(chunk), start):
            ids = encoding.ids
            is_cut = bool(encoding.overflowing)
            if end_id is not None and (not ids or ids[-1] != end_id):
                is_cut = is_cut or len(ids) == max_length
                ids = [*ids[: max_length - 1], end_id]
            if is_cut:
                cut.append(place)
            rows.append(ids)
        parts.append(TokenRows.from_lists(rows))
    if cut:
        warnings.warn(
            _(
                "{n} of {total} texts have more than {longest} tokens and were cut at the end, the first of "
                "them at position {place}."
            ).format(n=len(cut), total=len(texts), longest=max_length, place=cut[0]),
            stacklevel=2,
        )
    return TokenRows.concatenate(parts)


def token_batches(lengths: npt.ArrayLike, token_budget: int) -> Iterator[Positions]:
    """Positions of the texts of each batch, longest texts first.

    Texts are sorted by token count over the whole input (ties in input order), so that a batch holds
    texts of nearly one length. Sorting by characters, as is common, fails when languages are mixed: a
    Chinese character is about four times as many tokens as an English one.

    Parameters
    ----------
    lengths : array-like of int, shape (n,)
        Tokens of each text.
    token_budget : int
        Most tokens of a batch with its padding: rows × longest row. A single text that is longer
        makes a batch of its own.

    Yields
    ------
    ndarray of intp
        Positions in `lengths`; each position comes exactly once.

    Raises
    ------
    InputError
        If the budget is below 1.

    Examples
    --------
    >>> [batch.tolist() for batch in token_batches([3, 9, 4, 3, 20], token_budget=12)]
    [[4], [1], [2, 0, 3]]
    """
    token_budget = checked_token_budget(token_budget)
    counts = np.asarray(lengths, dtype=np.int64)
    order = np.argsort(-counts, kind="stable")
    start = 0
    while start < len(order):
        rows = max(1, token_budget // max(1, int(counts[order[start]])))
        yield order[start : start + rows]
        start += rows


def encode_in_batches(
    encode: Callable[[Positions], Vectors],
    lengths: npt.NDArray[np.int64],
    token_budget: int,
    *,
    side_by_side: bool,
) -> Iterator[Batch]:
    """Encode texts of so many tokens each, longest first: one batch a core, or one after another."""
    if side_by_side:
        yield from encode_side_by_side(encode, lengths, token_budget)
        return
    for positions in token_batches(lengths, token_budget):
        yield from encode_in_halves(encode, positions)


def encode_in_halves(
    encode: Callable[[Positions], Encoded], positions: Positions
) -> Iterator[tuple[Positions, Encoded]]:
    """Encode a batch; where memory runs out, its halves, and theirs.

    Parameters
    ----------
    encode : callable
        From positions to vectors of shape (n, d).
    positions : ndarray of intp, shape (n,)
        The batch.

    Raises
    ------
    EncoderError
        If memory runs out on a single text.
    """
    import torch

    try:
        vectors = encode(positions)
    except torch.OutOfMemoryError as error:
        if len(positions) == 1:
            raise EncoderError(
                _(
                    "The GPU ran out of memory on text {position} alone. Load the encoder in nf4 "
                    "or for shorter texts (max_length), take a smaller model, or free the GPU ('nvidia-smi' "
                    "shows who uses it)."
                ).format(position=int(positions[0]))
            ) from error
    else:
        yield positions, vectors
        return
    # Outside the handler, since the exception keeps the failed batch's tensors alive.
    torch.cuda.empty_cache()
    for half in np.array_split(positions, 2):
        yield from encode_in_halves(encode, half)


def encode_side_by_side(
    encode: Callable[[npt.NDArray[np.intp]], Vectors], lengths: npt.NDArray[np.int64], token_budget: int
) -> Iterator[Batch]:
    """Encode texts on a CPU, one batch a core, each in a single thread.

    Threads that share one matrix product wait for each other at the end of every operation. With ten
    processes on two cores, 300 texts took 64 s that way, and 9 s with batches side by side.

    Parameters
    ----------
    encode : callable
        From positions to vectors of shape (n, d); called from several threads at once, except where one
        batch holds all, which then has all of torch's threads to itself.
    lengths : ndarray of int64, shape (n,)
        Tokens of each text.
    token_budget : int
        As in :func:`token_batches`; less where each thread's share is less.

    Yields
    ------
    (positions, vectors)
        Longest texts first. A caller that stops early waits for batches that have begun.
    """
    import torch

    workers = torch.get_num_threads()
    share = max(SMALLEST_SHARE, -(-int(lengths.sum()) // workers))
    batches = list(token_batches(lengths, min(token_budget, share)))
    if workers == 1 or len(batches) <= 1:
        yield from ((positions, encode(positions)) for positions in batches)
        return
    pool = ThreadPoolExecutor(
        workers, thread_name_prefix="encode", initializer=torch.set_num_threads, initargs=(1,)
    )
    try:
        yield from zip(batches, pool.map(encode, batches), strict=True)
    finally:
        pool.shutdown(cancel_futures=True)
        # The number holds for the thread that sets it, and for threads that are yet to start.
        torch.set_num_threads(workers)
