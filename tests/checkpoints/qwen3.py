"""A random Qwen3-Embedding checkpoint with the real Qwen tokenizer.

The vocabulary is the one that the package ``dashscope`` ships; the file is read, nothing imported.
Weights are drawn wide enough that vectors depend on every token: with the usual 0.02 the residual
stream is all last token, and any two texts would have nearly the same vector.
"""

from __future__ import annotations

import base64
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from .modules import write_json, write_modules

# In the order of their ids, from 151643.
SPECIAL_TOKENS = (
    "<|endoftext|>",
    "<|im_start|>",
    "<|im_end|>",
    "<|object_ref_start|>",
    "<|object_ref_end|>",
    "<|box_start|>",
    "<|box_end|>",
    "<|quad_start|>",
    "<|quad_end|>",
    "<|vision_start|>",
    "<|vision_end|>",
    "<|vision_pad|>",
    "<|image_pad|>",
    "<|video_pad|>",
    "<tool_call>",
    "</tool_call>",
    "<|fim_prefix|>",
    "<|fim_middle|>",
    "<|fim_suffix|>",
    "<|fim_pad|>",
    "<|repo_name|>",
    "<|file_sep|>",
    "<tool_response>",
    "</tool_response>",
    "<think>",
    "</think>",
)
END, PADDING = "<|im_end|>", "<|endoftext|>"
END_ID, PADDING_ID = 151_645, 151_643
# Digits one at a time, and one punctuation mark may join the letters after it.
PATTERN = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*"
    r"|\s*[\r\n]+|\s+(?!\S)|\s+"
)
PUBLISHED_INSTRUCTION = "Given a web search query, retrieve relevant passages that answer the query"


def build_qwen3(
    folder: Path,
    *,
    hidden_size: int = 64,
    layers: int = 3,
    heads: int = 4,
    kv_heads: int = 2,
    head_size: int = 32,
    intermediate_size: int = 160,
    context: int = 2048,
    spread: float = 0.25,
    seed: int = 0,
) -> None:
    """Write a checkpoint with the files and settings of ``Qwen/Qwen3-Embedding-*``, in float32."""
    from transformers import Qwen3Model

    _write_model(
        folder,
        Qwen3Model,
        seed,
        hidden_size=hidden_size,
        num_hidden_layers=layers,
        num_attention_heads=heads,
        num_key_value_heads=kv_heads,
        head_dim=head_size,
        intermediate_size=intermediate_size,
        max_position_embeddings=context,
        initializer_range=spread,
        bos_token_id=PADDING_ID,
        eos_token_id=PADDING_ID,
    )
    write_qwen_tokenizer(folder, context)
    write_modules(
        folder,
        pooling="lasttoken",
        dimension=hidden_size,
        max_length=context,
        prompts={"query": f"Instruct: {PUBLISHED_INSTRUCTION}\nQuery:", "document": ""},
    )


def build_qwen3_reranker(folder: Path, *, context: int = 2048, seed: int = 0) -> None:
    """Write a checkpoint with the files of ``Qwen/Qwen3-Reranker-*``, in float32."""
    from transformers import Qwen3ForCausalLM

    _write_model(
        folder,
        Qwen3ForCausalLM,
        seed,
        hidden_size=64,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        head_dim=32,
        intermediate_size=160,
        max_position_embeddings=context,
        initializer_range=0.1,
    )
    write_qwen_tokenizer(folder, context)


def _write_model(folder: Path, kind: Any, seed: int, **shape: Any) -> None:
    import torch
    from transformers import Qwen3Config

    torch.manual_seed(seed)
    vocabulary = PADDING_ID + len(SPECIAL_TOKENS)
    kind(Qwen3Config(vocab_size=vocabulary, tie_word_embeddings=True, **shape)).save_pretrained(folder)


def write_qwen_tokenizer(folder: Path, context: int) -> None:
    """tokenizer.json and its configuration, as the published embedding checkpoints have them."""
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

    vocabulary, merges = _byte_pairs(qwen_ranks())
    tokenizer = Tokenizer(models.BPE(vocabulary, merges))
    tokenizer.normalizer = normalizers.NFC()
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(PATTERN), behavior="isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens(
        [AddedToken(token, normalized=False, special=True) for token in SPECIAL_TOKENS]
    )
    tokenizer.post_processor = processors.Sequence(
        [
            processors.ByteLevel(trim_offsets=False),
            processors.TemplateProcessing(
                single=f"$A {PADDING}",
                pair=f"$A {PADDING} $B {PADDING}",
                special_tokens=[(PADDING, PADDING_ID)],
            ),
        ]
    )
    tokenizer.save(str(folder / "tokenizer.json"))
    write_json(
        folder / "tokenizer_config.json",
        {
            "tokenizer_class": "Qwen2Tokenizer",
            "eos_token": END,
            "pad_token": PADDING,
            "unk_token": None,
            "bos_token": None,
            "add_prefix_space": False,
            "model_max_length": context,
        },
    )


def qwen_ranks() -> dict[bytes, int]:
    """The byte sequences of Qwen's vocabulary with their ids, which are also their merging order."""
    spec = find_spec("dashscope")
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError("The package dashscope, which brings Qwen's vocabulary, is not installed.")
    lines = (Path(spec.origin).parent / "resources" / "qwen.tiktoken").read_bytes().splitlines()
    return {base64.b64decode(token): int(rank) for token, rank in (line.split() for line in lines if line)}


def _byte_pairs(ranks: dict[bytes, int]) -> tuple[dict[str, int], list[tuple[str, str]]]:
    """Vocabulary and merges in GPT-2's printable byte alphabet.

    A token's merge is the last one that byte-pair encoding makes when only lower-ranked tokens exist.
    """
    from transformers.convert_slow_tokenizer import bytes_to_unicode

    letters = bytes_to_unicode()

    def printable(token: bytes) -> str:
        return "".join(letters[byte] for byte in token)

    vocabulary = {printable(token): rank for token, rank in ranks.items()}
    merges = []
    for token, rank in sorted(ranks.items(), key=lambda item: item[1]):
        if len(token) > 1:
            left, right = _last_merge(token, rank, ranks)
            merges.append((printable(left), printable(right)))
    return vocabulary, merges


def _last_merge(token: bytes, rank: int, ranks: dict[bytes, int]) -> tuple[bytes, bytes]:
    parts = [token[i : i + 1] for i in range(len(token))]
    while len(parts) > 2:
        candidates = [(ranks.get(parts[i] + parts[i + 1], rank), i) for i in range(len(parts) - 1)]
        best, at = min(candidates)
        if best >= rank:
            raise ValueError(f"Token {token!r} (rank {rank}) is not reached by merging lower-ranked ones.")
        parts[at : at + 2] = [parts[at] + parts[at + 1]]
    return parts[0], parts[1]
