"""Agreement figures are those of scikit-learn and krippendorff; their intervals cover what they should."""

from __future__ import annotations

import krippendorff
import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from sklearn.metrics import cohen_kappa_score
from statsmodels.stats.inter_rater import cohens_kappa
from statsmodels.stats.proportion import proportion_confint

from workbench.errors import InputError
from workbench.i18n import language
from workbench.pairs import agreement, disagreements
from workbench.pairs.annotator_agreement import kappa_and_alpha, pair_counts, resampled


def two(first, second, names=("x", "y")) -> pd.DataFrame:
    n = len(first)
    return pd.DataFrame(
        {
            "pair_id": [f"p{i}" for i in range(n)] * 2,
            "annotator": [names[0]] * n + [names[1]] * n,
            "label": [*first, *second],
        }
    )


def raters(seed: int, n: int = 200, flip: float = 0.1) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    truth = rng.random(n) < 0.4
    return tuple((truth ^ (rng.random(n) < flip)).astype(int) for _ in range(2))


class TestFigures:
    def test_of_two_raters_they_are_those_of_the_libraries(self):
        a, b = raters(0)
        found = agreement(two(a, b))
        assert found.percent.value == np.mean(a == b)
        assert found.kappa.value == pytest.approx(cohen_kappa_score(a, b))
        assert found.alpha.value == pytest.approx(
            krippendorff.alpha(np.array([a, b]), level_of_measurement="nominal")
        )
        assert (found.n_pairs, found.n_disagreements) == (200, (a != b).sum())

    def test_the_interval_of_percent_agreement_is_wilsons(self):
        a, b = raters(0)
        low, high = proportion_confint((a == b).sum(), 200, method="wilson")
        found = agreement(two(a, b)).percent
        assert (found.low, found.high) == pytest.approx((low, high))

    def test_the_interval_of_kappa_is_near_the_asymptotic_one(self):
        a, b = raters(1, n=600)
        table = pd.crosstab(a, b).to_numpy()
        asymptotic = cohens_kappa(table)
        found = agreement(two(a, b), n_resamples=4000).kappa
        assert found.low == pytest.approx(asymptotic.kappa_low, abs=0.01)
        assert found.high == pytest.approx(asymptotic.kappa_upp, abs=0.01)

    def test_grades_have_quadratic_weights_and_ordinal_alpha(self):
        rng = np.random.default_rng(3)
        a = rng.integers(0, 4, 150)
        b = np.clip(a + rng.integers(-1, 2, 150), 0, 3)
        found = agreement(two(a, b))
        assert found.level == "ordinal"
        assert found.kappa.value == pytest.approx(cohen_kappa_score(a, b, weights="quadratic"))
        assert found.alpha.value == pytest.approx(
            krippendorff.alpha(np.array([a, b]), level_of_measurement="ordinal")
        )

    def test_three_raters_with_gaps(self):
        rng = np.random.default_rng(4)
        truth = rng.integers(0, 2, 90)
        table = np.array([truth ^ (rng.random(90) < 0.15) for _ in range(3)]).astype(float)
        table[0, :20], table[1, 30:50], table[2, 60:] = np.nan, np.nan, np.nan
        labels = pd.concat(
            pd.DataFrame({"pair_id": np.arange(90).astype(str), "annotator": name, "label": row}).dropna()
            for name, row in zip("xyz", table, strict=True)
        ).astype({"label": int})
        found = agreement(labels)
        both = [(0, 1), (0, 2), (1, 2)]
        known = [~np.isnan(table[[i, j]]).any(axis=0) for i, j in both]
        kappas = [
            cohen_kappa_score(table[i, at], table[j, at]) for (i, j), at in zip(both, known, strict=True)
        ]
        assert found.kappa.value == pytest.approx(np.mean(kappas))
        assert found.alpha.value == pytest.approx(krippendorff.alpha(table, level_of_measurement="nominal"))

    def test_adjudicators_are_not_blind_and_left_out(self):
        a, b = raters(5, n=40)
        decided = pd.DataFrame({"pair_id": ["p0", "p1"], "annotator": "adjudicator", "label": [0, 1]})
        assert agreement(pd.concat([two(a, b), decided])) == agreement(two(a, b))

    def test_pairs_that_one_person_labelled_do_not_count(self):
        labels = pd.concat(
            [two([1, 0], [1, 1]), pd.DataFrame({"pair_id": ["q"], "annotator": "x", "label": 0})]
        )
        assert agreement(labels).n_pairs == 2


@given(st.integers(0, 2**32 - 1), st.sampled_from(["nominal", "ordinal"]), st.integers(2, 4))
def test_what_is_resampled_is_what_the_libraries_would_find(seed, level, n_raters):
    """One resample of the identity: the sums of all pairs give the figures of the libraries."""
    rng = np.random.default_rng(seed)
    values = 2 if level == "nominal" else 4
    labels = rng.integers(0, values, (12, n_raters)).astype(float)
    assume(len(np.unique(labels)) > 1)

    class All:
        def multinomial(self, n, shares, size):
            return np.round(n * shares)[None]

    kappas, alphas = kappa_and_alpha(resampled(pair_counts(labels, np.arange(values)), 1, All()), level)
    assert alphas[0] == pytest.approx(krippendorff.alpha(labels.T, level_of_measurement=level))
    if n_raters == 2:
        weights = "quadratic" if level == "ordinal" else None
        expected = cohen_kappa_score(labels[:, 0], labels[:, 1], labels=range(values), weights=weights)
        assert kappas[0] == pytest.approx(expected, nan_ok=True)


@pytest.mark.slow
def test_the_interval_of_kappa_covers_the_true_kappa():
    truth = 1 - 0.18 / (2 * 0.42 * 0.58)  # d / (2 p q): two raters of equal margins
    covered = 0
    for seed in range(200):
        found = agreement(two(*raters(seed, n=150)), n_resamples=400).kappa
        covered += found.low <= truth <= found.high
    assert covered >= 180  # 95 %, less three standard errors of 200 draws


class TestWithoutDisagreement:
    def test_there_is_no_interval_of_kappa_but_one_of_the_share(self):
        found = agreement(two([1, 0] * 10, [1, 0] * 10))
        assert found.kappa.value == found.alpha.value == 1
        assert np.isnan(found.kappa.low)
        assert found.percent.low == pytest.approx(proportion_confint(20, 20, method="wilson")[0])
        assert found.to_dict()["kappa"] == {"value": 1.0, "low": None, "high": None}

    def test_with_one_label_only_kappa_is_undefined(self):
        found = agreement(two([0] * 5, [0] * 5))
        assert np.isnan(found.kappa.value)
        assert np.isnan(found.alpha.value)
        assert found.percent.value == 1
        assert "–" in found.summary()


class TestGroups:
    def test_each_group_has_its_own_figures(self):
        a, b = raters(6)
        pairs = pd.DataFrame({"pair_id": [f"p{i}" for i in range(200)], "family": ["n", "s"] * 100})
        found = agreement(two(a, b), pairs, "family")
        assert [group.name for group in found.groups] == ["family = n", "family = s"]
        assert found.groups[1].kappa.value == pytest.approx(cohen_kappa_score(a[1::2], b[1::2]))
        assert found.to_frame()["n_pairs"].tolist() == [200, 100, 100]

    def test_resolved_pairs_only_are_refused_for_they_hide_what_people_differ_on(self):
        pairs = pd.DataFrame({"pair_id": ["p0"], "family": ["n"]})
        with pytest.raises(InputError, match="labelled=False"):
            agreement(two([1, 0], [1, 1]), pairs, "family")

    def test_a_column_that_is_not_there_is_refused(self):
        pairs = pd.DataFrame({"pair_id": ["p0", "p1"], "family": "n"})
        with pytest.raises(InputError, match="no column 'language'; they have pair_id, family"):
            agreement(two([1, 0], [1, 1]), pairs, "language")


def test_one_person_alone_gives_no_agreement():
    with pytest.raises(InputError, match="let a second person label"):
        agreement(pd.DataFrame({"pair_id": ["a", "b"], "annotator": "x", "label": [0, 1]}))


def test_the_figures_are_said_in_the_language_now():
    found = agreement(two([1, 0, 1, 0], [1, 0, 0, 0]))
    assert found.summary().startswith("2 annotators differ on 1 of 4 pairs that two or more of them labelled")
    assert found.summary().endswith("Share labelled as a match: x 50.0 %, y 25.0 %.")
    with language("zh"):
        assert found.summary().startswith("2 位标注者都看过的 4 对里，有 1 对意见不同：一致率 0.750")


def test_group_names_are_escaped_in_html():
    pairs = pd.DataFrame({"pair_id": ["p0", "p1"], "family": "<script>"})
    html = agreement(two([1, 0], [1, 1]), pairs, "family")._repr_html_()
    assert "&lt;script&gt;" in html
    assert "<script>" not in html


class TestDisagreements:
    def labels(self) -> pd.DataFrame:
        rows = [
            ("near", "x", 1, ""),
            ("near", "y", 2, ""),
            ("far", "x", 0, ""),
            ("far", "y", 3, ""),
            ("settled", "x", 0, ""),
            ("settled", "y", 3, ""),
            ("settled", "adjudicator", 3, "rule 1"),
            ("same", "x", 2, ""),
            ("same", "y", 2, ""),
            ("noted", "x", 0, "no licence\nasked for"),
            ("noted", "y", 3, ""),
        ]
        return pd.DataFrame(rows, columns=["pair_id", "annotator", "label", "note"])

    def test_strongest_first_then_open_ones_then_those_with_notes(self):
        assert disagreements(self.labels())["pair_id"].tolist() == ["noted", "far", "settled", "near"]

    def test_labels_notes_and_verdict_stand_beside(self):
        found = disagreements(self.labels()).set_index("pair_id")
        assert found.loc["settled", ["label: x", "label: y", "adjudicated"]].tolist() == [0, 3, 3]
        assert found.loc["noted", "notes"] == "x: no licence asked for"
        assert found["adjudicated"].isna().tolist() == [True, True, False, True]

    def test_with_scores_the_highest_comes_first_among_equals(self):
        labels = two([1, 1, 1], [0, 0, 0])
        pairs = pd.DataFrame({"pair_id": ["p0", "p1", "p2"], "jd": list("abc"), "score": [0.2, 0.9, 0.5]})
        found = disagreements(labels, pairs)
        assert found["pair_id"].tolist() == ["p1", "p2", "p0"]
        assert found["jd"].tolist() == ["b", "c", "a"]

    def test_where_all_agree_there_is_none(self):
        assert disagreements(two([1, 0], [1, 0])).empty
