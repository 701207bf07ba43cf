"""A ranking that is stopped half way: what was encoded is kept, and the next run goes on from there."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

DOCUMENTS = Path(__file__).parents[2] / "labeled_pairs/documents"
BATCH = 8
# The command line, with each text that is encoded written down, and time to be stopped in.
PROGRAM = f"""
import json, time
from workbench.cli import main
from workbench.encoders import universal

universal.BATCH_SIZE = {BATCH}
encode = universal.UniversalSentenceEncoder.encode_batches

def written_down(self, texts, role):
    for positions, vectors in encode(self, texts, role):
        with open("encoded.jsonl", "a", encoding="utf-8") as file:
            file.writelines(json.dumps([role, texts[position]]) + "\\n" for position in positions)
        time.sleep(0.02)
        yield positions, vectors

universal.UniversalSentenceEncoder.encode_batches = written_down
main()
"""


def start(folder):
    command = [sys.executable, "-c", PROGRAM, "rank", "jds", "resumes", "--scorer", "use+relative", "--json"]
    environment = os.environ | {"WORKBENCH_CACHE": str(folder / "cache")}
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    return subprocess.Popen(command, cwd=folder, env=environment, **pipes)


def encoded(folder):
    file = folder / "encoded.jsonl"
    return [tuple(json.loads(line)) for line in file.read_text("utf-8").splitlines()] if file.exists() else []


def documents(folder):
    for side, n in (("jds", 3), ("resumes", 10)):
        (folder / side).mkdir()
        for file in sorted((DOCUMENTS / side).glob("*.txt"))[:n]:
            shutil.copy(file, folder / side)
    return folder


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    folder = documents(tmp_path_factory.mktemp("undisturbed"))
    said, complaint = start(folder).communicate(timeout=300)
    return encoded(folder), json.loads(said), complaint


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="POSIX signals")
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_a_second_run_goes_on_where_the_first_was_stopped(tmp_path, undisturbed, how):
    folder = documents(tmp_path)
    running = start(folder)
    end = time.monotonic() + 300
    while len(encoded(folder)) < 5 * BATCH:
        assert running.poll() is None, running.communicate()[1]
        assert time.monotonic() < end
        time.sleep(0.01)
    running.send_signal(how)
    running.communicate(timeout=300)
    assert running.returncode == (130 if how == signal.SIGINT else -how)
    before = encoded(folder)
    everything, expected, _complaint = undisturbed
    assert len(before) < len(everything) / 2

    said = start(folder).communicate(timeout=300)[0]
    after = encoded(folder)[len(before) :]
    # What was stopped between encoding and writing is one batch.
    assert len(set(before) & set(after)) <= BATCH
    assert len(after) == len(set(after))
    assert {*before, *after} == set(everything)
    found = json.loads(said)
    assert found["scores"]["matrix"] == [pytest.approx(row, abs=1e-6) for row in expected["scores"]["matrix"]]
    assert found["shortlists"].keys() == expected["shortlists"].keys()
    for jd, shortlist in expected["shortlists"].items():
        assert [each["resume_id"] for each in found["shortlists"][jd]] == [
            each["resume_id"] for each in shortlist
        ]


@pytest.mark.slow
def test_nothing_is_encoded_twice(undisturbed):
    everything, _found, complaint = undisturbed
    assert len(everything) == len(set(everything)), complaint
