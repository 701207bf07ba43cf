"""A person is forgotten wherever the workbench has written, others are kept, and a kill changes nothing."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from unittest.mock import MagicMock

import pandas as pd
import pytest
from forgotten import LI, LINE, WANG, Kills, copied, fill, kept, settle, traces
from markupsafe import escape
from typer.testing import CliRunner

import workbench as wb
from workbench.atomic import only_writer, write_whole
from workbench.cli import app
from workbench.errors import InputError
from workbench.forgetting import act
from workbench.pairs.annotations import AnnotationLog, LabelledElsewhereError
from workbench.pairs.argilla import write_argilla
from workbench.pairs.label_studio import write_label_studio
from workbench.plots.style import new_figure
from workbench.reports.page import page


@pytest.fixture(scope="module")
def own_environment():
    before = dict(os.environ)
    yield
    os.environ.clear()
    os.environ |= before


@pytest.fixture(scope="module")
def filled(tmp_path_factory, own_environment):
    folder = tmp_path_factory.mktemp("filled") / "project"
    settle(folder)
    fill(folder)
    return folder


@pytest.fixture
def project(filled, tmp_path):
    return copied(filled, tmp_path / "project")


def test_the_project_shows_the_person_everywhere(filled):
    assert {Path(path).parts[0] for path in traces(filled)} == {
        "cache",
        "decisions.jsonl",
        "half.jsonl",
        "kb",
        "labeled_pairs",
        "out",
    }


def test_nothing_of_the_person_is_left_and_all_of_the_other(project):
    done = wb.forget(WANG)
    assert traces(project) == []
    left = kept(project)
    assert [text for text, _vector in left["base"]] == [LI]
    assert left["hits"] == [LI]
    assert left["lines"] == [{"pair_id": "p2", "resume": LI, "label": 1}]
    assert left["notes"] == ["good"]
    assert left["whole"] == [{"pair_id": "nurse~li", "label": 0}]
    assert left["log"] == ["li"]
    assert (left["query"], left["scores"]) == ([True], [1.0])
    assert left["files"] == ["li.csv", "li.jsonl", "li.parquet", "li.xlsx"]
    assert (project / "in" / "wang.txt").exists()
    assert done.is_proven
    assert "neither the text nor its hash nor its vector is left" in str(done)
    at = {str(Path(place).relative_to(project)): n for place, n in done.erased.items()}
    assert {place: at[place] for place in ("kb", "decisions.jsonl", "cache/reranked.sqlite")} == {
        "kb": 1,
        "decisions.jsonl": 2,
        "cache/reranked.sqlite": 1,
    }
    assert wb.forget(WANG).erased == {}


@pytest.mark.parametrize(
    "whom", [("--text", "wang.fang@example.org"), ("--file", "in/wang.txt"), ("--person", "wang")]
)
def test_a_piece_of_the_text_a_file_and_an_id_say_whom_to_forget(project, whom):
    option, value = whom
    found = CliRunner().invoke(
        app, ["forget", option, value.replace("in/", f"{project}/in/"), "--yes", "--json"]
    )
    assert found.exit_code == 0, found.output
    assert traces(project) == []
    assert kept(project)["log"] == ["li"]


def test_it_asks_first_and_a_no_changes_nothing(project):
    before = traces(project)
    asked = CliRunner().invoke(app, ["forget", "--text", WANG], input="n\n")
    assert f"{project / 'kb'}: 1" in asked.stderr
    assert asked.exit_code == 1
    assert traces(project) == before


def begun(project):
    """The journal of a process that was killed when it began to erase."""

    def killed(*_arguments):
        raise KeyboardInterrupt

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(act, "_erase", killed)
        with pytest.raises(KeyboardInterrupt):
            wb.forget(WANG)
    return project / "cache" / "forgetting.json"


def test_the_journal_tells_nothing_and_the_next_command_completes_it(project):
    journal = begun(project)
    # The marks and their salt are random to whoever does not know both text and salt.
    assert set(json.loads(journal.read_text())) == {"salt", "marks", "folders"}
    assert "cache/forgetting.json" not in traces(project)
    assert journal.stat().st_mode & 0o777 == 0o600
    assert CliRunner().invoke(app, ["kb", "info", str(project / "kb")]).exit_code == 0
    assert not journal.exists()
    assert traces(project) == []


@pytest.mark.parametrize("name", ["KnowledgeBase", "read_pairs"])
def test_whoever_opens_something_by_the_public_face_completes_it_first(project, name):
    journal = begun(project)
    wb.__getattr__(name)
    assert not journal.exists()
    assert traces(project) == []


@pytest.mark.parametrize("command", ["app", "serve"])
def test_pages_and_service_complete_it_before_they_open_anything(project, monkeypatch, command):
    begun(project)
    found = []
    for name in ("app.server", "service.answers", "service.api", "service.batching", "service.tools"):
        stand_in = MagicMock(serve=lambda *_given, **_options: found.append(traces(project)))
        stand_in.Service.load.side_effect = lambda *_given, **_options: found.append(traces(project))
        monkeypatch.setitem(sys.modules, f"workbench.{name}", stand_in)
    done = CliRunner().invoke(app, [command])
    assert (done.exit_code, found[0]) == (0, []), done.output


@pytest.mark.slow
def test_a_new_process_completes_it_when_it_reads_a_labelled_set(project):
    begun(project)
    program = "import sys, workbench as wb; print(len(wb.read_pairs(sys.argv[1])))"
    lines = str(project / "labeled_pairs" / "lines")
    done = subprocess.run([sys.executable, "-c", program, lines], capture_output=True, text=True, check=True)
    assert done.stdout == "1\n"
    assert traces(project) == []


def test_a_second_one_waits_for_whoever_is_at_it(project):
    journal = begun(project)
    with only_writer(journal):
        assert ["Another process is writing" in reason for reason in act.complete()] == [True]
    assert journal.exists()
    assert act.complete() == []
    assert traces(project) == []


def test_a_journal_that_is_damaged_is_told_and_the_next_one_takes_its_place(project):
    journal = begun(project)
    journal.write_text('{"salt": ')
    with pytest.warns(UserWarning, match=r"forgetting\.json is damaged; say again whom to forget"):
        wb.__getattr__("read_pairs")
    assert wb.forget(WANG).is_proven
    assert not journal.exists()


def test_somebody_who_shares_a_line_is_kept_and_not_taken_for_a_trace(project):
    shares = f"赵敏\n{LINE}\nphlebotomy in a laboratory for six years, with a diploma"
    wb.KnowledgeBase.open(project / "kb").add([shares])
    wb.AnnotationLog(project / "labeled_pairs" / "lines", "Sun").append("skip", "p2")
    done = wb.forget(person="wang")
    assert done.is_proven
    assert wb.KnowledgeBase.open(project / "kb").texts == [LI, shares]


def test_what_is_not_ours_is_named_and_left(project):
    notes = project / "labeled_pairs" / "notes.md"
    notes.write_text(f"Ask {WANG}")
    asked = CliRunner().invoke(app, ["forget", "--text", WANG, "--yes", "--json"])
    assert asked.exit_code == 1
    assert json.loads(asked.stdout)["still_there"] == [str(notes)]
    assert notes.exists()


def test_an_id_that_is_a_word_finds_reports_and_one_that_is_a_short_number_does_not(project):
    for name, content in (("a.html", "<td>c-17</td>"), ("b.html", "<td>c-170 0.17</td>")):
        write_whole(project / "out" / name, content)
    wb.forget(person="c-17")
    wb.forget(person="17")
    assert not (project / "out" / "a.html").exists()
    assert (project / "out" / "b.html").exists()


def test_what_cannot_be_searched_is_no_proof(project):
    broken = project / "labeled_pairs" / "broken.parquet"
    broken.write_bytes(b"PAR1 and no more")
    done = wb.forget(WANG)
    assert not done.is_proven
    assert "broken.parquet cannot be searched" in done.unfinished[0]
    broken.unlink()
    assert traces(project) == []


def test_a_place_that_cannot_be_cleaned_is_said_until_it_can(project):
    vectors = next((project / "kb").glob("vectors-*.npy"))
    sound = vectors.read_bytes()
    vectors.write_bytes(sound[:-3000] + b"\x07" * 3000)
    with vectors.open("r+b") as file:
        file.seek(200)
        file.write(b"\x07" * 64)
    done = wb.forget(WANG)
    assert not done.is_proven
    assert "is damaged" in done.unfinished[0]
    vectors.write_bytes(sound)
    assert "Not yet forgotten" not in CliRunner().invoke(app, ["kb", "info", str(project / "kb")]).stderr
    assert traces(project) == []


def test_who_could_not_be_forgotten_yet_is_not_left_out_when_the_next_one_is(project):
    vectors = next((project / "kb").glob("vectors-*.npy"))
    sound = vectors.read_bytes()
    vectors.write_bytes(sound[:200] + b"\x07" * 64 + sound[264:])
    assert not wb.forget(WANG).is_proven
    assert not wb.forget("somebody who is nowhere").is_proven
    vectors.write_bytes(sound)
    assert act.complete() == []
    assert traces(project) == []


def test_what_visitors_gave_a_process_that_was_killed_goes_too(project, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(project))
    left = project / "workbench-left"
    (left / ".workbench").mkdir(parents=True)
    (left / "cv.txt").write_text(WANG)
    wb.forget("somebody who is nowhere")
    assert not left.exists()


def test_reports_results_exports_and_figures_are_known_wherever_they_were_written(project, tmp_path):
    figure = new_figure()
    figure.suptitle(LINE)
    pairs = pd.DataFrame({"pair_id": ["p1"], "jd": ["nurse"], "resume": [WANG]})
    figure.savefig(tmp_path / "figure.svg")
    figure.savefig(tmp_path / "figure.png")
    wb.save_results(tmp_path / "results.json", best=WANG)
    write_label_studio(tmp_path / "tasks.json", pairs)
    write_argilla(tmp_path / "records.json", pairs)
    write_whole(tmp_path / "report.html", page("Report", lambda: escape(WANG)))
    done = wb.forget(WANG)
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == ["figure.png"]
    assert (tmp_path / "figure.png").stat().st_mode & 0o777 == 0o600
    assert done.pictures == (str(tmp_path / "figure.png"),)
    assert "look at" in str(done)


def test_a_session_that_is_open_goes_on_without_the_person(project):
    log = AnnotationLog(project / "labeled_pairs" / "lines", "Wu")
    wb.forget(WANG)
    with pytest.raises(LabelledElsewhereError):
        log.append("label", "p2", label=0)
    log.append("label", "p2", label=0)
    assert [(entry.pair_id, entry.label) for entry in AnnotationLog(log.path.parents[1], "Wu").entries] == [
        ("p2", 1),
        ("p2", 0),
    ]


def test_documents_of_ones_own_are_never_taken_for_a_labelled_set(project, tmp_path):
    for name in ("jds/nurse.txt", "resumes/wang.txt"):
        (tmp_path / "mine" / name).parent.mkdir(parents=True)
        (tmp_path / "mine" / name).write_text(WANG)
    done = wb.forget(person="wang", folders=[tmp_path / "mine"])
    assert (tmp_path / "mine" / "resumes" / "wang.txt").exists()
    assert len(done.still_there) == 2


@pytest.mark.parametrize("nobody", [{}, {"text": " \n"}, {"person": " "}])
def test_nobody_is_nobody(project, nobody):
    with pytest.raises(InputError):
        wb.forget(**nobody)
    assert kept(project)["log"] == ["wang", "li", wb.document_id(WANG)]


@pytest.mark.parametrize("n", [1, pytest.param(8, marks=pytest.mark.slow)])
def test_killed_at_any_moment_it_is_completed_at_the_next_start(filled, tmp_path, n):
    kills, seed = Kills(filled, tmp_path), 0
    while kills.resumed < n:
        kills.once(seed := seed + 1)
    assert kills.lost == []
