"""Which model is this? Short hashes of the weights and the tokenizer of a checkpoint.

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

from workbench.errors import EncoderUnavailableError
from workbench.i18n import gettext as _

__all__ = ["config_digest", "files_digest", "tokenizer_digest", "weights_digest"]

# A tensor up to this size is hashed whole; of a larger one, 16 windows of 4 KiB, evenly spread with
# both ends. Reading the 8 GB of a 4B model would take longer than loading it; this reads 16 MB.
WHOLE_UP_TO = 1 << 20
WINDOWS = 16
WINDOW = 4096

_MOST_HEADER_BYTES = 100 << 20
# Keys of config.json that say who wrote the file, not what the model computes.
_NOT_IDENTITY = {
    "_name_or_path",
    "architectures",
    "dtype",
    "torch_dtype",
    "transformers_version",
    "use_cache",
}
_OLD_TOKENIZER_FILES = (
    "vocab.json",
    "merges.txt",
    "vocab.txt",
    "sentencepiece.bpe.model",
    "spiece.model",
)


def weights_digest(files: Iterable[Path]) -> str:
    """Hash of the tensors in safetensors files: names, types, shapes and sampled bytes.

    Training, fine-tuning, merging an adapter or converting to another number format changes nearly
    every number of a tensor and so the sampled bytes. A change of a few single numbers in a tensor
    above 1 MiB, such as one row of the token embeddings, can go unseen.

    Raises
    ------
    EncoderUnavailableError
        If a file is not a whole safetensors file.
    """
    # Sorted by tensor name, so that splitting a checkpoint into several files changes nothing.
    tensors = sorted(tensor for file in files for tensor in _tensors(file))
    digest = hashlib.sha256()
    for name, kind, shape, sample in tensors:
        digest.update(json.dumps([name, kind, shape, sample]).encode())
    return digest.hexdigest()[:16]


def config_digest(config: dict[str, Any]) -> str:
    """Hash of what a config.json says of the model, less who wrote it and in which number format."""
    kept = {key: value for key, value in config.items() if key not in _NOT_IDENTITY}
    return _short(json.dumps(kept, sort_keys=True).encode())


def tokenizer_digest(folder: Path) -> str:
    """Hash of the tokenizer's vocabulary: tokenizer.json, or the older files where it is not there."""
    modern = folder / "tokenizer.json"
    return files_digest(
        folder, [modern] if modern.is_file() else [folder / name for name in _OLD_TOKENIZER_FILES]
    )


def files_digest(folder: Path, files: Iterable[Path]) -> str:
    """Hash of small files and their places in `folder`; files that are not there are passed over."""
    found = [file for file in files if file.is_file()]
    return _short(b"\0".join(str(f.relative_to(folder)).encode() + b"\0" + f.read_bytes() for f in found))


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
    except (struct.error, ValueError) as error:
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
