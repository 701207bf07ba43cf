"""What rerankers have scored, in one SQLite file, so that no pair is read twice and a stopped run goes on."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from workbench.atomic import private_folder
from workbench.encoders.database import Database, Trouble
from workbench.encoders.lookup import chunks, text_key
from workbench.errors import StoreError
from workbench.i18n import gettext as _
from workbench.scorers.base import FloatArray


class _ScoreFile(Database):
    application_id = 0x77625272  # "wbRr"
    version = 1
    schema = """
    CREATE TABLE score (reranker TEXT NOT NULL, jd_sha256 BLOB NOT NULL, resume_sha256 BLOB NOT NULL,
                        score REAL NOT NULL, in_windows INTEGER NOT NULL,
                        PRIMARY KEY (reranker, jd_sha256, resume_sha256)) WITHOUT ROWID
    """
    format = ("journal_mode = WAL",)

    def sentence(self, trouble: Trouble, reason: str) -> str:
        return _(
            "The rerankers' scores in {path} cannot be used ({reason}); move the file away, and a new one is "
            "made."
        ).format(path=self.path, reason=reason)


class RerankStore:
    """Scores by the reranker's fingerprint and the hashes of both texts; the texts are not kept.

    Where the file cannot be used, a warning says so once, and all is scored anew.

    Parameters
    ----------
    path : Path
        Made, with its folder, if it is not there.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file: _ScoreFile | None = None
        try:
            private_folder(path.parent)
            self._file = _ScoreFile(path, timeout=30.0)
        except (StoreError, OSError) as error:
            self._give_up(error)

    def get(
        self, fingerprint: str, jd: str, resumes: Sequence[str]
    ) -> tuple[FloatArray, npt.NDArray[np.bool_]]:
        """The score of each résumé with a JD, NaN where there is none yet, and which were read in windows."""
        scores, in_windows = np.full(len(resumes), np.nan), np.zeros(len(resumes), dtype=bool)
        places = {text_key(resume): place for place, resume in enumerate(resumes)}
        try:
            if self._file:
                with self._file.reading() as connection:
                    for chunk, holders in chunks(places):
                        rows = connection.execute(
                            "SELECT resume_sha256, score, in_windows FROM score WHERE resume_sha256 IN "
                            f"{holders} AND reranker = ? AND jd_sha256 = ?",
                            (*chunk, fingerprint, text_key(jd)),
                        )
                        for key, score, windows in rows:
                            scores[places[key]], in_windows[places[key]] = score, windows
        except StoreError as error:
            self._give_up(error)
        return scores, in_windows

    def put(
        self,
        fingerprint: str,
        jd: str,
        resumes: Sequence[str],
        scores: FloatArray,
        in_windows: npt.NDArray[np.bool_],
    ) -> None:
        """Keep scores; once this has returned, they outlast a killed process."""
        rows = zip(map(text_key, resumes), scores.tolist(), in_windows.tolist(), strict=True)
        try:
            if self._file:
                with self._file.writing() as connection:
                    connection.executemany(
                        "INSERT OR IGNORE INTO score VALUES (?, ?, ?, ?, ?)",
                        ((fingerprint, text_key(jd), *row) for row in rows),
                    )
        except StoreError as error:
            self._give_up(error)

    def forget(self, gone: Callable[[bytes], bool]) -> int:
        """Erase the scores of texts, by their keys; returns how many."""
        if not self._file:
            return 0
        with self._file.writing() as connection:
            connection.create_function("gone", 1, gone)
            removed = connection.execute(
                "DELETE FROM score WHERE gone(jd_sha256) OR gone(resume_sha256)"
            ).rowcount
        self._file.compact()
        return removed

    def _give_up(self, error: Exception) -> None:
        self._file = None
        warnings.warn(_("Reranking without keeping the scores. {reason}").format(reason=error), stacklevel=5)
