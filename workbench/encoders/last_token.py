"""The hidden state of the last token of each text, from a causal transformers model.

This is the one place where the model is run, so that a faster forward pass has one place to go.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from workbench.encoders.base import Vectors
from workbench.encoders.batching import TokenRows
from workbench.encoders.prefix import SharedPrefix

__all__ = ["last_token_states"]


def last_token_states(
    model: Any,
    tokens: TokenRows,
    positions: npt.NDArray[np.intp],
    pad_id: int,
    prefix: SharedPrefix | None = None,
) -> Vectors:
    """Hidden states of the last tokens of one batch.

    Rows are padded on the right and no mask is given: under causal attention a token sees only what
    is to its left, so padding never reaches the last token of the text.

    Parameters
    ----------
    model : transformers.PreTrainedModel
        A causal decoder without a head.
    tokens : TokenRows
        Less the prefix, if there is one.
    positions : ndarray of intp, shape (n,)
        Rows of the batch.
    pad_id : int
        Any valid token id.
    prefix : SharedPrefix, optional
        What comes before each row.

    Returns
    -------
    ndarray of float32, shape (n, hidden size)
    """
    import torch

    ids = torch.from_numpy(tokens.padded(positions, pad_id)).to(model.device)
    last = torch.from_numpy(tokens.lengths[positions] - 1).to(model.device)
    # Entered and left here: a generator that yielded inside would leave its caller in inference mode.
    with torch.inference_mode():
        if prefix is None:
            output = model(input_ids=ids, use_cache=False)
        else:
            cache = prefix.cache_for(len(positions), model.config)
            output = model(input_ids=ids, past_key_values=cache, use_cache=True)
        states = output.last_hidden_state[torch.arange(len(positions), device=last.device), last]
        vectors: Vectors = states.float().cpu().numpy()
    return vectors
