"""The labelling panel: one pair at a time, by keys or buttons, each label on disk before the next pair shows.

Events and widgets only: what is known lives in :mod:`workbench.panels.labelling_session`, how a pair looks in
:mod:`workbench.panels.labelling_cards`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import ipywidgets as widgets

from workbench.errors import WorkbenchError
from workbench.panels.fragments import message
from workbench.panels.keys import KeyListener
from workbench.panels.labelling_cards import (
    heading,
    label_name,
    pair_html,
    progress_html,
    report_html,
    rubric_html,
)
from workbench.panels.labelling_session import LabellingSession
from workbench.panels.labelling_words import words_for
from workbench.panels.problems import in_words
from workbench.panels.stylesheet import LABELLING_STYLE
from workbench.settings import Language

__all__ = ["LabellingPanel"]

# Nobody reads a pair in so short a time: a click that comes sooner was meant for the pair before.
SECONDS_TO_READ = 0.25


class LabellingPanel:
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

    Raises
    ------
    InputError
        As :class:`~workbench.panels.labelling_session.LabellingSession`.
    """

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
        self.words = words_for(language)
        self.session = LabellingSession(folder, annotator, adjudicate=adjudicate, grades=grades, show=show)
        self.title = widgets.HTML()
        self.language = widgets.ToggleButtons(
            options=[("中文", "zh"), ("English", "en")], value=self.words.language
        )
        self.rubric = widgets.HTML()
        self.progress = widgets.IntProgress(max=max(self.session.progress.total, 1), layout={"width": "100%"})
        self.status = widgets.HTML()
        self.pair = widgets.HTML()
        self.message = widgets.HTML()
        self.note = widgets.Text(continuous_update=True)
        self.labels = {label: widgets.Button() for label in self.session.scale}
        self.skip, self.undo = widgets.Button(), widgets.Button()
        self.revisit = widgets.Button()
        self.hint = widgets.HTML().add_class("wb-quiet")
        self.keys = KeyListener([*map(str, self.session.scale), "s", "u"], self._on_key)
        self.keys.add_class("wb-keyhole")
        self._turn = 0
        self._shown_at = 0.0
        self.root = self._arrange()
        self._listen()
        self._relabel()
        self._show()

    def report(self) -> str:
        """The panel as static HTML, for reports: rubric, progress, and the pair that comes next."""
        return report_html(self.session, self.words)

    def _repr_mimebundle_(self, **options: Any) -> Any:
        return self.root._repr_mimebundle_(**options)

    def _arrange(self) -> widgets.VBox:
        if len(self.labels) == 2:
            self.labels[1].add_class("wb-yes")
            self.labels[0].add_class("wb-no")
        order = sorted(self.labels, reverse=len(self.labels) == 2)
        buttons = widgets.HBox([*(self.labels[label] for label in order), self.skip, self.undo, self.revisit])
        children = [
            widgets.HTML(LABELLING_STYLE, layout={"display": "none"}),
            widgets.HBox([self.title, self.language]).add_class("wb-head"),
            self.rubric,
            self.status,
            self.progress,
            self.pair,
            widgets.HBox([self.note]).add_class("wb-row").add_class("wb-decide"),
            buttons.add_class("wb-row").add_class("wb-decide"),
            self.hint,
            self.message,
            self.keys,
        ]
        return widgets.VBox(children).add_class("wb-panel").add_class("wb-labelling")

    def _listen(self) -> None:
        for label, button in self.labels.items():
            button.on_click(lambda _, label=label: self._decide(label))
        self.skip.on_click(lambda _: self._skip())
        self.undo.on_click(lambda _: self._undo())
        self.revisit.on_click(lambda _: self._revisit())
        self.language.observe(self._on_language, "value")

    def _on_key(self, key: str, shown: str) -> None:
        if shown != self.keys.shown:
            return
        if key == "s":
            self._skip()
        elif key == "u":
            self._undo()
        else:
            self._decide(int(key))

    def _decide(self, label: int) -> None:
        self._step(
            lambda: self.session.label(label, self.note.value),
            lambda pair: self.words.saved.format(
                pair=pair, label=label_name(label, self.session, self.words)
            ),
        )

    def _skip(self) -> None:
        self._step(
            lambda: self.session.skip(self.note.value), lambda pair: self.words.skipped.format(pair=pair)
        )

    def _undo(self) -> None:
        self._step(self.session.undo, lambda pair: self.words.undone.format(pair=pair), may_be_last=True)

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
            self._show(self.words.wrong.format(message=in_words(error, self.words.language)), "problem")
        else:
            self._show(said(entry.pair_id) if entry else self.words.nothing_to_undo)

    def _on_language(self, change: Any) -> None:
        self.words = words_for(change.new)
        self._relabel()
        self._show(keep_note=True)

    def _relabel(self) -> None:
        words, session = self.words, self.session
        self.title.value = heading(session, words)
        self.rubric.value = rubric_html(session.rubric, words)
        for label, button in self.labels.items():
            button.description = label_name(label, session, words)
        self.skip.description, self.undo.description = f"S {words.skip}", f"U {words.undo}"
        self.note.description, self.note.placeholder = words.note, words.note_hint
        self.hint.value = words.keys if len(session.scale) == 2 else words.keys_grades

    def _show(self, text: str = "", kind: str = "", *, keep_note: bool = False) -> None:
        session, pair = self.session, self.session.current
        progress = session.progress
        self.progress.value = progress.labelled
        self.status.value = progress_html(session, self.words)
        self.pair.value = pair_html(session, self.words)
        if not keep_note:
            self.note.value = pair.note if pair else ""
        self.message.value = message(text, kind)
        for button in (*self.labels.values(), self.skip, self.note):
            button.disabled = pair is None
        self.undo.disabled = not session.can_undo
        self.revisit.description = self.words.revisit.format(count=progress.skipped)
        self.revisit.layout.display = None if pair is None and progress.skipped else "none"
        self._shown_at = time.monotonic()
        self._name_what_is_shown()

    def _name_what_is_shown(self) -> None:
        self._turn += 1
        self.keys.shown = str(self._turn)
