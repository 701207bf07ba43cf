"""Time and memory against the number of texts encoded or vectors searched: ``python benchmarks/scaling.py``.

Each N is measured, nothing extrapolated. Texts are Chinese and English, none of them twice, so that nothing
is spared because it is known; vectors are those of ``search.py``.
"""

from __future__ import annotations

import itertools
import math
import sys
import tempfile
from functools import partial
from pathlib import Path

from _gpu_checkpoint import texts_of
from _scaling import Curve
from measuring import QUICK, ROOT, save
from search import K, mixture, share_found

from workbench.encoders.base import BaseEncoder
from workbench.encoders.keyword import KeywordEncoder
from workbench.encoders.sentence_transformer import SentenceTransformerEncoder
from workbench.encoders.universal import UniversalSentenceEncoder
from workbench.retrieval.approximate import FEWEST_ROWS, build_quantised
from workbench.retrieval.exact import FlatIndex

sys.path.insert(0, str(ROOT / "tests"))
from checkpoints.e5 import build_e5

SIZES = {
    "keyword": (1_000, 4_000, 16_000, 32_000),
    "use": (500, 1_000, 2_000, 4_000),
    "multilingual-e5-small": (125, 250, 500, 1_000),
}


VECTORS = (1_000, 3_000, 10_000, 30_000, *(() if QUICK else (100_000, 300_000, 1_000_000)))
DIMENSION = 512


def curve_of(name: str, encoder: BaseEncoder) -> Curve:
    sizes = SIZES[name][: 3 if QUICK else None]
    texts = texts_of(sizes[-1])
    encoder.encode_documents(texts[:64], progress=False)
    curve = Curve("encode", name)
    for n in sizes:
        curve.measure(n, partial(encoder.encode_documents, texts[:n], progress=False))
    return curve


def search_at(n: int, exact: Curve, approximate: Curve, building: Curve) -> float | None:
    """Add one size to the curves of one query and of building the codes; returns the recall of the codes."""
    vectors, queries = mixture(n, DIMENSION)
    # One way at all sizes; some have codes for those queries that come often.
    flat = FlatIndex(vectors, coded_after=math.inf)
    turn, built = itertools.cycle(queries), []
    exact.measure(n, lambda: flat.search(next(turn)[None], K), repeats=100)
    if n < FEWEST_ROWS:
        return None
    building.measure(n, lambda: built.append(build_quantised(vectors, progress=False)))
    index = built[0].index
    approximate.measure(n, lambda: index.search(next(turn)[None], K), repeats=100)
    return share_found(flat.search(queries, K)[1], index.search(queries, K)[1])


def main() -> None:
    curves = [curve_of("keyword", KeywordEncoder()), curve_of("use", UniversalSentenceEncoder())]
    with tempfile.TemporaryDirectory() as folder:
        build_e5(Path(folder))
        e5 = SentenceTransformerEncoder(folder, device="cpu", document_prompt="passage: ")
        curves.append(curve_of("multilingual-e5-small", e5))
    notes = [
        f"Encoding with `{curve.name}`: time grows as N^{curve.exponent:.2f} from {curve.n[0]:,} to "
        f"{curve.n[-1]:,} texts, {curve.n[-1] / curve.seconds[-1]:,.0f} texts/s at the largest."
        for curve in curves
    ]
    print("\n".join(notes))
    found = Curve("search", "exact"), Curve("search", "approximate"), Curve("build an index", "4-bit codes")
    recall = {n: search_at(n, *found) for n in VECTORS}
    scaling = [curve.to_dict() for curve in (*curves, *found)]
    save("scaling", [], figures={"scaling": scaling, "notes": notes, "recall": recall})


if __name__ == "__main__":
    main()
