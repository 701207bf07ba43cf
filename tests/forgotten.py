"""A project in which two people have left their traces, one of whom is forgotten, and the process killed."""

from __future__ import annotations

import argparse
import hashlib
import html
import json
import multiprocessing
import os
import random
import shutil
import sqlite3
import tempfile
import time
import zipfile
from contextlib import closing
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
from typer.testing import CliRunner

import workbench as wb
from workbench.cli import app
from workbench.decision_log import DecisionLog
from workbench.encoders import BaseEncoder, EmbeddingStore
from workbench.files.exporting import export_frame
from workbench.forgetting.act import complete, forget
from workbench.pairs import read_pairs, write_pairs
from workbench.pairs.annotations import AnnotationLog
from workbench.scorers.rerank_store import RerankStore

WANG = """王芳 <wang.fang@example.org>
2019–2024 在 A&B 医院任重症监护护士，会用呼吸机与"体外循环"
Night shifts on the ward of the university hospital for five years"""
LINE = "Night shifts on the ward of the university hospital for five years"
LI = "李强\n十二年管道焊接经验，持焊工证与压力容器证\nNight bus driver in the summers of 2011 and 2012"


def run(*arguments):
    done = CliRunner().invoke(app, [str(each) for each in arguments])
    assert done.exit_code in (0, 1), done.output
    return done


def fill(folder: Path) -> None:
    """A project in which two people have left their traces everywhere."""
    (folder / "in").mkdir(parents=True)
    for name, text in (("wang", WANG), ("li", LI)):
        (folder / "in" / f"{name}.txt").write_text(text)
    jds = folder / "jds.txt"
    jds.write_text("重症监护护士，会用呼吸机\n管道焊接，持焊工证\n")
    run("kb", "add", folder / "kb", folder / "in", "-e", "use")
    base = wb.KnowledgeBase.open(folder / "kb")
    pairs = pd.DataFrame(
        [("p1", "护士", WANG), ("p2", "焊工", LI), ("p3", "护士", LINE)], columns=["pair_id", "jd", "resume"]
    )
    said = pd.DataFrame(
        {"pair_id": ["p1", "p2"], "annotator": "Zhao", "label": ["1", "1"], "note": [LINE, "yes"]}
    )
    lines = write_pairs(folder / "labeled_pairs" / "lines", pairs, said)
    for name, note in (("p1", LINE), ("p2", "good"), ("p3", "")):
        AnnotationLog(lines, "Wu").append("label", name, label=1, note=note)
    whole = folder / "labeled_pairs" / "whole"
    for side, name, text in (
        ("jds", "nurse", "护士\n护理"),
        ("resumes", "wang", WANG),
        ("resumes", "li", LI),
    ):
        (whole / side).mkdir(parents=True, exist_ok=True)
        (whole / side / f"{name}.txt").write_text(text)
    (whole / "pairs_Wu.csv").write_text(
        f'jd_id,resume_id,rating,note\nnurse,wang,3,"{LINE}"\nnurse,li,0,no\n'
    )
    AnnotationLog(whole, "Wu").append("label", "nurse~wang", label=3, note=LINE)
    log = DecisionLog(folder / "decisions.jsonl")
    encoder = wb.load_encoder("use")
    for name in ("wang", "li", wb.document_id(WANG)):
        log.record(wb.Cutoff(0.4), encoder=encoder, jd_id="nurse", resume_id=name, score=0.5)
    scores = RerankStore(folder / "cache" / "reranked.sqlite")
    scores.put("f", "护士", [WANG, LI], np.ones(2), np.zeros(2, dtype=bool))
    encoder.encode_queries([WANG, LI, LINE])
    for suffix in ("csv", "xlsx", "jsonl", "parquet"):
        export_frame(base.frame, folder / "out" / f"base.{suffix}")
        export_frame(base.frame[base.frame["source"] == "li.txt"], folder / "out" / f"li.{suffix}")
    run(
        "rank",
        jds,
        folder / "in",
        "--scorer",
        "use",
        "-o",
        folder / "out" / "s.html",
        "-o",
        folder / "out" / "s.xlsx",
    )
    # What killed processes leave: half lines, vectors that were never counted, and a draft.
    AnnotationLog(lines, "Qi").append("label", "p2", label=1)
    with (lines / "annotations" / "Qi.jsonl").open("a") as labels:
        labels.write(json.dumps({"action": "label", "pair_id": "p1", "note": LINE})[:-1])
    log = DecisionLog(folder / "half.jsonl")
    log.record(wb.Cutoff(0.4), encoder=encoder, jd_id="nurse", resume_id="li", score=0.5)
    with log.path.open("a") as decisions:
        decisions.write(f'{{"resume_id": "{wb.document_id(WANG)}"')
    with next((folder / "kb").glob("vectors-*.npy")).open("ab") as vectors:
        vectors.write(encoder.encode_documents([WANG]).tobytes())
    (folder / "out" / ".s.html.draft-x1y2z3_4.html").write_text(f"<p>{html.escape(LINE)}")


@cache
def use() -> BaseEncoder:
    return wb.load_encoder("use").encoder


@cache
def wanted() -> list[bytes]:
    """What tells of the person, made without the workbench: texts in all forms, keys, vectors."""
    encoder = use()
    vectors = [*encoder.encode_documents([WANG, LINE]), *encoder.encode_queries([WANG, LINE])]
    found = [vector.astype("<f4").tobytes() for vector in vectors]
    for text in (WANG, LINE, "wang.fang@example.org", WANG.splitlines()[1]):
        for form in (
            text,
            html.escape(text),
            json.dumps(text)[1:-1],
            json.dumps(text, ensure_ascii=False)[1:-1],
        ):
            found += [form.encode(), form.encode("utf-16-le"), form.encode("utf-16-be")]
    for text in (WANG, LINE):
        found += [
            hashlib.sha256(text.encode()).digest(),
            hashlib.sha256(text.encode()).hexdigest()[:16].encode(),
        ]
    return found


def traces(folder: Path) -> list[str]:
    """Files in which the person can still be told."""
    found = []
    for path in folder.rglob("*"):
        if path.is_file() and folder / "in" not in path.parents:
            contents = [path.read_bytes()]
            if zipfile.is_zipfile(path):
                with zipfile.ZipFile(path) as packed:
                    contents += map(packed.read, packed.namelist())
            if path.suffix == ".parquet":
                contents.append(pd.read_parquet(path).to_json(force_ascii=False).encode())
            found += [
                str(path.relative_to(folder)) for each in wanted() for content in contents if each in content
            ]
    return sorted(set(found))


def kept(folder: Path) -> dict[str, object]:
    """What is there, of the other person and of whoever else, as its readers find it."""
    base = wb.KnowledgeBase.open(folder / "kb", use(), create=False)
    store = EmbeddingStore(folder / "cache" / "embeddings.sqlite")
    return {
        "base": [(text, vector.tobytes()) for text, vector in zip(base.texts, base.vectors, strict=True)],
        "hits": [hit["text"] for hit in base.search("焊工", k=1, cutoff=0.4)],
        "lines": read_pairs(folder / "labeled_pairs" / "lines")[["pair_id", "resume", "label"]].to_dict(
            "records"
        ),
        "notes": [entry.note for entry in AnnotationLog(folder / "labeled_pairs" / "lines", "Wu").entries],
        "whole": read_pairs(folder / "labeled_pairs" / "whole")[["pair_id", "label"]].to_dict("records"),
        "log": DecisionLog(folder / "decisions.jsonl").read()["resume_id"].tolist(),
        "query": store.get(use().fingerprint, "query", [LI], dimension=512)[1].tolist(),
        "scores": RerankStore(folder / "cache" / "reranked.sqlite").get("f", "护士", [LI])[0].tolist(),
        "files": sorted(path.name for path in (folder / "out").iterdir()),
    }


def settle(folder: Path) -> None:
    """Make a folder the user's."""
    os.environ |= {"WORKBENCH_CACHE": str(folder / "cache"), "WORKBENCH_PROJECT": str(folder)}


def copied(filled: Path, folder: Path) -> Path:
    """A copy of a project, whose notes of where it lies are right."""
    shutil.copytree(filled, folder)
    notes = folder / "cache" / "written"
    notes.write_bytes(notes.read_bytes().replace(os.fsencode(filled) + b"/", os.fsencode(folder) + b"/"))
    with closing(sqlite3.connect(folder / "cache" / "embeddings.sqlite")) as connection, connection:
        connection.execute("UPDATE knowledge_base SET folder = ?", (str(folder / "kb"),))
    settle(folder)
    return folder


class Kills:
    """Kills forgetting at random moments, and looks whether the next start completes it.

    Parameters
    ----------
    filled : Path
        As :func:`fill` left it.
    folder : Path
        To work in.

    Attributes
    ----------
    kills, resumed : int
        Processes that were killed, and those of them that had begun to erase.
    lost : list of str
        What went wrong: traces that were left, or something of the other person's that was not.
    """

    def __init__(self, filled: Path, folder: Path) -> None:
        self.filled, self.folder = filled, folder
        self.kills = self.resumed = 0
        self.lost: list[str] = []
        # The second time is the one that counts: everything is loaded, here and in the forked processes.
        self.before = kept(copied(filled, folder / "first"))
        forget(text=WANG)
        undisturbed = copied(filled, folder / "undisturbed")
        began = time.monotonic()
        self._start(undisturbed).join()
        self.seconds = time.monotonic() - began
        self.after = kept(undisturbed)

    def once(self, seed: int) -> None:
        """Kill once."""
        project = copied(self.filled, self.folder / str(seed))
        process = self._start(project)
        process.join(random.Random(seed).uniform(0, self.seconds))
        process.kill()
        process.join()
        self.kills += process.exitcode == -9
        if (project / "cache" / "forgetting.json").exists():
            self.resumed += 1
            self.lost += complete()
        elif process.exitcode == -9:
            # Nothing had begun, or all was done and only the proof was not.
            self.lost += [] if kept(project) in (self.before, self.after) else ["erased and not noted"]
            forget(text=WANG)
        self.lost += traces(project)
        self.lost += [f"{name}: {now}" for name, now in kept(project).items() if now != self.after[name]]
        shutil.rmtree(project)

    @staticmethod
    def _start(project: Path) -> multiprocessing.process.BaseProcess:
        process = multiprocessing.get_context("fork").Process(target=forget, kwargs={"text": WANG})
        process.start()
        return process


def main() -> None:
    """Kill so many times, and print what came of it as JSON."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--times", type=int, default=200)
    times = parser.parse_args().times
    began = time.monotonic()
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if os.access(memory, os.W_OK) else None) as folder:
        settle(Path(folder) / "filled")
        fill(Path(folder) / "filled")
        kills, seed = Kills(Path(folder) / "filled", Path(folder) / "work"), 0
        while kills.kills < times:
            kills.once(seed := seed + 1)
    found = {"name": "workbench forget", "kills": kills.kills, "resumed": kills.resumed, "lost": kills.lost}
    print(json.dumps(found | {"seconds": time.monotonic() - began}))


if __name__ == "__main__":
    main()
