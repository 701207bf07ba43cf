"""From texts to packed token ids, through the Rust tokenizer that a transformers tokenizer wraps.

Done once over the whole input: batches are made by token counts, so these must be known first.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

from workbench.encoders.batching import TokenRows

__all__ = ["tokenise"]

# Tokenised together; offsets and strings of each token stay in memory until the chunk is packed.
CHUNK = 8192


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
            f"{len(cut)} of {len(texts)} texts have more than {max_length} tokens and were cut at the end, "
            f"the first of them {texts[cut[0]][:40]!r}…",
            stacklevel=2,
        )
    return TokenRows.concatenate(parts)
