"""The default scorer: how well two texts fit, relative to the collection that they come from.

Half of the score is the cosine of the whole texts and half how well their windows find one another, both
after what each side has in common came off; to that, a fifth of what they share in keywords. Measured on the
demonstration's documents and lines by ``benchmarks/scorers.py``.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from workbench.documents.document import Document
from workbench.documents.splitting import Side
from workbench.i18n import gettext as _
from workbench.scorers.base import FloatArray, Scorer, Scores
from workbench.scorers.collection import (
    SIDES,
    Languages,
    Means,
    hubness,
    languages_of,
    means_of,
    whose_means,
)
from workbench.scorers.keywords import NGRAMS, counts_of, idf_of, weighted
from workbench.scorers.windows import WORDS, Windows, both_ways, windows_of
from workbench.text_encoder import TextEncoder

__all__ = ["KEYWORDS", "RelativeScorer"]

# Weight of the keywords beside the vectors; 0.1 to 0.8 did not differ by more than 0.005.
KEYWORDS = 0.2


@dataclass(frozen=True, eq=False)
class _Encoded:
    """One side's texts as the scorer needs them."""

    languages: Languages
    whole: Any
    windows: Windows
    words: Any

    @property
    def of_windows(self) -> Languages:
        """The language of each window: that of its text."""
        return np.repeat(self.languages, self.windows.counts)


@dataclass(frozen=True, eq=False)
class _Frozen:
    """What a collection has in common.

    `references` are the collection's own texts, against which the hubness of a text of the other side counts.
    """

    whole: Means
    windows: Means
    idf: FloatArray
    keyword_means: Mapping[tuple[str, str], float]
    few_resumes: bool
    references: Mapping[Side, _Encoded]
    n_jds: int
    n_resumes: int


class RelativeScorer(Scorer):
    """Cosine of whole texts and of their windows, without what each side has in common, and keywords.

    Unfitted, it measures what the texts of a call have in common on these themselves; :meth:`fit` freezes
    that, for a cutoff that is to hold for other texts.

    Parameters
    ----------
    encoder : Encoder
    frozen : optional
        As of :meth:`fit`.
    """

    def __init__(self, encoder: TextEncoder, *, frozen: _Frozen | None = None) -> None:
        self.encoder = encoder
        self.frozen = frozen

    @property
    def name(self) -> str:
        return f"{self.encoder.name}+relative"

    @property
    def fingerprint(self) -> str:
        digest = hashlib.sha256(f"relative 1 {WORDS} {KEYWORDS} {NGRAMS} {self.encoder.fingerprint}".encode())
        if self.frozen is not None:
            for array in _arrays(self.frozen):
                # Vectors of one text differ by rounding between machines.
                digest.update(np.round(np.asarray(array, dtype=np.float64), 3).tobytes())
        return digest.hexdigest()[:12]

    @property
    def is_fitted(self) -> bool:
        return self.frozen is not None

    def fit(
        self, jds: Sequence[str], resumes: Sequence[str], *, progress: bool | None = None
    ) -> RelativeScorer:
        return RelativeScorer(self.encoder, frozen=self._freeze(*self._encode_sides(jds, resumes, progress)))

    def _score(self, jds: Sequence[str], resumes: Sequence[str], progress: bool | None) -> Scores:
        left, right = self._encode_sides(jds, resumes, progress)
        frozen = self.frozen or self._freeze(left, right)
        vectors = self._vector_scores(left, right, frozen)
        levels = np.zeros_like(vectors)
        if not frozen.few_resumes:
            own = self.frozen is None
            near = vectors if own else self._vector_scores(left, frozen.references["resume"], frozen)
            levels += hubness(near, axis=1)
            near = vectors if own else self._vector_scores(frozen.references["jd"], right, frozen)
            levels += hubness(near, axis=0)
        keywords = self._keyword_scores(left, right, frozen)
        return Scores(
            vectors - levels + KEYWORDS * keywords,
            self.name,
            self.fingerprint,
            _how(frozen),
            {"vectors": vectors, "keywords": keywords},
        )

    def _encode_sides(
        self, jds: Sequence[str], resumes: Sequence[str], progress: bool | None
    ) -> tuple[_Encoded, _Encoded]:
        return self._encode(jds, "jd", progress), self._encode(resumes, "resume", progress)

    def _encode(self, texts: Sequence[str], side: Side, progress: bool | None) -> _Encoded:
        encode = self.encoder.encode_documents if side == "jd" else self.encoder.encode_queries
        pieces = [windows_of(_said(text, side)) for text in texts]
        starts = np.cumsum([0, *map(len, pieces)])[:-1]
        whole = encode(texts, progress=progress)
        vectors = encode([piece for some in pieces for piece in some], progress=progress)
        return _Encoded(languages_of(texts), whole, Windows(vectors, starts), counts_of(texts))

    def _freeze(self, left: _Encoded, right: _Encoded) -> _Frozen:
        sides: dict[Side, _Encoded] = {"jd": left, "resume": right}
        languages = {side: sides[side].languages for side in SIDES}
        whose = whose_means({side: sides[side].whole for side in SIDES}, languages)
        every = {side: sides[side].of_windows for side in SIDES}
        idf = idf_of(left.words, right.words)
        shared = weighted(left.words, idf) @ weighted(right.words, idf).T
        return _Frozen(
            means_of({side: sides[side].whole for side in SIDES}, languages, whose),
            means_of({side: sides[side].windows.vectors for side in SIDES}, every, whose),
            idf,
            {pair: float(shared[rows][:, columns].mean()) for pair, rows, columns in _blocks(left, right)},
            not whose,
            sides,
            len(left.languages),
            len(right.languages),
        )

    def _vector_scores(self, left: _Encoded, right: _Encoded, frozen: _Frozen) -> FloatArray:
        whole = (
            frozen.whole.off(left.whole, "jd", left.languages),
            frozen.whole.off(right.whole, "resume", right.languages),
        )
        found = both_ways(
            Windows(frozen.windows.off(left.windows.vectors, "jd", left.of_windows), left.windows.starts),
            Windows(
                frozen.windows.off(right.windows.vectors, "resume", right.of_windows), right.windows.starts
            ),
        )
        # With a résumé or a few, what counts is whether the job has a place for what the person did.
        found = found[1] if frozen.few_resumes else found.mean(axis=0)
        return np.asarray((whole[0] @ whole[1].T + found) / 2, dtype=np.float64)

    def _keyword_scores(self, left: _Encoded, right: _Encoded, frozen: _Frozen) -> FloatArray:
        found = (weighted(left.words, frozen.idf) @ weighted(right.words, frozen.idf).T).toarray()
        for pair, rows, columns in _blocks(left, right):
            found[np.ix_(rows, columns)] -= frozen.keyword_means.get(pair, 0.0)
        return np.asarray(found, dtype=np.float64)


def _said(text: str, side: Side) -> str:
    """The text without headings and boilerplate, which no text of the other side has a word for."""
    return "\n".join(part.text for part in Document("", text, side=side).phrases)


def _blocks(left: _Encoded, right: _Encoded) -> Iterator[tuple[tuple[str, str], Any, Any]]:
    """Rows and columns of each pair of languages."""
    for one in np.unique(left.languages):
        for other in np.unique(right.languages):
            rows = np.flatnonzero(left.languages == one)
            yield (str(one), str(other)), rows, np.flatnonzero(right.languages == other)


def _arrays(frozen: _Frozen) -> Iterator[Any]:
    for means in (frozen.whole, frozen.windows):
        yield from (means.vectors[key] for key in sorted(means.vectors))
    yield frozen.idf
    yield [frozen.keyword_means[pair] for pair in sorted(frozen.keyword_means)]
    for side in SIDES:
        yield frozen.references[side].whole


def _how(frozen: _Frozen) -> str:
    if frozen.few_resumes:
        return _(
            "Whole texts, and what of each résumé the JD has a place for, with keywords; {n} résumés are too "
            "few to tell what résumés have in common."
        ).format(n=frozen.n_resumes)
    borrowed = [side for (side, _language), own in frozen.whole.whose.items() if own != side]
    whose = {
        (): _("what the {jds} JDs and what the {resumes} résumés have in common was taken off"),
        ("jd",): _("what the {resumes} résumés have in common was taken off both sides"),
        ("resume",): _("what the {jds} JDs have in common was taken off both sides"),
    }.get(tuple(dict.fromkeys(borrowed)), _("what each side has in common was taken off where that is known"))
    languages = sorted({language for _side, language in frozen.whole.whose})
    said = whose.format(jds=frozen.n_jds, resumes=frozen.n_resumes)
    if len(languages) > 1:
        said = _("{said}, language by language").format(said=said)
    return _("Whole texts and windows of {words} words, with keywords; {said}.").format(
        words=WORDS, said=said
    )
