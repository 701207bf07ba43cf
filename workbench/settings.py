"""One :class:`Settings` object, read from ``WORKBENCH_*`` environment variables.

Secrets are not settings: an API key stays in the environment and is read by the client that needs it.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, MutableMapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from workbench.errors import InputError
from workbench.i18n import Language, language_of, listed
from workbench.i18n import gettext as _

# In the cache folder, as long as what a person wants forgotten is being erased.
JOURNAL = "forgetting.json"
# The unpacked weights of `use`, beside the store: they hold words, but nobody's text.
WEIGHTS = "use.npy"

# The figure that travelled on from Qwen3-4B's first users (see README); valid for no other encoder.
LITERATURE_CUTOFF = 0.40


@dataclass(frozen=True)
class Settings:
    """Where things are kept, and the defaults.

    Attributes
    ----------
    cache_dir : Path
        Holds the embedding store and the rerankers' scores (``WORKBENCH_CACHE``; the user's cache folder by
        default).
    models_dir : Path or None
        Folder that holds model checkpoints in subfolders, such as ``Qwen3-Embedding-4B``
        (``WORKBENCH_MODELS``).
    project_dir : Path
        Folder that holds ``labeled_pairs/`` (``WORKBENCH_PROJECT``; else the nearest folder above
        the working directory that has one, else the working directory).
    encoder : str
        Spec of the encoder that is used when none is named (``WORKBENCH_ENCODER``, ``"auto"``).
    language : {"en", "zh"}
        Language that people are spoken to in (``WORKBENCH_LANGUAGE``, else that of the locale, else
        English); see :mod:`workbench.i18n`.
    mask : bool
        Mask phone numbers, e-mail addresses and ID numbers in what is shown, exported or sent to a server
        (``WORKBENCH_MASK`` = 1); see :mod:`workbench.masking` for what that does not find.
    progress : bool or None
        Show progress bars: always, never, or (None) for long tasks on a terminal or in a notebook
        (``WORKBENCH_PROGRESS`` = 1 or 0).
    """

    cache_dir: Path
    models_dir: Path | None
    project_dir: Path
    encoder: str = "auto"
    language: Language = "en"
    mask: bool = False
    progress: bool | None = None

    @property
    def store_path(self) -> Path:
        """The SQLite file of the embedding store."""
        return self.cache_dir / "embeddings.sqlite"

    @property
    def rerank_store_path(self) -> Path:
        """The SQLite file of the rerankers' scores."""
        return self.cache_dir / "reranked.sqlite"

    @property
    def cutoffs_dir(self) -> Path:
        """Folder in which cutoff cards are looked for."""
        return self.project_dir / "labeled_pairs" / "cutoffs"

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] = os.environ) -> Settings:
        """Read the settings from ``WORKBENCH_*`` variables.

        Raises
        ------
        InputError
            If a variable has a value that is not one of those allowed.
        """
        cache = environ.get("WORKBENCH_CACHE") or _user_cache()
        models = environ.get("WORKBENCH_MODELS")
        project = environ.get("WORKBENCH_PROJECT")
        progress = _one_of(environ, "WORKBENCH_PROGRESS", ("", "0", "1"))
        return cls(
            cache_dir=Path(cache).expanduser(),
            models_dir=Path(models).expanduser() if models else None,
            project_dir=Path(project).expanduser() if project else _nearest_project(Path.cwd()),
            encoder=environ.get("WORKBENCH_ENCODER") or "auto",
            language=language_of(environ),
            mask=_one_of(environ, "WORKBENCH_MASK", ("", "0", "1")) == "1",
            progress={"": None, "0": False, "1": True}[progress],
        )


def get_settings() -> Settings:
    """The settings as the environment has them now."""
    return Settings.from_environment()


def _user_cache() -> str:
    import platformdirs

    return str(platformdirs.user_cache_dir("workbench", appauthor=False))


def _one_of(environ: Mapping[str, str], name: str, allowed: tuple[str, ...]) -> str:
    value = environ.get(name) or allowed[0]
    if value not in allowed:
        raise InputError(
            _("{name} is {value}; set it to one of {allowed}, or unset it.").format(
                name=name, value=repr(value), allowed=listed(filter(None, allowed))
            )
        )
    return value


def _nearest_project(start: Path) -> Path:
    return next((folder for folder in (start, *start.parents) if (folder / "labeled_pairs").is_dir()), start)


@contextmanager
def holding(mapping: MutableMapping[str, Any], values: Mapping[str, Any]) -> Iterator[None]:
    """Other values for some names of a mapping, such as the environment, inside a block."""
    before = {name: mapping[name] for name in values if name in mapping}
    mapping.update(values)
    try:
        yield
    finally:
        for name in values:
            mapping.pop(name, None)
        mapping.update(before)
