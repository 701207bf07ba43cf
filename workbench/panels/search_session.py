"""What the search panel knows, without any widget: a knowledge base, the last result, what of it is shown.

A search runs in steps, so that whoever drives it can show progress, stop it, and go on later. What a page was
given, pasted or uploaded, is told in :mod:`workbench.panels.given`.
"""

from __future__ import annotations

import itertools
import time
import warnings
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np

from workbench.cutoffs import Cutoff
from workbench.encoders import Encoder, Vectors
from workbench.errors import InputError, UncalibratedCutoffWarning
from workbench.i18n import gettext as _
from workbench.i18n import number
from workbench.panels.given import Given
from workbench.retrieval import Hit, KnowledgeBase, resolve_cutoff
from workbench.retrieval.adding import encode
from workbench.retrieval.hits import hit_probabilities
from workbench.texts import CleaningReport, clean

# Long enough that steps cost nothing, short enough that a click is answered at once.
SECONDS_A_STEP = 0.4
# Characters that are encoded in the first step; a text takes as long as so many more.
FIRST_STEP, BESIDE = 1000, 60


@dataclass(frozen=True)
class Progress:
    """How many of the texts are encoded."""

    done: int
    total: int


@dataclass(frozen=True)
class View:
    """What of a result is shown: cutoff, only matches, texts that contain something, how many.

    `judges_documents` says whether the cutoff holds for whole documents, too.
    """

    cutoff: float
    only_matches: bool = False
    contains: str = ""
    most: int = 10
    judges_documents: bool = True

    def shown(self, hits: Sequence[Hit]) -> list[Hit]:
        """The hits that pass, best first, with `is_match` by this view's cutoff.

        Examples
        --------
        >>> hit = Hit(rank=1, text="Python", score=0.4, is_match=True, index=0, metadata={})
        >>> View(cutoff=0.4).shown([hit])[0]["is_match"]
        False
        """

        def judged(hit: Hit) -> Hit:
            unknown = hit["is_match"] is None and not self.judges_documents
            return Hit(**{**hit, "is_match": None if unknown else hit["score"] > self.cutoff})

        wanted = self.contains.strip().casefold()
        passing = (
            hit
            for hit in map(judged, hits)
            if (hit["is_match"] or not self.only_matches) and wanted in hit["text"].casefold()
        )
        return list(itertools.islice(passing, self.most))


@dataclass(frozen=True)
class Found:
    """A result: all texts of the knowledge base, ranked for one query.

    Attributes
    ----------
    query : str
        As it was typed or read from a file: a line or a whole document.
    given : Given
        The texts, as they were pasted and uploaded.
    hits : tuple of Hit
        Best first, one for every text.
    report : CleaningReport
        What cleaning did to the texts.
    knowledge_base : KnowledgeBase
        With the vectors of all texts.
    """

    query: str
    given: Given
    hits: tuple[Hit, ...]
    report: CleaningReport
    knowledge_base: KnowledgeBase

    def sentence(self, cutoff: float) -> str:
        """How many texts match, and how much room there is between matches and the others."""
        scores = [hit["score"] for hit in self.hits]
        if any(hit["is_match"] is None for hit in self.hits):
            said = _("{total} texts, some of them whole documents; the best score is {best}.")
            return said.format(total=len(scores), best=number(scores[0]))
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

    Parameters are as of :class:`~workbench.panels.search_panel.SearchPanel`; `found` is the last result.
    """

    def __init__(
        self,
        encoder: Encoder,
        cutoff: float | Cutoff | str | Path | None = None,
        *,
        prevalence: float | None = None,
    ) -> None:
        self.encoder = encoder
        # The panel says it in its status line, where it stays in sight.
        with warnings.catch_warnings(action="ignore", category=UncalibratedCutoffWarning):
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

    def search(self, given: Given, query: str) -> Found:
        """Run a search to its end.

        Raises
        ------
        InputError
            If nothing is left of one of them after cleaning.
        """
        deque(self.steps(given, query), maxlen=0)
        assert self.found is not None
        return self.found

    def steps(self, given: Given, query: str) -> Iterator[Progress]:
        """Run a search step by step; the result is in `found` once the iterator is exhausted.

        Closing the iterator before keeps what was encoded: a later search in the same texts goes on
        from there.
        """
        documents = given.documents
        cleaned = clean([each.text for each in documents])
        if not clean([query]).texts:
            raise InputError(_("The query is empty: type the skill or experience that you are looking for."))
        if not cleaned.texts:
            raise InputError(_("The knowledge base is empty: paste at least one text, or add a file."))
        if self.found is not None and (self.found.query, self.found.given) == (query, given):
            return
        if self._texts != cleaned.texts:
            self._base, self._texts = KnowledgeBase.from_texts([], self.encoder), cleaned.texts
        records = [dict(documents[position].source) for position in cleaned.positions]
        base, size = self._base, FIRST_STEP
        while len(base) < len(cleaned.texts):
            yield Progress(len(base), len(cleaned.texts))
            started = time.perf_counter()
            ends = np.cumsum([BESIDE + len(text) for text in cleaned.texts[len(base) :]])
            some = slice(len(base), len(base) + max(1, int(np.searchsorted(ends, size))))
            # A bar of its own would land in whatever cell ran last.
            base.add(cleaned.texts[some], records[some], progress=False)
            seconds = max(time.perf_counter() - started, 1e-3)
            size = int(np.clip(size * SECONDS_A_STEP / seconds, 1, 4 * size))
        # That a cutoff does not hold for whole documents is said in the status line.
        with warnings.catch_warnings(action="ignore", category=UncalibratedCutoffWarning):
            hits = base.search(query, k=len(base), cutoff=self.cutoff, progress=False)
        self.found = Found(query, given, tuple(hits), cleaned.report, base)

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
                again = (
                    Hit(**{**hit, "probability": one} if "probability" in hit else hit)
                    for hit, one in zip(hits, told, strict=True)
                )
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

    def judges_documents(self, cutoff: float) -> bool:
        """Whether a cutoff holds for whole documents: it was measured on such, or somebody set it."""
        return self.standing(cutoff) == "chosen" or not self.cutoff.is_of_lines

    def vector_of(self, hit: Hit | None) -> Vectors:
        """The vector of a hit of the last result, or (None) of its query; float32, shape (d,)."""
        if self.found is None:
            raise InputError(_("There is no result yet; search first."))
        if hit is None:
            asked = clean([self.found.query]).texts
            vector: Vectors = encode(self.encoder, asked, "query", progress=False)[0]
            return vector
        row: Vectors = self.found.knowledge_base.vectors[hit["index"]]
        return row


def without_enter(old: str, new: str) -> str | None:
    """The query without the line break that Enter has just put into it; None if it was not Enter.

    A text area tells of no keys, and what is typed fast arrives as one change, so one line break
    more is taken for Enter. A pasted line that ends in one is searched for, too. In a text of several lines
    Enter is a line break, and text that is pasted with line breaks keeps them.
    """
    if "\n" in old or new.count("\n") != 1:
        return None
    if any(new[:at] + new[at + 1 :] == old for at, character in enumerate(new) if character == "\n"):
        return old
    return new[:-1] if new.endswith("\n") else None
