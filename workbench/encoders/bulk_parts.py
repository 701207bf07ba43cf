"""What a worker of bulk encoding does: read a part of a Parquet file, encode it, write it with its vectors.

A part is a run of rows of one row group. Its file is whole, or not there at all.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from workbench.atomic import replacing
from workbench.encoders.base import Encoder, Role
from workbench.encoders.registry import load_encoder
from workbench.errors import EncoderMismatchError, InputError, WorkbenchError
from workbench.i18n import gettext as _
from workbench.text_encoder import whole_vectors
from workbench.texts import says_missing, tidy_lines, too_long

VECTOR = "vector"
# In the metadata of each part.
KEY = b"workbench"
# Bytes of a column that are read at a time; by itself pyarrow reads a row group's at once.
BUFFER = 2**20


class Part(NamedTuple):
    """A run of rows: of which row group, the how many-th there, and how many rows."""

    group: int
    run: int
    n_rows: int


@dataclass(frozen=True)
class Job:
    """All that a worker needs; `encoder` is one or its spec, `key` says what decides what is in the files."""

    source: str
    folder: str
    encoder: str | Encoder
    fingerprint: str
    role: Role
    text_column: str
    rows: int
    key: str
    settings: Mapping[str, str]

    @cached_property
    def parts(self) -> list[Part]:
        """In the order of the input."""
        about = opened(self.source).metadata
        return [
            Part(group, run, min(self.rows, about.row_group(group).num_rows - start))
            for group in range(about.num_row_groups)
            for run, start in enumerate(range(0, about.row_group(group).num_rows, self.rows))
        ]

    def path(self, place: int) -> Path:
        """Of a part's file."""
        return Path(self.folder) / f"part-{place:06}.parquet"

    def without_vector(self, place: int) -> int | None:
        """How many rows of a part have no vector; None if its file is not there, damaged or another job's."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        try:
            found = pq.read_metadata(self.path(place))
            said = json.loads(found.metadata[KEY])
            same = said["job"] == self.key and found.num_rows == self.parts[place].n_rows
            return int(said["without_vector"]) if same else None
        except (OSError, pa.ArrowException, KeyError, TypeError, ValueError):
            return None


class PartEncoder:
    """Encodes one part after another with one model; it keeps its place in the file."""

    def __init__(self, job: Job) -> None:
        self.job = job
        self._batches: Iterator[Any] = iter(())
        self._group = self._next = -1

    @cached_property
    def encoder(self) -> Encoder:
        """Loaded when it is first needed."""
        os.environ.update(self.job.settings)
        encoder = load_encoder(self.job.encoder, store=False)
        if encoder.fingerprint != self.job.fingerprint:
            said = _("A worker loads {name} as {found}, not as {wanted}; give all machines the same weights.")
            found, wanted = encoder.fingerprint, self.job.fingerprint
            raise EncoderMismatchError(said.format(name=encoder.name, found=found, wanted=wanted))
        return encoder

    def encode(self, place: int) -> int:
        """Write one part, unless it is there; how many rows it has."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        job, part = self.job, self.job.parts[place]
        if job.without_vector(place) is None:
            batch = self._read(part)
            vectors = self._vectors(batch.column(job.text_column))
            table = pa.Table.from_batches([batch]).append_column(VECTOR, vectors)
            said = {"job": job.key, "fingerprint": job.fingerprint, "role": job.role}
            said |= {"without_vector": vectors.null_count}
            table = table.replace_schema_metadata({**(table.schema.metadata or {}), KEY: json.dumps(said)})
            with replacing(job.path(place)) as draft:
                # Vectors hardly repeat a number: looking for those that do takes most of the time.
                pq.write_table(table, draft, use_dictionary=table.column_names[:-1])
        return part.n_rows

    def _read(self, part: Part) -> Any:
        with readable(self.job.source):
            # Further runs of the same row group are read on from where the last one ended.
            if part.group != self._group or part.run < self._next:
                file = opened(self.job.source)
                self._batches = file.iter_batches(self.job.rows, row_groups=[part.group], use_threads=False)
                self._group, self._next = part.group, 0
            while self._next <= part.run:
                batch = next(self._batches)
                self._next += 1
        if batch.num_rows != part.n_rows:
            raise InputError(_("{file} has changed meanwhile.").format(file=Path(self.job.source).name))
        return batch

    def _vectors(self, column: Any) -> Any:
        import pyarrow as pa

        encoder = self.encoder
        with readable(self.job.source):
            given: list[str] = [text or "" for text in column.to_pylist()]
        texts = ["" if too_long(text) else tidy_lines(text) for text in given]
        kept = np.array([bool(text) and not says_missing(text) for text in texts])
        vectors = np.zeros((len(texts), encoder.dimension), dtype=np.float32)
        if kept.any():
            run = encoder.encode_queries if self.job.role == "query" else encoder.encode_documents
            wanted = [text for text, is_kept in zip(texts, kept, strict=True) if is_kept]
            vectors[kept] = whole_vectors(run, wanted, encoder, progress=False)
        numbers = pa.array(vectors.ravel())
        return pa.FixedSizeListArray.from_arrays(numbers, encoder.dimension, mask=pa.array(~kept))


def opened(path: str) -> Any:
    """A Parquet file, read as a stream."""
    import pyarrow.parquet as pq

    return pq.ParquetFile(path, buffer_size=BUFFER)


@contextmanager
def readable(path: str) -> Iterator[None]:
    """What goes wrong with a file inside, as a sentence that repeats nothing of it."""
    try:
        yield
    except WorkbenchError:
        raise
    # Errors of pyarrow are such, too.
    except (
        OSError,
        ValueError,
        LookupError,
        TypeError,
        AttributeError,
        StopIteration,
        NotImplementedError,
    ) as error:
        reason = getattr(error, "strerror", None) or type(error).__name__
        said = _("{file} is damaged, or not what it should be ({error}).")
        raise InputError(said.format(file=Path(path).name, error=reason)) from error
