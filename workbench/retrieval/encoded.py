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


def is_encoded(path: object) -> bool:
    """Whether it is a folder that bulk encoding made."""
    return isinstance(path, str | Path) and (Path(path) / MANIFEST).is_file()


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

    with readable(str(folder / MANIFEST)):
        manifest = json.loads((folder / MANIFEST).read_bytes())
        by, n_files = f"{manifest['encoder']} [{manifest['fingerprint']}]", int(manifest["n_files"])
        column, fits = manifest["text_column"], manifest["role"] == "document"
    if not fits or manifest["fingerprint"] != encoder.fingerprint:
        said = _("{folder} holds vectors of {role} by {theirs}, not of documents by {ours}.")
        ours = f"{encoder.name} [{encoder.fingerprint}]"
        raise InputError(said.format(folder=folder, role=manifest["role"], theirs=by, ours=ours))
    paths, files = sorted(folder.glob("part-*.parquet")), []
    if len(paths) != n_files:
        said = _("{n} of {total} files of {folder} are there; encode it to the end first.")
        raise InputError(said.format(n=len(paths), total=n_files, folder=folder))
    for path in paths:
        with readable(str(path)):
            table = pq.read_table(path)
            table = table.filter(table[VECTOR].is_valid())
            # An extension type may run code when its values become Python's.
            kept = [
                each.name for each in table.schema if is_text(each.type) or pa.types.is_primitive(each.type)
            ]
            rows = table.select(kept).to_pylist()
            texts = [tidy_lines(row.pop(column)) for row in rows]
            vectors = table[VECTOR].combine_chunks().flatten().to_numpy().reshape(len(rows), -1)
            if isinstance(encoder, StoredEncoder):
                encoder.store.put(encoder.fingerprint, "document", texts, vectors, name=encoder.name)
            files.append(FileTexts(path.name, texts, records_from(rows, len(rows))))
    return FilesRead(tuple(files))
