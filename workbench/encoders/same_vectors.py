"""Do two encoders give the same vectors, as a server and the model that it says it serves should?

Pooling, an end token and the instruction of queries differ silently: all vectors look well, and scores move.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from workbench.cutoffs import Cutoff
from workbench.encoders.base import Encoder
from workbench.errors import InputError
from workbench.i18n import gettext as _
from workbench.i18n import ngettext, number
from workbench.results import Result

# Below this cosine two vectors of a text are more than rounding apart: half precision keeps to it.
SAME = 0.9999
QUANTILES = (0.0, 0.01, 0.05, 0.5)


@dataclass(frozen=True)
class VectorComparison(Result):
    """How near the vectors of the same texts are.

    Attributes
    ----------
    first, second : str
        Names of the encoders.
    fingerprints : tuple of str
    documents, queries : tuple of float
        Cosines of the two vectors of a text, as JD and as résumé: the least, the quantiles of 1 % and 5 %,
        and the median. NaN where the numbers of dimensions differ, so that vectors cannot be compared.
    n_pairs : int
        Pairs whose scores were compared.
    score_difference : float
        Largest difference of a pair's two scores.
    cutoff : float
    flipped : int
        Pairs that are a match by one and none by the other.
    """

    first: str
    second: str
    fingerprints: tuple[str, str]
    documents: tuple[float, ...]
    queries: tuple[float, ...]
    n_pairs: int
    score_difference: float
    cutoff: float
    flipped: int

    @property
    def kind(self) -> Literal["same", "instruction", "rounding", "other", "dimension"]:
        """What the difference looks like."""
        if np.isnan(self.documents[0]):
            return "dimension"
        documents, queries = self.documents[0] >= SAME, self.queries[0] >= SAME
        if documents and queries:
            return "same"
        if documents:
            return "instruction"
        return "rounding" if min(self.documents[0], self.queries[0]) >= 0.99 else "other"

    @property
    def is_same(self) -> bool:
        """Whether a cutoff of one is good for the other: same vectors, and no decision flipped."""
        return self.kind == "same" and not self.flipped

    def sentences(self) -> list[str]:
        """What was found, and what it means."""
        names = {"first": self.first, "second": self.second}
        said = {
            "same": _("{first} and {second} give the same vectors, but for rounding."),
            "instruction": _(
                "{first} and {second} give the same vectors of JDs and others of résumés: the instruction of "
                "queries differs."
            ),
            "rounding": _(
                "{first} and {second} give vectors a little apart: another precision, or texts cut at "
                "another length."
            ),
            "other": _(
                "{first} and {second} give different vectors: another model or revision, another pooling, or "
                "another end token."
            ),
            "dimension": _("{first} and {second} give vectors of different lengths: another model."),
        }[self.kind].format(**names)
        found = [said]
        if self.kind != "dimension":
            least = _(
                "Cosine of a text's two vectors: of JDs {jd} at least, median {jd_median}; of résumés {cv} "
                "at least, median {cv_median}."
            )
            found.append(
                least.format(
                    jd=number(self.documents[0], 5),
                    jd_median=number(self.documents[-1], 5),
                    cv=number(self.queries[0], 5),
                    cv_median=number(self.queries[-1], 5),
                )
            )
        found.append(
            ngettext(
                "At the cutoff {cutoff}, {n} of {total} pairs is decided otherwise; scores differ by "
                "{difference} at most.",
                "At the cutoff {cutoff}, {n} of {total} pairs are decided otherwise; scores differ by "
                "{difference} at most.",
                self.flipped,
            ).format(
                cutoff=number(self.cutoff),
                n=self.flipped,
                total=self.n_pairs,
                difference=number(self.score_difference),
            )
        )
        return found

    def summary(self) -> str:
        """All of it."""
        return "\n".join(self.sentences())


def compare_vectors(
    first: Encoder,
    second: Encoder,
    jds: Sequence[str],
    resumes: Sequence[str],
    *,
    cutoff: float | Cutoff,
    progress: bool | None = None,
) -> VectorComparison:
    """Compare two encoders on pairs of texts.

    Parameters
    ----------
    first, second : Encoder
    jds, resumes : sequence of str, of equal length
        A pair each.
    cutoff : float or Cutoff
        Above which a pair is a match.

    Raises
    ------
    InputError
        If there are no pairs, or not as many JDs as résumés.

    Examples
    --------
    >>> from workbench.encoders import load_encoder
    >>> use = load_encoder("use", store=False)
    >>> compare_vectors(use, use, ["ICU nurse"], ["ward nurse"], cutoff=0.4).is_same
    True
    """
    if not len(jds) or len(jds) != len(resumes):
        raise InputError(
            _("There are {jds} JDs and {resumes} résumés; pairs are needed.").format(
                jds=len(jds), resumes=len(resumes)
            )
        )
    documents = [each.encode_documents(jds, progress=progress) for each in (first, second)]
    queries = [each.encode_queries(resumes, progress=progress) for each in (first, second)]
    scores = [_cosines(jd, cv) for jd, cv in zip(documents, queries, strict=True)]
    decided = [each > float(cutoff) for each in scores]
    return VectorComparison(
        first.name,
        second.name,
        (first.fingerprint, second.fingerprint),
        _spread(*documents),
        _spread(*queries),
        len(jds),
        float(abs(scores[0] - scores[1]).max()),
        float(cutoff),
        int((decided[0] != decided[1]).sum()),
    )


def _cosines(left: npt.NDArray[np.float32], right: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
    return np.asarray(np.einsum("ij,ij->i", left, right, dtype=np.float64))


def _spread(left: npt.NDArray[np.float32], right: npt.NDArray[np.float32]) -> tuple[float, ...]:
    if left.shape != right.shape:
        return (float("nan"),) * len(QUANTILES)
    return tuple(np.quantile(np.clip(_cosines(left, right), -1, 1), QUANTILES).tolist())
