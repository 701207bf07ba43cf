"""Which model is this? Short hashes of the weights of a checkpoint, and of the other files it is read from.

A fingerprint must change when the weights do, and must not change when the same weights lie in
another folder, in one file or in several. So it is taken from the tensors, not from names or dates.
"""

from __future__ import annotations

import hashlib
import json
import struct
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, BinaryIO

from workbench.encoders.fast.checkpoints import read_json, weight_files
from workbench.errors import EncoderUnavailableError
from workbench.i18n import gettext as _

# A tensor up to this size is hashed whole; of a larger one, 16 windows of 4 KiB, evenly spread with
# both ends. Reading the 8 GB of a 4B model would take longer than loading it; this reads 16 MB.
WHOLE_UP_TO = 1 << 20
WINDOWS = 16
WINDOW = 4096

_MOST_HEADER_BYTES = 100 << 20
# Keys of these configurations that say who wrote the file, not what the model computes.
_CONFIGURATIONS = ("config.json", "config_sentence_transformers.json")
_NOT_IDENTITY = {
    "__version__",
    "_name_or_path",
    "architectures",
    "dtype",
    "torch_dtype",
    "transformers_version",
    "use_cache",
}
# Modules, configurations, tokenizers and their vocabularies, prompts.
_SETTINGS = frozenset({".json", ".txt", ".model", ".jinja"})
# In how many files the weights lie, how text is generated, and what the ModelScope hub notes of a model.
_NOT_SETTINGS = frozenset({"model.safetensors.index.json", "generation_config.json", "configuration.json"})


def weights_digest(folder: Path, folders: Iterable[Path] = ()) -> str:
    """Hash of a checkpoint's tensors: their modules, names, types, shapes and sampled bytes.

    Training, fine-tuning, merging an adapter or converting to another number format changes nearly
    every number of a tensor and so the sampled bytes. A change of a few single numbers in a tensor
    above 1 MiB, such as one row of the token embeddings, can go unseen.

    Parameters
    ----------
    folder : Path
    folders : iterable of Path
        Those that its modules are loaded from; by default itself.

    Raises
    ------
    EncoderUnavailableError
        If a file is not a whole safetensors file.
    """
    # Sorted by tensor name, so that splitting a checkpoint into several files changes nothing.
    tensors = sorted(
        (each.relative_to(folder).as_posix(), *tensor)
        for each in folders or [folder]
        for file in weight_files(each)
        for tensor in _tensors(file)
    )
    return _short(json.dumps(tensors).encode())


def settings_digest(folder: Path, folders: Iterable[Path] = ()) -> str:
    """Hash of the other files that a checkpoint is read from: modules, configurations, tokenizers.

    It covers each such file in `folder` and in those that its modules are loaded from, with its place.
    """
    found = sorted(
        file
        for each in {folder, *folders}
        for file in each.glob("*")  # of modules without settings there is no folder
        if file.suffix in _SETTINGS and file.name not in _NOT_SETTINGS and file.is_file()
    )
    said = [(file.relative_to(folder).as_posix(), _short(_said_in(file))) for file in found]
    return _short(json.dumps(said).encode())


def _said_in(file: Path) -> bytes:
    if file.name not in _CONFIGURATIONS:
        return file.read_bytes()
    kept = {key: value for key, value in read_json(file).items() if key not in _NOT_IDENTITY}
    return json.dumps(kept, sort_keys=True).encode()


def _tensors(path: Path) -> Iterator[tuple[str, str, list[int], str]]:
    with path.open("rb") as file:
        header, start = _header(path, file)
        size = path.stat().st_size
        for name, entry in header.items():
            if name == "__metadata__":
                continue
            first, end = entry["data_offsets"]
            if start + end > size:
                raise EncoderUnavailableError(
                    _(
                        "{file} is cut off: tensor {tensor} ends at byte {end} of {size}. Download it again."
                    ).format(file=path, tensor=repr(name), end=f"{start + end:,}", size=f"{size:,}")
                )
            yield name, entry["dtype"], entry["shape"], _sample(file, start + first, end - first)


def _header(path: Path, file: BinaryIO) -> tuple[dict[str, Any], int]:
    prefix = file.read(8)
    if prefix.startswith(b"version "):
        raise EncoderUnavailableError(
            _("{file} is a Git LFS pointer, not the weights; fetch them with 'git lfs pull'.").format(
                file=path
            )
        )
    try:
        (length,) = struct.unpack("<Q", prefix)
        if length > _MOST_HEADER_BYTES:
            raise ValueError(_("a header of {n} bytes").format(n=f"{length:,}"))
        header = json.loads(file.read(length))
        if not isinstance(header, dict):
            raise ValueError(_("a header that is no JSON object"))
    except (struct.error, ValueError, RecursionError) as error:
        raise EncoderUnavailableError(
            _("{file} is not a whole safetensors file ({reason}); download it again.").format(
                file=path, reason=error
            )
        ) from error
    return header, 8 + length


def _sample(file: BinaryIO, start: int, size: int) -> str:
    digest = hashlib.sha256()
    if size <= WHOLE_UP_TO:
        file.seek(start)
        digest.update(file.read(size))
    else:
        for window in range(WINDOWS):
            file.seek(start + (size - WINDOW) * window // (WINDOWS - 1))
            digest.update(file.read(WINDOW))
    return digest.hexdigest()[:16]


def _short(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:16]
