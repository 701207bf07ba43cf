"""Bulk encoding: a Parquet file in, a folder with the same rows and a column of vectors out, in parts.

What is there is never encoded again. What a worker does is in :mod:`workbench.encoders.bulk_parts`, many
workers at once are in :mod:`workbench.encoders.on_ray`.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from workbench.atomic import only_writer, write_whole
from workbench.documents.tables import text_column_of
from workbench.encoders.base import Encoder, Role, fingerprint_of
from workbench.encoders.bulk_parts import VECTOR, Job, PartEncoder, opened, readable
from workbench.encoders.registry import load_encoder
from workbench.errors import EncoderMismatchError, InputError, StoreError
from workbench.i18n import gettext as _
from workbench.progress import progress_bar
from workbench.results import Result
from workbench.settings import get_settings

# By its first letter pandas and pyarrow, which read the folder, know that it is none of the parts.
MANIFEST = "_encoded.json"
# What of the settings a worker on another machine needs; see :mod:`workbench.settings`.
SETTINGS = ("WORKBENCH_MASK", "WORKBENCH_MODELS", "WORKBENCH_LANGUAGE")


@dataclass(frozen=True)
class BulkReport(Result):
    """What bulk encoding did, and what is in the folder now.

    Attributes
    ----------
    folder : str
    n_files, n_rows : int
        As many rows as the input has.
    n_encoded : int
        Rows of the files that this run wrote; the others were there.
    n_without_vector : int
        Rows that have no text, one that only says that there is none (``nan``), or one that is longer than
        any document.
    encoder, fingerprint : str
    """

    folder: str
    n_files: int
    n_rows: int
    n_encoded: int
    n_without_vector: int
    encoder: str
    fingerprint: str

    def lines(self) -> list[str]:
        """What there is to tell, in sentences."""
        said = [_("Rows: {n}, in {files} files of {folder}; {encoder}, {fingerprint}.")]
        if self.n_encoded < self.n_rows:
            said.append(_("Not encoded again, since they were there: {there}."))
        if self.n_without_vector:
            said.append(_("Without a vector, since their text is missing, or too long: {without}."))
        facts = {"n": self.n_rows, "files": self.n_files, "without": self.n_without_vector}
        counts = {name: f"{n:,}" for name, n in facts.items()} | {
            "there": f"{self.n_rows - self.n_encoded:,}"
        }
        return [each.format(**counts, **self.to_dict()) for each in said]


def encode_parquet(
    source: str | Path,
    folder: str | Path,
    encoder: str | Encoder | None = None,
    *,
    text_column: str | None = None,
    role: Role = "document",
    workers: int = 1,
    address: str | None = None,
    gpus: float | None = None,
    rows: int = 4096,
    progress: bool | None = None,
) -> BulkReport:
    """Encode the texts of a Parquet file, with one worker or, through Ray Data, with many.

    The folder gets files ``part-000000.parquet`` and so on, with all rows and columns of the input and one
    more, ``vector`` (a list of fixed size, float32, of unit length; null where a row has no text). Given
    again after an interruption, a killed worker or a power failure, it goes on with what is missing.

    Parameters
    ----------
    source : str or Path
        A Parquet file.
    folder : str or Path
        Where the parts go; with `address`, one that all machines see, as `source`.
    encoder : str or Encoder, optional
        As of :func:`~workbench.load_encoder`; the settings' by default. The embedding store is not used.
        With several workers an encoder itself must be one that can be pickled; a spec always can.
    text_column : str, optional
        Where it is not clear which column has the texts. They are tidied as a knowledge base does it.
    role : {"document", "query"}
        Which side of a match the texts are, for encoders whose queries carry an instruction.
    workers : int
        Processes with a model each; 1, without an address, needs no Ray.
    address : str, optional
        Of a Ray cluster, such as ``"host:6379"``; by default one is started here and ended afterwards.
    gpus : float, optional
        GPUs of a worker; by default 1 where the encoder runs on a GPU here, else none.
    rows : int
        Most rows of a file, which are in a worker's memory together, and are lost if it is killed.
    progress : bool, optional
        Show a progress bar; by default for long tasks.

    Raises
    ------
    InputError
        If the file cannot be read, or the folder was begun from another input or otherwise.
    EncoderMismatchError
        If the folder has another encoder's vectors.
    MissingDependencyError
        If Ray is needed and not installed.
    """
    for name, value in {"workers": workers, "rows": rows}.items():
        if value < 1:
            raise InputError(_("{name} is {value}; it must be at least 1.").format(name=name, value=value))
    loaded = load_encoder(encoder, store=False)
    spec = get_settings().encoder if encoder is None else encoder
    job, manifest = _job(
        Path(source), Path(folder), loaded.name if spec == "auto" else spec, loaded, role, text_column, rows
    )
    target = Path(job.folder)
    with only_writer(target / MANIFEST):
        _begin(target, manifest)
        missing = [place for place in range(len(job.parts)) if job.without_vector(place) is None]
        n_missing = sum(job.parts[place].n_rows for place in missing)
        with progress_bar(manifest["n_rows"], loaded.name, progress) as bar:
            bar.update(manifest["n_rows"] - n_missing)
            if workers == 1 and address is None:
                parts = PartEncoder(job)
                parts.encoder = loaded
                done: Iterator[int] = map(parts.encode, missing)
            else:
                from workbench.encoders.on_ray import encode_on_ray

                needed = float(loaded.device.startswith("cuda")) if gpus is None else gpus
                done = encode_on_ray(job, missing, workers=workers, address=address, gpus=needed)
            for n in done:
                bar.update(n)
    return BulkReport(
        folder=str(folder),
        n_files=len(job.parts),
        n_rows=manifest["n_rows"],
        n_encoded=n_missing,
        n_without_vector=sum(job.without_vector(place) or 0 for place in range(len(job.parts))),
        encoder=loaded.name,
        fingerprint=loaded.fingerprint,
    )


def _job(
    source: Path,
    folder: Path,
    spec: str | Encoder,
    encoder: Encoder,
    role: Role,
    text_column: str | None,
    rows: int,
) -> tuple[Job, dict[str, Any]]:
    with readable(str(source)):
        with source.open("rb") as content:
            digest = hashlib.file_digest(content, "sha256").hexdigest()
        file = opened(str(source))
        columns = [field.name for field in file.schema_arrow if is_text(field.type)]
        first = next(file.iter_batches(1000, columns=columns), None)
        values = [] if first is None else first.to_pylist()
    if VECTOR in file.schema_arrow.names:
        said = _("{file} has a column {name} already; rename it.")
        raise InputError(said.format(file=source.name, name=repr(VECTOR)))
    decides = {
        "input_sha256": digest,
        "text_column": text_column_of(source, columns, list(enumerate(values)), text_column),
        "role": role,
        "rows": rows,
        "fingerprint": encoder.fingerprint,
    }
    job = Job(
        source=str(source.absolute()),
        folder=str(folder.absolute()),
        encoder=spec,
        fingerprint=encoder.fingerprint,
        role=role,
        text_column=str(decides["text_column"]),
        rows=rows,
        key=fingerprint_of(decides),
        settings={name: os.environ[name] for name in SETTINGS if name in os.environ},
    )
    return job, {
        **decides,
        "key": job.key,
        "input": source.name,
        "n_rows": file.metadata.num_rows,
        "n_files": len(job.parts),
        "encoder": encoder.name,
        "dimension": encoder.dimension,
        "recipe": dict(encoder.recipe),
    }


def _begin(folder: Path, manifest: dict[str, Any]) -> None:
    """Write the manifest of a new folder; refuse one that was begun otherwise."""
    path = folder / MANIFEST
    if not path.exists():
        if next(folder.glob("[!.]*"), None):
            said = _("{folder} holds other files; choose a new folder, or an empty one.")
            raise InputError(said.format(folder=folder))
        write_whole(path, json.dumps(manifest, ensure_ascii=False, indent=2) + "\n")
        return
    try:
        found = json.loads(path.read_bytes())
        encoders = [f"{each['encoder']} [{each['fingerprint']}]" for each in (found, manifest)]
        is_same = found["key"] == manifest["key"]
    except (ValueError, KeyError, TypeError) as error:
        raise StoreError(_("{file} is damaged; choose another folder.").format(file=path)) from error
    if found["fingerprint"] != manifest["fingerprint"]:
        said = _("{folder} holds vectors of {theirs}, not of {ours}; choose another folder.")
        raise EncoderMismatchError(said.format(folder=folder, theirs=encoders[0], ours=encoders[1]))
    if not is_same:
        said = _(
            "{folder} was begun with another input, text column, role or number of rows a file; choose "
            "another folder, or say all as it was then."
        )
        raise InputError(said.format(folder=folder))


def is_text(kind: Any) -> bool:
    """Whether a type of pyarrow's is one of texts."""
    import pyarrow as pa

    kind = kind.value_type if pa.types.is_dictionary(kind) else kind
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind))
