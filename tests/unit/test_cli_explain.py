"""``workbench explain``: what it prints, and how it refuses."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from workbench import EXAMPLE_JDS, EXAMPLE_QUERY, load_encoder
from workbench.cli import app
from workbench.exploration import explain


def workbench(*arguments):
    return CliRunner().invoke(app, ["explain", *arguments, "--encoder", "keyword"])


@pytest.fixture(scope="module")
def found():
    return explain(EXAMPLE_JDS[3], EXAMPLE_QUERY, load_encoder("keyword"))


def test_both_texts_are_shown_with_the_effects_of_their_phrases(found):
    done = workbench(EXAMPLE_QUERY, EXAMPLE_JDS[3], "--language", "en")
    assert done.exit_code == 0
    shown = "".join(done.stdout.split())
    strongest = found.strongest("resume", 1)[0]
    assert "".join(f"[{strongest.text}{strongest.effect:+.3f}]".split()) in shown
    assert f"Score{found.score:.4f}." in shown
    assert "Encoder keyword, 4096 dimensions" in done.stdout


def test_json_holds_the_explanation_and_the_encoder(found):
    done = workbench(EXAMPLE_QUERY, EXAMPLE_JDS[3], "--json")
    answer = json.loads(done.stdout)
    assert answer["encoder"]["name"] == "keyword"
    assert answer["score"] == pytest.approx(found.score)
    assert [phrase["text"] for phrase in answer["resume"]["phrases"]] == [
        phrase.text for phrase in found.resume.phrases
    ]


@pytest.mark.parametrize(
    ("resume", "jd", "says"),
    [
        ("python", "java", "Both texts are a single phrase"),
        (" ", "java, c", "The résumé text of pair 0 is blank"),
    ],
)
def test_what_cannot_be_explained_is_an_input_error(resume, jd, says):
    done = workbench(resume, jd)
    assert done.exit_code == 2
    assert says in done.stderr
    assert "Traceback" not in done.stderr


def test_control_characters_do_not_reach_the_terminal():
    done = workbench("java, \x1b[31mpython", "java, cobol")
    assert "\x1b" not in done.stdout
