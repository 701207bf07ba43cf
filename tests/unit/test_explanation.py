"""Explanations: effects are what the score loses, positions are the original's, and one call encodes all."""

from __future__ import annotations

import json

import numpy as np
import pytest
from character_encoder import CharacterEncoder, similarities
from toy_encoders import ToyEncoder

from workbench import EXAMPLE_JDS, EXAMPLE_QUERY
from workbench.errors import InputError
from workbench.exploration import explain, explain_pairs
from workbench.exploration.explanation import encoded_once
from workbench.i18n import language

JD = "python, java, kotlin"
RESUME = "java,  python;\tcobol"


class Counting(ToyEncoder):
    """A toy encoder that keeps what it is asked."""


def test_an_effect_is_the_score_less_the_score_without_the_phrase():
    found = explain(JD, RESUME, CharacterEncoder())
    # Letters only: what else the variants have is worked out from the texts themselves.
    letters = {
        text: text for text in ("java, python; cobol", "python; cobol", "java, cobol", "java, python;")
    }
    scores = dict(zip(letters, _cosines(JD, list(letters)), strict=True))
    assert found.score == pytest.approx(scores["java, python; cobol"], abs=1e-6)
    effects = {phrase.text: phrase.effect for phrase in found.resume.phrases}
    for gone, left in (("java", "python; cobol"), ("cobol", "java, python;")):
        assert effects[gone] == pytest.approx(found.score - scores[left], abs=1e-6)


def _cosines(query, texts):
    def counts(text):
        row = np.zeros(61)
        for character in text:
            row[ord(character) % 61] += 1
        return row / np.linalg.norm(row)

    return [float(counts(query) @ counts(text)) for text in texts]


def test_on_letters_alone_effects_are_those_of_scikit_learn():
    found = explain("abc abd xyz", "abc xyz qqq", CharacterEncoder(), most_words=1)
    # With spaces counted out: scikit-learn counts them as well, as any character.
    whole, without_q = similarities("abc abd xyz", ["abc xyz qqq", "abc xyz"])
    effect = {phrase.text: phrase.effect for phrase in found.resume.phrases}
    assert found.score == pytest.approx(whole, abs=1e-6)
    assert effect["qqq"] == pytest.approx(whole - without_q, abs=1e-6)
    assert effect["qqq"] < 0 < effect["abc"]
    assert [phrase.text for phrase in found.strongest("resume", 1, lowers=True)] == ["qqq"]


@pytest.mark.parametrize("text", [RESUME, EXAMPLE_QUERY, "  熟悉 RAG，\n会 Python ", "a\u200bb, <b>c</b>"])
def test_the_pieces_are_the_original_text_whatever_its_spaces(text):
    found = explain(JD, text, ToyEncoder())
    assert found.resume.text == text
    assert "".join(piece for piece, _ in found.resume.pieces()) == text
    assert all(found.resume.text[p.start : p.end] == p.text for p in found.resume.phrases)


def test_a_long_text_is_explained_to_its_end():
    text = "java, python " * 60 + "cobol"
    found = explain(JD, text, ToyEncoder())
    assert found.resume.text == text
    assert found.resume.phrases[-1].text.endswith("cobol")


def test_each_side_is_one_call_with_each_variant_once():
    encoder = Counting(batch_size=50)
    explain_pairs([(JD, RESUME), (JD, "cobol, fortran"), (JD, RESUME)], encoder)
    assert [role for role, _ in encoder.asked] == ["document", "query"]
    for _, texts in encoder.asked:
        assert len(texts) == len(set(texts))
    documents, queries = (texts for _, texts in encoder.asked)
    assert len(documents) == 1 + 3
    assert len(queries) == (1 + 3) + (1 + 2)


def test_only_the_side_that_was_asked_for_is_taken_apart():
    encoder = Counting(batch_size=50)
    found = explain_pairs([(JD, RESUME)], encoder, sides=("resume",))[0]
    assert found.jd.phrases == ()
    assert len(found.resume.phrases) == 3
    assert encoder.asked[0] == ("document", [JD])


def test_many_pairs_are_explained_as_each_alone():
    pairs = [(EXAMPLE_JDS[3], EXAMPLE_QUERY), (EXAMPLE_JDS[5], "写过 Java 后端，也会 SQL")]
    together = explain_pairs(pairs, CharacterEncoder())
    assert together == [explain(*pair, CharacterEncoder()) for pair in pairs]


def test_a_side_of_one_phrase_is_said_to_be_one():
    found = explain("python", RESUME, ToyEncoder())
    assert found.jd.phrases == ()
    assert "The JD is a single phrase" in found.sentence()
    with language("zh"):
        assert "岗位要求只有一个短语" in found.sentence()


@pytest.mark.parametrize(
    ("jd", "resume", "says"),
    [
        ("python", "java", "Both texts are a single phrase, so"),
        ("，。", "！", "Both texts are a single phrase"),
        ("", "java, c", "The JD of pair 0 is blank"),
        ("java, c", " \u200b\n", "The résumé text of pair 0 is blank"),
        ("java, c", None, "The résumé text of pair 0 is NoneType"),
        (float("nan"), "java, c", "The JD of pair 0 is float"),
    ],
)
def test_what_cannot_be_explained_is_refused(jd, resume, says):
    with pytest.raises(InputError, match=says):
        explain(jd, resume, ToyEncoder())


def test_the_position_of_a_blank_text_among_many_is_named():
    with pytest.raises(InputError, match="The résumé text of pair 1 is blank"):
        explain_pairs([(JD, RESUME), (JD, " ")], ToyEncoder())


def test_vectors_that_are_not_finite_are_refused():
    def encode(texts, *, progress=None):
        return np.array([[np.nan if text == "b" else 1.0] for text in texts])

    with pytest.raises(InputError, match="not finite"):
        encoded_once(encode, [["a", "b"]], None)


def test_what_changes_the_score_by_next_to_nothing_is_not_spoken_of():
    class Constant(ToyEncoder):
        def _vector(self, text, role):
            return np.ones(4)

    found = explain(JD, RESUME, Constant())
    assert found.strongest("resume") == []
    assert "No single phrase of the JD changes the score" in found.sentence()
    with language("zh"):
        assert "分数都几乎不变" in found.sentence()
    assert "[" not in found.to_text()


def test_text_table_and_json_hold_the_same_phrases():
    found = explain(JD, RESUME, ToyEncoder())
    frame = found.to_frame()
    assert list(frame["text"]) == [p.text for side in (found.jd, found.resume) for p in side.phrases]
    assert json.loads(json.dumps(found.to_dict()))["resume"]["phrases"] == [
        {"start": p.start, "end": p.end, "text": p.text, "effect": p.effect} for p in found.resume.phrases
    ]
    first = max(found.resume.phrases, key=lambda p: abs(p.effect))
    with language("zh"):
        assert f"[{first.text} {first.effect:+.3f}]" in found.to_text()
