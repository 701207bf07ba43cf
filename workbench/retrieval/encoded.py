"""Folders of :func:`workbench.encode_parquet` for a knowledge base, which takes their vectors as they are."""

from __future__ import annotations

import json
from pathlib import Path

from workbench.encoders import Encoder, StoredEncoder
from workbench.encoders.bulk import MANIFEST, is_text
from workbench.encoders.bulk_parts import VECTOR, readable
from workbench.errors import InputError
from workbench.i18n import gettext as _
from workbench.retrieval.records import FilesRead, FileTexts, records_from
from workbench.texts import tidy_lines

__all__ = ["read_encoded", "spec_of"]


def spec_of(path: object) -> str | None:
    """The spec of the encoder of a folder that bulk encoding made; None if it is none."""
    try:
        return str(json.loads((Path(path) / MANIFEST).read_bytes())["spec"])  # type: ignore[arg-type]
    except (OSError, ValueError, KeyError, TypeError):
        return None


def read_encoded(folder: Path, encoder: Encoder) -> FilesRead:
    """The texts of a folder and their other columns; their vectors go where `encoder` looks for them.

    Rows without a vector are left out, and columns of lists and what else is no plain value.

    Raises
    ------
    InputError
        If a file is missing or damaged, or the vectors are of another encoder, or of queries.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    manifest = json.loads((folder / MANIFEST).read_bytes())
    paths = sorted(folder.glob("part-*.parquet"))
    if len(paths) != manifest["n_files"]:
        said = _("{n} of {total} files of {folder} are there; encode it to the end first.")
        raise InputError(said.format(n=len(paths), total=manifest["n_files"], folder=folder))
    if (manifest["fingerprint"], manifest["role"]) != (encoder.fingerprint, "document"):
        said = _("{folder} does not hold vectors of documents by {encoder}.")
        raise InputError(said.format(folder=folder, encoder=f"{encoder.name} [{encoder.fingerprint}]"))
    files = []
    for path in paths:
        with readable(str(path)):
            table = pq.read_table(path)
            table = table.filter(table[VECTOR].is_valid())
            # An extension type may run code when its values become Python's.
            plain = [
                each.name for each in table.schema if is_text(each.type) or pa.types.is_primitive(each.type)
            ]
            rows = table.select(plain).to_pylist()
            vectors = table[VECTOR].combine_chunks().flatten().to_numpy().reshape(len(rows), -1)
        texts = [tidy_lines(row.pop(manifest["text_column"])) for row in rows]
        if isinstance(encoder, StoredEncoder):
            encoder.store.put(encoder.fingerprint, "document", texts, vectors, name=encoder.name)
        files.append(FileTexts(path.name, texts, records_from(rows, len(rows))))
    return FilesRead(tuple(files))
