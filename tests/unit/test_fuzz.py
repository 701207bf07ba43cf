"""Damaged files of every kind: a value or an error of ours comes back, and soon."""

from __future__ import annotations

import warnings

import fuzz
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench import pairs
from workbench.errors import InputError, PairsWarning
from workbench.pairs import read_label_studio


@pytest.fixture(autouse=True)
def here(monkeypatch):
    """Read in this process, where another error than ours is seen."""
    monkeypatch.setattr(fuzz.aside, "HEAVY", ())
    monkeypatch.setattr(fuzz.aside, "LIGHT", 2**40)


@pytest.mark.parametrize("name", fuzz.TARGETS)
def test_sound_files_are_read(name, tmp_path, monkeypatch):
    """Without that, nothing would be learned from damaged ones."""
    monkeypatch.setattr(fuzz, "damaged", lambda content, chance: content)
    monkeypatch.setattr(fuzz, "altered", lambda value, chance: value)
    assert fuzz.tried(name, 0) in (None, *fuzz.REFUSED.get(name, ()))


@pytest.mark.parametrize("name", fuzz.TARGETS)
def test_it_says_so_or_reads_what_is_there(name):
    # The same each time: `python tests/fuzz.py` looks for what nobody has seen yet.
    @settings(derandomize=True)
    @given(st.integers(0, 2**32))
    def try_one(seed):
        fuzz.tried(name, seed)

    try_one()


@pytest.mark.parametrize(
    "content", ["null", "3", "[null]", "[3]", '[{"data": 3}]', '[{"fields": null}]', "[" * 10**5]
)
@pytest.mark.parametrize("read", ["read_label_studio", "read_argilla"])
def test_no_tasks_at_all(read, content, tmp_path):
    (tmp_path / "a.json").write_text(content, "utf-8")
    with pytest.raises(InputError, match=r"a\.json"):
        getattr(pairs, read)(tmp_path / "a.json")


ANSWERS = [
    None,
    3,
    "x",
    [],
    [None],
    [3],
    {"result": None},
    {"result": 3},
    {"result": [None, 3]},
    {"result": [{}]},
]


@pytest.mark.parametrize("answer", ANSWERS)
def test_entries_of_label_studio_that_are_no_answers(answer):
    sound, *rest = fuzz.TASKS
    tasks = [sound | {"annotations": [answer, *sound["annotations"]]}, *rest]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PairsWarning)
        found = read_label_studio(tasks)
    assert found.annotations["label"].tolist() == [1]
