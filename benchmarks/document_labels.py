"""The demonstration's documents as benchmarks read them: where they are, and intervals by JD.

How far their labels agree is said by ``workbench pairs agreement labeled_pairs/documents``.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd

FOLDER = Path(__file__).parents[1] / "labeled_pairs/documents"
N_RESAMPLES, SEED = 500, 0


def with_interval(
    table: pd.DataFrame, figure: Callable[[pd.DataFrame], float], n_resamples: int = N_RESAMPLES
) -> str:
    """A figure with its 95 % interval, from JDs drawn with replacement."""
    rng = np.random.default_rng(SEED)
    by_jd = [some for _jd, some in table.groupby("jd_id")]
    drawn = [
        figure(pd.concat([by_jd[place] for place in rng.integers(len(by_jd), size=len(by_jd))]))
        for _ in range(n_resamples)
    ]
    low, high = np.nanquantile(drawn, [0.025, 0.975])
    return f"{figure(table):.3f} ({low:.3f}–{high:.3f})"
