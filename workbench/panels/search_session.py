"""What the search panel knows, without any widget: a knowledge base, the last result, what of it is shown.

A search runs in steps, so that whoever drives it can show progress, stop it, and go on later. Files that a
browser sends are checked here and read by the readers of the knowledge base.
"""

from __future__ import annotations

import itertools
import tempfile
import time
import warnings
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any, Literal, cast

import numpy as np

from workbench.asking import asked_by, nowhere
from workbench.cutoffs import Cutoff
from workbench.encoders import Encoder, Vectors
from workbench.errors import CleaningWarning, InputError, UncalibratedCutoffWarning, WorkbenchError
from workbench.i18n import gettext as _
from workbench.i18n import listed, number
from workbench.retrieval import Hit, KnowledgeBase, resolve_cutoff
from workbench.retrieval.hits import hit_probabilities
from workbench.retrieval.readers import read_file
from workbench.texts import CleaningReport, CutText, clean, tidy

__all__ = [
    "UPLOAD_FORMATS",
    "UPLOAD_MEGABYTES",
    "Found",
    "Progress",
    "SearchSession",
    "View",
    "texts_in_upload",
    "without_enter",
]

UPLOAD_FORMATS = (".txt", ".csv", ".xlsx", ".pdf", ".docx")
# An upload travels in one websocket message, of which Jupyter servers take 10 MiB by default.
UPLOAD_MEGABYTES = 9

# Long enough that steps cost nothing, short enough that a click is answered at once.
SECONDS_A_STEP = 0.4
FIRST_STEP = 16


@dataclass(frozen=True)
class Progress:
    """How many of the texts are encoded."""

    done: int
    total: int


@dataclass(frozen=True)
class View:
    """What of a result is shown: cutoff, only matches, texts that contain something, how many."""

    cutoff: float
    only_matches: bool = False
    contains: str = ""
    most: int = 10

    def shown(self, hits: Sequence[Hit]) -> list[Hit]:
        """The hits that pass, best first, with `is_match` by this view's cutoff.

        Examples
        --------
        >>> hit = Hit(rank=1, text="Python", score=0.4, is_match=True, index=0, metadata={})
        >>> View(cutoff=0.4).shown([hit])[0]["is_match"]
        False
        """
        wanted = self.contains.strip().casefold()
        judged = (Hit(**{**hit, "is_match": hit["score"] > self.cutoff}) for hit in hits)
        passing = (
            hit
            for hit in judged
            if (hit["is_match"] or not self.only_matches) and wanted in hit["text"].casefold()
        )
        return list(itertools.islice(passing, self.most))


@dataclass(frozen=True)
class Found:
    """A result: all texts of the knowledge base, ranked for one query.

    Attributes
    ----------
    query : str
        As it was typed.
    texts : str
        The block of texts, as it was typed.
    hits : tuple of Hit
        Best first, one for every text.
    report : CleaningReport
        What cleaning did to the block.
    knowledge_base : KnowledgeBase
        With the vectors of all texts.
    """

    query: str
    texts: str
    hits: tuple[Hit, ...]
    report: CleaningReport
    knowledge_base: KnowledgeBase

    @property
    def query_cuts(self) -> tuple[CutText, ...]:
        """How the query was cut, if it was too long."""
        return clean([self.query]).report.cut

    def sentence(self, cutoff: float) -> str:
        """How many texts match, and how much room there is between matches and the others."""
        scores = [hit["score"] for hit in self.hits]
        n = sum(score > cutoff for score in scores)
        said = _("{n} of {total} texts match; the best score is {best}.").format(
            n=n, total=len(scores), best=number(scores[0])
        )
        if not 0 < n < len(scores):
            return said
        gap = _(
            "The last match lies {gap} above the first that is none: the wider this gap, the less the exact "
            "place of the cutoff matters."
        )
        return said + " " + gap.format(gap=number(scores[n - 1] - scores[n]))


class SearchSession:
    """Searches with one encoder, and remembers the knowledge base between searches.

    Parameters
    ----------
    encoder : Encoder
        Encodes texts and queries.
    cutoff : float, Cutoff or path, optional
        See :func:`~workbench.retrieval.resolve_cutoff`.
    prevalence : float, optional
        Share of matches that probabilities are told for; by default the one that the card is for.

    Attributes
    ----------
    found : Found or None
        The last result.
    records : dict
        Metadata by tidy text, for texts that came from files.
    """

    def __init__(
        self,
        encoder: Encoder,
        cutoff: float | Cutoff | str | Path | None = None,
        *,
        prevalence: float | None = None,
    ) -> None:
        self.encoder = cast(Encoder, _Quiet(encoder))
        self.records: dict[str, Mapping[str, Any]] = {}
        with warnings.catch_warnings():
            # The panel says it in its status line, where it stays in sight.
            warnings.simplefilter("ignore", UncalibratedCutoffWarning)
            self.cutoff = resolve_cutoff(cutoff, encoder, prevalence=prevalence)
        self._cutoff_was_given = cutoff is not None
        self.found: Found | None = None
        self._texts: list[str] = []
        self._base = KnowledgeBase.from_texts([], self.encoder)

    @property
    def processor(self) -> str:
        """Where the encoder runs, as people call it."""
        device = self.encoder.device
        if device.startswith(("cuda", "mps")):
            return f"GPU ({device})"
        return "CPU" if device == "cpu" else device

    def search(self, texts: str, query: str) -> Found:
        """Run a search to its end.

        Raises
        ------
        InputError
            If nothing is left of one of them after cleaning.
        """
        deque(self.steps(texts, query), maxlen=0)
        assert self.found is not None
        return self.found

    def steps(self, texts: str, query: str) -> Iterator[Progress]:
        """Run a search step by step; the result is in `found` once the iterator is exhausted.

        Closing the iterator before keeps what was encoded: a later search in the same texts goes on
        from there.
        """
        cleaned = clean(texts)
        if not clean([query]).texts:
            raise InputError(_("The query is empty: type the skill or experience that you are looking for."))
        if not cleaned.texts:
            raise InputError(_("The knowledge base is empty: paste at least one text, or add a file."))
        if self.found is not None and (self.found.query, self.found.texts) == (query, texts):
            return
        if self._texts != cleaned.texts:
            self._base, self._texts = KnowledgeBase.from_texts([], self.encoder), cleaned.texts
        lines = texts.splitlines()
        records = [self.records.get(tidy(lines[position]), {}) for position in cleaned.positions]
        base, size = self._base, FIRST_STEP
        while len(base) < len(cleaned.texts):
            yield Progress(len(base), len(cleaned.texts))
            started = time.perf_counter()
            some = slice(len(base), len(base) + size)
            base.add(cleaned.texts[some], records[some])
            seconds = max(time.perf_counter() - started, 1e-3)
            size = int(np.clip(size * SECONDS_A_STEP / seconds, 1, 4 * size))
        with warnings.catch_warnings():
            # That a query was cut is said in the status line.
            warnings.simplefilter("ignore", CleaningWarning)
            hits = base.search(query, k=len(base), cutoff=self.cutoff)
        self.found = Found(query, texts, tuple(hits), cleaned.report, base)

    def tell_for(self, prevalence: float) -> None:
        """Tell probabilities for pairs of which this share are matches, of the last result too.

        Raises
        ------
        InputError
            If it is no share, or the cutoff has no card.
        """
        self.cutoff = self.cutoff.at_prevalence(prevalence)
        if self.found is not None:
            hits = self.found.hits
            told = hit_probabilities(self.cutoff, [hit["score"] for hit in hits])
            if told is not None:
                again = (Hit(**{**hit, "probability": one}) for hit, one in zip(hits, told, strict=True))
                self.found = replace(self.found, hits=tuple(again))

    def standing(self, cutoff: float) -> Literal["calibrated", "demonstration", "literature", "chosen"]:
        """What is behind a cutoff: a calibration for this encoder, by its user or on the demonstration pairs
        that the workbench brings; the literature; or somebody's choice.
        """
        if cutoff != self.cutoff.value or (self._cutoff_was_given and not self.cutoff.is_calibrated):
            return "chosen"
        if self.cutoff.is_demonstration:
            return "demonstration"
        return "calibrated" if self.cutoff.is_calibrated else "literature"

    def vector_of(self, hit: Hit | None) -> Vectors:
        """The vector of a hit of the last result, or (None) of its query; float32, shape (d,)."""
        if self.found is None:
            raise InputError(_("There is no result yet; search first."))
        if hit is None:
            vector: Vectors = self.encoder.encode_queries(clean([self.found.query]).texts, progress=False)[0]
            return vector
        row: Vectors = self.found.knowledge_base.vectors[hit["index"]]
        return row


def texts_in_upload(name: str, content: bytes) -> dict[str, dict[str, Any]]:
    """The distinct texts of an uploaded file, tidy and each on one line, with their metadata.

    Raises
    ------
    InputError
        If the kind of file is not one of :data:`UPLOAD_FORMATS`, or it holds no text.
    WorkbenchError
        What the reader says, with the name that the user knows.
    """
    # Some browsers send a path; only its last part is a name.
    name = PurePosixPath(PureWindowsPath(name).name).name
    suffix = Path(name).suffix.lower()
    if suffix not in UPLOAD_FORMATS:
        raise InputError(
            _("{file} cannot be read; add one of {formats}.").format(
                file=name, formats=listed(UPLOAD_FORMATS)
            )
        )
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"upload{suffix}"
        path.write_bytes(content)
        try:
            with asked_by(nowhere):
                found = read_file(path)
        except WorkbenchError as error:
            raise type(error)(str(error).replace(str(path), name).replace(path.name, name)) from error
    texts: dict[str, dict[str, Any]] = {}
    for text, record in zip(found.texts, found.records, strict=True):
        if line := tidy(text):
            texts.setdefault(line, {**record, "source": name})
    if not texts:
        raise InputError(_("{file} holds no text.").format(file=name))
    return texts


def without_enter(old: str, new: str) -> str | None:
    """The query without the line break that Enter has just put into it; None if it was not Enter.

    A text area tells of no keys, and what is typed fast arrives as one change, so one line break
    more is taken for Enter. A pasted line that ends in one is searched for, too.
    """
    if new.count("\n") != old.count("\n") + 1:
        return None
    if any(new[:at] + new[at + 1 :] == old for at, character in enumerate(new) if character == "\n"):
        return old
    return new[:-1] if new.endswith("\n") else new.replace("\n", " ")


class _Quiet:
    """An encoder that shows no progress bars of its own, which would land in whatever cell ran last."""

    def __init__(self, encoder: Encoder) -> None:
        self._encoder = encoder

    def encode_documents(self, texts: Sequence[str], *, progress: bool | None = None) -> Vectors:
        return self._encoder.encode_documents(texts, progress=False)

    def encode_queries(self, texts: Sequence[str], *, progress: bool | None = None) -> Vectors:
        return self._encoder.encode_queries(texts, progress=False)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._encoder, name)
