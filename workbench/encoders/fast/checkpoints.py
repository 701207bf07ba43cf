"""Where model checkpoints are found: a folder, the models folder, the Hugging Face cache, the hub.

Only safetensors are accepted, since the other formats are pickles, which run code when they are
opened. What is inside a checkpoint is read by the encoders.
"""

from __future__ import annotations

import json
import os
import re
import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from workbench.errors import EncoderUnavailableError
from workbench.i18n import gettext as _
from workbench.settings import get_settings

# Seconds to wait for the hub's first answer; without a network nobody should wait for minutes.
HUB_TIMEOUT = 5.0
# Weights below this size load in a second or two, and a progress bar would be noise.
BAR_FROM_BYTES = 1_000_000_000
_WANTED = ["*.json", "*.safetensors", "*.txt", "*.model", "*.jinja"]
_PICKLES = frozenset({".bin", ".pt", ".pth", ".ckpt", ".pkl", ".pickle"})
_COMMIT = re.compile(r"[0-9a-f]{40}")
_UNWANTED = ["onnx/*", "openvino/*", "*.onnx", "flax*", "tf_*"]


@dataclass(frozen=True)
class Module:
    """One module of a sentence-transformers checkpoint: its class's name, and its folder."""

    kind: str
    folder: Path


def is_hub_id(source: str) -> bool:
    """Whether `source` has the form ``owner/name`` and is no folder here.

    Examples
    --------
    >>> is_hub_id("Qwen/Qwen3-Embedding-4B"), is_hub_id("/models/Qwen3"), is_hub_id("./a/b")
    (True, False, False)
    """
    parts = source.split("/")
    return len(parts) == 2 and all(parts) and parts[0] not in (".", "..", "~") and not Path(source).exists()


def short_name(source: str) -> str:
    """What people call a checkpoint: the last part of its folder or hub id, without the commit.

    Examples
    --------
    >>> short_name("BAAI/bge-small-zh-v1.5@7999e1d3359715c523056ef9478215996d62a620")
    'bge-small-zh-v1.5'
    """
    name, _at, commit = Path(source).name.rpartition("@")
    return name if name and _COMMIT.fullmatch(commit) else Path(source).name


def find_checkpoint(hub_id: str, commit: str | None = None) -> Path | None:
    """The folder on this machine that holds a whole checkpoint of a hub model; no network.

    Looks in the models folder (``WORKBENCH_MODELS``), then in the Hugging Face cache; with a commit only
    in the cache, which knows of what commit its files are.
    """
    for folder in _places(hub_id, commit):
        if folder.is_dir() and _flaw(folder) is None:
            return folder
    return None


def get_checkpoint(source: str, *, size: str = "", commit: str | None = None) -> Path:
    """The folder of a checkpoint, downloaded from the hub if it is nowhere here.

    Parameters
    ----------
    source : str
        A folder, or a hub id such as ``"Qwen/Qwen3-Embedding-4B"``; ``"owner/name@commit"`` takes the
        files of that commit and no others.
    size : str
        What to say about the size of the download, such as ``"8.0 GB"``.
    commit : str, optional
        The commit to download, where no checkpoint of that name is here.

    Raises
    ------
    EncoderUnavailableError
        If the folder does not exist, has no safetensors or is incomplete, or the hub cannot be
        reached (it says where was looked and how to download), or what came is not what the hub lists.
    """
    if not is_hub_id(source):
        folder = Path(source).expanduser()
        if not folder.is_dir():
            raise EncoderUnavailableError(
                _(
                    "There is no folder {folder}. Give the folder of a checkpoint (with config.json and "
                    "model.safetensors), or a hub id such as 'Qwen/Qwen3-Embedding-0.6B'."
                ).format(folder=repr(source))
            )
        return _usable(folder, source)
    hub_id, at, asked = source.partition("@")
    if at and not _COMMIT.fullmatch(asked):
        raise EncoderUnavailableError(
            _(
                "{commit} is no commit of {hub_id}: write all its 40 digits, since other names, such as "
                "'main', may stand for other weights tomorrow."
            ).format(commit=repr(asked), hub_id=hub_id)
        )
    found = find_checkpoint(hub_id, asked or None) or (commit and find_checkpoint(hub_id, commit))
    return found or _download(hub_id, asked or commit, size)


def weight_files(folder: Path) -> list[Path]:
    """The safetensors files that transformers loads from a folder; empty where there are none.

    Raises
    ------
    EncoderUnavailableError
        If the index of a checkpoint in several files is not readable.
    """
    single = folder / "model.safetensors"
    index = folder / "model.safetensors.index.json"
    if single.is_file():
        return [single]
    if index.is_file():
        return [folder / name for name in sorted(set(read_json(index).get("weight_map", {}).values()))]
    return []


def read_modules(folder: Path) -> list[Module]:
    """The modules of a sentence-transformers checkpoint, in order; none where there is no modules.json.

    Raises
    ------
    EncoderUnavailableError
        If modules.json is damaged.
    """
    path = folder / "modules.json"
    if not path.is_file():
        return []
    try:
        entries = json.loads(path.read_text(encoding="utf-8"))
        modules = [
            Module(str(entry["type"]).rsplit(".", 1)[-1], _inside(folder, str(entry["path"])))
            for entry in entries
        ]
    except (OSError, ValueError, LookupError, TypeError, RecursionError) as error:
        raise _damaged(path, f"{type(error).__name__}: {error}") from error
    if not modules:
        raise _damaged(path, _("it lists no modules"))
    return modules


def module_folders(folder: Path) -> list[Path]:
    """The folders that a checkpoint's modules are loaded from, each once: itself where it lists none.

    A router chooses among modules that lie in folders of its own, and they may be routers again.
    """
    waiting = [module.folder for module in read_modules(folder)] or [folder]
    found: dict[Path, Path] = {}  # by where links lead, so that they may go in a circle
    while waiting:
        each = waiting.pop(0)
        if found.setdefault(each.resolve(), each) is each:
            waiting += _routed(each)
    return list(found.values())


def weights_of(folder: Path) -> list[Path]:
    """The safetensors files of a checkpoint's modules."""
    return [file for each in module_folders(folder) for file in weight_files(each)]


def read_json(path: Path) -> dict[str, Any]:
    """A JSON object from a file of a checkpoint.

    Raises
    ------
    EncoderUnavailableError
        If the file is not there, or is no JSON object.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise EncoderUnavailableError(
            _("{folder} has no {file}; it does not hold a checkpoint.").format(
                folder=path.parent, file=path.name
            )
        ) from None
    except (OSError, ValueError, RecursionError) as error:
        raise _damaged(path, _("it cannot be read as JSON: {reason}").format(reason=error)) from error
    if not isinstance(content, dict):
        raise _damaged(path, _("it is not a JSON object"))
    return content


@contextmanager
def loading_bar(files: Iterable[Path]) -> Iterator[None]:
    """Let transformers show its loading bar for large weights only, or as the settings say."""
    from transformers.utils import logging

    shown = get_settings().progress
    if shown is None:
        shown = sum(file.stat().st_size for file in files) >= BAR_FROM_BYTES
    was_shown = logging.is_progress_bar_enabled()
    if was_shown and not shown:
        logging.disable_progress_bar()
    try:
        yield
    finally:
        if was_shown:
            logging.enable_progress_bar()


def _places(hub_id: str, commit: str | None = None) -> Iterator[Path]:
    models = get_settings().models_dir
    if models is not None and commit is None:
        yield models / hub_id.split("/")[1]
        yield models / hub_id
    try:
        from huggingface_hub import constants
    except ImportError:
        return
    # To import what reads the cache takes longer than a search.
    if not Path(constants.HF_HUB_CACHE, f"models--{hub_id.replace('/', '--')}").is_dir():
        return
    from huggingface_hub import try_to_load_from_cache

    cached = try_to_load_from_cache(hub_id, "config.json", revision=commit)
    if isinstance(cached, str):
        yield Path(cached).parent


def _flaw(folder: Path) -> str | None:
    """What keeps a folder from being used, as a sentence; None if nothing does."""
    folders = module_folders(folder)
    if folders == [folder] and not (folder / "config.json").is_file():
        return _("it has no config.json, so it is not a checkpoint.")
    files = weights_of(folder)
    missing = [file.name for file in files if not file.is_file()]
    if missing:
        return _("{file} is missing ({n} of {total} files); download it again.").format(
            file=missing[0], n=len(missing), total=len(files)
        )
    for each in folders:
        if pickle := _pickled(each):
            return _(
                "its weights are only there as {file}, a pickle, which can run code when opened. Only "
                "safetensors are loaded: take a revision that has model.safetensors."
            ).format(file=pickle.relative_to(folder).as_posix())
        if (each / "adapter_config.json").is_file():
            return _(
                "it is an adapter, whose vectors depend on another checkpoint; merge the two, and give the "
                "folder of what results."
            )
    return None if files else _("it has no model.safetensors; download the weights too.")


def _pickled(folder: Path) -> Path | None:
    """The pickle that a module would be loaded from, for want of safetensors beside it."""
    pickles = sorted(file for file in folder.glob("*") if file.suffix.lower() in _PICKLES)
    # Only transformers reads several files; of other modules the library would open this one.
    unsplit = folder / "pytorch_model.bin"
    if unsplit in pickles and not (folder / "model.safetensors").is_file():
        return unsplit
    return pickles[0] if pickles and not weight_files(folder) else None


def _routed(folder: Path) -> list[Path]:
    """The folders of the modules that the router in a folder chooses among; none where there is no router."""
    for name in ("router_config.json", "config.json"):  # the second in checkpoints of 2024 and before
        if (folder / name).is_file() and isinstance(kinds := read_json(folder / name).get("types"), dict):
            return [_inside(folder, each) for each in kinds]
    return []


def _inside(folder: Path, place: str) -> Path:
    """A folder within a checkpoint, by its place there."""
    if Path(place).is_absolute() or ".." in Path(place).parts:
        raise _damaged(folder, _("a module lies outside of it: {place}").format(place=repr(place)))
    return folder / place


def _usable(folder: Path, name: str) -> Path:
    if flaw := _flaw(folder):
        raise EncoderUnavailableError(
            _("The checkpoint {name} cannot be used: {flaw}").format(name=name, flaw=flaw)
        )
    return folder


def _damaged(path: Path, reason: object) -> EncoderUnavailableError:
    return EncoderUnavailableError(
        _("{file} is damaged ({reason}); download the checkpoint again.").format(file=path, reason=reason)
    )


def _download(hub_id: str, commit: str | None, size: str) -> Path:
    looked = [f"{place} ({_why_not(place)})" for place in _places(hub_id)]
    if get_settings().models_dir is None:
        looked.append(_("the models folder (WORKBENCH_MODELS is not set)"))
    try:
        from huggingface_hub import HfApi, snapshot_download

        # One question with a short time-out first: the download itself retries for minutes.
        HfApi().model_info(hub_id, revision=commit, timeout=HUB_TIMEOUT)
        folder = Path(
            snapshot_download(
                hub_id,
                revision=commit,
                allow_patterns=_WANTED,
                ignore_patterns=_UNWANTED,
                etag_timeout=HUB_TIMEOUT,
            )
        )
        listed = HfApi().verify_repo_checksums(hub_id, revision=folder.name)
    # Whatever goes wrong on the way (no network, offline mode, a proxy, no such model, a full disk),
    # the answer for the user is the same: where was looked, and how to get the weights by hand.
    except Exception as error:
        raise EncoderUnavailableError(_how_to_get(hub_id, commit, size, looked, error)) from error
    if listed.mismatches:
        _remove(folder, [each["path"] for each in listed.mismatches])
        raise EncoderUnavailableError(
            _(
                "{file} of {hub_id} is not the file that the hub lists for commit {commit}; it was removed "
                "again. Download it once more, through another network if need be."
            ).format(file=listed.mismatches[0]["path"], hub_id=hub_id, commit=folder.name)
        )
    if commit is None:
        warnings.warn(
            _(
                "{hub_id} was downloaded as of commit {commit}; write '{hub_id}@{commit}' to load these very "
                "weights on any machine."
            ).format(hub_id=hub_id, commit=folder.name),
            stacklevel=2,
        )
    return _usable(folder, hub_id)


def _remove(folder: Path, files: Iterable[str]) -> None:
    """Remove files of a snapshot in the hub's cache, and what they link to."""
    for file in files:
        (folder / file).resolve().unlink()
        (folder / file).unlink(missing_ok=True)


def _why_not(place: Path) -> str:
    return (_flaw(place) or _("usable")).rstrip(".\u3002") if place.is_dir() else _("no such folder")


def _how_to_get(hub_id: str, commit: str | None, size: str, looked: list[str], error: Exception) -> str:
    name = hub_id.split("/")[1]
    first_line = (str(error).strip().splitlines() or [type(error).__name__])[0]
    offline = _(" (HF_HUB_OFFLINE is set)") if os.environ.get("HF_HUB_OFFLINE") else ""
    return _(
        "The weights of {hub_id} are not on this machine. Looked in: {places}; the Hugging Face cache; the "
        "hub{offline}: {reason}\n"
        "Download them where there is a network:\n"
        "    hf download {id}{revision} --local-dir models/{name}\n"
        "or from ModelScope:\n"
        "    modelscope download --model {id} --local_dir models/{name}\n"
        "and set WORKBENCH_MODELS to that 'models' folder."
    ).format(
        hub_id=f"{hub_id} ({size})" if size else hub_id,
        id=hub_id,
        revision=f" --revision {commit}" if commit else "",
        name=name,
        places="; ".join(looked),
        offline=offline,
        reason=first_line,
    )
