"""The cost of a text: which texts are encoded for it, and that none of them comes from the store."""

from __future__ import annotations

import numpy as np
import pytest

from workbench.encoders import EmbeddingStore, StoredEncoder, timing
from workbench.encoders.base import BaseEncoder
from workbench.encoders.timing import milliseconds_a_text
from workbench.errors import InputError


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
def encoder(monkeypatch):
    made = Counting()
    monkeypatch.setattr(timing, "perf_counter", lambda: made.now)
    return made


def test_it_is_the_mean_over_texts_of_both_sides(encoder):
    assert milliseconds_a_text(encoder, ["a", "b", "c"], ["q"], seconds=100) == 1000
    # The first two of a side are encoded once more, to warm up before the clock starts.
    assert encoder.encoded.count(("document", "a")) == 2
    assert encoder.encoded.count(("document", "c")) == 1
    assert ("query", "q") in encoder.encoded


def test_no_vector_comes_from_the_store(encoder, tmp_path):
    with EmbeddingStore(tmp_path / "store.sqlite") as store:
        stored = StoredEncoder(encoder, store)
        stored.encode_documents(["a", "b"])
        encoder.encoded.clear()
        assert milliseconds_a_text(stored, ["a", "b"]) == 1000
    assert encoder.encoded.count(("document", "a")) == 2


def test_a_text_given_twice_is_measured_once(encoder):
    milliseconds_a_text(encoder, ["a", "b", "c", "c", "c"])
    assert encoder.encoded.count(("document", "c")) == 1


def test_no_batch_is_begun_when_the_time_is_over(encoder):
    texts = [str(number) for number in range(1000)]
    assert milliseconds_a_text(encoder, texts, seconds=100) == 1000
    assert len(encoder.encoded) == 2 + 2 * timing.AT_ONCE


def test_without_texts_there_is_nothing_to_measure(encoder):
    with pytest.raises(InputError, match="no texts"):
        milliseconds_a_text(encoder, [])
