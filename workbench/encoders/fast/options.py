"""Options that several encoders take, checked at the door: device, precision, numbers, instruction.

Importing this module does not import torch; its functions do.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from importlib.util import find_spec
from numbers import Integral
from typing import Any

from workbench.errors import EncoderUnavailableError, InputError, MissingDependencyError
from workbench.i18n import gettext as _
from workbench.i18n import listed, ngettext

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
# On two CPU cores batches of 1,024 tokens were fastest; a GPU needs many more to be busy.
TOKEN_BUDGET_CPU = 1024
TOKEN_BUDGET_GPU = 16384


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


def import_torch(for_what: str, *others: str) -> Any:
    """Import torch, after making sure that transformers and the others are there too.

    Raises
    ------
    MissingDependencyError
        If one of them is not installed.
    """
    missing = [package for package in ("torch", "transformers", *others) if find_spec(package) is None]
    if missing:
        raise MissingDependencyError(
            _(
                "{what} needs {packages}, not installed here: pip install '.[qwen]' (or '.[gpu]' on a "
                "machine with an NVIDIA GPU)."
            ).format(what=for_what, packages=_(" and ").join(missing).replace("_", "-"))
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
    torch = import_torch(_("Choosing a device"))
    if device is None or device == "auto":
        return "cuda:0" if torch.cuda.is_available() else "cpu"
    try:
        parsed = torch.device(device)
    except (RuntimeError, TypeError):
        raise InputError(
            _("{device} is no device; use 'cpu', 'cuda', 'cuda:1' and so on, or name none.").format(
                device=repr(device)
            )
        ) from None
    if parsed.type == "cuda":
        n_gpus = torch.cuda.device_count() if torch.cuda.is_available() else 0
        index = parsed.index or 0
        if index >= n_gpus:
            seen = ngettext("{n} CUDA GPU", "{n} CUDA GPUs", n_gpus).format(n=n_gpus)
            if not n_gpus:
                seen = _("no CUDA GPUs")
            raise EncoderUnavailableError(
                _(
                    "Device {device} is not here: torch {version} sees {gpus}. Use the device 'cpu', or "
                    "check the driver with 'nvidia-smi' and that torch was installed with CUDA."
                ).format(device=repr(device), version=torch.__version__, gpus=seen)
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
        raise InputError(
            _("dtype {dtype} is unknown; use one of {known}.").format(
                dtype=repr(dtype), known=listed(PRECISIONS)
            )
        )
    if name in ("float32", "bfloat16", "float16"):
        return Precision(name, name)
    torch = import_torch(_("Choosing a precision"))
    on_gpu = device.startswith("cuda")
    has_bfloat16 = on_gpu and torch.cuda.get_device_capability(device) >= _BFLOAT16_CAPABILITY
    half = "bfloat16" if has_bfloat16 else "float16"
    if name == "auto":
        name = half if on_gpu else "float32"
        return Precision(name, name)
    if not on_gpu:
        raise EncoderUnavailableError(
            _(
                "{dtype} runs on an NVIDIA GPU only, and the device is {device}; use float32 here, or a "
                "smaller model."
            ).format(dtype=repr(name), device=repr(device))
        )
    if find_spec("bitsandbytes") is None:
        raise MissingDependencyError(
            _("{dtype} needs bitsandbytes, not installed here: pip install '.[gpu]'.").format(
                dtype=repr(name)
            )
        )
    return Precision(name, half)


def checked_number(name: str, value: int | None, least: int, most: int, default: int) -> int:
    """A whole number from `least` to `most`; None stands for `default`.

    Raises
    ------
    InputError
        If `value` is anything else.

    Examples
    --------
    >>> checked_number("dimension", 9999, 32, 2560, 2560)
    Traceback (most recent call last):
        ...
    workbench.errors.InputError: dimension is 9999; this model takes 32 to 2560.
    """
    if value is None:
        return default
    if not _is_whole(value):
        raise InputError(
            _("{name} is {value}; it must be a whole number from {least} to {most}.").format(
                name=name, value=repr(value), least=least, most=most
            )
        )
    if not least <= value <= most:
        raise InputError(
            _("{name} is {value}; this model takes {least} to {most}.").format(
                name=name, value=value, least=least, most=most
            )
        )
    return int(value)


def checked_token_budget(value: int | None, device: str = "cpu") -> int:
    """Tokens of a batch: at least 1; None stands for the default of a device.

    Raises
    ------
    InputError
        If `value` is anything else.
    """
    if value is None:
        return TOKEN_BUDGET_CPU if device == "cpu" else TOKEN_BUDGET_GPU
    if not _is_whole(value) or value < 1:
        raise InputError(
            _("token_budget is {value}; it must be a whole number of at least 1.").format(value=repr(value))
        )
    return int(value)


def checked_instruction(value: str | None) -> str | None:
    """A task text without blanks around it, or None for no instruction.

    Raises
    ------
    InputError
        If `value` is blank or no text.
    """
    if value is None:
        return None
    if not isinstance(value, str) or not value.strip():
        raise InputError(
            _(
                "instruction is {value}; it must be a sentence that says what queries are looked up for, or "
                "be left out."
            ).format(value=repr(value))
        )
    return value.strip()


def instructed(instruction: str | None) -> str:
    r"""What stands before each query of a Qwen3-Embedding model; no blank comes after the colon.

    Examples
    --------
    >>> instructed("Find jobs") + "nurse", instructed(None) + "nurse"
    ('Instruct: Find jobs\nQuery:nurse', 'nurse')
    """
    return f"Instruct: {instruction}\nQuery:" if instruction is not None else ""


def _is_whole(value: object) -> bool:
    # bool is an Integral, and True would pass for 1
    return isinstance(value, Integral) and not isinstance(value, bool)
