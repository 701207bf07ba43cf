"""From a spec such as ``"use"``, ``"use+relative+rerank:/folder"`` or ``"column:score"`` to a scorer."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from workbench.cutoffs import Cutoff, cards_in
from workbench.encoders.fast.checkpoints import get_checkpoint, read_json, read_modules
from workbench.errors import CardError, EncoderMismatchError, InputError
from workbench.frozen import arrays_in
from workbench.i18n import gettext as _
from workbench.scorers.base import Scorer
from workbench.scorers.column import ColumnScorer
from workbench.scorers.cosine import CosineScorer
from workbench.scorers.cross_encoder import CrossEncoderReranker
from workbench.scorers.drift import State
from workbench.scorers.offsets import OffsetScorer
from workbench.scorers.qwen3_reranker import Qwen3Reranker
from workbench.scorers.relative import RelativeScorer
from workbench.scorers.rerank import RerankScorer
from workbench.scorers.rerank_store import RerankStore
from workbench.scorers.rerankers import Reranker
from workbench.scorers.server_reranker import ServerReranker
from workbench.settings import get_settings

if TYPE_CHECKING:
    from workbench.encoders import Encoder


def load_scorer(
    spec: str | Scorer | Encoder | None = None, *, state: State | None = None, **options: Any
) -> Scorer:
    """Load a scorer.

    Parameters
    ----------
    spec : str, Scorer, Encoder or None
        * an encoder, or the name of one (``"use"``, ``"qwen3-4b"``, ``"http://host/v1#model"``): its plain
          cosine of whole texts, for which cards of the encoder are valid;
        * ``"NAME+relative"``: the same relative to the collection, with windows and keywords;
        * ``"SCORER+rerank:/folder"``, ``"SCORER+rerank:http://host/v1#model"``: the best of any of these are
          read again, together with the JD, by a reranker (:func:`~workbench.scorers.load_reranker` takes
          options for it), whose scores are kept unless ``store`` is False;
        * ``"SCORER+offsets"``: any of these with an offset a language pair, which its card holds;
        * ``"column:NAME"``, ``"column:NAME#SOURCE"``: scores from elsewhere, in a column of the pairs;
        * ``"auto"`` or None: relative, with the encoder that :func:`~workbench.load_encoder` takes then;
        * a scorer, which is returned as it is.
    state : mapping of str to ndarray, optional
        What such a scorer froze: :meth:`Scorer.state`.
    **options
        As of :func:`~workbench.load_encoder`.

    Raises
    ------
    InputError
        If there is no such scorer, or the state is another one's.
    EncoderUnavailableError
        If its encoder or reranker cannot be loaded here.
    """
    scorer = _loaded(spec, options)
    return scorer if state is None else scorer.with_state(state)


def scorer_of(card: Cutoff, spec: str | Scorer | Encoder | None = None, **options: Any) -> Scorer:
    """The scorer that a card is for, with what it had frozen.

    Parameters
    ----------
    card : Cutoff
    spec : str, Scorer or Encoder, optional
        By default what the card names; needed where that name does not say where a model lies.
    **options
        As of :func:`load_scorer`.

    Raises
    ------
    EncoderMismatchError
        If it is not the card's scorer.
    CardError
        If what the card holds of its scorer cannot be read.
    """
    scorer = load_scorer(spec if spec is not None else card.encoder_name, **options)
    if card.frozen and not scorer.is_fitted:
        scorer = scorer.with_state(arrays_in(card.frozen))
    card.check_encoder(scorer.name, scorer.fingerprint)
    return scorer


def with_card(scorer: Scorer) -> tuple[Scorer, Cutoff | None]:
    """The scorer with what the project's last card for it had frozen, and that card, if there is one.

    Cards that were measured on lines are passed over: a cutoff does not carry over to whole documents.
    """
    for _path, card in reversed(cards_in(get_settings().cutoffs_dir)):
        if card.encoder_name == scorer.name and not card.is_of_lines:
            try:
                return scorer_of(card, scorer), card
            except (CardError, EncoderMismatchError):  # of another collection or version
                continue
    return scorer, None


def encoder_or_scorer(scorer: Scorer) -> Encoder | Scorer:
    """Of a plain cosine its encoder, for which pairs are cleaned as search cleans; others as they are."""
    return cast("Encoder", scorer.encoder) if isinstance(scorer, CosineScorer) else scorer


def _loaded(spec: str | Scorer | Encoder | None, options: dict[str, Any]) -> Scorer:
    from workbench.encoders import load_encoder

    if isinstance(spec, Scorer):
        return spec
    if spec is None or spec == "auto":
        return RelativeScorer(load_encoder(None if spec is None else "auto", **options))
    if not isinstance(spec, str):
        return CosineScorer(load_encoder(spec, **options))
    if spec.endswith("+offsets"):
        return OffsetScorer(load_scorer(spec.removesuffix("+offsets"), **options))
    if spec.startswith("column:"):
        column, _sign, source = spec.removeprefix("column:").partition("#")
        return ColumnScorer(column, source)
    first, rerank, source = spec.rpartition("+rerank:")
    if rerank:
        store = None if options.get("store") is False else RerankStore(get_settings().rerank_store_path)
        return RerankScorer(load_scorer(first, **options), load_reranker(source), store=store)
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
