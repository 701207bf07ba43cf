"""benchmarks/simulations.py: finds a simulation by its name, and says on its page how it was made."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


@pytest.fixture
def simulations(monkeypatch, tmp_path):
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    module = __import__("simulations")
    folder = tmp_path / "simulating"
    folder.mkdir()
    (folder / "coin.py").write_text("def run(runs=7, seed=0):\n    return f'| {runs} | {seed} |\\n'\n")
    (folder / "_shared.py").write_text("")
    monkeypatch.setattr(module, "HERE", tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    for name in [name for name in sys.modules if name.split(".")[0] == "simulating"]:
        monkeypatch.delitem(sys.modules, name)
    yield module
    for name in [name for name in sys.modules if name.split(".")[0] == "simulating"]:
        del sys.modules[name]


def test_without_a_name_all_are_listed(simulations, capsys):
    simulations.main([])
    assert capsys.readouterr().out == "coin\n"


def test_the_page_says_the_command_that_made_it(simulations, tmp_path):
    page = simulations.simulate("coin", tmp_path / "pages", seed=3)
    assert page.read_text(encoding="utf-8").startswith(
        "`python benchmarks/simulations.py coin --runs 7 --seed 3`, "
    )
    assert page.read_text(encoding="utf-8").endswith("\n\n| 7 | 3 |\n")
