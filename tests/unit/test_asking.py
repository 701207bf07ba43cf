"""What a sentence advises can be done where it is read: in Python, in the shell, or on a page."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from babel.messages.pofile import read_po
from reading import read_one
from typer.testing import CliRunner

from workbench.asking import asked_by, nowhere, option, options, with_option
from workbench.cli import app
from workbench.errors import InputError, PairsWarning
from workbench.pairs import read_pairs
from workbench.panels.given import read_upload

ROOT = Path(__file__).parents[2]
TWO = "jd,resume\nward nurse,nurse\ncanteen cook,cook\n"
ODD = "jd,resume,label\ncook,José,1\n".encode("latin-1")


def test_options_are_written_as_python_or_as_the_way_that_asks():
    assert options(positive=["a b"], negative=[]) == "positive='a b'"
    with asked_by(nowhere):
        assert option("encoding", "gb18030") == ""


def test_a_column_that_must_be_named_is_named_as_each_reader_can(tmp_path):
    (tmp_path / "two.csv").write_text(TWO)
    with pytest.raises(InputError, match=r"name the one with the texts, such as text_column='jd'"):
        read_one(tmp_path / "two.csv")
    shell = CliRunner().invoke(app, ["search", "nurse", "--kb", str(tmp_path / "two.csv"), "-e", "keyword"])
    assert "such as --text-column jd." in " ".join(shell.stderr.split())
    with pytest.raises(InputError) as uploaded:
        read_upload(tmp_path / "two.csv")
    assert str(uploaded.value).endswith(
        "Its columns are: 'jd', 'resume'; call the one with the texts 'text' in the file."
    )


def test_an_option_that_the_command_does_not_have_is_not_advised(tmp_path):
    (tmp_path / "odd.csv").write_bytes(ODD)
    search = CliRunner().invoke(app, ["search", "x", "--kb", str(tmp_path / "odd.csv"), "-e", "keyword"])
    assert "--file-encoding gb18030 for Chinese" in " ".join(search.stderr.split())
    pairs = CliRunner().invoke(app, ["pairs", "check", str(tmp_path / "odd.csv")])
    assert " ".join(pairs.stderr.split()).endswith("Save the file as UTF-8.")


def test_the_shell_quotes_what_needs_it(tmp_path):
    (tmp_path / "words.csv").write_text("jd,resume,label\na,b,Good Fit\nc,d,合适\n", encoding="utf-8")
    done = CliRunner().invoke(app, ["pairs", "check", str(tmp_path / "words.csv")])
    assert "--positive 'Good Fit' --negative '合适'" in " ".join(done.stderr.split())


def test_that_pairs_may_have_no_labels_is_said_where_it_can_be_given(tmp_path):
    (tmp_path / "pool.csv").write_text("jd,resume\na,b\n")
    with pytest.raises(InputError, match="If the pairs have no labels: labelled=False"):
        read_pairs(tmp_path / "pool.csv")
    (tmp_path / "blank.csv").write_text("jd,resume,label\na,b,\n")
    with (
        pytest.warns(PairsWarning),
        pytest.raises(InputError, match=r"with a label\. If the pairs have no labels: labelled=False"),
    ):
        read_pairs(tmp_path / "blank.csv")


# What commands say, but for what only Python code can bring about.
HEARD_IN_THE_SHELL = re.compile(
    r"workbench/(cli|encoders|files|cutoffs|texts|retrieval"
    r"|pairs/(reading|checks|labels|annotations|tables|writing|argilla|label_studio|planning))"
)
PYTHON = re.compile(r"\b[a-z_]+=|\bwb\.|\bNone\b|\bTrue\b|\bFalse\b|\w\(\)")
OF_THE_SHELL = re.compile(r"OURS=THEIRS|KEY=VALUE|key=value|=jds\.csv|jd=job_description|level=")
OF_PYTHON_ONLY = ("workbench.clean()", "where=")


def test_no_python_is_spoken_in_the_shell():
    with (ROOT / "workbench/locale/zh/LC_MESSAGES/workbench.po").open("rb") as file:
        messages = read_po(file, locale="zh")
    wrong = []
    for message in messages:
        english = message.id if isinstance(message.id, str) else message.id[0]
        heard = any(HEARD_IN_THE_SHELL.match(place) for place, _line in message.locations)
        if heard and PYTHON.search(OF_THE_SHELL.sub("", english)):
            wrong.append(english)
    assert [each for each in wrong if not any(known in each for known in OF_PYTHON_ONLY)] == []


def test_advice_ends_with_the_option_only_where_there_is_one():
    assert with_option("Do it again.", "reencode", True).endswith("The option for it: reencode=True.")
    with asked_by(nowhere):
        assert with_option("Do it again.", "reencode", True) == "Do it again."


def test_the_shell_is_told_how_to_encode_again(tmp_path):
    shell = CliRunner()
    (tmp_path / "jds.txt").write_text("ward nurse\n")
    shell.invoke(app, ["kb", "add", str(tmp_path / "kb"), str(tmp_path / "jds.txt"), "-e", "keyword"])
    other = ["kb", "add", str(tmp_path / "kb"), str(tmp_path / "jds.txt"), "-e", "use"]
    assert "The option for it: --reencode." in " ".join(shell.invoke(app, other).stderr.split())
