"""A hit says how probable a match is, where the cutoff's card knows it: in Python, panel and shell."""

from __future__ import annotations

import io
import json
from html import escape

import numpy as np
import pandas as pd
import pytest
from character_encoder import CharacterEncoder
from typer.testing import CliRunner

from workbench.calibration import MatchProbability, Observations, fit_probability
from workbench.cli import app
from workbench.cutoffs import Cutoff
from workbench.encoders import load_encoder
from workbench.errors import CardError
from workbench.i18n import chance, language
from workbench.panels.cards import evidence, hits_csv, hits_frame, hits_html
from workbench.panels.given import Given
from workbench.panels.search_session import SearchSession, View
from workbench.retrieval import search
from workbench.retrieval.hits import hit_probabilities

TEXTS = ["python", "java", "typhoon", "nurse", "rust", "golang", "sql"]


@pytest.fixture(scope="module")
def model() -> MatchProbability:
    rng = np.random.default_rng(0)
    labels = rng.random(400) < 0.4
    scores = np.clip(np.where(labels, 0.6, 0.3) + 0.15 * rng.standard_normal(400), 0.05, 0.9)
    return fit_probability(Observations(scores, labels))


def card(model, encoder=None) -> Cutoff:
    name, fingerprint = (None, None) if encoder is None else (encoder.name, encoder.fingerprint)
    return Cutoff(0.5, name, fingerprint, {"probability": model.to_dict()})


class TestTheTable:
    def test_is_read_as_the_model_reads_it(self, model):
        scores = np.linspace(-1, 1, 41)
        found = hit_probabilities(card(model), scores.tolist())
        expected = [model.probability_of_match(score) for score in scores]
        for end in ("value", "low", "high"):
            np.testing.assert_allclose(
                [each[end] for each in found], [getattr(each, end) for each in expected]
            )
        beyond = (scores < model.scores[0]) | (scores > model.scores[-1])
        assert [each["is_guess"] for each in found] == beyond.tolist()
        assert {each["prevalence"] for each in found} == {model.prevalence}

    def test_a_bare_number_has_none(self):
        assert hit_probabilities(Cutoff(0.4), [0.5]) is None

    @pytest.mark.parametrize("broken", [{}, {"scores": []}, {"scores": ["a"]}])
    def test_a_damaged_one_is_refused(self, broken):
        with pytest.raises(CardError, match="calibrate again"):
            hit_probabilities(Cutoff(0.4, evidence={"probability": broken}), [0.5])


class TestHits:
    def test_carry_it_from_the_card(self, model):
        hits = search("python", TEXTS, k=7, encoder=CharacterEncoder(), cutoff=card(model))
        for hit in hits:
            expected = model.probability_of_match(hit["score"])
            found = hit["probability"]
            assert (found["value"], found["low"], found["high"]) == pytest.approx(
                (expected.value, expected.low, expected.high)
            )
        assert json.loads(json.dumps(hits)) == hits

    def test_without_a_card_have_no_such_key(self):
        assert all(
            "probability" not in hit
            for hit in search("python", TEXTS, encoder=CharacterEncoder(), cutoff=0.5)
        )


@pytest.fixture
def hits(model):
    return search("python", TEXTS, k=7, encoder=CharacterEncoder(), cutoff=card(model))


class TestForPeople:
    def test_a_card_of_a_hit_says_it(self, hits, model):
        for code in ("en", "zh"):
            with language(code):
                html = hits_html(hits, 0.5)
                for hit in hits:
                    found = model.probability_of_match(hit["score"])
                    assert escape(chance(found.value, found.low, found.high)) in html

    def test_a_guess_is_marked(self, hits, model):
        exact = next(hit for hit in hits if hit["score"] > model.scores[-1])
        assert "wb-chance" in hits_html([exact], 0.5)
        assert "a guess: beyond all labelled scores" in hits_html([exact], 0.5)

    def test_a_frame_and_a_file_have_its_columns(self, hits):
        frame = hits_frame(hits)
        assert list(frame.columns)[:5] == [
            "rank",
            "score",
            "probability",
            "probability_low",
            "probability_high",
        ]
        with language("zh"):
            content = hits_csv(hits, 0.5, query="python", encoder=CharacterEncoder())
        table = pd.read_csv(io.BytesIO(content))
        np.testing.assert_allclose(table["匹配概率"], frame["probability"], atol=5e-5)
        assert (table["概率下限"] <= table["概率上限"]).all()

    def test_without_a_card_nothing_of_it_is_shown(self):
        plain = search("python", TEXTS, encoder=CharacterEncoder(), cutoff=0.5)
        assert "wb-chance" not in hits_html(plain, 0.5, styled=False)
        assert "probability" not in hits_frame(plain)

    def test_the_panel_says_for_which_pairs_it_is(self, model):
        session = SearchSession(CharacterEncoder(), card(model))
        session.search(Given("\n".join(TEXTS), "lines"), "python")
        said = evidence(session, View(0.5))
        assert f"400 labelled pairs, for pairs of which {100 * model.prevalence:.1f} % are matches" in said
        with language("zh"):
            assert "400 个标注对" in evidence(session, View(0.5))


def test_the_shell_shows_it_and_says_for_which_pairs_it_is(model, tmp_path):
    encoder = load_encoder("keyword")
    path = card(model, encoder).save(tmp_path / "card.json")
    texts = tmp_path / "texts.txt"
    texts.write_text("python engineer\njava engineer\nnurse\n", encoding="utf-8")
    asked = ["search", "python engineer", "--kb", str(texts), "-e", "keyword", "--cutoff", str(path)]
    done = CliRunner().invoke(app, asked)
    assert done.exit_code == 0, done.output
    assert "probability" in done.stdout
    assert "from 400 labelled pairs" in done.stdout
    found = json.loads(CliRunner().invoke(app, [*asked, "--json"]).stdout)["hits"][0]["probability"]
    assert 0 < found["low"] <= found["value"] <= found["high"] <= 1
