""":func:`search`: from a query and texts to ranked hits, in one line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from workbench.cutoffs import Cutoff
from workbench.documents.document import Document
from workbench.encoders.base import Encoder
from workbench.errors import CleaningWarning, InputError
from workbench.i18n import gettext as _
from workbench.i18n import listed, ngettext
from workbench.retrieval.hits import Hit, check_k, clean_query, warn_caller, warn_of_cleaning
from workbench.retrieval.knowledge_base import KnowledgeBase
from workbench.retrieval.records import Record
from workbench.texts import CleaningReport, clean

# No file system has longer names; asking it about one would be an error.
LONGEST_PATH = 255


def search(
    query: str | Document,
    knowledge_base: str | Path | Sequence[str | Document] | KnowledgeBase,
    *,
    k: int | None = None,
    encoder: Encoder | str | None = None,
    cutoff: float | Cutoff | str | Path | None = None,
    where: Mapping[str, Any] | None = None,
    prevalence: float | None = None,
    exact: bool | None = None,
    progress: bool | None = None,
) -> list[Hit]:
    """The texts of a knowledge base that are nearest to a query in meaning.

    Parameters
    ----------
    query : str or Document
        Such as a candidate's skill text, or a whole résumé.
    knowledge_base : str, Path, sequence of str or Document, or KnowledgeBase
        The path of a folder, a file, a table or a zip is read as by :func:`workbench.read_documents`. Texts
        are a pasted block (one a line) or a list, whose items may be whole documents. They are cleaned first;
        what cleaning drops, and what cannot be read, is said in a
        :class:`~workbench.errors.CleaningWarning`.
    k : int, optional
        Hits to return, from 1 to the number of texts; by default 5, or all where there are fewer.
    encoder : Encoder or str, optional
        An encoder, or the spec of one (see :func:`workbench.load_encoder`); by default the knowledge
        base's own, or the one in the settings.
    cutoff : float, Cutoff or path, optional
        By default the encoder's card: yours in ``labeled_pairs/cutoffs``, else the one that the workbench
        brings for it. See :func:`~workbench.retrieval.resolve_cutoff`.
    where : mapping, optional
        Only texts whose metadata has all these values, such as ``{"city": "上海"}``; there may be fewer than
        `k` of them.
    prevalence : float, optional
        Share of matches among the pairs that are searched, for which probabilities shall be told; by
        default the one that the card is for, mostly that of its labelled pairs, which is too high for most.
    exact : bool, optional
        Whether the query must be compared with every text of a knowledge base. By default large ones
        use an index (:meth:`KnowledgeBase.build_index`), or as they were opened. A list is always
        searched exactly.
    progress : bool, optional
        Show a progress bar; by default for long tasks.

    Returns
    -------
    list of Hit
        Best first, with the keys ``rank``, ``text``, ``score``, ``is_match``, ``index`` (position in
        the list as given, or row in the knowledge base), ``metadata`` and ``phrase``, the part of a whole
        document that carries the hit, and where it stands; with the card of a cutoff
        that has probabilities, ``probability``, too. Equal scores stay in the order of the knowledge
        base.

    Raises
    ------
    InputError
        If the query or the knowledge base is empty, `k` does not fit, or a table is given.
    EncoderMismatchError
        If `encoder` is not the one that the knowledge base was built with, or the cutoff's.

    Examples
    --------
    >>> jds = ["熟悉 RAG 架构设计", "持护士执业证", "具备 AI Agent 开发经验"]
    >>> hits = search("开发过智能体 Agent", jds, encoder="use", cutoff=0.4, k=2)
    >>> [(hit["rank"], hit["index"]) for hit in hits]
    [(1, 2), (2, 0)]
    """
    query = query.text if isinstance(query, Document) else query
    if isinstance(knowledge_base, KnowledgeBase):
        if encoder is not None:
            knowledge_base.check_encoder(encoder)
        return knowledge_base.search(
            query, k=k, cutoff=cutoff, where=where, prevalence=prevalence, exact=exact, progress=progress
        )
    query = clean_query(query)
    texts, records = _texts_of(knowledge_base)
    cleaned = clean(texts)
    check_k(k, len(cleaned.texts), _dropped_note(cleaned.report))
    warn_of_cleaning(cleaned.report)
    # An index would be built for this one query.
    metadata = [records[position] for position in cleaned.positions] if records else None
    whole = KnowledgeBase.from_texts(cleaned.texts, encoder, metadata, exact=True, progress=progress)
    hits = whole.search(query, k=k, cutoff=cutoff, where=where, prevalence=prevalence, progress=progress)
    return [Hit(**{**hit, "index": cleaned.positions[hit["index"]]}) for hit in hits]


def _texts_of(knowledge_base: Any) -> tuple[str | Sequence[str], list[Record]]:
    """The texts, and a record of metadata for each where there are any."""
    if isinstance(knowledge_base, Path) or is_path(knowledge_base):
        from workbench.retrieval.readers import read_files

        read = read_files(knowledge_base)
        for each in read.unread:
            warn_caller(each.summary(), CleaningWarning)
        return read.texts, read.records
    if hasattr(knowledge_base, "columns"):
        names = listed(map(repr, list(knowledge_base.columns)[:12]))
        raise InputError(
            _("The knowledge base is a table; pass the column of its texts, one of {names}.").format(
                names=names
            )
        )
    if isinstance(knowledge_base, str) or not any(isinstance(each, Document) for each in knowledge_base):
        return knowledge_base, []
    documents = [each if isinstance(each, Document) else Document("", each) for each in knowledge_base]
    return [each.text for each in documents], [dict(each.source) for each in documents]


def is_path(given: Any) -> bool:
    """Whether a string is the path of something that is there."""
    return (
        isinstance(given, str)
        and 0 < len(given.strip()) < LONGEST_PATH
        and "\n" not in given
        and "\0" not in given
        and Path(given).expanduser().exists()
    )


def _dropped_note(report: CleaningReport) -> str:
    dropped = report.n_input - report.n_output
    if not dropped:
        return ""
    return ngettext(
        " ({n} blank or duplicate one dropped)", " ({n} blank or duplicate ones dropped)", dropped
    ).format(n=dropped)
