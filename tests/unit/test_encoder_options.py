"""Device and precision: what ``"auto"`` takes on which machine, with the GPU's answers put in."""

from __future__ import annotations

import pytest

from workbench.encoders.fast import options
from workbench.encoders.fast.options import Precision, resolve_device, resolve_precision
from workbench.errors import EncoderUnavailableError, MissingDependencyError

pytestmark = pytest.mark.models


@pytest.fixture
def gpus(monkeypatch):
    """Make torch see GPUs of these compute capabilities."""
    torch = pytest.importorskip("torch")

    def see(*capabilities):
        monkeypatch.setattr(torch.cuda, "is_available", lambda: bool(capabilities))
        monkeypatch.setattr(torch.cuda, "device_count", lambda: len(capabilities))
        monkeypatch.setattr(
            torch.cuda, "get_device_capability", lambda device: capabilities[torch.device(device).index]
        )

    return see


def test_the_first_gpu_is_taken_where_there_is_one(gpus):
    gpus((8, 0), (9, 0))
    assert [resolve_device(device) for device in (None, "auto", "cuda", "cuda:1", "cpu")] == [
        "cuda:0",
        "cuda:0",
        "cuda:0",
        "cuda:1",
        "cpu",
    ]


def test_the_cpu_is_taken_where_there_is_no_gpu(gpus):
    gpus()
    assert resolve_device(None) == "cpu"
    with pytest.raises(EncoderUnavailableError, match="sees no CUDA GPUs"):
        resolve_device("cuda")


@pytest.mark.parametrize(
    ("capability", "expected"),
    [((7, 0), "float16"), ((7, 5), "float16"), ((8, 0), "bfloat16"), ((9, 0), "bfloat16")],
)
def test_a_gpu_computes_in_bfloat16_if_it_has_it_else_in_float16(gpus, capability, expected):
    gpus(capability)
    assert resolve_precision("auto", "cuda:0") == Precision(expected, expected)


def test_a_cpu_computes_in_float32(gpus):
    gpus((9, 0))
    assert resolve_precision("auto", "cpu") == Precision("float32", "float32")


@pytest.mark.parametrize(
    ("asked", "name"), [("bf16", "bfloat16"), ("fp16", "float16"), ("fp32", "float32"), ("half", "float16")]
)
def test_common_short_names_are_understood(asked, name):
    assert resolve_precision(asked, "cpu") == Precision(name, name)


def test_a_torch_dtype_is_understood():
    torch = pytest.importorskip("torch")
    assert resolve_precision(torch.bfloat16, "cpu").name == "bfloat16"


@pytest.mark.parametrize(
    ("asked", "name"), [("int8", "int8"), ("8bit", "int8"), ("4bit", "nf4"), ("nf4", "nf4")]
)
@pytest.mark.parametrize(("capability", "half"), [((7, 5), "float16"), ((9, 0), "bfloat16")])
def test_quantised_weights_are_multiplied_in_the_16_bits_that_the_gpu_has(
    gpus, monkeypatch, asked, name, capability, half
):
    gpus(capability)
    monkeypatch.setattr(options, "find_spec", lambda package: object())
    assert resolve_precision(asked, "cuda:0") == Precision(name, half)


def test_quantised_weights_need_bitsandbytes(gpus, monkeypatch):
    gpus((9, 0))
    monkeypatch.setattr(options, "find_spec", lambda package: None if package == "bitsandbytes" else object())
    with pytest.raises(MissingDependencyError, match=r"needs bitsandbytes.*\.\[gpu\]"):
        resolve_precision("nf4", "cuda:0")


def test_weights_go_straight_to_the_gpu():
    torch = pytest.importorskip("torch")
    half = Precision("bfloat16", "bfloat16")
    assert half.loading_options("cuda:1") == {"dtype": torch.bfloat16, "device_map": {"": "cuda:1"}}
    assert half.loading_options("cpu") == {"dtype": torch.bfloat16}
