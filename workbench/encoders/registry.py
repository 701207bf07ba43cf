"""From a spec such as ``"qwen3-4b"`` or ``"http://host:8000/v1"`` to an encoder.

Which encoders there are, which can be loaded on this machine, and which one ``"auto"`` takes. Each
encoder is a module of its own that is imported when it is asked for.
"""

from __future__ import annotations

import inspect
import logging
import warnings
from collections.abc import Callable
from difflib import get_close_matches
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workbench.encoders.base import BaseEncoder, Encoder
from workbench.errors import EncoderUnavailableError, InputError, StoreError
from workbench.settings import get_settings

if TYPE_CHECKING:
    from workbench.encoders.store import EmbeddingStore

__all__ = ["FORMS", "NAMES", "choose_automatically", "load_encoder"]

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
        * ``"qwen3:/folder"``, ``"st:/folder-or-name"``, or simply the folder of a checkpoint;
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
        raise InputError(f"{error} ('auto' took {name!r}: {because})") from None
    encoder.chosen_because = because
    return _in_store(encoder, store)


def choose_automatically() -> tuple[str, str]:
    """The short name that ``"auto"`` stands for on this machine, and why, as a sentence."""
    from workbench.encoders.qwen3 import find_weights

    # Weights first: looking for a folder takes no time, importing torch takes seconds.
    if find_weights(AUTOMATIC) is None:
        return "use", f"the weights of {AUTOMATIC} are not on this machine."
    if find_spec("torch") is None or find_spec("transformers") is None:
        return "use", f"{AUTOMATIC} needs torch and transformers, which are not installed."
    import torch

    if not torch.cuda.is_available():
        return "use", f"the weights of {AUTOMATIC} are here, but no CUDA GPU that would make it fast enough."
    return AUTOMATIC, f"its weights and a GPU ({torch.cuda.get_device_name()}) are here."


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
            raise EncoderUnavailableError(f"{name!r} names no folder; write {_form_of(prefix)}.")
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
            f"The encoder {name!r} takes no option {' and no '.join(map(repr, unknown))}; "
            f"it takes {', '.join(taken) or 'none'}."
        )
    return cls(*source, **options)


def _class(home: str) -> Callable[..., BaseEncoder]:
    module, name = home.split(":")
    cls: Callable[..., BaseEncoder] = getattr(import_module(module), name)
    return cls


def _kind_of(folder: Path) -> str:
    from workbench.encoders.checkpoints import read_json

    if (folder / "config.json").is_file():
        return "qwen3" if read_json(folder / "config.json").get("model_type") == "qwen3" else "st"
    if (folder / "modules.json").is_file():
        return "st"
    inside = sorted(child.name for child in folder.iterdir() if (child / "config.json").is_file())
    hint = f" There are some in its subfolders: {', '.join(inside[:5])}." if inside else ""
    raise EncoderUnavailableError(
        f"The folder {folder} holds no checkpoint: it has neither config.json nor modules.json.{hint}"
    )


def _unknown(name: str) -> str:
    if name.startswith(("/", ".", "~")) or "\\" in name:
        return f"There is no folder {name}; give the folder of a checkpoint, one with a config.json."
    if name.count("/") == 1:
        kind = "qwen3" if name.lower().startswith("qwen/qwen3-embedding") else "st"
        return f"No encoder is called {name!r}. If it is a model on the hub, write '{kind}:{name}'."
    close = get_close_matches(name.lower(), NAMES, n=1)
    guess = f"did you mean {close[0]!r}? Known" if close else "known"
    return f"No encoder is called {name!r}; {guess}: {', '.join(NAMES)}; or {', '.join(FORMS)}."


def _form_of(prefix: str) -> str:
    return next(form for form in FORMS if form.startswith(prefix + ":"))


def _as_it_is(
    encoder: Encoder, store: bool | str | Path | EmbeddingStore, options: dict[str, Any]
) -> Encoder:
    from workbench.encoders.stored import StoredEncoder

    # BaseEncoder first: asking a protocol looks at every property, which makes a server encode a text.
    if not isinstance(encoder, BaseEncoder | StoredEncoder | Encoder):
        raise InputError(f"An encoder is named by a string such as 'use', not by {type(encoder).__name__}.")
    if options:
        raise InputError(
            f"The encoder {encoder.name!r} is loaded already, so {', '.join(options)} cannot be set; "
            "pass its name, such as 'use', instead."
        )
    if isinstance(store, bool):
        return encoder
    bare = encoder.encoder if isinstance(encoder, StoredEncoder) else encoder
    if not isinstance(bare, BaseEncoder):
        raise InputError(f"{type(bare).__name__} must derive from BaseEncoder to have its vectors stored.")
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
        warnings.warn(f"Vectors are not kept. {error}", stacklevel=3)
        return encoder
