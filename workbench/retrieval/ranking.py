"""From piles of whole JDs and résumés to a shortlist for each JD, with its evidence."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from workbench.cutoffs import Cutoff
from workbench.documents.content import check_length
from workbench.documents.document import Document
from workbench.documents.pasted import documents_in
from workbench.documents.reading import Documents, Unread, read_documents, with_distinct_ids
from workbench.documents.splitting import Side
from workbench.errors import InputError
from workbench.i18n import gettext as _
from workbench.i18n import ngettext
from workbench.results import Result, plain
from workbench.retrieval.conditions import Condition, Met
from workbench.retrieval.hits import HitProbability, hit_probabilities, meaning
from workbench.scorers.base import Scorer, Scores
from workbench.scorers.coverage import Coverage, CoverageLevels, cover
from workbench.text_encoder import TextEncoder
from workbench.texts import kind_of, says_missing

if TYPE_CHECKING:
    import pandas as pd

DEFAULT_TOP = 10
Source = "str | Path | pd.DataFrame | Iterable[str | Path | Document]"


@dataclass(frozen=True, eq=False)
class Candidate(Result):
    """One row of a shortlist.

    Attributes
    ----------
    jd_id, resume_id : str
    rank : int
        From 1, best first.
    score : float
    is_match : bool or None
        None without a cutoff.
    probability : HitProbability or None
        Of a match, where the card tells.
    coverage : Coverage
    conditions : mapping of str to Met
        Must-haves; nobody is left out for them.
    """

    jd_id: str
    resume_id: str
    rank: int
    score: float
    is_match: bool | None
    probability: HitProbability | None
    coverage: Coverage
    conditions: Mapping[str, Met]


@dataclass(frozen=True, eq=False, repr=False)
class Ranking(Result):
    """A shortlist for each JD.

    Attributes
    ----------
    jds, resumes : Documents
    scores : Scores
        Of every JD with every résumé.
    cutoff : Cutoff or None
    conditions : tuple of Condition
    shortlists : mapping of str to list of Candidate
        By id of the JD.
    """

    jds: Documents
    resumes: Documents
    scores: Scores
    cutoff: Cutoff | None
    conditions: tuple[Condition, ...]
    shortlists: Mapping[str, Sequence[Candidate]]
    encoder: TextEncoder
    levels: CoverageLevels | None

    def to_dict(self) -> dict[str, Any]:
        """All fields, JSON-serialisable, and what was not read; of the encoder its name and fingerprint."""
        kept = {
            field.name: plain(getattr(self, field.name)) for field in fields(self) if field.name != "encoder"
        }
        return kept | {
            "unread": plain([*self.jds.unread, *self.resumes.unread]),
            "same_text": {"jds": self.jds.same_text, "resumes": self.resumes.same_text},
            "encoder": {"name": self.encoder.name, "fingerprint": self.encoder.fingerprint},
        }

    def coverage(self, jd_id: str, resume_id: str) -> Coverage:
        """Requirement by requirement, for any pair, on the shortlist or not.

        Raises
        ------
        InputError
            If there is no such document.
        """
        for found in self.shortlists.get(jd_id, ()):
            if found.resume_id == resume_id:
                return found.coverage
        places = self.jds.place(jd_id), self.resumes.place(resume_id)
        return cover(self.encoder, self.jds, self.resumes, [places], levels=self.levels)[0]

    def of(self, jd_id: str) -> Ranking:
        """The same with one JD only.

        Raises
        ------
        InputError
            If there is no such JD.
        """
        at = self.jds.place(jd_id)
        stages = {name: stage[[at]] for name, stage in self.scores.stages.items()}
        scores = replace(self.scores, matrix=self.scores.matrix[[at]], stages=stages)
        only = {jd_id: self.shortlists[jd_id]}
        return replace(self, jds=Documents([self.jds[at]]), scores=scores, shortlists=only)

    def plot(self, jd_id: str, *, most: int = 15) -> Any:
        """One JD's shortlist as a matrix; see :func:`workbench.plot_shortlist`."""
        found = self.shortlists[self.jds[self.jds.place(jd_id)].id]
        # Looks up to plots and reports by name, as a study does to its plots.
        return import_module("workbench.plots").plot_shortlist(found, most=most)

    def to_frame(self) -> pd.DataFrame:
        """A row a candidate: ids, rank, score, what the cutoff says, the best evidence, must-haves."""
        import pandas as pd

        return pd.DataFrame([row for some in self.shortlists.values() for row in map(self._row, some)])

    def to_excel(self, path: str | Path) -> Path:
        """Write a workbook with a sheet a JD; see :mod:`workbench.reports.shortlist_workbook`."""
        written: Path = import_module("workbench.reports.shortlist_workbook").write_workbook(self, path)
        return written

    def above(self, jd_id: str) -> int:
        """How many of all résumés lie above the cutoff for a JD; 0 without one."""
        scores = self.scores.matrix[self.jds.place(jd_id)]
        return 0 if self.cutoff is None else int((scores > self.cutoff.value).sum())

    def meaning(self, jd_id: str) -> str:
        """How many matches to expect above and below the cutoff for a JD; empty where no card tells."""
        scores = self.scores.matrix[self.jds.place(jd_id)].tolist()
        told = None if self.cutoff is None else hit_probabilities(self.cutoff, scores)
        if self.cutoff is None or told is None:
            return ""
        rows = zip(scores, told, strict=True)
        return meaning(({"score": score, "probability": one} for score, one in rows), self.cutoff.value)

    def sentences(self) -> list[str]:
        """What was ranked, how it was scored, and what the cutoff says."""
        ranked = ngettext(
            "{jds} JD × {resumes} résumés, scored by {scorer}.",
            "{jds} JDs × {resumes} résumés, scored by {scorer}.",
            len(self.jds),
        ).format(jds=len(self.jds), resumes=len(self.resumes), scorer=self.scores.scorer)
        drift = [found.sentence() for found in self.scores.drift]
        if drift:
            drift.append(
                _(
                    "So the cutoff may not hold for these: check it on labelled pairs of yours, or calibrate "
                    "on them."
                )
            )
        return [ranked, self.scores.how, self._about_cutoff(), *drift]

    def summary(self) -> str:
        """What was ranked and how, and what was not read, a line each."""
        troubled = (f"{side}: {documents.summary()}" for side, documents in self._troubled())
        return "\n".join([*self.sentences(), *troubled])

    def __repr__(self) -> str:
        return self.summary()

    def _repr_html_(self) -> str:
        return str(import_module("workbench.reports.shortlist").ranking_html(self))

    def _troubled(self) -> list[tuple[str, Documents]]:
        sides = ((_("JDs"), self.jds), (_("résumés"), self.resumes))
        return [(side, documents) for side, documents in sides if documents.unread or documents.same_text]

    def _about_cutoff(self) -> str:
        if self.cutoff is None:
            return _(
                "No cutoff is calibrated for this scorer on such documents, so none is drawn: the shortlist "
                "is the best of each JD, not those that are good enough."
            )
        above = int((self.scores.matrix > self.cutoff.value).sum())
        return ngettext(
            "{n} of {total} pairs lies above the cutoff.", "{n} of {total} pairs lie above the cutoff.", above
        ).format(n=above, total=self.scores.matrix.size)

    def _row(self, found: Candidate) -> dict[str, Any]:
        best = found.coverage.best
        row = {
            "jd_id": found.jd_id,
            "rank": found.rank,
            "resume_id": found.resume_id,
            "score": found.score,
            "cutoff": None if self.cutoff is None else self.cutoff.value,
            "is_match": found.is_match,
            "probability": None if found.probability is None else found.probability["value"],
            "best_requirement": best.requirement.text,
            "best_phrase": best.phrase.text,
            "no_phrase_found_for": "; ".join(row.requirement.text for row in found.coverage.missing),
        }
        return row | {text: met.met for text, met in found.conditions.items()}


def rank(
    jds: Any,
    resumes: Any,
    *,
    scorer: Scorer,
    encoder: TextEncoder,
    cutoff: Cutoff | None = None,
    top: int = DEFAULT_TOP,
    conditions: Iterable[str | Condition] = (),
    levels: CoverageLevels | None = None,
    progress: bool | None = None,
) -> Ranking:
    """Rank résumés for each JD.

    Parameters
    ----------
    jds, resumes : str, Path, DataFrame, or list of texts, paths or Documents
        A folder, a zip, a file, a table; or texts. See :func:`workbench.read_documents`.
    scorer : Scorer
    encoder : Encoder
        For the coverage.
    cutoff : Cutoff, optional
        Calibrated for this scorer; without one, none is drawn.
    top : int
        Candidates on each shortlist, at most.
    conditions : iterable of str
        Must-haves, such as ``"years >= 5"`` or ``"has: RN licence"``; shown, never filtering.

    Raises
    ------
    InputError
        If there is no JD or no résumé, or a condition is none.
    EncoderMismatchError
        If the cutoff belongs to another scorer.
    """
    if top < 1:
        raise InputError(_("{name} is {value}; it must be at least 1.").format(name="top", value=top))
    asked = tuple(each if isinstance(each, Condition) else Condition.parse(each) for each in conditions)
    if cutoff is not None:
        cutoff.check_encoder(scorer.name, scorer.fingerprint)
    left, right = documents_from(jds, "jd", progress), documents_from(resumes, "resume", progress)
    for document in (*left, *right):
        check_length(document.text, document.id)
    scores = scorer.score([d.text for d in left], [d.text for d in right], progress=progress)
    order = np.argsort(-scores.matrix, axis=1, kind="stable")[:, :top]
    pairs = [(row, int(column)) for row, columns in enumerate(order) for column in columns]
    coverages = cover(encoder, left, right, pairs, levels=levels, progress=progress)
    chosen = np.array([scores.matrix[pair] for pair in pairs])
    chances = None if cutoff is None else hit_probabilities(cutoff, chosen.tolist())
    shortlists: dict[str, list[Candidate]] = {document.id: [] for document in left}
    for at, ((row, column), coverage) in enumerate(zip(pairs, coverages, strict=True)):
        shortlist = shortlists[left[row].id]
        shortlist.append(
            Candidate(
                left[row].id,
                right[column].id,
                len(shortlist) + 1,
                float(chosen[at]),
                None if cutoff is None else bool(chosen[at] > cutoff.value),
                chances[at] if chances else None,
                coverage,
                {condition.text: condition.of(right[column]) for condition in asked},
            )
        )
    return Ranking(left, right, scores, cutoff, asked, shortlists, encoder, levels)


def documents_from(source: Any, side: Side, progress: bool | None = None) -> Documents:
    """Documents of one side from whatever a person has of them.

    Raises
    ------
    InputError
        If it is none of what :func:`rank` takes.
    """
    if isinstance(source, Documents):
        return source
    if hasattr(source, "to_dict") and hasattr(source, "columns"):
        return _of_frame(source, side)
    if isinstance(source, Path):
        return read_documents(source, side=side, progress=progress)
    if isinstance(source, str):
        is_path = "\n" not in source and len(source) < 1000 and Path(source).expanduser().exists()
        return read_documents(source, side=side) if is_path else Documents(documents_in(source, side=side))
    given = list(source)
    if given and all(isinstance(each, Path) for each in given):
        return read_documents(given, side=side, progress=progress)
    if not given or not all(isinstance(each, str | Document) for each in given):
        raise InputError(
            _("Pass a path, a table, or a list of texts, paths or documents; not {what}.").format(
                what=kind_of(source)
            )
        )
    made = (
        each if isinstance(each, Document) else Document(str(number), each, {"position": number}, side)
        for number, each in enumerate(given, start=1)
    )
    return Documents(with_distinct_ids(made))


def _of_frame(frame: pd.DataFrame, side: Side) -> Documents:
    from workbench.documents.tables import TEXT_COLUMNS
    from workbench.files.rows import folded

    known = [name for name in frame.columns if folded(name) in TEXT_COLUMNS]
    column = side if side in frame.columns else known[0] if len(known) == 1 else None
    if column is None:
        raise InputError(
            _("It is not clear which column holds the texts; name it {name}.").format(name=repr(side))
        )
    ids = next((name for name in (f"{side}_id", "id") if name in frame.columns), None)
    made, unread = [], []
    for number, row in enumerate(frame.to_dict("records"), start=1):
        name, text = str(row[ids]) if ids else str(number), row[column]
        if not isinstance(text, str) or not text.strip() or says_missing(text):
            place = _("row {number}").format(number=number)
            unread.append(Unread(f"{name}, {place}" if ids else place, _("it has no text")))
        else:
            others = {str(key): value for key, value in row.items() if key != column}
            made.append(Document(name, text, others, side))
    return Documents(with_distinct_ids(made), unread)
