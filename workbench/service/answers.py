"""What can be asked, and the answers; every one names the scorer's fingerprint and the cutoff card."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, cast

import pandas as pd
from pydantic import BaseModel, ConfigDict, Field

from workbench.cutoffs import Cutoff
from workbench.documents.document import Document
from workbench.encoders import Encoder, load_encoder
from workbench.errors import EncoderMismatchError, InputError
from workbench.exploration import Explanation
from workbench.i18n import gettext as _
from workbench.masking import masked
from workbench.pairs import score_pairs
from workbench.retrieval.hits import hit_probabilities, holds, resolve_cutoff
from workbench.retrieval.knowledge_base import KnowledgeBase
from workbench.retrieval.ranking import rank
from workbench.scorers import levels_of
from workbench.scorers.base import Scorer
from workbench.scorers.cosine import CosineScorer
from workbench.scorers.registry import encoder_or_scorer, load_scorer, scorer_of
from workbench.scorers.relative import RelativeScorer
from workbench.shortcuts import explain
from workbench.texts import clean

# Pairs, and documents of a side, in one question.
MOST_PAIRS, MOST_DOCUMENTS = 10_000, 2_000


class Question(BaseModel):
    """What all questions may say."""

    model_config = ConfigDict(extra="forbid")

    fingerprint: str | None = Field(
        default=None, description="Of the scorer that is expected; another one refuses to answer (409)."
    )


class Pair(BaseModel):
    """A JD and a résumé, each a line or a whole document."""

    model_config = ConfigDict(extra="forbid")

    jd: str
    resume: str


class ScoreQuestion(Question):
    """Pairs to score."""

    pairs: list[Pair] = Field(min_length=1, max_length=MOST_PAIRS)


class SearchQuestion(Question):
    """A text to search with, in the service's knowledge base, or among texts that come along."""

    query: str
    texts: list[str] | None = Field(
        default=None,
        max_length=MOST_DOCUMENTS,
        description="By default the service's knowledge base is searched.",
    )
    k: int | None = Field(default=None, ge=1, le=1000, description="Hits; by default 5.")


class Text(BaseModel):
    """A whole document, and its name."""

    model_config = ConfigDict(extra="forbid")

    id: str = Field(min_length=1, max_length=200)
    text: str


class RankQuestion(Question):
    """JDs and résumés, for a shortlist each."""

    jds: list[Text] = Field(min_length=1, max_length=MOST_DOCUMENTS)
    resumes: list[Text] = Field(min_length=1, max_length=MOST_DOCUMENTS)
    top: int = Field(10, ge=1, le=1000, description="Candidates for each JD.")
    conditions: list[str] = Field([], description="Must-haves, such as 'years >= 5': shown, never filtering.")


class ExplainQuestion(Question, Pair):
    """A pair whose score is to be explained."""


class Card(BaseModel):
    """Which cutoff card was gone by."""

    cutoff: float
    digest: str
    demonstration: bool = Field(description="Measured on the workbench's own pairs, not on yours.")


class Answer(BaseModel):
    """What all answers say."""

    scorer: str
    fingerprint: str
    card: Card | None = Field(description="None where no cutoff is calibrated for this scorer.")


class PairScore(BaseModel):
    """One pair's score."""

    score: float
    is_match: bool | None = Field(description="None without a cutoff that holds for texts of this length.")
    probability: dict[str, Any] | None = Field(
        description="Of a match, with its interval, if the card tells."
    )


class ScoreAnswer(Answer):
    """A score for each pair, in their order."""

    scores: list[PairScore]


class SearchAnswer(Answer):
    """The nearest texts, best first, as of ``workbench.search``; and what cleaning left out."""

    hits: list[dict[str, Any]]
    notes: list[str]


class RankAnswer(Answer):
    """A shortlist for each JD, as of ``workbench.rank``."""

    shortlists: dict[str, list[dict[str, Any]]]
    sentences: list[str]


class ExplainAnswer(Answer):
    """Of lines the phrases that lift or lower the score; of whole documents what covers each requirement."""

    kind: str
    explanation: dict[str, Any]


class CardAnswer(Answer):
    """The card as it was written, without what it holds of its scorer, and what it says in sentences."""

    evidence: dict[str, Any]
    sentences: list[str]


@dataclass(frozen=True, eq=False)
class _By:
    """What one kind of question is answered by."""

    scorer: Scorer | Encoder
    card: Cutoff | None

    @cached_property
    def named(self) -> Card | None:
        """Which card that is."""
        if self.card is None:
            return None
        digest = str(self.card.to_dict()["digest"])
        return Card(cutoff=self.card.value, digest=digest, demonstration=self.card.is_demonstration)

    def answer(self, asked: Question | None = None) -> dict[str, Any]:
        """What every answer begins with.

        Raises
        ------
        EncoderMismatchError
            If the question is for another scorer.
        """
        name, fingerprint = self.scorer.name, self.scorer.fingerprint
        if asked is not None and asked.fingerprint not in (None, fingerprint):
            raise EncoderMismatchError(
                _("This service scores with {name} [{fingerprint}], not with [{asked}].").format(
                    name=name, fingerprint=fingerprint, asked=asked.fingerprint
                )
            )
        return {"scorer": name, "fingerprint": fingerprint, "card": self.named}


class Service:
    """What the service answers from.

    Parameters
    ----------
    scorer : Scorer
        For pairs and rankings; its encoder for search and explanations. Of a plain cosine, rankings are
        relative to the collection that they are of. A scorer that depends on what else is scored answers for
        pairs only with the card that holds what it froze.
    card : Cutoff, optional
        Of this scorer; by default the project's for it, else the workbench's.
    base : KnowledgeBase, optional
        What is searched where a question brings no texts.

    Raises
    ------
    EncoderMismatchError
        If the card or the knowledge base is another one's.
    """

    def __init__(self, scorer: Scorer, card: Cutoff | None = None, base: KnowledgeBase | None = None) -> None:
        self.scorer, self.base = scorer, base
        self.encoder = cast(Encoder, scorer.encoder)
        # Cards of its encoder are for the plain cosine, which search goes by, and rankings do not.
        is_plain = isinstance(scorer, CosineScorer)
        self.ranker = RelativeScorer(self.encoder) if is_plain else scorer
        self.scoring = _By(scorer, _calibrated(card, scorer))
        self.searching = self.scoring if is_plain else _By(self.encoder, _calibrated(None, self.encoder))
        self.ranking = _By(self.ranker, _calibrated(None, self.ranker)) if is_plain else self.scoring
        if base is not None:
            base.check_encoder(self.encoder)

    @classmethod
    def load(
        cls,
        scorer: str | None = None,
        card: str | Path | None = None,
        base: str | Path | None = None,
        *,
        wrap: Callable[[Encoder], Encoder] = lambda encoder: encoder,
    ) -> Service:
        """A service from a scorer's spec, the path of a card and the folder of a knowledge base.

        Nothing that it encodes is kept in a store. `wrap` is given the encoder, and what it gives back is
        asked instead.

        Raises
        ------
        WorkbenchError
            If one of them cannot be loaded, or belongs to another.
        """
        found = None if card is None else Cutoff.load(card)
        if found is not None:
            loaded = scorer_of(found, scorer, store=False)
        elif scorer is not None:
            loaded = load_scorer(scorer, store=False)
        else:
            loaded = CosineScorer(load_encoder(store=False))
        encoder = wrap(cast(Encoder, loaded.encoder))
        stage: Scorer | None = loaded
        while stage is not None:
            stage.encoder = encoder
            stage = getattr(stage, "first", None)
        opened = None if base is None else KnowledgeBase.open(base, encoder, create=False)
        return cls(loaded, found, opened)

    def score(self, asked: ScoreQuestion) -> ScoreAnswer:
        """Score pairs."""
        answer, card = self.scoring.answer(asked), self.scoring.card
        if not self.scorer.is_fitted:
            raise InputError(
                _(
                    "{name} compares a pair with the collection it is from; start the service with a card "
                    "that holds one, or ask for a ranking."
                ).format(name=self.scorer.name)
            )
        frame = pd.DataFrame(
            {"jd": [pair.jd for pair in asked.pairs], "resume": [pair.resume for pair in asked.pairs]}
        )
        scores = score_pairs(frame, encoder_or_scorer(self.scorer), progress=False)["score"].tolist()
        chances = hit_probabilities(card, scores) if card else None
        found = []
        for at, (pair, score) in enumerate(zip(asked.pairs, scores, strict=True)):
            told = PairScore(score=score, is_match=None, probability=None)
            if card is not None and holds(card, pair.resume, pair.jd):
                told.is_match = bool(card.is_match(score))
                told.probability = dict(chances[at]) if chances else None
            found.append(told)
        return ScoreAnswer(**answer, scores=found)

    def search(self, asked: SearchQuestion) -> SearchAnswer:
        """Search the knowledge base, or the texts of the question."""
        answer = self.searching.answer(asked)
        notes: list[str] = []
        positions: Sequence[int]
        if asked.texts is not None:
            cleaned = clean(asked.texts)
            base = KnowledgeBase.from_texts(cleaned.texts, self.encoder, exact=True, progress=False)
            positions, notes = cleaned.positions, [cleaned.report.summary()]
        elif self.base is not None:
            base, positions = self.base, range(len(self.base))
        else:
            raise InputError(_("This service has no knowledge base: send texts, or start it with --base."))
        found = base.search(
            asked.query, asked.k, self.searching.card or Cutoff.from_literature(), progress=False
        )
        judged = {} if self.searching.card else {"is_match": None}
        hits = [{**hit, **judged, "index": positions[hit["index"]]} for hit in found]
        return SearchAnswer(**answer, hits=masked(hits), notes=notes)

    def rank(self, asked: RankQuestion) -> RankAnswer:
        """Rank résumés for each JD."""
        answer = self.ranking.answer(asked)
        found = rank(
            [Document(each.id, each.text, side="jd") for each in asked.jds],
            [Document(each.id, each.text, side="resume") for each in asked.resumes],
            scorer=self.ranker,
            encoder=self.encoder,
            cutoff=self.ranking.card,
            top=asked.top,
            conditions=asked.conditions,
            levels=levels_of(self.encoder.fingerprint),
            progress=False,
        )
        told = masked(found.to_dict()["shortlists"])
        return RankAnswer(**answer, shortlists=told, sentences=masked(found.sentences()))

    def explain(self, asked: ExplainQuestion) -> ExplainAnswer:
        """Explain a pair."""
        answer = self.searching.answer(asked)
        found = explain(asked.resume, asked.jd, self.encoder, progress=False)
        kind = "phrases" if isinstance(found, Explanation) else "coverage"
        return ExplainAnswer(**answer, kind=kind, explanation=masked(found.to_dict()))

    def about(self) -> CardAnswer:
        """The card of the service."""
        card = self.scoring.card
        sentences = [card.origin(), card.holds_for()] if card else []
        return CardAnswer(
            **self.scoring.answer(),
            evidence=dict(card.evidence) if card else {},
            sentences=[*filter(None, sentences)],
        )


def _calibrated(card: Cutoff | str | Path | None, scorer: Scorer | Encoder) -> Cutoff | None:
    """The card that is given or found; None where all that is known is a number from elsewhere."""
    with warnings.catch_warnings(action="ignore"):
        found = resolve_cutoff(card, scorer)
    return found if found.is_calibrated else None
