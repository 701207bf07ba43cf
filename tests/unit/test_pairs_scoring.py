"""Scores of pairs: one product of unit vectors each, every distinct text encoded once, on its side."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from toy_encoders import ToyEncoder

import workbench as wb
from workbench.encoders import Encoder
from workbench.errors import InputError
from workbench.text_encoder import TextEncoder


@pytest.fixture
def pairs():
    frame = pd.DataFrame(
        {
            "jd": ["护士", "Java", "护士", " Java "],
            "resume": ["病房", "JS", "JS", "JS"],
            "label": [1, 0, 0, 0],
        },
        index=[10, 11, 12, 13],
    )
    frame.attrs = {"source": "here"}
    return frame


def test_scores_are_products_of_document_and_query_vectors(pairs):
    encoder = ToyEncoder()
    scored = wb.score_pairs(pairs, encoder)
    documents = encoder.encode_documents(["护士", "Java", "护士", "Java"]).astype(np.float64)
    queries = encoder.encode_queries(["病房", "JS", "JS", "JS"]).astype(np.float64)
    assert scored["score"].to_numpy() == pytest.approx((documents * queries).sum(axis=1), abs=1e-12)
    assert scored["score"].dtype == np.float64


def test_each_distinct_text_is_encoded_once_on_its_side(pairs):
    encoder = ToyEncoder()
    wb.score_pairs(pairs, encoder)
    assert encoder.asked == [("document", ["护士", "Java"]), ("query", ["病房", "JS"])]


def test_the_frame_that_was_given_is_kept_and_not_changed(pairs):
    scored = wb.score_pairs(pairs, ToyEncoder())
    assert scored.drop(columns="score").equals(pairs)
    assert "score" not in pairs.columns


def test_the_encoder_is_noted_so_that_a_cutoff_can_say_what_it_is_for(pairs):
    encoder = ToyEncoder()
    notes = wb.score_pairs(pairs, encoder).attrs
    assert notes["encoder"]["fingerprint"] == encoder.fingerprint
    assert notes["source"] == "here"
    assert "encoder" not in pairs.attrs


def test_many_pairs_are_multiplied_block_by_block(pairs, monkeypatch):
    whole = wb.score_pairs(pairs, ToyEncoder())["score"]
    monkeypatch.setattr("workbench.pairs.scoring.BLOCK", 3)
    assert wb.score_pairs(pairs, ToyEncoder())["score"].equals(whole)


def test_no_score_exceeds_one(pairs):
    class Same(ToyEncoder):
        def _vector(self, text, role):
            return np.array([0.1, 0.7, 0.3, 0.2])

    assert (wb.score_pairs(pairs, Same())["score"] <= 1).all()


def test_blank_texts_are_refused_with_their_rows(pairs):
    with pytest.raises(InputError, match=r"Column resume has blank texts.* rows 1, 3"):
        wb.score_pairs(pairs.assign(resume=["a", " ", "b", ""]), ToyEncoder())


def test_a_missing_column_is_named(pairs):
    with pytest.raises(InputError, match="no column 'jd'"):
        wb.score_pairs(pairs.drop(columns="jd"), ToyEncoder())


def test_every_encoder_fits(pairs):
    encoder: Encoder = ToyEncoder()
    scoring: TextEncoder = encoder
    assert len(wb.score_pairs(pairs, scoring)) == 4
