"""The default scorer: how well two texts fit, relative to the collection that they come from.

Half of the score is the cosine of the whole texts and half how well their windows find one another, both
after what each side has in common came off; to that, a fifth of what they share in keywords. Measured on the
demonstration's documents and lines by ``benchmarks/scorers.py``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from workbench.documents.document import Document
from workbench.documents.splitting import Side
from workbench.i18n import gettext as _
from workbench.scorers.base import FloatArray, Scorer, Scores, State, check_sides, fingerprint_with
from workbench.scorers.collection import (
    SIDES,
    Crowd,
    Languages,
    Means,
    Vectors,
    crowd_of,
    hubness,
    languages_of,
    means_of,
    whose_means,
)
from workbench.scorers.drift import Texts, drift_from, seen_in
from workbench.scorers.keywords import NGRAMS, counts_of, idf_of, occurring, weighted
from workbench.scorers.windows import WORDS, Windows, both_ways, windows_of
from workbench.text_encoder import TextEncoder

__all__ = ["KEYWORDS", "RelativeScorer"]

# Weight of the keywords beside the vectors; 0.1 to 0.8 did not differ by more than 0.005.
KEYWORDS = 0.2
# What is frozen has no n-gram of fewer texts: it could be somebody's name.
COMMON = 5


@dataclass(frozen=True, eq=False)
class _Encoded:
    """One side's texts as the scorer needs them."""

    languages: Languages
    lengths: Sequence[int]
    whole: Any
    windows: Windows
    words: Any

    @property
    def of_windows(self) -> Languages:
        """The language of each window: that of its text."""
        return np.repeat(self.languages, self.windows.counts)


@dataclass(frozen=True, eq=False)
class _Frozen:
    """What a collection has in common; `crowds` are those of the other side, without few résumés.

    `occurring` is in how many texts each n-gram does; `seen` is what drift is told by.
    """

    whole: Means
    windows: Means
    occurring: npt.NDArray[np.int32]
    keyword_means: Mapping[tuple[str, str], float]
    crowds: Mapping[Side, Crowd]
    n_jds: int
    n_resumes: int
    seen: State

    @property
    def few_resumes(self) -> bool:
        return not self.whole.whose

    @property
    def idf(self) -> FloatArray:
        return idf_of(self.occurring, self.n_jds + self.n_resumes)

    def to_state(self) -> State:
        """Plain arrays; no text, and no vector of one."""
        whose = [(side, language, own) for (side, language), own in sorted(self.whole.whose.items())]
        state: dict[str, npt.NDArray[Any]] = {
            "counts": np.array([self.n_jds, self.n_resumes]),
            "occurring": self.occurring,
            "whose": np.array(whose, dtype=str),
        }
        for kind, means in (("whole", self.whole), ("windows", self.windows)):
            state |= {"/".join((kind, *of)): vector for of, vector in means.vectors.items()}
        state |= {"/".join(("keywords", *pair)): np.array(mean) for pair, mean in self.keyword_means.items()}
        for side, crowd in self.crowds.items():
            state |= {f"crowd/{side}": crowd.directions.astype(np.float16), f"line/{side}": crowd.line}
        state |= {f"seen/{name}": array for name, array in self.seen.items()}
        return {
            name: array.astype(np.float32) if array.dtype == np.float64 else array
            for name, array in state.items()
        }

    @classmethod
    def from_state(cls, state: State) -> _Frozen:
        """As of :meth:`to_state`."""
        named: dict[str, dict[tuple[Any, ...], FloatArray]] = {}
        for name, array in state.items():
            kind, *of = name.split("/")
            named.setdefault(kind, {})[tuple(of)] = array.astype(np.float64) if of else array
        whose: dict[Any, Any] = {(side, language): own for side, language, own in state["whose"].tolist()}
        crowds: dict[Side, Crowd] = {
            side: Crowd(named["crowd"][side,], named["line"][side,])
            for side in SIDES
            if f"crowd/{side}" in state
        }
        return cls(
            Means(whose, named.get("whole", {})),
            Means(whose, named.get("windows", {})),
            state["occurring"],
            {pair: float(mean) for pair, mean in named.get("keywords", {}).items()},
            crowds,
            *state["counts"].tolist(),
            {name.removeprefix("seen/"): state[name] for name in state if name.startswith("seen/")},
        )


class RelativeScorer(Scorer):
    """Cosine of whole texts and of their windows, without what each side has in common, and keywords.

    Unfitted, it measures what the texts of a call have in common on these themselves; :meth:`fit` freezes
    that, for a cutoff that is to hold for other texts. What is frozen holds no text and no vector of one:
    means of sides, how they are spread, and in how many texts common n-grams occur.

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
        recipe = f"relative 2 {WORDS} {KEYWORDS} {NGRAMS} {COMMON} {self.encoder.fingerprint}"
        return fingerprint_with(recipe, self.state())

    @property
    def is_fitted(self) -> bool:
        return self.frozen is not None

    def fit(
        self, jds: Sequence[str], resumes: Sequence[str], *, progress: bool | None = None
    ) -> RelativeScorer:
        check_sides(jds, resumes)
        left, right = self._encode_sides(jds, resumes, progress)
        frozen = self._freeze(left, right, fewest=COMMON)
        if not frozen.few_resumes:
            frozen = replace(frozen, crowds=self._crowds(left, right, frozen))
        frozen = replace(frozen, seen=seen_in(_texts(left, right)))
        # By way of the state, so that what is saved and found again gives the same scores.
        return self.with_state(frozen.to_state())

    def state(self) -> State:
        return {} if self.frozen is None else self.frozen.to_state()

    def with_state(self, state: State) -> RelativeScorer:
        return RelativeScorer(self.encoder, frozen=_Frozen.from_state(state) if state else None)

    def _score(self, jds: Sequence[str], resumes: Sequence[str], progress: bool | None) -> Scores:
        left, right = self._encode_sides(jds, resumes, progress)
        frozen = self.frozen or self._freeze(left, right)
        vectors = self._vector_scores(left, right, frozen)
        levels = np.zeros_like(vectors)
        if self.frozen is None and not frozen.few_resumes:
            levels += hubness(vectors, axis=1) + hubness(vectors, axis=0)
        elif not frozen.few_resumes:
            left_whole, right_whole = _centred(left, right, frozen)
            levels += frozen.crowds["jd"].hubness(left_whole)[:, None]
            levels += frozen.crowds["resume"].hubness(right_whole)
        keywords = self._keyword_scores(left, right, frozen)
        return Scores(
            vectors - levels + KEYWORDS * keywords,
            self.name,
            self.fingerprint,
            _how(frozen),
            {"vectors": vectors, "keywords": keywords},
            drift_from(frozen.seen, _texts(left, right)) if self.frozen else (),
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
        return _Encoded(
            languages_of(texts), [*map(len, texts)], whole, Windows(vectors, starts), counts_of(texts)
        )

    def _freeze(self, left: _Encoded, right: _Encoded, fewest: int = 1) -> _Frozen:
        sides: dict[Side, _Encoded] = {"jd": left, "resume": right}
        languages = {side: sides[side].languages for side in SIDES}
        whose = whose_means({side: sides[side].whole for side in SIDES}, languages)
        every = {side: sides[side].of_windows for side in SIDES}
        n = len(left.languages), len(right.languages)
        counts = occurring(left.words, right.words)
        counts[counts < fewest] = 0
        idf = idf_of(counts, sum(n))
        shared = weighted(left.words, idf) @ weighted(right.words, idf).T
        return _Frozen(
            means_of({side: sides[side].whole for side in SIDES}, languages, whose),
            means_of({side: sides[side].windows.vectors for side in SIDES}, every, whose),
            counts,
            {pair: float(shared[rows][:, columns].mean()) for pair, rows, columns in _blocks(left, right)},
            {},
            *n,
            {},
        )

    def _crowds(self, left: _Encoded, right: _Encoded, frozen: _Frozen) -> Mapping[Side, Crowd]:
        vectors = self._vector_scores(left, right, frozen)
        jds, resumes = _centred(left, right, frozen)
        return {
            "jd": crowd_of(resumes, jds, hubness(vectors, axis=1)[:, 0]),
            "resume": crowd_of(jds, resumes, hubness(vectors, axis=0)[0]),
        }

    def _vector_scores(self, left: _Encoded, right: _Encoded, frozen: _Frozen) -> FloatArray:
        whole = _centred(left, right, frozen)
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


def _centred(left: _Encoded, right: _Encoded, frozen: _Frozen) -> tuple[Vectors, Vectors]:
    """Whole texts without what their sides have in common."""
    return (
        frozen.whole.off(left.whole, "jd", left.languages),
        frozen.whole.off(right.whole, "resume", right.languages),
    )


def _texts(left: _Encoded, right: _Encoded) -> Mapping[Side, Texts]:
    """Both sides as drift is told by."""
    sides: dict[Side, _Encoded] = {"jd": left, "resume": right}
    return {side: Texts(some.whole, some.languages, some.lengths) for side, some in sides.items()}


def _said(text: str, side: Side) -> str:
    """The text without headings and boilerplate, which no text of the other side has a word for."""
    return "\n".join(part.text for part in Document("", text, side=side).phrases)


def _blocks(left: _Encoded, right: _Encoded) -> Iterator[tuple[tuple[str, str], Any, Any]]:
    """Rows and columns of each pair of languages."""
    for one in np.unique(left.languages):
        for other in np.unique(right.languages):
            rows = np.flatnonzero(left.languages == one)
            yield (str(one), str(other)), rows, np.flatnonzero(right.languages == other)


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
