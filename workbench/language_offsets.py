"""Scored pairs with an offset for each language pair, where their labels show that it takes one.

What labels show is found in :mod:`workbench.calibration.language_pairs`, which knows no scorer.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from workbench.calibration.language_pairs import LanguagePairs, compare_language_pairs
from workbench.calibration.pair_kinds import PairKind, of_kind
from workbench.frozen import arrays_in, as_text
from workbench.scorers import language_pairs, offset_fingerprint, offset_state
from workbench.scorers.collection import languages_of


def with_language_offsets(
    scored: pd.DataFrame, *, kind: PairKind = "everyday", confidence: float = 0.95
) -> tuple[pd.DataFrame, LanguagePairs]:
    """Scored pairs with an offset for each language pair, where their labels show that it takes one.

    Parameters
    ----------
    scored : DataFrame
        Labelled pairs with scores, as of :func:`score_pairs`.
    kind : {"everyday", "hard", "all"}
        Which pairs are looked at, where a column ``source`` says that some were composed to be hard.
    confidence : float
        Offsets are given where one cutoff for all is rejected at 1 - confidence.

    Returns
    -------
    scored : DataFrame
        As it was, or for :func:`calibrate` with offsets that the labels of the pair's own JD have no part in.
        The card is then for the scorer with offsets, such as ``"use+relative+offsets"``.
    found : LanguagePairs
        What was found, to be displayed as it is.

    Raises
    ------
    InputError
        If the pairs have no text, score or label.
    """
    scored = scored.reset_index(drop=True)
    names = language_pairs(*(languages_of(scored[side].tolist()) for side in ("jd", "resume")))
    used = of_kind(scored, kind).index
    found = compare_language_pairs(scored.loc[used], names[used], confidence=confidence)
    if found.offsets:
        added = np.array([found.offsets.get(name, 0.0) for name in names])
        added[used] = found.out_of_fold
        noted = scored.attrs["encoder"]
        named = {
            "name": f"{noted['name']}+offsets",
            "fingerprint": offset_fingerprint(noted["fingerprint"], found.offsets),
            "frozen": as_text({**arrays_in(noted.get("frozen", "")), **offset_state(found.offsets)}),
        }
        scored = scored.assign(score=scored["score"] + added)
        scored.attrs = {**scored.attrs, "encoder": {**noted, **named}}
    return scored, found
