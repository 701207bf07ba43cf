"""What a sentence advises can be done where it is read: in Python, in the shell, or on a page."""

from __future__ import annotations

import pytest
from typer.testing import CliRunner

from workbench.asking import asked_by, nowhere, option, options
from workbench.cli import app
from workbench.errors import InputError
from workbench.pairs import read_pairs
from workbench.panels.search_session import texts_in_upload
from workbench.retrieval.readers import read_file

TWO = "jd,resume\nward nurse,nurse\ncanteen cook,cook\n"
ODD = "jd,resume,label\ncook,José,1\n".encode("latin-1")


def test_options_are_written_as_python_or_as_the_way_that_asks():
    assert options(positive=["a b"], negative=[]) == "positive='a b'"
    with asked_by(nowhere):
        assert option("encoding", "gb18030") == ""


def test_a_column_that_must_be_named_is_named_as_each_reader_can(tmp_path):
    (tmp_path / "two.csv").write_text(TWO)
    with pytest.raises(InputError, match=r"name the one with the texts, such as text_column='jd'"):
        read_file(tmp_path / "two.csv")
    shell = CliRunner().invoke(app, ["search", "nurse", "--kb", str(tmp_path / "two.csv"), "-e", "keyword"])
    assert "such as --text-column jd." in " ".join(shell.stderr.split())
    with pytest.raises(InputError) as uploaded:
        texts_in_upload("two.csv", TWO.encode())
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
