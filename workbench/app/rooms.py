"""Pages that first ask which pairs: to label, and to find a cutoff; then they show the panel for that.

A set of the project is chosen by name. A table that somebody adds is kept under a name that only its content
gives, so that nobody else comes upon it, and who adds it again goes on where they were.
"""

from __future__ import annotations

import hashlib
from abc import abstractmethod
from collections.abc import Callable
from pathlib import Path
from typing import Any

import ipywidgets as widgets

from workbench.atomic import WorkFolder
from workbench.calibration import Study, calibrate
from workbench.encoders import Encoder
from workbench.errors import InputError
from workbench.files.exporting import csv_bytes
from workbench.html import render
from workbench.i18n import gettext as _
from workbench.pairs import read_annotations, read_pairs, score_pairs, working_copy, write_pairs
from workbench.panels.calibration_panel import CalibrationPanel
from workbench.panels.file_drop import MOST_MEGABYTES, FileDrop
from workbench.panels.labelling_panel import LabellingPanel
from workbench.panels.panel import Panel, box, of_class, row
from workbench.panels.working import WorkingPanel, WorkingWidgets
from workbench.settings import get_settings

TABLES = ".csv,.tsv,.xlsx,.jsonl"
WORK = "work"  # folder of working copies, which no version control holds


class RoomWidgets(WorkingWidgets):
    """Which pairs, one field, start, and room for the panel."""

    def __init__(self, drop: FileDrop, field: Any, relabel: Callable[[RoomWidgets], None]) -> None:
        super().__init__()
        self.drop, self.field, self._relabel = drop, field, relabel
        self.chosen = widgets.Dropdown(options=[("", "")], layout={"width": "100%", "max_width": "420px"})
        self.export = widgets.HTML()
        self.inner = of_class(widgets.VBox(), "wb-room-inner", "wb-arrives")
        asked = [self.chosen, self.field, self.start, self.stop, self.export]
        self.root = self.arranged(
            [
                of_class(box([self.drop, row(asked, "wb-toolbar")]), "wb-toolbar"),
                self.progress,
                self.message,
                self.inner,
            ]
        )
        self.relabel()

    def relabel(self) -> None:
        """Put all fixed texts in the language now."""
        sets = [(folder.name, str(folder)) for folder in _sets()]
        before = self.chosen.value
        self.chosen.options = [(_("the table that was added"), ""), *sets]
        self.chosen.value = before
        self.chosen.description = _("Pairs")
        self.stop.description = _("Stop")
        self._relabel(self)


class Room(WorkingPanel):
    """Asks which pairs, works on them, and shows a panel.

    Attributes
    ----------
    panel : Panel or None
        What is shown, once there is something.
    """

    widgets: RoomWidgets

    def __init__(self, field: Any) -> None:
        super().__init__(None)
        self.panel: Panel | None = None
        with self.speaking():
            self.widgets = RoomWidgets(FileDrop(self._added, TABLES, folders=False), field, self.named)
            self.hear_work()
            self.hear_language()
            self.relabelled()

    @abstractmethod
    def named(self, widgets: RoomWidgets) -> None:
        """Put title, field and button in the language now."""

    @abstractmethod
    def exported(self) -> str:
        """HTML of a link to what the panel has made; empty before that."""

    def relabelled(self) -> None:
        """Show everything anew, in the language now."""
        w = self.widgets
        self.show_busy()
        w.inner.children = [] if self.panel is None else [self.panel.widgets.root]
        if self.panel is not None:
            self.panel.widgets.language.value = self.language
        w.export.value = self.exported()

    def source(self) -> Path:
        """The table or the set that is chosen.

        Raises
        ------
        InputError
            If there is none.
        """
        if self.widgets.chosen.value:
            return Path(self.widgets.chosen.value)
        files = self.widgets.drop.files
        if not files:
            raise InputError(_("There are no pairs yet: add a table, or choose a set."))
        return self.widgets.drop.folder / str(files[-1][0])

    def _added(self, refused: str) -> None:
        with self.speaking():
            if not refused:
                self.widgets.chosen.value = ""
            self.say(refused, "problem")


class LabelRoom(Room):
    """Label pairs, each label on disk at once; labels can be taken along as a table."""

    def __init__(self) -> None:
        # Sent as a whole when it is left, so that no letter of it comes after the click that begins.
        super().__init__(widgets.Text(continuous_update=False, layout={"width": "240px"}))

    def named(self, widgets: RoomWidgets) -> None:
        """Put title, field and button in the language now."""
        widgets.head(_("Label"), _("Say of pairs whether they match; cutoffs are measured on such labels"))
        widgets.drop.relabel(
            _("Pairs to label: drop a table here"),
            _("Columns jd and resume; at most {megabytes} MB a file").format(megabytes=MOST_MEGABYTES),
        )
        widgets.field.description, widgets.field.placeholder = _("Your name"), _("letters and digits")
        widgets.start.description = _("Label")

    def act(self) -> Callable[[], object]:
        """Open the pairs under the name that is given."""
        source, name = self.source(), self.widgets.field.value.strip()

        def open_pairs() -> None:
            if not name:
                raise InputError(_("Type your name: labels are kept by who gave them."))
            folder = _own_set(source) if source.is_file() else working_copy(source, _work() / source.name)
            self.panel = LabellingPanel(folder, name, language=self.language)
            self.panel.widgets.status.observe(lambda change: self._export(), "value")

        return open_pairs

    def exported(self) -> str:
        """The labels so far, as a table."""
        if not isinstance(self.panel, LabellingPanel):
            return ""
        session = self.panel.session
        mine = read_annotations(session.folder, level=session.level)
        mine = mine[mine["annotator"] == session.annotator]
        table = mine.merge(session.pairs.reset_index()[["pair_id", "jd", "resume"]], on="pair_id", how="left")
        files = {"labels.csv": csv_bytes(table)} if len(table) else {}
        return str(render("panels/downloads.html", files=files))

    def _export(self) -> None:
        with self.speaking():
            self.widgets.export.value = self.exported()


class CutoffRoom(Room):
    """Find a cutoff on labelled pairs, and take its card along."""

    def __init__(self, encoder: Encoder) -> None:
        self.encoder, self.encoder_name = encoder, encoder.name
        super().__init__(widgets.BoundedFloatText(80, min=1, max=99.9, step=1, layout={"width": "auto"}))

    def named(self, widgets: RoomWidgets) -> None:
        """Put title, field and button in the language now."""
        widgets.head(_("Cutoff"), _("From which score on may it be called a match, and how sure is that?"))
        widgets.drop.relabel(
            _("Labelled pairs: drop a table here"),
            _("Columns jd, resume and label (1 match, 0 none); at most {megabytes} MB a file").format(
                megabytes=MOST_MEGABYTES
            ),
        )
        widgets.field.description = _("Right of those above, %, at least")
        widgets.start.description = _("Calibrate")

    def act(self) -> Callable[[], object]:
        """Score the pairs and calibrate."""
        source, target = self.source(), self.widgets.field.value / 100

        def find() -> None:
            scored = score_pairs(read_pairs(source), self.encoder)
            self.work.hear(_("calibrating"))
            study = calibrate(scored, target_precision=target)
            self.panel = panel = CalibrationPanel(study, language=self.language)
            # The card is taken along instead of written to a path of the server.
            path = panel.widgets.path
            for child in panel.widgets.root.children:
                if path in getattr(child, "children", ()):
                    panel.widgets.show(child, False)

        return find

    def exported(self) -> str:
        """The card, where there is a cutoff to adopt."""
        if not isinstance(self.panel, CalibrationPanel):
            return ""
        card = _card(self.panel.session.study)
        return str(render("panels/downloads.html", files={} if card is None else {"card.json": card}))


def _sets() -> list[Path]:
    folder = get_settings().project_dir / "labeled_pairs"
    return sorted(path.parent for path in folder.glob("*/pairs.csv"))


def _work() -> Path:
    return get_settings().project_dir / "labeled_pairs" / WORK


def _own_set(table: Path) -> Path:
    """The set of a table that was added, by its content."""
    folder = _work() / hashlib.sha256(table.read_bytes()).hexdigest()[:32]
    if not (folder / "pairs.csv").is_file():
        write_pairs(folder, read_pairs(table, labelled=False))
    return folder


def _card(study: Study) -> bytes | None:
    if study.advice.cutoff is None:
        return None
    with WorkFolder() as folder:
        return study.save(Path(folder) / "card.json").read_bytes()
