"""How well scorers order résumés within each JD, on the demonstration's whole documents and on its lines.

python benchmarks/scorers.py [--encoder use]        writes docs/measured/scorers.md

Each figure is an AUC: how often, of two résumés of one JD that were rated differently (by the mean of two
ratings), the one rated higher has the higher score. For lines, how often a labelled match has a higher score
than another pair. Intervals are of 95 %, from JDs drawn with replacement.
"""

from __future__ import annotations

import argparse
import warnings
from collections.abc import Callable, Mapping
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.metrics import roc_auc_score

import workbench as wb
from workbench.scorers import CosineScorer, RelativeScorer
from workbench.scorers.collection import languages_of

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


def on_documents(encoder: wb.BaseEncoder) -> pd.DataFrame:
    """A row a scorer, on whole documents: JDs in English, in Chinese, and each résumé by itself."""
    jds = wb.read_documents(DOCUMENTS / "jds", side="jd", progress=False)
    resumes = wb.read_documents(DOCUMENTS / "resumes", side="resume", progress=False)
    rows = {document.id: at for at, document in enumerate(jds)}
    columns = {document.id: at for at, document in enumerate(resumes)}
    ratings = np.full((len(jds), len(resumes)), np.nan)
    both = [pd.read_csv(DOCUMENTS / f"pairs_{which}.csv") for which in ("first", "second")]
    means = pd.concat(both).groupby(["jd_id", "resume_id"])["rating"].mean()
    for (jd, resume), rating in means.items():
        ratings[rows[jd], columns[resume]] = rating
    left, right = [document.text for document in jds], [document.text for document in resumes]
    languages = languages_of(left)
    table = []
    for name, score in scorers(encoder).items():
        scores = score(left, right)
        alone = np.hstack([score(left, [text]) for text in right])
        found = within(scores, ratings)
        table.append(
            {
                "scorer": name,
                "English JDs": with_interval(found[languages == "other"]),
                "Chinese JDs": with_interval(found[languages == "zh"]),
                "one résumé, its JDs in order": with_interval(within(alone.T, ratings.T)),
            }
        )
    return pd.DataFrame(table)


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
        f"{encoder.name} [{encoder.fingerprint}]; AUC with 95 % intervals over JDs.\n"
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
    tables = {"Whole documents": on_documents(encoder), "Lines": on_lines(encoder)}
    PAGE.parent.mkdir(parents=True, exist_ok=True)
    PAGE.write_text(page(tables, encoder), encoding="utf-8")
    print(PAGE.read_text(encoding="utf-8"))


if __name__ == "__main__":
    main()
