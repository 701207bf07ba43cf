"""How well scorers order résumés within each JD, on the demonstration's whole documents and on its lines.

python benchmarks/scorers.py [--encoder use]        writes docs/measured/scorers.md

Each figure is an AUC: how often, of two résumés of one JD that were rated differently (by the mean of two
ratings), the one rated higher has the higher score. For lines, how often a labelled match has a higher score
than another pair. Intervals are of 95 %, from JDs drawn with replacement.
"""

from __future__ import annotations

import argparse
import time
import tracemalloc
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.metrics import roc_auc_score

import workbench as wb
from workbench.documents.splitting import split
from workbench.scorers import CosineScorer, RelativeScorer
from workbench.scorers.collection import languages_of
from workbench.scorers.windows import WORDS

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs/measured/scorers.md"
DOCUMENTS, LINES = ROOT / "labeled_pairs/documents", ROOT / "labeled_pairs/demo"
N_RESAMPLES, SEED = 2000, 0
CUT = 512

Matrix = np.ndarray


def keywords(jds: list[str], resumes: list[str]) -> Matrix:
    """TF-IDF of words and Chinese characters, by scikit-learn: the filter that semantic scores must beat."""
    words = r"(?u)\b\w\w+\b|[\u4e00-\u9fff]"
    peer = TfidfVectorizer(token_pattern=words, ngram_range=(1, 2), sublinear_tf=True)
    peer.fit(jds + resumes)
    return (peer.transform(jds) @ peer.transform(resumes).T).toarray()


def scorers(encoder: wb.BaseEncoder) -> dict[str, Callable[[list[str], list[str]], Matrix]]:
    """What is compared, by name."""
    plain, relative = CosineScorer(encoder), RelativeScorer(encoder)
    return {
        f"first {CUT} characters, one vector": lambda jds, resumes: (
            plain.score([text[:CUT] for text in jds], [text[:CUT] for text in resumes]).matrix
        ),
        "keywords (TF-IDF of words)": keywords,
        "whole text, one vector": lambda jds, resumes: plain.score(jds, resumes).matrix,
        "**relative to the collection**": lambda jds, resumes: relative.score(jds, resumes).matrix,
    }


def within(scores: Matrix, ratings: Matrix) -> np.ndarray:
    """AUC within each JD over pairs of résumés with different ratings; NaN where there is none."""
    found = np.full(len(scores), np.nan)
    for row, (values, rated) in enumerate(zip(scores, ratings, strict=True)):
        known = ~np.isnan(rated)
        higher = rated[known][:, None] > rated[known][None]
        if higher.any():
            one, other = values[known][:, None], values[known][None]
            found[row] = np.mean((one > other)[higher] + 0.5 * (one == other)[higher])
    return found


def with_interval(values: np.ndarray) -> str:
    """Mean over JDs, with its interval from JDs drawn with replacement."""
    known = values[~np.isnan(values)]
    rng = np.random.default_rng(SEED)
    means = rng.choice(known, (N_RESAMPLES, len(known))).mean(axis=1)
    low, high = np.quantile(means, [0.025, 0.975])
    return f"{known.mean():.3f} ({low:.3f}–{high:.3f})"


@dataclass(frozen=True)
class Task:
    """Texts to score, and what people said of each pair; NaN where nobody did."""

    jds: list[str]
    resumes: list[str]
    ratings: Matrix

    def of(self, rows: Sequence[int], columns: Sequence[int]) -> Task:
        """Some of the JDs with some of the résumés."""
        return Task(
            [self.jds[at] for at in rows],
            [self.resumes[at] for at in columns],
            self.ratings[np.ix_(rows, columns)],
        )


def documents() -> tuple[Task, list[str]]:
    """The demonstration's documents, and the family of each JD."""
    jds = wb.read_documents(DOCUMENTS / "jds", side="jd", progress=False)
    resumes = wb.read_documents(DOCUMENTS / "resumes", side="resume", progress=False)
    rows = {document.id: at for at, document in enumerate(jds)}
    columns = {document.id: at for at, document in enumerate(resumes)}
    ratings = np.full((len(jds), len(resumes)), np.nan)
    both = [pd.read_csv(DOCUMENTS / f"pairs_{which}.csv") for which in ("first", "second")]
    means = pd.concat(both).groupby(["jd_id", "resume_id"])["rating"].mean()
    for (jd, resume), rating in means.items():
        ratings[rows[jd], columns[resume]] = rating
    families = pd.read_csv(DOCUMENTS / "documents.csv", index_col="id")["family"]
    texts = [[document.text for document in side] for side in (jds, resumes)]
    return Task(*texts, ratings), families[list(rows)].tolist()


def on_documents(encoder: wb.BaseEncoder, task: Task) -> pd.DataFrame:
    """A row a scorer, on whole documents of a language, of both, and on each résumé by itself."""
    jds, resumes = languages_of(task.jds), languages_of(task.resumes)
    alike = {
        title: task.of(*(np.flatnonzero(side == language).tolist() for side in (jds, resumes)))
        for title, language in (("all English", "other"), ("all Chinese", "zh"))
    }
    table = []
    for name, score in scorers(encoder).items():
        row = {"scorer": name}
        for title, some in {**alike, "both together": task}.items():
            row[title] = with_interval(within(score(some.jds, some.resumes), some.ratings))
        alone = np.hstack([score(task.jds, [text]) for text in task.resumes])
        row["one résumé, its JDs in order"] = with_interval(within(alone.T, task.ratings.T))
        table.append(row)
    return pd.DataFrame(table)


def otherwise(task: Task, families: Sequence[str]) -> dict[str, list[tuple[Task, list[int]]]]:
    """The same documents fewer, alike, or with what says nothing, by what was done; with each JD's number."""
    rng = np.random.default_rng(SEED)
    jds, resumes = languages_of(task.jds), languages_of(task.resumes)
    everything = list(range(len(task.jds)))
    found = {"all documents": [(task, everything)]}
    for n in (5, 10, 20):
        name = f"{n} JDs and {n} résumés of a language, 20 times"
        found[name] = []
        for turn in range(20):
            language = ("zh", "other")[turn % 2]
            rows, columns = (
                rng.choice(np.flatnonzero(side == language), n, replace=False).tolist()
                for side in (jds, resumes)
            )
            found[name].append((task.of(rows, columns), rows))
    found["one JD at a time"] = [
        (task.of([row], np.flatnonzero(resumes == jds[row]).tolist()), [row]) for row in everything
    ]
    name = "JDs of one family at a time, 12 of them, each by 6 in 10 of the lines of one"
    found[name] = []
    for family, language in sorted({*zip(families, jds.tolist(), strict=True)}):
        rows = [at for at in everything if (families[at], jds[at]) == (family, language)]
        rows = (rows * 12)[:12]
        some = task.of(rows, np.flatnonzero(resumes == language).tolist())
        found[name].append((replace(some, jds=[some_lines(text, rng) for text in some.jds]), rows))
    padded = [
        f"{text}\n{boilerplate(task, language, rng)}" for text, language in zip(task.jds, jds, strict=True)
    ]
    found["boilerplate of one of three other JDs, without its headings, below each"] = [
        (replace(task, jds=padded), everything)
    ]
    return found


def some_lines(text: str, rng: np.random.Generator) -> str:
    """Six in ten of the lines, in order."""
    lines = [line for line in text.splitlines() if line.strip()]
    kept = rng.choice(len(lines), max(1, round(0.6 * len(lines))), replace=False)
    return "\n".join(lines[at] for at in sorted(kept))


def boilerplate(task: Task, language: str, rng: np.random.Generator) -> str:
    """What one of the three JDs with the most of it says about the company and its benefits."""
    said = [
        "\n".join(part.text for part in split(text, "jd") if part.kind == "boilerplate")
        for text in np.array(task.jds, dtype=object)[languages_of(task.jds) == language]
    ]
    return sorted(said, key=len)[-1 - rng.integers(3)]


def when_otherwise(encoder: wb.BaseEncoder, task: Task, families: Sequence[str]) -> pd.DataFrame:
    """A row a change, a column a scorer; each JD counts once, by the mean over what was done to it."""
    table = []
    for name, changed in otherwise(task, families).items():
        row = {"documents": name}
        for scorer, score in scorers(encoder).items():
            values = [within(score(some.jds, some.resumes), some.ratings) for some, _rows in changed]
            rows = [row for _some, rows in changed for row in rows]
            row[scorer] = with_interval(pd.Series(np.concatenate(values)).groupby(rows).mean().to_numpy())
        table.append(row)
    return pd.DataFrame(table)


class AtHand:
    """An encoder that has made-up vectors of all windows at hand."""

    name = fingerprint = "at hand"

    def __init__(self, windows: Mapping[str, int]) -> None:
        rng = np.random.default_rng(SEED)
        self.vectors = {side: rng.standard_normal((n, 512), dtype=np.float32) for side, n in windows.items()}

    def encode_documents(self, texts: Sequence[str], *, progress: bool | None = None) -> Matrix:
        """The JDs'."""
        return self.vectors["jd"]

    def encode_queries(self, texts: Sequence[str], *, progress: bool | None = None) -> Matrix:
        """The résumés'."""
        return self.vectors["resume"]


def cost(n_jds: int, n_resumes: int) -> dict[str, str]:
    """Time and memory of scoring with vectors at hand: JDs of 20 windows, résumés of 35."""
    rng = np.random.default_rng(SEED)
    of = {"jd": (n_jds, 20), "resume": (n_resumes, 35)}
    texts = {
        side: [" ".join(f"word{at}" for at in rng.zipf(1.3, WORDS * n)) for _ in range(documents)]
        for side, (documents, n) in of.items()
    }
    scorer = RelativeScorer(AtHand({side: documents * n for side, (documents, n) in of.items()}))
    start = time.process_time()
    sides = scorer._encode_sides(texts["jd"], texts["resume"], progress=False)
    read = time.process_time()
    tracemalloc.start()
    scorer._score_sides(sides)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    traced = time.process_time()
    scorer._score_sides(sides)
    return {
        "documents": f"{n_jds:,} JDs, {n_resumes:,} résumés",
        "splitting and keywords": f"{read - start:.1f} s",
        "scoring": f"{time.process_time() - traced:.1f} s",
        "memory beside the vectors": f"{peak / 1e6:.0f} MB",
    }


def on_lines(encoder: wb.BaseEncoder) -> pd.DataFrame:
    """A row a scorer, on the demonstration's skill lines."""
    pairs = wb.read_pairs(LINES)
    jds, resumes = list(dict.fromkeys(pairs["jd"])), list(dict.fromkeys(pairs["resume"]))
    rows = pairs["jd"].map({text: at for at, text in enumerate(jds)}).to_numpy()
    columns = pairs["resume"].map({text: at for at, text in enumerate(resumes)}).to_numpy()
    groups = {"everyday": pairs["source"] != "composed-hard", "hard": pairs["source"] == "composed-hard"}
    table = []
    for name, score in scorers(encoder).items():
        values = pd.Series(score(jds, resumes)[rows, columns], index=pairs.index)
        found = {group: resampled_auc(pairs[of], values[of]) for group, of in groups.items()}
        table.append({"scorer": name, **found})
    return pd.DataFrame(table)


def resampled_auc(pairs: pd.DataFrame, values: pd.Series) -> str:
    """AUC of matches against others, with its interval from JDs drawn with replacement."""
    rng = np.random.default_rng(SEED)
    by_jd = [index for _jd, index in pairs.groupby("jd").groups.items()]
    found = []
    for _ in range(N_RESAMPLES // 4):
        drawn = np.concatenate([by_jd[at] for at in rng.integers(len(by_jd), size=len(by_jd))])
        found.append(roc_auc_score(pairs.loc[drawn, "label"], values.loc[drawn]))
    low, high = np.quantile(found, [0.025, 0.975])
    return f"{roc_auc_score(pairs['label'], values):.3f} ({low:.3f}–{high:.3f})"


def page(tables: Mapping[str, pd.DataFrame], encoder: wb.BaseEncoder) -> str:
    """The page, with the command that makes it."""
    head = (
        f"# Scorers\n\n`python benchmarks/scorers.py --encoder {encoder.name}`, {date.today()}, encoder "
        f"{encoder.name} [{encoder.fingerprint}]; AUC with 95 % intervals over JDs, seconds of one core.\n"
    )
    return "\n".join([head, *(f"## {title}\n\n{markdown(table)}\n" for title, table in tables.items())])


def markdown(table: pd.DataFrame) -> str:
    """The table as Markdown."""
    lines = [" | ".join(table.columns), " | ".join("---" for _ in table.columns)]
    lines += [" | ".join(row) for row in table.itertuples(index=False, name=None)]
    return "\n".join(f"| {line} |" for line in lines)


def main() -> None:
    """Measure, print and write the page."""
    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=raw)
    parser.add_argument("--encoder", default="use")
    encoder = wb.load_encoder(parser.parse_args().encoder)
    warnings.simplefilter("ignore")
    task, families = documents()
    tables = {
        "Whole documents": on_documents(encoder, task),
        "The same documents otherwise": when_otherwise(encoder, task, families),
        "Lines": on_lines(encoder),
        "Cost with vectors at hand": pd.DataFrame([cost(100, n) for n in (1_000, 10_000)]),
    }
    PAGE.parent.mkdir(parents=True, exist_ok=True)
    PAGE.write_text(page(tables, encoder), encoding="utf-8")
    print(PAGE.read_text(encoding="utf-8"))


if __name__ == "__main__":
    main()
