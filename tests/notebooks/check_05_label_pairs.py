"""What 05_label_pairs must find, computed here with scikit-learn from the files themselves."""

import tempfile
from pathlib import Path

import pandas as pd
import pytest
from sklearn.metrics import cohen_kappa_score

DEMO = Path(__file__).parents[2] / "labeled_pairs" / "demo"
DOCUMENTS = DEMO.parent / "documents"
# Goes when the tests end.
SCRATCH = tempfile.TemporaryDirectory()

RUNS = {
    "the demonstration set": {
        "pairs_folder": str(DEMO),
        "work_folder": str(Path(SCRATCH.name) / "copy"),
        "encoder": "keyword",
        "cutoff": 0.1,
        "n_repeats": 3,
        "language": "en",
    },
    "whole documents": {
        "pairs_folder": str(DOCUMENTS),
        "work_folder": str(Path(SCRATCH.name) / "documents"),
        "encoder": "keyword",
        "cutoff": 0.6,
        "n_repeats": 1,
        "language": "zh",
    },
}


def check(results, parameters):
    if parameters["pairs_folder"] == str(DOCUMENTS):
        check_documents(results)
    else:
        check_lines(results, parameters)


def check_documents(results):
    first, second = (
        pd.read_csv(DOCUMENTS / f"pairs_{which}.csv").set_index(["jd_id", "resume_id"])["rating"].sort_index()
        for which in ("first", "second")
    )
    whole = results["agreement"][0]
    assert results["n_pairs"] == results["n_resolved"] == len(first)
    assert whole["kappa"] == pytest.approx(cohen_kappa_score(first, second, weights="quadratic"))
    assert sorted(results["disagreements"]) == sorted(map("~".join, first.index[first != second]))
    assert results["noise"]["disagreement"]["value"] == pytest.approx(((first >= 2) != (second >= 2)).mean())
    assert {row["column"] for row in results["agreement"]} == {None, "language"}
    assert not (DOCUMENTS / "annotations").exists()


def check_lines(results, parameters):
    pairs = pd.read_csv(DEMO / "pairs.csv")
    said = pd.read_csv(DEMO / "annotations.csv").pivot_table(
        index="pair_id", columns="annotator", values="label"
    )
    a, b = said["annotator-a"].astype(int), said["annotator-b"].astype(int)
    whole = results["agreement"][0]

    assert results["n_pairs"] == results["n_resolved"] == len(pairs)
    assert whole["n_pairs"] == len(said)
    assert whole["kappa"] == pytest.approx(cohen_kappa_score(a, b))
    assert sorted(results["disagreements"]) == sorted(said.index[a != b])
    assert results["noise"]["disagreement"]["value"] == pytest.approx((a != b).mean())
    assert {row["column"] for row in results["agreement"]} == {None, "source", "language"}

    simulated = pd.DataFrame(results["simulation"])
    assert set(simulated["n"]) == {60, 120, 240}
    assert set(simulated["method"]) == {"active", "random"}
    assert results["plan"]["more"] >= results["plan"]["more_above"] > 0

    chances = pd.DataFrame(results["chances"]).pivot_table("chance", "n", "label_error")
    assert (chances[0.0] >= chances[0.1]).all()

    copy = Path(parameters["work_folder"])
    assert (copy / "pairs.csv").read_bytes() == (DEMO / "pairs.csv").read_bytes()
    assert (results["annotator"], results["labelled"]) == ("me", 0)
    # Nothing was written into the set itself.
    assert not (DEMO / "annotations").exists()
