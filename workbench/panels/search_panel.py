"""The search panel: texts on the left, a query on the right, ranked cards below, vectors behind the scenes.

Events only: its widgets are in :mod:`workbench.panels.search_widgets`, what is known lives in
:mod:`workbench.panels.search_session`, and how a hit looks in :mod:`workbench.panels.cards`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
from markupsafe import Markup

from workbench.cutoffs import Cutoff
from workbench.decision_log import DecisionLog
from workbench.encoders import Encoder, load_encoder
from workbench.errors import InputError
from workbench.examples import EXAMPLE_JDS, EXAMPLE_QUERY
from workbench.html import render
from workbench.i18n import Language
from workbench.i18n import gettext as _
from workbench.panels.cards import MOST_SHOWN, hits_csv, hits_frame, hits_html, status, vector_html
from workbench.panels.decision_box import DecisionBox
from workbench.panels.given import Given, read_upload
from workbench.panels.panel import Panel, download
from workbench.panels.search_session import Progress, SearchSession, View, without_enter
from workbench.panels.search_widgets import SearchWidgets
from workbench.retrieval import Hit
from workbench.texts import is_line, tidy
from workbench.visible import visible

__all__ = ["SearchPanel"]

CSV_NAME = "search_results.csv"
MOST_CHOICES = 50
PAUSE = 0.01  # seconds in which the kernel takes up other messages


class SearchPanel(Panel):
    """A search panel for a notebook; the last expression of a cell shows it.

    Parameters
    ----------
    texts : str or sequence of str
        What the knowledge base holds at start: a pasted text, or a list of lines or whole documents.
    query : str
        What the query holds at start, a line or a whole document.
    encoder : Encoder or str, optional
        See :func:`workbench.load_encoder`; by default that of the settings.
    cutoff : float, Cutoff or path, optional
        See :func:`~workbench.retrieval.resolve_cutoff`.
    prevalence : float, optional
        Share of matches among the pairs that come in, at start; by default the one that the card is for.
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
        prevalence: float | None = None,
        k: int = 10,
        log: DecisionLog | str | Path | None = None,
        language: Language | None = None,
    ) -> None:
        super().__init__(language)
        # The search in progress; a newer one takes its place.
        self._steps: Iterator[Progress] | None = None
        self._request = (Given(), "")
        self._progress = Progress(0, 0)
        self._task: asyncio.Task[None] | None = None
        with self.speaking():
            if k < 1:
                raise InputError(_("k is {k}; show at least 1 card.").format(k=k))
            self.session = SearchSession(load_encoder(encoder), cutoff, prevalence=prevalence)
            card = self.session.cutoff
            self.given = Given.of(texts)
            self.widgets = SearchWidgets(
                texts=self.given.pasted, query=query, cutoff=card.value, most=k, prevalence=card.prevalence
            )
            self.decisions = None if log is None else DecisionBox(self, log)
            self._listen()
            self._show_all()

    @property
    def view(self) -> View:
        """Cutoff and filters as they are set now."""
        w, card = self.widgets, self.session.cutoff.value
        # A browser counts marks, and comes back to the card's with an error in the last digit.
        cutoff = card if abs(w.cutoff.value - card) < 1e-6 else w.cutoff.value
        judges = self.session.judges_documents(cutoff)
        return View(cutoff, w.only_matches.value, w.contains.value, w.most.value, judges)

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
            values: dict[str, Any] = {"status": Markup(status(self.session, self.view))}
            values |= {"results": Markup(self._results()), "found": self.session.found}
            values |= {"is_line": is_line, "most_shown": MOST_SHOWN}
            return str(render("panels/search_report.html", **values))

    def __repr__(self) -> str:
        found = self.session.found
        result = f"{len(self.hits)} of {len(found.hits)} hits shown" if found else "not searched yet"
        return f"<SearchPanel: {self.session.encoder.name}, {result}>"

    def _listen(self) -> None:
        w = self.widgets
        self.hear(w.search, lambda change: self._start())
        self.hear(w.cancel, lambda change: self._cancel())
        self.hear(w.reset, lambda change: setattr(w.cutoff, "value", self.session.cutoff.value))
        self.hear(w.prevalence, self._on_prevalence)
        self.hear(w.query, self._on_query)
        self.hear(w.texts, lambda change: self._on_texts(change.new))
        self.hear(w.how, self._on_how)
        self.hear(w.upload, self._on_upload)
        self.hear(w.query_upload, self._on_query_upload)
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

    def _on_prevalence(self, change: Any) -> None:
        self.session.tell_for(change.new / 100)
        self._show_results()

    def _on_texts(self, pasted: str) -> None:
        self.given = self.given.edited(pasted)
        self._show_given()

    def _on_how(self, change: Any) -> None:
        if change.new is not None and change.new != self.given.understood_as:
            self.given = replace(self.given, how=change.new)
            self._show_given()

    def _on_upload(self, change: Any) -> None:
        if not change.new:
            return
        w, said, kind = self.widgets, [], ""
        for file in change.new:
            try:
                upload = read_upload(file["name"], bytes(file["content"]))
            except Exception as error:
                said.append(self.sentence(error))
                kind = "problem"
                continue
            before = len(self.given.documents)
            self.given = self.given.with_upload(upload)
            n = len(self.given.documents) - before
            added = _("{count} added from {name}")
            said += [added.format(name=upload.name, count=n), *(u.summary() for u in upload.documents.unread)]
            kind = kind or ("caution" if upload.documents.unread else "")
        w.texts.value = self.given.pasted
        self._show_given()
        self.say(" · ".join(said), kind)
        # Empty, so that the same file can be added again.
        w.upload.value = ()

    def _on_query_upload(self, change: Any) -> None:
        if not change.new:
            return
        w, file = self.widgets, change.new[0]
        try:
            upload = read_upload(file["name"], bytes(file["content"]))
            if len(upload.documents) > 1:
                raise InputError(
                    _(
                        "{file} holds {n} documents, and the query is one; take a file of one document."
                    ).format(file=upload.name, n=len(upload.documents))
                )
        except Exception as error:
            self.say(self.sentence(error), "problem")
        else:
            w.query.value = upload.documents[0].text
            self.say(_("The query is {file} now.").format(file=upload.sentence()))
        w.query_upload.value = ()

    def _remove(self, at: int) -> None:
        self.given = self.given.without(at)
        self._show_given()

    def _show_given(self) -> None:
        """What the pasted text is understood as, and the files, each with a way to change it."""
        w, said = self.widgets, self.given.sentence()
        w.show(w.how, bool(said))
        w.show(w.understood, bool(said))
        w.understood.value = render("panels/quiet.html", text=said)
        w.how.value = self.given.understood_as
        w.show_files([upload.sentence() for upload in self.given.uploads], self._remove)
        self._show_status()

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
                self.widgets.browser.bring()
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

    def _asked(self) -> tuple[Given, str]:
        return self.given, self.widgets.query.value

    def relabelled(self) -> None:
        """Show everything anew, in the language now."""
        self.say("")
        self._show_all()

    def _show_all(self) -> None:
        self._show_given()
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
        stale = self._steps is None and found is not None and (found.given, found.query) != self._asked()
        self.widgets.status.value = status(self.session, self.view, stale=stale)
        self.widgets.reset.disabled = self.view.cutoff == self.session.cutoff.value

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
            options.append((f"{hit['rank']}. {visible(tidy(hit['text'][:60])[:40])}", hit["rank"] - 1))
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
