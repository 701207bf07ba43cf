"""Scorers: what they measure, what they freeze, and which mean comes off where."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.feature_extraction.text import CountVectorizer, HashingVectorizer, TfidfVectorizer
from sklearn.metrics.pairwise import cosine_similarity

import workbench as wb
from workbench.documents import Document
from workbench.errors import InputError
from workbench.scorers import CosineScorer, CoverageLevels, RelativeScorer, cover, load_scorer
from workbench.scorers.collection import (
    ENOUGH,
    FEWEST,
    centred,
    enough,
    hubness,
    languages_of,
    levels_of,
    offsets_of,
    trust_of,
)
from workbench.scorers.keywords import BUCKETS, TOKENS, Keywords, counts_of
from workbench.scorers.windows import MOST, Windows, both_ways, windows_of

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

    def test_what_is_written_without_spaces_or_end_has_windows_too(self):
        assert max(map(len, windows_of("x" * 30_000))) < 1000
        assert len(windows_of("word " * 10**6)) <= MOST

    def test_both_ways_is_a_loop_over_all_pairs(self, monkeypatch):
        def some(counts):
            return Windows(unit(RNG.standard_normal((sum(counts), 8))), np.cumsum([0, *counts])[:-1])

        jds, resumes = some([3, 1, 4]), some([2, 5, 1, 1, 3])
        for most, rows in ((4, 1), (20, 4), (2**22, 2**10)):
            monkeypatch.setattr("workbench.scorers.windows.MOST_HELD", most)
            monkeypatch.setattr("workbench.scorers.windows.MOST_ROWS", rows)
            found = both_ways(jds, resumes)
            for j in range(3):
                for r in range(5):
                    cosines = jds.between(j, j + 1).vectors @ resumes.between(r, r + 1).vectors.T
                    assert found[0, j, r] == pytest.approx(cosines.max(axis=1).mean(), abs=1e-6)
                    assert found[1, j, r] == pytest.approx(cosines.max(axis=0).mean(), abs=1e-6)


class TestKeywords:
    @given(texts=st.lists(st.text(st.characters(codec="utf-8"), max_size=30), max_size=6))
    def test_they_fall_into_scikit_learns_buckets(self, texts):
        hashing = HashingVectorizer(token_pattern=TOKENS, n_features=BUCKETS, alternate_sign=False, norm=None)
        texts = [*texts, "ward nurse, nurse of a ward and a half", "", "护士执业证"]
        expected = hashing.transform(texts)
        expected.data = 1 + np.log(expected.data)
        assert abs(counts_of(texts) - expected).max() == 0

    @pytest.mark.parametrize(
        ("text", "keywords"),
        [
            ("Night nurse, C++ and C# since 2019", ["night", "nurse", "c++", "and", "c#", "since"]),
            ("持护士证, Java开发", ["持护", "护士", "士证", "java", "开发"]),
            ("3D 打印 2019 12", ["3d", "打印"]),
            ("2019 - 2021", []),
        ],
    )
    def test_they_are_words_and_chinese_bigrams_and_no_years(self, text, keywords):
        assert CountVectorizer(token_pattern=TOKENS).build_analyzer()(text) == keywords

    def test_they_are_weighted_as_by_scikit_learn(self):
        jds, resumes = ["night nurse, ward", "护士 执业"], ["ward nurse", "护士", "java", "2019"]
        peer = TfidfVectorizer(analyzer=str.split, sublinear_tf=True).fit(
            [text.replace(",", "") for text in jds + resumes[:3]] + [""]
        )
        expected = cosine_similarity(
            peer.transform(["night nurse ward", "护士 执业"]), peer.transform([*resumes[:3], ""])
        )
        assert Keywords.of(jds, resumes).between() == pytest.approx(expected, abs=1e-6)


class TestTrust:
    def sides(self, n_jds, n_resumes, spread_jds=1.0, spread_resumes=1.0):
        vectors = {
            "jd": unit(5 + spread_jds * RNG.standard_normal((n_jds, 16)) * 5),
            "resume": unit(5 + spread_resumes * RNG.standard_normal((n_resumes, 16)) * 5),
        }
        return vectors, {side: np.full(len(rows), "other") for side, rows in vectors.items()}

    @pytest.mark.parametrize(
        ("case", "jd", "resume"),
        [
            ((30, 30), 1, 1),
            ((1, 30), 0, 1),
            ((FEWEST, ENOUGH), 0, 1),
            ((30, 30, 0.3), 0, 1),
            ((30, 30, 1.0, 0.3), 1, 0),
            ((40, 1), 1, 0),
            ((1, 1), 0, 0),
        ],
    )
    def test_few_and_families_tell_nothing(self, case, jd, resume):
        trust = trust_of(*self.sides(*case))
        assert trust["jd", "other"] == pytest.approx(jd, abs=0.2)
        assert trust["resume", "other"] == pytest.approx(resume, abs=0.2)

    def test_it_has_no_cliff(self):
        assert np.diff([enough(n) for n in range(1, 20)]).max() < 0.2
        vectors, languages = self.sides(40, 40)
        found = []
        for share in np.linspace(0, 1, 50):
            mixture = {**vectors, "jd": unit(share * vectors["jd"] + (1 - share) * vectors["jd"][:1])}
            found.append(trust_of(mixture, languages)["jd", "other"])
        assert (found[0], found[-1]) == (0, pytest.approx(1, abs=0.2))
        assert np.abs(np.diff(found)).max() < 0.2

    def test_its_own_mean_comes_off_as_far_as_it_is_trusted_and_else_the_others(self):
        vectors, languages = self.sides(12, 15)
        means = {side: rows.mean(axis=0) for side, rows in vectors.items()}
        trust = {("jd", "other"): 0.25, ("resume", "other"): 1.0}
        offsets = offsets_of(vectors, languages, trust, share=0.5)
        expected = 0.5 * (0.25 * means["jd"] + 0.75 * means["resume"])
        assert offsets["jd", "other"] == pytest.approx(expected, abs=1e-6)
        assert offsets["resume", "other"] == pytest.approx(0.5 * means["resume"], abs=1e-6)
        off = centred(vectors["jd"], "jd", languages["jd"], offsets)
        assert off == pytest.approx(unit(vectors["jd"] - expected), abs=1e-6)

    def test_each_language_has_its_own(self):
        languages = languages_of(["持护士执业证"] * 12 + ["night nurse"] * 3)
        assert languages.tolist() == ["zh"] * 12 + ["other"] * 3
        rows = unit(RNG.standard_normal((15, 8)) + 2)
        sides = {"jd": rows, "resume": rows}, {"jd": languages, "resume": languages}
        trust = trust_of(*sides)
        assert (trust["jd", "zh"], trust["jd", "other"]) == (1, 0)
        off = centred(rows, "jd", languages, offsets_of(*sides, trust))
        assert off[12:] == pytest.approx(rows[12:], abs=1e-6)
        assert off[:12] == pytest.approx(unit(rows[:12] - rows[:12].mean(axis=0)), abs=1e-6)

    def test_levels_are_half_the_mean_of_the_nearest_of_ones_language(self):
        scores, languages = RNG.random((7, 60)), np.array(["zh"] * 30 + ["other"] * 30)
        assert hubness(scores) == pytest.approx(np.sort(scores, axis=1)[:, -10:].mean(axis=1) / 2)
        sides = {"jd": np.array(["zh"] * 4 + ["other"] * 3), "resume": languages}
        trust = {("jd", "zh"): 0, ("jd", "other"): 0, ("resume", "zh"): 1, ("resume", "other"): 0.5}
        levels = levels_of(scores, sides, trust)
        nearest = np.sort(scores[:4, :30], axis=1)[:, -6:]
        assert levels["jd"][:4] == pytest.approx(nearest.mean(axis=1) / 2)
        nearest = np.sort(scores[4:, 30:], axis=1)[:, -6:]
        expected = (nearest.mean(axis=1) / 2 + hubness(scores[4:])) / 2
        assert levels["jd"][4:] == pytest.approx(expected)
        assert not levels["resume"].any()


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
        assert named["occurring/other"][counts_of([once]).indices].max() == 0
        assert named["occurring/other"][counts_of(["text"]).indices].min() > 0

    def test_texts_of_another_language_change_nothing(self):
        chinese = [f"{topic} 号 {n}" for n in range(12) for topic in ("护士护理", "焊接钢管", "会计审计")]
        scorer = RelativeScorer(TopicEncoder())
        alone = scorer.score(self.jds, self.resumes).matrix
        among = scorer.score([*self.jds, *chinese], [*self.resumes, *chinese[::-1]]).matrix
        assert among[: len(self.jds), : len(self.resumes)] == pytest.approx(alone, abs=1e-6)

    @pytest.mark.parametrize("n", [(1, 1), (2, 3), (1, 30), (30, 1), (5, 5)])
    def test_any_number_of_documents_will_do(self, n):
        jds, resumes = pile(TOPICS, 8)[: n[0]], pile(TOPICS[::-1], 8)[: n[1]]
        scorer = RelativeScorer(TopicEncoder())
        for some in (scorer, scorer.fit(jds, resumes)):
            scores = some.score(jds, resumes)
            assert np.isfinite(scores.matrix).all()
            assert scores.how.count(".") == 1
        same = np.array([[a.split()[0] == b.split()[0] for b in resumes] for a in jds])
        if same.any() and not same.all():
            matrix = scorer.score(jds, resumes).matrix
            assert matrix[same].mean() > matrix[~same].mean()

    @pytest.mark.parametrize(
        "text", ["12345 67890", "x" * 30_000, "薪资福利\n五险一金，双休", "🙂", "- - -\n***"]
    )
    def test_odd_texts_are_scored_as_others_are(self, text):
        scorer = load_scorer("keyword+relative")
        scores = scorer.score([*self.jds, text], [*self.resumes, text]).matrix
        assert np.isfinite(scores).all()

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
