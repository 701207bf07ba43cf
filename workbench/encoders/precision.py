"""Where a torch model runs and in which number format: device and precision, checked at the door.

Importing this module does not import torch; its functions do.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

from workbench.errors import EncoderUnavailableError, InputError, MissingDependencyError

__all__ = ["PRECISIONS", "Precision", "import_torch", "resolve_device", "resolve_precision"]

PRECISIONS = ("auto", "float32", "bfloat16", "float16", "int8", "nf4")
_ALIASES = {
    "fp32": "float32",
    "bf16": "bfloat16",
    "fp16": "float16",
    "half": "float16",
    "8bit": "int8",
    "4bit": "nf4",
}
# Ampere and later multiply bfloat16 in hardware; before it, torch only emulates it.
_BFLOAT16_CAPABILITY = (8, 0)


@dataclass(frozen=True)
class Precision:
    """A number format for weights.

    Attributes
    ----------
    name : str
        ``"float32"``, ``"bfloat16"``, ``"float16"``, ``"int8"`` or ``"nf4"``.
    computes_in : str
        Format of activations: `name` itself, or for quantised weights a 16-bit one.
    """

    name: str
    computes_in: str

    @property
    def is_quantised(self) -> bool:
        """Whether weights are kept in 8 or 4 bits."""
        return self.name != self.computes_in

    def loading_options(self, device: str) -> dict[str, Any]:
        """Keyword arguments for transformers' ``from_pretrained``.

        Weights land on `device` at once; without accelerate, which quantised ones need anyway, on the CPU.
        """
        import torch

        options: dict[str, Any] = {"dtype": getattr(torch, self.computes_in)}
        if device != "cpu" and (self.is_quantised or find_spec("accelerate") is not None):
            options["device_map"] = {"": device}
        if self.is_quantised:
            from transformers import BitsAndBytesConfig

            # It says so at every multiplication that 8-bit weights are multiplied in float16; activations
            # between them stay in bfloat16 where the GPU has it, since float16 can overflow.
            logging.getLogger("bitsandbytes.autograd._functions").setLevel(logging.ERROR)
            options["quantization_config"] = (
                BitsAndBytesConfig(load_in_8bit=True)
                if self.name == "int8"
                else BitsAndBytesConfig(
                    load_in_4bit=True, bnb_4bit_quant_type="nf4", bnb_4bit_compute_dtype=options["dtype"]
                )
            )
        return options


def import_torch(for_what: str) -> Any:
    """Import torch, after making sure that transformers is there too.

    Raises
    ------
    MissingDependencyError
        If one of them is not installed.
    """
    missing = [package for package in ("torch", "transformers") if find_spec(package) is None]
    if missing:
        raise MissingDependencyError(
            f"{for_what} needs {' and '.join(missing)}, not installed here: pip install '.[qwen]' "
            "(or '.[gpu]' on a machine with an NVIDIA GPU)."
        )
    import torch

    return torch


def resolve_device(device: str | None) -> str:
    """The device to run on: the first GPU if there is one, else the CPU; or the one asked for.

    Raises
    ------
    InputError
        If torch knows no such device.
    EncoderUnavailableError
        If this machine does not have it.
    """
    torch = import_torch("Choosing a device")
    if device is None or device == "auto":
        return "cuda:0" if torch.cuda.is_available() else "cpu"
    try:
        parsed = torch.device(device)
    except (RuntimeError, TypeError):
        raise InputError(
            f"{device!r} is no device; use 'cpu', 'cuda', 'cuda:1' and so on, or None to choose by itself."
        ) from None
    if parsed.type == "cuda":
        n_gpus = torch.cuda.device_count() if torch.cuda.is_available() else 0
        index = parsed.index or 0
        if index >= n_gpus:
            raise EncoderUnavailableError(
                f"Device {device!r} is not here: torch {torch.__version__} sees "
                f"{n_gpus or 'no'} CUDA GPU{'s' * (n_gpus != 1)}. Use device='cpu', or check the driver with "
                "'nvidia-smi' and that torch was installed with CUDA."
            )
        return f"cuda:{index}"
    return str(parsed)


def resolve_precision(dtype: str, device: str) -> Precision:
    """The number format to load weights in.

    ``"auto"`` is bfloat16 on a GPU that has it, float16 on an older one, float32 on a CPU.

    Raises
    ------
    InputError
        If the format is unknown.
    EncoderUnavailableError
        If it needs a GPU and `device` is none.
    MissingDependencyError
        If it needs bitsandbytes, which is not installed.
    """
    name = _ALIASES.get(str(dtype).removeprefix("torch."), str(dtype).removeprefix("torch."))
    if name not in PRECISIONS:
        raise InputError(f"dtype {dtype!r} is unknown; use one of {', '.join(PRECISIONS)}.")
    if name in ("float32", "bfloat16", "float16"):
        return Precision(name, name)
    torch = import_torch("Choosing a precision")
    on_gpu = device.startswith("cuda")
    has_bfloat16 = on_gpu and torch.cuda.get_device_capability(device) >= _BFLOAT16_CAPABILITY
    half = "bfloat16" if has_bfloat16 else "float16"
    if name == "auto":
        name = half if on_gpu else "float32"
        return Precision(name, name)
    if not on_gpu:
        raise EncoderUnavailableError(
            f"dtype={name!r} runs on an NVIDIA GPU only, and the device is {device!r}; "
            "use dtype='float32' here, or a smaller model."
        )
    if find_spec("bitsandbytes") is None:
        raise MissingDependencyError(
            f"dtype={name!r} needs bitsandbytes, not installed here: pip install '.[gpu]'."
        )
    return Precision(name, half)
