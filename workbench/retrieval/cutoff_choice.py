"""Which cutoff a search uses: the caller's, else the newest card of the encoder, else the literature's."""

from __future__ import annotations

from numbers import Real
from pathlib import Path

from workbench.cutoffs import Cutoff, cards_in
from workbench.encoders.base import Encoder
from workbench.errors import UncalibratedCutoffWarning
from workbench.retrieval.hits import warn_caller
from workbench.settings import get_settings

__all__ = ["resolve_cutoff"]


def resolve_cutoff(cutoff: float | Cutoff | str | Path | None, encoder: Encoder) -> Cutoff:
    """The cutoff to use with an encoder.

    Parameters
    ----------
    cutoff : float, Cutoff, str, Path or None
        A number is taken as it is. A cutoff, or the path of a card, must be of this encoder. None
        takes the last card (by file name) in the project's ``labeled_pairs/cutoffs`` whose
        fingerprint is the encoder's; without one, the 0.4 of the Qwen3-Embedding-4B literature, with
        an :class:`~workbench.errors.UncalibratedCutoffWarning`.

    Raises
    ------
    InputError
        If a number is not in [-1, 1].
    CardError
        If the file is no cutoff card.
    EncoderMismatchError
        If the card was calibrated for another encoder.
    """
    if isinstance(cutoff, str | Path):
        cutoff = Cutoff.load(cutoff)
    if isinstance(cutoff, Cutoff):
        cutoff.check_encoder(encoder.name, encoder.fingerprint)
        return cutoff
    if cutoff is not None:
        # numpy's floats are numbers too, bool is one that Cutoff itself refuses
        return Cutoff(float(cutoff) if isinstance(cutoff, Real) and not isinstance(cutoff, bool) else cutoff)
    cards = cards_in(get_settings().cutoffs_dir)
    own = [card for _, card in cards if card.fingerprint == encoder.fingerprint]
    if own:
        return own[-1]
    literature = Cutoff.from_literature()
    warn_caller(
        f"The cutoff {literature.value:.2f} comes from the literature on Qwen3-Embedding-4B and was never "
        f"calibrated for the encoder {encoder.name} [{encoder.fingerprint}], whose scores lie on a scale of "
        "their own: read 'match' with care. Calibrate one on labelled pairs with 'workbench calibrate', "
        "or pass cutoff=.",
        UncalibratedCutoffWarning,
    )
    return literature
