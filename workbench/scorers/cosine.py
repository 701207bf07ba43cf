"""The plain scorer: cosine similarity of whole texts. What an encoder means where a scorer is expected."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from workbench.i18n import gettext as _
from workbench.scorers.base import Scorer, Scores
from workbench.text_encoder import TextEncoder, whole_vectors


class CosineScorer(Scorer):
    """Cosine similarity of a JD as a document and a résumé as a query.

    Its name and fingerprint are the encoder's, so that a card made with the encoder is valid for it.

    Parameters
    ----------
    encoder : Encoder
    """

    def __init__(self, encoder: TextEncoder) -> None:
        self.encoder = encoder

    @property
    def name(self) -> str:
        return self.encoder.name

    @property
    def fingerprint(self) -> str:
        return self.encoder.fingerprint

    def _score(self, jds: Sequence[str], resumes: Sequence[str], progress: bool | None) -> Scores:
        encoder = self.encoder
        documents = whole_vectors(encoder.encode_documents, jds, encoder, progress=progress)
        queries = whole_vectors(encoder.encode_queries, resumes, encoder, progress=progress)
        values = np.clip(documents.astype(np.float64) @ queries.T.astype(np.float64), -1.0, 1.0)
        return Scores(values, self.name, self.fingerprint, _("Cosine similarity of whole texts."))
