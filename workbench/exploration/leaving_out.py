"""Explaining a score by leaving out each phrase in turn, and taking the score again.

The encoder is passed in, and asked once for all variants of a side. How far such explanations can be
trusted is measured in :mod:`workbench.exploration.faithfulness`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from workbench.errors import InputError
from workbench.exploration.explanation import ExplainedText, Explanation, PhraseEffect, Side
from workbench.exploration.phrases import MOST_WORDS, Phrase, phrases_of, without
from workbench.text_encoder import TextEncoder
from workbench.texts import clean

__all__ = ["cosines_with", "encoded_once", "explain", "explain_pairs"]


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
        As of :func:`~workbench.exploration.phrases.phrases_of`.
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
            f"Both texts are a single phrase ({jd!r:.40} and {resume!r:.40}), so that nothing can be left "
            "out; give at least one text of several phrases."
        )
    return found


def explain_pairs(
    pairs: Iterable[tuple[str, str]],
    encoder: TextEncoder,
    *,
    sides: Sequence[Side] = ("jd", "resume"),
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
        (_prepared(jd, f"The JD of pair {place}"), _prepared(resume, f"The résumé text of pair {place}"))
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
        for which, side in enumerate(("jd", "resume"))
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


def cosines_with(vector: npt.NDArray[Any], rows: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    """Cosine similarity of one unit vector with unit rows, in float64."""
    return np.asarray(np.clip(rows.astype(np.float64) @ vector.astype(np.float64), -1.0, 1.0))


def _effects(phrases: list[Phrase], effects: npt.NDArray[np.float64]) -> tuple[PhraseEffect, ...]:
    # There are no effects of a side that was not asked for.
    return tuple(
        PhraseEffect(phrase.start, phrase.end, phrase.text, float(effect))
        for phrase, effect in zip(phrases, effects, strict=False)
    )


def _prepared(text: object, what: str) -> ExplainedText:
    """A text as given where it is encoded whole, else as much as is encoded."""
    if not isinstance(text, str):
        raise InputError(f"{what} is {type(text).__name__} ({text!r:.40}), not a string.")
    cleaned = clean([text])
    if not cleaned.texts:
        raise InputError(f"{what} is blank, so that there is nothing to explain; give a text.")
    if cleaned.report.cut:
        return ExplainedText(cleaned.texts[0], (), was_cut=True)
    # A split surrogate pair can neither be encoded nor shown.
    return ExplainedText(cleaned.texts[0] if cleaned.report.repaired else text, ())


def encoded_once(
    encode: Callable[..., npt.NDArray[np.float32]],
    variants: Iterable[Sequence[str]],
    progress: bool | None,
) -> Callable[[Sequence[str]], npt.NDArray[np.float32]]:
    """Encode all texts of some lists in one call, each distinct one once; returns what gives their vectors.

    Raises
    ------
    InputError
        If a vector is not finite (with its text).
    """
    tidied = {text: clean([text]).texts[0] for some in variants for text in some}
    distinct = list(dict.fromkeys(tidied.values()))
    vectors = encode(distinct, progress=progress)
    if not np.isfinite(vectors).all():
        row = int(np.flatnonzero(~np.isfinite(vectors).all(axis=1))[0])
        raise InputError(
            f"The encoder gave values that are not finite (NaN or infinity) for {distinct[row]!r:.60}; "
            "encode in a higher precision, such as dtype='float32'."
        )
    place = {text: row for row, text in enumerate(distinct)}
    return lambda texts: vectors[[place[tidied[text]] for text in texts]]
