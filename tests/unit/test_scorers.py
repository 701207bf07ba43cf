"""Scorers: what they measure, what they freeze, and which mean comes off where."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.feature_extraction.text import HashingVectorizer, TfidfVectorizer
from sklearn.metrics.pairwise import cosine_similarity

import workbench as wb
from workbench.documents import Document
from workbench.errors import InputError
from workbench.scorers import CosineScorer, CoverageLevels, RelativeScorer, cover, keywords, load_scorer
from workbench.scorers.collection import FEWEST, hubness, languages_of, means_of, whose_means
from workbench.scorers.keywords import BUCKETS, NGRAMS, Keywords, counts_of
from workbench.scorers.windows import Windows, both_ways, windows_of

RNG = np.random.default_rng(0)


def unit(rows):
    return (rows / np.linalg.norm(rows, axis=-1, keepdims=True)).astype(np.float32)


class TopicEncoder:
    """Vectors of a topic (the text's first word), of its side, and of the text itself; no model."""

    name = fingerprint = "topics"

    def _encode(self, texts, side):
        rows = []
        for text in texts:
            topic = np.random.default_rng(sum(map(ord, text.split()[0]))).standard_normal(32)
            own = np.random.default_rng(sum(map(ord, text))).standard_normal(32)
            rows.append(topic + 3 * np.full(32, side) + own / 2)
        return unit(np.array(rows))

    def encode_documents(self, texts, *, progress=None):
        return self._encode(texts, 1.0)

    def encode_queries(self, texts, *, progress=None):
        return self._encode(texts, -0.5)


def pile(topics, n):
    return [f"{topic} text number {number}" for number in range(n) for topic in topics]


TOPICS = ["nursing", "welding", "accounting", "teaching"]


def auc(scores, jds, resumes):
    same = np.array([[a.split()[0] == b.split()[0] for b in resumes] for a in jds])
    found = []
    for row, mine in zip(scores, same, strict=True):
        found.append(np.mean(row[mine][:, None] > row[~mine]))
    return np.mean(found)


class TestWindows:
    @given(st.text(st.sampled_from("ab 护士,.\n"), max_size=300).filter(str.strip), st.integers(1, 30))
    def test_nothing_is_lost(self, text, words):
        assert "".join("".join(windows_of(text, words)).split()) == "".join(text.split())

    def test_they_have_the_words_asked_for_and_no_short_rest(self):
        text = " ".join(f"w{number}" for number in range(107))
        sizes = [len(window.split()) for window in windows_of(text, 25)]
        assert sizes == [25, 25, 25, 32]
        assert [len(window) for window in windows_of("护" * 120, 25)] == [50, 70]

    def test_both_ways_is_a_loop_over_all_pairs(self, monkeypatch):
        def some(counts):
            return Windows(unit(RNG.standard_normal((sum(counts), 8))), np.cumsum([0, *counts])[:-1])

        jds, resumes = some([3, 1, 4]), some([2, 5, 1, 1, 3])
        for most in (1, 20, 10**6):
            monkeypatch.setattr("workbench.scorers.windows.MOST_HELD", most)
            found = both_ways(jds, resumes)
            for j in range(3):
                for r in range(5):
                    cosines = jds.between(j, j + 1).vectors @ resumes.between(r, r + 1).vectors.T
                    assert found[0, j, r] == pytest.approx(cosines.max(axis=1).mean(), abs=1e-6)
                    assert found[1, j, r] == pytest.approx(cosines.max(axis=0).mean(), abs=1e-6)


class TestKeywords:
    def test_they_are_scikit_learns(self):
        jds, resumes = ["night nurse, ward", "护士执业证"], ["ward nurse", "持护士执业证", "java"]
        peer = TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 4), sublinear_tf=True).fit(jds + resumes)
        expected = cosine_similarity(peer.transform(jds), peer.transform(resumes))
        assert Keywords.of(jds, resumes).between() == pytest.approx(expected, abs=1e-6)

    @given(texts=st.lists(st.text(st.characters(codec="utf-8"), max_size=30), max_size=6))
    def test_n_grams_fall_into_scikit_learns_buckets(self, texts):
        hashing = HashingVectorizer(
            analyzer="char_wb", ngram_range=NGRAMS, n_features=BUCKETS, alternate_sign=False, norm=None
        )
        texts = [*texts, "a", "护士 ward\nnurse ward", ""]
        expected = hashing.transform(texts)
        expected.data = 1 + np.log(expected.data)
        assert abs(counts_of(texts) - expected).max() == 0

    def test_parts_of_the_texts_are_counted_as_all_of_them_are(self, monkeypatch):
        texts = ["night nurse", "ward nurse, ward", "", "护士执业证", "java"]
        at_once = counts_of(texts)
        monkeypatch.setattr(keywords, "CHARACTERS_AT_ONCE", 12)
        assert abs(counts_of(texts) - at_once).max() == 0


class TestWhoseMean:
    def sides(self, n_jds, n_resumes, spread_jds=1.0, spread_resumes=1.0):
        vectors = {
            "jd": unit(5 + spread_jds * RNG.standard_normal((n_jds, 16)) * 5),
            "resume": unit(5 + spread_resumes * RNG.standard_normal((n_resumes, 16)) * 5),
        }
        return vectors, {side: np.full(len(rows), "other") for side, rows in vectors.items()}

    @pytest.mark.parametrize(
        ("case", "jd", "resume"),
        [
            ((30, 30), "jd", "resume"),
            ((1, 30), "resume", "resume"),
            ((FEWEST - 1, FEWEST), "resume", "resume"),
            ((30, 30, 0.3), "resume", "resume"),
            ((30, 30, 1.0, 0.3), "jd", "jd"),
        ],
    )
    def test_its_own_unless_there_are_few_or_they_are_of_one_family(self, case, jd, resume):
        assert whose_means(*self.sides(*case)) == {("jd", "other"): jd, ("resume", "other"): resume}

    def test_one_persons_jobs_keep_theirs(self):
        assert whose_means(*self.sides(40, 1)) == {}

    def test_each_language_has_its_own(self):
        texts = ["持护士执业证"] * 12 + ["night nurse"] * 3
        languages = languages_of(texts)
        assert languages.tolist() == ["zh"] * 12 + ["other"] * 3
        rows = unit(RNG.standard_normal((15, 8)) + 2)
        whose = whose_means({"jd": rows, "resume": rows}, {"jd": languages, "resume": languages})
        assert whose == {("jd", "zh"): "jd", ("resume", "zh"): "resume"}
        means = means_of({"jd": rows, "resume": rows}, {"jd": languages, "resume": languages}, whose)
        off = means.off(rows, "jd", languages)
        assert off[12:] == pytest.approx(rows[12:], abs=1e-6)
        centred = rows[:12] - rows[:12].mean(axis=0)
        assert off[:12] == pytest.approx(unit(centred), abs=1e-6)

    def test_hubness_is_half_the_mean_of_the_nearest(self):
        cosines = RNG.random((60, 7))
        expected = np.sort(cosines, axis=0)[-10:].mean(axis=0) / 2
        assert hubness(cosines, axis=0)[0] == pytest.approx(expected)
        assert not hubness(cosines, axis=1).any()


class TestRelative:
    jds, resumes = pile(TOPICS, 5), pile(TOPICS, 8)

    def test_it_finds_the_topic_below_what_each_side_has_in_common(self):
        plain = CosineScorer(TopicEncoder()).score(self.jds, self.resumes).matrix
        better = RelativeScorer(TopicEncoder()).score(self.jds, self.resumes).matrix
        assert auc(better, self.jds, self.resumes) > auc(plain, self.jds, self.resumes)

    def test_jds_of_one_family_keep_their_order(self):
        resumes = pile(TOPICS, 8)
        jds = [f"nursing text number {number}" for number in range(15)]
        scores = RelativeScorer(TopicEncoder()).score(jds, resumes)
        assert auc(scores.matrix, jds, resumes) > 0.95
        assert "résumés have in common was taken off both sides" in scores.how

    def test_fitted_scores_do_not_depend_on_what_else_is_scored(self):
        fitted = RelativeScorer(TopicEncoder()).fit(self.jds, self.resumes)
        whole = fitted.score(self.jds, self.resumes).matrix
        some = fitted.score(self.jds[3:5], self.resumes[7:8]).matrix
        assert some == pytest.approx(whole[3:5, 7:8], abs=1e-6)

    def test_unfitted_it_scores_nearly_as_fitted_on_the_texts_themselves(self):
        # What is frozen tells from a few directions, not from the texts, how near a text lies to everything.
        scorer = RelativeScorer(TopicEncoder())
        fitted = scorer.fit(self.jds, self.resumes).score(self.jds, self.resumes).matrix
        unfitted = scorer.score(self.jds, self.resumes).matrix
        assert np.corrcoef(fitted.ravel(), unfitted.ravel())[0, 1] > 0.9
        plain = CosineScorer(TopicEncoder()).score(self.jds, self.resumes).matrix
        assert auc(fitted, self.jds, self.resumes) > auc(plain, self.jds, self.resumes) + 0.05

    def test_what_is_frozen_holds_no_vector_of_a_text(self):
        encoder = TopicEncoder()
        state = RelativeScorer(encoder).fit(self.jds, self.resumes).state()
        texts = [*self.jds, *self.resumes]
        vectors = np.concatenate([encoder.encode_documents(texts), encoder.encode_queries(texts)])
        for array in state.values():
            if array.dtype.kind == "f" and array.size >= vectors.shape[1]:
                rows = array.T if len(array) == vectors.shape[1] else array
                lengths = np.linalg.norm(rows.astype(float), axis=-1, keepdims=True)
                assert (rows / np.maximum(lengths, 1e-9) @ vectors.T < 0.99).all()
        once = "Xylophonistin"
        named = RelativeScorer(encoder).fit([*self.jds, f"nursing {once}"], self.resumes).state()
        assert named["occurring"][counts_of([once]).indices].min() == 0

    def test_order_of_texts_does_not_matter(self):
        order = RNG.permutation(len(self.resumes))
        scorer = RelativeScorer(TopicEncoder())
        shuffled = scorer.score(self.jds, [self.resumes[at] for at in order]).matrix
        assert shuffled == pytest.approx(scorer.score(self.jds, self.resumes).matrix[:, order], abs=1e-5)

    def test_what_is_frozen_is_part_of_the_fingerprint(self):
        scorer = RelativeScorer(TopicEncoder())
        one, same = scorer.fit(self.jds, self.resumes), scorer.fit(self.jds, self.resumes)
        other = scorer.fit(self.jds[1:], self.resumes)
        assert one.fingerprint == same.fingerprint
        assert len({scorer.fingerprint, one.fingerprint, other.fingerprint}) == 3


class TestLoading:
    def test_an_encoder_means_its_plain_cosine_and_keeps_its_fingerprint(self):
        encoder = wb.load_encoder("keyword")
        scorer = load_scorer(encoder)
        assert isinstance(scorer, CosineScorer)
        assert scorer.fingerprint == encoder.fingerprint
        assert load_scorer(scorer) is scorer
        assert load_scorer("keyword").fingerprint == encoder.fingerprint

    def test_relative_by_name(self):
        assert load_scorer("keyword+relative").name == "keyword+relative"
        with pytest.raises(InputError, match=r"no scorer 'use\+magic'"):
            load_scorer("use+magic")

    @pytest.mark.parametrize(("jds", "resumes"), [([], ["a"]), (["a"], []), ("a", ["b"]), (["a"], [" "])])
    def test_empty_sides_and_blank_texts_are_refused(self, jds, resumes):
        with pytest.raises(InputError, match=r"(jds|resumes): "):
            load_scorer("keyword").score(jds, resumes)


class TestCoverage:
    jd = Document("jd", "Requirements\nventilation of patients\nwelding of pipes", side="jd")
    cv = Document(
        "cv",
        "Experience\nwelding of steel pipes\nventilation for patients at night\nhobby: chess",
        side="resume",
    )

    def test_each_requirement_has_its_nearest_phrase(self):
        levels = CoverageLevels(0.5, 0.2, "keyword")
        (found,) = cover(wb.load_encoder("keyword"), [self.jd], [self.cv], [(0, 0)], levels=levels)
        assert [(row.requirement.text, row.phrase.text) for row in found.rows] == [
            ("ventilation of patients", "ventilation for patients at night"),
            ("welding of pipes", "welding of steel pipes"),
        ]
        assert {row.state for row in found.rows} == {"covered"}
        assert found.to_frame()["kind"].tolist() == ["requirement", "requirement"]

    def test_what_no_phrase_comes_near_is_not_found_and_never_called_lacking(self):
        jd = Document("jd", "任职要求\n持护士执业证\n加分项\n会唱歌", side="jd")
        levels = CoverageLevels(0.5, 0.2, "keyword")
        (found,) = cover(wb.load_encoder("keyword"), [jd], [self.cv], [(0, 0)], levels=levels)
        assert [row.requirement.text for row in found.missing] == ["持护士执业证"]
