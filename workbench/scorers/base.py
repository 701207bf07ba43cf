"""What every scorer is: JDs and résumés in, one score for each pair out, under a name and a fingerprint."""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from workbench.errors import InputError
from workbench.i18n import gettext as _
from workbench.results import Result
from workbench.scorers.drift import Drift, State
from workbench.text_encoder import TextEncoder

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Scores(Result):
    """The score of each JD with each résumé.

    Attributes
    ----------
    matrix : ndarray of float64, shape (n_jds, n_resumes)
    scorer, fingerprint : str
        What made them; a cutoff card is for one fingerprint.
    how : str
        What was done with these documents, in a sentence.
    stages : mapping of str to ndarray
        Scores of earlier stages or of parts of the mixture, of the same shape; NaN where a stage had none.
    drift : tuple of Drift
        In what these texts differ from those that the scorer was fitted on; see
        :mod:`workbench.scorers.drift`.
    """

    matrix: FloatArray
    scorer: str
    fingerprint: str
    how: str
    stages: Mapping[str, FloatArray] = field(default_factory=dict)
    drift: tuple[Drift, ...] = ()


class Scorer(ABC):
    """Turns a JD and a résumé into one score.

    A scorer that uses what a collection has in common (its means, how common a word is) freezes that in
    :meth:`fit`; what it froze, its :meth:`state`, is part of its fingerprint, and a cutoff card carries it.

    Attributes
    ----------
    encoder : Encoder
        What the evidence is found with.
    """

    encoder: TextEncoder

    @property
    @abstractmethod
    def name(self) -> str:
        """Short name for people."""

    @property
    @abstractmethod
    def fingerprint(self) -> str:
        """Short hash of all that changes a score."""

    @property
    def is_fitted(self) -> bool:
        """Whether there is nothing left to freeze, so that scores do not depend on what else is scored."""
        return True

    def fit(self, jds: Sequence[str], resumes: Sequence[str], *, progress: bool | None = None) -> Scorer:
        """The scorer with what it needs of these documents frozen; itself, where it needs nothing."""
        return self

    def state(self) -> State:
        """What :meth:`fit` froze, as arrays by name; empty where there is nothing.

        It holds as little of people's texts as will do, since it goes with a cutoff card.
        """
        return {}

    def with_state(self, state: State) -> Scorer:
        """The scorer with what another one of its kind froze.

        Raises
        ------
        InputError
            If it is not a state of such a scorer.
        """
        if state:
            raise InputError(
                _("{name} freezes nothing, so that this is the state of another scorer.").format(
                    name=self.name
                )
            )
        return self

    def score(self, jds: Sequence[str], resumes: Sequence[str], *, progress: bool | None = None) -> Scores:
        """Score every JD with every résumé.

        Parameters
        ----------
        jds, resumes : sequence of str
            Whole texts or lines; not blank.
        progress : bool, optional
            Show a bar; by default for long tasks.

        Raises
        ------
        InputError
            If there is no JD or no résumé, or one is blank (with its position).
        """
        check_sides(jds, resumes)
        return self._score(jds, resumes, progress)

    def score_pairs(
        self,
        jds: Sequence[str],
        resumes: Sequence[str],
        rows: npt.NDArray[np.intp],
        columns: npt.NDArray[np.intp],
        *,
        progress: bool | None = None,
    ) -> FloatArray:
        """Score some pairs only.

        Parameters
        ----------
        jds, resumes, progress
            As of :meth:`score`.
        rows, columns : ndarray of intp, shape (n,)
            Of each pair, which JD and which résumé.

        Returns
        -------
        ndarray of float64, shape (n,)
        """
        return self.score(jds, resumes, progress=progress).matrix[rows, columns]

    @abstractmethod
    def _score(self, jds: Sequence[str], resumes: Sequence[str], progress: bool | None) -> Scores: ...

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name} [{self.fingerprint}]>"


def check_sides(jds: Sequence[str], resumes: Sequence[str]) -> None:
    """Refuse an empty side, a bare string, and blank texts, with their position."""
    for side, texts in (("jds", jds), ("resumes", resumes)):
        if isinstance(texts, str) or not len(texts):
            raise InputError(_("{side}: a list of texts is needed, with one at least.").format(side=side))
        for position, text in enumerate(texts):
            if not isinstance(text, str) or not text.strip():
                raise InputError(
                    _("{side}: text {position} is blank or no text.").format(side=side, position=position)
                )


def fingerprint_with(recipe: str, state: State) -> str:
    """Short hash of a recipe and of what was frozen."""
    digest = hashlib.sha256(recipe.encode())
    for name, array in sorted(state.items()):
        # Vectors of one text differ by rounding between machines; 0 has a sign.
        values = np.round(array.astype(np.float64), 3) + 0.0 if array.dtype.kind == "f" else array
        digest.update(f"{name} {array.shape} ".encode() + values.tobytes())
    return digest.hexdigest()[:12]
