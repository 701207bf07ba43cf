"""The default scorer: how well two texts fit, relative to the collection that they come from.

How well the windows of two texts find one another, and to a quarter how near their mean vectors lie, after
what each side has in common came off; to that, what they share in keywords; less how near each of the two
lies to everything. Measured on the demonstration's documents and lines by ``benchmarks/scorers.py``; its
tables are in ``docs/measured/scorers.md``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from workbench.documents.document import Document
from workbench.documents.splitting import Side
from workbench.i18n import gettext as _
from workbench.scorers.base import FloatArray, Scorer, Scores, check_sides, fingerprint_with
from workbench.scorers.collection import (
    OTHER,
    SIDES,
    Crowd,
    Languages,
    Trust,
    centred,
    crowd_of,
    enough,
    languages_of,
    levels_of,
    offsets_of,
    trust_of,
)
from workbench.scorers.drift import State, Texts, drift_from, seen_in
from workbench.scorers.keywords import BUCKETS, TOKENS, counts_of, idf_of, occurring, weighted
from workbench.scorers.windows import WORDS, Windows, both_ways, windows_of
from workbench.text_encoder import TextEncoder

# Weight of the mean vectors, where that of the windows is the rest, and of the keywords beside both.
POOLED, KEYWORDS = 0.25, 0.3
# What is frozen has no keyword of fewer texts: it could be somebody's name.
COMMON = 5
# Windows that are centred at a time.
AT_A_TIME = 2**12


@dataclass(frozen=True, eq=False)
class _Encoded:
    """One side's texts as the scorer needs them."""

    side: Side
    languages: Languages
    lengths: Sequence[int]
    windows: Windows
    words: Any

    @property
    def of_windows(self) -> Languages:
        """The language of each window: that of its text."""
        return np.repeat(self.languages, self.windows.counts)

    def centred(self, frozen: _Frozen, first: int = 0, last: int | None = None) -> Windows:
        """Windows of some of the texts, without what their side has in common."""
        last = len(self.languages) if last is None else last
        some = self.windows.between(first, last)
        languages = np.repeat(self.languages[first:last], some.counts)
        return Windows(centred(some.vectors, self.side, languages, frozen.offsets), some.starts)

    def keywords(self, frozen: _Frozen) -> Any:
        """Keywords, weighted by how rare they are in the text's language."""
        rarity = np.empty(len(self.words.data))
        languages = np.repeat(self.languages, np.diff(self.words.indptr))
        for language in np.unique(self.languages):
            here = languages == language
            rarity[here] = frozen.idf(str(language))[self.words.indices[here]]
        return weighted(self.words, rarity)


@dataclass(frozen=True, eq=False)
class _Frozen:
    """What a collection has in common, by side and language.

    Attributes
    ----------
    counts : mapping of (side, language) to int
        Documents.
    trust, offsets : mapping of (side, language) to float and to ndarray
        As of :func:`trust_of` and :func:`offsets_of`.
    occurring : mapping of language to ndarray of int32
        In how many texts each keyword does.
    crowds : mapping of (side, language) to Crowd
        Of the other side, for texts of this one in this language; in any, under "".
    seen : mapping of str to ndarray
        What drift is told by.
    """

    counts: Mapping[tuple[Side, str], int]
    trust: Trust
    offsets: Mapping[tuple[Side, str], FloatArray]
    occurring: Mapping[str, npt.NDArray[np.int32]]
    crowds: Mapping[tuple[Side, str], Crowd]
    seen: State

    def n(self, side: Side) -> int:
        """Documents of a side."""
        return sum(n for (of, _language), n in self.counts.items() if of == side)

    def idf(self, language: str) -> FloatArray:
        """How rare each keyword is in a language."""
        n = sum(n for (_side, of), n in self.counts.items() if of == language)
        return idf_of(self.occurring.get(language, np.zeros(BUCKETS, dtype=np.int32)), n)

    def levels(self, sides: Mapping[Side, _Encoded]) -> dict[Side, FloatArray]:
        """As of :func:`levels_of`, told from how crowded the collection is where the texts lie."""
        levels = {}
        for side, some in sides.items():
            pooled = some.centred(self).pooled()
            level = self.crowds[side, ""].hubness(pooled)
            for language in np.unique(some.languages):
                if (side, str(language)) in self.crowds:
                    here = some.languages == language
                    level[here] = self.crowds[side, str(language)].hubness(pooled[here])
            levels[side] = level
        return levels

    def to_state(self) -> State:
        """Plain arrays; no text, and no vector of one."""
        state: dict[str, npt.NDArray[Any]] = {}
        for (side, language), n in self.counts.items():
            state[f"counts/{side}/{language}"] = np.array([n, self.trust[side, language]], dtype=np.float32)
            state[f"offsets/{side}/{language}"] = self.offsets[side, language].astype(np.float32)
        for (side, language), crowd in self.crowds.items():
            state[f"crowds/{side}/{language}"] = crowd.directions.astype(np.float16)
            state[f"lines/{side}/{language}"] = crowd.line.astype(np.float32)
        state |= {f"occurring/{language}": counts for language, counts in self.occurring.items()}
        return state | {f"seen/{name}": array for name, array in self.seen.items()}

    @classmethod
    def from_state(cls, state: State) -> _Frozen:
        """As of :meth:`to_state`."""
        named: dict[str, dict[Any, npt.NDArray[Any]]] = {}
        for name, array in state.items():
            kind, *of = name.split("/")
            named.setdefault(kind, {})[tuple(of)] = (
                array.astype(np.float64) if array.dtype.kind == "f" else array
            )
        counts, lines = named["counts"], named["lines"]
        return cls(
            {of: int(n) for of, (n, _trust) in counts.items()},
            {of: float(trust) for of, (_n, trust) in counts.items()},
            named["offsets"],
            {language: counts for (language,), counts in named["occurring"].items()},
            {of: Crowd(directions, lines[of]) for of, directions in named["crowds"].items()},
            {name.removeprefix("seen/"): array for name, array in state.items() if name.startswith("seen/")},
        )


class RelativeScorer(Scorer):
    """How well windows find one another, without what each side has in common, and keywords.

    Unfitted, it measures what the texts of a call have in common on these themselves; :meth:`fit` freezes
    that, for a cutoff that is to hold for other texts. What is frozen holds no text and no vector of one:
    means of sides, how they are spread, and in how many texts common keywords occur.

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
        recipe = f"relative 3 {WORDS} {POOLED} {KEYWORDS} {TOKENS} {COMMON} {self.encoder.fingerprint}"
        return fingerprint_with(recipe, self.state())

    @property
    def is_fitted(self) -> bool:
        return self.frozen is not None

    def fit(
        self, jds: Sequence[str], resumes: Sequence[str], *, progress: bool | None = None
    ) -> RelativeScorer:
        check_sides(jds, resumes)
        sides = self._encode_sides(jds, resumes, progress)
        frozen = _freeze(sides, fewest=COMMON)
        vectors, keywords = _stages(sides, frozen)
        levels = levels_of(vectors + KEYWORDS * keywords, _languages(sides), frozen.trust)
        frozen = replace(frozen, crowds=_crowds(sides, frozen, levels), seen=seen_in(_texts(sides)))
        # By way of the state, so that what is saved and found again gives the same scores.
        return self.with_state(frozen.to_state())

    def state(self) -> State:
        return {} if self.frozen is None else self.frozen.to_state()

    def with_state(self, state: State) -> RelativeScorer:
        return RelativeScorer(self.encoder, frozen=_Frozen.from_state(state) if state else None)

    def _score(self, jds: Sequence[str], resumes: Sequence[str], progress: bool | None) -> Scores:
        return self._score_sides(self._encode_sides(jds, resumes, progress))

    def _score_sides(self, sides: Mapping[Side, _Encoded]) -> Scores:
        frozen = self.frozen or _freeze(sides)
        vectors, keywords = _stages(sides, frozen)
        scores = vectors + KEYWORDS * keywords
        if self.frozen is None:
            levels = levels_of(scores, _languages(sides), frozen.trust)
        else:
            levels = frozen.levels(sides)
        return Scores(
            scores - levels["jd"][:, None] - levels["resume"],
            self.name,
            self.fingerprint,
            _how(frozen),
            {"vectors": vectors, "keywords": keywords},
            drift_from(frozen.seen, _texts(sides)) if self.frozen else (),
        )

    def _encode_sides(
        self, jds: Sequence[str], resumes: Sequence[str], progress: bool | None
    ) -> dict[Side, _Encoded]:
        return {"jd": self._encode(jds, "jd", progress), "resume": self._encode(resumes, "resume", progress)}

    def _encode(self, texts: Sequence[str], side: Side, progress: bool | None) -> _Encoded:
        encode = self.encoder.encode_documents if side == "jd" else self.encoder.encode_queries
        said = [said_by(text, side) for text in texts]
        pieces = [windows_of(text) for text in said]
        starts = np.cumsum([0, *map(len, pieces)])[:-1]
        vectors = encode([piece for some in pieces for piece in some], progress=progress)
        lengths = [*map(len, texts)]
        return _Encoded(side, languages_of(texts), lengths, Windows(vectors, starts), counts_of(said))


def _freeze(sides: Mapping[Side, _Encoded], fewest: int = 1) -> _Frozen:
    """What the texts have in common, without crowds and what was seen; no keyword of fewer texts."""
    languages = _languages(sides)
    trust = trust_of({side: some.windows.pooled() for side, some in sides.items()}, languages)
    found = {}
    for language in {language for _side, language in trust}:
        counts = occurring(*(some.words[some.languages == language] for some in sides.values()))
        found[language] = np.where(counts < fewest, 0, counts)
    return _Frozen(
        {(side, language): int((languages[side] == language).sum()) for side, language in trust},
        trust,
        offsets_of(
            {side: some.windows.vectors for side, some in sides.items()},
            {side: some.of_windows for side, some in sides.items()},
            trust,
            # With a résumé or a few, what the jobs have in common would tell the order of the jobs.
            enough(len(languages["resume"])),
        ),
        found,
        {},
        {},
    )


def _languages(sides: Mapping[Side, _Encoded]) -> dict[Side, Languages]:
    return {side: some.languages for side, some in sides.items()}


def _texts(sides: Mapping[Side, _Encoded]) -> dict[Side, Texts]:
    """Both sides as drift is told by."""
    return {side: Texts(some.windows.pooled(), some.languages, some.lengths) for side, some in sides.items()}


def _stages(sides: Mapping[Side, _Encoded], frozen: _Frozen) -> tuple[FloatArray, FloatArray]:
    """Scores of the vectors and of the keywords."""
    jds, resumes = sides["jd"].centred(frozen), sides["resume"]
    many = enough(frozen.n("resume"))
    vectors = np.empty((len(jds.starts), len(resumes.languages)))
    for first, last in resumes.windows.groups(AT_A_TIME):
        some = resumes.centred(frozen, first, last)
        from_jds, from_resumes = both_ways(jds, some)
        # With a résumé or a few, what counts is whether the job has a place for what the person did.
        found = (many * from_jds + (2 - many) * from_resumes) / 2
        vectors[:, first:last] = (1 - POOLED) * found + POOLED * (jds.pooled() @ some.pooled().T)
    keywords = sides["jd"].keywords(frozen) @ resumes.keywords(frozen).T
    return vectors, np.asarray(keywords.toarray(), dtype=np.float64)


def _crowds(
    sides: Mapping[Side, _Encoded], frozen: _Frozen, levels: Mapping[Side, FloatArray]
) -> dict[tuple[Side, str], Crowd]:
    pooled = {side: some.centred(frozen).pooled() for side, some in sides.items()}
    crowds = {}
    for side, other in OTHER.items():
        for language in ("", *np.unique(sides[side].languages).tolist()):
            here = (sides[side].languages == language) | (language == "")
            others = sides[other].languages == language
            if frozen.trust.get((other, language), 0) < 0.5:
                others[:] = True
            crowds[side, language] = crowd_of(pooled[other][others], pooled[side][here], levels[side][here])
    return crowds


def said_by(text: str, side: Side) -> str:
    """The text without boilerplate, which no text of the other side has a word for."""
    parts = Document("", text, side=side).parts
    return "\n".join(part.text for part in parts if part.kind != "boilerplate") or text


def _how(frozen: _Frozen) -> str:
    n = {side: frozen.n(side) for side in SIDES}
    said = _("Windows of {words} words and their means, with keywords").format(words=WORDS)
    if enough(n["resume"]) < 0.5:
        return _(
            "{said}: mostly what of each résumé the JD has a place for, since {n} résumés are too few to "
            "tell what résumés have in common."
        ).format(said=said, n=n["resume"])
    common = {
        side: sum(frozen.counts[key] * trust for key, trust in frozen.trust.items() if key[0] == side)
        / n[side]
        > 0.5
        for side in SIDES
    }
    whose = {
        (True, True): _("what the {jds} JDs and what the {resumes} résumés have in common was taken off"),
        (False, True): _(
            "what the {resumes} résumés have in common was taken off both sides, since the {jds} JDs are few "
            "or much alike"
        ),
        (True, False): _(
            "what the {jds} JDs have in common was taken off both sides, since the {resumes} résumés are few "
            "or much alike"
        ),
        (False, False): _(
            "the {jds} JDs and the {resumes} résumés are too few, or too much alike, to tell what they have "
            "in common"
        ),
    }[common["jd"], common["resume"]].format(jds=n["jd"], resumes=n["resume"])
    if len(frozen.occurring) > 1:
        return _("{said}; {whose}, language by language.").format(said=said, whose=whose)
    return _("{said}; {whose}.").format(said=said, whose=whose)
