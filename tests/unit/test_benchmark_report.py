"""benchmarks/run.py, reporting.py and quoting.py: what is run, compared, written down and quoted."""

from __future__ import annotations

import gc
import importlib
import json
import os
import re
import subprocess
import sys
import textwrap
import time
from dataclasses import replace
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BENCHMARKS = ROOT / "benchmarks"


def module(name, monkeypatch):
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    return importlib.import_module(name)


@pytest.fixture
def measuring(monkeypatch):
    return module("measuring", monkeypatch)


@pytest.fixture
def reporting(monkeypatch):
    return module("reporting", monkeypatch)


@pytest.fixture
def quoting(monkeypatch):
    return module("quoting", monkeypatch)


@pytest.fixture
def run(monkeypatch):
    return module("run", monkeypatch)


@pytest.fixture
def saved(measuring, reporting, tmp_path):
    """Save rows of (task, size, ratio) or measurements, and read them."""

    def save(name, *rows, **figures):
        measurements = [
            measuring.Measurement(task, size, "ours", "peer", 1.0, ratio, ratio) for task, size, ratio in rows
        ]
        path = measuring.save(name, measurements, figures=figures, folder=tmp_path)
        return reporting.read_result(path.read_text(encoding="utf-8"))

    return save


class TestRegressions:
    @pytest.mark.parametrize(("now", "fell"), [(8.4, True), (8.6, False), (10, False), (30, False)])
    def test_a_fall_of_more_than_15_percent_is_one(self, saved, reporting, now, fell):
        (change,) = reporting.changes(saved("x", ("t", "s", 10.0)), saved("x", ("t", "s", now)))
        assert change.fell is fell

    def test_only_the_same_task_of_the_same_size_is_compared(self, saved, reporting):
        before = saved("x", ("t", "1,000", 10.0), ("gone", "1", 2.0))
        assert reporting.changes(before, saved("x", ("t", "2,000", 1.0), ("new", "1", 1.0))) == []

    def test_none_is_one_where_the_earlier_one_is_of_another_machine(self, saved, reporting, tmp_path):
        now = saved("x", ("t", "s", 5.0))
        kept = json.loads((tmp_path / "x.json").read_text())
        kept["measurements"][0]["ratio"] = 10.0
        earlier = [json.dumps(kept), json.dumps(kept | {"machine": kept["machine"] | {"cores": 64}})]
        changes = [reporting.changes(reporting.read_result(each), now)[0] for each in earlier]
        assert [change.fell for change in changes] == [True, False]

    def test_the_committed_result_counts_and_not_the_file_that_replaced_it(self, saved, reporting, tmp_path):
        saved("x", ("t", "s", 10.0))
        git = ["git", "-c", "user.name=n", "-c", "user.email=e@x", "-c", "commit.gpgsign=false"]
        for command in (["init", "-q"], ["add", "x.json"], ["commit", "-q", "-m", "x"]):
            subprocess.run([*git, *command], cwd=tmp_path, check=True)
        saved("x", ("t", "s", 3.0))
        assert reporting.committed("x", tmp_path).measurements[0].ratio == 10

    def test_where_nothing_is_committed_the_file_that_is_there_counts(self, saved, reporting, tmp_path):
        saved("x", ("t", "s", 10.0))
        assert reporting.committed("x", tmp_path).measurements[0].ratio == 10
        assert reporting.committed("y", tmp_path) is None


class TestPage:
    def test_it_has_every_row_note_and_picture_and_the_conditions(self, saved, reporting):
        first = saved("first", ("encode", "9 texts", 2.5), notes=["Recall was 0.99."])
        second = saved("second", ("search", "7 vectors", 3.5), pictures={"scaling.svg": "Time against N"})
        page = reporting.results_page([first, second])
        assert "| first | encode | 9 texts |" in page
        assert "**3.50**" in page
        assert "![Time against N](scaling.svg)" in page
        assert first.machine["processor"] in page
        assert f"python {first.versions['python']}" in page
        assert f"| `second.py` | {second.date} |" in page
        assert "- `first.py`: Recall was 0.99." in page.partition("## Studies")[2]

    def test_it_sums_the_seconds_of_the_speed_table_and_says_where_one_took_too_long(self, saved, reporting):
        table = {name: saved(name, ("t", "s", 1.0)) for name in ("search", "encoding", "ranking")}
        slow = replace(table["search"], seconds_in_all=241.0)
        quick = [replace(table[name], seconds_in_all=9.0) for name in ("encoding", "ranking")]
        lines = reporting.results_page([slow, *quick]).splitlines()
        last = {name: next(line for line in lines if line.startswith(f"| `{name}")) for name in table}
        assert last["search"].endswith("| 241 s | 140 s **exceeded** |")
        assert last["encoding"].endswith("| 9.00 s | 110 s |")
        assert last["ranking"].endswith("| 9.00 s |  |")
        assert any(line.startswith("| `make bench` |") and "| 250 s | 900 s |" in line for line in lines)

    def test_curves_of_all_scripts_share_a_table_and_a_picture(self, saved, reporting, tmp_path, monkeypatch):
        for what in ("encode", "search"):
            curve = module("_scaling", monkeypatch).Curve(what, "quick", [10, 100], [0.1, 10.0], [1.0, None])
            saved(what, scaling=[curve.to_dict()])
        page = reporting.write_page(tmp_path).read_text(encoding="utf-8")
        for what in ("encode", "search"):
            assert f"| {what}: quick | 10 | 100 | 10.0 s | 2.00 |" in page
        assert "](scaling.svg)" in page
        first = (tmp_path / "scaling.svg").read_bytes()
        reporting.write_page(tmp_path)
        assert (tmp_path / "scaling.svg").read_bytes() == first

    def test_without_results_there_is_no_page(self, reporting, tmp_path):
        assert reporting.write_page(tmp_path) is None

    def test_equal_conditions_are_said_once(self, saved, reporting):
        page = reporting.results_page([saved("a", ("t", "s", 1.0)), saved("b", ("t", "s", 1.0))])
        assert page.count("numpy ") == 1

    def test_it_names_what_missed_its_requirement_and_what_fell(self, measuring, saved, reporting, tmp_path):
        row = measuring.Measurement("slow task", "s", "a", "b", 1, 1.1, 1.1, required=2)
        measuring.save("x", [row], folder=tmp_path)
        (result,) = reporting.read_results(tmp_path)
        fallen = reporting.changes(saved("y", ("t", "s", 9.0)), saved("y", ("t", "s", 1.0)))
        page = reporting.results_page([result], regressions=fallen)
        assert "Required and not reached" in page
        assert "9.00 → 1.00 times faster, -89%" in page

    def test_a_file_of_another_form_is_named_and_left_out(self, saved, reporting, tmp_path, capsys):
        saved("x", ("t", "s", 1.0))
        (tmp_path / "old.json").write_text('{"n_pool": 3}')
        assert [result.name for result in reporting.read_results(tmp_path)] == ["x"]
        assert "old.json" in capsys.readouterr().out


class TestRunning:
    @pytest.fixture
    def scripts(self, tmp_path):
        """Write scripts into a folder; ``SAVE`` in one stands for saving a row with that ratio."""
        folder = tmp_path / "scripts"
        folder.mkdir()

        def write(**sources):
            for name, source in sources.items():
                saving = f"""
                import sys
                from pathlib import Path
                sys.path.append({str(BENCHMARKS)!r})
                from measuring import Measurement, save
                def SAVE(ratio):
                    row = Measurement("t", "s", "a", "b", 1, ratio, ratio)
                    save({name!r}, [row], folder=Path({str(tmp_path)!r}))
                """
                (folder / f"{name}.py").write_text(textwrap.dedent(saving) + source + "\n", encoding="utf-8")
            return folder

        return write

    def test_a_script_that_fails_stops_no_other_and_is_named_at_the_end(self, run, scripts, tmp_path, capfd):
        folder = scripts(bad="raise SystemExit(3)", good="SAVE(2.0)")
        assert run.run_all(["bad", "good"], folder=folder, results=tmp_path) == 1
        assert "FAILED: bad.py ended with exit code 3." in capfd.readouterr().out
        assert "**2.00**" in (tmp_path / "RESULTS.md").read_text(encoding="utf-8")

    def test_a_script_that_hangs_is_stopped(self, run, scripts):
        folder = scripts(hung="import time; time.sleep(60)")
        assert "more than 0.5 s" in run.run_script("hung", quick=False, folder=folder, most_seconds=0.5)

    def test_all_scripts_get_the_same_time(self, run, scripts, tmp_path, capfd):
        folder = scripts(hung="import time; time.sleep(60)", good="SAVE(2.0)")
        assert run.run_all(["hung", "good"], most_seconds=2, folder=folder, results=tmp_path) == 1
        assert "FAILED: hung.py took more than 2 s and was stopped." in capfd.readouterr().out
        assert (tmp_path / "good.json").exists()

    def test_a_regression_is_shown(self, run, scripts, saved, tmp_path, capfd):
        saved("x", ("t", "s", 4.0))
        kept = json.loads((tmp_path / "x.json").read_text())
        kept["measurements"][0]["peer"] = "b"
        (tmp_path / "x.json").write_text(json.dumps(kept))
        assert run.run_all(["x"], folder=scripts(x="SAVE(3.0)"), results=tmp_path) == 1
        assert "4.00 → 3.00 times faster, -25%" in capfd.readouterr().out
        assert "4.00 → 3.00" in (tmp_path / "RESULTS.md").read_text(encoding="utf-8")

    def test_a_script_that_writes_nothing_is_not_compared(self, run, scripts, saved, tmp_path, capfd):
        saved("x", ("t", "s", 4.0))
        assert run.run_all(["x"], folder=scripts(x="print('No GPU')"), results=tmp_path) == 0
        assert "compared" not in capfd.readouterr().out

    def test_one_that_takes_longer_than_it_may_is_named(self, run, scripts, tmp_path, monkeypatch, capfd):
        monkeypatch.setattr(run, "BUDGETS", {"slow": 0, "fine": 60})
        run.run_all(["slow", "fine"], folder=scripts(slow="", fine=""), results=tmp_path)
        said = capfd.readouterr().out
        assert "MORE THAN THE 0 s that it may take" in said
        assert said.count("MORE THAN") == 1

    @pytest.mark.parametrize(
        ("asked", "expected"),
        [([], {"search", "gpu"}), (["--all"], {"search", "ranking"}), (["--only", "ranking"], {"ranking"})],
    )
    def test_without_being_asked_it_runs_the_speed_table_only(self, run, monkeypatch, asked, expected):
        names = []
        monkeypatch.setattr(run, "run_all", lambda chosen, **_: names.extend(chosen) or 0)
        assert run.main(asked) == 0
        assert expected <= set(names)
        assert ("ranking" in names) is bool(asked)
        assert "--only" not in asked or names == ["ranking"]

    def test_the_readme_tells_of_every_script(self, run):
        told = re.findall(r"^\| `(\w+)\.py`", (BENCHMARKS / "README.md").read_text("utf-8"), re.MULTILINE)
        assert sorted(told) == sorted([*run.scripts(), "faults"])
        assert set(told[: len(run.BUDGETS)]) == set(run.BUDGETS)

    def test_the_speed_table_fits_into_a_quarter_of_an_hour(self, run):
        assert sum(run.BUDGETS.values()) <= 15 * 60
        assert set(run.BUDGETS) <= set(run.scripts())

    def test_stopping_keeps_what_was_finished(self, run, scripts, tmp_path, monkeypatch):
        run_script = run.run_script

        def stopped_at_second(name, **options):
            if name == "second":
                raise KeyboardInterrupt
            return run_script(name, **options)

        monkeypatch.setattr(run, "run_script", stopped_at_second)
        folder = scripts(first="SAVE(2.0)")
        assert run.run_all(["first", "second", "third"], folder=folder, results=tmp_path) == 130
        assert "**2.00**" in (tmp_path / "RESULTS.md").read_text(encoding="utf-8")

    def test_stopped_from_elsewhere_it_takes_the_running_script_with_it(self, scripts, tmp_path):
        alive = tmp_path / "alive"
        folder = scripts(hung=f"Path({str(alive)!r}).write_text('x'); import time; time.sleep(60)")
        started = (
            f"import sys; sys.path.insert(0, {str(BENCHMARKS)!r}); from pathlib import Path; import run; "
            f"run.scripts = lambda: ['hung']; all_of = run.run_all; folder = Path({str(folder)!r}); "
            "run.run_all = lambda names, **options: all_of(names, folder=folder, results=folder); "
            "sys.exit(run.main(['--only', 'hung']))"
        )
        with subprocess.Popen([sys.executable, "-c", started], stdout=subprocess.PIPE, text=True) as running:
            while not alive.exists():
                time.sleep(0.05)
            running.terminate()
            said, _ = running.communicate(timeout=30)  # the script shares its output: it has ended too
        assert running.returncode == 130
        assert "Stopped during hung" in said

    def test_all_scripts_are_found_and_each_has_a_main_block(self, run):
        found = run.scripts()
        assert {"bootstrap", "calibration"} <= set(found)
        assert not {"measuring", "quoting", "reporting", "run"} & set(found)
        for name in found:
            text = (BENCHMARKS / f"{name}.py").read_text(encoding="utf-8")
            assert 'if __name__ == "__main__":' in text, name


class TestScaling:
    @pytest.fixture
    def scaling(self, monkeypatch):
        return module("_scaling", monkeypatch)

    def test_the_exponent_is_that_of_a_power(self, scaling):
        n = [10, 30, 100, 1000]
        assert scaling.fitted_exponent(n, [3 * each**1.5 for each in n]) == pytest.approx(1.5)

    def test_memory_is_what_came_on_top(self, scaling):
        if not scaling.STATM.exists():
            pytest.skip("memory cannot be read here")
        gc.collect()  # what is let go of meanwhile would be taken off
        with scaling.peak_memory() as peak:
            block = bytearray(os.urandom(1)) * (100 * 2**20)
            time.sleep(200 * scaling.PERIOD)  # the watcher has to come to its turn on a busy machine
            del block
        assert 80 < peak() < 300

    def test_a_curve_survives_its_file(self, scaling):
        curve = scaling.Curve("encode", "x")
        for n in (1, 2):
            curve.measure(n, lambda: sum(range(1000)))
        assert scaling.Curve.from_dict(json.loads(json.dumps(curve.to_dict()))) == curve


class TestQuotes:
    @pytest.fixture
    def quoted(self, measuring, reporting, quoting, tmp_path):
        """Results that have every row that README quotes, with ratios 2.0, 3.0, …"""
        rows = {}
        for number, quote in enumerate(quoting.QUOTED):
            row = measuring.Measurement(
                quote.task, quote.size, "a", f"x {quote.peer}", 1.0, 2.0, 2.0 + number
            )
            rows.setdefault(quote.script, []).append(row)
        for script, of_script in rows.items():
            measuring.save(script, of_script, folder=tmp_path)
        return reporting.read_results(tmp_path)

    @pytest.mark.parametrize("name", ["README.md", "README.zh-CN.md"])
    def test_only_what_is_between_the_marks_is_renewed(self, quoting, quoted, tmp_path, name):
        readme = tmp_path / name
        readme.write_text("before\n<!-- benchmarks -->\nold\n<!-- /benchmarks -->\nafter\n", encoding="utf-8")
        assert quoting.write_quotes(readme, quoted)
        text = readme.read_text(encoding="utf-8")
        assert text.startswith("before\n<!-- benchmarks -->\n| ")
        assert text.endswith("<!-- /benchmarks -->\nafter\n")
        assert "old" not in text
        ratios = re.findall(r"\*\*([\d.]+)\*\*", text)
        assert ratios == [f"{2.0 + number:.2f}" for number in range(len(quoting.QUOTED))]
        quoting.write_quotes(readme, quoted)
        assert readme.read_text(encoding="utf-8") == text

    def test_a_readme_without_marks_is_left_alone(self, quoting, quoted, tmp_path):
        readme = tmp_path / "README.md"
        readme.write_text("no marks", encoding="utf-8")
        assert not quoting.write_quotes(readme, quoted)
        assert readme.read_text(encoding="utf-8") == "no marks"

    def test_a_row_that_was_not_measured_cannot_be_quoted(self, quoting, quoted):
        with pytest.raises(ValueError, match="and 0 rows have them"):
            quoting.quoted_section(quoted[1:])

    def test_nor_can_one_of_two_that_look_alike(self, quoting, quoted):
        with pytest.raises(ValueError, match="and 2 rows have them"):
            quoting.quoted_section([*quoted, quoted[0]])

    @pytest.mark.parametrize("name", ["README.md", "README.zh-CN.md"])
    def test_this_readme_quotes_the_committed_results(self, reporting, quoting, name):
        marked = quoting.MARKED.search((ROOT / name).read_text(encoding="utf-8"))
        if marked is None:
            pytest.skip(f"{name} has no benchmark section")
        expected = quoting.quoted_section(reporting.read_results(), "zh" if ".zh" in name else "en")
        assert marked[2] == expected, "Renew it with: python benchmarks/run.py --readme"


class TestTheSizingGuide:
    def test_it_says_what_the_kept_figures_give(self, monkeypatch):
        sizing = module("sizing", monkeypatch)
        assert sizing.page() == sizing.PAGE.read_text(encoding="utf-8"), "run 'python benchmarks/sizing.py'"

    def test_a_billion_lines_are_a_billion_times_one(self, monkeypatch):
        sizing = module("sizing", monkeypatch)
        use = next(c for c in sizing.kept("scaling")["figures"]["scaling"] if c["name"] == "use")
        hours = 1e9 / (use["n"][-1] / use["seconds"][-1] / 2) / 3600
        row = next(line for line in sizing.page().splitlines() if line.startswith("| 1,000,000,000 |"))
        assert row.split(" | ")[1] == f"{hours:,.0f}"
