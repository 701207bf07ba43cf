"""What the base class does for every encoder, and what a text costs: which texts are encoded for that."""

from __future__ import annotations

import hashlib
import json

import numpy as np
import pytest
from toy_encoders import ToyEncoder

from workbench.encoders import EmbeddingStore, StoredEncoder, base
from workbench.encoders.base import (
    BaseEncoder,
    Encoder,
    check_texts,
    fingerprint_of,
    milliseconds_a_text,
)
from workbench.errors import EncoderError, InputError


def test_an_encoder_of_the_base_class_fulfils_the_protocol():
    assert isinstance(ToyEncoder(), Encoder)


def test_rows_stand_in_the_order_of_the_texts_whatever_order_batches_have():
    encoder = ToyEncoder(batch_size=3)
    texts = [f"text {number}" for number in range(8)]
    together = encoder.encode_documents(texts)
    for text, row in zip(texts, together, strict=True):
        np.testing.assert_array_equal(row, encoder.encode_documents([text])[0])


def test_rows_are_float32_of_unit_length():
    vectors = ToyEncoder().encode_queries(["a", "b", "c"])
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, rtol=1e-6)


def test_no_texts_give_no_rows_and_ask_nothing():
    encoder = ToyEncoder()
    assert encoder.encode_documents([]).shape == (0, 4)
    assert encoder.asked == []


def test_a_text_that_comes_again_is_encoded_once():
    encoder, texts = ToyEncoder(), ["a", "b", "a", "c", "b", "a"]
    vectors = encoder.encode_documents(texts)
    assert encoder.texts_asked == ["a", "b", "c"]
    for text, row in zip(texts, vectors, strict=True):
        np.testing.assert_array_equal(row, encoder.encode_documents([text])[0])


def test_an_error_names_the_position_in_what_was_passed_duplicates_included():
    with pytest.raises(EncoderError, match=r"text 3\."):
        ToyEncoder(broken=["bad"]).encode_documents(["a", "a", "b", "bad", "c", "bad"])


def test_the_role_reaches_the_encoder():
    encoder = ToyEncoder()
    encoder.encode_documents(["a"])
    encoder.encode_queries(["a"])
    assert [role for role, _ in encoder.asked] == ["document", "query"]


def test_a_vector_that_is_not_finite_names_its_text_and_the_precision():
    encoder = ToyEncoder(broken=["bad"])
    with pytest.raises(EncoderError, match=r"toy \(float32\).* text 3\..*bfloat16"):
        encoder.encode_documents(["a", "b", "c", "bad", "e"])


def test_a_vector_without_length_is_refused():
    class Null(ToyEncoder):
        def _vector(self, text, role):
            return np.zeros(4)

    with pytest.raises(EncoderError, match="no length"):
        Null().encode_documents(["a"])


def test_places_say_where_a_part_of_the_texts_stood():
    encoder = ToyEncoder(broken=["bad"])
    with pytest.raises(EncoderError, match=r"text 17\."):
        list(encoder.checked_batches(["good", "bad"], "document", places=[4, 17]))


@pytest.mark.parametrize(
    ("texts", "sentence"),
    [
        ("one string", r"one string where a list of texts was expected; pass \[text\]"),
        (["a", None], "Text 1 is NoneType"),
        (["a", 3.5], r"Text 1 is float \(3.5\)"),
        (["a", "b", " \t"], "Text 2 is blank; clean the texts"),
        (["a\ud800"], "Text 0 has half a surrogate pair"),
    ],
)
def test_bad_texts_are_refused_with_their_position(texts, sentence):
    with pytest.raises(InputError, match=sentence):
        check_texts(texts)


def test_texts_outside_the_basic_plane_are_fine():
    check_texts(["🙂 𠮷野家"])


def test_the_fingerprint_is_the_hash_of_the_sorted_recipe():
    recipe = {"b": [1, 2], "a": "值"}
    canonical = json.dumps(recipe, sort_keys=True, separators=(",", ":"))
    assert fingerprint_of(recipe) == hashlib.sha256(canonical.encode()).hexdigest()[:12]
    assert fingerprint_of({"a": "值", "b": [1, 2]}) == fingerprint_of(recipe)


def test_the_fingerprint_changes_with_any_part_of_the_recipe():
    assert len({fingerprint_of({"a": a, "b": b}) for a in (1, "1", None) for b in (0, 1)}) == 6


def test_the_repr_says_which_vectors_these_are():
    encoder = ToyEncoder()
    assert repr(encoder) == f"<toy: 4 dimensions on cpu, fingerprint {encoder.fingerprint}>"


@pytest.mark.parametrize(("progress", "shown"), [(True, True), (False, False), (None, False)])
def test_a_short_task_shows_a_progress_bar_only_when_told_to(progress, shown, capsys):
    ToyEncoder().encode_documents(["a", "b"], progress=progress)
    assert ("toy" in capsys.readouterr().err) is shown


def test_the_settings_can_forbid_progress_bars(capsys, monkeypatch):
    monkeypatch.setenv("WORKBENCH_PROGRESS", "0")
    ToyEncoder(batch_size=50).encode_documents([f"text {n}" for n in range(200)])
    assert capsys.readouterr().err == ""


class Counting(BaseEncoder):
    """Remembers what it encodes; each text takes a second of the clock below."""

    name, dimension, recipe = "counting", 2, {"encoder": "counting"}

    def __init__(self):
        self.encoded, self.now = [], 0.0

    def encode_batches(self, texts, role):
        self.encoded += [(role, text) for text in texts]
        self.now += len(texts)
        yield np.arange(len(texts)), np.ones((len(texts), 2), np.float32)


@pytest.fixture
def counting(monkeypatch):
    made = Counting()
    monkeypatch.setattr(base, "perf_counter", lambda: made.now)
    return made


def test_it_is_the_mean_over_texts_of_both_sides(counting):
    assert milliseconds_a_text(counting, ["a", "b", "c"], ["q"], seconds=100) == 1000
    # The first two of a side are encoded once more, to warm up before the clock starts.
    assert counting.encoded.count(("document", "a")) == 2
    assert counting.encoded.count(("document", "c")) == 1
    assert ("query", "q") in counting.encoded


def test_no_vector_comes_from_the_store(counting, tmp_path):
    with EmbeddingStore(tmp_path / "store.sqlite") as store:
        stored = StoredEncoder(counting, store)
        stored.encode_documents(["a", "b"])
        counting.encoded.clear()
        assert milliseconds_a_text(stored, ["a", "b"]) == 1000
    assert counting.encoded.count(("document", "a")) == 2


def test_a_text_given_twice_is_measured_once(counting):
    milliseconds_a_text(counting, ["a", "b", "c", "c", "c"])
    assert counting.encoded.count(("document", "c")) == 1


def test_no_batch_is_begun_when_the_time_is_over(counting):
    texts = [str(number) for number in range(1000)]
    assert milliseconds_a_text(counting, texts, seconds=100) == 1000
    assert len(counting.encoded) == 2 + 2 * base.AT_ONCE


def test_without_texts_there_is_nothing_to_measure(counting):
    with pytest.raises(InputError, match="no texts"):
        milliseconds_a_text(counting, [])
