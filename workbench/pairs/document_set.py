"""A set of whole documents: JDs in ``jds/``, résumés in ``resumes/``, and tables of what people said of them.

``pairs_NAME.csv`` (``jd_id, resume_id, rating, note``) holds how the annotator NAME rated pairs, from 0 to 3;
``coverage_NAME.csv`` (``jd_id, requirement_id, resume_id, covered, phrase``) which requirements NAME found
covered: yes, partly or no. ``adjudicated`` as a name is the last word. A table without ratings, such as
``pairs_to_label.csv``, only lists what is to be labelled; without any table, that is every pair.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from workbench.i18n import gettext as _
from workbench.pairs.annotations import annotations_from, logs_in, no_annotations, of_log
from workbench.pairs.checks import Problem, missing_columns, some_of
from workbench.pairs.resolution import ADJUDICATOR
from workbench.pairs.tables import as_text, read_table

if TYPE_CHECKING:
    import pandas as pd

    from workbench.documents import Document

Level = Literal["pair", "requirement"]
# Words of the tables, weakest first: a label is a word's place.
COVERED = ("no", "partly", "yes")
# The smallest label that counts as a match: whom a recruiter would call, what is covered at least in part.
MATCHES_FROM = {"pair": 2, "requirement": 1}
_TABLES = {"pair": ("pairs", "rating"), "requirement": ("coverage", "covered")}
_LABEL_COLUMNS = ("rating", "covered", "phrase", "near_miss", "note")
_DOCUMENTS = "documents.csv", ["id", "family", "language"]
_REQUIREMENTS = "requirements.csv", ["jd_id", "requirement_id", "kind", "text"]
_IDS = {"pair": ("jd_id", "resume_id"), "requirement": ("jd_id", "requirement_id", "resume_id")}


def holds_documents(folder: Path) -> bool:
    """Whether a folder is a set of whole documents."""
    return (folder / "jds").is_dir() and (folder / "resumes").is_dir()


def are_of_documents(pairs: pd.DataFrame) -> bool:
    """Whether pairs came from such a folder, a JD and a résumé each."""
    if not {"jd_id", "resume_id"} <= set(pairs.columns):
        return False
    return bool((pairs["pair_id"] == _pair_ids(pairs, ["jd_id", "resume_id"])).all())


@dataclass(frozen=True)
class DocumentSet:
    """The documents of a folder, what is to be labelled, and what was said."""

    folder: Path

    @cached_property
    def jds(self) -> dict[str, Document]:
        """The JDs by id."""
        return self._documents("jd")

    @cached_property
    def resumes(self) -> dict[str, Document]:
        """The résumés by id."""
        return self._documents("resume")

    @cached_property
    def requirements(self) -> pd.DataFrame:
        """``jd_id, requirement_id, kind, text``: of ``requirements.csv``, or else as the JDs are split."""
        import pandas as pd

        name, columns = _REQUIREMENTS
        if (self.folder / name).is_file():
            return read_table(self.folder / name)
        rows = [
            (jd.id, f"{jd.id}-r{at:02}", "nice" if part.kind == "nice_to_have" else "must", part.text)
            for jd in self.jds.values()
            for at, part in enumerate(jd.requirements, start=1)
        ]
        return pd.DataFrame(rows, columns=columns, dtype="str")

    def log_folder(self, level: Level) -> Path:
        """Where the logs of the labelling panel are: the two levels have different ones."""
        return self.folder if level == "pair" else self.folder / "coverage"

    def items(self, level: Level = "pair") -> pd.DataFrame:
        """What is to be labelled: ``pair_id, jd, resume`` with whole texts, then ids and groups.

        Groups are the JD's family and both languages, ``zh-en`` where they differ, as in ``documents.csv``.
        On the level of requirements, `jd` is the requirement's text.
        """
        ids = list(_IDS[level])
        found = self._listed(level)
        documents = self.folder / _DOCUMENTS[0]
        if documents.is_file():
            told = read_table(documents).set_index("id")
            jd, resume = (found[f"{side}_id"].map(told["language"]).fillna("") for side in ("jd", "resume"))
            found = found.assign(
                job_family=found["jd_id"].map(told["family"]).fillna(""),
                language=jd.where(jd == resume, jd + "-" + resume),
            )
        if level == "requirement":
            asked = self.requirements.set_index("requirement_id")
            found = found.assign(
                kind=found["requirement_id"].map(asked["kind"]), jd=found["requirement_id"].map(asked["text"])
            )
        else:
            found = found.assign(jd=found["jd_id"].map({name: jd.text for name, jd in self.jds.items()}))
        texts = {name: resume.text for name, resume in self.resumes.items()}
        found = found.assign(pair_id=_pair_ids(found, ids), resume=found["resume_id"].map(texts))
        first = ["pair_id", "jd", "resume"]
        return found[[*first, *(name for name in found.columns if name not in first)]]

    def said(self, level: Level = "pair") -> tuple[pd.DataFrame, list[Problem]]:
        """All labels, of the tables and of the logs, with what is wrong with them."""
        import pandas as pd

        prefix, column = _TABLES[level]
        said, problems = [], []
        for path in self._tables(level):
            table = read_table(path)
            if column not in table.columns:
                continue
            name = path.stem.removeprefix(f"{prefix}_")
            labels = as_text(table[column]).replace({word: str(at) for at, word in enumerate(COVERED)})
            rows = table.assign(
                pair_id=_pair_ids(table, list(_IDS[level])),
                annotator=ADJUDICATOR if name == "adjudicated" else name,
                label=labels,
            )
            found, wrong = annotations_from(rows, path.name)
            if "phrase" in table.columns:
                found["phrase"] = as_text(table["phrase"])
            said.append(found)
            problems += wrong
        said += [of_log(log) for log in logs_in(self.log_folder(level))]
        filled = [table for table in said if len(table)]
        return (pd.concat(filled, ignore_index=True) if filled else no_annotations()), problems

    def problems(self, level: Level = "pair") -> list[Problem]:
        """Tables without their columns, ids that stand there twice, or that no document has."""
        problems = [*self._wrong_with(_DOCUMENTS, "id"), *self._wrong_with(_REQUIREMENTS, "requirement_id")]
        if problems:
            return problems
        known = {
            "jd_id": self.jds,
            "resume_id": self.resumes,
            "requirement_id": set(self.requirements["requirement_id"]),
        }
        for path in self._tables(level):
            table = read_table(path)
            if lost := missing_columns(table, _IDS[level], path.name):
                problems += lost
                continue
            for column in _IDS[level]:
                bad = table[~table[column].isin(list(known[column]))]
                if len(bad):
                    what = _("no document or requirement has this id: {ids}").format(
                        ids=some_of(bad[column].unique())
                    )
                    problems.append(Problem(path.name, column, tuple(map(int, bad.index)), what))
        return problems

    def _wrong_with(self, file: tuple[str, Sequence[str]], id_column: str) -> list[Problem]:
        name, columns = file
        if not (self.folder / name).is_file():
            return []
        table = read_table(self.folder / name)
        if lost := missing_columns(table, columns, name):
            return lost
        again = table[table[id_column].duplicated()]
        what = _("ids that stand there twice: {ids}").format(ids=some_of(again[id_column].unique()))
        return [Problem(name, id_column, tuple(map(int, again.index)), what)] if len(again) else []

    def _listed(self, level: Level) -> pd.DataFrame:
        """The ids of what is to be labelled, in the order of the tables."""
        import pandas as pd

        ids = list(_IDS[level])
        if tables := [read_table(path) for path in self._tables(level)]:
            listed = pd.concat(tables, ignore_index=True).drop_duplicates(ids, ignore_index=True)
            return listed.drop(columns=[name for name in _LABEL_COLUMNS if name in listed.columns])
        if level == "requirement":
            return self._listed("pair").merge(self.requirements[["jd_id", "requirement_id"]], on="jd_id")[ids]
        return pd.DataFrame([(jd, resume) for jd in self.jds for resume in self.resumes], columns=ids)

    def _tables(self, level: Level) -> list[Path]:
        prefix, _column = _TABLES[level]
        found = [*self.folder.glob(f"{prefix}.csv"), *self.folder.glob(f"{prefix}_*.csv")]
        return sorted(found, key=lambda path: (path.stem == f"{prefix}_adjudicated", path.stem))

    def _documents(self, side: Literal["jd", "resume"]) -> dict[str, Document]:
        from workbench.documents import read_documents

        found = read_documents(self.folder / f"{side}s", side=side, progress=False)
        return {document.id: document for document in found}


def _pair_ids(table: pd.DataFrame, ids: list[str]) -> pd.Series[str]:
    """``jd~resume`` or ``requirement~resume``."""
    return table[ids[-2]] + "~" + table[ids[-1]]
