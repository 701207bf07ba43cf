"""What gpu.py encodes, and with what: composed texts, and a checkpoint of random weights in a true shape.

The weights are drawn on the device. The tokenizer is trained on such texts, since Qwen's own cannot be had
without a network: its pieces are of about the same length.
"""

from __future__ import annotations

import random
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from measuring import ROOT

sys.path.insert(0, str(ROOT / "tests"))
from checkpoints.modules import write_json, write_modules

INSTRUCTION = (
    "Given a statement of skills or experience from a candidate's resume, "
    "retrieve the job requirements that it satisfies"
)
CHINESE = (
    "负责后端服务的架构设计与核心模块开发",
    "熟悉 Java、Spring Boot 与微服务治理",
    "有大模型应用落地经验，搭建过文档问答系统",
    "使用 Kubernetes 完成容器化部署与弹性扩缩容",
    "精通 MySQL 索引优化与分库分表方案",
    "主导数据仓库建设，制定指标口径与数据质量规则",
    "参与推荐系统召回与排序模型的离线训练和在线实验",
    "具备良好的沟通能力，能推动跨部门项目按期交付",
    "独立完成小程序前端开发，了解 Vue 与 TypeScript",
    "负责客户成功与续约，年度续费率超过九成",
    "熟练使用 Python 进行自动化测试与接口测试",
    "了解财务报表分析与预算编制流程",
)
ENGLISH = (
    "Designed and shipped REST services in Go and Python for two million users",
    "Led a team of five engineers through a migration to Kubernetes on AWS",
    "Built retrieval-augmented question answering over internal documents",
    "Tuned PostgreSQL queries and cut the 99th percentile latency by half",
    "Experience with Spark, Airflow and dbt for batch data pipelines",
    "Fine-tuned transformer models for ranking and evaluated them in A/B tests",
    "Wrote end-to-end tests with Playwright and kept the build under ten minutes",
    "Managed a portfolio of enterprise accounts and renewals",
    "Familiar with React, TypeScript and accessible front-end design",
    "Owned incident response and on-call rotation for payment systems",
    "Prepared monthly closing and financial reports under IFRS",
    "Comfortable presenting to executives and customers",
)
END = "<|endoftext|>"
# So few that a piece is about as long as one of Qwen's: the clauses are few, and would be pieces as a whole.
N_PIECES = 900


@dataclass(frozen=True)
class Shape:
    """Sizes of a Qwen3 model."""

    vocabulary: int
    hidden: int
    layers: int
    heads: int
    kv_heads: int
    head_size: int
    intermediate: int
    spread: float = 0.02

    @property
    def weights_of_layers(self) -> int:
        """All weights but the embedding table, of which a text reads a few rows."""
        attention = self.hidden * self.head_size * (2 * self.heads + 2 * self.kv_heads)
        norms = 2 * self.hidden + 2 * self.head_size
        return self.layers * (attention + 3 * self.hidden * self.intermediate + norms) + self.hidden

    def flops(self, lengths: Sequence[int] | np.ndarray) -> float:
        """Multiplications and additions that the vectors of texts of so many tokens need.

        Padding is not needed, nor is the last layer but for last tokens (and their keys and values), nor
        attention to what comes later.
        """
        tokens = np.asarray(lengths, dtype=np.float64)
        inner = self.heads * self.head_size
        keys_values = 4 * self.hidden * self.kv_heads * self.head_size
        others = 4 * self.hidden * inner + 6 * self.hidden * self.intermediate
        in_linear = tokens.sum() * (self.layers * keys_values + (self.layers - 1) * others)
        in_linear += len(tokens) * others
        in_attention = 4 * inner * ((self.layers - 1) * (tokens * (tokens + 1) / 2) + tokens).sum()
        return float(in_linear + in_attention)


SHAPES = {
    "4b": Shape(151_665, 2560, 36, 32, 8, 128, 9728),
    "0.6b": Shape(151_669, 1024, 28, 16, 8, 128, 3072),
    "tiny": Shape(4096, 64, 3, 4, 2, 32, 160, spread=0.25),
}


def texts_of(n: int, seed: int = 0) -> list[str]:
    """Distinct texts of one to six clauses, six in ten of them Chinese."""
    draw = random.Random(seed)
    found: dict[str, None] = {}
    while len(found) < n:
        clauses = CHINESE if draw.random() < 0.6 else ENGLISH
        chosen = draw.sample(clauses, min(1 + int(draw.expovariate(0.7)), 6))
        found[f"{('；' if clauses is CHINESE else '. ').join(chosen)} {draw.randint(0, 99_999)}"] = None
    return list(found)


def make_checkpoint(folder: Path, shape: Shape, device: str, dtype: torch.dtype) -> None:
    """A folder that this project and sentence-transformers load."""
    from transformers import Qwen3Config, Qwen3Model

    context = 2048
    config = Qwen3Config(
        vocab_size=shape.vocabulary,
        hidden_size=shape.hidden,
        num_hidden_layers=shape.layers,
        num_attention_heads=shape.heads,
        num_key_value_heads=shape.kv_heads,
        head_dim=shape.head_size,
        intermediate_size=shape.intermediate,
        max_position_embeddings=context,
        initializer_range=shape.spread,
        tie_word_embeddings=True,
        bos_token_id=0,
        eos_token_id=0,
    )
    torch.manual_seed(0)
    before = torch.get_default_dtype()
    torch.set_default_dtype(dtype)
    try:
        with torch.device(device):
            model = Qwen3Model(config)
    finally:
        torch.set_default_dtype(before)
    model.save_pretrained(folder)
    _tokenizer().save(str(folder / "tokenizer.json"))
    write_json(
        folder / "tokenizer_config.json",
        {
            "tokenizer_class": "PreTrainedTokenizerFast",
            "pad_token": END,
            "eos_token": END,
            "model_max_length": context,
        },
    )
    prompts = {"query": f"Instruct: {INSTRUCTION}\nQuery:", "document": ""}
    write_modules(folder, pooling="lasttoken", dimension=shape.hidden, max_length=context, prompts=prompts)


def _tokenizer() -> Any:
    """Byte-level pairs that end with the end token, as Qwen's do."""
    from tokenizers import Tokenizer, models, pre_tokenizers, processors, trainers

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    trainer = trainers.BpeTrainer(
        vocab_size=N_PIECES,
        special_tokens=[END],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator([*texts_of(2000, seed=1), INSTRUCTION], trainer)
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"$A {END}", special_tokens=[(END, tokenizer.token_to_id(END))]
    )
    return tokenizer
