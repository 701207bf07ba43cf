"""From a spec such as ``"use"``, ``"use+relative"`` or ``"column:score"`` to a scorer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from workbench.errors import InputError
from workbench.i18n import gettext as _
from workbench.scorers.base import Scorer
from workbench.scorers.cosine import CosineScorer
from workbench.scorers.relative import RelativeScorer

if TYPE_CHECKING:
    from workbench.encoders import Encoder

__all__ = ["load_scorer"]


def load_scorer(spec: str | Scorer | Encoder | None = None, **options: Any) -> Scorer:
    """Load a scorer.

    Parameters
    ----------
    spec : str, Scorer, Encoder or None
        * an encoder, or the name of one (``"use"``, ``"qwen3-4b"``, ``"http://host/v1#model"``): its plain
          cosine of whole texts, for which cards of the encoder are valid;
        * ``"NAME+relative"``: the same relative to the collection, with windows and keywords;
        * ``"auto"`` or None: relative, with the encoder that :func:`~workbench.load_encoder` takes then;
        * a scorer, which is returned as it is.
    **options
        As of :func:`~workbench.load_encoder`.

    Raises
    ------
    InputError
        If there is no such scorer.
    EncoderUnavailableError
        If its encoder cannot be loaded here.
    """
    from workbench.encoders import load_encoder

    if isinstance(spec, Scorer):
        return spec
    if spec is None or spec == "auto":
        return RelativeScorer(load_encoder(None if spec is None else "auto", **options))
    if not isinstance(spec, str):
        return CosineScorer(load_encoder(spec, **options))
    name, plus, kind = spec.rpartition("+")
    if not plus or "/" in kind:
        return CosineScorer(load_encoder(spec, **options))
    if kind != "relative":
        raise InputError(
            _("There is no scorer {spec}; write the name of an encoder, perhaps with +relative.").format(
                spec=repr(spec)
            )
        )
    return RelativeScorer(load_encoder(name, **options))
