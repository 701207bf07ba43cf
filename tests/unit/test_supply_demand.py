"""Supply and demand: counts that a plain double loop confirms, with honest intervals."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from statsmodels.stats.proportion import proportion_confint

from workbench.cutoffs import Cutoff
from workbench.errors import EncoderMismatchError, InputError
from workbench.exploration import supply_and_demand, supply_change
from workbench.i18n import language


def unit(rows):
    rows = np.asarray(rows, dtype=np.float64)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def at_angles(*degrees):
    radians = np.deg2rad(degrees)
    return np.column_stack([np.cos(radians), np.sin(radians)])


# Two JDs near 0 degrees, one at 90, one at 180; three candidates near 0, one near 90, one at 270.
JDS = at_angles(0, 5, 90, 180)
GROUPS = ["Java", "Java", "Nursing", "Tax"]
RESUMES = at_angles(1, 2, 358, 88, 270)
CARD = Cutoff(0.9, "toy", "abc", {"stability": {"low": 0.5, "high": 0.999, "confidence": 0.9}})


class TestCounts:
    def test_each_group_has_the_candidates_above_the_cutoff_for_any_of_its_jds(self):
        table = supply_and_demand(JDS, RESUMES, cutoff=0.9, groups=GROUPS).table.set_index("group")
        assert table["n_candidates"].to_dict() == {"Tax": 0, "Nursing": 1, "Java": 3}
        assert table["n_jds"].to_dict() == {"Tax": 1, "Nursing": 1, "Java": 2}
        assert table["candidates_per_jd"].to_dict() == {"Tax": 0, "Nursing": 1, "Java": 1.5}

    def test_scarcest_first(self):
        found = supply_and_demand(JDS, RESUMES, cutoff=0.9, groups=GROUPS)
        assert found.table["group"].tolist() == ["Tax", "Nursing", "Java"]

    def test_a_score_at_the_cutoff_is_no_match(self):
        jds, resumes = [[1.0, 0.0]], [[0.5, np.sqrt(0.75)]]
        score = float(np.float32(0.5))
        at = supply_and_demand(jds, resumes, cutoff=score)
        assert at.table["n_candidates"].tolist() == [0]
        assert at.jds["n_candidates"].tolist() == [0]
        assert at.resumes["n_jds"].tolist() == [0]
        assert supply_and_demand(jds, resumes, cutoff=score - 1e-6).table["n_candidates"].tolist() == [1]

    @given(st.integers(0, 10_000), st.integers(1, 150), st.integers(1, 40), st.floats(-0.5, 0.9))
    def test_all_counts_are_those_of_a_double_loop(self, seed, m, n, cutoff):
        random = np.random.default_rng(seed)
        jds, resumes = unit(random.standard_normal((m, 4))), unit(random.standard_normal((n, 4)))
        groups, owners = random.integers(0, 5, m), random.integers(0, 6, n)
        found = supply_and_demand(jds, resumes, cutoff=cutoff, groups=groups, candidates=owners)
        scores = jds.astype(np.float32) @ resumes.astype(np.float32).T
        if np.abs(scores - cutoff).min() < 1e-5:
            return
        for _, row in found.table.iterrows():
            own = scores[groups == row["group"]]
            assert row["n_candidates"] == len(set(owners[(own > cutoff).any(axis=0)]))
            assert row["n_jds_without"] == (~(own > cutoff).any(axis=1)).sum()
        expected = [len(set(owners[row > cutoff])) for row in scores]
        assert found.jds["n_candidates"].tolist() == expected
        np.testing.assert_allclose(found.jds["best_score"], scores.max(axis=1), atol=1e-6)
        assert found.resumes["n_jds"].tolist() == (scores > cutoff).sum(axis=0).tolist()
        np.testing.assert_allclose(found.resumes["best_score"], scores.max(axis=0), atol=1e-6)
        best = scores[found.resumes["best_jd"], np.arange(n)]
        np.testing.assert_allclose(best, scores.max(axis=0), atol=1e-6)

    def test_a_candidate_with_several_texts_counts_once(self):
        found = supply_and_demand(
            JDS, RESUMES, cutoff=0.9, groups=GROUPS, candidates=["a", "a", "b", "b", "c"]
        )
        assert found.n_candidates == 3
        assert found.table.set_index("group")["n_candidates"].to_dict() == {"Tax": 0, "Nursing": 1, "Java": 2}

    def test_jds_without_a_candidate_come_with_their_best_score(self):
        found = supply_and_demand(JDS, RESUMES, cutoff=0.9, groups=GROUPS, jds=["a", "b", "c", "d"])
        assert found.jds_without_candidate["jd"].tolist() == ["d"]
        assert found.jds_without_candidate["best_score"].iloc[0] == pytest.approx(
            np.cos(np.deg2rad(90)), abs=1e-6
        )

    def test_skills_that_no_jd_asks_for(self):
        found = supply_and_demand(JDS, RESUMES, cutoff=0.9, resumes=list("abcde"))
        assert found.unasked["resume"].tolist() == ["e"]

    def test_without_groups_all_jds_are_one(self):
        assert supply_and_demand(JDS, RESUMES, cutoff=0.9).table["n_candidates"].tolist() == [4]


class TestIntervals:
    def test_a_card_gives_counts_at_both_ends_of_its_cutoff(self):
        found = supply_and_demand(JDS, RESUMES, cutoff=CARD, groups=GROUPS)
        assert (found.interval, found.confidence) == ("cutoff", 0.9)
        assert (found.cutoff_low, found.cutoff_high) == (0.5, 0.999)
        for _, row in found.table.iterrows():
            for end, cutoff in (("high", 0.5), ("low", 0.999)):
                other = supply_and_demand(JDS, RESUMES, cutoff=cutoff, groups=GROUPS).table.set_index("group")
                assert row[end] == other.loc[row["group"], "n_candidates"]

    def test_a_bare_number_gives_wilsons_interval(self):
        found = supply_and_demand(JDS, RESUMES, cutoff=0.9, groups=GROUPS)
        assert found.interval == "candidates"
        for _, row in found.table.iterrows():
            low, high = proportion_confint(row["n_candidates"], 5, 0.05, "wilson")
            assert (row["low"], row["high"]) == pytest.approx((5 * low, 5 * high))

    def test_no_candidate_seen_is_not_certainly_none(self):
        table = supply_and_demand(JDS, RESUMES, cutoff=0.9, groups=GROUPS).table
        assert table.loc[table["n_candidates"] == 0, "high"].iloc[0] > 1

    def test_a_card_without_an_interval_is_taken_as_a_number(self):
        assert supply_and_demand(JDS, RESUMES, cutoff=Cutoff(0.9, "toy", "abc")).interval == "candidates"
        empty = Cutoff(0.9, "toy", "abc", {"stability": {"low": None, "high": None, "confidence": 0.95}})
        assert supply_and_demand(JDS, RESUMES, cutoff=empty).interval == "candidates"

    def test_a_group_is_short_only_if_its_whole_interval_is_below_the_average(self):
        jds = at_angles(0, 90)
        resumes = at_angles(*np.linspace(-5, 5, 200), 90, 91)
        found = supply_and_demand(jds, resumes, cutoff=0.9, groups=["many", "few"])
        status = found.table.set_index("group")["status"].to_dict()
        assert status == {"few": "shortage", "many": "surplus"}
        assert found.average == 101
        balance = found.table.set_index("group")["balance"]
        assert balance["few"] == pytest.approx(2 / 101)
        few = supply_and_demand(JDS, RESUMES, cutoff=0.9, groups=GROUPS)
        assert set(few.table["status"]) == {"unclear"}

    @pytest.mark.parametrize("confidence", [0, 1, 95])
    def test_a_confidence_out_of_range(self, confidence):
        with pytest.raises(InputError, match="between 0 and 1"):
            supply_and_demand(JDS, RESUMES, cutoff=0.9, confidence=confidence)


class TestChange:
    @pytest.fixture
    def change(self):
        before = supply_and_demand(JDS, RESUMES, cutoff=0.9, groups=GROUPS)
        after = supply_and_demand(
            at_angles(0, 90, 200), RESUMES[1:], cutoff=0.9, groups=["Java", "Nursing", "Law"]
        )
        return supply_change(before, after).set_index("group")

    def test_counts_and_their_change(self, change):
        assert change.loc["Java", ["n_jds_before", "n_jds_after", "n_jds_change"]].tolist() == [2, 1, -1]
        assert change.loc["Java", "n_candidates_change"] == -1
        assert change.loc["Java", "candidates_per_jd_change"] == 2 / 1 - 3 / 2

    def test_groups_that_came_and_went_are_shown(self, change):
        assert change.loc["Law", ["n_jds_before", "n_jds_after"]].tolist() == [0, 1]
        assert change.loc["Tax", ["n_jds_before", "n_jds_after"]].tolist() == [1, 0]
        assert np.isnan(change.loc["Tax", "candidates_per_jd_change"])

    def test_the_same_twice_has_no_change(self):
        once = supply_and_demand(JDS, RESUMES, cutoff=0.9, groups=GROUPS)
        change = supply_change(once, once)
        assert (change.filter(like="_change") == 0).all(axis=None)

    def test_two_cutoffs_cannot_be_compared(self):
        before = supply_and_demand(JDS, RESUMES, cutoff=0.9)
        with pytest.raises(InputError, match=r"0\.9000 and 0\.8000"):
            supply_change(before, supply_and_demand(JDS, RESUMES, cutoff=0.8))


class TestBadInput:
    def test_a_cutoff_of_another_encoder(self):
        with pytest.raises(EncoderMismatchError, match=r"calibrated for toy \[abc\]"):
            supply_and_demand(JDS, RESUMES, cutoff=CARD, fingerprint="xyz")
        supply_and_demand(JDS, RESUMES, cutoff=CARD, fingerprint="abc")

    def test_sides_of_different_encoders(self):
        with pytest.raises(EncoderMismatchError, match="JD vector: 2, Résumé vector: 3"):
            supply_and_demand(JDS, np.eye(3), cutoff=0.5)
        with pytest.raises(EncoderMismatchError, match="2 encoders"):
            supply_and_demand(JDS, RESUMES, cutoff=0.5, fingerprint=["a"] * 4 + ["b"] * 5)

    def test_a_vector_that_is_not_finite_is_named_by_its_side(self):
        broken = RESUMES.copy()
        broken[2, 0] = np.nan
        with pytest.raises(InputError, match="Résumé vector 2 has values"):
            supply_and_demand(JDS, broken, cutoff=0.5)

    @pytest.mark.parametrize("name", ["groups", "jds", "candidates", "resumes"])
    def test_lengths_must_fit(self, name):
        with pytest.raises(InputError, match=f"There are 1 {name} for"):
            supply_and_demand(JDS, RESUMES, cutoff=0.5, **{name: ["a"]})


def test_the_dictionary_and_the_sentences_say_the_same():
    found = supply_and_demand(JDS, RESUMES, cutoff=CARD, groups=GROUPS)
    plain = found.to_dict()
    assert (plain["n_jds_without"], plain["n_unasked"], plain["n_jds"]) == (1, 1, 4)
    assert "1 of 4 JDs" in found.sentence()
    with language("zh"):
        assert "4 条岗位要求里有 1 条" in found.sentence()
