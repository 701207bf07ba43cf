"""Scored pairs from Parquet: the same study as of these rows in a frame, in little memory, or a clear no."""

from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.calibration import calibrate, read_scores, scored_files
from workbench.errors import InputError

ONE = st.tuples(
    st.sampled_from([0.1, 0.25, 0.25 + 1e-9, 0.5, 0.8]),
    st.integers(0, 1),
    st.sampled_from(["b", "a", "é", "职位"]),
    st.sampled_from([0.5, 1.0, 3.0]),
)


def made_up(n, seed=0):
    rng = np.random.default_rng(seed)
    labels = rng.random(n) < 0.3
    scores = rng.normal(0.3 + 0.25 * labels, 0.12).clip(-1, 1).round(3)
    return pd.DataFrame({"score": scores, "label": labels.astype(int), "jd_id": rng.integers(0, n // 20, n)})


def evidence(study):
    """All that a card keeps, but for when it was made and of which file."""
    found = dict(study.cutoff.evidence)
    del found["date"]
    return json.dumps({**found, "pairs": {**found["pairs"], "source": None}}, sort_keys=True, default=str)


@pytest.mark.parametrize(
    "more",
    [
        {},
        {"jd_id": lambda pairs: "JD " + pairs["jd_id"].astype(str)},
        pytest.param({"jd_id": lambda pairs: np.arange(len(pairs))}, marks=pytest.mark.slow),
        pytest.param({"weight": lambda pairs: 1.0 + pairs["jd_id"] % 3}, marks=pytest.mark.slow),
        pytest.param(
            {"source": lambda pairs: np.where(pairs["jd_id"] % 3 == 0, "Composed-Hard ", None)},
            marks=pytest.mark.slow,
        ),
    ],
)
def test_a_study_of_a_file_is_that_of_its_rows_in_a_frame(more, tmp_path, monkeypatch):
    monkeypatch.setattr(scored_files, "ROWS_A_BATCH", 97)
    pairs = made_up(600).assign(**more)
    file = tmp_path / "pairs.parquet"
    pairs.assign(resume="a long text").to_parquet(file, row_group_size=300)
    asked = {"target_precision": 0.8, "n_resamples": 50}
    assert evidence(calibrate(file, **asked)) == evidence(calibrate(pairs, **asked))


@settings(max_examples=20, deadline=None)
@given(st.lists(ONE, min_size=1, max_size=30))
def test_no_row_is_lost_or_changed_and_all_are_in_order(tmp_path_factory, rows):
    file = tmp_path_factory.mktemp("rows") / "rows.parquet"
    pairs = pd.DataFrame(rows, columns=["score", "label", "jd", "weight"])
    pairs.to_parquet(file, row_group_size=4)
    read = read_scores(file)[["score", "label", "jd", "weight"]]
    assert sorted(read.astype({"jd": str}).itertuples(index=False, name=None)) == sorted(rows)
    assert read["score"].is_monotonic_increasing


def test_the_files_of_a_folder_are_one_set(tmp_path):
    pairs = made_up(100)
    pairs[:40].to_parquet(tmp_path / "part-1.parquet")
    pairs[40:].to_parquet(tmp_path / "part-0.parquet")
    assert read_scores(tmp_path)["score"].tolist() == sorted(pairs["score"])


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"score": None}, r"few\.parquet has no column 'score'; it has label, jd_id, similarity\."),
        ({"score": [0.1, np.nan, np.inf, 0.2]}, r"2 of the 4 values in column 'score' of few\.parquet"),
        ({"label": [0, 1, 2, None]}, r"2 of the 4 labels in column 'label' of few\.parquet are not 0 or 1"),
        ({"jd_id": ["a", None, "b", "b"]}, r"1 of the 4 values in column 'jd_id' of few\.parquet"),
        ({"label": ["Good Fit"] * 4}, r"Column 'label' of few\.parquet holds (large_)?string; numbers"),
    ],
)
def test_what_cannot_be_used_is_counted_with_its_file_and_column(changed, said, tmp_path):
    pairs = pd.DataFrame({"score": [0.1, 0.2, 0.3, 0.4], "label": [0, 1, 0, 1], "jd_id": [1, 1, 2, 2]})
    pairs = pairs.assign(similarity=0.5, **changed)
    file = tmp_path / "few.parquet"
    pairs.drop(columns=[name for name, values in changed.items() if values is None]).to_parquet(file)
    with pytest.raises(InputError, match=said):
        read_scores(file)


def test_what_is_no_parquet_is_refused(tmp_path):
    (tmp_path / "not.parquet").write_text("score,label\n")
    with pytest.raises(InputError, match=r"not\.parquet cannot be read as a Parquet file"):
        read_scores(tmp_path / "not.parquet")
    with pytest.raises(InputError, match="There is no file"):
        read_scores(tmp_path / "nowhere.parquet")


@pytest.mark.slow
def test_texts_beside_a_million_scores_take_no_memory(tmp_path):
    n, file = 1_000_000, tmp_path / "pairs.parquet"
    rng = np.random.default_rng(0)
    labels = rng.random(n) < 0.3
    pairs = pd.DataFrame({"score": rng.normal(0.3 + 0.25 * labels, 0.12).clip(-1, 1), "label": labels})
    pairs["resume"] = pd.Series(rng.integers(0, 2**60, n)).astype(str) * 16
    pairs.to_parquet(file, row_group_size=100_000)
    code = (
        "import resource, sys, pandas as pd\n"
        "from workbench.calibration import calibrate\n"
        "peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024\n"
        "small = pd.DataFrame({'score': range(6000), 'label': [i % 2 for i in range(6000)]}).assign(\n"
        "    score=lambda pairs: pairs['score'] / 6000)\n"
        "calibrate(small)\n"
        "before = peak()\n"
        "calibrate(sys.argv[1])\n"
        "print(peak() - before)\n"
    )
    done = subprocess.run([sys.executable, "-c", code, file], stdout=subprocess.PIPE, check=True, text=True)
    # In a frame the texts alone take 280 bytes a pair.
    assert int(done.stdout) < 270 * n
