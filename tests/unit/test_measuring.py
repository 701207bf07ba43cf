"""benchmarks/measuring.py on a clock that only the timed tasks move."""

from __future__ import annotations

import gc
import importlib
import json
import platform
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from scipy.stats import quantile_test

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


@pytest.fixture
def measuring(monkeypatch):
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    return importlib.import_module("measuring")


class Clock:
    """Seconds that pass only when a task takes them."""

    def __init__(self):
        self.now = 0.0
        self.calls = []

    def task(self, name, durations):
        """A task that takes the next of `durations` with each call, and the last one for ever."""
        left = list(durations)

        def run():
            self.calls.append(name)
            self.now += left.pop(0) if len(left) > 1 else left[0]

        return run


@pytest.fixture
def clock(measuring, monkeypatch):
    clock = Clock()
    monkeypatch.setattr(measuring, "time", SimpleNamespace(perf_counter=lambda: clock.now))
    # A collection takes a tenth of a second among all that a test session has loaded.
    monkeypatch.setattr(measuring.gc, "collect", lambda: 0)
    return clock


class TestTurns:
    def test_the_order_is_swapped_from_round_to_round(self, measuring, clock):
        measuring.interleaved(clock.task("ours", [1]), clock.task("peer", [1]), rounds=3, warm_up=0)
        assert clock.calls == ["ours", "peer", "peer", "ours", "ours", "peer"]

    def test_warm_up_is_not_counted(self, measuring, clock):
        timing = measuring.interleaved(clock.task("ours", [50, 1]), clock.task("peer", [90, 3]), rounds=3)
        assert (timing.ours, timing.peer, timing.ratio) == (1, 3, 3)

    def test_the_ratio_is_the_median_of_the_ratios_of_each_round(self, measuring, clock):
        ours, peer = clock.task("ours", [1, 4, 2]), clock.task("peer", [8, 4, 4])
        timing = measuring.interleaved(ours, peer, rounds=3, warm_up=0)
        assert timing.ratios == (8, 1, 2)
        assert (timing.ours, timing.peer, timing.ratio) == (2, 4, 2)

    def test_a_short_task_is_repeated_for_20_milliseconds_and_its_time_is_that_of_one_call(
        self, measuring, clock
    ):
        timing = measuring.interleaved(clock.task("ours", [0.002]), clock.task("peer", [0.5]), rounds=1)
        assert clock.calls.count("ours") == 1 + 10
        assert clock.calls.count("peer") == 1 + 1
        assert timing.ours == pytest.approx(0.002)

    def test_the_same_callable_may_be_both(self, measuring, clock):
        task = clock.task("both", [2])
        assert measuring.interleaved(task, task, rounds=2).ratio == 1

    def test_no_rounds_are_refused(self, measuring):
        with pytest.raises(ValueError, match="at least one"):
            measuring.interleaved(int, int, rounds=0)


class TestGarbageCollection:
    def test_it_is_off_while_a_task_runs_and_on_afterwards(self, measuring):
        seen = []
        measuring.interleaved(lambda: seen.append(gc.isenabled()), int, rounds=1, warm_up=0)
        assert seen == [False]
        assert gc.isenabled()

    def test_it_is_on_again_after_a_task_that_fails(self, measuring):
        with pytest.raises(ZeroDivisionError):
            measuring.interleaved(lambda: 1 / 0, int)
        assert gc.isenabled()


class TestMeasure:
    def test_a_peer_that_does_a_tenth_is_taken_ten_times(self, measuring, clock, capsys):
        row = measuring.measure(
            "count",
            "ten",
            ("fast", clock.task("ours", [1])),
            ("slow", clock.task("peer", [2])),
            required=15,
            peer_share=0.1,
        )
        assert (row.ours_seconds, row.peer_seconds, row.ratio) == (1, pytest.approx(20), pytest.approx(20))
        assert row.ratios == pytest.approx((20,) * 9)
        assert row.reached
        assert "count, ten: fast 1.00 s, slow 20.0 s, 20.00 times faster" in capsys.readouterr().out

    def test_a_row_without_a_required_ratio_neither_reaches_nor_misses_it(self, measuring):
        assert measuring.Measurement("t", "s", "a", "b", 1, 2, 2).reached is None
        assert measuring.Measurement("t", "s", "a", "b", 1, 2, 2, required=2.1).reached is False


class TestInterval:
    def of(self, measuring, ratios):
        return measuring.Measurement("t", "s", "a", "b", 1, 2, 2, ratios=tuple(ratios)).interval

    @pytest.mark.parametrize("n", [6, 8, 9, 15, 40])
    def test_it_is_that_of_scipy(self, measuring, n):
        ratios = np.random.default_rng(n).lognormal(size=n)
        expected = quantile_test(ratios, p=0.5).confidence_interval(0.95)
        assert self.of(measuring, ratios) == (expected.low, expected.high)

    @pytest.mark.parametrize("ratios", [[3, 1, 2], [2]])
    def test_of_fewer_than_six_rounds_it_is_all_of_them(self, measuring, ratios):
        assert self.of(measuring, ratios) == (min(ratios), max(ratios))

    def test_the_table_shows_it_where_there_was_more_than_one_round(self, measuring):
        many, one = (measuring.Measurement("t", "s", "a", "b", 1, 2, 2, ratios=r) for r in ((1, 2, 3), (2,)))
        assert (many.faster, one.faster) == ("**2.00** (1.00–3.00)", "**2.00**")


@pytest.mark.parametrize(
    ("value", "text"),
    [(75.3, "75.3 s"), (1.5, "1.50 s"), (0.0321, "32.1 ms"), (0.00123, "1.23 ms"), (4.2e-6, "4.20 µs")],
)
def test_seconds_have_three_digits_and_a_unit(measuring, value, text):
    assert measuring.seconds(value) == text


@pytest.mark.parametrize(("ratio", "text"), [(0.5, "0.50"), (99.994, "99.99"), (1834.2, "1,834")])
def test_large_ratios_have_no_decimals(measuring, ratio, text):
    assert measuring.times(ratio) == text


def test_the_table_marks_what_missed_its_requirement(measuring):
    rows = [
        measuring.Measurement("a|b", "5", "x", "y", 1, 3, 3, required=2, checked="equal"),
        measuring.Measurement("c", "6", "x", "y", 1, 3, 1.5, required=2),
    ]
    lines = measuring.table(rows).splitlines()
    assert lines[2] == "| a\\|b | 5 | x: 1.00 s | y: 3.00 s | **3.00** | 2 ✓ | equal |"
    assert "2 ✗ missed" in lines[3]


class TestSaving:
    def test_what_is_saved_can_be_read(self, measuring, tmp_path):
        row = measuring.Measurement("t", "s", "a", "b", 1.23456789, 2, 1.62, ratios=(1.5, 1.62, 2))
        kept = json.loads(measuring.save("x", [row], figures={"recall": 0.99}, folder=tmp_path).read_text())
        assert kept["measurements"][0]["ratios"] == [1.5, 1.62, 2]
        assert kept["measurements"][0]["ours_seconds"] == 1.2346
        assert kept["figures"] == {"recall": 0.99}
        assert kept["versions"]["python"] == platform.python_version()
        assert kept["versions"]["numpy"] == np.__version__
        assert kept["machine"]["cores"] >= 1

    def test_it_names_neither_the_host_nor_a_path(self, measuring, tmp_path):
        text = measuring.save("x", [], folder=tmp_path).read_text()
        for private in (platform.node(), str(Path.home()), str(BENCHMARKS.parent), str(tmp_path)):
            assert f'"{private}' not in text
            assert len(private) < 4 or private not in text

    def test_a_failure_leaves_the_earlier_file(self, measuring, tmp_path):
        before = measuring.save("x", [], folder=tmp_path).read_text()
        with pytest.raises(TypeError):
            measuring.save("x", [], figures={"no JSON": object()}, folder=tmp_path)
        assert (tmp_path / "x.json").read_text() == before
