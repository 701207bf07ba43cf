"""Offsets for language pairs: told where scores lie on scales of their own, and not where they do not."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression
from toy_encoders import ToyEncoder

import workbench as wb
from workbench.calibration.language_pairs import RIDGE, _fitted, compare_language_pairs
from workbench.scorers import OffsetScorer, language_pairs, load_scorer, scorer_of


def world(seed, shift=0.0, n_jds=60):
    """Pairs of JDs whose scores depend on one another; `across` scores lower by a shift."""
    rng = np.random.default_rng(seed)
    jd = np.repeat(np.arange(n_jds), 15)
    name = np.where(rng.random(len(jd)) < 0.4, "across", np.where(jd % 2, "zh-zh", "other-other"))
    label = (rng.random(len(jd)) < 0.3).astype(int)
    noise = np.sqrt(0.15) * rng.normal(size=n_jds)[jd] + np.sqrt(0.85) * rng.normal(size=len(jd))
    score = 0.3 + 0.1 * (noise + 2.2 * label) - shift * (name == "across")
    return pd.DataFrame({"score": score, "label": label, "jd_id": jd.astype(str)}), name


def test_one_cutoff_serves_all_where_scales_are_the_same():
    found = [compare_language_pairs(*world(seed)) for seed in range(60)]
    assert sum(bool(each.offsets) for each in found) <= 7
    quiet = next(each for each in found if not each.offsets)
    assert quiet.sentence().startswith("One cutoff for all languages: ")
    assert not quiet.out_of_fold.any()


def test_a_scale_of_its_own_is_found_with_its_offset():
    found = [compare_language_pairs(*world(seed, shift=0.08)) for seed in range(20)]
    assert all(each.offsets for each in found)
    by = [each.offsets["across"] - each.offsets["zh-zh"] for each in found]
    assert np.mean(by) == pytest.approx(0.08, abs=0.01)


def test_the_offset_of_a_pair_is_without_its_jds_labels():
    pairs, names = world(0, shift=0.08)
    before = compare_language_pairs(pairs, names).out_of_fold
    jd = pairs["jd_id"] == "7"
    after = compare_language_pairs(pairs.assign(label=pairs["label"] ^ jd), names).out_of_fold
    assert after[jd.to_numpy()] == pytest.approx(before[jd.to_numpy()])
    assert (after != before).any()


def test_groups_with_too_few_labels_are_named_and_get_none():
    pairs, names = world(0, shift=0.3)
    names = np.where((names == "across") & (pairs["label"] == 1), "zh-zh", names)
    found = compare_language_pairs(pairs, names)
    assert set(found.tested) == {"zh-zh", "other-other"}
    assert "Too few labels to tell: across." in found.sentence()
    assert compare_language_pairs(pairs, np.full(len(pairs), "zh-zh")).sentence().endswith("takes more.")


def test_the_curve_is_that_of_logistic_regression():
    pairs, names = world(1)
    table = np.column_stack([np.ones(len(pairs)), pairs["score"] * 10, names == "across"]).astype(float)
    labels = pairs["label"].to_numpy()
    peer = LogisticRegression(C=1 / RIDGE, fit_intercept=False, tol=1e-10, max_iter=1000).fit(table, labels)
    assert _fitted(table, labels, np.ones(len(table))) == pytest.approx(peer.coef_[0], rel=1e-3)


class TestOfPairs:
    """A card whose scorer adds the offsets."""

    @pytest.fixture
    def scored(self):
        pairs, _names = world(0, shift=0.0)
        zh = np.arange(len(pairs)) % 2 == 0
        scored = pairs.assign(
            jd=np.where(zh, "护士 " + pairs["jd_id"], "nurse " + pairs["jd_id"]),
            resume=np.where(zh, "病房 ", "ward ") + pd.Series(np.arange(len(pairs))).astype(str),
            score=pairs["score"] - 0.1 * zh,
        )
        encoder = ToyEncoder()
        scored.attrs["encoder"] = {"name": encoder.name, "fingerprint": encoder.fingerprint}
        return scored

    def test_offsets_bring_both_to_one_scale(self, scored):
        better, found = wb.with_language_offsets(scored)
        assert found.offsets["zh-zh"] - found.offsets["other-other"] == pytest.approx(0.1, abs=0.03)
        again = wb.with_language_offsets(better)[1]
        assert not again.offsets

    def test_the_card_carries_them_to_its_scorer(self, scored, tmp_path):
        better, found = wb.with_language_offsets(scored)
        path = wb.calibrate(better, target_precision=0.6, n_resamples=20).save(tmp_path / "card.json")
        encoder = ToyEncoder()
        loaded = scorer_of(wb.Cutoff.load(path), OffsetScorer(load_scorer(encoder)))
        assert loaded.offsets == found.offsets
        plain = load_scorer(encoder).score(["护士", "nurse"], ["病房", "ward"]).matrix
        added = loaded.score(["护士", "nurse"], ["病房", "ward"]).matrix - plain
        by = [found.offsets["zh-zh"], 0.0, found.offsets["other-other"]]
        assert added.ravel() == pytest.approx([by[0], by[1], by[1], by[2]])


def test_names_of_language_pairs():
    jds, resumes = np.array(["zh", "other"]), np.array(["zh", "other"])
    assert language_pairs(jds, resumes).tolist() == ["zh-zh", "other-other"]
    assert language_pairs(jds[:, None], resumes[None]).tolist() == [
        ["zh-zh", "across"],
        ["across", "other-other"],
    ]
