"""Options that several encoders take, checked when the encoder is made and not when it first runs."""

from __future__ import annotations

from numbers import Integral

from workbench.errors import InputError

__all__ = ["checked_instruction", "checked_number", "checked_token_budget"]

# On two CPU cores batches of 1,024 tokens were fastest; a GPU needs many more to be busy.
TOKEN_BUDGET_CPU = 1024
TOKEN_BUDGET_GPU = 16384


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
    # bool is an Integral, and True would pass for 1
    if isinstance(value, bool) or not isinstance(value, Integral):
        raise InputError(f"{name} is {value!r}; it must be a whole number from {least} to {most}.")
    if not least <= value <= most:
        raise InputError(f"{name} is {value}; this model takes {least} to {most}.")
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
    if isinstance(value, bool) or not isinstance(value, Integral) or value < 1:
        raise InputError(f"token_budget is {value!r}; it must be a whole number of at least 1.")
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
            f"instruction is {value!r}; it must be a sentence that says what queries are looked up for, or "
            "None for none."
        )
    return value.strip()
