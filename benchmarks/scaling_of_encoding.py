"""Time and memory of encoding against the number of texts: ``python benchmarks/scaling_of_encoding.py``.

Each N is measured, nothing extrapolated. Texts are Chinese and English, none of them twice, so that nothing
is spared because it is known.
"""

from __future__ import annotations

import sys
import tempfile
from functools import partial
from pathlib import Path

from _gpu_checkpoint import texts_of
from _scaling import Curve
from measuring import QUICK, ROOT, save

from workbench.encoders.base import BaseEncoder
from workbench.encoders.keyword import KeywordEncoder
from workbench.encoders.sentence_transformer import SentenceTransformerEncoder
from workbench.encoders.universal import UniversalSentenceEncoder

sys.path.insert(0, str(ROOT / "tests"))
from checkpoints.e5 import build_e5

SIZES = {
    "keyword": (1_000, 4_000, 16_000, 32_000),
    "use": (500, 1_000, 2_000, 4_000),
    "multilingual-e5-small": (250, 500, 1_000, 2_000),
}


def curve_of(name: str, encoder: BaseEncoder) -> Curve:
    sizes = SIZES[name][: 3 if QUICK else None]
    texts = texts_of(sizes[-1])
    encoder.encode_documents(texts[:64], progress=False)
    curve = Curve("encode", name)
    for n in sizes:
        curve.measure(n, partial(encoder.encode_documents, texts[:n], progress=False))
    return curve


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
    save(
        "scaling_of_encoding",
        [],
        figures={"scaling": [curve.to_dict() for curve in curves], "notes": notes},
    )


if __name__ == "__main__":
    main()
