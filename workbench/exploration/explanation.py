"""Why a pair has its score: each phrase is left out in turn, and the score is taken again.

The encoder is passed in, and asked once for all variants of a side. How far such explanations can be
trusted is measured in :mod:`workbench.exploration.faithfulness`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt

from workbench.errors import InputError
from workbench.exploration.inputs import FloatArray, Vectors
from workbench.exploration.phrases import MOST_WORDS, Phrase, phrases_of, without
from workbench.html import render
from workbench.i18n import gettext as _
from workbench.i18n import number, paragraph, pgettext
from workbench.results import Result
from workbench.text_encoder import TextEncoder
from workbench.texts import clean, kind_of

if TYPE_CHECKING:
    import pandas as pd

Side = Literal["jd", "resume"]
SIDES: tuple[Side, Side] = ("jd", "resume")

# Effects below this are not spoken of: vectors differ by up to 1e-4 between batches, and taking out any word
# at all moves a score by about this much.
NEGLIGIBLE = 0.005
# The strongest phrase has the strongest colour, but not where even that one hardly matters.
LEAST_SCALE = 0.05
LEVELS = 4


@dataclass(frozen=True)
class PhraseEffect(Phrase, Result):
    """A phrase, and by how much it lifts the score: the score less the score without it."""

    effect: float


@dataclass(frozen=True)
class ExplainedText(Result):
    """One side of a pair with its phrases.

    Attributes
    ----------
    text : str
        As given.
    phrases : tuple of PhraseEffect
        In order, ``text[start:end]`` each; empty where the text is a single phrase, which cannot be left
        out.
    """

    text: str
    phrases: tuple[PhraseEffect, ...]

    def pieces(self) -> list[tuple[str, float | None]]:
        """All of the text in order, phrases with their effects, what lies between them with None."""
        pieces: list[tuple[str, float | None]] = []
        end = 0
        for phrase in self.phrases:
            pieces += [(self.text[end : phrase.start], None), (phrase.text, phrase.effect)]
            end = phrase.end
        pieces.append((self.text[end:], None))
        return [piece for piece in pieces if piece[0]]


@dataclass(frozen=True, repr=False)
class Explanation(Result):
    """A score, and by how much each phrase of both texts lifts it.

    Effects do not add up to the score: phrases work together, and each effect is what the score loses
    when that phrase alone is gone.
    """

    jd: ExplainedText
    resume: ExplainedText
    score: float
    encoder_name: str
    fingerprint: str

    def side(self, side: Side) -> ExplainedText:
        """The JD or the résumé text."""
        return self.jd if side == "jd" else self.resume

    def strongest(self, side: Side, k: int = 3, *, lowers: bool = False) -> list[PhraseEffect]:
        """The phrases that lift the score most, or lower it most; negligible ones are left out."""
        sign = -1 if lowers else 1
        found = [phrase for phrase in self.side(side).phrases if sign * phrase.effect >= NEGLIGIBLE]
        return sorted(found, key=lambda phrase: (-sign * phrase.effect, phrase.start))[:k]

    def sentence(self) -> str:
        """What lifts and what lowers the score, in words."""
        score = _("Score {score}.").format(score=number(self.score))
        return paragraph([score, self._about("resume"), self._about("jd")])

    def _about(self, side: Side) -> str:
        up, down = self.strongest(side, 1), self.strongest(side, 1, lowers=True)
        if not self.side(side).phrases:
            said = _("The {side} is a single phrase, so nothing in it can be left out.")
        elif up and down:
            said = _(
                "In the {side}, “{up}” lifts it most ({lifted:+.4f} without it) and “{down}” lowers it most "
                "({lowered:+.4f} without it)."
            )
        elif up:
            said = _("In the {side}, “{up}” lifts it most ({lifted:+.4f} without it).")
        elif down:
            said = _("In the {side}, “{down}” lowers it most ({lowered:+.4f} without it).")
        else:
            said = _("No single phrase of the {side} changes the score.")
        found: dict[str, Any] = {"side": side_name(side)}
        for phrases, text, effect in ((up, "up", "lifted"), (down, "down", "lowered")):
            found |= {text: phrases[0].text, effect: -phrases[0].effect} if phrases else {}
        return said.format(**found)

    def to_text(self) -> str:
        """Both texts with effects behind their phrases, for places without colour.

        Examples
        --------
        >>> phrases = (PhraseEffect(0, 3, "RAG", 0.1), PhraseEffect(4, 8, "Java", 0.0))
        >>> side = ExplainedText("RAG，Java", phrases)
        >>> print(Explanation(side, side, 0.5, "use", "0123").to_text().splitlines()[0])
        JD: [RAG +0.100]，Java
        """
        lines = []
        for side in SIDES:
            shown = "".join(
                piece if effect is None or abs(effect) < NEGLIGIBLE else f"[{piece} {effect:+.3f}]"
                for piece, effect in self.side(side).pieces()
            )
            lines.append(_("{side}: {text}").format(side=side_name(side), text=shown))
        return "\n".join([*lines, self.sentence()])

    def to_html(self, *, styled: bool = True) -> str:
        """Both texts with the phrases highlighted that lift or lower the score, and the sentence.

        Parameters
        ----------
        styled : bool
            Whether the style sheet comes along; a page needs it once.

        Returns
        -------
        str
            A fragment of HTML without scripts or external parts; all texts are escaped. Blue with a solid
            line lifts the score, orange with a dashed line lowers it.

        Examples
        --------
        >>> side = ExplainedText("<b>RAG</b>", (PhraseEffect(3, 6, "RAG", 0.1),))
        >>> html = Explanation(side, side, 0.5, "use", "0123").to_html()
        >>> "&lt;b&gt;<mark" in html, "<b>RAG" in html
        (True, False)
        """
        effects = [abs(phrase.effect) for side in SIDES for phrase in self.side(side).phrases]
        scale = max([LEAST_SCALE, *effects])

        def level(effect: float | None) -> int:
            if effect is None or abs(effect) < NEGLIGIBLE:
                return 0
            return min(int(abs(effect) / scale * LEVELS) + 1, LEVELS)

        return str(render("exploration/explanation.html", found=self, level=level, styled=styled))

    def _repr_html_(self) -> str:
        return self.to_html()

    def __repr__(self) -> str:
        return f"<Explanation: {self.sentence()}>"

    def to_frame(self) -> pd.DataFrame:
        """A row for each phrase: side, start, end, text, effect."""
        import pandas as pd

        rows = [{"side": side, **one.to_dict()} for side in SIDES for one in self.side(side).phrases]
        return pd.DataFrame(rows, columns=["side", "start", "end", "text", "effect"])

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        named = {"encoder": self.encoder_name, "fingerprint": self.fingerprint}
        sides: dict[str, Any] = {side: self.side(side).to_dict() for side in SIDES}
        return {"score": self.score, **named, **sides}


def side_name(side: Side) -> str:
    """How a side of a pair is called in sentences."""
    return pgettext("side of a pair", "JD") if side == "jd" else pgettext("side of a pair", "résumé text")


def explain(
    jd: str,
    resume: str,
    encoder: TextEncoder,
    *,
    most_words: int = MOST_WORDS,
    progress: bool | None = None,
) -> Explanation:
    """Explain the score of one pair by leaving out each phrase in turn [1]_ [2]_.

    Parameters
    ----------
    jd, resume : str
        They are encoded as search does: cleaned, the JD as a document, the résumé text as a query.
    encoder : TextEncoder
        See :func:`workbench.load_encoder`. It is asked once for the JD and all that it becomes, and once
        for the résumé text.
    most_words : int
        As of :func:`~workbench.exploration.phrases_of`.
    progress : bool, optional
        Of the encoder.

    Raises
    ------
    InputError
        If a text is blank or no text, or both are a single phrase.
    MissingDependencyError
        If a text has Chinese and jieba is not installed.

    References
    ----------
    .. [1] Robnik-Šikonja & Kononenko (2008), Explaining classifications for individual instances, IEEE
       Transactions on Knowledge and Data Engineering 20, 589-600.
    .. [2] Li, Monroe & Jurafsky (2016), Understanding neural networks through representation erasure,
       arXiv:1612.08220.

    Examples
    --------
    >>> import workbench as wb
    >>> found = explain("熟悉 RAG 架构设计", "搭建过 RAG 问答系统，也带过班", wb.load_encoder("use"))
    >>> found.strongest("resume", 1)[0].text
    'RAG'
    """
    found = explain_pairs([(jd, resume)], encoder, most_words=most_words, progress=progress)[0]
    if not found.jd.phrases and not found.resume.phrases:
        raise InputError(
            _(
                "Both texts are a single phrase, so that nothing can be left out; give at least one text of "
                "several phrases."
            )
        )
    return found


def explain_pairs(
    pairs: Iterable[tuple[str, str]],
    encoder: TextEncoder,
    *,
    sides: Sequence[Side] = SIDES,
    most_words: int = MOST_WORDS,
    progress: bool | None = None,
) -> list[Explanation]:
    """Explain the scores of many pairs; each distinct variant of a text is encoded once.

    Parameters
    ----------
    pairs : iterable of (jd, resume)
    encoder : TextEncoder
        It is asked once for documents and once for queries.
    sides : sequence of {"jd", "resume"}
        Which texts to explain.
    most_words, progress
        As of :func:`explain`.

    Raises
    ------
    InputError
        If a text is blank or no text (with its pair).
    """
    prepared = [
        (_prepared(jd, "jd", place), _prepared(resume, "resume", place))
        for place, (jd, resume) in enumerate(pairs)
    ]
    cut: dict[str, list[Phrase]] = {}

    def phrases(text: str) -> list[Phrase]:
        if text not in cut:
            found = phrases_of(text, most_words=most_words)
            # Leaving out the only phrase would leave nothing to score.
            cut[text] = found if len(found) > 1 else []
        return cut[text]

    jd_variants, resume_variants = (
        [
            [(text := pair[which].text), *(without(text, [phrase]) for phrase in phrases(text))]
            if side in sides
            else [pair[which].text]
            for pair in prepared
        ]
        for which, side in enumerate(SIDES)
    )
    documents = encoded_once(encoder.encode_documents, jd_variants, progress)
    queries = encoded_once(encoder.encode_queries, resume_variants, progress)
    explained = []
    for (jd, resume), jds, resumes in zip(prepared, jd_variants, resume_variants, strict=True):
        of_jd = cosines_with(queries(resumes[:1])[0], documents(jds))
        of_resume = cosines_with(documents(jds[:1])[0], queries(resumes))
        score = float(of_jd[0])
        explained.append(
            Explanation(
                replace(jd, phrases=_effects(phrases(jd.text), score - of_jd[1:])),
                replace(resume, phrases=_effects(phrases(resume.text), score - of_resume[1:])),
                score,
                encoder.name,
                encoder.fingerprint,
            )
        )
    return explained


def cosines_with(vector: npt.NDArray[Any], rows: npt.NDArray[Any]) -> FloatArray:
    """Cosine similarity of one unit vector with unit rows, in float64."""
    return np.asarray(np.clip(rows.astype(np.float64) @ vector.astype(np.float64), -1.0, 1.0))


def encoded_once(
    encode: Callable[..., Vectors], variants: Iterable[Sequence[str]], progress: bool | None
) -> Callable[[Sequence[str]], Vectors]:
    """Encode all texts of some lists in one call, each distinct one once; returns what gives their vectors.

    Raises
    ------
    InputError
        If a vector is not finite.
    """
    tidied = {text: clean([text]).texts[0] for some in variants for text in some}
    distinct = list(dict.fromkeys(tidied.values()))
    vectors = encode(distinct, progress=progress)
    if not np.isfinite(vectors).all():
        raise InputError(
            _(
                "The encoder gave values that are not finite (NaN or infinity); encode in a higher "
                "precision, such as float32."
            )
        )
    place = {text: row for row, text in enumerate(distinct)}
    return lambda texts: vectors[[place[tidied[text]] for text in texts]]


def _effects(phrases: list[Phrase], effects: FloatArray) -> tuple[PhraseEffect, ...]:
    # There are no effects of a side that was not asked for.
    return tuple(
        PhraseEffect(phrase.start, phrase.end, phrase.text, float(effect))
        for phrase, effect in zip(phrases, effects, strict=False)
    )


def _prepared(text: object, side: Side, place: int) -> ExplainedText:
    """A text as given, where it can be shown so."""
    named: dict[str, Any] = {"side": side_name(side), "n": place}
    if not isinstance(text, str):
        wrong = _("The {side} of pair {n} is {type}, not a string.")
        raise InputError(wrong.format(**named, type=kind_of(text)))
    cleaned = clean([text])
    if not cleaned.texts:
        blank = _("The {side} of pair {n} is blank, so that there is nothing to explain; give a text.")
        raise InputError(blank.format(**named))
    # A split surrogate pair can neither be encoded nor shown.
    return ExplainedText(cleaned.texts[0] if cleaned.report.repaired else text, ())
