"""What the rank panel knows, without any widget: documents of both sides, the last ranking and its files."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from workbench.atomic import WorkFolder
from workbench.cutoffs import Cutoff
from workbench.documents.pasted import Pasted, documents_in
from workbench.documents.reading import Documents, read_documents
from workbench.documents.splitting import Side
from workbench.errors import InputError
from workbench.files.exporting import export_frame
from workbench.i18n import gettext as _
from workbench.reports.shortlist import write_shortlist_report
from workbench.retrieval.ranking import Ranking
from workbench.scorers import Scorer
from workbench.shortcuts import rank

# What the field asks for between two documents.
RULE = re.compile(r"^\s*-{3,}\s*$", re.MULTILINE)
FILES = ("shortlists.xlsx", "shortlists.csv", "shortlists.html")


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
    """

    def __init__(self, scorer: Scorer, cutoff: Cutoff | None = None) -> None:
        self.scorer, self.cutoff = scorer, cutoff
        self.found: Ranking | None = None
        self.files: dict[str, bytes] = {}

    def rank(self, asked: Asked, writing: Callable[[str], object] | None = None) -> Ranking:
        """Rank, and write the files; what was found before stays if this fails.

        Raises
        ------
        InputError
            If there is nothing to rank, or a must-have is none.
        """
        sides = [asked.documents(side) for side in ("jd", "resume")]
        scorer, cutoff = self.scorer, self.cutoff
        found = rank(*sides, scorer=scorer, cutoff=cutoff, top=asked.top, conditions=asked.conditions)
        if writing is not None:
            writing(_("writing"))
        files = _written(found)
        self.found, self.files = found, files
        return found


def _written(found: Ranking, names: Sequence[str] = FILES) -> dict[str, bytes]:
    with WorkFolder() as folder:
        paths = [Path(folder) / name for name in names]
        found.to_excel(paths[0])
        export_frame(found.to_frame(), paths[1])
        write_shortlist_report(found, paths[2])
        return {path.name: path.read_bytes() for path in paths}
