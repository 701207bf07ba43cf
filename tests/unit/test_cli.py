"""The command line: what it prints, where, and with which exit code it ends."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from itertools import pairwise
from pathlib import Path

import nbformat
import pytest
import typer
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from typer.testing import CliRunner, Result

import workbench as wb
from workbench import EXAMPLE_JDS, EXAMPLE_QUERY, Cutoff, __version__, load_encoder
from workbench.cli import app, notebooks
from workbench.cli.notebooks import lab_arguments
from workbench.cli.output import print_table, wrapped
from workbench.cutoffs import SHIPPED
from workbench.errors import InputError
from workbench.texts import tidy

JDS = ("熟悉 RAG 架构设计", "具备 AI Agent 开发经验", "持护士执业证")


def workbench(*arguments: str | Path, **options) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments], **options)


def in_a_shell(*arguments: str, environment: dict[str, str] | None = None, **options):
    """The command in a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "workbench", *arguments],
        capture_output=True,
        env={**os.environ, **(environment or {})},
        timeout=120,
        check=False,
        **options,
    )


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def jds(here):
    path = here / "jds.txt"
    path.write_text("\n".join(JDS), encoding="utf-8")
    return path


def texts_in(table: str) -> str:
    """A printed table without its spaces and line breaks."""
    return re.sub(r"\s+", "", table)


class TestSearch:
    def test_the_worked_example_finds_both_agent_jds_first(self):
        done = workbench("search", EXAMPLE_QUERY, "-e", "use", "--json")
        assert [hit["index"] for hit in json.loads(done.stdout)["hits"]][:2] == [3, 4]

    def test_without_a_knowledge_base_it_says_that_it_searches_the_built_in_jds(self):
        done = workbench("search", EXAMPLE_QUERY, "-e", "use")
        assert "searching the 8 built-in JDs" in done.stderr
        assert texts_in(EXAMPLE_JDS[3]) in texts_in(done.stdout)

    def test_hits_are_a_table_with_rank_four_decimals_a_sign_and_the_text(self, jds):
        done = workbench("search", "开发过智能体 Agent", "--kb", jds, "-e", "use", "-c", "0.3")
        rows = [line.split() for line in done.stdout.splitlines() if re.match(r"\s+\d", line)]
        assert [row[0] for row in rows] == ["1", "2", "3"]
        assert all(re.fullmatch(r"-?0\.\d{4}", row[1]) for row in rows)
        assert rows[0][2:4] == ["✓", "yes"]
        assert rows[2][2:4] == ["·", "no"]
        assert rows[0][4:] == JDS[1].split()

    def test_encoder_and_cutoff_are_named_below(self, jds):
        done = workbench("search", "Agent", "--kb", jds, "-e", "use", "-c", "0.3")
        assert "Cutoff 0.3000, not calibrated. 3 texts searched." in done.stdout
        assert "Encoder use, 512 dimensions, cpu, " in done.stdout

    def test_an_encoder_that_was_chosen_automatically_comes_with_the_reason(self, jds):
        assert "(chosen automatically: " in workbench("search", "Agent", "--kb", jds).stdout

    def test_texts_are_never_read_as_markup_and_cannot_drive_the_terminal(self, here):
        (here / "jds.txt").write_text(
            "[bold red]Agent[/] [link=http://x]y[/link]\x1b[31m red\n", encoding="utf-8"
        )
        done = workbench("search", "Agent", "--kb", "jds.txt", "-e", "use")
        assert "[boldred]Agent[/][link=http://x]y[/link][31mred" in texts_in(done.stdout)
        assert "\x1b[31m" not in done.stdout

    @pytest.mark.parametrize("columns", [48, 64, 100])
    def test_chinese_is_broken_between_characters_but_not_before_punctuation(self, columns, monkeypatch):
        monkeypatch.setenv("COLUMNS", str(columns))
        done = workbench("search", EXAMPLE_QUERY, "-e", "use", "-k", "8")
        lines = [line.rstrip() for line in done.stdout.splitlines()]
        assert max(cell_len(line) for line in lines[:-1]) <= columns
        continued = [line.strip() for line in lines if line.startswith(" " * 20)]
        assert continued
        assert not [line for line in continued if line[0] in "，。、；："]

    @given(
        st.text(st.sampled_from("中文，。（） abc-Agent"), max_size=80).map(tidy),
        st.integers(20, 60),
    )
    def test_lines_are_as_full_as_they_can_be_and_nothing_is_lost(self, text, width):
        lines = wrapped(text, width).plain.split("\n")
        assert texts_in("".join(lines)) == texts_in(text)
        for line, following in pairwise(lines):
            # The shortest that could have moved up: a character or word with the marks that follow it.
            piece = re.match(r"([一-龥（]|[^\s一-龥，。（）]*)[，。）]*", following)[0]
            assert cell_len(line) > width - cell_len(piece) - 1

    def test_a_file_in_gbk_is_read_and_the_encoding_is_named(self, here):
        (here / "jds.txt").write_bytes("\n".join(JDS).encode("gb18030"))
        done = workbench("search", "Agent", "--kb", "jds.txt", "-e", "use")
        assert texts_in(JDS[1]) in texts_in(done.stdout)
        assert "read as gb18030" in done.stderr

    def test_an_encoding_can_be_named_and_a_wrong_one_is_refused(self, here):
        (here / "jds.txt").write_bytes("\n".join(JDS).encode("gb18030"))
        done = workbench("search", "Agent", "--kb", "jds.txt", "-e", "use", "--file-encoding", "gb18030")
        assert texts_in(JDS[1]) in texts_in(done.stdout)
        refused = workbench("search", "Agent", "--kb", "jds.txt", "-e", "use", "--file-encoding", "utf-8")
        assert (refused.exit_code, "jds.txt is not all in utf-8" in refused.stderr) == (2, True)

    def test_k_says_how_many(self, jds):
        done = workbench("search", "Agent", "--kb", jds, "-e", "use", "-k", "2", "--json")
        assert len(json.loads(done.stdout)["hits"]) == 2


class TestSearchAsJson:
    @pytest.fixture
    def found(self, jds):
        return json.loads(workbench("search", "Agent", "--kb", jds, "-e", "use", "--json").stdout)

    def test_stdout_holds_one_document_with_all_a_machine_needs(self, found):
        assert found.keys() == {"query", "n_texts", "index", "encoder", "cutoff", "hits"}
        assert (found["query"], found["n_texts"]) == ("Agent", 3)

    def test_scores_have_full_precision(self, found):
        from workbench import search

        expected = search("Agent", list(JDS), encoder="use", cutoff=0.4)
        assert [hit["score"] for hit in found["hits"]] == [hit["score"] for hit in expected]

    def test_hits_say_from_which_file_they_are(self, found):
        assert {hit["metadata"]["source"] for hit in found["hits"]} == {"jds.txt"}

    def test_the_encoder_comes_with_its_fingerprint(self, found):
        assert found["encoder"]["fingerprint"] == load_encoder("use").fingerprint
        assert found["encoder"]["dimension"] == 512

    def test_the_card_that_came_with_the_workbench_says_that_it_is_a_demonstration(self, found):
        card = Cutoff.load(SHIPPED / "use.json")
        at = found["cutoff"]
        assert at["value"] == card.value
        assert (at["is_calibrated"], at["is_demonstration"], at["encoder_name"]) == (True, True, "use")
        assert (at["prevalence"], at["prevalence_is"]) == (pytest.approx(218 / 576), "labelled")

    def test_a_bare_number_is_not_calibrated(self, jds):
        done = workbench("search", "Agent", "--kb", jds, "-e", "use", "--json", "-c", "0.3")
        assert json.loads(done.stdout)["cutoff"] == {
            "value": 0.3,
            "is_calibrated": False,
            "encoder_name": None,
            "fingerprint": None,
            "is_demonstration": False,
            "prevalence": None,
            "prevalence_is": None,
            "precision": None,
        }

    def test_precision_and_probability_follow_the_prevalence_by_their_odds(self, jds):
        asked = ("search", "Agent", "--kb", jds, "-e", "use", "--json")
        labelled, live = (
            json.loads(workbench(*asked, *more).stdout) for more in ([], ["--prevalence", "0.05"])
        )
        factor = 0.05 / 0.95 / (218 / 358)

        def moved(share):
            return pytest.approx(factor * share / (1 - share) / (1 + factor * share / (1 - share)))

        assert (live["cutoff"]["prevalence"], live["cutoff"]["prevalence_is"]) == (0.05, "given")
        for end in ("value", "low", "high"):
            assert live["cutoff"]["precision"][end] == moved(labelled["cutoff"]["precision"][end])
            for before, after in zip(labelled["hits"], live["hits"], strict=True):
                assert after["probability"][end] == moved(before["probability"][end])
                assert after["probability"]["prevalence"] == 0.05
        assert labelled["cutoff"]["value"] == live["cutoff"]["value"]

    def test_a_prevalence_for_a_bare_number_is_refused(self, jds):
        done = workbench("search", "Agent", "--kb", jds, "-e", "use", "-c", "0.3", "--prevalence", "0.05")
        assert done.exit_code == 2
        assert "bare number" in done.stderr

    def test_chinese_is_readable(self, jds):
        assert JDS[0] in workbench("search", "Agent", "--kb", jds, "-e", "use", "--json").stdout


class TestExitCodes:
    def test_zero_if_a_text_lies_above_the_cutoff(self, jds):
        assert workbench("search", JDS[1], "--kb", jds, "-e", "use", "-c", "0.5").exit_code == 0

    def test_one_if_none_does_and_the_hits_are_shown_all_the_same(self, jds):
        done = workbench("search", JDS[1], "--kb", jds, "-e", "use", "-c", "1")
        assert done.exit_code == 1
        assert JDS[1] in done.stdout
        assert "No text lies above the cutoff." in done.stderr

    def test_a_cutoff_may_be_negative(self, jds):
        assert workbench("search", "骑马", "--kb", jds, "-e", "use", "-c", "-1").exit_code == 0

    @pytest.mark.parametrize(
        ("arguments", "sentence"),
        [
            (["  "], "query is empty"),
            (["x", "-k", "0"], "k is 0"),
            (["x", "-k", "9"], "k is 9"),
            (["x", "-c", "0,4"], "neither a number from -1 to 1 nor the file of a cutoff card"),
            (["x", "-c", "40"], "scores in percent must be divided by 100"),
            (["x", "-e", "usee"], "did you mean 'use'"),
            (["x", "--kb", "nowhere.txt"], "nowhere.txt"),
            (["x", "--kb", "nothing"], "There is no document in nothing."),
            (["x", "--kb", "kb", "--kb", "kb"], "one knowledge base, or only files"),
            (["x", "--kb", "empty.txt"], "empty"),
        ],
    )
    def test_two_with_one_sentence_for_input_that_cannot_be_used(self, here, arguments, sentence):
        (here / "empty.txt").touch()
        (here / "nothing").mkdir()
        wb.KnowledgeBase.open(here / "kb", "use")
        done = workbench("search", "-e", "use", *arguments)
        assert done.exit_code == 2
        assert sentence in done.stderr.splitlines()[-1]
        assert done.stderr.splitlines()[-1].startswith("Error: ")
        assert "Traceback" not in done.stderr
        assert done.stdout == ""

    @pytest.mark.parametrize(
        "arguments", [["serach"], ["search"], ["search", "x", "--kbase", "y"], ["kb", "ad"]]
    )
    def test_two_for_usage(self, arguments):
        assert workbench(*arguments).exit_code == 2

    def test_the_traceback_is_shown_to_those_who_debug(self, monkeypatch):
        monkeypatch.setenv("WORKBENCH_DEBUG", "1")
        assert "Traceback (most recent call last)" in workbench("search", " ", "-e", "use").stderr

    def test_a_fault_of_the_program_is_no_answer(self):
        program = (
            "from workbench.cli import app, main\n"
            "@app.command()\n"
            "def broken(): raise ZeroDivisionError\n"
            "import sys; sys.argv = ['workbench', 'broken']; main()"
        )
        done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
        assert done.returncode == 70
        assert "ZeroDivisionError" in done.stderr
        assert "please report it" in done.stderr


class TestCutoffCards:
    def test_a_card_of_this_encoder_is_calibrated(self, jds):
        Cutoff(0.2, "use", load_encoder("use").fingerprint).save("card.json")
        done = workbench("search", "Agent", "--kb", jds, "-e", "use", "-c", "card.json")
        assert "Cutoff 0.2000, calibrated for this encoder." in done.stdout
        assert "Warning" not in done.stderr

    def test_a_card_of_another_is_refused(self, jds):
        Cutoff(0.2, "qwen3-4b", "0123456789ab").save("card.json")
        done = workbench("search", "Agent", "--kb", jds, "-e", "use", "-c", "card.json")
        assert done.exit_code == 2
        assert "was calibrated for qwen3-4b" in done.stderr

    def test_the_card_of_the_project_is_found(self, here, jds):
        Cutoff(0.2, "use", load_encoder("use").fingerprint).save(
            here / "labeled_pairs" / "cutoffs" / "card.json"
        )
        done = workbench("search", "Agent", "--kb", jds, "-e", "use", "--json")
        assert json.loads(done.stdout)["cutoff"]["is_calibrated"] is True

    def test_without_any_the_one_that_came_along_is_used_and_said_to_be_a_demonstration(self, jds):
        done = workbench("search", "Agent", "--kb", jds, "-e", "use")
        said = " ".join(done.stdout.split())
        assert "from the workbench's demonstration pairs, everyday ones; not your data" in said
        assert "where 37.8 % of all pairs are, as labelled. Live it is usually far fewer: where 5 %" in said
        assert "Warning" not in done.stderr

    def test_without_that_too_the_literature_is_used_with_a_warning_on_stderr(self, jds, monkeypatch):
        monkeypatch.setattr("workbench.retrieval.hits.shipped_card", lambda fingerprint: None)
        done = workbench("search", "Agent", "--kb", jds, "-e", "use")
        assert re.search(r"^Warning: .*0\.40.*never\s+calibrated", done.stderr, re.MULTILINE)
        assert "Warning" not in done.stdout


class TestKnowledgeBase:
    @pytest.fixture
    def kb(self, jds, here):
        assert workbench("kb", "add", "kb", jds, "-e", "use").exit_code == 0
        return here / "kb"

    def test_adding_says_how_many_and_how_many_there_are(self, jds):
        done = workbench("kb", "add", "kb", jds, "-e", "use")
        assert "jds.txt: 3 of 3 added" in done.stdout
        assert "kb now has 3 texts." in done.stdout

    def test_adding_again_adds_nothing(self, kb, jds):
        done = workbench("kb", "add", kb, jds, "--json")
        report = json.loads(done.stdout)
        assert (report["added"], report["already_there"], report["n_texts"]) == (0, 3, 3)

    def test_of_files_that_cannot_be_read_the_rest_is_added_and_the_exit_code_is_no(self, kb, here):
        (here / "broken.xlsx").write_bytes(b"not a workbook")
        (here / "more.txt").write_text("Java", encoding="utf-8")
        done = workbench("kb", "add", kb, "more.txt", "broken.xlsx")
        assert done.exit_code == 1
        assert "not read: broken.xlsx: " in done.stdout
        assert json.loads(workbench("kb", "info", kb, "--json").stdout)["n"] == 4

    def test_a_folder_of_whole_documents_is_searched_with_a_whole_resume(self, here):
        (here / "jds" / "wards").mkdir(parents=True)
        nurse = "Night nurse\nRequirements\n- RN licence\n- ventilation of patients"
        (here / "jds" / "wards" / "nurse.txt").write_text(nurse, encoding="utf-8")
        (here / "jds" / "clerk.txt").write_text("Clerk\nRequirements\n- keeping of files", encoding="utf-8")
        (here / "jds" / "broken.docx").write_bytes(b"no document")
        resume = (
            "Experience\n- looked after ventilated patients\nEducation\n- nursing school, registered in 2015"
        )
        (here / "resume.txt").write_text(resume, encoding="utf-8")
        added = workbench("kb", "add", "kb", "jds", "-e", "use")
        assert (added.exit_code, "kb now has 2 texts." in added.stdout) == (1, True)
        assert "not read: broken.docx: " in added.stdout
        found = json.loads(workbench("kb", "search", "kb", "resume.txt", "--json").stdout)
        best = found["hits"][0]
        assert found["query"] == resume
        assert (best["text"], best["metadata"], best["is_match"]) == (
            nurse,
            {"source": "wards/nurse.txt"},
            None,
        )
        assert nurse[best["phrase"]["start"] : best["phrase"]["end"]] == "- ventilation of patients"
        assert best["phrase"]["query"] == "- looked after ventilated patients"
        shown = workbench("kb", "search", "kb", "resume.txt", "-k", "1")
        assert shown.exit_code == 0
        assert "wards/nurse.txt · Night nurse" in shown.stdout
        assert "- ventilation of patients" in shown.stdout
        assert "does not carry over between text lengths" in shown.stderr

    def test_where_nothing_can_be_read_no_knowledge_base_is_made(self, here):
        (here / "broken.xlsx").write_bytes(b"not a workbook")
        done = workbench("kb", "add", "new", "broken.xlsx", "-e", "use")
        assert (done.exit_code, (here / "new").exists()) == (2, False)
        assert "broken.xlsx" in done.stderr

    def test_a_column_of_a_table_can_be_named(self, here):
        (here / "jds.csv").write_text(
            "id,requirement\n1,熟悉 RAG 架构设计\n2,持护士执业证\n", encoding="utf-8"
        )
        workbench("kb", "add", "kb", "jds.csv", "--text-column", "requirement", "-e", "use")
        done = workbench("kb", "search", "kb", "护士", "-k", "1", "-c", "0", "--json")
        hit = json.loads(done.stdout)["hits"][0]
        assert (hit["text"], str(hit["metadata"]["id"])) == ("持护士执业证", "2")

    def test_info_tells_encoder_and_number(self, kb):
        lines = [line.split() for line in workbench("kb", "info", kb).stdout.splitlines()]
        assert ["encoder", "use"] in lines
        assert ["n", "3"] in lines

    def test_search_uses_the_encoder_it_was_built_with(self, kb):
        done = workbench("kb", "search", kb, "开发智能体 Agent", "-c", "0.3", "--json")
        assert done.exit_code == 0
        assert json.loads(done.stdout)["encoder"]["name"] == "use"

    def test_the_command_search_takes_the_folder_too(self, kb):
        folder = workbench("search", "Agent", "--kb", kb, "-c", "0.3", "--json").stdout
        assert json.loads(folder) == json.loads(
            workbench("kb", "search", kb, "Agent", "-c", "0.3", "--json").stdout
        )

    def test_another_encoder_is_refused_until_told_to_reencode(self, kb):
        refused = workbench("kb", "search", kb, "Agent", "-e", "keyword", "-c", "0")
        assert refused.exit_code == 2
        assert "--reencode" in refused.stderr
        assert workbench("kb", "search", kb, "Agent", "-e", "keyword", "--reencode", "-c", "0").exit_code == 0
        assert json.loads(workbench("kb", "info", kb, "--json").stdout)["encoder"] == "keyword"

    def test_export_writes_a_file_and_names_it(self, kb, here):
        done = workbench("kb", "export", kb, "out.jsonl")
        assert "3 texts written to out.jsonl" in done.stdout
        lines = (here / "out.jsonl").read_text(encoding="utf-8").splitlines()
        assert [json.loads(line)["text"] for line in lines] == list(JDS)

    def test_remove_by_row_and_by_metadata(self, kb):
        assert "1 removed; " in workbench("kb", "remove", kb, "--row", "0", "--yes").stdout
        done = workbench("kb", "remove", kb, "--where", "source=jds.txt", "--yes", "--json")
        assert json.loads(done.stdout) == {"removed": 2, "n_texts": 0}

    def test_remove_asks_first_and_a_no_removes_nothing(self, kb):
        assert workbench("kb", "remove", kb, "--row", "0", input="n\n").exit_code == 1
        assert json.loads(workbench("kb", "info", kb, "--json").stdout)["n"] == 3
        assert workbench("kb", "remove", kb, "--row", "0", input="y\n").exit_code == 0

    def test_nothing_to_remove_is_a_no(self, kb):
        done = workbench("kb", "remove", kb, "--where", "source=other.txt", "--yes")
        assert done.exit_code == 1
        assert "No text has this metadata" in done.stderr

    @pytest.mark.parametrize(
        "options", [[], ["--row", "0", "--where", "a=b"], ["--where", "a"], ["--row", "99"]]
    )
    def test_what_to_remove_must_be_said_clearly(self, kb, options):
        assert workbench("kb", "remove", kb, *options, "--yes").exit_code == 2

    @pytest.mark.parametrize(
        "command", [["info"], ["search", "x"], ["export", "f.csv"], ["remove", "--row=0"]]
    )
    def test_looking_at_a_folder_that_is_none_makes_none(self, here, command):
        name, *rest = command
        done = workbench("kb", name, "nowhere", *rest)
        assert done.exit_code == 2
        assert not (here / "nowhere").exists()


class TestRun:
    @pytest.fixture
    def notebook(self, here):
        tagged = nbformat.v4.new_code_cell(
            'query = "AI"\nk = 3  # how many\nresults_file = ""', metadata={"tags": ["parameters"]}
        )
        saving = nbformat.v4.new_code_cell(
            "from workbench.notebooks import save_results\n"
            "hits = [dict(rank=1, text='[b]客服[/b] Agent', score=0.51239, is_match=True)]\n"
            "save_results(results_file, query=query, k=k, hits=hits, counts=[dict(label='match', n=3)])"
        )
        path = here / "story.ipynb"
        nbformat.write(nbformat.v4.new_notebook(cells=[tagged, saving]), path)
        return path

    def test_results_are_printed_hits_as_a_table_and_files_are_named(self, notebook):
        done = workbench("run", notebook, "-p", "k", "5", "-p", "query=a=b", "-o", "out")
        assert done.exit_code == 0, done.stderr
        assert "query: a=b\nk: 5\n" in done.stdout
        assert re.search(r"1\s+0\.5124\s+✓ yes\s+\[b\]客服\[/b\] Agent", done.stdout)
        assert re.search(r"label\s+n\s*\n.*\n\s*match\s+3", done.stdout)
        for file in ("notebook: out/story.ipynb", "report: out/story.html", "results: out/story.json"):
            assert file in done.stdout
            assert Path(file.split(": ")[1]).is_file()

    @pytest.mark.parametrize(
        ("before", "after", "spoken"),
        [
            ([], [], "zh"),
            (["--language", "en"], [], "en"),
            (["--language", "en"], ["-p", "language=zh"], "zh"),
        ],
    )
    def test_the_language_asked_for_is_that_of_a_notebook_that_takes_one(self, here, before, after, spoken):
        tagged = nbformat.v4.new_code_cell(
            'language: str = "zh"\nresults_file = ""', metadata={"tags": ["parameters"]}
        )
        saving = nbformat.v4.new_code_cell(
            "from workbench.notebooks import save_results\nsave_results(results_file, spoken=language)"
        )
        nbformat.write(nbformat.v4.new_notebook(cells=[tagged, saving]), here / "speaks.ipynb")
        done = workbench(*before, "run", "speaks.ipynb", *after, "--no-html", "--json")
        assert json.loads(done.stdout)["results"] == {"spoken": spoken}

    def test_as_json_with_no_report(self, notebook):
        done = workbench("run", notebook, "--no-html", "--json")
        run = json.loads(done.stdout)
        assert (run["html"], run["results"]["k"]) == (None, 3)

    def test_an_unknown_parameter_is_refused_with_those_there_are(self, notebook):
        done = workbench("run", notebook, "-p", "kk", "5")
        assert done.exit_code == 2
        assert "story.ipynb has no parameter 'kk'; it has: query, k, results_file." in done.stderr

    @pytest.mark.parametrize("options", [["-p", "k"], ["-p", "k", "five"]])
    def test_a_value_that_cannot_be_is_refused(self, notebook, options):
        assert workbench("run", notebook, *options).exit_code == 2

    def test_parameters_can_be_listed_without_running(self, notebook):
        rows = json.loads(workbench("run", notebook, "--list", "--json").stdout)
        assert rows[1] == {"parameter": "k", "default": "3", "takes": "int", "what": "how many"}
        assert not Path("reports").exists()


class TestLab:
    def test_it_opens_the_notebooks_of_the_project(self, here):
        (here / "notebooks").mkdir()
        arguments = lab_arguments(here, port=9000, browser=False, extra=["--debug"])
        assert arguments[:3] == [sys.executable, "-m", "jupyterlab"]
        assert f"--ServerApp.root_dir={here}" in arguments
        assert arguments[-1] == "--debug"

    def test_without_notebooks_it_says_where_to_go(self, here):
        with pytest.raises(InputError, match="WORKBENCH_PROJECT"):
            lab_arguments(here, port=8888, browser=True, extra=[])

    @pytest.mark.slow
    def test_the_server_answers(self, here):
        (here / "notebooks").mkdir()
        log = here / "log"
        command = [sys.executable, "-m", "workbench", "lab", "--no-browser", "--port", "18888"]
        with log.open("w") as file:
            server = subprocess.Popen(command, stderr=file, stdout=file)
        try:
            assert "JupyterLab" in self.page(server, log)
        finally:
            server.terminate()
            server.wait(timeout=30)

    def page(self, server: subprocess.Popen, log: Path) -> str:
        """The page at the address that the server prints, as soon as it is there."""
        for _ in range(600):
            assert server.poll() is None, log.read_text()
            said = re.search(r"http://127\.0\.0\.1:\d+/lab/tree/notebooks\?token=\w+", log.read_text())
            try:
                if said:
                    with urllib.request.urlopen(said[0], timeout=30) as answer:
                        return answer.read().decode()
            except urllib.error.URLError:
                pass  # the address is printed before the door is open
            time.sleep(0.1)
        pytest.fail(f"no answer within a minute\n{log.read_text()}")


def help_pages(command=None, path=()):
    """The arguments that each command goes by, groups too."""
    command = command or typer.main.get_command(app)
    yield path
    for name, inner in getattr(command, "commands", {}).items():
        yield from help_pages(inner, (*path, name))


class TestLanguage:
    def test_the_option_stands_before_the_command_and_wins_over_the_settings(self, jds, monkeypatch):
        monkeypatch.setenv("WORKBENCH_LANGUAGE", "en")
        done = workbench("--language", "zh", "search", "Agent", "--kb", jds, "-e", "use", "-c", "1")
        assert "阈值 1.0000，未校准。搜索了 3 条文本。" in done.stdout
        assert "没有文本高于阈值。" in done.stderr
        assert (
            "No text lies above" in workbench("search", "Agent", "--kb", jds, "-e", "use", "-c", "1").stderr
        )

    def test_all_that_is_known_of_a_knowledge_base_has_a_name_in_it(self, jds):
        workbench("kb", "add", "kb", jds, "-e", "use")
        lines = workbench("--language", "zh", "kb", "info", "kb").stdout.splitlines()
        names = [line.split()[0] for line in lines if line.strip()]
        assert names[:4] == ["文件夹", "n", "维度", "编码器"]
        assert len(names) == len(json.loads(workbench("kb", "info", "kb", "--json").stdout))

    @pytest.mark.parametrize("variable", [{"WORKBENCH_LANGUAGE": "zh"}, {"LANG": "zh_CN.UTF-8"}])
    def test_without_it_the_settings_and_then_the_locale_say_which(self, variable):
        environment = {"WORKBENCH_LANGUAGE": "", "LC_ALL": "", "LC_MESSAGES": "", **variable}
        done = in_a_shell("search", " ", "-e", "use", environment=environment)
        assert done.stderr.decode().splitlines()[-1].startswith("错误：")

    @pytest.mark.parametrize("arguments", [("--language", "zh", "--help"), ("--help", "--language=zh")])
    def test_help_follows_it_wherever_it_stands(self, arguments):
        done = workbench(*arguments)
        assert done.exit_code == 0
        # A sentence of the list of commands, wherever its lines are broken.
        assert "语义最接近的文本。" in re.sub(r"[\s│]", "", done.stdout)
        assert "╭─ 命令" in done.stdout

    @pytest.mark.parametrize("path", list(help_pages()), ids=" ".join)
    def test_help_is_whole_in_both_languages(self, path, monkeypatch):
        monkeypatch.setenv("COLUMNS", "120")
        english, chinese = (workbench("--language", code, *path, "--help").stdout for code in ("en", "zh"))
        assert not re.search("[一-龥]", english)
        assert not [line for line in (english + chinese).splitlines() if "…" in line]
        options = set(re.findall(r"--[a-z-]+", english))
        assert set(re.findall(r"--[a-z-]+", chinese)) == options
        # What is left in English are names and metavariables, never two small words in a row.
        assert not re.search(r"\b(the|of|and|a|to|is) [a-z]+ ", chinese)

    def test_help_says_what_it_said_before_another_language_was_asked_for(self):
        before = workbench("calibrate", "--help").stdout
        workbench("--language", "zh", "calibrate", "--help")
        assert workbench("calibrate", "--help").stdout == before

    def test_usage_errors_have_their_frame_in_the_language(self):
        done = workbench("--language", "zh", "search")
        assert done.exit_code == 2
        assert "输入 'workbench search -h' 查看帮助。" in done.stderr
        assert "╭─ 错误" in done.stderr

    def test_another_language_is_refused(self):
        assert workbench("--language", "fr", "doctor").exit_code == 2

    def test_processes_that_are_started_speak_it_too(self, monkeypatch):
        monkeypatch.setattr(notebooks, "lab_arguments", lambda *_, **__: [sys.executable])
        monkeypatch.setattr(os, "execv", lambda *_: print(os.environ["WORKBENCH_LANGUAGE"]))
        monkeypatch.setattr(subprocess, "call", lambda *_: 0)
        assert workbench("--language", "zh", "lab").stdout == "zh\n"
        assert os.environ.get("WORKBENCH_LANGUAGE") != "zh"


class TestProcess:
    def test_version(self):
        done = in_a_shell("--version", text=True)
        assert (done.returncode, done.stdout) == (0, f"workbench {__version__}\n")

    def test_help_names_all_commands(self):
        done = workbench("--help")
        assert done.exit_code == 0
        assert all(name in done.stdout for name in ("search", "kb", "run", "lab", "doctor"))

    @pytest.mark.parametrize(
        "environment", [{"LC_ALL": "C"}, {"PYTHONIOENCODING": "latin-1"}, {"LC_ALL": "POSIX"}]
    )
    def test_output_is_utf8_whatever_the_locale(self, environment):
        done = in_a_shell("search", EXAMPLE_QUERY, "-e", "use", "-k", "1", environment=environment)
        assert done.returncode == 0
        assert "智能客服" in done.stdout.decode("utf-8")

    @pytest.mark.skipif(os.name == "nt", reason="POSIX pipes")
    def test_a_reader_who_leaves_early_is_no_error(self):
        command = f'"{sys.executable}" -m workbench search Agent -e use -c 0 --json'
        done = subprocess.run(
            ["bash", "-c", f"{command} | true; echo ${{PIPESTATUS[0]}}"],
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.stdout == "141\n"
        assert done.stderr == "No --kb given: searching the 8 built-in JDs.\n"

    @pytest.mark.skipif(os.name == "nt", reason="POSIX signals")
    def test_ctrl_c_ends_with_a_sentence_and_130(self, here):
        notebook = nbformat.v4.new_notebook(
            cells=[nbformat.v4.new_code_cell("open('started', 'w').close()\nimport time; time.sleep(600)")]
        )
        nbformat.write(notebook, here / "n.ipynb")
        command = [sys.executable, "-m", "workbench", "run", "n.ipynb"]
        running = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
        end = time.monotonic() + 300
        while not Path("started").exists():
            assert running.poll() is None, running.communicate()[1]
            assert time.monotonic() < end, "the notebook never began"
            time.sleep(0.1)
        running.send_signal(signal.SIGINT)
        said = running.communicate(timeout=300)[1]
        assert running.returncode == 130
        assert said.strip().startswith("Interrupted.")
        assert "Traceback" not in said


def test_hits_of_a_notebooks_results_are_shown_with_their_chance(capsys):
    hit = wb.search("主导过智能客服 Agent 项目", wb.EXAMPLE_JDS, encoder="use", k=1)[0]
    chance = hit["probability"]
    row = {**hit, "probability": chance["value"]}
    row |= {f"probability_{end}": chance[end] for end in ("low", "high")}
    print_table([row])
    as_kept = capsys.readouterr().out
    print_table([{**hit, "probability": {**chance, "is_guess": False}}])
    assert as_kept == capsys.readouterr().out
