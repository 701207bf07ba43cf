"""Whether explanations can be trusted: true ones pass, useless ones are said to be useless."""

from __future__ import annotations

import hashlib

import numpy as np
import pandas as pd
import pytest
from character_encoder import CharacterEncoder
from toy_encoders import ToyEncoder

from workbench.errors import InputError
from workbench.exploration import explain, measure_faithfulness
from workbench.exploration.faithfulness import _interval
from workbench.exploration.phrases import without
from workbench.i18n import language

WORDS = [
    "alfa",
    "bravo",
    "kilo",
    "delta",
    "echo",
    "foxtrot",
    "golf",
    "hotel",
    "india",
    "lima",
    "mike",
    "papa",
]


def pairs_of(n_jds=8, each=4, seed=0):
    rng = np.random.default_rng(seed)
    rows = []
    for jd in range(n_jds):
        wanted = rng.choice(WORDS, 4, replace=False)
        for _ in range(each):
            others = rng.choice([word for word in WORDS if word not in wanted], 4, replace=False)
            listed = rng.permutation([*wanted[:2], *others])
            rows.append({"jd": ", ".join(wanted), "resume": ", ".join(listed), "jd_id": jd})
    return pd.DataFrame(rows)


class WordEncoder(ToyEncoder):
    """A text is the sum of vectors of its words."""

    dimension = 64

    def _vector(self, text, role):
        words = text.replace(",", " ").split()
        return sum((self.of(word) for word in words), 1e-3 * np.ones(64))

    def of(self, word):
        seed = int.from_bytes(hashlib.sha256(word.encode()).digest()[:8], "big")
        return np.random.default_rng(seed).normal(size=64)


class Whole(WordEncoder):
    """A vector that depends on the text as a whole, so that phrases have no part of their own."""

    def _vector(self, text, role):
        return self.of(text)


def test_where_words_make_the_score_the_explanation_is_faithful():
    found = measure_faithfulness(pairs_of(), WordEncoder(batch_size=500))
    assert found.standing == "faithful"
    assert 0 < found.deleted.low < found.deleted.value < found.deleted.high
    assert 0 < found.kept.low < found.kept.value
    assert "Both tests pass" in found.sentence()
    with language("zh"):
        assert "两项检验都通过" in found.sentence()


def test_where_phrases_have_no_part_of_their_own_it_is_said_not_to_be():
    found = measure_faithfulness(pairs_of(30), Whole(batch_size=5000))
    assert found.standing == "not faithful"
    assert found.deleted.low <= 0
    assert found.kept.low <= 0
    assert "do not read them as reasons" in found.sentence()
    with language("zh"):
        assert "请不要当理由看" in found.sentence()


def test_the_figures_of_a_pair_are_scores_of_texts_without_the_named_phrases():
    pairs = pairs_of(3, 2)
    encoder = CharacterEncoder()
    found = measure_faithfulness(pairs, encoder, k=2, n_random=1)
    for row, (jd, resume) in enumerate(zip(pairs["jd"], pairs["resume"], strict=True)):
        phrases = explain(jd, resume, encoder).resume.phrases
        top = sorted(phrases, key=lambda phrase: (-phrase.effect, phrase.start))[:2]
        longest = sorted(phrases, key=lambda phrase: (-len(phrase.text), phrase.start))[:2]
        rest = [phrase for phrase in phrases if phrase not in top]

        def score(text, jd=jd):
            return float(encoder.encode_documents([jd])[0] @ encoder.encode_queries([text])[0])

        whole = score(resume)
        assert found.table["drop_top"][row] == pytest.approx(whole - score(without(resume, top)), abs=1e-5)
        assert found.table["drop_longest"][row] == pytest.approx(
            whole - score(without(resume, longest)), abs=1e-5
        )
        assert found.table["kept_top"][row] == pytest.approx(score(without(resume, rest)), abs=1e-5)
    assert found.deleted.value == pytest.approx((found.table["drop_top"] - found.table["drop_random"]).mean())


def test_the_side_of_the_jd_is_measured_with_the_resume_text_left_whole():
    encoder = WordEncoder(batch_size=5000)
    found = measure_faithfulness(pairs_of(), encoder, side="jd")
    assert found.side == "jd"
    queries = {text for role, texts in encoder.asked if role == "query" for text in texts}
    assert queries == set(pairs_of()["resume"])


def test_pairs_whose_text_is_too_short_are_counted_not_dropped_in_silence():
    pairs = pairs_of(4, 2)
    pairs.loc[1, "resume"] = "alfa, bravo"
    found = measure_faithfulness(pairs, WordEncoder(batch_size=500))
    assert found.n_short == 1
    assert 1 not in set(found.table["pair"])
    assert len(found.table) == len(pairs) - 1


def test_the_interval_draws_whole_jds():
    rng = np.random.default_rng(0)
    jds = np.repeat(np.arange(12), 20)
    values = pd.Series(rng.normal(size=12)[jds] + 0.01 * rng.normal(size=240))
    found = _interval(values, jds, 0.95, 4000, 0)
    # By hand: draw JDs, weigh each mean by its pairs.
    means = values.groupby(jds).mean().to_numpy()
    drawn = means[rng.integers(12, size=(4000, 12))].mean(axis=1)
    low, high = np.quantile(drawn, (0.025, 0.975))
    assert found.low == pytest.approx(low, abs=0.06)
    assert found.high == pytest.approx(high, abs=0.06)
    by_pair = _interval(values, np.arange(240), 0.95, 4000, 0)
    assert found.high - found.low > 2.5 * (by_pair.high - by_pair.low)


def test_the_same_seed_gives_the_same_figures_and_a_sample_is_of_that_size():
    one, other = (measure_faithfulness(pairs_of(), WordEncoder(batch_size=500), n_pairs=10) for _ in "ab")
    pd.testing.assert_frame_equal(one.table, other.table)
    assert one.to_dict() == other.to_dict()
    assert len(one.table) == 10


@pytest.mark.parametrize(
    ("pairs", "options", "says"),
    [
        (pairs_of(), {"k": 1}, "k is 1; .* proves nothing: take at least 2"),
        (pairs_of(), {"n_random": 0}, "n_random is 0"),
        (pairs_of(), {"confidence": 1.0}, "confidence is 1.0"),
        (pairs_of(1, 1), {}, "All pairs \\(1\\) are of one JD; how much the figures would vary"),
        (pairs_of(1, 5), {}, "All pairs \\(5\\) are of one JD"),
        (pairs_of(), {"k": 9}, "In none of the 32 pairs has the résumé text more than 9 phrases"),
        (pairs_of()[:0], {}, "There are no pairs"),
        (pairs_of().drop(columns="resume"), {}, "no column 'resume'"),
    ],
)
def test_what_cannot_be_measured_is_refused(pairs, options, says):
    with pytest.raises(InputError, match=says):
        measure_faithfulness(pairs, WordEncoder(batch_size=500), **options)


@pytest.mark.slow
def test_on_the_demonstration_pairs_named_phrases_matter_more_than_random_ones():
    import workbench as wb

    pairs = wb.read_pairs(wb.get_settings().project_dir / "labeled_pairs" / "demo")
    encoder = wb.load_encoder("use")
    for side in ("jd", "resume"):
        found = measure_faithfulness(pairs, encoder, side=side, n_pairs=60, progress=False)
        assert found.standing == "faithful"
        assert found.beside_longest.low > 0
