"""Every notebook in ``notebooks/`` is found, executed with small parameters, and its results are checked.

What a notebook is run with and what its results must be is in ``check_<name>.py`` beside this file:
``RUNS``, a mapping from a name to parameters, and ``check(results, parameters)``.
"""

from __future__ import annotations

import ast
import importlib.util
import re
from functools import cache
from pathlib import Path
from types import ModuleType

import nbformat
import pytest

import workbench as wb
from workbench.errors import NotebookError
from workbench.notebooks import NotebookRun, parameters_of, run_notebook

HERE = Path(__file__).parent
NOTEBOOKS = sorted((HERE.parents[1] / "notebooks").glob("*.ipynb"))
MOST_CODE_CELLS = 16

by_notebook = pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)


@cache
def checks(notebook: Path) -> ModuleType | None:
    """The module ``check_<name>.py`` of a notebook."""
    path = HERE / f"check_{notebook.stem}.py"
    if not path.is_file():
        return None
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


LONG = {
    *("02_inside_a_vector", "03_calibrate_cutoff", "04_skill_map", "05_label_pairs"),
    *("06_compare_encoders", "07_monitor_cutoff", "08_shortlist"),
}


def runs() -> list:
    """All runs; those of one notebook share a worker, so that each is executed once.

    The first of each notebook is in the quick run, unless that alone takes most of a minute.
    """
    return [
        pytest.param(
            notebook,
            name,
            id=f"{notebook.stem}: {name}",
            marks=[
                pytest.mark.xdist_group(notebook.stem),
                *([pytest.mark.slow] if position or notebook.stem in LONG else []),
            ],
        )
        for notebook in NOTEBOOKS
        for position, name in enumerate(checks(notebook).RUNS if checks(notebook) else {})
    ]


by_run = pytest.mark.parametrize(("notebook", "name"), runs())


@pytest.fixture(scope="module")
def execute(tmp_path_factory):
    """A function that executes a run, once, however many tests look at it."""
    done: dict[tuple[Path, str], NotebookRun] = {}

    def once(notebook: Path, name: str) -> NotebookRun:
        if (notebook, name) not in done:
            output = tmp_path_factory.mktemp(notebook.stem) / notebook.name
            done[notebook, name] = run_notebook(notebook, checks(notebook).RUNS[name], output)
        return done[notebook, name]

    return once


def test_there_are_notebooks():
    assert NOTEBOOKS


class TestExecuted:
    @by_notebook
    def test_it_is_run_and_checked(self, notebook):
        expected = f"tests/notebooks/check_{notebook.stem}.py"
        module = checks(notebook)
        assert module is not None, (
            f"{notebook.name} is not tested yet: add {expected} with RUNS (a mapping from a name to small "
            "parameters) and check(results, parameters), as check_01_search.py has them"
        )
        assert module.RUNS, f"{expected} has no RUNS"
        assert callable(module.check), f"{expected} has no function check(results, parameters)"

    @by_run
    def test_its_results_are_right(self, notebook, name, execute):
        run = execute(notebook, name)
        assert run.results, f"{notebook.name} must end with save_results(results_file, …)"
        checks(notebook).check(run.results, checks(notebook).RUNS[name])

    @by_run
    def test_it_prints_no_warnings(self, notebook, name, execute):
        cells = nbformat.read(execute(notebook, name).output, as_version=4).cells
        streams = [
            output for cell in cells for output in cell.get("outputs", []) if output.output_type == "stream"
        ]
        assert [stream.text for stream in streams if stream.name == "stderr"] == []
        assert [
            stream.text for stream in streams if re.search(r"\bwarning\b", stream.text, re.IGNORECASE)
        ] == []

    @by_run
    def test_its_report_is_complete_in_itself(self, notebook, name, execute):
        html = execute(notebook, name).html.read_text(encoding="utf-8")
        loaded = re.findall(r"<(?:script|link|img|iframe)[^>]+(?:src|href)=\"(?!data:)([^\"]+)", html)
        assert [address for address in loaded if "mathjax" not in address.lower()] == []

    @by_notebook
    def test_an_unknown_parameter_is_refused(self, notebook, tmp_path):
        with pytest.raises(NotebookError, match=f"{notebook.name} has no parameter 'no_such_thing'"):
            run_notebook(notebook, {"no_such_thing": 1}, tmp_path / "out.ipynb")


class TestAsKeptInTheRepository:
    @pytest.fixture
    def cells(self, notebook):
        return nbformat.read(notebook, as_version=4).cells

    @pytest.fixture
    def code(self, cells):
        return ast.parse("\n".join(cell.source for cell in cells if cell.cell_type == "code"))

    @by_notebook
    def test_it_has_no_outputs(self, cells):
        code = [cell for cell in cells if cell.cell_type == "code"]
        assert [cell.outputs for cell in code if cell.outputs] == []
        assert {cell.execution_count for cell in code} == {None}

    @by_notebook
    def test_it_carries_nothing_of_the_machine_it_was_written_on(self, notebook):
        source = nbformat.read(notebook, as_version=4)
        assert source.metadata.kernelspec.name == "python3"
        assert "widgets" not in source.metadata
        assert "papermill" not in source.metadata
        assert not re.search(r"/(?:home|root|Users|tmp)/", notebook.read_text(encoding="utf-8"))

    @by_notebook
    def test_it_has_one_cell_of_parameters_with_a_results_file(self, notebook, cells):
        tagged = [cell for cell in cells if "parameters" in cell.metadata.get("tags", [])]
        assert len(tagged) == 1
        parameters = parameters_of(notebook)
        assert parameters["results_file"].default == "''"
        undescribed = [name for name, parameter in parameters.items() if not parameter.help]
        assert undescribed == [], "say in a comment what these are"

    @by_notebook
    def test_it_begins_with_a_title_and_ends_by_saving_its_results(self, cells):
        assert cells[0].cell_type == "markdown"
        assert cells[0].source.startswith("# ")
        last = [cell.source for cell in cells if cell.cell_type == "code"][-1]
        call = ast.parse(last).body[-1]
        assert isinstance(call, ast.Expr)
        assert ast.unparse(call).startswith("wb.save_results(results_file, ")

    @by_notebook
    def test_it_reaches_the_package_through_its_face(self, code):
        imports = [node for node in ast.walk(code) if isinstance(node, ast.Import | ast.ImportFrom)]
        ours = [said for said in map(ast.unparse, imports) if "workbench" in said]
        assert ours == ["import workbench as wb"]
        reached = [ast.unparse(node) for node in ast.walk(code) if isinstance(node, ast.Attribute)]
        names = {found[1] for said in reached if (found := re.fullmatch(r"wb\.(\w+)", said))}
        assert names <= set(wb.__all__)

    @by_notebook
    def test_it_sets_its_language_once_and_says_nothing_in_two(self, code):
        used = [node for node in ast.walk(code) if isinstance(node, ast.Name) and node.id == "language"]
        assert len([node for node in used if isinstance(node.ctx, ast.Load)]) == 1
        assert "wb.set_language(language)" in map(ast.unparse, code.body)

    @by_notebook
    def test_it_is_short(self, cells):
        code = [cell for cell in cells if cell.cell_type == "code"]
        assert len(code) <= MOST_CODE_CELLS
        assert [cell.source for cell in code if len(cell.source.splitlines()) > 25] == []

    @by_notebook
    def test_it_uses_no_interact_which_would_hang_papermill(self, cells):
        assert [
            cell.source for cell in cells if re.search(r"\binteract(?:ive|_manual)?\b", cell.source)
        ] == []

    @by_notebook
    def test_figures_have_words_before_and_after_them(self, cells):
        kinds = [cell.cell_type for cell in cells]
        assert all(
            "markdown" in kinds[max(0, place - 3) : place]
            for place, kind in enumerate(kinds)
            if kind == "code" and place > 2
        )
