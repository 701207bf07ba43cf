"""The search panel: texts on the left, a query on the right, ranked cards below, vectors behind the scenes.

Widgets and events only: what is known lives in :mod:`workbench.panels.search_session`, and how a hit looks in
:mod:`workbench.panels.cards`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import ipywidgets as widgets
import pandas as pd

from workbench.cutoffs import Cutoff
from workbench.decision_log import DecisionLog
from workbench.encoders import Encoder, load_encoder
from workbench.errors import InputError
from workbench.examples import EXAMPLE_JDS, EXAMPLE_QUERY
from workbench.html import render
from workbench.i18n import Language
from workbench.i18n import gettext as _
from workbench.panels.cards import hits_csv, hits_frame, hits_html, status, vector_html
from workbench.panels.decision_box import DecisionBox
from workbench.panels.panel import Panel, PanelWidgets, box, download, of_class, row
from workbench.panels.search_session import (
    UPLOAD_FORMATS,
    UPLOAD_MEGABYTES,
    Progress,
    SearchSession,
    View,
    texts_in_upload,
    without_enter,
)
from workbench.retrieval import Hit
from workbench.texts import tidy

__all__ = ["SearchPanel", "SearchWidgets"]

CSV_NAME = "search_results.csv"
MOST_CHOICES = 50
PAUSE = 0.01  # seconds in which the kernel takes up other messages


class SearchWidgets(PanelWidgets):
    """The widgets of the search panel."""

    def __init__(self, *, texts: str, query: str, cutoff: float, most: int) -> None:
        super().__init__()
        self.texts = of_class(
            widgets.Textarea(value=texts, rows=11, continuous_update=False), "wb-field", "wb-grow"
        )
        self.upload = widgets.FileUpload(accept=",".join(UPLOAD_FORMATS), multiple=True)
        self.upload_hint = widgets.HTML().add_class("wb-quiet")
        # Each keystroke arrives, so that Enter can be seen: a text area tells of no keys.
        self.query = of_class(
            widgets.Textarea(value=query, rows=5, continuous_update=True), "wb-field", "wb-grow"
        )
        self.search = widgets.Button(button_style="primary", icon="search", layout={"width": "140px"})
        self.cancel = widgets.Button(icon="stop", layout={"width": "100px"})
        self.shortcuts = widgets.HTML().add_class("wb-quiet")
        self.status = widgets.HTML()
        self.progress = widgets.IntProgress(layout={"width": "100%", "height": "10px"})
        self.cutoff = widgets.FloatSlider(
            cutoff,
            min=-1 if cutoff < 0 else 0,
            max=1,
            step=0.005,
            readout_format=".4f",
            layout={"flex": "1 1 230px", "width": "auto"},
        )
        self.reset = widgets.Button(icon="undo", layout={"width": "auto"})
        self.only_matches = widgets.Checkbox(indent=False, layout={"width": "auto"})
        self.contains = widgets.Text(layout={"flex": "1 1 160px", "width": "auto"})
        self.most = widgets.BoundedIntText(value=most, min=1, max=100_000, layout={"width": "auto"})
        self.export = widgets.HTML()
        self.results = widgets.HTML()
        self.deciding = widgets.VBox()
        self.chosen = widgets.Dropdown(layout={"width": "100%", "max_width": "620px"})
        self.scenes = widgets.HTML()
        # A button, since the header of an accordion cannot be reached with the keyboard.
        self.behind = widgets.ToggleButton(layout={"width": "auto"})
        left = box([self.texts, row([self.upload, self.upload_hint])])
        right = box([self.query, row([self.search, self.cancel]), self.shortcuts])
        filters = [self.cutoff, self.reset, self.only_matches, self.contains, self.most, self.export]
        self.root = self.arranged(
            [
                of_class(widgets.HBox([left, right]), "wb-columns"),
                self.status,
                self.progress,
                self.message,
                row(filters, "wb-box", "wb-toolbar"),
                self.results,
                self.deciding,
                box([self.behind, self.chosen, self.scenes], "wb-behind"),
            ]
        )
        self.relabel()

    def relabel(self) -> None:
        """Put all fixed texts in the language now."""
        self.head(
            _("Semantic search"), _("Find the job requirements that are nearest in meaning to a résumé text")
        )
        self.texts.description = _("Knowledge base")
        self.texts.placeholder = _(
            "One text a line: job requirements, résumé skills, OKRs or paragraphs of a paper"
        )
        self.query.description = _("Semantic query")
        self.query.placeholder = _("Type a résumé text and press Enter")
        self.upload.description = self.upload.tooltip = _("Add from file")
        self.upload_hint.value = _("{formats}, at most {megabytes} MB a file").format(
            formats=" ".join(UPLOAD_FORMATS), megabytes=UPLOAD_MEGABYTES
        )
        self.shortcuts.value = _("Keys: Tab moves on, Enter in the query searches, ← → move the slider")
        self.search.description, self.cancel.description = _("Search"), _("Cancel")
        self.cutoff.description, self.reset.description = _("Cutoff"), _("Reset")
        self.only_matches.description, self.most.description = _("Only matches"), _("Show at most")
        self.contains.description, self.contains.placeholder = _("Contains"), _("e.g. Python")
        self.chosen.description = _("Vector of")
        self.behind.description = self.behind.tooltip = _("Behind the scenes")


class SearchPanel(Panel):
    """A search panel for a notebook; the last expression of a cell shows it.

    Parameters
    ----------
    texts : str or sequence of str
        What the knowledge base holds at start: one text a line, or a list.
    query : str
        What the query holds at start.
    encoder : Encoder or str, optional
        See :func:`workbench.load_encoder`; by default that of the settings.
    cutoff : float, Cutoff or path, optional
        See :func:`~workbench.retrieval.resolve_cutoff`.
    k : int
        How many cards are shown at start.
    log : DecisionLog or path, optional
        Where to write what the machine, and a person in the panel, decide of each hit.
    language : {"zh", "en"}, optional
        By default that of the settings; can be changed in the panel.

    Raises
    ------
    InputError
        If `k` is below 1, or there is no such language.
    WorkbenchError
        If the encoder or the cutoff cannot be used.

    Attributes
    ----------
    session : SearchSession
        What the panel knows; works without a front end.
    widgets : SearchWidgets
        The widgets by name.

    Examples
    --------
    >>> panel = SearchPanel(encoder="use", cutoff=0.4, language="en")
    >>> [hit["index"] for hit in panel.search()[:2]]
    [3, 4]
    >>> panel.view.cutoff
    0.4
    """

    widgets: SearchWidgets

    def __init__(
        self,
        texts: str | Sequence[str] = EXAMPLE_JDS,
        query: str = EXAMPLE_QUERY,
        *,
        encoder: Encoder | str | None = None,
        cutoff: float | Cutoff | str | Path | None = None,
        k: int = 10,
        log: DecisionLog | str | Path | None = None,
        language: Language | None = None,
    ) -> None:
        super().__init__(language)
        # The search in progress; a newer one takes its place.
        self._steps: Iterator[Progress] | None = None
        self._request = ("", "")
        self._progress = Progress(0, 0)
        self._task: asyncio.Task[None] | None = None
        with self.speaking():
            if k < 1:
                raise InputError(_("k is {k}; show at least 1 card.").format(k=k))
            self.session = SearchSession(load_encoder(encoder), cutoff)
            block = texts if isinstance(texts, str) else "\n".join(tidy(text) for text in texts)
            self.widgets = SearchWidgets(texts=block, query=query, cutoff=self.session.cutoff.value, most=k)
            self.decisions = None if log is None else DecisionBox(self, log)
            self._listen()
            self._show_all()

    @property
    def view(self) -> View:
        """Cutoff and filters as they are set now."""
        w = self.widgets
        return View(w.cutoff.value, w.only_matches.value, w.contains.value, w.most.value)

    @property
    def hits(self) -> list[Hit]:
        """The hits that are shown, judged by the cutoff that is set; empty before the first search."""
        return self.view.shown(self.session.found.hits) if self.session.found else []

    @property
    def frame(self) -> pd.DataFrame:
        """The hits that are shown, as a frame."""
        return hits_frame(self.hits)

    def search(self) -> list[Hit]:
        """Search now, wait for the end, and return the hits that are shown.

        Raises
        ------
        WorkbenchError
            What the search button would show as a message.
        """
        with self.speaking():
            self._end()
            self.session.search(*self._asked())
            self._show_all()
        return self.hits

    def report(self) -> str:
        """The result as static HTML, for reports: query, status line, and the cards that are shown."""
        with self.speaking():
            state, found = status(self.session, self.view), self.session.found
            results = self._results()
            return str(render("panels/search_report.html", found=found, status=state, results=results))

    def __repr__(self) -> str:
        found = self.session.found
        result = f"{len(self.hits)} of {len(found.hits)} hits shown" if found else "not searched yet"
        return f"<SearchPanel: {self.session.encoder.name}, {result}>"

    def _listen(self) -> None:
        w = self.widgets
        self.hear(w.search, lambda change: self._start())
        self.hear(w.cancel, lambda change: self._cancel())
        self.hear(w.reset, lambda change: setattr(w.cutoff, "value", self.session.cutoff.value))
        self.hear(w.query, self._on_query)
        self.hear(w.texts, lambda change: self._show_status())
        self.hear(w.upload, self._on_upload)
        for widget in (w.cutoff, w.only_matches, w.contains, w.most):
            self.hear(widget, lambda change: self._show_results())
        for widget in (w.chosen, w.behind):
            self.hear(widget, lambda change: self._show_scenes())
        self.hear_language()

    def _on_query(self, change: Any) -> None:
        query = without_enter(change.old, change.new)
        if query is None:
            self._show_status()
        else:
            self.widgets.query.value = query
            self._start()

    def _on_upload(self, change: Any) -> None:
        if not change.new:
            return
        w, said, kind = self.widgets, [], ""
        for file in change.new:
            try:
                texts = texts_in_upload(file["name"], bytes(file["content"]))
            except Exception as error:
                said.append(self.sentence(error))
                kind = "problem"
                break
            self.session.records.update(texts)
            w.texts.value = "\n".join(filter(None, [w.texts.value.rstrip("\n"), *texts]))
            said.append(_("{count} added from {name}").format(name=file["name"], count=len(texts)))
        self.say(" · ".join(said), kind)
        # Empty, so that the same file can be added again.
        w.upload.value = ()

    def _start(self) -> None:
        """Search while the kernel stays free; the same search again, while it runs, changes nothing."""
        if self._steps is not None and self._request == self._asked():
            return
        self._request, self._progress = self._asked(), Progress(0, 0)
        self._steps = steps = self.session.steps(*self._request)
        self._show_busy()
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            while self._advance(steps):
                pass
        else:
            self._task = loop.create_task(self._drive(steps))

    async def _drive(self, steps: Iterator[Progress]) -> None:
        # Between two steps the kernel hears other clicks: cancel, the slider, a new search.
        await asyncio.sleep(PAUSE)
        while self._advance(steps):
            await asyncio.sleep(PAUSE)

    def _advance(self, steps: Iterator[Progress]) -> bool:
        """Take one step of a search; False once it is over or another has taken its place."""
        if steps is not self._steps:
            return False
        with self.speaking():
            try:
                self._progress = next(steps)
            except StopIteration:
                self._end()
            except Exception as error:
                self._end(self.sentence(error), "problem")
            else:
                self._show_busy()
                return True
        return False

    def _cancel(self) -> None:
        if self._steps is not None:
            text = _("Cancelled; the {done} of {total} already encoded are kept for the next search.")
            self._end(text.format(done=self._progress.done, total=self._progress.total), "caution")

    def _end(self, text: str = "", kind: str = "") -> None:
        self._steps = None
        self.say(text, kind)
        self._show_all()

    def _asked(self) -> tuple[str, str]:
        return self.widgets.texts.value, self.widgets.query.value

    def relabelled(self) -> None:
        """Show everything anew, in the language now."""
        self.say("")
        self._show_all()

    def _show_all(self) -> None:
        self._show_busy()
        self._show_results()
        self._show_chosen()

    def _show_busy(self) -> None:
        w, busy = self.widgets, self._steps is not None
        w.search.description = _("Searching…") if busy else _("Search")
        w.search.icon = "hourglass-half" if busy else "search"
        w.show(w.cancel, busy)
        w.show(w.progress, busy)
        if busy:
            done, total = self._progress.done, self._progress.total
            w.progress.max, w.progress.value = max(total, 1), done
            encoding = _("Encoding: {done} of {total}").format(done=done, total=total)
            self.say(encoding if total else _("Searching…"))

    def _show_status(self) -> None:
        found = self.session.found
        stale = self._steps is None and found is not None and (found.texts, found.query) != self._asked()
        self.widgets.status.value = status(self.session, self.view, stale=stale)
        self.widgets.show(self.widgets.reset, self.view.cutoff != self.session.cutoff.value)

    def _show_results(self) -> None:
        self._show_status()
        w, hits, found = self.widgets, self.hits, self.session.found
        w.results.value, w.export.value = self._results(), ""
        if found is not None:
            content = hits_csv(hits, self.view.cutoff, query=found.query, encoder=self.session.encoder)
            w.export.value = download(content, len(hits), CSV_NAME)
        if self.decisions:
            self.decisions.offer()

    def _results(self) -> str:
        found = self.session.found
        if found is None:
            text = _("No results yet. Press “Search”, and every text of the knowledge base gets a score.")
            return render("panels/note.html", text=text)
        return hits_html(self.hits, self.view.cutoff, total=len(found.hits), styled=False)

    def _show_chosen(self) -> None:
        """Offer the query and the best hits as vectors to look at."""
        found, chosen = self.session.found, self.widgets.chosen
        options = [(_("query"), -1)]
        for hit in found.hits[:MOST_CHOICES] if found else ():
            options.append((f"{hit['rank']}. {hit['text'][:40]}", hit["rank"] - 1))
        chosen.options = options
        chosen.value = -1
        self._show_scenes()

    def _show_scenes(self) -> None:
        w, found, shown = self.widgets, self.session.found, self.widgets.behind.value
        w.behind.icon = "caret-down" if shown else "caret-right"
        w.show(w.scenes, shown)
        w.show(w.chosen, shown and found is not None)
        if found is None:
            w.scenes.value = render("panels/note.html", text=_("Search first, then look at the vectors."))
        elif shown:
            # Figures take a moment, so they are only drawn for somebody who looks.
            hit = None if w.chosen.value < 0 else found.hits[w.chosen.value]
            name = found.query if hit is None else hit["text"]
            w.scenes.value = vector_html(self.session.vector_of(hit), name)
