"""The file of a map: a .npz of plain arrays, with the rest as JSON text in one of them. No pickle."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from workbench.atomic import replacing
from workbench.errors import InputError

__all__ = ["SCHEMA", "read_map", "write_map"]

SCHEMA = "jd-resume-workbench/skill-map"
SCHEMA_VERSION = 1
REQUIRED = ("coordinates", "mean", "anchors", "anchor_coordinates")

Arrays = Mapping[str, npt.NDArray[Any] | None]


def write_map(path: str | Path, *, arrays: Arrays, notes: Mapping[str, Any]) -> Path:
    """Write arrays (those that are not None) and JSON-serialisable notes.

    Raises
    ------
    InputError
        If the name does not end in .npz.
    StoreError
        If the file cannot be written; one that was there before is then still whole.
    """
    path = Path(path).expanduser()
    if path.suffix != ".npz":
        raise InputError(f"{path.name} must end in .npz, which is the format of a map.")
    text = json.dumps({"schema": SCHEMA, "schema_version": SCHEMA_VERSION, **notes}, ensure_ascii=False)
    there = {name: array for name, array in arrays.items() if array is not None}
    with replacing(path) as draft, draft.open("wb") as file:
        np.savez(file, notes=np.frombuffer(text.encode("utf-8"), dtype=np.uint8), **there)  # type: ignore[arg-type]
    return path


def read_map(path: str | Path) -> tuple[dict[str, npt.NDArray[Any]], dict[str, Any]]:
    """Read what :func:`write_map` wrote.

    Raises
    ------
    InputError
        If there is no such file, or it is damaged or no map.
    """
    path = Path(path).expanduser()
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
        notes = json.loads(arrays.pop("notes").tobytes())
    except FileNotFoundError:
        raise InputError(f"There is no map at {path}; fit one with fit_map() and save it there.") from None
    except (OSError, ValueError, KeyError, EOFError, TypeError, AttributeError, zipfile.BadZipFile) as error:
        raise InputError(f"{path} is no skill map, or is damaged ({error}); fit the map again.") from error
    if not isinstance(notes, dict) or notes.get("schema") != SCHEMA:
        raise InputError(f"{path} is not a skill map (its 'schema' should be {SCHEMA!r}).")
    if notes.get("schema_version") != SCHEMA_VERSION:
        raise InputError(
            f"{path} has map version {notes.get('schema_version')!r}, this workbench reads version "
            f"{SCHEMA_VERSION}; fit the map again, or install the workbench that wrote it."
        )
    if missing := [name for name in REQUIRED if name not in arrays]:
        raise InputError(f"{path} lacks a part of a map: {', '.join(missing)}; fit the map again.")
    return arrays, notes
