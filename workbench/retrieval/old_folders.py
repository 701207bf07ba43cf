"""Knowledge bases in folders as they were first written: a manifest, rows as JSON Lines, vectors, an index.

They are only read here, once: :mod:`~workbench.retrieval.folder_store` then keeps them in its own way. The
vectors' file is the same.
"""

from __future__ import annotations

import hashlib
import json
import operator
import re
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from workbench.errors import StoreError
from workbench.i18n import gettext as _
from workbench.retrieval.approximate import IndexRecord
from workbench.retrieval.records import Records
from workbench.retrieval.rows_file import advice, checksum, damaged, explained
from workbench.retrieval.storage import State

__all__ = ["OldFolder", "is_one", "locked", "read", "remove"]

MANIFEST = "manifest.json"
LOCK = ".lock"
SCHEMA = "jd-resume-workbench/knowledge-base"
_FILES = re.compile(rf"rows-\d{{6,}}\.jsonl|index-\d{{6,}}-\d+\.faiss|\.{MANIFEST}\..*|\.index-.*|{LOCK}")
_STATE = ("encoder", "cleaning", "created", "changed", "revision", "generation", "vectors_crc32")
_COUNTS = ("n", "rows_bytes", "rows_crc32")


@dataclass(frozen=True)
class OldFolder:
    """What is in an old folder, besides its vectors.

    Attributes
    ----------
    state : State
    texts : list of str
    records : Records
    codes : bytes or None
        Of the index, as faiss writes them.
    """

    state: State
    texts: list[str]
    records: Records
    codes: bytes | None


def is_one(folder: Path) -> bool:
    """Whether a knowledge base lies in the folder as it was first written."""
    return (folder / MANIFEST).exists()


@contextmanager
def locked(folder: Path, seconds: float) -> Iterator[None]:
    """Keep an older workbench from writing.

    Raises
    ------
    StoreError
        If it does so for longer, or the folder cannot be written.
    """
    from filelock import FileLock, Timeout

    with explained(folder, "written"):
        try:
            with FileLock(folder / LOCK, timeout=seconds, mode=0o600):
                yield
        except Timeout:
            raise StoreError(
                _(
                    "Another process is writing to the knowledge base in {folder}; nothing was changed. Try "
                    "again when it has finished."
                ).format(folder=folder)
            ) from None


def read(folder: Path) -> OldFolder:
    """Read manifest, rows and index of a folder.

    Raises
    ------
    StoreError
        If the manifest is damaged or of another version, or the rows are missing or do not fit their
        checksum. An index that does not fit is left out; it can be built again.
    """
    path = folder / MANIFEST
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(manifest, dict) or manifest["schema"] != SCHEMA or manifest["schema_version"] != 1:
            raise ValueError(_("its 'schema' should be {schema}, version 1").format(schema=repr(SCHEMA)))
        index = manifest.get("index")
        file = str(index.pop("file")) if index else None
        record = IndexRecord(**index) if index else None
        state = State(**{name: manifest[name] for name in _STATE}, index=record)
        n, n_bytes, expected = map(operator.index, (manifest[name] for name in _COUNTS))
        kept = asdict(state)
        counts = n, n_bytes, state.dimension - 1, *(each for each in kept.values() if isinstance(each, int))
        if min(counts) < 0 or max(counts) >= 2**63:
            raise ValueError("a count is negative, or none that SQLite keeps")
        # As it will be kept: no NaN, no half characters, nothing nested without end.
        json.dumps(kept, ensure_ascii=False, allow_nan=False).encode()
        _named = state.encoder["name"], state.encoder["fingerprint"]
        rows_name = f"rows-{state.generation:06d}.jsonl"
    except (OSError, ValueError, TypeError, LookupError, AttributeError, RecursionError) as error:
        raise StoreError(
            _(
                "{path} cannot be read as the manifest of a knowledge base: {reason}. Put it back from a "
                "copy, or move the folder away and add the texts again."
            ).format(path=path, reason=error)
        ) from error
    rows = _rows(folder / rows_name, n_bytes, expected)
    texts, records = [row["text"] for row in rows], Records.of(row["metadata"] for row in rows)
    state = replace(state, texts_crc32=checksum(texts), metadata_crc32=checksum(records.kept))
    codes = None
    if record is not None and file is not None:
        # A manifest may name anything; an index is built anew where it is none.
        with suppress(OSError, ValueError):
            content = (folder / Path(file).name).read_bytes()
            codes = content if hashlib.sha256(content).hexdigest() == record.sha256 else None
    return OldFolder(state, texts, records, codes)


def remove(folder: Path) -> None:
    """Remove the files that :mod:`~workbench.retrieval.folder_store` does not need, the manifest last."""
    manifest = folder / MANIFEST
    with suppress(OSError):
        if SCHEMA.encode() in manifest.read_bytes():
            for path in [*filter(lambda path: _FILES.fullmatch(path.name), folder.iterdir()), manifest]:
                path.unlink(missing_ok=True)


def _rows(path: Path, n_bytes: int, expected: int) -> list[dict[str, Any]]:
    if not n_bytes:
        return []
    if not path.exists():
        raise StoreError(_("{path} is missing. {advice}").format(path=path, advice=advice()))
    with explained(path, "read"), path.open("rb") as file:
        lines = file.read(n_bytes)
    if zlib.crc32(lines) != expected:
        raise damaged(path, _("its checksum does not fit"))
    rows: list[dict[str, Any]] = json.loads(b"[" + lines.rstrip(b"\n").replace(b"\n", b",") + b"]")
    return rows
