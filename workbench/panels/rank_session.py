"""What the rank panel knows, without any widget: documents of both sides, the last ranking and its files.

A ranking runs in a thread, so that the page goes on answering; it can be stopped between two steps.
"""

from __future__ import annotations

import re
import tempfile
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from workbench.cutoffs import Cutoff
from workbench.documents.pasted import Pasted, documents_in
from workbench.documents.reading import Documents, read_documents
from workbench.documents.splitting import Side
from workbench.errors import InputError
from workbench.files.exporting import export_frame
from workbench.i18n import gettext as _
from workbench.i18n import language
from workbench.progress import heard_by
from workbench.reports.shortlist import write_shortlist_report
from workbench.retrieval.ranking import Ranking
from workbench.scorers import Scorer
from workbench.shortcuts import rank

__all__ = ["Asked", "RankSession", "Step", "StoppedError"]

# What the field asks for between two documents.
RULE = re.compile(r"^\s*-{3,}\s*$", re.MULTILINE)
FILES = ("shortlists.xlsx", "shortlists.csv", "shortlists.html")


class StoppedError(InputError):
    """Somebody pressed stop."""


@dataclass(frozen=True)
class Asked:
    """What is to be ranked.

    Attributes
    ----------
    folders : dict of str to Path or None
        By side, of files that were added.
    pasted : dict of str to str
        By side.
    conditions : tuple of str
    top : int
    """

    folders: dict[Side, Path | None]
    pasted: dict[Side, str]
    conditions: tuple[str, ...] = ()
    top: int = 10

    def documents(self, side: Side) -> Documents:
        """Those of one side, files first.

        Raises
        ------
        InputError
            If there is none.
        """
        folder, text = self.folders[side], self.pasted[side].strip()
        read = read_documents(folder, side=side) if folder else Documents([])
        how: Pasted | None = "blocks" if RULE.search(text) else None
        pasted = documents_in(text, how, side=side) if text else []
        if not read and not pasted:
            raise InputError(
                _("There is no JD: paste one, or add files.")
                if side == "jd"
                else _("There is no résumé: paste one, or add files.")
            )
        return Documents([*read, *pasted], read.unread)


@dataclass(frozen=True)
class Step:
    """What is being done, and how much of it."""

    what: str = ""
    done: int = 0
    total: int = 0


class RankSession:
    """Ranks with one scorer, and remembers the last ranking.

    Parameters
    ----------
    scorer : Scorer
    cutoff : Cutoff, optional
        Calibrated for it.

    Attributes
    ----------
    found : Ranking or None
    files : dict of str to bytes
        The last ranking as a workbook, a table and a page.
    step : Step
        Where the ranking in progress is.
    """

    def __init__(self, scorer: Scorer, cutoff: Cutoff | None = None) -> None:
        self.scorer, self.cutoff = scorer, cutoff
        self.found: Ranking | None = None
        self.files: dict[str, bytes] = {}
        self.step = Step()
        self._stop = threading.Event()

    def rank(self, asked: Asked, spoken: str) -> Ranking:
        """Rank, and write the files, in a language; what was found before stays if this fails.

        Raises
        ------
        StoppedError
            If :meth:`stop` was called.
        InputError
            If there is nothing to rank, or a must-have is none.
        """
        self._stop.clear()
        self.step = Step()
        with language(spoken), heard_by(self._hear):
            sides = [asked.documents(side) for side in ("jd", "resume")]
            found = rank(
                *sides,
                scorer=self.scorer,
                cutoff=self.cutoff,
                top=asked.top,
                conditions=asked.conditions,
            )
            self._hear(_("writing"), 0, 0)
            files = _written(found)
        self.found, self.files = found, files
        return found

    def stop(self) -> None:
        """End the ranking in progress at its next step."""
        self._stop.set()

    def _hear(self, what: str, done: int, total: int) -> None:
        if self._stop.is_set():
            raise StoppedError(_("Stopped. What was encoded is kept for the next time."))
        self.step = Step(what, done, total)


def _written(found: Ranking, names: Sequence[str] = FILES) -> dict[str, bytes]:
    with tempfile.TemporaryDirectory() as folder:
        paths = [Path(folder) / name for name in names]
        found.to_excel(paths[0])
        export_frame(found.to_frame(), paths[1])
        write_shortlist_report(found, paths[2])
        return {path.name: path.read_bytes() for path in paths}
