"""The labelling panel: one pair at a time, by keys or buttons, each label on disk before the next pair shows.

Widgets and events only: what is known lives in :mod:`workbench.panels.labelling_session`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import anywidget
import ipywidgets as widgets
import traitlets
from markupsafe import Markup

from workbench.documents import Document, Part
from workbench.errors import WorkbenchError
from workbench.html import render
from workbench.i18n import N_, Language
from workbench.i18n import gettext as _
from workbench.pairs.document_set import Level
from workbench.panels.labelling_session import LabellingSession, ShownPair
from workbench.panels.panel import Panel, PanelWidgets, of_class, row
from workbench.visible import visible

# Nobody reads a pair in so short a time: a click that comes sooner was meant for the pair before.
SECONDS_TO_READ = 0.25
# What the rubric of whole documents calls its ratings, and how far a requirement is covered.
RATINGS = {
    "pair": (N_("No"), N_("Weak"), N_("Phone"), N_("Invite")),
    "requirement": (N_("Not covered"), N_("Partly"), N_("Covered")),
}


class DocumentsView(anywidget.AnyWidget):  # type: ignore[misc]
    """Two whole documents, of which a phrase of the résumé can be chosen.

    Attributes
    ----------
    value : str
        The HTML.
    picks : bool
        Whether a phrase is asked for.
    phrase : str
        The one that is chosen.
    """

    _esm = Path(__file__).with_name("documents.js")
    value = traitlets.Unicode().tag(sync=True)
    picks = traitlets.Bool().tag(sync=True)
    phrase = traitlets.Unicode().tag(sync=True)


class LabellingWidgets(PanelWidgets):
    """The widgets of the labelling panel."""

    def __init__(self, session: LabellingSession, on_key: Callable[[str, str], None]) -> None:
        super().__init__()
        self._session = session
        scale = session.scale
        self.rubric, self.status, self.pair, self.chosen = (widgets.HTML() for _ in range(4))
        if session.documents:
            self.pair = DocumentsView(picks=session.level == "requirement")
        self.progress = widgets.IntProgress(max=max(session.progress.total, 1), layout={"width": "100%"})
        # Sent as a whole when it is left, so that no letter of it comes after the key that labels the pair.
        self.note = widgets.Text(continuous_update=False)
        self.labels = {label: widgets.Button() for label in scale}
        self.look, self.skip, self.undo, self.revisit = (widgets.Button() for _ in range(4))
        self.hint = of_class(widgets.HTML(), "wb-quiet")
        keys = [*map(str, scale), "s", "u", *("e" if session.documents else "")]
        self.browser.hear(keys, on_key)
        if len(scale) == 2:
            self.labels[1].add_class("wb-yes")
            self.labels[0].add_class("wb-no")
        order = sorted(self.labels, reverse=len(scale) == 2 or bool(session.documents))
        buttons = [*(self.labels[label] for label in order), self.skip, self.undo, self.revisit]
        self.root = self.arranged(
            [
                self.rubric,
                self.status,
                self.progress,
                self.pair,
                self.chosen,
                row([self.note, *([self.look] if session.documents else [])], "wb-decide"),
                row(buttons, "wb-decide", "wb-labels"),
                self.message,
                self.hint,
            ],
            "wb-labelling",
        )
        self.relabel()

    def relabel(self) -> None:
        """Put all fixed texts in the language now."""
        self.head(*_heading(self._session))
        self.rubric.value = rubric_html(self._session.rubric)
        for label, button in self.labels.items():
            button.description = label_name(label, self._session)
        self.skip.description, self.undo.description = "S " + _("Skip"), "U " + _("Undo")
        self.note.description, self.note.placeholder = _("Note"), _("What made it hard? (optional)")
        self.look.description = "E " + _("Nearest phrases")
        self.look.tooltip = _("Found by a machine; what you label after looking is kept as such")
        self.hint.value = _hint(self._session)


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
        Labels are grades from 0 to 3 instead of 0 and 1; in a set of whole documents they always are.
    show : sequence of str
        Columns of ``pairs.csv`` to show beside the texts. Nothing by default: scores, groups and other
        people's labels sway whoever sees them.
    level : {"pair", "requirement"}
        Of whole documents: rate pairs from 0 to 3, or say of each requirement whether it is covered: not
        (0), partly (1), yes (2), and by which phrase.
    encoder : str, optional
        Finds the nearest phrases, where somebody asks for them; by default that of the settings.
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
        level: Level = "pair",
        encoder: str | None = None,
        language: Language | None = None,
    ) -> None:
        super().__init__(language)
        self._encoder = encoder
        self._turn = 0
        self._shown_at = 0.0
        self._said = ""
        with self.speaking():
            self.session = LabellingSession(
                folder, annotator, adjudicate=adjudicate, grades=grades, show=show, level=level
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
        self.hear(w.look, lambda change: self._look())
        if self.session.documents:
            self.hear(w.pair, lambda change: self._show_chosen(), "phrase")
        self.hear_language()

    def _on_key(self, key: str, shown: str) -> None:
        with self.speaking():
            if shown != self.widgets.browser.shown:
                self._not_counted()
            elif key == "s":
                self._skip()
            elif key == "u":
                self._undo()
            elif key == "e":
                self._look()
            else:
                self._decide(int(key))

    def _decide(self, label: int, _click: object = None) -> None:
        self._step(
            lambda: self.session.label(label, self.widgets.note.value, self._phrase),
            lambda pair: _("Saved: {pair} → {label}").format(
                pair=pair, label=label_name(label, self.session)
            ),
        )

    @property
    def _phrase(self) -> str:
        return self.widgets.pair.phrase if self.session.documents else ""

    def _look(self) -> None:
        if self.session.current is None:
            return
        try:
            self.session.look(self._encoder)
        except WorkbenchError as error:
            self.say(super().sentence(error), "problem")
        else:
            self._show(
                _("Shown by a machine, which may be wrong. Your label here is kept as given after looking."),
                "caution",
                keep_note=True,
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
            undoes=True,
        )

    def _revisit(self) -> None:
        self.session.revisit_skipped()
        self._show()

    def _not_counted(self) -> None:
        """Say so of a press that was meant for the pair before, or made twice, instead of swallowing it."""
        said = _("That came before anybody could read this pair, so it was not counted: press again.")
        self.say(" ".join(filter(None, [self._said, said])), "caution")

    def _step(self, act: Callable[[], Any], said: Callable[[str], str], *, undoes: bool = False) -> None:
        """Do one thing to the pair that is shown, say so, and show what comes next."""
        if not undoes and self.session.current is None:
            return
        if not undoes and time.monotonic() - self._shown_at < SECONDS_TO_READ:
            self._not_counted()
            return
        try:
            entry = act()
        except WorkbenchError as error:
            self._show(self.sentence(error), "problem", keep_note=True)
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
            **(_marks(pair) if pair else {}),
        )
        if not keep_note:
            w.note.value = pair.note if pair else ""
            if session.documents:
                w.pair.phrase = pair.phrase if pair else ""
        self._show_chosen()
        self._said = text
        self.say(text, kind)
        for button in (*w.labels.values(), w.skip, w.note, w.look):
            button.disabled = pair is None
        w.undo.disabled = not session.can_undo
        w.revisit.description = _("Go through the {count} skipped").format(count=progress.skipped)
        w.show(w.revisit, pair is None and bool(progress.skipped))
        self._shown_at = time.monotonic()
        self._turn += 1
        w.browser.shown = str(self._turn)

    def _show_chosen(self) -> None:
        w = self.widgets
        w.show(w.chosen, self.session.level == "requirement" and self.session.current is not None)
        w.chosen.value = render("panels/labelling_phrase.html", phrase=self._phrase)


def label_name(label: int, session: LabellingSession) -> str:
    """A label in words, with its number."""
    if session.documents:
        return f"{label} " + _(RATINGS[session.level][label])
    if len(session.scale) > 2:
        return _("Grade {grade}").format(grade=label)
    return f"{label} " + (_("Match") if label else _("No match"))


def lines_of(document: Document) -> list[list[tuple[int, Part, str]]]:
    """The parts of each line of a document, with their numbers and the white space after them."""
    lines: list[list[tuple[int, Part, str]]] = [[]]
    for at, part in enumerate(document.parts):
        raw = document.text[part.start : part.end]
        after = raw[len(raw.rstrip()) :]
        lines[-1].append((at, part, after))
        if "\n" in after:
            lines.append([])
    return [line for line in lines if line]


def _marks(pair: ShownPair) -> dict[str, Any]:
    """What the template needs to mark parts: which requirement is asked, and which phrases were found."""
    if pair.documents is None:
        return {}
    resume, jd = pair.documents.resume.parts, pair.documents.jd.parts
    places = {part.start: at for at, part in enumerate(resume)}
    phrases = {row.requirement.start: places[row.phrase.start] for row in pair.documents.nearest}
    asks = bool(pair.documents.kind)
    return {
        "lines": lines_of,
        "near": set(phrases.values()),
        "phrase_of": lambda at: None if asks else phrases.get(jd[at].start),
        "is_asked": lambda part: asks and (pair.jd in part.text or part.text in pair.jd),
    }


def _heading(session: LabellingSession) -> tuple[str, str]:
    if session.adjudicate:
        title = _("Adjudication: two annotators differ")
    elif session.level == "requirement":
        title = _("Labelling: does the résumé cover this requirement?")
    elif session.documents:
        title = _("Labelling: would you want to meet this person for this job?")
    else:
        title = _("Labelling: does this résumé text meet this requirement?")
    if session.level == "requirement":
        return title, _("Click the phrase that shows it best, then say how far it covers the requirement.")
    if session.documents:
        return title, _("Read the JD from the first line to the last, then the résumé, then rate.")
    return title, _(
        "Reading only these two texts, would you put the candidate on the list of people to talk to?"
    )


def _hint(session: LabellingSession) -> str:
    if session.level == "requirement":
        return _(
            "Keys: 0–2 how far it is covered, E nearest phrases, S skip, U undo; Tab and Enter choose a "
            "phrase; Esc or Enter leaves the note"
        )
    if session.documents:
        return _("Keys: 0–3 rating, E nearest phrases, S skip, U undo; Esc or Enter leaves the note")
    if len(session.scale) == 2:
        return _("Keys: 1 match, 0 no match, S skip, U undo; Esc or Enter leaves the note")
    return _("Keys: 0–3 grade, S skip, U undo; Esc or Enter leaves the note")


def rubric_html(markdown: str) -> str:
    """The rubric, to be unfolded."""
    import mistune

    # It escapes raw HTML, and takes out links to scripts.
    read = mistune.create_markdown(escape=True, plugins=["table"])
    rubric = Markup(read(visible(markdown)) if markdown.strip() else "")
    return render("panels/rubric.html", rubric=rubric)
