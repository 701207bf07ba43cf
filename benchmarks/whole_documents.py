"""How search should compare lines and whole documents: which of several ways orders the demonstration's best.

python benchmarks/whole_documents.py [--encoder use]        writes docs/measured/whole_documents.md

Each figure is an AUC: how often, of two texts that were rated differently for one query, the one rated higher
has the higher score. Intervals are of 95 %, from queries drawn with replacement.
"""

from __future__ import annotations

import argparse
from datetime import date

import numpy as np
import pandas as pd
from scorers import DOCUMENTS, ROOT, markdown, with_interval, within

import workbench as wb
from workbench.scorers.windows import windows_of

PAGE = ROOT / "docs/measured/whole_documents.md"

Matrix = np.ndarray


class Side:
    """Documents with the vectors of their whole texts, of their parts, and of windows of 25 words."""

    def __init__(self, encoder: wb.BaseEncoder, folder: str, side: str) -> None:
        self.documents = wb.read_documents(DOCUMENTS / folder, side=side, progress=False)
        self.row_of = {document.id: place for place, document in enumerate(self.documents)}
        self.whole = encoder.encode_documents([document.text for document in self.documents])
        self.parts = self._pieces(encoder, [[p.text for p in d.phrases] for d in self.documents])
        self.windows = self._pieces(encoder, [windows_of(d.text) for d in self.documents])

    @staticmethod
    def _pieces(encoder: wb.BaseEncoder, texts: list[list[str]]) -> tuple[Matrix, Matrix]:
        starts = np.cumsum([0, *map(len, texts)])[:-1]
        return encoder.encode_documents([text for some in texts for text in some]), starts

    def mean(self) -> Matrix:
        """The windows' mean vectors."""
        vectors, starts = self.windows
        sums = np.add.reduceat(vectors, starts, axis=0)
        return sums / np.linalg.norm(sums, axis=1, keepdims=True)


def best(queries: Matrix, pieces: tuple[Matrix, Matrix]) -> Matrix:
    """Cosine of each query with the piece of each document that comes nearest to it."""
    vectors, starts = pieces
    return np.maximum.reduceat(queries @ vectors.T, starts, axis=1)


def of_lines(encoder: wb.BaseEncoder, resumes: Side) -> pd.DataFrame:
    """A requirement's line against whole résumés, and a whole résumé against lines of requirements."""
    texts = pd.read_csv(DOCUMENTS / "requirements.csv").set_index("requirement_id")["text"]
    both = pd.concat([pd.read_csv(DOCUMENTS / f"coverage_{which}.csv") for which in ("first", "second")])
    both = both[both["covered"].isin(["yes", "no"])]
    means = both["covered"].eq("yes").groupby([both["requirement_id"], both["resume_id"]]).mean()
    rows = {name: at for at, name in enumerate(dict.fromkeys(means.index.get_level_values(0)))}
    covered = np.full((len(rows), len(resumes.documents)), np.nan)
    for (requirement, resume), share in means.items():
        covered[rows[requirement], resumes.row_of[resume]] = share
    lines = encoder.encode_queries([texts[name] for name in rows])
    return pd.DataFrame(
        {
            "way": way,
            "a line, résumés in order": with_interval(within(scores, covered)),
            "a résumé, lines in order": with_interval(within(scores.T, covered.T)),
        }
        for way, scores in {
            "whole document, one vector": lines @ resumes.whole.T,
            "mean vector of its windows": lines @ resumes.mean().T,
            "its best window": best(lines, resumes.windows),
            "**its best part**": best(lines, resumes.parts),
        }.items()
    )


def of_documents(jds: Side, resumes: Side) -> pd.DataFrame:
    """Whole JDs against whole résumés."""
    both = pd.concat([pd.read_csv(DOCUMENTS / f"pairs_{which}.csv") for which in ("first", "second")])
    ratings = np.full((len(jds.documents), len(resumes.documents)), np.nan)
    for (jd, resume), rating in both.groupby(["jd_id", "resume_id"])["rating"].mean().items():
        ratings[jds.row_of[jd], resumes.row_of[resume]] = rating
    vectors, starts = jds.windows
    from_jd = np.add.reduceat(best(vectors, resumes.windows), starts, axis=0)
    return pd.DataFrame(
        {
            "way": way,
            "a JD, résumés in order": with_interval(within(scores, ratings)),
            "a résumé, JDs in order": with_interval(within(scores.T, ratings.T)),
        }
        for way, scores in {
            "**whole texts, one vector each**": jds.whole @ resumes.whole.T,
            "mean vectors of their windows": jds.mean() @ resumes.mean().T,
            "the JD's windows, each with its best": from_jd / np.diff(starts, append=len(vectors))[:, None],
        }.items()
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--encoder", default="use")
    encoder = wb.load_encoder(parser.parse_args().encoder)
    jds, resumes = Side(encoder, "jds", "jd"), Side(encoder, "resumes", "resume")
    head = (
        "# Lines and whole documents in search\n\n"
        f"`python benchmarks/whole_documents.py --encoder {encoder.name}`, {date.today()}, encoder "
        f"{encoder.name} [{encoder.fingerprint}]; AUC with 95 % intervals over queries. What search does is "
        "in bold.\n"
    )
    tables = {
        "A line and a whole document": of_lines(encoder, resumes),
        "Two whole documents": of_documents(jds, resumes),
    }
    said = [head, *(f"## {title}\n\n{markdown(table)}\n" for title, table in tables.items())]
    PAGE.write_text("\n".join(said), encoding="utf-8")
    print(PAGE.read_text(encoding="utf-8"))


if __name__ == "__main__":
    main()
