"""What all results share: their values for JSON."""

from __future__ import annotations

import math
from collections.abc import Mapping, Set
from dataclasses import fields, is_dataclass
from datetime import date
from pathlib import PurePath
from typing import Any

from workbench.errors import InputError
from workbench.i18n import gettext as _


class Result:
    """Base of the frozen dataclasses that hold results."""

    def to_dict(self) -> dict[str, Any]:
        """All fields, JSON-serialisable: NaN and infinities become None, frames a list of their rows."""
        return {field.name: plain(getattr(self, field.name)) for field in fields(self)}  # type: ignore[arg-type]


def plain(value: Any, name: str = "") -> Any:
    """A value as mappings, lists, strings, finite numbers, booleans and None only; what is missing is None.

    Raises
    ------
    InputError
        With a `name`: if it has no such form, or is infinite, which without one becomes None too.

    Examples
    --------
    >>> plain({"shares": (0.5, float("nan")), "file": PurePath("a.csv")})
    {'shares': [0.5, None], 'file': 'a.csv'}
    """
    match value:
        case None | bool() | int() | str():
            return value
        case float():
            if name and math.isinf(value):
                said = _(
                    "The result {name} is infinite, which JSON cannot say; save None or a finite number."
                )
                raise InputError(said.format(name=name))
            return float(value) if math.isfinite(value) else None
        case Mapping():
            return {str(key): plain(inner, name and f"{name}[{key!r}]") for key, inner in value.items()}
        case list() | tuple() | Set():
            return [plain(inner, name and f"{name}[{place}]") for place, inner in enumerate(value)]
        case PurePath():
            return str(value)
        case date():  # pandas' NaT is one that is not equal to itself
            return value.isoformat() if value == value else None
    if hasattr(value, "to_records") and hasattr(value, "columns"):  # a frame; pandas need not be imported
        return plain(value.to_dict(orient="records"), name)
    for convert in ("tolist", "to_dict"):  # of numpy's arrays and numbers, and of Series; of results
        if hasattr(value, convert):
            return plain(getattr(value, convert)(), name)
    if is_dataclass(value) and not isinstance(value, type):
        values = {field.name: getattr(value, field.name) for field in fields(value)}
        return plain(values, name)
    if type(value).__name__ == "NAType":  # pandas' NA
        return None
    if name:
        said = _(
            "The result {name} is of type {type}, which has no JSON form; save its numbers or texts instead."
        )
        raise InputError(said.format(name=name, type=type(value).__name__))
    raise TypeError(f"{type(value).__name__} has no form for JSON")
