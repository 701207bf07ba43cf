"""Files that a browser sends: checked, and read by the readers of the knowledge base."""

from __future__ import annotations

import tempfile
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any

from workbench.errors import InputError, WorkbenchError
from workbench.panels.search_layout import UPLOAD_FORMATS
from workbench.retrieval.readers import read_file
from workbench.texts import tidy

__all__ = ["texts_in_upload"]


def texts_in_upload(name: str, content: bytes) -> dict[str, dict[str, Any]]:
    """The distinct texts of an uploaded file, tidy and each on one line, with their metadata.

    Raises
    ------
    InputError
        If the kind of file is not one of :data:`UPLOAD_FORMATS`, or it holds no text.
    WorkbenchError
        What the reader says, with the name that the user knows.
    """
    # Some browsers send a path; only its last part is a name.
    name = PurePosixPath(PureWindowsPath(name).name).name
    suffix = Path(name).suffix.lower()
    if suffix not in UPLOAD_FORMATS:
        raise InputError(f"{name} cannot be read; add one of {', '.join(UPLOAD_FORMATS)}.")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"upload{suffix}"
        path.write_bytes(content)
        try:
            found = read_file(path)
        except WorkbenchError as error:
            raise type(error)(str(error).replace(str(path), name).replace(path.name, name)) from error
    texts: dict[str, dict[str, Any]] = {}
    for text, record in zip(found.texts, found.records, strict=True):
        if line := tidy(text):
            texts.setdefault(line, {**record, "source": name})
    if not texts:
        raise InputError(f"{name} holds no text.")
    return texts
