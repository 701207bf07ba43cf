"""What the labelling panel knows, without any widget: whose turn it is, and what comes next.

A label is in the annotator's log, on disk, before the next pair is given out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from workbench.errors import InputError
from workbench.i18n import gettext as _
from workbench.i18n import listed
from workbench.pair_hashes import texts_hash
from workbench.pairs import disagreements, read_annotations, read_pairs
from workbench.pairs.annotations import AnnotationLog, Entry, check_annotator
from workbench.pairs.document_set import DocumentSet, Level, holds_documents
from workbench.pairs.resolution import ADJUDICATOR, is_adjudicator

if TYPE_CHECKING:
    from workbench.documents import Document
    from workbench.scorers import Covered

RUBRIC_FILES = ("rubric.md", "RUBRIC.md")


@dataclass(frozen=True)
class SaidBefore:
    """What another annotator said, for an adjudicator; without the name."""

    label: int
    note: str
    phrase: str = ""


@dataclass(frozen=True)
class ShownDocuments:
    """The whole documents of a pair.

    Attributes
    ----------
    jd, resume : Document
    kind : str
        ``must`` or ``nice``, where one requirement is asked about; else empty.
    nearest : tuple of Covered
        A scorer's evidence, where the annotator has asked for it.
    """

    jd: Document
    resume: Document
    kind: str = ""
    nearest: tuple[Covered, ...] = ()


@dataclass(frozen=True)
class ShownPair:
    """What is shown of a pair.

    Attributes
    ----------
    pair_id, jd, resume : str
    beside : dict
        Columns that were asked for; nothing by default, for what is known of a pair sways.
    said : tuple of SaidBefore
        The blind labels, where disagreements are adjudicated; empty otherwise.
    note, phrase : str
        Those that were taken back with a label.
    documents : ShownDocuments or None
        In a set of whole documents; `jd` is then the whole text, or the requirement that is asked about.
    """

    pair_id: str
    jd: str
    resume: str
    beside: dict[str, str]
    said: tuple[SaidBefore, ...] = ()
    note: str = ""
    phrase: str = ""
    documents: ShownDocuments | None = None


@dataclass(frozen=True)
class Progress:
    """How far an annotator is: labelled, skipped, and all that there are."""

    labelled: int
    skipped: int
    total: int


class LabellingSession:
    """One annotator's way through the pairs of a set.

    Parameters are as of :class:`~workbench.panels.labelling_panel.LabellingPanel`. Labels go to
    ``annotations/<annotator>.jsonl``; an adjudicator's name gets the prefix ``adjudicator-``, by which
    :func:`~workbench.pairs.resolve` knows it.

    Raises
    ------
    InputError
        If the set cannot be read, the name cannot be an annotator's or is an adjudicator's, or a column
        is not there.
    """

    def __init__(
        self,
        folder: str | Path,
        annotator: str,
        *,
        adjudicate: bool = False,
        grades: bool = False,
        show: Sequence[str] = (),
        level: Level = "pair",
    ) -> None:
        self.folder = Path(folder)
        self.adjudicate = adjudicate
        self.annotator = _name(annotator, adjudicate)
        self.level = level
        self.documents = DocumentSet(self.folder) if holds_documents(self.folder) else None
        self.scale = tuple(range(3 if level == "requirement" else 4 if grades or self.documents else 2))
        self.pairs = read_pairs(self.folder, labelled=False, level=level).set_index("pair_id")
        if lost := [name for name in show if name not in self.pairs.columns]:
            raise InputError(
                _("pairs.csv has no column {lost} to show; it has {columns}.").format(
                    lost=listed(map(repr, lost)), columns=listed(self.pairs.columns)
                )
            )
        self.show = tuple(show)
        annotations = read_annotations(self.folder, level=level)
        log_folder = self.documents.log_folder(level) if self.documents else self.folder
        self.log = AnnotationLog(log_folder, self.annotator)
        mine = annotations["annotator"] == self.annotator
        # Labels of mine in annotations.csv cannot be taken back here: that file is not a log.
        self._elsewhere = set(annotations.loc[mine, "pair_id"]) - set(self.log.current())
        self._said = annotations[~is_adjudicator(annotations["annotator"])]
        self.queue = self._to_adjudicate(annotations) if adjudicate else list(self.pairs.index)
        self._first: Entry | None = None
        self._skipped_again: set[str] | None = None
        # What was looked at, by pair: a label given after that is kept as such.
        self._looked: dict[str, tuple[Covered, ...]] = {}

    @property
    def rubric(self) -> str:
        """The rubric of the set as Markdown; empty if it has none."""
        paths = (self.folder / name for name in RUBRIC_FILES)
        path = next((path for path in paths if path.is_file()), None)
        return path.read_text(encoding="utf-8", errors="replace") if path else ""

    @property
    def current(self) -> ShownPair | None:
        """The pair to label now; None when all are labelled or skipped."""
        if self._first is not None:
            shown = self._shown(self._first.pair_id)
            return replace(shown, note=self._first.note, phrase=self._first.phrase)
        done = self.log.current()
        for pair_id in self.queue:
            entry = done.get(pair_id)
            if pair_id in self._elsewhere or (entry and entry.action == "label"):
                continue
            if entry and not (self._skipped_again and pair_id in self._skipped_again):
                continue
            return self._shown(pair_id)
        return None

    @property
    def progress(self) -> Progress:
        """How far it is."""
        done = {pair_id: entry.action for pair_id, entry in self.log.current().items()}
        actions = [done.get(pair_id) for pair_id in self.queue if pair_id not in self._elsewhere]
        labelled = actions.count("label") + sum(pair_id in self._elsewhere for pair_id in self.queue)
        return Progress(labelled, actions.count("skip"), len(self.queue))

    @property
    def can_undo(self) -> bool:
        """Whether there is a step of this annotator to take back."""
        return bool(self._steps())

    def look(self, encoder: str | None = None) -> None:
        """Show the phrases that an encoder finds nearest to what the JD asks for.

        What is shown sways: the label of this pair is kept as given after looking.
        """
        from workbench.encoders import load_encoder
        from workbench.scorers import cover

        pair = self.current
        if pair is None or pair.documents is None:
            return
        jd = pair.documents.jd
        if self.level == "requirement":
            jd = replace(jd, text=pair.jd)
        (found,) = cover(load_encoder(encoder), [jd], [pair.documents.resume], [(0, 0)], progress=False)
        self._looked[pair.pair_id] = found.rows if self.level == "pair" else (found.best,)

    def label(self, label: int, note: str = "", phrase: str = "") -> Entry:
        """Label the current pair; on disk when this returns.

        Raises
        ------
        InputError
            If there is no current pair, or the label is not on the scale; or if a requirement is said to be
            covered without a phrase of the résumé.
        LabelledElsewhereError
            If the same annotator has labelled in another window; nothing was saved.
        StoreError
            If the log cannot be written.
        """
        if label not in self.scale:
            raise InputError(
                _("{label} is no label; the scale is {scale}.").format(
                    label=repr(label), scale=listed(self.scale)
                )
            )
        pair = self.current
        if self.level == "requirement" and pair and label and not (phrase and phrase in pair.resume):
            raise InputError(
                _("Choose the phrase of the résumé that shows it first: click it, or mark a part of it.")
            )
        return self._append("label", label, note, phrase if label else "")

    def skip(self, note: str = "") -> Entry:
        """Leave the current pair for later; raises as :meth:`label`."""
        return self._append("skip", None, note, "")

    def undo(self) -> Entry | None:
        """Take back the last step and return to its pair; None if there is none.

        The log keeps the step and gets a line that takes it back.
        """
        steps = self._steps()
        if not steps:
            return None
        last = steps[-1]
        self.log.append("retract", last.pair_id)
        self._first = last
        return last

    def revisit_skipped(self) -> None:
        """Go through the skipped pairs once more."""
        done = self.log.current()
        self._skipped_again = {pair_id for pair_id, entry in done.items() if entry.action == "skip"}

    def _append(self, action: str, label: int | None, note: str, phrase: str) -> Entry:
        pair = self.current
        if pair is None:
            raise InputError(_("All pairs are labelled or skipped; there is none to label."))
        texts = texts_hash(pair.jd, pair.resume)
        try:
            entry = self.log.append(
                "label" if action == "label" else "skip",
                pair.pair_id,
                label=label,
                note=" ".join(note.split()),
                texts=texts,
                phrase=phrase,
                looked=self._has_looked(pair.pair_id),
            )
        finally:
            # What the log has by now, from here or another window, decides what comes next.
            self._first = None
        if self._skipped_again:
            self._skipped_again.discard(pair.pair_id)
        return entry

    def _has_looked(self, pair_id: str) -> bool:
        """Whether this annotator has seen evidence on a pair, now or before a step that was taken back."""
        earlier = any(entry.looked for entry in self.log.entries if entry.pair_id == pair_id)
        return earlier or pair_id in self._looked

    def _steps(self) -> list[Entry]:
        queue = set(self.queue)
        return [entry for entry in self.log.current().values() if entry.pair_id in queue]

    def _to_adjudicate(self, annotations: pd.DataFrame) -> list[str]:
        if annotations.empty:
            return []
        found = disagreements(annotations)
        decided = annotations.loc[is_adjudicator(annotations["annotator"]), ["pair_id", "annotator"]]
        others = set(decided.loc[decided["annotator"] != self.annotator, "pair_id"])
        return [pair_id for pair_id in found["pair_id"] if pair_id not in others]

    def _shown(self, pair_id: str) -> ShownPair:
        row = self.pairs.loc[pair_id]
        beside = {name: str(row[name]) for name in self.show}
        said = self._said[self._said["pair_id"] == pair_id].sort_values("annotator")
        phrases = said["phrase"] if "phrase" in said.columns else [""] * len(said)
        before = [
            SaidBefore(int(label), note, phrase)
            for label, note, phrase in zip(said["label"], said["note"], phrases, strict=True)
        ]
        documents = None
        if self.documents:
            documents = ShownDocuments(
                self.documents.jds[str(row["jd_id"])],
                self.documents.resumes[str(row["resume_id"])],
                str(row.get("kind", "")),
                self._looked.get(pair_id, ()),
            )
        return ShownPair(
            pair_id,
            str(row["jd"]),
            str(row["resume"]),
            beside,
            tuple(before) if self.adjudicate else (),
            documents=documents,
        )


def _name(annotator: str, adjudicate: bool) -> str:
    name = check_annotator(annotator)
    has_last_word = bool(is_adjudicator(pd.Series([name]))[0])
    if adjudicate and not has_last_word:
        return check_annotator(f"{ADJUDICATOR}-{name}")
    if has_last_word and not adjudicate:
        raise InputError(
            _(
                "{name} is an adjudicator's name, whose label is the last word; "
                "choose another, or pass adjudicate=True."
            ).format(name=repr(name))
        )
    return name
