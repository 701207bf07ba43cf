"""From a spec such as ``"use"``, ``"use+relative+rerank:/folder"`` or ``"column:score"`` to a scorer."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from workbench.encoders.fast.checkpoints import get_checkpoint, read_json, read_modules
from workbench.errors import InputError
from workbench.i18n import gettext as _
from workbench.scorers.base import Scorer
from workbench.scorers.column import ColumnScorer
from workbench.scorers.cosine import CosineScorer
from workbench.scorers.cross_encoder import CrossEncoderReranker
from workbench.scorers.qwen3_reranker import Qwen3Reranker
from workbench.scorers.relative import RelativeScorer
from workbench.scorers.rerank import RerankScorer
from workbench.scorers.rerankers import Reranker
from workbench.scorers.server_reranker import ServerReranker

if TYPE_CHECKING:
    from workbench.encoders import Encoder

__all__ = ["load_reranker", "load_scorer"]


def load_scorer(spec: str | Scorer | Encoder | None = None, **options: Any) -> Scorer:
    """Load a scorer.

    Parameters
    ----------
    spec : str, Scorer, Encoder or None
        * an encoder, or the name of one (``"use"``, ``"qwen3-4b"``, ``"http://host/v1#model"``): its plain
          cosine of whole texts, for which cards of the encoder are valid;
        * ``"NAME+relative"``: the same relative to the collection, with windows and keywords;
        * ``"SCORER+rerank:/folder"``, ``"SCORER+rerank:http://host/v1#model"``: the best of any of these are
          read again, together with the JD, by a reranker (:func:`~workbench.scorers.load_reranker` takes
          options for it);
        * ``"column:NAME"``, ``"column:NAME#SOURCE"``: scores from elsewhere, in a column of the pairs;
        * ``"auto"`` or None: relative, with the encoder that :func:`~workbench.load_encoder` takes then;
        * a scorer, which is returned as it is.
    **options
        As of :func:`~workbench.load_encoder`.

    Raises
    ------
    InputError
        If there is no such scorer.
    EncoderUnavailableError
        If its encoder or reranker cannot be loaded here.
    """
    from workbench.encoders import load_encoder

    if isinstance(spec, Scorer):
        return spec
    if spec is None or spec == "auto":
        return RelativeScorer(load_encoder(None if spec is None else "auto", **options))
    if not isinstance(spec, str):
        return CosineScorer(load_encoder(spec, **options))
    if spec.startswith("column:"):
        column, _sign, source = spec.removeprefix("column:").partition("#")
        return ColumnScorer(column, source)
    first, rerank, source = spec.rpartition("+rerank:")
    if rerank:
        return RerankScorer(load_scorer(first, **options), load_reranker(source))
    name, plus, kind = spec.rpartition("+")
    if not plus or "/" in kind:
        return CosineScorer(load_encoder(spec, **options))
    if kind != "relative":
        raise InputError(
            _(
                "There is no scorer {spec}; write the name of an encoder, perhaps with +relative and "
                "+rerank:/folder."
            ).format(spec=repr(spec))
        )
    return RelativeScorer(load_encoder(name, **options))


def load_reranker(source: str | Path, **options: Any) -> Reranker:
    """The reranker in a folder, or behind an address.

    Parameters
    ----------
    source : str or Path
        The folder of a Qwen3-Reranker or of a sentence-transformers CrossEncoder, a hub id, or
        ``"http://host/v1#model"``.
    **options
        What its class takes.

    Raises
    ------
    EncoderUnavailableError
        If it is not here or cannot be loaded.
    """
    source = str(source)
    if source.startswith(("http://", "https://")):
        return ServerReranker(source, **options)
    folder = get_checkpoint(source)
    config = read_json(folder / "config.json") if not read_modules(folder) else {}
    is_causal = any(str(kind).endswith("ForCausalLM") for kind in config.get("architectures") or ())
    if config.get("model_type") == "qwen3" and is_causal:
        return Qwen3Reranker(folder, **options)
    return CrossEncoderReranker(folder, **options)
