"""Killed at any moment: nothing that was said to be saved is lost, and the next run goes on from there."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import workbench

TESTS = Path(__file__).parents[1]
ACTS = {
    "kb add",
    "kb remove",
    "kb re-encode",
    "kb export",
    "encode with the store",
    "label",
    "import labels",
    "write shortlists",
    "save a card",
    "log decisions",
}

pytestmark = pytest.mark.skipif(os.name != "posix", reason="kill -9 is a thing of POSIX systems")


def killed(*arguments):
    """What came of killing acts, in a process of its own: it forks, and has no threads."""
    path = os.pathsep.join([str(Path(workbench.__file__).parents[1]), str(TESTS)])
    done = subprocess.run(
        [sys.executable, TESTS / "killed_acts.py", *arguments],
        env=os.environ | {"PYTHONPATH": path, "OMP_NUM_THREADS": "1"},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_a_decision_outlasts_a_kill():
    (found,) = killed("--times", "1", "log decisions")
    assert (found["kills"], found["lost"]) == (1, [])


@pytest.mark.slow
def test_all_acts_outlast_kills_at_all_their_steps_and_at_random():
    found = killed("--times", "8")
    assert {each["name"]: each["lost"] for each in found} == {name: [] for name in ACTS}
    assert sum(each["kills"] for each in found) == 10 * 8
