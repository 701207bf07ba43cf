"""The search panel: texts on the left, a query on the right, ranked cards below, vectors behind the scenes.

Events only: what is known lives in :mod:`workbench.panels.search_session`, where widgets stand in
:mod:`workbench.panels.search_layout`, and how a hit looks in :mod:`workbench.panels.cards`.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from workbench.cutoffs import Cutoff
from workbench.encoders import Encoder, load_encoder
from workbench.errors import InputError, WorkbenchError
from workbench.examples import EXAMPLE_JDS, EXAMPLE_QUERY
from workbench.panels import fragments
from workbench.panels.cards import hits_csv, hits_frame, hits_html
from workbench.panels.labels import labels_for
from workbench.panels.problems import in_words
from workbench.panels.search_layout import SearchLayout
from workbench.panels.search_session import (
    EmptyKnowledgeBaseError,
    EmptyQueryError,
    Progress,
    SearchSession,
    View,
)
from workbench.panels.uploads import texts_in_upload
from workbench.retrieval import Hit
from workbench.settings import Language
from workbench.texts import tidy

__all__ = ["SearchPanel"]

log = logging.getLogger(__name__)

CSV_NAME = "search_results.csv"
MOST_CHOICES = 50
PAUSE = 0.01  # seconds in which the kernel takes up other messages


class SearchPanel:
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
        See :func:`~workbench.retrieval.cutoff_choice.resolve_cutoff`.
    k : int
        How many cards are shown at start.
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
    widgets : SearchLayout
        The widgets by name.

    Examples
    --------
    >>> panel = SearchPanel(encoder="use", cutoff=0.4, language="en")
    >>> [hit["index"] for hit in panel.search()[:2]]
    [3, 4]
    >>> panel.view.cutoff
    0.4
    """

    def __init__(
        self,
        texts: str | Sequence[str] = EXAMPLE_JDS,
        query: str = EXAMPLE_QUERY,
        *,
        encoder: Encoder | str | None = None,
        cutoff: float | Cutoff | str | Path | None = None,
        k: int = 10,
        language: Language | None = None,
    ) -> None:
        if k < 1:
            raise InputError(f"k is {k}; show at least 1 card.")
        self.labels = labels_for(language)
        self.session = SearchSession(load_encoder(encoder), cutoff)
        block = texts if isinstance(texts, str) else "\n".join(tidy(text) for text in texts)
        self.widgets = SearchLayout(
            self.labels, texts=block, query=query, cutoff=self.session.cutoff.value, most=k
        )
        # The search in progress; a newer one takes its place.
        self._steps: Iterator[Progress] | None = None
        self._request = ("", "")
        self._progress = Progress(0, 0)
        self._task: asyncio.Task[None] | None = None
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
        self._end()
        self.session.search(*self._asked())
        self._show_all()
        return self.hits

    def report(self) -> str:
        """The result as static HTML, for reports: query, status line, and the cards that are shown."""
        return fragments.report(self.session, self.view, self.labels)

    def __repr__(self) -> str:
        found = self.session.found
        result = f"{len(self.hits)} of {len(found.hits)} hits shown" if found else "not searched yet"
        return f"<SearchPanel: {self.session.encoder.name}, {result}>"

    def _repr_mimebundle_(self, **options: Any) -> dict[str, Any]:
        bundle: dict[str, Any] = self.widgets.root._repr_mimebundle_(**options)
        return {**bundle, "text/plain": repr(self)}

    def _listen(self) -> None:
        w = self.widgets
        w.search.on_click(lambda _: self._start())
        w.cancel.on_click(lambda _: self._cancel())
        w.reset.on_click(lambda _: setattr(w.cutoff, "value", self.session.cutoff.value))
        w.query.observe(self._on_query, "value")
        w.texts.observe(lambda _: self._show_status(), "value")
        w.upload.observe(self._on_upload, "value")
        for widget in (w.cutoff, w.only_matches, w.contains, w.most):
            widget.observe(lambda _: self._show_results(), "value")
        w.language.observe(self._on_language, "value")
        w.chosen.observe(lambda _: self._show_scenes(), "value")
        w.behind.observe(lambda _: self._show_scenes(), "value")

    def _on_query(self, change: Any) -> None:
        query = _without_enter(change.old, change.new)
        if query is None:
            self._show_status()
        else:
            self.widgets.query.value = query
            self._start()

    def _on_upload(self, change: Any) -> None:
        if not change.new:
            return
        w, added = self.widgets, []
        try:
            for file in change.new:
                texts = texts_in_upload(file["name"], bytes(file["content"]))
                self.session.records.update(texts)
                w.texts.value = "\n".join(filter(None, [w.texts.value.rstrip("\n"), *texts]))
                added.append(self.labels.uploaded.format(name=file["name"], count=len(texts)))
            self._say(" · ".join(added))
        except Exception as error:
            self._say(" · ".join([*added, self._sentence(error)]), "problem")
        finally:
            # Empty, so that the same file can be added again.
            w.upload.value = ()

    def _on_language(self, change: Any) -> None:
        self.labels = labels_for(change.new)
        self.widgets.relabel(self.labels)
        self._say("")
        self._show_all()

    def _start(self) -> None:
        """Search while the kernel stays free; the same search again, while it runs, changes nothing."""
        if self._steps is not None and self._request == self._asked():
            return
        steps = self._begin()
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

    def _begin(self) -> Iterator[Progress]:
        self._request = self._asked()
        self._progress = Progress(0, 0)
        self._steps = self.session.steps(*self._request)
        self._show_busy()
        return self._steps

    def _advance(self, steps: Iterator[Progress]) -> bool:
        """Take one step of a search; False once it is over or another has taken its place."""
        if steps is not self._steps:
            return False
        try:
            self._progress = next(steps)
        except StopIteration:
            self._end()
        except Exception as error:
            self._end(self._sentence(error), "problem")
        else:
            self._show_busy()
            return True
        return False

    def _cancel(self) -> None:
        if self._steps is not None:
            done, total = self._progress.done, self._progress.total
            self._end(self.labels.cancelled.format(done=done, total=total), "caution")

    def _end(self, text: str = "", kind: str = "") -> None:
        self._steps = None
        self._say(text, kind)
        self._show_all()

    def _asked(self) -> tuple[str, str]:
        return self.widgets.texts.value, self.widgets.query.value

    def _show_all(self) -> None:
        self._show_busy()
        self._show_results()
        self._show_chosen()

    def _show_busy(self) -> None:
        w, busy, labels = self.widgets, self._steps is not None, self.labels
        w.search.description = labels.searching if busy else labels.search
        w.search.icon = "hourglass-half" if busy else "search"
        w.show(w.cancel, busy)
        w.show(w.progress, busy)
        if busy:
            done, total = self._progress.done, self._progress.total
            w.progress.max, w.progress.value = max(total, 1), done
            self._say(labels.encoding.format(done=done, total=total) if total else labels.searching)

    def _show_status(self) -> None:
        found = self.session.found
        stale = self._steps is None and found is not None and (found.texts, found.query) != self._asked()
        self.widgets.status.value = fragments.status(self.session, self.view, self.labels, stale=stale)
        self.widgets.show(self.widgets.reset, self.view.cutoff != self.session.cutoff.value)

    def _show_results(self) -> None:
        self._show_status()
        w, found = self.widgets, self.session.found
        if found is None:
            w.results.value, w.export.value = fragments.note(self.labels.none_yet), ""
            return
        hits, cutoff = self.hits, self.view.cutoff
        w.results.value = hits_html(hits, cutoff, self.labels.language, total=len(found.hits), styled=False)
        content = hits_csv(
            hits, cutoff, self.labels.language, query=found.query, encoder=self.session.encoder
        )
        w.export.value = fragments.download(content, len(hits), CSV_NAME, self.labels)

    def _show_chosen(self) -> None:
        """Offer the query and the best hits as vectors to look at."""
        found, chosen = self.session.found, self.widgets.chosen
        options = [(self.labels.chosen_query, -1)]
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
            w.scenes.value = fragments.note(self.labels.behind_hint)
        elif shown:
            # Figures take a moment, so they are only drawn for somebody who looks.
            hit = None if w.chosen.value < 0 else found.hits[w.chosen.value]
            name = found.query if hit is None else hit["text"]
            w.scenes.value = fragments.scenes(self.session.vector_of(hit), name, self.labels)

    def _say(self, text: str, kind: str = "") -> None:
        self.widgets.message.value = fragments.message(text, kind)
        self.widgets.show(self.widgets.message, bool(text))

    def _sentence(self, error: Exception) -> str:
        """An error as a sentence for the user; one that nobody raised on purpose goes to the log, too."""
        match error:
            case EmptyQueryError():
                return self.labels.empty_query
            case EmptyKnowledgeBaseError():
                return self.labels.empty_knowledge_base
            case WorkbenchError():
                return self.labels.wrong.format(message=in_words(error, self.labels.language))
        log.error("Unexpected error in the search panel", exc_info=error)
        return self.labels.unexpected.format(kind=type(error).__name__, message=error)


def _without_enter(old: str, new: str) -> str | None:
    """The query without the line break that Enter has just put into it; None if it was not Enter.

    A text area tells of no keys, and what is typed fast arrives as one change, so one line break
    more is taken for Enter. A pasted line that ends in one is searched for, too.
    """
    if new.count("\n") != old.count("\n") + 1:
        return None
    if any(new[:at] + new[at + 1 :] == old for at, character in enumerate(new) if character == "\n"):
        return old
    return new[:-1] if new.endswith("\n") else new.replace("\n", " ")
