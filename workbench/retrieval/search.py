""":func:`search`: from a query and texts to ranked hits, in one line."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from workbench.cutoffs import Cutoff
from workbench.encoders.base import Encoder
from workbench.errors import CleaningWarning
from workbench.retrieval.hits import Hit, check_k, clean_query, warn_caller
from workbench.retrieval.knowledge_base import KnowledgeBase
from workbench.texts import CleaningReport, clean

__all__ = ["search"]


def search(
    query: str,
    knowledge_base: str | Sequence[str] | KnowledgeBase,
    *,
    k: int | None = None,
    encoder: Encoder | str | None = None,
    cutoff: float | Cutoff | str | Path | None = None,
) -> list[Hit]:
    """The texts of a knowledge base that are nearest to a query in meaning.

    Parameters
    ----------
    query : str
        Such as a candidate's skill text.
    knowledge_base : str, sequence of str, or KnowledgeBase
        A pasted block (one text a line) or a list is cleaned first; what cleaning drops or cuts is
        said in a :class:`~workbench.errors.CleaningWarning`.
    k : int, optional
        Hits to return, from 1 to the number of texts; by default 5, or all where there are fewer.
    encoder : Encoder or str, optional
        An encoder, or the spec of one (see :func:`workbench.load_encoder`); by default the knowledge
        base's own, or the one in the settings.
    cutoff : float, Cutoff or path, optional
        See :func:`~workbench.retrieval.cutoff_choice.resolve_cutoff`.

    Returns
    -------
    list of Hit
        Best first, with the keys ``rank``, ``text``, ``score``, ``is_match``, ``index`` (position in
        the list as given, or row in the knowledge base) and ``metadata``. Equal scores stay in the
        order of the knowledge base.

    Raises
    ------
    InputError
        If the query or the knowledge base is empty, or `k` does not fit.
    EncoderMismatchError
        If `encoder` is not the one that the knowledge base was built with, or the cutoff's.

    Examples
    --------
    >>> jds = ["熟悉 RAG 架构设计", "持护士执业证", "具备 AI Agent 开发经验"]
    >>> hits = search("开发过智能体 Agent", jds, encoder="use", cutoff=0.4, k=2)
    >>> [(hit["rank"], hit["index"]) for hit in hits]
    [(1, 2), (2, 0)]
    """
    if isinstance(knowledge_base, KnowledgeBase):
        if encoder is not None:
            knowledge_base.check_encoder(encoder)
        return knowledge_base.search(query, k=k, cutoff=cutoff)
    query = clean_query(query)
    cleaned = clean(knowledge_base)
    check_k(k, len(cleaned.texts), _dropped_note(cleaned.report))
    if cleaned.report.n_output < cleaned.report.n_input or cleaned.report.cut:
        warn_caller(f"Cleaning changed the knowledge base: {cleaned.report}.", CleaningWarning)
    whole = KnowledgeBase.from_texts(cleaned.texts, encoder)
    hits = whole.search(query, k=k, cutoff=cutoff)
    return [Hit(**{**hit, "index": cleaned.positions[hit["index"]]}) for hit in hits]


def _dropped_note(report: CleaningReport) -> str:
    dropped = report.n_input - report.n_output
    return f" ({dropped} blank or duplicate one{'s' * (dropped != 1)} dropped)" if dropped else ""
