"""What all results share: their values for JSON."""

from __future__ import annotations

import math
from collections.abc import Mapping, Set
from dataclasses import fields, is_dataclass
from datetime import date
from pathlib import PurePath
from typing import Any


class Result:
    """Base of the frozen dataclasses that hold results."""

    def to_dict(self) -> dict[str, Any]:
        """All fields, JSON-serialisable: NaN and infinities become None, frames a list of their rows."""
        return {field.name: plain(getattr(self, field.name)) for field in fields(self)}  # type: ignore[arg-type]


def plain(value: Any) -> Any:
    """A value as mappings, lists, strings, finite numbers, booleans and None only.

    Examples
    --------
    >>> plain({"shares": (0.5, float("nan")), "file": PurePath("a.csv")})
    {'shares': [0.5, None], 'file': 'a.csv'}
    """
    match value:
        case None | bool() | int() | str():
            return value
        case float():
            return float(value) if math.isfinite(value) else None
        case Mapping():
            return {str(key): plain(inner) for key, inner in value.items()}
        case list() | tuple() | Set():
            return [plain(inner) for inner in value]
        case PurePath() | date():
            return str(value)
    if hasattr(value, "to_records"):  # a DataFrame, without importing pandas for it
        return [plain(row) for row in value.to_dict(orient="records")]
    for convert in ("to_dict", "tolist"):  # results and Series; numpy's arrays and numbers
        if hasattr(value, convert):
            return plain(getattr(value, convert)())
    if is_dataclass(value):
        return {field.name: plain(getattr(value, field.name)) for field in fields(value)}
    raise TypeError(f"{type(value).__name__} has no form for JSON")
