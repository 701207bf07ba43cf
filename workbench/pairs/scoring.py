"""Scores of pairs by an encoder or scorer that is passed in: each text is encoded once, on its side."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import numpy.typing as npt

from workbench.errors import InputError
from workbench.frozen import as_text
from workbench.i18n import gettext as _
from workbench.pairs.checks import places, require_columns
from workbench.pairs.tables import clean_texts
from workbench.text_encoder import PairScorer, TextEncoder, whole_vectors

if TYPE_CHECKING:
    import pandas as pd

# Pairs multiplied at a time: their vectors stay in the processor's cache. All at once took twenty times as
# long, most of it for memory that is used once.
BLOCK = 256


def score_pairs(
    pairs: pd.DataFrame,
    encoder: TextEncoder | PairScorer,
    *,
    progress: bool | None = None,
) -> pd.DataFrame:
    """Add the score of each pair; of an encoder, the cosine of its JD as document and its résumé as query.

    An encoder reads the texts whole and cleaned, as search does; a scorer whole and as they are, as rankings
    do.

    Parameters
    ----------
    pairs : DataFrame
        ``jd, resume`` and anything else; as of :func:`~workbench.pairs.read_pairs`.
    encoder : Encoder or Scorer
        See :func:`workbench.load_encoder` and :func:`workbench.load_scorer`. A scorer that depends on what
        else is scored is fitted on the distinct texts of the pairs first, and the fingerprint is that of the
        fitted one; to go on with it, fit it yourself and pass that. A scorer of a column takes the scores
        from there.
    progress : bool, optional
        Show a progress bar; by default for long tasks.

    Returns
    -------
    DataFrame
        A copy with the column ``score``, float64; `attrs` names the encoder and its fingerprint, so that
        a cutoff found on these scores can say what it is valid for.

    Raises
    ------
    InputError
        If a column is missing, or a text is blank (with its rows), or a pair has no score.
    EncoderError
        If the encoder fails.

    Examples
    --------
    >>> import pandas as pd
    >>> import workbench as wb
    >>> pairs = pd.DataFrame({"jd": ["护士", "护士"], "resume": ["病房护理", "Java 开发"], "label": [1, 0]})
    >>> scored = score_pairs(pairs, wb.load_encoder("use"))
    >>> bool(scored["score"][0] > scored["score"][1])
    True
    """
    if not hasattr(encoder, "encode_documents"):
        return _scored(pairs, encoder, progress)
    encoder = cast(TextEncoder, encoder)
    documents, jd_codes, queries, resume_codes = _encoded(pairs, encoder, progress)
    scores = np.empty(len(pairs), dtype=np.float64)
    for start in range(0, len(pairs), BLOCK):
        block = slice(start, start + BLOCK)
        left, right = documents[jd_codes[block]], queries[resume_codes[block]]
        # einsum converts as it goes, without a copy of the vectors in float64.
        scores[block] = np.einsum("ij,ij->i", left, right, dtype=np.float64)
    # Rows of unit length in float32 can have a product a hair above 1.
    scored = pairs.assign(score=np.clip(scores, -1.0, 1.0))
    scored.attrs = {**pairs.attrs, "encoder": _named(encoder, encoder)}
    return scored


def pair_vectors(
    pairs: pd.DataFrame,
    encoder: TextEncoder,
    *,
    progress: bool | None = None,
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """Vectors of both texts of each pair, such as :func:`~workbench.calibration.matryoshka` takes.

    Parameters
    ----------
    pairs, encoder, progress
        As of :func:`score_pairs`, which raises the same errors.

    Returns
    -------
    jds, resumes : ndarray of float32, shape (n, dimension)
        Unit rows, in the order of the pairs.
    """
    documents, jd_codes, queries, resume_codes = _encoded(pairs, encoder, progress)
    return documents[jd_codes], queries[resume_codes]


def _scored(pairs: pd.DataFrame, scorer: PairScorer, progress: bool | None) -> pd.DataFrame:
    if hasattr(scorer, "scores_in"):
        scores, encoder = scorer.scores_in(pairs), None
    else:
        # Whole and with their lines, as rankings score them. What a scorer freezes of these texts (means,
        # how common a word is) is blind to their labels, so that scores and labels go together as they will
        # for other texts of the same kind, and a cutoff found here is not flattered.
        jd_codes, jds = _distinct(pairs, "jd")
        resume_codes, resumes = _distinct(pairs, "resume")
        if not scorer.is_fitted:
            scorer = scorer.fit(jds, resumes, progress=progress)
        scores = scorer.score_pairs(jds, resumes, jd_codes, resume_codes, progress=progress)
        encoder = scorer.encoder
    scored = pairs.assign(score=scores)
    named = _named(scorer, encoder)
    if state := scorer.state():
        named["frozen"] = as_text(state)
    scored.attrs = {**pairs.attrs, "encoder": named}
    return scored


def _encoded(
    pairs: pd.DataFrame, encoder: TextEncoder, progress: bool | None
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.intp], npt.NDArray[np.float32], npt.NDArray[np.intp]]:
    """Vectors of the distinct JDs and which of them each pair has, and the same for résumé texts."""
    jd_codes, jds = _distinct(pairs, "jd", clean_texts)
    resume_codes, resumes = _distinct(pairs, "resume", clean_texts)
    documents = whole_vectors(encoder.encode_documents, jds, encoder, progress=progress)
    queries = whole_vectors(encoder.encode_queries, resumes, encoder, progress=progress)
    return documents, jd_codes, queries, resume_codes


def _distinct(
    pairs: pd.DataFrame, column: str, cleaning: Callable[[list[str]], list[str]] | None = None
) -> tuple[npt.NDArray[np.intp], list[str]]:
    require_columns(pairs, [column], _("The pairs"))
    texts = pairs[column].tolist()
    if wrong := [place for place, text in enumerate(texts) if not isinstance(text, str)]:
        raise InputError(
            _("Column {column} has values that are not text in {rows} (counted from 0).").format(
                column=column, rows=places(wrong)
            )
        )
    if cleaning is not None:
        texts = cleaning(texts)
    if blank := [place for place, text in enumerate(texts) if not text.strip()]:
        raise InputError(
            _(
                "Column {column} has blank texts, which have no score, in {rows} (counted from 0); leave "
                "those pairs out."
            ).format(column=column, rows=places(blank))
        )
    first: dict[str, int] = {}
    codes = np.fromiter((first.setdefault(text, len(first)) for text in texts), np.intp, len(texts))
    return codes, list(first)


def _named(scored_by: TextEncoder | PairScorer, encoder: TextEncoder | None) -> dict[str, Any]:
    more = {key: getattr(encoder, key, None) for key in ("instruction", "dimension", "recipe")}
    recipe = more.pop("recipe")
    return {
        "name": scored_by.name,
        "fingerprint": scored_by.fingerprint,
        **more,
        "recipe": None if recipe is None else dict(recipe),
    }
