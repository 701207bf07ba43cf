"""Words and terms: Chinese and English cut as people would, groups told apart as the paper has it."""

from __future__ import annotations

import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.feature_extraction.text import CountVectorizer

from workbench.errors import InputError, MissingDependencyError
from workbench.exploration import distinguishing_terms, terms_of_selection
from workbench.exploration.terms import group_names, runs_of, segmenter, terms_of

TEXTS = [
    "熟悉 Spring Boot 微服务开发",
    "五年 Java，Spring Boot 与 MySQL 调优",
    "Java 后端，写过 Spring Boot 接口",
    "三甲医院护士，夜班值守",
    "护士执业证，重症监护",
    "ward nurse, night shifts",
    "registered nurse on a surgical ward",
]
GROUPS = ["software"] * 3 + ["nursing"] * 4


def words_of(text):
    return [word for run in runs_of(text) for word in run]


def class_tf_idf(counts):
    """W = tf / |class| * log(1 + A / f): Grootendorst (2022), equation 2, tf divided by the class total."""
    counts = np.array(counts)
    average = counts.sum() / len(counts)
    everywhere = counts.sum(axis=0)
    weights = np.log(1 + average / np.where(everywhere, everywhere, np.inf))
    return counts / counts.sum(axis=1, keepdims=True) * weights


class TestWords:
    def test_chinese_is_cut_into_words_not_characters(self):
        assert words_of("熟悉机器学习和深度学习") == ["机器", "学习", "深度", "学习"]

    def test_mixed_texts_are_cut_at_the_script(self):
        assert words_of("熟悉PyTorch框架") == ["PyTorch", "框架"]

    @pytest.mark.parametrize("word", ["C++", "C#", "Node.js", "CI/CD", "S4-HANA", "PL/SQL", "Ansätze"])
    def test_names_of_tools_stay_whole(self, word):
        assert words_of(f"uses {word}, daily")[:1] == [word] or word in words_of(f"with {word} daily")

    def test_what_stands_in_every_advert_is_left_out(self):
        assert words_of("负责公司相关工作，具备良好的能力，3 years of experience with the team") == []

    def test_pairs_do_not_reach_over_punctuation_numbers_or_stop_words(self):
        assert terms_of("data cleaning, model training") == [
            *("data", "cleaning", "data cleaning"),
            *("model", "training", "model training"),
        ]
        assert "training deployment" not in terms_of("training and deployment")
        assert "Boot Docker" not in terms_of("Boot 3 Docker")

    def test_chinese_pairs_are_written_without_a_space(self):
        assert "深度学习" in terms_of("深度学习")

    def test_without_jieba_the_message_names_the_extra(self, monkeypatch):
        monkeypatch.setitem(sys.modules, "jieba", None)
        segmenter.cache_clear()
        with pytest.raises(MissingDependencyError, match=r"jieba.*\.\[map\]"):
            words_of("机器学习")
        assert words_of("machine learning") == ["machine", "learning"]

    def test_jieba_keeps_its_cache_in_the_users_folder_not_in_a_shared_one(self):
        from workbench.settings import get_settings

        segmenter.cache_clear()
        words_of("机器学习")
        assert segmenter().tmp_dir == str(get_settings().cache_dir)
        assert (get_settings().cache_dir / "jieba.cache").is_file()

    @given(st.text(max_size=60))
    def test_any_text_can_be_cut(self, text):
        assert all(word and not word.isspace() for word in words_of(text))


class TestClassTfIdf:
    def test_the_weights_are_those_of_the_paper(self):
        texts, groups = ["alpha beta beta", "beta", "gamma gamma", "alpha gamma"], [0, 0, 1, 1]
        table = distinguishing_terms(texts, groups, n_terms=1)
        vectorizer = CountVectorizer(analyzer=terms_of)
        counts = vectorizer.fit_transform([" ".join(texts[:2]), " ".join(texts[2:])]).toarray()
        # Joining texts makes pairs over their border; count each text alone instead.
        alone = vectorizer.transform(texts).toarray()
        counts = np.vstack([alone[:2].sum(axis=0), alone[2:].sum(axis=0)])
        weights = class_tf_idf(counts)
        columns = {term: place for place, term in enumerate(vectorizer.get_feature_names_out())}
        for _, row in table.iterrows():
            assert row["weight"] == pytest.approx(weights[row["group"], columns[row["term"]]])
        assert table["term"].tolist() == ["beta", "gamma"]


class TestDistinguishingTerms:
    def test_each_group_gets_its_own_words(self):
        found = distinguishing_terms(TEXTS, GROUPS, n_terms=3).groupby("group")["term"].agg(list)
        assert "Spring Boot" in found["software"]
        assert "Java" in found["software"]
        assert {"nurse", "护士"} <= set(found["nursing"])

    def test_shares_are_counted_in_texts(self):
        found = distinguishing_terms(TEXTS, GROUPS, n_terms=8).set_index(["group", "term"])
        boot = found.loc[("software", "Spring Boot")]
        assert (boot["n_texts"], boot["share"], boot["share_elsewhere"]) == (3, 1.0, 0.0)
        nurse = found.loc[("nursing", "nurse")]
        assert (nurse["n_texts"], nurse["share"]) == (2, 0.5)

    def test_a_word_and_a_pair_with_it_are_not_both_given(self):
        terms = distinguishing_terms(TEXTS, GROUPS, n_terms=8)["term"].tolist()
        assert "Spring" not in terms
        assert "Boot" not in terms

    def test_case_does_not_split_a_term_and_the_commonest_spelling_is_shown(self):
        found = distinguishing_terms(["SQL", "sql tuning", "SQL", "ward", "ward"], [0, 0, 0, 1, 1], n_terms=1)
        assert found["term"].tolist() == ["SQL", "ward"]
        assert found["n_texts"].tolist() == [3, 2]

    def test_a_term_of_one_text_is_passed_over_where_there_are_others(self):
        texts = ["Kubernetes Kubernetes Kubernetes", "Java", "Java", "ward", "ward"]
        assert distinguishing_terms(texts, [0, 0, 0, 1, 1])["term"].tolist() == ["Java", "ward"]

    def test_the_order_of_texts_does_not_matter(self):
        order = [4, 2, 6, 0, 5, 3, 1]
        again = distinguishing_terms([TEXTS[row] for row in order], [GROUPS[row] for row in order])
        assert again.equals(distinguishing_terms(TEXTS, GROUPS))

    def test_noise_gets_no_terms(self):
        assert set(distinguishing_terms(TEXTS, [0, 0, 0, -1, -1, -1, -1])["group"]) == {0}

    def test_texts_without_words_are_no_error(self):
        assert distinguishing_terms(["2024", "！！"], [0, 1]).empty

    def test_lengths_must_fit(self):
        with pytest.raises(InputError, match="7 texts, but 1 groups"):
            distinguishing_terms(TEXTS, [0])


class TestSelection:
    def test_a_selection_is_told_from_the_rest(self):
        found = terms_of_selection(TEXTS, [3, 4], n_terms=1)
        assert found["term"].tolist() == ["护士"]
        assert found["share"].tolist() == [1.0]

    def test_a_mask_says_the_same_as_rows(self):
        mask = np.array([False] * 3 + [True] * 2 + [False] * 2)
        assert terms_of_selection(TEXTS, mask).equals(terms_of_selection(TEXTS, [3, 4]))

    def test_with_groups_the_rest_of_each_is_a_class_of_its_own(self):
        texts = ["alpha", "alpha", "beta", "beta, beta", "gamma", "alpha"]
        found = terms_of_selection(texts, [0, 1], ["a", "a", "b", "b", "c", "a"], n_terms=1)
        # Columns alpha, beta, gamma; rows: the selection, then what is left of a, b and c.
        expected = class_tf_idf([[2, 0, 0], [1, 0, 0], [0, 3, 0], [0, 0, 1]])[0, 0]
        assert found["weight"].tolist() == [pytest.approx(expected)]

    def test_nothing_selected_is_refused(self):
        with pytest.raises(InputError, match="No text is selected"):
            terms_of_selection(TEXTS, [])


class TestNames:
    def test_a_group_is_named_in_phrases_of_its_texts(self):
        names = group_names(TEXTS, GROUPS)
        assert names["software"].split(" · ")[0] == "Spring Boot"
        for group, name in names.items():
            said = " ".join(text for text, own in zip(TEXTS, GROUPS, strict=True) if own == group)
            for phrase in name.split(" · "):
                assert phrase.replace(" ", "") in said.replace(" ", "")

    def test_a_numeral_or_an_abbreviation_of_two_letters_is_no_name_by_itself(self):
        texts = ["Phase III trials", "trial of Phase III", "III, OP", "Java services", "Java services"]
        assert group_names(texts, [0, 0, 0, 1, 1])[0].startswith("Phase III")
        assert group_names(["III", "OP", "Java"], [0, 0, 1]) == {0: "", 1: "Java"}

    def test_phrases_of_a_name_share_no_word_and_noise_has_none(self):
        texts = ["银行对公客户经理，授信报告", "城商行对公客户经理，授信报告", "护士"]
        names = group_names(texts, [0, 0, -1])
        assert list(names) == [0]
        first, second = names[0].split(" · ")
        assert not set(words_of(first)) & set(words_of(second))
