"""AUC and cutoff against dimension: cut vectors by the definition, and which dimensions suffice."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score
from sklearn.metrics.pairwise import paired_cosine_distances

from workbench.calibration import matryoshka, which_suffice
from workbench.errors import InputError
from workbench.i18n import language


def make_vectors(n=240, full=128, front=64, seed=0):
    """Matches share the first `front` numbers, so that the rest says nothing of them."""
    rng = np.random.default_rng(seed)
    jds, resumes = rng.standard_normal((2, n, full)).astype(np.float32)
    labels = np.arange(n) % 2
    resumes[labels == 1, :front] += 0.25 * jds[labels == 1, :front]
    return jds, resumes, labels


@pytest.fixture(scope="module")
def vectors():
    return make_vectors()


@pytest.fixture(scope="module")
def table(vectors):
    return matryoshka(*vectors, n_resamples=50)


def test_dimensions_are_powers_of_two_from_32_to_all_of_them(table):
    assert table["dimension"].tolist() == [32, 64, 128]
    jds, resumes, labels = make_vectors(n=20, full=96)
    assert matryoshka(jds, resumes, labels, n_resamples=5)["dimension"].tolist() == [32, 64, 96]


def test_scores_are_cosines_of_the_first_numbers(vectors, table):
    jds, resumes, labels = vectors
    for row in table.itertuples():
        scores = 1 - paired_cosine_distances(jds[:, : row.dimension], resumes[:, : row.dimension])
        assert row.auc == pytest.approx(roc_auc_score(labels, scores))


def test_decisions_are_compared_with_those_of_all_dimensions(vectors, table):
    jds, resumes, _ = vectors
    at = table.set_index("dimension")["cutoff"]
    full, half = (1 - paired_cosine_distances(jds[:, :d], resumes[:, :d]) for d in (128, 64))
    assert table.set_index("dimension")["differ"].to_dict()[64] == ((full > at[128]) != (half > at[64])).sum()
    assert table["differ"].iloc[-1] == 0


def test_the_interval_of_a_cutoff_holds_the_cutoff(table):
    assert (table["cutoff_low"] <= table["cutoff"]).all()
    assert (table["cutoff"] <= table["cutoff_high"]).all()


def test_all_dimensions_suffice_and_a_dimension_only_if_all_larger_ones_do(vectors):
    jds, resumes, labels = vectors
    # What 64 numbers know, 96 lose in noise.
    noisy = jds.copy()
    noisy[:, 64:96] *= 30
    found = matryoshka(noisy, resumes, labels, dimensions=[32, 64, 96], n_resamples=20, margin=0.2)
    assert found["suffices"].tolist()[-1]
    singly = [
        matryoshka(noisy, resumes, labels, dimensions=[d], margin=0.2, n_resamples=5)["suffices"].iloc[0]
        for d in (32, 64, 96)
    ]
    expected = [all(singly[place:]) for place in range(3)]
    assert found["suffices"].tolist() == [*expected, True]


def test_length_does_not_matter(vectors, table):
    jds, resumes, labels = vectors
    longer = matryoshka(jds * np.float32(4), resumes, labels, n_resamples=50)
    assert longer["auc"].tolist() == pytest.approx(table["auc"].tolist())


def test_differences_are_to_all_dimensions(table):
    auc = table.set_index("dimension")["auc"]
    assert table["difference"].tolist() == pytest.approx((auc - auc[128]).tolist())
    assert table[["difference_low", "difference_high"]].iloc[-1].tolist() == [0, 0]


def test_the_sentence_names_the_smallest_that_suffices_or_what_is_lost(table):
    row = table.iloc[1]
    gap = f"AUC is {row['difference']:+.3f} ({row['difference_low']:+.3f} to {row['difference_high']:+.3f})"
    attrs = table.attrs
    for suffices, said in (
        ([False, True, True], "64 of 128 dimensions suffice, to within 0.01 of AUC: with 64, "),
        ([False, False, True], "These pairs do not show that fewer than 128 dimensions suffice"),
    ):
        changed = table.assign(suffices=suffices)
        changed.attrs = attrs
        assert which_suffice(changed).startswith(said)
        assert gap in which_suffice(changed)
        assert f"{row['differ']} of 240 decisions differ" in which_suffice(changed)
        with language("zh"):
            assert f"240 个判断中有 {row['differ']} 个不同" in which_suffice(changed)


def test_jds_are_resampled_where_they_are_given(vectors):
    jds, resumes, labels = vectors
    shared = np.repeat(np.arange(40), 6)
    alone, by_jd = (
        matryoshka(jds[shared], resumes[shared], labels[shared], clusters=clusters, n_resamples=20)
        for clusters in (None, shared)
    )
    assert (alone.attrs["by"], by_jd.attrs["by"]) == ("pair", "cluster")
    widths = [(each["auc_high"] - each["auc_low"]).iloc[0] for each in (alone, by_jd)]
    # Six pairs that are the same are worth one.
    assert widths[1] > 1.8 * widths[0]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"resumes": (3, 64)}, r"shapes \(4, 64\) and \(3, 64\)"),
        ({"dimensions": [65]}, "Dimension 65 is none of these vectors; they have 1 to 64"),
        ({"dimensions": [True]}, "Dimension True"),
        ({"dimensions": [64]}, "one dimension only, 64"),
        ({"bad": np.nan}, "The JD vector at position 2 is not finite"),
        ({"bad": 0.0}, "A vector of pair 2 has no length in its first 32 dimensions"),
    ],
)
def test_what_cannot_be_cut_is_refused(change, said):
    rng = np.random.default_rng(0)
    jds, resumes = rng.standard_normal((4, 64)), rng.standard_normal(change.get("resumes", (4, 64)))
    if "bad" in change:
        jds[2, :32] = change["bad"]
    with pytest.raises(InputError, match=said):
        matryoshka(jds, resumes, [0, 1, 0, 1], dimensions=change.get("dimensions", [32]), n_resamples=5)
