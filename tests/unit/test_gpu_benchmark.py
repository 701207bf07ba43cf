"""benchmarks/gpu.py where no GPU is: it counts right, and all of it runs on the packages that it names."""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import numpy as np
import pytest
from packaging.requirements import Requirement

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")

from workbench.encoders.fast.batching import TokenRows  # noqa: E402
from workbench.encoders.fast.packed_decoder import CudaDecoder  # noqa: E402
from workbench.encoders.qwen3 import QWEN3_MODELS  # noqa: E402

pytestmark = pytest.mark.models

ROOT = Path(__file__).parents[2]
BENCHMARKS = ROOT / "benchmarks"


@pytest.fixture
def shapes(monkeypatch):
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    return importlib.import_module("_gpu_checkpoint")


@pytest.mark.parametrize("size", ["4b", "0.6b"])
def test_shapes_have_as_many_weights_as_the_published_models(shapes, size):
    shape = shapes.SHAPES[size]
    n_weights = shape.weights_of_layers + shape.vocabulary * shape.hidden
    assert n_weights == QWEN3_MODELS[f"qwen3-{size}"].parameters


def test_flops_are_those_that_torch_counts(shapes, qwen3_checkpoint):
    from torch.utils.flop_counter import FlopCounterMode
    from transformers import AutoModel

    model = AutoModel.from_pretrained(qwen3_checkpoint, dtype=torch.float32).requires_grad_(False)
    config = model.config
    shape = shapes.Shape(
        config.vocab_size,
        config.hidden_size,
        config.num_hidden_layers,
        config.num_attention_heads,
        config.num_key_value_heads,
        config.head_dim,
        config.intermediate_size,
    )
    lengths = np.array([40, 40, 7])
    tokens = TokenRows.from_lists([[5] * length for length in lengths])
    with FlopCounterMode(display=False) as counter:
        CudaDecoder(model).last_states(tokens, np.arange(3))
    by_operation = counter.get_flop_counts()["Global"]
    in_products = sum(count for operation, count in by_operation.items() if "mm" in str(operation))
    # torch counts attention as if every token saw every other.
    inner = config.num_attention_heads * config.head_dim
    causal = (config.num_hidden_layers - 1) * (lengths * (lengths + 1) / 2).sum() + lengths.sum()
    assert shape.flops(lengths) == pytest.approx(in_products + 4 * inner * causal)


def test_texts_are_distinct_and_of_both_languages(shapes):
    texts = shapes.texts_of(500)
    assert len(set(texts)) == 500
    chinese = sum(any(character >= "\u4e00" for character in text) for text in texts)
    assert 200 < chinese < 400
    assert shapes.texts_of(500) == texts


def test_without_a_gpu_it_says_so_and_that_is_no_failure(monkeypatch, capsys):
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    gpu = importlib.import_module("gpu")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(sys, "argv", ["gpu.py"])
    assert gpu.main() == 0
    assert "sees no GPU" in capsys.readouterr().out


def needed_by(*names):
    """Names of packages, and of all that they cannot do without."""
    found, left = set(), list(names)
    while left:
        name = left.pop().lower().replace("_", "-")
        if name in found:
            continue
        try:
            required = [Requirement(line) for line in metadata.requires(name) or []]
        except metadata.PackageNotFoundError:
            continue
        found.add(name)
        left += [each.name for each in required if not each.marker or each.marker.evaluate({"extra": ""})]
    return found


@pytest.fixture
def site_with_only(tmp_path):
    """A folder that holds the named packages and what they need, by links."""

    def make(*names):
        site = tmp_path / "site"
        site.mkdir()
        for name in needed_by(*names):
            distribution = metadata.distribution(name)
            for top in {file.parts[0] for file in distribution.files or ()} - {"..", "__pycache__"}:
                if not (site / top).exists():
                    (site / top).symlink_to(Path(distribution.locate_file(top)))
        return site

    return make


@pytest.mark.slow
def test_all_of_it_runs_on_torch_transformers_and_sentence_transformers_alone(site_with_only, tmp_path):
    # lazy_loader is one small file that importing the workbench takes.
    site = site_with_only("torch", "transformers", "sentence-transformers", "lazy_loader")
    assert not (site / "pandas").exists()
    command = [sys._base_executable, "-s", str(BENCHMARKS / "gpu.py"), "--device", "cpu", "--shape", "tiny"]
    environment = {"PYTHONPATH": str(site), "PATH": os.environ["PATH"], "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [*command, "--out", str(tmp_path)],
        env=environment | {"HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    kept = json.loads((tmp_path / "gpu.json").read_text(encoding="utf-8"))
    tasks = " ".join(row["task"] for row in kept["measurements"])
    for expected in ("documents", "queries", "one query", "tokenise", "float32", "float16"):
        assert expected in tasks
    assert kept["figures"]["bulk_share_of_matrix_rate"] > 0
    assert any("on a GPU only" in note for note in kept["figures"]["notes"])
    checked = [row["checked"] for row in kept["measurements"] if "search" in row["task"]]
    assert checked == ["recall@5 against float64: 1.000"] * 2
