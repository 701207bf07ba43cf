"""Running a notebook: what it leaves behind, what is refused before it starts, what a failure says."""

from __future__ import annotations

import dataclasses
import json
import os
import signal
import subprocess
import sys
import time
from datetime import date, datetime
from pathlib import Path

import nbformat
import numpy as np
import pandas as pd
import pytest
from bs4 import BeautifulSoup
from hypothesis import given
from hypothesis import strategies as st

from workbench.errors import InputError, NotebookError, StoreError
from workbench.i18n import language
from workbench.notebooks import find_notebook, parameters_of, read_results, run_notebook, save_results
from workbench.notebooks.run import write_report
from workbench.notebooks.values import values_from_text

pytestmark = pytest.mark.slow

PARAMETERS = """
query = "Agent == 智能体?"  # a default with an equals sign
texts = [
    "a",
    "b",
]
# how many
k: int = 3  # at most all
cutoff: float | None = None
encoder: str | None = None
strict = False
share = 0.5
anything = None
results_file = ""
"""


def write_notebook(path: Path, *cells: str, parameters: str | None = None, title: str = "# 报告") -> Path:
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell(title)])
    if parameters is not None:
        tagged = nbformat.v4.new_code_cell(parameters, metadata={"tags": ["parameters"]})
        notebook.cells.append(tagged)
    notebook.cells += [nbformat.v4.new_code_cell(source) for source in cells]
    nbformat.write(notebook, path)
    return path


@pytest.fixture(scope="module")
def declared(tmp_path_factory):
    path = write_notebook(tmp_path_factory.mktemp("declared") / "n.ipynb", parameters=PARAMETERS)
    return parameters_of(path)


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """One run of a notebook that does all that a report does; seen by many tests."""
    folder = tmp_path_factory.mktemp("run {odd}")
    notebook = write_notebook(
        folder / "story.ipynb",
        "import os, sys\n"
        "import matplotlib.pyplot as plt\n"
        "import ipywidgets\n"
        "print('seen', query, k)\n"
        "plt.plot([0, 1]);",
        "ipywidgets.IntSlider(description='dead slider')",
        "from workbench.notebooks import save_results\n"
        "save_results(results_file, query=query, k=k, prefix=sys.prefix, folder=os.getcwd(),"
        " bars=os.environ['WORKBENCH_PROGRESS'])",
        parameters='query = "AI"\nk = 3\nresults_file = ""',
        title="# 一个 <b>故事</b>",
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        # A caller without a display must get figures in the report all the same.
        patch.setenv("MPLBACKEND", "agg")
        yield run_notebook(notebook, {"k": 5, "query": "2024 {x} 年"})


class TestRun:
    def test_output_report_and_results_lie_beside_one_another(self, run):
        assert run.output == Path("reports/story.ipynb")
        assert run.html == Path("reports/story.html")
        assert run.results_file == Path("reports/story.json")
        written = run.output, run.html, run.results_file
        assert {path.stat().st_mode & 0o077 for path in written} == {0}

    def test_parameters_reach_the_notebook(self, run):
        assert (run.results["query"], run.results["k"]) == ("2024 {x} 年", 5)

    def test_the_kernel_runs_in_this_environment_and_in_the_folder_of_the_caller(self, run):
        assert run.results["prefix"] == sys.prefix
        assert run.results["folder"] == str(Path.cwd())

    def test_bars_are_switched_off_in_the_notebook_and_only_there(self, run):
        assert run.results["bars"] == "0"
        assert "WORKBENCH_PROGRESS" not in os.environ

    def test_the_report_hides_code_and_shows_what_it_printed(self, run):
        html = run.html.read_text(encoding="utf-8")
        assert "seen 2024 {x} 年 5" in html
        assert "import ipywidgets" not in html

    def test_the_report_has_the_figure_in_itself_and_loads_nothing_from_elsewhere(self, run):
        html = run.html.read_text(encoding="utf-8")
        assert "data:image/png;base64," in html
        assert 'src="http' not in html
        assert "import(" not in html

    def test_the_words_above_a_figure_are_its_alternative_text(self, run):
        report = BeautifulSoup(run.html.read_text(encoding="utf-8"), "html.parser")
        assert [image["alt"] for image in report.find_all("img")] == ["一个 <b>故事</b>"]

    @pytest.mark.parametrize("code", ["zh", "en"])
    def test_the_report_says_its_language(self, run, tmp_path, code):
        with language(code):
            html = write_report(run.output, tmp_path / "report.html")
        assert f'<html lang="{code}">' in html.read_text(encoding="utf-8")

    def test_the_report_carries_the_notebooks_title_escaped(self, run):
        assert "<title>一个 &lt;b&gt;故事&lt;/b&gt;</title>" in run.html.read_text(encoding="utf-8")

    def test_widgets_which_are_dead_without_a_kernel_are_left_out(self, run):
        html = run.html.read_text(encoding="utf-8")
        assert "IntSlider" not in html
        assert "widget-view" not in html

    def test_code_is_shown_when_asked_for(self, run, tmp_path):
        html = write_report(run.output, tmp_path / "r.html", show_code=True).read_text(encoding="utf-8")
        assert "ipywidgets" in html

    def test_a_run_prints_its_files_and_becomes_json(self, run):
        assert repr(run) == "<NotebookRun: reports/story.ipynb, reports/story.html, reports/story.json>"
        assert json.loads(json.dumps(run.to_dict()))["results"]["k"] == 5


@pytest.fixture(scope="module")
def failure(tmp_path_factory):
    folder = tmp_path_factory.mktemp("failure")
    notebook = write_notebook(
        folder / "story.ipynb",
        "x = 1",
        "\n# why this fails\nfrom workbench.errors import InputError\nraise InputError('The file is empty.')",
        "print('never reached')",
        parameters='results_file = ""',
    )
    (folder / "out.html").write_text("report of an earlier run")
    (folder / "out.json").write_text('{"of": "an earlier run"}')
    with pytest.raises(NotebookError) as raised:
        run_notebook(notebook, output=folder / "out.ipynb")
    return folder, str(raised.value)


class TestFailure:
    def test_it_names_notebook_cell_first_line_and_error(self, failure):
        folder, message = failure
        assert message == (
            "story.ipynb failed in cell [4], which begins '# why this fails': "
            "InputError: The file is empty. "
            f"The notebook as far as it came is {folder / 'out.ipynb'}."
        )

    def test_of_an_error_that_is_not_ours_it_names_the_kind_only(self, tmp_path):
        notebook = write_notebook(tmp_path / "cv.ipynb", "cv = ' '.join(['Wang', 'Xiaoming'])\nfloat(cv)")
        with pytest.raises(NotebookError) as raised:
            run_notebook(notebook, output=tmp_path / "out.ipynb")
        assert "ValueError; what it says stands in the notebook." in str(raised.value)
        assert raised.value.__suppress_context__
        assert "Wang Xiaoming" not in str(raised.value)
        assert "Wang Xiaoming" in (tmp_path / "out.ipynb").read_text("utf-8")

    def test_the_notebook_is_kept_as_far_as_it_came(self, failure):
        cells = nbformat.read(failure[0] / "out.ipynb", as_version=4).cells
        outputs = [output for cell in cells for output in cell.get("outputs", [])]
        assert [output.get("ename") for output in outputs] == ["InputError"]

    def test_nothing_of_an_earlier_run_is_left_to_be_taken_for_this_one(self, failure):
        assert not (failure[0] / "out.html").exists()
        assert not (failure[0] / "out.json").exists()

    def test_a_dead_kernel_is_said_in_a_sentence(self, here):
        notebook = write_notebook(here / "n.ipynb", "import os; os._exit(1)")
        with pytest.raises(NotebookError, match=r"kernel of n\.ipynb died.*reports/n\.ipynb"):
            run_notebook(notebook)

    @pytest.mark.parametrize("status", ["", "0", "1"])
    def test_a_notebook_that_ends_itself_has_not_passed(self, here, status):
        write_notebook(
            here / "n.ipynb", "print('first')", f"import sys; sys.exit({status})", "x = 1", "x = 2"
        )
        (here / "reports").mkdir()
        (here / "reports" / "n.html").write_text("of an earlier run")
        said = (
            "SystemExit: 1"
            if status == "1"
            else r"ended itself with sys\.exit\(\) .*, 2 cells before its end"
        )
        with pytest.raises(NotebookError, match=said):
            run_notebook(here / "n.ipynb")
        assert "first" in (here / "reports" / "n.ipynb").read_text(encoding="utf-8")
        assert not (here / "reports" / "n.html").exists()

    @pytest.mark.skipif(os.name == "nt", reason="POSIX signals")
    def test_ctrl_c_keeps_what_was_done_and_leaves_no_kernel_behind(self, here):
        write_notebook(
            here / "n.ipynb",
            "import os, pathlib\nprint('first done')\npathlib.Path('pid').write_text(str(os.getpid()))",
            "import time; time.sleep(600)",
        )
        program = "from workbench.notebooks import run_notebook; run_notebook('n.ipynb', progress=False)"
        running = subprocess.Popen([sys.executable, "-c", program], stderr=subprocess.PIPE, text=True)
        wait_until(lambda: (here / "pid").exists() and (here / "pid").read_text())
        time.sleep(0.5)
        running.send_signal(signal.SIGINT)
        assert "KeyboardInterrupt" in running.communicate(timeout=60)[1]
        assert "first done" in (here / "reports" / "n.ipynb").read_text(encoding="utf-8")
        kernel = int((here / "pid").read_text())
        wait_until(lambda: not is_running(kernel))


def wait_until(condition, seconds=60):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.1)


def is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


class TestDeclaredParameters:
    def test_all_assignments_of_the_tagged_cell_are_found(self, declared):
        assert list(declared) == [
            "query",
            "texts",
            "k",
            "cutoff",
            "encoder",
            "strict",
            "share",
            "anything",
            "results_file",
        ]

    def test_defaults_are_shown_as_written(self, declared):
        assert str(declared["query"]) == "query = 'Agent == 智能体?'"
        assert str(declared["texts"]) == "texts = ['a', 'b']"

    def test_comments_above_and_behind_say_what_it_is(self, declared):
        assert declared["query"].help == "a default with an equals sign"
        assert declared["k"].help == "how many; at most all"
        assert declared["share"].help == ""

    def test_types_come_from_the_annotation_else_from_the_default(self, declared):
        assert declared["k"].takes == "int"
        assert declared["cutoff"].takes == "float or None"
        assert declared["texts"].takes == "list"
        assert declared["anything"].takes == ""

    def test_a_notebook_without_such_a_cell_declares_none(self, tmp_path):
        assert parameters_of(write_notebook(tmp_path / "n.ipynb", "x = 1")) == {}

    def test_a_cell_that_is_no_python_is_said(self, tmp_path):
        path = write_notebook(tmp_path / "n.ipynb", parameters="k = = 3")
        with pytest.raises(NotebookError, match=r"parameter cell of n\.ipynb is not Python.*line 1"):
            parameters_of(path)


class TestRefusedBeforeItStarts:
    @pytest.fixture
    def notebook(self, here):
        return write_notebook(here / "n.ipynb", "print(k)", parameters=PARAMETERS)

    def test_an_unknown_parameter_with_those_that_are_known(self, notebook):
        with pytest.raises(NotebookError, match=r"n\.ipynb has no parameter 'kk'; it has: query, texts, k,"):
            run_notebook(notebook, {"kk": 3})

    def test_any_parameter_where_none_is_declared(self, here):
        with pytest.raises(NotebookError, match="declares none"):
            run_notebook(write_notebook(here / "n.ipynb", "x = 1"), {"x": 2})

    @pytest.mark.parametrize(
        ("name", "value"),
        [("k", "5"), ("k", True), ("k", 1.5), ("k", None), ("query", 5), ("strict", 1), ("texts", "a")],
    )
    def test_a_value_of_the_wrong_type_with_the_type_and_default(self, notebook, name, value):
        with pytest.raises(NotebookError, match=rf"Parameter {name} of n\.ipynb takes .*\(default "):
            run_notebook(notebook, {name: value})

    def test_nothing_is_written(self, notebook, here):
        with pytest.raises(NotebookError):
            run_notebook(notebook, {"kk": 3})
        assert [path.name for path in here.iterdir()] == ["n.ipynb"]

    def test_an_output_that_would_overwrite_the_notebook(self, notebook):
        with pytest.raises(InputError, match="overwritten by its own output"):
            run_notebook(notebook, output=notebook)

    def test_an_output_that_is_no_notebook_name(self, notebook):
        with pytest.raises(InputError, match=r"ends in \.ipynb, or a folder; not report\.html"):
            run_notebook(notebook, output="report.html")

    def test_a_notebook_in_another_language(self, here):
        path = write_notebook(here / "n.ipynb", "1")
        notebook = nbformat.read(path, as_version=4)
        notebook.metadata["kernelspec"] = {"name": "ir", "language": "R", "display_name": "R"}
        nbformat.write(notebook, path)
        with pytest.raises(NotebookError, match="written in R"):
            run_notebook(path)

    @pytest.mark.parametrize(
        "content", [b"", b"{}", b"[1]", b'{"cells": 1}', b"\x80\x81", b"null", b"not json"]
    )
    def test_a_file_that_is_no_notebook(self, here, content):
        (here / "n.ipynb").write_bytes(content)
        with pytest.raises(InputError, match=r"n\.ipynb is not a Jupyter notebook \("):
            run_notebook("n.ipynb")


class TestFind:
    @pytest.fixture
    def project(self, here):
        (here / "labeled_pairs").mkdir()
        (here / "notebooks").mkdir()
        write_notebook(here / "notebooks" / "01_search.ipynb")
        return here

    @pytest.mark.parametrize("name", ["01_search", "01_search.ipynb", "notebooks/01_search.ipynb"])
    def test_a_notebook_of_the_project_is_found_by_its_name(self, project, name):
        assert find_notebook(name).samefile(project / "notebooks" / "01_search.ipynb")

    def test_from_a_folder_below_too(self, project, monkeypatch):
        monkeypatch.chdir(project / "labeled_pairs")
        assert find_notebook("01_search").samefile(project / "notebooks" / "01_search.ipynb")

    def test_a_name_that_is_not_there_lists_those_that_are(self, project):
        with pytest.raises(InputError, match=r"no notebook 02_none; .*has: 01_search\."):
            find_notebook("02_none")


class TestValuesFromText:
    @pytest.mark.parametrize(
        ("name", "text", "value"),
        [
            ("query", "2024", "2024"),
            ("query", "None", "None"),
            ("k", "5", 5),
            ("share", "1", 1.0),
            ("cutoff", "0.41", 0.41),
            ("cutoff", "None", None),
            ("encoder", "None", None),
            ("encoder", "use", "use"),
            ("strict", "true", True),
            ("strict", "False", False),
            ("texts", '["x", "y"]', ["x", "y"]),
            ("texts", "['x', 'y']", ["x", "y"]),
            ("anything", "3", 3),
            ("anything", "三", "三"),
        ],
    )
    def test_a_text_is_read_as_the_declared_type(self, declared, name, text, value):
        read = values_from_text([(name, text)], declared, "n.ipynb")[name]
        assert read == value
        assert type(read) is type(value)

    @pytest.mark.parametrize(
        ("name", "text"), [("k", "five"), ("k", "1.5"), ("strict", "yes"), ("texts", "x, y")]
    )
    def test_a_text_that_cannot_be_is_refused_with_the_type(self, declared, name, text):
        with pytest.raises(NotebookError, match=rf"Parameter {name} of n\.ipynb takes .* cannot be read as"):
            values_from_text([(name, text)], declared, "n.ipynb")

    def test_an_unknown_name_is_refused(self, declared):
        with pytest.raises(NotebookError, match="no parameter 'kk'"):
            values_from_text([("kk", "1")], declared, "n.ipynb")


@dataclasses.dataclass
class Choice:
    value: float
    name: str


class Card:
    def to_dict(self):
        return {"cutoff": np.float64(0.4)}


class TestResults:
    def saved(self, folder, **results):
        save_results(folder / "r.json", **results)
        return read_results(folder / "r.json")

    @pytest.mark.parametrize(
        ("value", "plain"),
        [
            (np.int64(3), 3),
            (np.float64(0.1), 0.1),
            (np.bool_(True), True),
            (np.array([[1, 2], [3, 4]]), [[1, 2], [3, 4]]),
            (np.array(["中"]), ["中"]),
            (pd.Series([0.5, np.nan]), [0.5, None]),
            (pd.Index(["a"]), ["a"]),
            (pd.Series([True, None], dtype="boolean"), [True, None]),
            (pd.Series(pd.to_datetime(["2026-01-02", None])), ["2026-01-02T00:00:00", None]),
            (float("nan"), None),
            ((1, "a"), [1, "a"]),
            ({"a": {1: np.float32(0.5)}}, {"a": {"1": 0.5}}),
            (Path("a") / "b", str(Path("a") / "b")),
            (date(2026, 1, 2), "2026-01-02"),
            (datetime(2026, 1, 2, 3), "2026-01-02T03:00:00"),
            (Choice(0.4, "use"), {"value": 0.4, "name": "use"}),
            (Card(), {"cutoff": 0.4}),
            ("简历", "简历"),
        ],
        ids=lambda value: type(value).__name__,
    )
    def test_values_become_plain_json(self, tmp_path, value, plain):
        assert self.saved(tmp_path, value=value) == {"value": plain}

    def test_a_frame_becomes_rows_with_full_precision(self, tmp_path):
        frame = pd.DataFrame({"text": ["a", None], "score": [1 / 3, np.nan]})
        rows = [{"text": "a", "score": 1 / 3}, {"text": None, "score": None}]
        assert self.saved(tmp_path, hits=frame) == {"hits": rows}

    @given(
        st.dictionaries(
            st.text(max_size=5),
            st.recursive(
                st.none()
                | st.booleans()
                | st.integers()
                | st.floats(allow_infinity=False, allow_nan=False)
                | st.text(),
                lambda inner: (
                    st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3)
                ),
                max_leaves=8,
            ),
            max_size=4,
        )
    )
    def test_whatever_is_json_already_comes_back_as_it_was(self, tmp_path_factory, results):
        assert self.saved(tmp_path_factory.mktemp("results"), **results) == results

    @pytest.mark.parametrize(
        ("value", "reason"),
        [({"a": [float("inf")]}, r"value\['a'\]\[0\] is infinite"), (object(), "value is of type object")],
    )
    def test_what_json_cannot_say_is_refused_with_its_name(self, tmp_path, value, reason):
        with pytest.raises(InputError, match=reason):
            self.saved(tmp_path, value=value)
        assert list(tmp_path.iterdir()) == []

    @pytest.mark.parametrize("nowhere", ["", None])
    def test_without_a_path_nothing_is_written(self, here, nowhere):
        save_results(nowhere, k=1)
        assert list(here.iterdir()) == []

    def test_a_result_may_be_called_path(self, tmp_path):
        assert self.saved(tmp_path, path="x") == {"path": "x"}

    def test_a_path_that_cannot_be_written_is_a_store_error(self, tmp_path):
        (tmp_path / "taken").touch()
        with pytest.raises(StoreError, match="cannot be written"):
            save_results(tmp_path / "taken" / "r.json", k=1)

    def test_missing_results_say_to_run_the_notebook(self, tmp_path):
        with pytest.raises(InputError, match="run the notebook first"):
            read_results(tmp_path / "r.json")

    def test_a_file_of_something_else_is_refused(self, tmp_path):
        (tmp_path / "r.json").write_text("[1]")
        with pytest.raises(InputError, match="no named results"):
            read_results(tmp_path / "r.json")
