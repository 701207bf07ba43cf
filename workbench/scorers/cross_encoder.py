"""A sentence-transformers CrossEncoder as a reranker. Importing this module does not import torch."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from workbench.encoders.fast.batching import token_batches
from workbench.encoders.fast.checkpoints import get_checkpoint, module_folders, short_name, weights_of
from workbench.encoders.fast.identity import settings_digest, weights_digest
from workbench.encoders.fast.loading import load_by_sentence_transformers
from workbench.encoders.fast.options import (
    checked_number,
    checked_token_budget,
    import_torch,
    resolve_device,
    resolve_precision,
)
from workbench.errors import EncoderUnavailableError
from workbench.i18n import gettext as _
from workbench.scorers.base import FloatArray
from workbench.scorers.rerankers import LocalReranker, Positions

LONGEST = 8192


class CrossEncoderReranker(LocalReranker):
    """A sentence-transformers CrossEncoder; the sigmoid of its one logit, whatever it does with it itself.

    Parameters
    ----------
    source : str or Path
        A folder with safetensors, or a hub id.
    name : str, optional
    dtype, device, max_length, token_budget
        As of :class:`~workbench.encoders.sentence_transformer.SentenceTransformerEncoder`.

    Raises
    ------
    MissingDependencyError
        If torch, transformers or sentence-transformers is not installed.
    EncoderUnavailableError
        If the checkpoint is not here, has no safetensors, needs code of its own, or gives no single score.
    """

    def __init__(
        self,
        source: str | Path,
        *,
        name: str | None = None,
        dtype: str = "auto",
        device: str | None = None,
        max_length: int | None = None,
        token_budget: int | None = None,
    ) -> None:
        import_torch(_("A cross-encoder"), "sentence_transformers")
        self._folder = get_checkpoint(str(source))
        self.name = name or short_name(str(source))
        self.device = resolve_device(device)
        self._precision = resolve_precision(dtype, self.device)
        self._model = self._load()
        longest = int(min(self._model.max_seq_length or 512, LONGEST))
        self._model.max_seq_length = checked_number("max_length", max_length, 8, longest, longest)
        self._token_budget = checked_token_budget(token_budget, self.device)

    @cached_property
    def recipe(self) -> Mapping[str, Any]:
        folders = module_folders(self._folder)
        return {
            "reranker": "cross-encoder",
            "weights": weights_digest(self._folder, folders),
            "files": settings_digest(self._folder, folders),
            "precision": self._precision.name,
            "max_length": self._model.max_seq_length,
        }

    @property
    def _room(self) -> int:
        special: int = self._model.tokenizer.backend_tokenizer.num_special_tokens_to_add(True)
        return max(2, int(self._model.max_seq_length) - special)

    def _tokens_of(self, texts: Sequence[str]) -> list[list[tuple[int, int]]]:
        found = self._uncut().encode_batch(list(texts), add_special_tokens=False)
        return [list(each.offsets) for each in found]

    def _batches(self, jd: str, resumes: Sequence[str]) -> Iterator[tuple[Positions, FloatArray]]:
        import torch

        pairs = self._uncut().encode_batch_fast([(jd, resume) for resume in resumes])
        lengths = np.array([len(pair.ids) for pair in pairs], dtype=np.int64)
        longest = self._model.max_seq_length
        for positions in token_batches(np.minimum(lengths, longest), self._token_budget):
            scores = self._model.predict(
                [(jd, resumes[at]) for at in positions],
                batch_size=len(positions),
                activation_fn=torch.nn.Sigmoid(),
                show_progress_bar=False,
            )
            yield positions, np.asarray(scores, float)

    def _uncut(self) -> Any:
        """The tokenizer without the limit and the padding that the library sets for its batches."""
        backend = self._model.tokenizer.backend_tokenizer
        backend.no_truncation()
        backend.no_padding()
        return backend

    def _load(self) -> Any:
        from safetensors import safe_open

        model = load_by_sentence_transformers("CrossEncoder", self._folder, self._precision, self.device)
        if model.num_labels != 1 or not getattr(model.tokenizer, "is_fast", False):
            raise EncoderUnavailableError(
                _(
                    "{folder} gives {n} numbers for a pair, or has no fast tokenizer; a reranker gives one "
                    "score."
                ).format(folder=self._folder, n=model.num_labels)
            )
        kept: set[str] = set()
        for file in weights_of(self._folder):
            with safe_open(file, "numpy") as tensors:
                kept.update(tensors.keys())
        transformer = model.model
        if type(transformer).__name__.endswith("ForSequenceClassification"):
            # The library fills a head that a checkpoint lacks with random numbers, and only warns.
            base = f"{transformer.base_model_prefix}."
            lost = sorted({key for key in transformer.state_dict() if not key.startswith(base)} - kept)
            if lost:
                raise EncoderUnavailableError(
                    _(
                        "{folder} is no cross-encoder: it lacks the head that gives the score ({tensor})."
                    ).format(folder=self._folder, tensor=repr(lost[0]))
                )
        return model
