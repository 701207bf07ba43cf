"""What is written may be read by its owner only, whatever the umask; folders that are there keep theirs."""

from __future__ import annotations

import os
import re
from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

import workbench as wb
from workbench.app.rooms import _own_set
from workbench.atomic import write_whole
from workbench.cli import app
from workbench.encoders import EmbeddingStore
from workbench.pairs import working_copy, write_pairs
from workbench.pairs.annotations import AnnotationLog
from workbench.scorers.rerank_store import RerankStore

pytestmark = pytest.mark.skipif(os.name == "nt", reason="POSIX permissions")

JDS = "熟悉 RAG 架构设计\n具备 AI Agent 开发经验\n持护士执业证\n"


@pytest.fixture(params=[0o000], ids=oct)
def umask(request):
    before = os.umask(request.param)
    yield request.param
    os.umask(before)


@pytest.fixture
def own(tmp_path, monkeypatch):
    own = tmp_path / "project"
    own.mkdir(mode=0o755)
    own.chmod(0o755)
    monkeypatch.chdir(own)
    monkeypatch.setenv("WORKBENCH_CACHE", str(own / "cache" / "workbench"))
    return own


def modes_in(own):
    """The permissions of all files, and of all folders."""
    written = sorted(own.rglob("*"))
    assert oct(own.stat().st_mode & 0o777) == "0o755"
    return [
        {oct(path.stat().st_mode & 0o777) for path in written if path.is_file() is of_files}
        for of_files in (True, False)
    ]


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077], ids=oct, indirect=True)
def test_nobody_else_may_read_a_file_a_log_and_a_store(umask, own):
    write_whole(own / "out" / "report.html", "<p>text")
    AnnotationLog(own / "set", "Wang").append("label", "p1", label=1)
    with EmbeddingStore(own / "cache" / "workbench" / "embeddings.sqlite") as store:
        store.put("f", "document", ["text"], np.ones((1, 1), np.float32))
        # SQLite's files beside its database are among them.
        assert len([*own.rglob("embeddings.sqlite*")]) == 3
        assert modes_in(own) == [{"0o600"}, {"0o700"}]


@pytest.mark.slow
def test_nobody_else_may_read_what_was_written(umask, own, tmp_path, monkeypatch):
    jds = tmp_path / "jds.txt"
    jds.write_text(JDS, encoding="utf-8")

    scored = tmp_path / "scored.csv"
    rows = [f"j{n},r{n},{n / 80},{int(n > 30)}" for n in range(80)]
    scored.write_text("\n".join(["jd,resume,score,label", *rows]))
    commands = [
        ["kb", "add", "kb/jobs", str(jds), "-e", "use"],
        ["kb", "export", "kb/jobs", "exports/jobs.xlsx"],
        ["kb", "export", "kb/jobs", "jobs.csv"],
        ["kb", "export", "kb/jobs", "jobs.jsonl"],
        ["kb", "export", "kb/jobs", "jobs.parquet"],
        [
            "kb",
            "search",
            "kb/jobs",
            "Agent",
            "-c",
            "0.3",
            "--log",
            "logs/decisions.jsonl",
            "--candidate",
            "p-17",
        ],
        ["kb", "remove", "kb/jobs", "--row", "0", "--yes"],
        ["rank", str(jds), str(jds), "--scorer", "use", "-o", "s.html", "-o", "s.xlsx", "-o", "out/s.csv"],
        [
            "calibrate",
            str(scored),
            "-s",
            "column:score",
            "--target-precision",
            "0.8",
            "-o",
            "out/card.json",
        ],
        ["check", "out/card.json", str(scored), "-s", "column:score"],
    ]
    for command in commands:
        done = CliRunner().invoke(app, command)
        assert done.exit_code in (0, 3), done.output  # of the very pairs of a card, check cannot tell
    pairs = pd.DataFrame(
        [("p1", "RAG", "做过检索"), ("p2", "护士", "做过检索")], columns=["pair_id", "jd", "resume"]
    )
    write_pairs(own / "labeled_pairs" / "mine", pairs)
    AnnotationLog(own / "labeled_pairs" / "mine", "Wang").append("label", "p1", label=1)
    wb.Cutoff(0.4).save(own / "labeled_pairs" / "cutoffs" / "c.json")
    monkeypatch.setenv("WORKBENCH_PROJECT", str(own))
    _own_set(own / "labeled_pairs" / "mine" / "pairs.csv")
    working_copy(own / "labeled_pairs" / "mine", own / "labeled_pairs" / "work" / "mine")
    RerankStore(own / "cache" / "workbench" / "reranked.sqlite").put(
        "f", "RAG", ["x"], np.ones(1), np.zeros(1, bool)
    )

    assert {"reranked.sqlite", ".decisions.jsonl.lock", "card.json"} <= {path.name for path in own.rglob("*")}
    assert modes_in(own) == [{"0o600"}, {"0o700"}]


# What writes by itself: into drafts of workbench.atomic, into its temporary folders, or no text.
OTHERS = {
    "documents/aside.py": 1,
    "documents/reading.py": 1,
    "exploration/projection.py": 1,
    "files/exporting.py": 2,
    "panels/file_drop.py": 1,
}


def test_whatever_is_written_is_written_by_way_of_atomic_which_knows_it_again():
    writes = re.compile(
        r"\.write_(?:text|bytes)\(|open\((?!.*opener=).*[\"'][wax]b?\+?[\"']|mkdtemp|mkstemp|"
        r"TemporaryDirectory\(|NamedTemporaryFile|\.to_csv\([a-z]*path"
    )
    package = Path(wb.__file__).parent
    found = Counter(
        path.relative_to(package).as_posix()
        for path in package.rglob("*.py")
        for line in path.read_text().splitlines()
        if writes.search(line) and not re.match(r"\s+(>>>|\.\.\.)", line)
    )
    del found["atomic.py"]
    assert found == OTHERS
