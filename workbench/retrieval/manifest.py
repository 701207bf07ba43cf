"""The manifest of a knowledge base on disk: which encoder, how many rows, which files."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from workbench.atomic import write_whole
from workbench.encoders.base import Encoder
from workbench.errors import StoreError
from workbench.retrieval.index_record import IndexRecord
from workbench.texts import cleaning_recipe

__all__ = ["MANIFEST", "Manifest", "encoder_entry", "now"]

MANIFEST = "manifest.json"
SCHEMA = "jd-resume-workbench/knowledge-base"
SCHEMA_VERSION = 1


def now() -> str:
    """The time in UTC, ISO 8601."""
    return datetime.now(UTC).isoformat(timespec="seconds")


@dataclass(frozen=True)
class Manifest:
    """What is in the folder; replaced as a whole.

    Attributes
    ----------
    encoder : mapping
        See :func:`encoder_entry`.
    cleaning : mapping
        How the texts were cleaned (:func:`~workbench.texts.cleaning_recipe`).
    created, changed : str
        UTC, ISO 8601.
    revision : int
        Rises with every change.
    generation : int
        Number in the names of the two files; within one, row numbers stay what they are.
    n, rows_bytes : int
        How many rows count, and how many bytes of the rows file they take.
    rows_crc32, vectors_crc32 : int
        Checksums (CRC-32) over the rows and vectors that count, against accidental damage.
    index : IndexRecord or None
        The approximate index over rows of this generation, if one was built.
    """

    encoder: Mapping[str, Any]
    cleaning: Mapping[str, Any] = field(default_factory=cleaning_recipe)
    created: str = field(default_factory=now)
    changed: str = field(default_factory=now)
    revision: int = 0
    generation: int = 1
    n: int = 0
    rows_bytes: int = 0
    rows_crc32: int = 0
    vectors_crc32: int = 0
    index: IndexRecord | None = None

    @property
    def dimension(self) -> int:
        return int(self.encoder["dimension"])

    @property
    def rows_name(self) -> str:
        return f"rows-{self.generation:06d}.jsonl"

    @property
    def vectors_name(self) -> str:
        return f"vectors-{self.generation:06d}.npy"

    def write(self, folder: Path) -> None:
        """Put this manifest in the place of the one in the folder, at once."""
        content = {"schema": SCHEMA, "schema_version": SCHEMA_VERSION, **asdict(self)}
        if self.index is None:
            del content["index"]
        text = json.dumps(content, ensure_ascii=False, indent=2, allow_nan=False)
        write_whole(folder / MANIFEST, text + "\n")

    @classmethod
    def read(cls, folder: Path) -> Manifest:
        """Read the manifest of a folder.

        Raises
        ------
        StoreError
            If it is not there, is damaged, or has an unknown schema version.
        """
        path = folder / MANIFEST
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
            if not isinstance(content, dict) or content.pop("schema", None) != SCHEMA:
                raise ValueError(f"its 'schema' should be {SCHEMA!r}")
            version = content.pop("schema_version", None)
            index = content.pop("index", None)
            known = None if index is None else IndexRecord.from_dict(index)
            manifest = cls(**content, index=known) if version == SCHEMA_VERSION else None
            if manifest:
                _ = manifest.rows_name, manifest.encoder["name"], manifest.encoder["fingerprint"]
                if min(manifest.n, manifest.rows_bytes, manifest.dimension - 1) < 0:
                    raise ValueError("a count is negative")
        except (FileNotFoundError, NotADirectoryError):
            raise StoreError(
                f"There is no knowledge base in {folder} ({path.name} is missing): check the path, or make "
                "one with KnowledgeBase.open or 'workbench kb add'."
            ) from None
        except (OSError, ValueError, TypeError, KeyError) as error:
            raise StoreError(
                f"{path} cannot be read as the manifest of a knowledge base: {error}. Put it back from a "
                "copy, or move the folder away and add the texts again."
            ) from error
        if manifest is None:
            raise StoreError(
                f"{path} has version {version!r}, this workbench reads version {SCHEMA_VERSION}: export the "
                "texts with the workbench that wrote it, and add them to a new knowledge base."
            )
        return manifest


def encoder_entry(encoder: Encoder, spec: str | None = None) -> dict[str, Any]:
    """What a manifest says of an encoder.

    Parameters
    ----------
    encoder : Encoder
    spec : str, optional
        What :func:`workbench.load_encoder` takes to load it again; by default the encoder's name.
    """
    return {
        "name": encoder.name,
        "spec": spec or encoder.name,
        "dimension": encoder.dimension,
        "fingerprint": encoder.fingerprint,
        "recipe": dict(encoder.recipe),
    }
