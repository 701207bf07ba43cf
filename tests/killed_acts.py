"""The acts that are killed at any moment: what each says is saved must be there, whole, for whoever reads.

``python tests/killed_acts.py --times 50 [act ...]`` kills each that often, at steps in which it reaches the
disk and at random moments in turn, and prints what came of it, a line of JSON an act.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import tempfile
import time
import warnings
from collections.abc import Iterator
from contextlib import redirect_stdout
from functools import cache, partial
from pathlib import Path
from typing import Any

import openpyxl
import pandas as pd
import typer.main
from interrupts import Act, Killer
from toy_encoders import ToyEncoder

import workbench as wb
from workbench.cli import app
from workbench.cutoffs import Cutoff
from workbench.decision_log import DecisionLog
from workbench.encoders import EmbeddingStore, StoredEncoder
from workbench.files.exporting import FORMATS, export_frame
from workbench.pairs import read_annotations, read_pairs
from workbench.panels.labelling_session import LabellingSession
from workbench.reports.shortlist import write_shortlist_report
from workbench.retrieval import KnowledgeBase
from workbench.retrieval.folder_store import FolderStore

COMMAND = typer.main.get_command(app)
STRIDE = 61
NAMES = ("first", "second", "third")
RESUMES = ["Ward nurse, night shifts for 7 years", "管道焊接十二年, 持焊工证", "=1+1 bookkeeping and payroll"]
SCORED = pd.DataFrame(
    {"pair_id": [str(n) for n in range(80)], "score": [n / 80 for n in range(80)]}
    | {"label": [int(n > 30) for n in range(80)]}
)


def run(*arguments: object) -> None:
    """Give a command; that nothing is left to do is no failure."""
    code = COMMAND.main([str(each) for each in arguments], prog_name="workbench", standalone_mode=False)
    assert code in (None, 0, 1), code


def lines_of(name: str) -> str:
    return "".join(f"{name} line {number}\n" for number in range(40))


def nothing(folder: Path) -> None:
    pass


def texts(folder: Path) -> None:
    for name in NAMES:
        (folder / f"{name}.csv").write_text("text\n" + lines_of(name))


def adding(folder: Path) -> Iterator[object]:
    for name in NAMES:
        yield run("kb", "add", folder / "kb", folder / f"{name}.csv", "-e", "keyword")


def filled(folder: Path) -> None:
    texts(folder)
    (folder / "kept.csv").write_text("text\nstays\n")
    run("kb", "add", folder / "kb", *(folder / f"{name}.csv" for name in (*NAMES, "kept")), "-e", "keyword")


def removing(folder: Path) -> Iterator[object]:
    for name in NAMES:
        yield run("kb", "remove", folder / "kb", "--where", f"source={name}.csv", "--yes")


def rows(folder: Path) -> object:
    """Texts with their vectors, all of which fit their checksums."""
    if not FolderStore.exists(folder / "kb"):
        return []
    base = KnowledgeBase.open(folder / "kb", create=False)
    base._store.check_vectors()
    rows = zip(base.texts, base.vectors, strict=True)
    return [(base.info().fingerprint, text, vector.tobytes()) for text, vector in rows]


def by_toy(folder: Path) -> None:
    KnowledgeBase.open(folder / "kb", toy(folder, NAMES[0])).add([lines_of(name) for name in NAMES] * 2)


def toy(folder: Path, name: str) -> StoredEncoder:
    return StoredEncoder(ToyEncoder(name=name), EmbeddingStore(folder / "cache" / "embeddings.sqlite"))


def encoding_again(folder: Path) -> Iterator[object]:
    now = NAMES.index(KnowledgeBase.open(folder / "kb", create=False).info().encoder)
    for name in NAMES[max(now, 1) :]:
        yield KnowledgeBase.open(folder / "kb", toy(folder, name), reencode=True)


def encoding(folder: Path) -> Iterator[object]:
    encoder = toy(folder, "toy")
    for number in range(0, 12, 2):
        yield encoder.encode_documents([f"text {number}", f"text {number + 1}"])


def encoded(folder: Path) -> object:
    encoder = toy(folder, "toy")
    vectors, known = encoder.store.get(
        encoder.fingerprint, "document", [f"text {number}" for number in range(12)], dimension=4
    )
    return [vector.tobytes() for vector in vectors[known]]


def to_label(folder: Path) -> None:
    pairs = pd.DataFrame({"pair_id": [*"abcdefgh"], "jd": "welder", "resume": [*RESUMES, *"12345"]})
    wb.write_pairs(folder / "set", pairs)


def labelling(folder: Path) -> Iterator[object]:
    session = LabellingSession(folder / "set", "王芳")
    while session.current is not None:
        yield session.label(int(session.current.pair_id in "bdf"), note="gesehen")


def labelled(folder: Path) -> object:
    said = read_annotations(folder / "set")
    return said[["pair_id", "annotator", "label"]].to_numpy().tolist()


def for_import(folder: Path) -> None:
    tasks = [
        {
            "id": number,
            "data": {"pair_id": f"p{number}", "jd": "welder", "resume": resume},
            "annotations": [{"completed_by": "x", "result": [choice("match" if number % 2 else "no match")]}],
        }
        for number, resume in enumerate(RESUMES)
    ]
    (folder / "tasks.json").write_text(json.dumps(tasks))


def choice(said: str) -> dict[str, Any]:
    return {"from_name": "label", "to_name": "x", "type": "choices", "value": {"choices": [said]}}


def importing(folder: Path) -> Iterator[object]:
    if not (folder / "set" / "pairs.csv").exists():
        yield run("pairs", "import", folder / "tasks.json", "--from", "label-studio", "--out", folder / "set")


def imported(folder: Path) -> object:
    if not (folder / "set" / "pairs.csv").exists():
        return []
    return [read_pairs(folder / "set")[["pair_id", "resume", "label"]].to_numpy().tolist(), labelled(folder)]


@cache
def ranking() -> Any:
    return wb.rank(
        ["Night nurse\n- RN licence", "Welder\n- 持焊工证"], RESUMES, scorer="keyword", progress=False
    )


def ranking_files(folder: Path) -> Iterator[object]:
    found = ranking()
    yield found.to_excel(folder / "shortlist.xlsx")
    yield export_frame(found.to_frame(), folder / "shortlist.csv")
    yield write_shortlist_report(found, folder / "shortlist.html")


def shortlists(folder: Path) -> object:
    """Contents of the files; an older one is as good as none, half a one is not."""
    found: dict[str, object] = {}
    for path in sorted(folder.glob("shortlist.*")):
        if path.suffix == ".xlsx":
            book = openpyxl.load_workbook(path)
            found[path.name] = [list(sheet.values) for sheet in book]
        else:
            found[path.name] = path.read_text()
    return found


def ranked_before(folder: Path) -> None:
    for suffix in ("xlsx", "csv", "html"):
        frame = pd.DataFrame({"text": ["an older shortlist"]})
        export_frame(frame, folder / f"shortlist.{suffix.replace('html', 'jsonl')}")


def exporting(folder: Path) -> Iterator[object]:
    for suffix in FORMATS:
        yield run("kb", "export", folder / "kb", folder / f"exported{suffix}")


def exported(folder: Path) -> object:
    readers: dict[str, Any] = {
        ".csv": pd.read_csv,
        ".xlsx": partial(pd.read_excel, engine="openpyxl"),
        ".jsonl": lambda path: pd.read_json(path, lines=True),
        ".parquet": pd.read_parquet,
    }
    return {path.name: readers[path.suffix](path).to_csv() for path in sorted(folder.glob("exported.*"))}


def scored(folder: Path) -> None:
    SCORED.to_csv(folder / "scored.csv", index=False)
    Cutoff(0.4).save(folder / "card.json")


def calibrating(folder: Path) -> Iterator[object]:
    for target in (0.8, 0.7):
        study = wb.calibrate(SCORED, target_precision=target, current_cutoff=None, n_resamples=20)
        yield study.save(folder / "card.json")


def card(folder: Path) -> object:
    """All of the card but its date, and whether somebody would come upon it."""
    found = Cutoff.load(folder / "card.json").to_dict()
    return json.dumps({name: found[name] for name in ("cutoff", "encoder")} | {"n": list(found["evidence"])})


def deciding(folder: Path) -> Iterator[object]:
    log, encoder = DecisionLog(folder / "decisions.jsonl"), wb.load_encoder("keyword")
    for number in range(len(decided(folder)), 10):  # type: ignore[arg-type]
        who = {"who": "王芳", "decision": number % 3 == 0}
        yield log.record(Cutoff(0.4), encoder=encoder, jd_id="jd", resume_id=str(number), score=0.5, **who)


def decided(folder: Path) -> object:
    if not (folder / "decisions.jsonl").exists():
        return []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return DecisionLog(folder / "decisions.jsonl").read().drop(columns="at").to_numpy().tolist()


ACTS = [
    Act("kb add", texts, adding, rows),
    Act("kb remove", filled, removing, rows),
    Act("kb re-encode", by_toy, encoding_again, rows),
    Act("kb export", filled, exporting, exported),
    Act("encode with the store", nothing, encoding, encoded),
    Act("label", to_label, labelling, labelled),
    Act("import labels", for_import, importing, imported),
    Act("write shortlists", ranked_before, ranking_files, shortlists),
    Act("save a card", scored, calibrating, card),
    Act("log decisions", nothing, deciding, decided),
]


def kill(act: Act, times: int) -> dict[str, Any]:
    """Kill an act so many times; what came of it."""
    began = time.monotonic()
    # In memory: what a process that is killed has written is the system's to keep, wherever it goes.
    memory = Path("/dev/shm")
    place = memory if os.access(memory, os.W_OK) else None
    with tempfile.TemporaryDirectory(dir=place) as folder:
        killer = Killer(act, Path(folder) / "work")
        for seed in range(10 * times):
            if killer.kills >= times:
                break
            if seed % 2:
                killer.at_random(seed)
            else:
                # Far apart at first, and each of them in the end.
                killer.at_step(seed // 2 * STRIDE % killer.steps)
    return {
        "name": act.name,
        "steps": killer.steps,
        "kills": killer.kills,
        "lost": killer.lost,
        "seconds": time.monotonic() - began,
        "megabytes": resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024,
    }


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("acts", nargs="*", metavar="ACT")
    parser.add_argument("--times", type=int, default=50)
    asked = parser.parse_args()
    os.environ["WORKBENCH_PROGRESS"] = "0"
    for act in ACTS:
        if not asked.acts or act.name in asked.acts:
            with Path(os.devnull).open("w") as nothing, redirect_stdout(nothing):
                found = kill(act, asked.times)
            print(json.dumps(found), flush=True)


if __name__ == "__main__":
    main()
