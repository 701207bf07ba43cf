"""The search panel: texts on the left, a query on the right, ranked cards below, evidence at the end.

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
from workbench.panels.cards import MOST_SHOWN, evidence, hits_csv, hits_frame, hits_html, status, vector_html
from workbench.panels.decision_box import DecisionBox
from workbench.panels.given import Given, Upload
from workbench.panels.panel import Panel, download
from workbench.panels.reading import Reading
from workbench.panels.search_session import Found, Progress, SearchSession, View, without_enter
from workbench.panels.search_widgets import SearchWidgets
from workbench.retrieval import Hit
from workbench.texts import is_line, tidy
from workbench.visible import visible

CSV_NAME = "search_results.csv"
MOST_CHOICES = 50
PAUSE = 0.01  # seconds in which the kernel takes up other messages
BEFORE_EXPORT = 0.4  # seconds until what is shown is written as a table: hits come first


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
        self.reading = Reading(self, self._show_busy)
        self._export: asyncio.TimerHandle | None = None
        with self.speaking():
            if k < 1:
                raise InputError(_("k is {k}; show at least 1 card.").format(k=k))
            self.session = SearchSession(load_encoder(encoder), cutoff, prevalence=prevalence)
            card = self.session.cutoff
            self.given = Given.of(texts)
            self.widgets = SearchWidgets(
                (self.reading.drop(self._add), self.reading.drop(self._ask, folders=False)),
                texts=self.given.pasted,
                query=query,
                cutoff=card.value,
                most=k,
                prevalence=card.prevalence,
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
            values |= {"evidence": Markup(evidence(self.session, self.view))}
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

    def _add(self, found: Sequence[Upload | Exception]) -> None:
        """Put files into the knowledge base."""
        said: list[str] = []
        kind = ""
        for each in found:
            if isinstance(each, Exception):
                said, kind = [*said, self.sentence(each)], "problem"
                continue
            before = len(self.given.documents)
            self.given = self.given.with_upload(each)
            n = len(self.given.documents) - before
            said.append(_("{count} added from {name}").format(name=each.name, count=n))
            said += [unread.summary() for unread in each.documents.unread]
            kind = kind or ("caution" if each.documents.unread else "")
        self.widgets.texts.value = self.given.pasted
        self._show_given()
        self.say(" · ".join(said), kind)

    def _ask(self, found: Sequence[Upload | Exception]) -> None:
        """Ask for what is in a file."""
        upload = found[-1]
        if isinstance(upload, Exception):
            self.say(self.sentence(upload), "problem")
        elif len(upload.documents) > 1:
            said = _("{file} holds {n} documents, and the query is one; take a file of one document.")
            self.say(said.format(file=upload.name, n=len(upload.documents)), "problem")
        else:
            self.widgets.query.value = upload.documents[0].text
            self.say(_("The query is {file} now.").format(file=upload.sentence()))

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
        if not self._advance(steps):
            return  # no text is new, and this first step was the last
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
        self.reading.work.stop()
        if self._steps is not None:
            text = _("Cancelled; the {done} of {total} already encoded are kept for the next search.")
            self._end(text.format(done=self._progress.done, total=self._progress.total), "caution")

    def _end(self, text: str = "", kind: str = "") -> None:
        self._steps = None
        self.say(text, kind)
        self._show_results()

    def _asked(self) -> tuple[Given, str]:
        return self.given, self.widgets.query.value

    def relabelled(self) -> None:
        """Show everything anew, in the language now."""
        self.say("")
        self._show_all()

    def _show_all(self) -> None:
        self._show_given()
        self._show_results()

    def _show_busy(self) -> None:
        w, searching = self.widgets, self._steps is not None
        w.search.description = _("Searching…") if searching else _("Search")
        if searching:
            done, total = self._progress.done, self._progress.total
            said = _("Encoding: {done} of {total}").format(done=done, total=total)
        else:
            done, total = self.reading.work.done, self.reading.work.total
            said = _("Reading: {done} of {total}").format(done=done, total=total) if total else _("Reading …")
        # A search among texts that are known is over before a bar could be read.
        long = bool(self.reading.n or (searching and total))
        w.show(w.cancel, long)
        w.show(w.progress, long)
        if long:
            w.progress.max, w.progress.value = max(total, 1), done
            self.say(said)

    def _show_status(self) -> None:
        found = self.session.found
        stale = self._steps is None and found is not None and (found.given, found.query) != self._asked()
        self.widgets.status.value = status(self.session, self.view, stale=stale)
        self.widgets.reset.disabled = self.view.cutoff == self.session.cutoff.value

    def _show_results(self) -> None:
        self._show_busy()
        self._show_status()
        w = self.widgets
        w.results.value = self._results()
        if self.decisions:
            self.decisions.offer()
        self._show_scenes()
        if self._export is not None:
            self._export.cancel()
        try:
            self._export = asyncio.get_running_loop().call_later(BEFORE_EXPORT, self._show_export)
        except RuntimeError:
            self._show_export()

    def _show_export(self) -> None:
        found, hits = self.session.found, self.hits
        if found is not None:
            with self.speaking():
                content = hits_csv(hits, self.view.cutoff, query=found.query, encoder=self.session.encoder)
                self.widgets.export.value = download(content, len(hits), CSV_NAME)

    def _results(self) -> str:
        found = self.session.found
        if found is None:
            text = _("No results yet. Press “Search”, and every text of the knowledge base gets a score.")
            return render("panels/note.html", text=text)
        return hits_html(self.hits, self.view.cutoff, total=len(found.hits), styled=False)

    def _show_scenes(self) -> None:
        """What stands behind the scores, for somebody who looks: figures take a moment."""
        w, found, shown = self.widgets, self.session.found, self.widgets.behind.value
        w.behind.icon = "caret-down" if shown else "caret-right"
        w.show(w.facts, shown)
        w.show(w.scenes, shown)
        w.show(w.chosen, shown and found is not None)
        if not shown:
            return
        w.facts.value = evidence(self.session, self.view)
        if found is None:
            w.scenes.value = render("panels/note.html", text=_("Search first, then look at the vectors."))
            return
        self._offer(found)
        hit = None if w.chosen.value < 0 else found.hits[w.chosen.value]
        name = found.query if hit is None else hit["text"]
        w.scenes.value = vector_html(self.session.vector_of(hit), name)

    def _offer(self, found: Found) -> None:
        """Offer the query and the best hits as vectors to look at."""
        options = [(_("query"), -1)]
        for hit in found.hits[:MOST_CHOICES]:
            options.append((f"{hit['rank']}. {visible(tidy(hit['text'][:60])[:40])}", hit["rank"] - 1))
        chosen = self.widgets.chosen
        if chosen.options != tuple(options):
            chosen.options, chosen.value = options, -1
