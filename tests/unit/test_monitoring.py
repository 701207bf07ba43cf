"""Does a card still hold on new pairs: error rates counted out exactly, reasons in words."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binom, binomtest

from workbench.calibration import Observations, calibrate, check, score_profile
from workbench.calibration.evidence import promises_of
from workbench.cutoffs import Cutoff
from workbench.errors import CardError, EncoderMismatchError, InputError
from workbench.i18n import language

PROMISED = {"figure": "precision", "target": 0.9, "cutoff": 0.5}
MISSED = {"figure": "false_omission_rate", "target": 0.1, "cutoff": 0.5}


def card(*guarantees, scores=None, **evidence) -> Cutoff:
    if scores is not None:
        evidence["scores"] = score_profile(Observations(scores, np.zeros(len(scores)))).to_dict()
    return Cutoff(0.5, "an encoder", "f00d", {"guarantees": list(guarantees), **evidence})


def new(right=0, wrong=0, missed=0, others=0, unlabelled=0) -> pd.DataFrame:
    """So many pairs above 0.5, and at or below it; the missed ones are matches."""
    counts = [right, wrong, missed, others, unlabelled]
    pairs = pd.DataFrame(
        {
            "score": np.repeat([0.8, 0.8, 0.2, 0.2, 0.5], counts),
            "label": np.repeat([1, 0, 1, 0, np.nan], counts),
        }
    )
    pairs.attrs["encoder"] = {"name": "an encoder", "fingerprint": "f00d"}
    return pairs


class TestLabels:
    @pytest.mark.parametrize(
        ("right", "wrong", "holds"), [(190, 5, True), (150, 50, False), (28, 2, None), (0, 0, None)]
    )
    def test_there_are_three_answers(self, right, wrong, holds):
        assert check(card(PROMISED), new(right, wrong, others=30)).holds is holds

    def test_both_promises_have_to_be_shown_to_be_kept(self):
        both = card(PROMISED, MISSED)
        assert check(both, new(190, 5, 2, 190)).holds is True
        assert check(both, new(190, 5, 60, 190)).holds is False
        assert check(both, new(190, 5, 1, 10)).holds is None

    def test_a_promise_on_its_edge_fails_and_passes_in_at_most_5_percent(self):
        """All numbers of right ones among 120, with their probabilities at just the promised precision."""
        failed = passed = 0.0
        for right in range(121):
            holds = check(card(PROMISED), new(right, 120 - right, others=5)).holds
            chance = binom.pmf(right, 120, 0.9)
            failed += chance * (holds is False)
            passed += chance * (holds is True)
        assert 0.01 < failed <= 0.05
        assert 0.01 < passed <= 0.05

    def test_a_real_fall_is_noticed(self):
        noticed = sum(
            binom.pmf(right, 120, 0.78)
            for right in range(121)
            if check(card(PROMISED), new(right, 120 - right, others=5)).holds is False
        )
        assert noticed >= 0.9

    def test_p_values_are_scipys(self):
        found = check(card(PROMISED), new(100, 20, others=5))
        assert found.tested.tests[0].p_failed == pytest.approx(
            binomtest(100, 120, 0.9, alternative="less").pvalue
        )

    def test_a_target_may_be_given_instead(self):
        pairs = new(190, 15, others=30)
        assert check(card(PROMISED), pairs, target_precision=0.85).holds is True
        assert [p.source for p in check(card(PROMISED), pairs, target_precision=0.85).promises] == ["given"]

    def test_at_a_lower_live_prevalence_the_same_pairs_may_break_the_promise(self):
        pairs = new(190, 5, 5, 300)
        assert check(card(PROMISED), pairs).holds is True
        assert check(card(PROMISED), pairs, prevalence=0.05).holds is False

    def test_pairs_of_one_jd_are_not_counted_as_independent(self):
        pairs = new(150, 30, others=60)
        shared = pairs.assign(jd_id=np.random.default_rng(0).permutation(np.arange(240) // 60))
        shared.loc[:179, "jd_id"] = np.repeat([0, 1, 2], 60)
        shared.attrs = pairs.attrs
        assert check(card(PROMISED), pairs).holds is False
        assert check(card(PROMISED), shared).holds is None

    def test_the_pairs_that_the_card_was_made_from_prove_nothing(self):
        rng = np.random.default_rng(0)
        labels = rng.random(400) < 0.5
        pairs = pd.DataFrame(
            {
                "jd": [f"jd {n}" for n in range(400)],
                "resume": [f"text {n}" for n in range(400)],
                "score": np.where(labels, rng.beta(9, 3, 400), rng.beta(3, 9, 400)),
                "label": labels.astype(int),
            }
        )
        study = calibrate(pairs, target_precision=0.85, n_resamples=20)
        again = check(study.cutoff, pairs)
        assert again.same_pairs
        assert again.holds is None
        assert "the very pairs that the card was made from" in again.summary()


class TestSequentially:
    @staticmethod
    def by_day(*counts):
        pairs = new(*counts)
        return pairs.assign(day=np.random.default_rng(0).permutation(len(pairs)))

    def test_it_says_when_the_evidence_was_there(self):
        found = check(card(PROMISED), self.by_day(40, 40), sequential=True, time="day")
        assert found.holds is False
        assert int(found.tested[0].reached) < 20
        assert f"first reached at {found.tested[0].reached}" in found.summary()

    def test_rows_are_no_order_so_that_a_time_is_needed(self):
        with pytest.raises(InputError, match=r"rows of a file say nothing.*time='COLUMN'"):
            check(card(PROMISED), new(60, 12), sequential=True)

    def test_the_promise_is_about_all_pairs_not_about_jds(self):
        """Small JDs are right, large ones are not: 47.5 % of all pairs, where 90 % of JDs start right."""
        sizes = np.tile([1] * 9 + [20], 40)
        pairs = pd.DataFrame({"jd_id": np.repeat(np.arange(400), sizes), "score": 0.8})
        pairs["label"] = (np.repeat(sizes, sizes) == 1).astype(int)
        pairs["day"] = np.arange(len(pairs))
        first_of_each = pairs.drop_duplicates("jd_id")["label"].mean()
        assert (first_of_each, pairs["label"].mean() < 0.5) == (0.9, True)
        promised = {"figure": "precision", "target": 0.6, "cutoff": 0.5}
        kept = card(promised, pairs={"most_per_jd": {"above": 20, "below": 20}})
        assert check(kept, pairs, sequential=True, time="day").holds is False

    def test_a_card_that_does_not_know_how_large_jds_are_has_to_be_told(self):
        pairs = self.by_day(40, 40).assign(jd_id=np.arange(80) // 2)
        with pytest.raises(InputError, match="most_per_jd='N'"):
            check(card(PROMISED), pairs, sequential=True, time="day")
        assert check(card(PROMISED), pairs, sequential=True, time="day", most_per_jd=2).holds is False
        with pytest.raises(InputError, match="1 or more"):
            check(card(PROMISED), pairs, sequential=True, time="day", most_per_jd=0)

    def test_a_card_keeps_how_many_pairs_a_jd_had_on_each_side(self):
        rng = np.random.default_rng(0)
        jds = np.repeat(np.arange(60), np.tile([2, 3, 7], 20))
        labels = rng.random(240) < 0.5
        pairs = pd.DataFrame({"jd_id": jds, "label": labels.astype(int)})
        pairs["score"] = np.where(labels, rng.beta(9, 3, 240), rng.beta(3, 9, 240))
        study = calibrate(pairs, target_precision=0.85, n_resamples=20)
        above = pairs[pairs["score"] > study.cutoff.value].groupby("jd_id").size().max()
        below = pairs[pairs["score"] <= study.cutoff.value].groupby("jd_id").size().max()
        assert study.cutoff.evidence["pairs"]["most_per_jd"] == {"above": above, "below": below}

    def test_with_two_promises_each_fails_at_half_the_level(self):
        found = check(card(PROMISED, MISSED), self.by_day(50, 5, 5, 50), sequential=True, time="day")
        assert [test.e_failed_needed for test in found.tested] == pytest.approx([40, 40])

    def test_a_live_prevalence_is_refused_for_a_stream_is_live(self):
        with pytest.raises(InputError, match="fair stream"):
            check(card(PROMISED), self.by_day(50, 5), sequential=True, time="day", prevalence=0.2)


class TestScores:
    before = np.clip(np.random.default_rng(0).normal(0.5, 0.1, 400), 0, 1)

    def unlabelled(self, mean, n=300):
        scores = np.random.default_rng(1).normal(mean, 0.1, n)
        return pd.DataFrame({"score": scores})

    def test_without_labels_scores_that_lie_as_before_prove_nothing(self):
        found = check(card(PROMISED, scores=self.before), self.unlabelled(0.5))
        assert (found.holds, found.n_labelled, found.n_unlabelled) == (None, 0, 300)
        assert "None of the 300 pairs is labelled" in found.summary()
        assert "Scores have not moved" in found.summary()

    def test_without_labels_scores_that_have_moved_much_fail_it(self):
        found = check(card(PROMISED, scores=self.before), self.unlabelled(0.65))
        assert found.holds is False
        assert "Scores have moved much" in found.summary()
        with language("zh"):
            assert "分数分布已明显移动" in found.summary()

    def test_labels_that_show_it_to_hold_outweigh_moved_scores(self):
        pairs = new(190, 5, others=30)
        assert check(card(PROMISED, scores=self.before), pairs).shift.serious
        assert check(card(PROMISED, scores=self.before), pairs).holds is True

    def test_labelled_and_unlabelled_pairs_are_compared_together(self):
        pairs = new(28, 2, others=10, unlabelled=60)
        found = check(card(PROMISED, scores=self.before), pairs)
        assert (found.n_labelled, found.n_unlabelled, found.shift.n_now) == (40, 60, 100)

    def test_a_card_without_a_profile_says_so(self):
        found = check(card(PROMISED), new(190, 5))
        assert found.shift is None
        assert "keeps no profile of scores" in found.summary()

    def test_a_damaged_profile_is_refused(self):
        broken = Cutoff(0.5, evidence={"guarantees": [PROMISED], "scores": {"n": 3}})
        with pytest.raises(CardError, match="profile of scores"):
            check(broken, new(10, 1))


class TestPromises:
    def test_a_guarantee_holds_for_stricter_cutoffs_only(self):
        assert promises_of(card(PROMISED))[0].source == "guaranteed"
        looser = Cutoff(0.4, evidence={"guarantees": [PROMISED], "figures": {"precision": {"low": 0.7}}})
        assert [(p.value, p.source) for p in promises_of(looser)] == [(0.7, "measured")]

    def test_without_a_guarantee_the_worse_end_of_the_interval_is_promised_corrected_first(self):
        figures = {"precision": {"low": 0.8}, "false_omission_rate": {"high": 0.1}}
        measured = Cutoff(0.5, evidence={"figures": figures, "honest": {"precision": {"low": 0.75}}})
        assert [p.value for p in promises_of(measured)] == [0.75, 0.1]

    def test_a_card_that_promises_nothing_is_refused_with_what_to_do(self):
        with pytest.raises(InputError, match="give target_precision or target_missed"):
            check(Cutoff(0.5), new(10, 1))


class TestInput:
    def test_pairs_of_another_encoder_are_refused(self):
        pairs = new(10, 1)
        pairs.attrs["encoder"] = {"name": "another", "fingerprint": "beef"}
        with pytest.raises(EncoderMismatchError, match="another"):
            check(card(PROMISED), pairs)

    def test_pairs_that_do_not_say_who_scored_them_are_taken_with_a_note(self):
        pairs = new(190, 5)
        pairs.attrs.clear()
        found = check(card(PROMISED), pairs)
        assert not found.encoder_known
        assert "do not say which encoder scored them" in found.summary()

    @pytest.mark.parametrize(
        ("pairs", "options", "said"),
        [
            (new(10, 1).drop(columns="score"), {}, "no column 'score'"),
            (new(), {}, "no pairs to check"),
            (new(10, 1), {"sequential": True, "time": "day"}, "no column 'day'"),
            (new(10, 1), {"confidence": 95}, "percent must be divided by 100"),
            (new(10, 1).assign(label=2), {}, "label"),
        ],
    )
    def test_what_cannot_be_checked_is_refused(self, pairs, options, said):
        with pytest.raises(InputError, match=said):
            check(card(PROMISED), pairs, **options)


class TestInWords:
    def test_another_share_of_matches_is_pointed_out(self):
        moved = card(PROMISED, live={"prevalence": 0.2})
        found = check(moved, new(150, 8, 10, 30))
        before, now = found.prevalence_moved
        assert before == 0.2
        assert now == pytest.approx(160 / 198)
        assert "precision moves with it" in found.summary()
        assert check(moved, new(150, 8, 10, 30), prevalence=0.2).prevalence_moved is None

    @pytest.mark.parametrize(
        ("pairs", "en", "zh"),
        [
            (new(190, 5), "The cutoff 0.5000 still holds.", "阈值 0.5000 仍然成立。"),
            (new(150, 50), "The cutoff 0.5000 no longer holds.", "阈值 0.5000 不再成立。"),
            (new(20, 1), "not enough to say whether the cutoff 0.5000", "还不足以判断阈值 0.5000"),
        ],
    )
    def test_the_answer_comes_first_in_both_languages(self, pairs, en, zh):
        found = check(card(PROMISED), pairs)
        assert en in found.answer
        assert "guaranteed by the card" in found.reasons[0]
        assert found.summary() == "\n".join([found.answer, *found.reasons])
        with language("zh"):
            assert zh in found.answer
            assert "卡片保证" in found.reasons[0]

    @pytest.mark.parametrize("sequential", [False, True])
    def test_all_of_it_goes_into_json(self, sequential):
        pairs = new(50, 5, 5, 50).assign(day=7)
        options = {"sequential": True, "time": "day"} if sequential else {}
        found = check(card(PROMISED, MISSED, scores=[0.2, 0.5, 0.8] * 20), pairs, **options)
        kept = json.loads(json.dumps(found.to_dict(), allow_nan=False))
        assert kept["holds"] is found.holds
        assert kept["sequential"] is sequential
        assert len(kept["tested"]["tests"] if not sequential else kept["tested"]) == 2
        assert kept["reasons"] == found.reasons
        with language("zh"):
            assert found.to_dict() == kept

    def test_the_page_escapes_its_sentences(self):
        html = check(card(PROMISED), new(190, 5))._repr_html_()
        assert "<b>" in html
        assert "<script" not in html
