"""Qwen3-Reranker: a causal model asked yes or no. Importing this module does not import torch."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from workbench.encoders.fast.batching import TokenRows, encode_in_batches
from workbench.encoders.fast.checkpoints import get_checkpoint, read_json, short_name
from workbench.encoders.fast.identity import settings_digest, weights_digest
from workbench.encoders.fast.loading import load_model
from workbench.encoders.fast.options import (
    checked_instruction,
    checked_number,
    checked_token_budget,
    import_torch,
    resolve_device,
    resolve_precision,
)
from workbench.scorers.base import FloatArray
from workbench.scorers.rerankers import LocalReranker, Positions

INSTRUCTION = "Given a job description, judge whether the candidate's resume meets its requirements"
MAX_LENGTH = 8192  # of the model card of Qwen3-Reranker
HEAD = (
    "<|im_start|>system\nJudge whether the Document meets the requirements based on the Query and the "
    'Instruct provided. Note that the answer can only be "yes" or "no".<|im_end|>\n<|im_start|>user\n'
)
TAIL = "<|im_end|>\n<|im_start|>assistant\n<think>\n\n</think>\n\n"


class Qwen3Reranker(LocalReranker):
    """A Qwen3-Reranker checkpoint: the probability of "yes" against "no" as the next token.

    What a text says cannot end its part of the prompt: special tokens in it are read as plain letters.

    Parameters
    ----------
    source : str or Path
        A folder, or a hub id such as ``"Qwen/Qwen3-Reranker-0.6B"``.
    name : str, optional
    instruction : str
        What the model is to judge.
    dtype, device, max_length, token_budget
        As of :class:`~workbench.encoders.qwen3.Qwen3Encoder`.

    Raises
    ------
    MissingDependencyError
        If torch or transformers is not installed.
    EncoderUnavailableError
        If the checkpoint is not here, has no safetensors, or lacks tensors.

    References
    ----------
    Zhang et al., "Qwen3 Embedding: Advancing Text Embedding and Reranking Through Foundation Models",
    arXiv:2506.05176 (2025), section 2; the prompt is that of the model card.
    """

    def __init__(
        self,
        source: str | Path,
        *,
        name: str | None = None,
        instruction: str = INSTRUCTION,
        dtype: str = "auto",
        device: str | None = None,
        max_length: int | None = None,
        token_budget: int | None = None,
    ) -> None:
        import_torch("Qwen3-Reranker")
        self._folder = get_checkpoint(str(source))
        self._config = read_json(self._folder / "config.json")
        self.name = name or short_name(str(source))
        self.instruction = checked_instruction(instruction)
        self.device = resolve_device(device)
        self._precision = resolve_precision(dtype, self.device)
        context = int(self._config["max_position_embeddings"])
        self._max_length = checked_number("max_length", max_length, 256, context, min(MAX_LENGTH, context))
        self._token_budget = checked_token_budget(token_budget, self.device)

    @cached_property
    def recipe(self) -> Mapping[str, Any]:
        return {
            "reranker": "qwen3",
            "weights": weights_digest(self._folder),
            "files": settings_digest(self._folder),
            "prompt": [HEAD, TAIL],
            "instruction": self.instruction,
            "precision": self._precision.name,
            "max_length": self._max_length,
        }

    @cached_property
    def _room(self) -> int:
        around = [HEAD, TAIL, *self._bodies("", [""])]
        return self._max_length - sum(len(ids) for ids in self._ids_of(around))

    def _tokens_of(self, texts: Sequence[str]) -> list[list[tuple[int, int]]]:
        found = self._backend(plain=True).encode_batch(list(texts), add_special_tokens=False)
        return [list(each.offsets) for each in found]

    def _batches(self, jd: str, resumes: Sequence[str]) -> Iterator[tuple[Positions, FloatArray]]:
        decoder, answers, side_by_side = self._parts
        # A JD's résumés share the prompt up to the end of the JD, which is computed once.
        tokens, prefix = decoder.without_prefix(self._tokenise(jd, resumes))

        def encode(positions: Positions) -> npt.NDArray[np.float32]:
            return np.asarray(decoder.last_states(tokens, positions, prefix) @ answers.T)

        batches = encode_in_batches(encode, tokens.lengths, self._token_budget, side_by_side=side_by_side)
        for positions, logits in batches:
            no, yes = logits.astype(np.float64).T
            yield positions, np.exp(-np.logaddexp(0.0, no - yes))

    def _tokenise(self, jd: str, resumes: Sequence[str]) -> TokenRows:
        """Token ids of the whole prompt for each résumé."""
        head, tail = self._ids_of([HEAD, TAIL])
        # Cut in windows, a text may have a token more than it had before.
        room = self._max_length - len(head) - len(tail)
        found = self._backend(plain=True).encode_batch_fast(
            self._bodies(jd, resumes), add_special_tokens=False
        )
        return TokenRows.from_lists([*head, *each.ids[:room], *tail] for each in found)

    def _ids_of(self, texts: Sequence[str]) -> list[list[int]]:
        backend = self._backend(plain=False)
        return [backend.encode(text, add_special_tokens=False).ids for text in texts]

    def _backend(self, *, plain: bool) -> Any:
        """The tokenizer, uncut; `plain` reads special tokens in a text as letters."""
        backend = self._tokenizer.backend_tokenizer
        backend.no_padding()
        backend.no_truncation()
        backend.encode_special_tokens = plain
        return backend

    def _bodies(self, jd: str, resumes: Sequence[str]) -> list[str]:
        start = f"<Instruct>: {self.instruction}\n<Query>: {jd}\n<Document>: "
        return [start + resume for resume in resumes]

    @cached_property
    def _tokenizer(self) -> Any:
        from transformers import AutoTokenizer

        return AutoTokenizer.from_pretrained(self._folder, trust_remote_code=False, local_files_only=True)

    @cached_property
    def _parts(self) -> tuple[Any, npt.NDArray[np.float32], bool]:
        """What gives last states, the head's rows for "no" and "yes", and whether threads may share it."""
        from workbench.encoders.fast.packed_decoder import FusedDecoder, decoder_for

        ids = [self._tokenizer.convert_tokens_to_ids(word) for word in ("no", "yes")]
        model = load_model(self._folder, self._precision, self.device, name=self.name, next_token=True)
        answers = model.get_output_embeddings().weight[ids].detach().float().cpu().numpy().copy()
        decoder = decoder_for(model.model)
        return decoder, answers, isinstance(decoder, FusedDecoder)
