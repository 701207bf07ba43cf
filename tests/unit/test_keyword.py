"""The keyword baseline: words in common count, meaning does not."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.metrics.pairwise import cosine_similarity

from workbench.encoders.keyword import KeywordEncoder
from workbench.errors import InputError
from workbench.examples import BACKGROUND, EXAMPLE_JDS, EXAMPLE_QUERY
from workbench.texts import clean


@pytest.fixture(scope="module")
def encoder():
    return KeywordEncoder()


def score(encoder, jd, resume):
    return float(encoder.encode_documents([jd])[0] @ encoder.encode_queries([resume])[0])


def test_scores_are_those_of_plain_tfidf_where_buckets_do_not_collide():
    texts = ["agile database design", "database tuning", "design of a database", "nursing in a ward"]
    encoder = KeywordEncoder(background=texts, dimension=2**20)
    plain = TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 4), sublinear_tf=True).fit_transform(texts)
    vectors = encoder.encode_documents(texts)
    np.testing.assert_allclose(vectors @ vectors.T, cosine_similarity(plain), atol=1e-6)


@pytest.mark.parametrize(
    ("jd", "same_words", "same_meaning"),
    [
        ("熟悉 Spring Boot 微服务开发", "用 Spring Boot 做过微服务", "做过 Java 后台的拆分"),
        ("Experience with Kubernetes clusters", "ran a Kubernetes cluster", "operated container platforms"),
        ("持有护士执业证", "我有护士执业证", "拿到了护理人员的资格"),
    ],
)
def test_shared_words_score_far_above_shared_meaning(encoder, jd, same_words, same_meaning):
    assert score(encoder, jd, same_words) > score(encoder, jd, same_meaning) + 0.2


@pytest.mark.parametrize(
    ("common", "particular"), [("负责", "仓储"), ("experience", "kubernetes"), ("熟悉", "焊接")]
)
def test_the_words_of_every_advert_weigh_less_than_the_words_of_one(encoder, common, particular):
    jd = f"{common} {particular}"
    assert score(encoder, jd, particular) > score(encoder, jd, common) + 0.1


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("JAVA 开发", "java 开发"),
        ("Ｊａｖａ开发", "Java 开发"),
        ("AI Agent开发经验", "AI Agent 开发经验"),
        ("测试，部署。", "测试 部署"),
        ("Node.js.", "node.js"),
    ],
)
def test_spelling_that_means_nothing_changes_nothing(encoder, one, other):
    assert score(encoder, one, other) == pytest.approx(1, abs=1e-6)


@pytest.mark.parametrize(("one", "other"), [("C++", "C"), ("C#", "C++"), (".NET", "net")])
def test_marks_that_belong_to_a_name_count(encoder, one, other):
    assert score(encoder, one, other) < 0.9


def test_texts_without_a_string_in_common_hardly_score(encoder):
    texts = clean([*EXAMPLE_JDS, *BACKGROUND[:20]]).texts
    wide = KeywordEncoder(dimension=2**20).encode_documents(texts)
    collisions = encoder.encode_documents(texts) @ encoder.encode_documents(texts).T - wide @ wide.T
    apart = np.triu_indices(len(texts), 1)
    assert abs(collisions[apart]).mean() < 0.03


def test_scores_are_never_negative(encoder):
    vectors = encoder.encode_documents(EXAMPLE_JDS)
    assert (vectors >= 0).all()


def test_the_jd_with_the_words_of_the_example_comes_first(encoder):
    scores = encoder.encode_documents(EXAMPLE_JDS) @ encoder.encode_queries([EXAMPLE_QUERY])[0]
    assert int(np.argmax(scores)) == 3


@given(text=st.text(st.characters(codec="utf-8"), min_size=1).filter(str.strip))
def test_any_text_has_a_unit_vector(encoder, text):
    assert np.linalg.norm(encoder.encode_documents([text])) == pytest.approx(1, abs=1e-5)


def test_the_fingerprint_is_the_one_that_cards_and_stores_of_today_hold():
    """A change here makes them all useless: only where vectors change, and then with another revision."""
    assert KeywordEncoder().fingerprint == "8d699b3f4357"


def test_the_background_is_part_of_the_fingerprint_in_any_order():
    jds = list(EXAMPLE_JDS)
    own = KeywordEncoder(background=jds)
    assert own.fingerprint == KeywordEncoder(background=jds[::-1]).fingerprint
    assert own.fingerprint != KeywordEncoder().fingerprint


def test_the_background_is_of_clean_distinct_sentences():
    assert clean(BACKGROUND).texts == list(BACKGROUND)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"dimension": 0}, "dimension is 0"),
        ({"background": []}, "background is empty"),
        ({"background": "one text"}, "list of texts"),
        ({"background": ["a", " "]}, "Text 1 is blank"),
    ],
)
def test_options_that_cannot_be_used(options, sentence):
    with pytest.raises(InputError, match=sentence):
        KeywordEncoder(**options)


def test_nothing_is_kept_in_the_store_by_default(encoder):
    assert not encoder.worth_storing
