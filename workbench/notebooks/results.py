"""The named results that a notebook leaves behind: one JSON object, written whole.

Values are turned into plain JSON on the way; what has no faithful JSON form is refused, not rounded off.
"""

from __future__ import annotations

import dataclasses
import json
import math
import os
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

from workbench.atomic import write_whole
from workbench.errors import InputError

__all__ = ["read_results", "save_results"]


def save_results(path: str | Path | None, /, **results: Any) -> None:
    """Write named results as a JSON object.

    numpy scalars and arrays become numbers and lists, a pandas frame a list of rows, a series a
    list; dates become ISO strings, paths strings, NaN and missing values null; an object with
    ``to_dict()`` and a dataclass become objects.

    Parameters
    ----------
    path : str, Path or None
        Nothing is written where it is empty or None: a notebook that is worked through by hand
        leaves no file.
    **results
        What to keep, by name.

    Raises
    ------
    InputError
        If a value has no JSON form (with its name): an object of another class, an infinite number.
    StoreError
        If the file cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> import numpy as np
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     save_results(f"{folder}/run.json", n=np.int64(8), scores=np.array([0.5, 0.25]))
    ...     read_results(f"{folder}/run.json")
    {'n': 8, 'scores': [0.5, 0.25]}
    """
    # A path from a notebook's parameter cell is "" unless somebody asks for the file.
    if path is None or not os.fspath(path):
        return
    plain = {name: _plain(value, name) for name, value in results.items()}
    write_whole(path, json.dumps(plain, ensure_ascii=False, indent=2, allow_nan=False) + "\n")


def read_results(path: str | Path) -> dict[str, Any]:
    """Read what :func:`save_results` wrote.

    Raises
    ------
    InputError
        If there is no such file, or it holds no JSON object.
    """
    try:
        results = json.loads(Path(path).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InputError(f"There are no results at {path}; run the notebook first.") from None
    except (OSError, ValueError) as error:
        raise InputError(f"{path} cannot be read as results: {error}") from error
    if not isinstance(results, dict):
        raise InputError(f"{path} holds no named results (a JSON object), but a {type(results).__name__}.")
    return results


def _plain(value: Any, name: str) -> Any:
    import numpy as np
    import pandas as pd

    match value:
        case None | bool() | str():
            return value
        case np.bool_() | np.number():
            return _plain(value.item(), name)
        case int():
            return value
        case float():
            return _finite(value, name)
        case Mapping():
            return {str(key): _plain(inner, f"{name}[{key!r}]") for key, inner in value.items()}
        case pd.DataFrame():
            # to_dict keeps numbers as they are; pandas' own to_json would round them to 10 digits.
            return _plain(value.to_dict(orient="records"), name)
        case list() | tuple() | set() | frozenset() | np.ndarray() | pd.Series() | pd.Index():
            return [_plain(inner, f"{name}[{place}]") for place, inner in enumerate(value)]
        case date():
            return None if value is pd.NaT else value.isoformat()
        case os.PathLike():
            return os.fspath(value)
    if value is pd.NA:
        return None
    if callable(getattr(value, "to_dict", None)):
        return _plain(value.to_dict(), name)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return _plain(dataclasses.asdict(value), name)
    raise InputError(
        f"The result {name} is of type {type(value).__name__}, which has no JSON form; "
        "save its numbers or texts instead."
    )


def _finite(value: float, name: str) -> float | None:
    if math.isinf(value):
        raise InputError(
            f"The result {name} is infinite, which JSON cannot say; save None or a finite number."
        )
    return None if math.isnan(value) else value
