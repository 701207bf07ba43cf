"""Qwen3-Embedding through transformers, straight from the official weights.

The vector of a text is the hidden state of its last token, which is ``<|endoftext|>``. Queries carry
an instruction, documents nothing. Importing this module does not import torch.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from workbench.encoders.base import BaseEncoder, Batch, Role, Vectors
from workbench.encoders.fast.batching import TokenRows, encode_in_batches, tokenise
from workbench.encoders.fast.checkpoints import (
    find_checkpoint,
    get_checkpoint,
    read_json,
    read_modules,
    short_name,
)
from workbench.encoders.fast.identity import settings_digest, weights_digest
from workbench.encoders.fast.loading import load_model
from workbench.encoders.fast.options import (
    checked_instruction,
    checked_number,
    checked_token_budget,
    import_torch,
    instructed,
    resolve_device,
    resolve_precision,
)
from workbench.errors import EncoderUnavailableError, InputError
from workbench.i18n import gettext as _
from workbench.i18n import listed

if TYPE_CHECKING:
    from workbench.encoders.fast.cuda import OverlappedEncoding
    from workbench.encoders.fast.last_token import LastTokenDecoder

# Qwen's authors advise English task texts for every language of the query.
DEFAULT_INSTRUCTION = (
    "Given a statement of skills or experience from a candidate's resume, retrieve the job requirements that "
    "it satisfies"
)

SMALLEST_DIMENSION = 32  # of the model card: "user-defined output dimensions from 32 to ..."
MAX_LENGTH = 8192


@dataclass(frozen=True)
class Qwen3Model:
    """A published Qwen3-Embedding checkpoint.

    Attributes
    ----------
    hub_id : str
        Its name on the Hugging Face hub and on ModelScope.
    dimension : int
        Length of its vectors when they are not shortened.
    parameters : int
        Numbers in its weights.
    commit : str
        The commit of the hub that is downloaded: the one that MTEB measures.
    """

    hub_id: str
    dimension: int
    parameters: int
    commit: str

    @property
    def bfloat16_bytes(self) -> int:
        """Size of the weights in memory and of the download."""
        return 2 * self.parameters


QWEN3_MODELS: Mapping[str, Qwen3Model] = MappingProxyType(
    {
        "qwen3-0.6b": Qwen3Model(
            "Qwen/Qwen3-Embedding-0.6B", 1024, 595_776_512, "b22da495047858cce924d27d76261e96be6febc0"
        ),
        "qwen3-4b": Qwen3Model(
            "Qwen/Qwen3-Embedding-4B", 2560, 4_021_774_336, "636cd9bf47d976946cdbb2b0c3ca0cb2f8eea5ff"
        ),
        "qwen3-8b": Qwen3Model(
            "Qwen/Qwen3-Embedding-8B", 4096, 7_567_295_488, "4e423935c619ae4df87b646a3ce949610c66241c"
        ),
    }
)


def find_weights(name: str) -> Path | None:
    """The folder on this machine with the weights of ``"qwen3-4b"`` or the like; no network.

    Raises
    ------
    InputError
        If no Qwen3-Embedding model has that short name.
    """
    if name not in QWEN3_MODELS:
        raise InputError(
            _("{name} is no Qwen3-Embedding model; known: {known}.").format(
                name=repr(name), known=listed(QWEN3_MODELS)
            )
        )
    model = QWEN3_MODELS[name]
    return find_checkpoint(model.hub_id) or find_checkpoint(model.hub_id, model.commit)


class Qwen3Encoder(BaseEncoder):
    r"""Vectors of a Qwen3-Embedding checkpoint.

    The checkpoint is looked for and checked at once; its weights are read when the first text is
    encoded, so that texts whose vectors are stored already cost no loading.

    Parameters
    ----------
    source : str or Path
        A short name (``"qwen3-0.6b"``, ``"qwen3-4b"``, ``"qwen3-8b"``), a folder, or a hub id.
    name : str, optional
        Short name for people; by default the model's short name, else the folder's name.
    dimension : int, optional
        Keep only the first so many components (Matryoshka), at least 32; by default all.
    dtype : {"auto", "float32", "bfloat16", "float16", "int8", "nf4"}
        Precision. ``"auto"`` is bfloat16 on a GPU that has it, float16 on an older GPU, float32 on a
        CPU. ``"int8"`` and ``"nf4"`` (4 bits) need a GPU and bitsandbytes.
    device : str, optional
        ``"cpu"``, ``"cuda"``, ``"cuda:1"``; by default the first GPU if there is one.
    instruction : str or None
        Task text that queries carry as ``Instruct: {instruction}\nQuery:{text}``; None for none.
    max_length : int, optional
        Longest text in tokens, with the instruction and the end token, which is kept when a text is
        cut (a warning says how many were); by default 8,192 or the model's context if that is shorter.
    token_budget : int, optional
        Tokens of a batch; by default 1,024 on a CPU and 16,384 on a GPU.

    Raises
    ------
    MissingDependencyError
        If torch or transformers is not installed.
    EncoderUnavailableError
        If the weights are not here, are no safetensors, or the device is not here.
    InputError
        If an option has a value that the model does not have.

    References
    ----------
    Zhang et al., "Qwen3 Embedding: Advancing Text Embedding and Reranking Through Foundation
    Models", arXiv:2506.05176 (2025), sections 2 and 3.
    """

    def __init__(
        self,
        source: str | Path,
        *,
        name: str | None = None,
        dimension: int | None = None,
        dtype: str = "auto",
        device: str | None = None,
        instruction: str | None = DEFAULT_INSTRUCTION,
        max_length: int | None = None,
        token_budget: int | None = None,
    ) -> None:
        import_torch("Qwen3-Embedding")
        source = str(source)
        model = QWEN3_MODELS.get(source)
        self._folder = (
            get_checkpoint(model.hub_id, size=f"{model.bfloat16_bytes / 1e9:.1f} GB", commit=model.commit)
            if model
            else get_checkpoint(source)
        )
        self._config = read_json(self._folder / "config.json")
        self._name = name or _short_name(source)
        if self._config.get("model_type") != "qwen3":
            raise EncoderUnavailableError(
                _(
                    "{folder} holds a {kind} model, not Qwen3-Embedding; load it as 'st:{source}' if it is a "
                    "sentence-transformers checkpoint."
                ).format(folder=self._folder, kind=repr(self._config.get("model_type")), source=source)
            )
        _check_pooling(self._folder)
        hidden_size = int(self._config["hidden_size"])
        context = int(self._config["max_position_embeddings"])
        self._dimension = checked_number("dimension", dimension, SMALLEST_DIMENSION, hidden_size, hidden_size)
        self._max_length = checked_number("max_length", max_length, 2, context, min(MAX_LENGTH, context))
        self.instruction = checked_instruction(instruction)
        self.device = resolve_device(device)
        self._precision = resolve_precision(dtype, self.device)
        self._token_budget = checked_token_budget(token_budget, self.device)

    @property
    def name(self) -> str:
        return self._name

    @property
    def dimension(self) -> int:
        return self._dimension

    @cached_property
    def recipe(self) -> Mapping[str, Any]:
        # The folder's name is not in it: the same weights give the same vectors wherever they lie.
        return {
            "encoder": "qwen3",
            "weights": weights_digest(self._folder),
            "files": settings_digest(self._folder),
            "pooling": "last token",
            "instruction": self.instruction,
            "dimension": self._dimension,
            "precision": self._precision.name,
            "computes_in": self._precision.computes_in,
            "max_length": self._max_length,
        }

    def encode_batches(self, texts: Sequence[str], role: Role) -> Iterator[Batch]:
        if self._overlapped is not None:
            for batch, states in self._overlapped.batches(texts, lambda part: self._tokenise(part, role)):
                yield batch, states[:, : self._dimension]
            return
        tokens, prefix = self._decoder.without_prefix(self._tokenise(texts, role))

        def encode(positions: npt.NDArray[np.intp]) -> Vectors:
            return self._decoder.last_states(tokens, positions, prefix)[:, : self._dimension]

        yield from encode_in_batches(
            encode, tokens.lengths, self._token_budget, side_by_side=self._runs_side_by_side
        )

    def _tokenise(self, texts: Sequence[str], role: Role) -> TokenRows:
        """Token ids of each text as the model reads it, the end token last."""
        prompt = instructed(self.instruction) if role == "query" else ""
        backend = self._tokenizer.backend_tokenizer
        # A text needs one token, and the end token comes with the prompt.
        if prompt and len(backend.encode(prompt).ids) + 1 >= self._max_length:
            raise InputError(
                _(
                    "The instruction alone fills the {longest} tokens that a text may have (max_length); "
                    "shorten it, or allow more."
                ).format(longest=self._max_length)
            )
        return tokenise(backend, texts, self._max_length, prompt=prompt, end_id=self._end_id)

    @cached_property
    def _tokenizer(self) -> Any:
        from transformers import AutoTokenizer

        tokenizer = AutoTokenizer.from_pretrained(
            self._folder, trust_remote_code=False, local_files_only=True
        )
        if tokenizer.pad_token_id is None:
            raise EncoderUnavailableError(
                _(
                    "The tokenizer in {folder} names no padding token, which is also the end token of "
                    "Qwen3-Embedding; take tokenizer_config.json from the published checkpoint."
                ).format(folder=self._folder)
            )
        return tokenizer

    @property
    def _end_id(self) -> int:
        return int(self._tokenizer.pad_token_id)

    @cached_property
    def _runs_side_by_side(self) -> bool:
        """Whether threads may run the model at the same time, each on a core."""
        from workbench.encoders.fast.packed_decoder import FusedDecoder

        return isinstance(self._decoder, FusedDecoder)

    @cached_property
    def _overlapped(self) -> OverlappedEncoding | None:
        """What encodes on a GPU, where the host works ahead of it."""
        from workbench.encoders.fast.cuda import OverlappedEncoding
        from workbench.encoders.fast.packed_decoder import CudaDecoder

        if not isinstance(self._decoder, CudaDecoder):
            return None
        return OverlappedEncoding(self._decoder, self._token_budget, graphs=not self._precision.is_quantised)

    @cached_property
    def _decoder(self) -> LastTokenDecoder:
        from workbench.encoders.fast.packed_decoder import decoder_for

        # Kept nowhere else: a decoder may take the model apart.
        return decoder_for(self._load())

    def _load(self) -> Any:
        return load_model(self._folder, self._precision, self.device, name=self._name)


def _short_name(source: str) -> str:
    folder = short_name(source)
    known = {model.hub_id.split("/")[1]: name for name, model in QWEN3_MODELS.items()}
    return known.get(folder, folder)


def _check_pooling(folder: Path) -> None:
    """Refuse a checkpoint whose own configuration asks for more than the last token."""
    modules = read_modules(folder)
    kinds = [module.kind for module in modules]
    pools_otherwise = any(
        "lasttoken" not in _pooling_modes(read_json(module.folder / "config.json"))
        for module in modules
        if module.kind == "Pooling"
    )
    if pools_otherwise or set(kinds) - {"Transformer", "Pooling", "Normalize"}:
        raise EncoderUnavailableError(
            _(
                "{folder} is a Qwen3 model with a head or pooling of its own ({kinds}); load it as "
                "'st:{folder}', which runs it as it was trained."
            ).format(folder=folder, kinds=listed(kinds))
        )


def _pooling_modes(config: dict[str, Any]) -> str:
    """The pooling modes in a configuration of either generation, as one string."""
    old = [key for key, value in config.items() if key.startswith("pooling_mode_") and value is True]
    return f"{config.get('pooling_mode', '')} {' '.join(old)}"
