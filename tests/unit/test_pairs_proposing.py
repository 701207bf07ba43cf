"""What to label next: batches with known probabilities, estimates without bias."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from workbench.calibration import Observations
from workbench.errors import InputError
from workbench.pairs import combine_batches, propose
from workbench.pairs.proposing import inclusion_probabilities


def pool_of(n: int, seed: int = 0) -> pd.DataFrame:
    """Pairs with scores, true labels, and two groups of unequal size."""
    rng = np.random.default_rng(seed)
    label = (rng.random(n) < 0.25).astype(int)
    score = np.clip(np.where(label == 1, rng.normal(0.55, 0.13, n), rng.normal(0.3, 0.12, n)), -1, 1)
    group = np.where(rng.random(n) < 0.1, "rare", "common")
    return pd.DataFrame(
        {"pair_id": [f"p{i}" for i in range(n)], "score": score, "group": group, "truth": label}
    )


class TestProbabilities:
    @given(
        st.lists(st.floats(1e-3, 1e3), min_size=1, max_size=40).flatmap(
            lambda sizes: st.tuples(st.just(sizes), st.integers(0, len(sizes)))
        )
    )
    def test_they_sum_to_n_and_none_exceeds_one(self, case):
        sizes, n = case
        found = inclusion_probabilities(sizes, n)
        assert found.sum() == pytest.approx(n)
        assert found.max() <= 1
        assert (found >= 0).all()
        below = found < 1
        ratios = found[below] / np.array(sizes)[below]
        assert ratios == pytest.approx(np.full(below.sum(), ratios[0] if below.any() else 0))

    @pytest.mark.slow
    def test_every_pair_can_be_drawn(self):
        pool = pool_of(2000)
        drawn = set()
        for seed in range(400):
            batch = propose(pool, 50, 0.45, seed=seed)
            assert (batch["inclusion_probability"] >= 0.3 * 50 / 2000 - 1e-12).all()
            drawn |= set(batch["pair_id"])
        # 20,000 draws at 0.3 of an even draw's probability leave out few of 2,000.
        assert len(drawn) > 1900

    @pytest.mark.slow
    def test_pairs_are_drawn_as_often_as_they_say(self):
        pool = pool_of(60, seed=1)
        counts, said = pd.Series(0, index=pool["pair_id"]), {}
        for seed in range(1500):
            batch = propose(pool, 12, 0.45, groups="group", seed=seed)
            counts[batch["pair_id"]] += 1
            said.update(zip(batch["pair_id"], batch["inclusion_probability"], strict=True))
        expected = pd.Series(said)
        z = (counts / 1500 - expected) / np.sqrt(expected * (1 - expected) / 1500)
        assert expected.sum() == pytest.approx(12)
        assert np.abs(z).max() < 4.5


class TestBatch:
    @given(st.integers(1, 300), st.floats(-1, 1), st.integers(0, 5))
    def test_it_has_the_size_asked_for_without_repeats(self, n, cutoff, seed):
        batch = propose(pool_of(300), n, cutoff, groups="group", seed=seed)
        assert len(batch) == n == batch["pair_id"].nunique()
        assert (batch["weight"] * batch["inclusion_probability"]).to_numpy() == pytest.approx(np.ones(n))

    def test_the_same_seed_gives_the_same_batch(self):
        pool = pool_of(500)
        pd.testing.assert_frame_equal(propose(pool, 40, 0.5, seed=7), propose(pool, 40, 0.5, seed=7))
        assert (
            propose(pool, 40, 0.5, seed=8)["pair_id"].tolist() != propose(pool, 40, 0.5)["pair_id"].tolist()
        )

    def test_it_is_denser_above_and_around_the_cutoff_than_an_even_draw(self):
        pool = pool_of(4000)
        batch = propose(pool, 200, 0.5)
        assert (batch["score"] > 0.5).mean() > 2 * (pool["score"] > 0.5).mean()
        far = (pool["score"] < 0.2).mean()
        assert 0 < (batch["score"] < 0.2).mean() < far

    def test_groups_get_their_share_to_within_one(self):
        pool = pool_of(1000)
        batches = [propose(pool, 100, 0.5, groups="group", seed=seed) for seed in range(30)]
        counts = [(batch["group"] == "rare").sum() for batch in batches]
        assert max(counts) - min(counts) <= 1

    def test_what_is_labelled_already_is_not_drawn_again(self):
        pool = pool_of(100)
        labelled = pool.head(60).assign(label=pool["truth"])
        batch = propose(pool, 40, 0.5, labelled=labelled)
        assert set(batch["pair_id"]) == set(pool["pair_id"][60:])

    def test_labels_move_the_batch_to_where_matches_are_uncertain(self):
        pool = pool_of(4000)
        labelled = pool_of(800, seed=9).assign(pair_id=lambda frame: "old" + frame["pair_id"])
        labelled = labelled.assign(label=(labelled["score"] > 0.7).astype(int))
        told = propose(pool, 200, 0.7, labelled=labelled)
        assert told["score"].between(0.6, 0.8).sum() > 60

    def test_calibration_reads_the_weights(self):
        batch = propose(pool_of(500), 50, 0.5).assign(label=lambda frame: frame["truth"])
        observations = Observations.from_frame(batch)
        assert observations.weights == pytest.approx(batch["weight"].to_numpy())


class TestUnbiased:
    @pytest.mark.slow
    def test_weighted_totals_hit_the_pool_on_average(self):
        pool = pool_of(800, seed=2)
        truth = {
            "pairs": len(pool),
            "matches": pool["truth"].sum(),
            "matches above": (pool["truth"] * (pool["score"] > 0.5)).sum(),
            "rare": (pool["group"] == "rare").sum(),
        }
        found = {name: [] for name in truth}
        for seed in range(1500):
            batch = propose(pool, 60, 0.5, groups="group", seed=seed)
            weight = batch["weight"]
            found["pairs"].append(weight.sum())
            found["matches"].append((weight * batch["truth"]).sum())
            found["matches above"].append((weight * batch["truth"] * (batch["score"] > 0.5)).sum())
            found["rare"].append((weight * (batch["group"] == "rare")).sum())
        for name, values in found.items():
            error = stats.sem(values)
            assert abs(np.mean(values) - truth[name]) < 4 * error, name

    @pytest.mark.slow
    def test_batches_drawn_in_the_light_of_earlier_ones_stay_unbiased_together(self):
        pool = pool_of(400, seed=3)
        totals = []
        for seed in range(600):
            first = propose(pool, 40, 0.3, seed=seed)
            # The second batch depends on the labels of the first, as in real use.
            known = first.assign(label=first["truth"])
            cutoff = float(known.loc[known["label"] == 1, "score"].median()) if known["label"].any() else 0.5
            second = propose(pool, 60, cutoff, labelled=known, seed=seed + 10_000)
            both = combine_batches([first, second])
            totals.append((both["weight"] * both["truth"]).sum())
        assert abs(np.mean(totals) - pool["truth"].sum()) < 4 * stats.sem(totals)

    def test_one_batch_combined_is_itself(self):
        batch = propose(pool_of(300), 30, 0.5)
        assert combine_batches([batch])["weight"].to_numpy() == pytest.approx(batch["weight"].to_numpy())

    def test_precision_is_known_better_than_from_an_even_draw(self):
        pool = pool_of(3000, seed=4)
        above = pool["score"] > 0.5
        truth = pool.loc[above, "truth"].mean()
        active, even = [], []
        for seed in range(150):
            batch = propose(pool, 150, 0.5, seed=seed)
            drawn = pool.sample(150, random_state=seed).assign(weight=1.0)
            for errors, sample in ((active, batch), (even, drawn)):
                chosen = sample[sample["score"] > 0.5]
                errors.append(np.average(chosen["truth"], weights=chosen["weight"]) - truth)
        # Less than half the mean squared error; by simulation about a quarter.
        assert np.mean(np.square(active)) < 0.5 * np.mean(np.square(even))


class TestRefused:
    def test_a_pool_without_scores(self):
        with pytest.raises(InputError, match="Score it first"):
            propose(pd.DataFrame({"pair_id": ["a"]}), 1, 0.5)

    def test_more_than_the_pool_has(self):
        with pytest.raises(InputError, match="the pool has 10 pairs that are not labelled yet"):
            propose(pool_of(10), 11, 0.5)

    def test_missing_scores_with_their_rows(self):
        pool = pool_of(10)
        pool.loc[[2, 5], "score"] = np.nan
        with pytest.raises(InputError, match="no score in rows 2, 5"):
            propose(pool, 3, 0.5)

    def test_a_batch_without_probabilities(self):
        with pytest.raises(InputError, match="Batch 1 has no column"):
            combine_batches([pool_of(5)])

    def test_a_pair_in_two_batches(self):
        batch = propose(pool_of(20), 5, 0.5)
        with pytest.raises(InputError, match="in more than one batch"):
            combine_batches([batch, batch])
