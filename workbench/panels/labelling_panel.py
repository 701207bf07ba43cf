"""The labelling panel: one pair at a time, by keys or buttons, each label on disk before the next pair shows.

Widgets and events only: what is known lives in :mod:`workbench.panels.labelling_session`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import ipywidgets as widgets

from workbench.errors import WorkbenchError
from workbench.html import render
from workbench.i18n import Language
from workbench.i18n import gettext as _
from workbench.panels.labelling_session import LabellingSession
from workbench.panels.panel import KeyListener, Panel, PanelWidgets, of_class, row

__all__ = ["LabellingPanel", "LabellingWidgets"]

# Nobody reads a pair in so short a time: a click that comes sooner was meant for the pair before.
SECONDS_TO_READ = 0.25


class LabellingWidgets(PanelWidgets):
    """The widgets of the labelling panel."""

    def __init__(self, session: LabellingSession, on_key: Callable[[str, str], None]) -> None:
        super().__init__()
        self._session = session
        scale = session.scale
        self.rubric, self.status, self.pair = (widgets.HTML() for _ in range(3))
        self.progress = widgets.IntProgress(max=max(session.progress.total, 1), layout={"width": "100%"})
        self.note = widgets.Text(continuous_update=True)
        self.labels = {label: widgets.Button() for label in scale}
        self.skip, self.undo, self.revisit = (widgets.Button() for _ in range(3))
        self.hint = of_class(widgets.HTML(), "wb-quiet")
        self.keys = of_class(KeyListener([*map(str, scale), "s", "u"], on_key), "wb-keyhole")
        if len(scale) == 2:
            self.labels[1].add_class("wb-yes")
            self.labels[0].add_class("wb-no")
        order = sorted(self.labels, reverse=len(scale) == 2)
        buttons = [*(self.labels[label] for label in order), self.skip, self.undo, self.revisit]
        self.root = self.arranged(
            [
                self.rubric,
                self.status,
                self.progress,
                self.pair,
                row([self.note], "wb-decide"),
                row(buttons, "wb-decide"),
                self.hint,
                self.message,
                self.keys,
            ],
            "wb-labelling",
        )
        self.relabel()

    def relabel(self) -> None:
        """Put all fixed texts in the language now."""
        self.head(
            _("Adjudication: two annotators differ")
            if self._session.adjudicate
            else _("Labelling: does this résumé text meet this requirement?"),
            _("Reading only these two texts, would you put the candidate on the list of people to talk to?"),
        )
        self.rubric.value = rubric_html(self._session.rubric)
        for label, button in self.labels.items():
            button.description = label_name(label, self._session)
        self.skip.description, self.undo.description = "S " + _("Skip"), "U " + _("Undo")
        self.note.description, self.note.placeholder = _("Note"), _("What made it hard? (optional)")
        self.hint.value = (
            _("Keys: 1 match, 0 no match, S skip, U undo; Esc or Enter leaves the note")
            if len(self.labels) == 2
            else _("Keys: 0–3 grade, S skip, U undo; Esc or Enter leaves the note")
        )


class LabellingPanel(Panel):
    """A labelling panel for a notebook; the last expression of a cell shows it.

    Parameters
    ----------
    folder : str or Path
        The set: ``pairs.csv``, and ``rubric.md`` with the rules.
    annotator : str
        Who labels. Each annotator writes to a file of their own, so several can work on one set.
    adjudicate : bool
        Go through the disagreements of others, with their labels and notes.
    grades : bool
        Labels are grades from 0 to 3.
    show : sequence of str
        Columns of ``pairs.csv`` to show beside the texts. Nothing by default: scores, groups and other
        people's labels sway whoever sees them.
    language : {"zh", "en"}, optional
        By default that of the settings; can be changed in the panel.

    Attributes
    ----------
    session : LabellingSession
        What the panel knows; works without a front end.
    widgets : LabellingWidgets
        The widgets by name.

    Raises
    ------
    InputError
        As :class:`~workbench.panels.labelling_session.LabellingSession`.
    """

    widgets: LabellingWidgets

    def __init__(
        self,
        folder: str | Path,
        annotator: str,
        *,
        adjudicate: bool = False,
        grades: bool = False,
        show: Sequence[str] = (),
        language: Language | None = None,
    ) -> None:
        super().__init__(language)
        self._turn = 0
        self._shown_at = 0.0
        with self.speaking():
            self.session = LabellingSession(
                folder, annotator, adjudicate=adjudicate, grades=grades, show=show
            )
            self.widgets = LabellingWidgets(self.session, self._on_key)
            self._listen()
            self._show()

    def report(self) -> str:
        """The panel as static HTML, for reports: rubric, progress, and the pair that comes next."""
        w = self.widgets
        parts = [each.value for each in (w.title, w.rubric, w.status, w.pair)]
        with self.speaking():
            return str(render("panels/report.html", kind="wb-labelling", parts=parts))

    def sentence(self, error: Exception) -> str:
        """An error as a sentence for the user."""
        return _("Not saved: {message}").format(message=super().sentence(error))

    def __repr__(self) -> str:
        progress = self.session.progress
        return f"<LabellingPanel: {progress.labelled} of {progress.total} labelled>"

    def _listen(self) -> None:
        w = self.widgets
        for label, button in w.labels.items():
            self.hear(button, partial(self._decide, label))
        self.hear(w.skip, lambda change: self._skip())
        self.hear(w.undo, lambda change: self._undo())
        self.hear(w.revisit, lambda change: self._revisit())
        self.hear_language()

    def _on_key(self, key: str, shown: str) -> None:
        if shown != self.widgets.keys.shown:
            return
        with self.speaking():
            if key == "s":
                self._skip()
            elif key == "u":
                self._undo()
            else:
                self._decide(int(key))

    def _decide(self, label: int, _click: object = None) -> None:
        self._step(
            lambda: self.session.label(label, self.widgets.note.value),
            lambda pair: _("Saved: {pair} → {label}").format(
                pair=pair, label=label_name(label, self.session)
            ),
        )

    def _skip(self) -> None:
        self._step(
            lambda: self.session.skip(self.widgets.note.value),
            lambda pair: _("Skipped: {pair}").format(pair=pair),
        )

    def _undo(self) -> None:
        self._step(
            self.session.undo,
            lambda pair: _("Taken back: {pair}; label it again").format(pair=pair),
            may_be_last=True,
        )

    def _revisit(self) -> None:
        self.session.revisit_skipped()
        self._show()

    def _step(self, act: Callable[[], Any], said: Callable[[str], str], *, may_be_last: bool = False) -> None:
        """Do one thing to the pair that is shown, say so, and show what comes next."""
        if time.monotonic() - self._shown_at < SECONDS_TO_READ or (
            self.session.current is None and not may_be_last
        ):
            # The same pair, by a new name: keys are let through again.
            self._name_what_is_shown()
            return
        try:
            entry = act()
        except WorkbenchError as error:
            self._show(self.sentence(error), "problem")
        else:
            self._show(said(entry.pair_id) if entry else _("There is no step to take back."))

    def relabelled(self) -> None:
        """Show everything anew, in the language now."""
        self._show(keep_note=True)

    def _show(self, text: str = "", kind: str = "", *, keep_note: bool = False) -> None:
        w, session, pair, progress = self.widgets, self.session, self.session.current, self.session.progress
        w.progress.value = progress.labelled
        w.status.value = render("panels/labelling_progress.html", session=session, progress=progress)
        w.pair.value = render(
            "panels/labelling_pair.html",
            pair=pair,
            progress=progress,
            label_name=lambda label: label_name(label, session),
        )
        if not keep_note:
            w.note.value = pair.note if pair else ""
        self.say(text, kind)
        for button in (*w.labels.values(), w.skip, w.note):
            button.disabled = pair is None
        w.undo.disabled = not session.can_undo
        w.revisit.description = _("Go through the {count} skipped").format(count=progress.skipped)
        w.show(w.revisit, pair is None and bool(progress.skipped))
        self._shown_at = time.monotonic()
        self._name_what_is_shown()

    def _name_what_is_shown(self) -> None:
        self._turn += 1
        self.widgets.keys.shown = str(self._turn)


def label_name(label: int, session: LabellingSession) -> str:
    """A label in words, with its number."""
    if len(session.scale) > 2:
        return _("Grade {grade}").format(grade=label)
    return f"{label} " + (_("Match") if label else _("No match"))


def rubric_html(markdown: str) -> str:
    """The rubric, to be unfolded."""
    import mistune

    rubric = mistune.create_markdown(escape=True, plugins=["table"])(markdown) if markdown.strip() else ""
    return render("panels/rubric.html", rubric=rubric)
