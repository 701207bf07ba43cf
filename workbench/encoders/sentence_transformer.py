"""Any sentence-transformers checkpoint: its own modules and prompts, our batches.

The library reads the checkpoint (pooling, dense layers, prompts) and runs its modules; texts are
tokenised once and batched by token count. Importing this module does not import torch.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from workbench.encoders.base import BaseEncoder, Batch, Role, Vectors
from workbench.encoders.fast.batching import TokenRows, encode_in_batches, tokenise
from workbench.encoders.fast.checkpoints import get_checkpoint, module_folders, read_json, short_name
from workbench.encoders.fast.identity import settings_digest, weights_digest
from workbench.encoders.fast.loading import load_by_sentence_transformers
from workbench.encoders.fast.options import (
    checked_number,
    checked_token_budget,
    import_torch,
    resolve_device,
    resolve_precision,
)
from workbench.errors import EncoderUnavailableError, InputError
from workbench.i18n import gettext as _

# Where the library's own encode must be used, texts of one call to it.
_CHUNK = 256
# Names under which checkpoints keep the prompt of documents, in the library's order.
_DOCUMENT_PROMPTS = ("document", "passage", "corpus")


class SentenceTransformerEncoder(BaseEncoder):
    """Vectors of a sentence-transformers checkpoint.

    Parameters
    ----------
    source : str or Path
        A folder with modules.json, or a hub id such as ``"BAAI/bge-small-zh-v1.5"``, with ``@`` and a
        commit for the weights of that commit; a bare name is one of the library's own models, as there.
    name : str, optional
        Short name for people; by default the folder's name.
    dimension : int, optional
        Keep only the first so many components, for checkpoints trained for it (Matryoshka).
    dtype : {"auto", "float32", "bfloat16", "float16"}
        Precision. ``"auto"`` is bfloat16 on a GPU that has it, float16 on an older GPU, float32 on a CPU.
    device : str, optional
        ``"cpu"``, ``"cuda"``, ``"cuda:1"``; by default the first GPU if there is one.
    query_prompt, document_prompt : str, optional
        What is put before each query and each document; by default what the checkpoint says. The e5
        models need ``"query: "`` and ``"passage: "``, which older checkpoints do not say.
    max_length : int, optional
        Longest text in tokens; by default what the checkpoint says.
    token_budget : int, optional
        Tokens of a batch; by default 1,024 on a CPU and 16,384 on a GPU.

    Raises
    ------
    MissingDependencyError
        If torch, transformers or sentence-transformers is not installed.
    EncoderUnavailableError
        If the checkpoint is not here, has no modules.json or no safetensors, or cannot be loaded.
    InputError
        If an option has a value that the checkpoint does not have.
    """

    def __init__(
        self,
        source: str | Path,
        *,
        name: str | None = None,
        dimension: int | None = None,
        dtype: str = "auto",
        device: str | None = None,
        query_prompt: str | None = None,
        document_prompt: str | None = None,
        max_length: int | None = None,
        token_budget: int | None = None,
    ) -> None:
        import_torch(_("A sentence-transformers checkpoint"), "sentence_transformers")
        self._folder = get_checkpoint(_with_owner(str(source)))
        if not (self._folder / "modules.json").is_file():
            raise EncoderUnavailableError(
                _(
                    "{folder} has no modules.json, so it is no sentence-transformers checkpoint: it does not "
                    "say how token vectors become one vector."
                ).format(folder=self._folder)
            )
        self._name = name or short_name(str(source))
        self.device = resolve_device(device)
        self._precision = resolve_precision(dtype, self.device)
        if self._precision.is_quantised:
            raise InputError(
                _("dtype {dtype} is for Qwen3 encoders; use 'float32', 'bfloat16' or 'float16'.").format(
                    dtype=repr(dtype)
                )
            )
        self._model = self._load()
        full = int(self._model.get_embedding_dimension())
        self._dimension = checked_number("dimension", dimension, 1, full, full)
        self._max_length = self._checked_length(max_length)
        # Read here, since the library fills in an empty "document" that hides "passage" and "corpus".
        settings = self._folder / "config_sentence_transformers.json"
        prompts = read_json(settings).get("prompts") or {} if settings.is_file() else {}
        self._prompts: dict[Role, str] = {
            "query": _prompt_in(prompts, ("query",)) if query_prompt is None else query_prompt,
            "document": _prompt_in(prompts, _DOCUMENT_PROMPTS)
            if document_prompt is None
            else document_prompt,
        }
        self._plain_roles = {role for role, prompt in self._prompts.items() if self._is_plain(prompt)}
        self.instruction = self._prompts["query"].strip() or None
        self._token_budget = checked_token_budget(token_budget, self.device)

    @property
    def name(self) -> str:
        return self._name

    @property
    def dimension(self) -> int:
        return self._dimension

    @cached_property
    def recipe(self) -> Mapping[str, Any]:
        folders = module_folders(self._folder)
        return {
            "encoder": "sentence-transformers",
            "weights": weights_digest(self._folder, folders),
            "files": settings_digest(self._folder, folders),
            "query_prompt": self._prompts["query"],
            "document_prompt": self._prompts["document"],
            "dimension": self._dimension,
            "precision": self._precision.name,
            "max_length": self._max_length,
        }

    def encode_batches(self, texts: Sequence[str], role: Role) -> Iterator[Batch]:
        if self._max_length is None or role not in self._plain_roles:
            yield from self._encode_by_library(texts, role)
            return
        backend, prompt = self._model.tokenizer.backend_tokenizer, self._prompts[role]
        tokens = tokenise(backend, texts, self._max_length, prompt=prompt)

        def encode(positions: npt.NDArray[np.intp]) -> Vectors:
            return self._forward(tokens, positions, role)

        yield from encode_in_batches(encode, tokens.lengths, self._token_budget, side_by_side=self._is_packed)

    def _forward(self, tokens: TokenRows, positions: npt.NDArray[np.intp], role: Role) -> Vectors:
        """Run the checkpoint's modules over one batch."""
        import torch

        tokenizer = self._model.tokenizer
        ids = tokens.padded(positions, tokenizer.pad_token_id)
        features: dict[str, Any] = {
            "input_ids": ids,
            "attention_mask": (np.arange(ids.shape[1]) < tokens.lengths[positions, np.newaxis]).astype(
                np.int64
            ),
        }
        if "token_type_ids" in tokenizer.model_input_names:
            features["token_type_ids"] = np.zeros_like(ids)
        features = {key: torch.from_numpy(value).to(self.device) for key, value in features.items()}
        with torch.inference_mode():
            output = self._model({**features, "modality": "text"}, task=role)["sentence_embedding"]
            vectors: Vectors = output[:, : self._dimension].float().cpu().numpy()
        return vectors

    def _encode_by_library(self, texts: Sequence[str], role: Role) -> Iterator[Batch]:
        encode = self._model.encode_query if role == "query" else self._model.encode_document
        order = np.argsort([-len(text) for text in texts], kind="stable")
        for start in range(0, len(order), _CHUNK):
            positions = order[start : start + _CHUNK]
            vectors = encode(
                [texts[i] for i in positions], prompt=self._prompts[role], show_progress_bar=False
            )
            yield positions, np.asarray(vectors, dtype=np.float32)[:, : self._dimension]

    def _is_plain(self, prompt: str) -> bool:
        """Whether feeding token ids to the modules does all that the library's ``encode`` does.

        It does for a transformer over plain text. It does not with a chat template, padding to a fixed
        width, prompts that pooling leaves out, or a first module that is no transformer.
        """
        first: Any = self._model[0]
        if type(first).__name__ != "Transformer" or not getattr(first.tokenizer, "is_fast", False):
            return False
        excludes_prompt = any(not getattr(module, "include_prompt", True) for module in self._model)
        return (
            first.transformer_task == "feature-extraction"
            and "text" in first.modality_config
            and "message" not in first.modality_config
            and not first.processing_kwargs
            and first.query_expansion is None
            and first.query_length is None
            and first.document_length is None
            and first.tokenizer.pad_token_id is not None
            and not any(first.tokenizer("a b").get("token_type_ids", ()))
            and not (prompt and excludes_prompt)
        )

    def _checked_length(self, max_length: int | None) -> int | None:
        """Set the longest text in tokens; None where the model, an average of words, has no limit."""
        longest = self._model.max_seq_length or 512
        if math.isinf(longest):
            if max_length is not None:
                raise InputError(
                    _("{name} reads texts of any length; leave out max_length.").format(name=self._name)
                )
            return None
        checked = checked_number("max_length", max_length, 3, int(longest), int(longest))
        self._model.max_seq_length = checked
        return checked

    def _load(self) -> Any:
        from workbench.encoders.fast.packed_bert import PackedBert

        model = load_by_sentence_transformers(
            "SentenceTransformer", self._folder, self._precision, self.device
        )
        first = model[0]
        self._is_packed = PackedBert.can_run(getattr(first, "model", None))
        if self._is_packed:
            first.model = PackedBert(first.model)
        return model


def _prompt_in(prompts: Mapping[str, str | None], names: Sequence[str]) -> str:
    return next((prompts[name] or "" for name in names if name in prompts), "")


def _with_owner(source: str) -> str:
    is_bare = "/" not in source and not Path(source).exists()
    return f"sentence-transformers/{source}" if is_bare else source
