"""calibrate(): the right cutoff for the right reason, a card with its evidence, and words for it."""

from __future__ import annotations

import json
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.calibration import (
    Capacity,
    Observations,
    TargetMissed,
    TargetPrecision,
    bands,
    calibrate,
    choose,
    count,
    figures_at,
    flips,
    grey_zone,
    guarantee_missed,
    guarantee_precision,
    hold_out,
    resample,
    verdict,
)
from workbench.cutoffs import Cutoff
from workbench.errors import InputError
from workbench.i18n import language
from workbench.pair_hashes import content_hash
from workbench.progress import heard_by


def scored_pairs(n=500, n_jds=70, seed=1, a=(10, 4), b=(3, 8)) -> pd.DataFrame:
    """500 pairs of 70 JDs, 40 % matches, beta-shaped scores that a JD shifts a little."""
    rng = np.random.default_rng(seed)
    jds = rng.integers(0, n_jds, n)
    labels = (rng.random(n) < 0.4).astype(int)
    scores = np.where(labels, rng.beta(*a, n), rng.beta(*b, n)) + rng.normal(0, 0.03, n_jds)[jds]
    return pd.DataFrame(
        {
            "pair_id": [f"p{i}" for i in range(n)],
            "jd_id": jds,
            "jd": [f"需求 {jd}" for jd in jds],
            "resume": [f"经历 {i}" for i in range(n)],
            "score": np.clip(scores, -1, 1),
            "label": labels,
        }
    )


@dataclass(frozen=True)
class Named:
    name: str = "use"
    fingerprint: str = "abc123"
    instruction: str | None = None
    dimension: int = 512
    recipe: dict = field(default_factory=lambda: {"model": "use"})


@pytest.fixture(scope="module")
def study():
    return calibrate(scored_pairs(), target_precision=0.89, n_resamples=500, encoder=Named())


class TestWhichCutoff:
    def test_the_guaranteed_one_where_there_is_one(self, study):
        pairs = Observations.from_frame(scored_pairs())
        assert study.basis == "guarantee"
        assert study.cutoff.value == guarantee_precision(pairs, 0.89).cutoff

    def test_resamples_repeat_the_whole_way_to_it_not_the_rule_alone(self, study):
        assert study.advice.choice.cutoff < study.cutoff.value
        assert study.stability.low < study.cutoff.value < study.stability.high
        of_the_rule, of_the_guarantee = (
            abs(study.stability.median - cutoff)
            for cutoff in (study.advice.choice.cutoff, study.cutoff.value)
        )
        assert of_the_guarantee < of_the_rule / 4

    def test_else_none_however_right_one_looks(self):
        frame = scored_pairs(60)
        found = calibrate(frame, target_precision=0.95, n_resamples=100)
        assert found.basis == "none"
        assert choose(count(Observations.from_frame(frame)), TargetPrecision(0.95)).cutoff is not None
        assert found.summary().startswith("There is no cutoff to adopt: label ")
        with language("zh"):
            assert found.summary().startswith("没有可采用的阈值")

    def test_then_todays_stays_uncalibrated(self):
        frame = pd.DataFrame({"score": [0.1, 0.2, 0.3, 0.9], "label": [1, 0, 1, 0]})
        found = calibrate(frame, target_precision=0.9, n_resamples=50, encoder=Named())
        assert found.basis == "none"
        assert found.cutoff.value == 0.4
        assert not found.cutoff.is_calibrated
        assert found.honest == {}
        assert found.summary().startswith("There is no cutoff to adopt")

    def test_no_card_for_a_cutoff_that_does_not_do_what_was_asked(self, tmp_path):
        frame = pd.DataFrame({"score": [0.1, 0.2, 0.3, 0.9], "label": [1, 0, 1, 0]})
        found = calibrate(frame, target_precision=0.9, n_resamples=50)
        assert found.basis == "none"
        with pytest.raises(InputError, match="no cutoff to adopt"):
            found.save(tmp_path / "card.json")

    def test_a_rule_that_is_given_decides(self):
        frame = scored_pairs()
        found = calibrate(frame, rule=Capacity(100, 500), target_precision=0.8, n_resamples=50)
        assert found.basis == "rule"
        assert (frame["score"] > found.cutoff.value).sum() == 100
        assert found.guarantee.found
        assert found.cutoff.value > found.guarantee.cutoff
        assert "it meets the target" in found.summary()

    def test_a_target_for_missed_alone_gives_the_largest_cutoff_that_keeps_it(self):
        found = calibrate(scored_pairs(), target_missed=0.06, current_cutoff=0.6, n_resamples=50)
        assert found.rule == TargetMissed(0.06)
        assert found.cutoff.value == found.missed_guarantee.cutoff
        assert found.guarantee is None

    def test_without_targets_it_tests_what_is_claimed_for_0_4(self):
        found = calibrate(scored_pairs(), n_resamples=50)
        assert found.rule == TargetPrecision(0.893)
        assert found.missed_guarantee.target == 0.06

    def test_never_on_a_score(self, study):
        assert study.cutoff.value not in set(scored_pairs()["score"])


class TestVerdictFirst:
    def test_todays_cutoff_is_tested_at_the_same_targets(self, study):
        assert study.verdict.cutoff == 0.4
        assert [test.target for test in study.verdict.tests] == [0.89]

    def test_a_card_may_be_todays_cutoff(self):
        found = calibrate(scored_pairs(), current_cutoff=Cutoff(0.55, "use", "abc"), n_resamples=50)
        assert found.current_cutoff == 0.55

    def test_with_no_cutoff_in_use_there_is_no_verdict(self):
        found = calibrate(scored_pairs(), current_cutoff=None, n_resamples=50)
        assert found.verdict is None
        assert len(found.flips) == 0
        assert "Today" not in found.summary()

    def test_flips_are_the_pairs_between_the_two_cutoffs(self, study):
        frame = scored_pairs()
        between = frame[(frame["score"] > 0.4) & (frame["score"] <= study.cutoff.value)]
        assert sorted(study.flips.index) == sorted(between.index)
        assert (study.flips["right_now"] == (study.flips["label"] == 0)).all()
        assert {"jd", "resume"} <= set(study.flips.columns)
        assert f"{len(between)} of 500 pairs" in study.summary()


class TestFlips:
    def test_raising_the_cutoff_takes_matches_away_and_lowering_it_gives_them(self):
        frame = pd.DataFrame({"score": [0.3, 0.5, 0.7], "label": [0, 1, 1]})
        up, down = flips(frame, 0.4, 0.6), flips(frame, 0.6, 0.2)
        assert up[["was_match", "is_match", "right_now"]].to_numpy().tolist() == [[True, False, False]]
        assert down["right_now"].tolist() == [True, False]

    def test_without_labels_nothing_is_said_to_be_right(self):
        assert "right_now" not in flips(pd.DataFrame({"score": [0.5]}), 0.4, 0.6).columns

    def test_a_score_on_the_cutoff_is_no_match(self):
        frame = pd.DataFrame({"score": [0.5]})
        lost, won = flips(frame, 0.4, 0.5), flips(frame, 0.5, 0.4)
        assert lost[["was_match", "is_match"]].to_numpy().tolist() == [[True, False]]
        assert won[["was_match", "is_match"]].to_numpy().tolist() == [[False, True]]
        assert len(flips(frame, 0.5, 0.6)) == 0

    def test_without_scores_it_is_refused(self):
        with pytest.raises(InputError, match="score"):
            flips(pd.DataFrame({"jd": ["a"]}), 0.4, 0.5)


class TestTheCard:
    def test_comes_back_as_it_was_saved(self, study, tmp_path):
        loaded = Cutoff.load(study.save(tmp_path / "card.json"))
        assert loaded == study.cutoff
        assert (loaded.encoder_name, loaded.fingerprint) == ("use", "abc123")

    def test_holds_all_evidence(self, study):
        card = study.to_dict()["evidence"]
        assert card["pairs"]["content_hash"] == content_hash(scored_pairs())
        assert (card["pairs"]["n"], card["pairs"]["n_jds"]) == (500, 70)
        assert card["basis"] == "guarantee"
        assert card["targets"] == {"precision": 0.89, "missed": None}
        assert card["advice"]["kind"] == "move"
        assert card["figures"]["precision"]["low"] < card["figures"]["precision"]["value"]
        assert card["honest"]["precision"]["naive"] == pytest.approx(card["figures"]["precision"]["value"])
        assert [found["figure"] for found in card["guarantees"]] == ["precision"]
        assert card["method"]["resampled_by"] == "cluster"
        assert card["encoder"] == {"instruction": None, "dimension": 512, "recipe": {"model": "use"}}
        assert {"python", "numpy", "scikit-learn"} <= set(card["versions"])
        assert card["n_flips"] == len(study.flips)
        assert card["date"].endswith("+00:00")

    def test_is_plain_json_without_nan(self, study):
        json.dumps(study.to_dict(), allow_nan=False)

    def test_takes_notes_of_the_frame_along(self):
        frame = scored_pairs()
        frame.attrs = {
            "source": "demo",
            "resolution": {"how": "majority"},
            "cleaning": {"version": 1},
            "encoder": {"name": "e5", "fingerprint": "fff"},
        }
        found = calibrate(frame, target_precision=0.89, n_resamples=50)
        assert found.cutoff.fingerprint == "fff"
        assert found.cutoff.evidence["cleaning"] == {"version": 1}
        assert found.cutoff.evidence["pairs"]["resolution"] == {"how": "majority"}

    def test_refuses_another_encoder_than_the_one_that_scored(self):
        frame = scored_pairs()
        frame.attrs["encoder"] = {"name": "e5", "fingerprint": "fff"}
        with pytest.raises(InputError, match=r"scored by e5 \[fff\], not by use"):
            calibrate(frame, target_precision=0.89, n_resamples=50, encoder=Named())

    def test_pairs_without_texts_have_a_hash_too(self):
        frame = scored_pairs()[["score", "label"]]
        one, other = (
            calibrate(f, target_precision=0.89, n_resamples=50).cutoff.evidence["pairs"]["content_hash"]
            for f in (frame, frame[::-1])
        )
        assert one == other
        assert one.startswith("sha256:")


class TestInWords:
    def test_every_part_has_its_sentence_in_both_languages(self, study):
        for code, words in {
            "en": [
                "500 labelled pairs",
                "of 70 JDs",
                "Today's cutoff 0.4000",
                "Move to",
                "with 95 % confidence",
            ],
            "zh": ["500 对标注", "70 个 JD", "当前阈值 0.4000", "改用", "把握 95%"],
        }.items():
            with language(code):
                said = study.summary()
            assert all(word in said for word in words), said
        assert len(repr(study).splitlines()) <= 5

    def test_the_page_shows_figures_corrected_for_the_choice(self, study):
        assert f"{100 * study.honest['precision'].honest:.1f} %" in study._repr_html_()

    def test_the_evidence_has_them_naive_and_corrected(self, study):
        said = study.sentences()["figures"]
        assert f"precision {100 * study.figures['precision'].value:.1f} %" in said
        assert f"corrected {100 * study.honest['precision'].honest:.1f} %" in said


class TestUnfairSamples:
    def test_a_live_prevalence_is_the_one_of_all_figures(self):
        found = calibrate(scored_pairs(), target_precision=0.7, prevalence=0.1, n_resamples=100)
        assert found.prevalence == pytest.approx(0.1)
        assert found.sweep["prevalence"].to_numpy() == pytest.approx(0.1)
        assert "figures are for 10.0 % matches" in found.summary()
        at = (found.sweep["cutoff"] - found.cutoff.value).abs().idxmin()
        assert found.figures["precision"].value == pytest.approx(found.sweep["precision"][at])
        assert found.bands["precision_low"][at] < found.figures["precision"].value < 1

    def test_a_live_prevalence_reaches_every_part(self):
        frame, targets = scored_pairs(120, 40), {"target_precision": 0.6, "target_missed": 0.05}
        found = calibrate(frame, **targets, prevalence=0.2, held_out=0.3, n_resamples=50)
        pairs, live = Observations.from_frame(frame), {"prevalence": 0.2}
        chosen = choose(count(pairs).at_prevalence(0.2), TargetPrecision(0.6))
        assert found.verdict.to_dict() == verdict(pairs, 0.4, **targets, **live).to_dict()
        assert found.guarantee.to_dict() == guarantee_precision(pairs, 0.6, **live).to_dict()
        assert found.missed_guarantee.to_dict() == guarantee_missed(pairs, 0.05, **live).to_dict()
        assert found.advice.choice.to_dict() == chosen.to_dict()
        assert found.grey_zone.to_dict() == grey_zone(pairs, *targets.values(), **live).to_dict()
        assert found.figures == figures_at(pairs, found.cutoff.value, **live, n_resamples=50)
        assert found.held_out.to_dict() == hold_out(pairs, TargetPrecision(0.6), **live).to_dict()
        assert found.probability.to_dict()["prevalence"] == 0.2
        resamples = resample(pairs, n_resamples=50, including=[found.cutoff.value], **live)
        pd.testing.assert_frame_equal(found.bands, bands(resamples))

    def test_live_scores_reweight_the_pairs(self):
        live = np.random.default_rng(0).beta(3, 7, 4000)
        found = calibrate(scored_pairs(), target_precision=0.8, live_scores=live, n_resamples=100)
        assert found.prevalence < 0.3
        assert found.sweep["share_selected"].iloc[0] == pytest.approx(1)
        at = np.searchsorted(found.sweep["cutoff"], 0.4)
        assert found.sweep["share_selected"][at] == pytest.approx((live > 0.4).mean(), abs=0.05)

    def test_pairs_whose_scores_do_not_occur_live_are_left_out_and_counted(self):
        found = calibrate(
            scored_pairs(), target_missed=0.1, live_scores=np.linspace(0.1, 0.5, 200), n_resamples=50
        )
        unused = found.live.n_unused
        assert len(found.observations) == 500 - unused < 500
        assert f"{unused} labelled pairs were not used" in found.summary()

    def test_both_at_once_are_refused(self):
        with pytest.raises(InputError, match="give one of them"):
            calibrate(scored_pairs(), prevalence=0.1, live_scores=[0.1, 0.2])

    def test_jds_are_resampled_as_a_whole_unless_told_otherwise(self, study):
        assert study.stability.by == "cluster"
        alone = calibrate(scored_pairs(), target_precision=0.89, cluster=None, n_resamples=50)
        assert alone.stability.by == "pair"
        assert alone.guarantee.method == "independent"


class TestDegenerateInput:
    def test_one_class_is_refused(self):
        with pytest.raises(InputError, match="labelled as a match"):
            calibrate(scored_pairs().assign(label=1))

    def test_a_missing_score_is_refused_with_its_position(self):
        frame = scored_pairs()
        frame.loc[7, "score"] = np.nan
        with pytest.raises(InputError, match="score at position 7 is nan"):
            calibrate(frame)

    def test_no_pairs_are_refused(self):
        with pytest.raises(InputError, match="no pairs"):
            calibrate(scored_pairs().iloc[:0])

    @pytest.mark.parametrize(
        "frame",
        [
            pd.DataFrame({"score": [0.9, 0.5, 0.1], "label": [1, 0, 0]}),
            pd.DataFrame({"score": [0.5] * 40, "label": [0, 1] * 20}),
            pd.DataFrame({"score": [0.9, 0.1], "label": [1, 0]}),
            pd.DataFrame({"score": [1.0, -1.0] * 30, "label": [1, 0] * 30}),
            pd.DataFrame(
                {"score": [0.9] * 30 + [0.1] * 30, "label": [1] * 30 + [0] * 30, "jd_id": [1, 2] * 30}
            ),
        ],
        ids=["three pairs", "equal scores", "two pairs", "extremes", "two JDs"],
    )
    def test_little_is_an_answer_too(self, frame):
        found = calibrate(frame, n_resamples=50)
        assert -1 <= found.cutoff.value <= 1
        assert found.summary()
        with language("zh"):
            assert found.summary()
        assert found._repr_html_()
        json.dumps(found.to_dict(), allow_nan=False)

    @pytest.mark.slow
    def test_a_million_pairs_are_an_answer(self):
        rng = np.random.default_rng(0)
        scores = rng.random(1_000_000)
        frame = pd.DataFrame({"score": scores, "label": (rng.random(1_000_000) < scores).astype(int)})
        found = calibrate(frame, target_precision=0.8)
        assert found.cutoff.value == pytest.approx(0.6, abs=0.01)  # precision above t is (1 + t) / 2
        assert found.basis == "guarantee"


@settings(max_examples=15)
@given(st.integers(0, 1000), st.sampled_from([np.tanh, lambda s: s**3, lambda s: 0.3 * s - 0.5]))
@pytest.mark.slow
def test_a_monotone_transformation_changes_no_decision(seed, transform):
    frame = scored_pairs(120, 30, seed)
    moved = frame.assign(score=transform(frame["score"].to_numpy()))
    before, after = (
        calibrate(f, target_precision=0.8, current_cutoff=None, n_resamples=50) for f in (frame, moved)
    )
    if before.basis == "none":
        assert after.basis == "none"
        return
    assert ((frame["score"] > before.cutoff.value) == (moved["score"] > after.cutoff.value)).all()


@settings(max_examples=10)
@given(st.integers(0, 1000))
@pytest.mark.slow
def test_the_order_of_rows_changes_nothing(seed):
    frame = scored_pairs(120, 30, 5)
    shuffled = frame.sample(frac=1, random_state=seed)
    one, other = (calibrate(f, n_resamples=100).to_dict()["evidence"] for f in (frame, shuffled))
    del one["date"], other["date"]
    assert one == other


@pytest.mark.parametrize("n", [300, 6000])  # of as many, pairs are drawn together
def test_who_listens_hears_the_resamples_and_can_end_a_calibration_among_them(n):
    scored = scored_pairs(n)[["score", "label"]]
    heard = []

    class EnoughError(Exception):
        pass

    def end(_what, done, _total):
        if done:
            raise EnoughError

    with heard_by(lambda *step: heard.append(step)):
        calibrate(scored, target_precision=0.8, n_resamples=1000)
    drawn = {done for _what, done, total in heard if total == 1000}
    assert drawn > {0}
    assert max(drawn) < 1000
    with pytest.raises(EnoughError), heard_by(end):
        calibrate(scored, target_precision=0.8, n_resamples=1000)
