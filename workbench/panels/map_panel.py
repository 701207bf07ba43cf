"""The map panel: the skill map to hover over, lasso, search and colour, linked to the search panel.

Events only: what is known lives in :mod:`workbench.panels.map_session`, what is drawn in
:mod:`workbench.panels.map_points`, where widgets stand in :mod:`workbench.panels.map_layout`.
"""

from __future__ import annotations

import base64
import logging
from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import Any

import numpy.typing as npt
import pandas as pd

from workbench.cutoffs import Cutoff
from workbench.encoders import Encoder
from workbench.errors import InputError, WorkbenchError
from workbench.exploration import Clusters, MapQuality, SkillMap
from workbench.panels.fragments import message
from workbench.panels.map_html import key_html, map_report, results_html, selection_html, status_html
from workbench.panels.map_layout import MapLayout
from workbench.panels.map_points import Drawn, MapPoints, Rows
from workbench.panels.map_session import MapSession, kinds_array
from workbench.panels.map_texts import map_labels_for
from workbench.panels.map_view import MapView
from workbench.panels.problems import in_words
from workbench.panels.search_panel import SearchPanel
from workbench.retrieval import Hit, KnowledgeBase
from workbench.settings import Language

__all__ = ["MapPanel"]

log = logging.getLogger(__name__)

CSV_NAME = "selected_texts.csv"
# A link holds the file itself; beyond this it would weigh several megabytes.
MOST_IN_LINK = 20_000


class MapPanel:
    """A skill map for a notebook; the last expression of a cell shows it.

    Parameters
    ----------
    texts : sequence of str
        In the order in which the map was fitted.
    skill_map : SkillMap
        From :func:`~workbench.exploration.projection.fit_map`.
    kinds : sequence of {"jd", "resume"}, optional
        JDs are ringed dots, résumé texts plain ones; by default all are résumé texts.
    clusters : Clusters, optional
    groups : DataFrame, optional
        A column for each other way to colour the map, such as job family.
    vectors : array_like, shape (n, d), optional
        That the map was fitted to; with `encoder`, they make the map searchable.
    encoder : Encoder, optional
        The one that made the vectors.
    cutoff : float, Cutoff or path, optional
        What counts as a match; see :func:`~workbench.retrieval.cutoff_choice.resolve_cutoff`.
    quality : MapQuality, optional
        Stands below the map, so that nobody trusts a bad one.
    k : int
        Hits that a search marks at start.
    language : {"zh", "en"}, optional
        By default that of the settings; can be changed in the panel.

    Raises
    ------
    InputError
        If lengths do not fit.
    EncoderMismatchError
        If the map was made with another encoder.
    MissingDependencyError
        If jupyter-scatter is not installed.

    Attributes
    ----------
    session : MapSession
        What the panel knows; works without a front end.
    widgets : MapLayout
        The widgets by name.
    knowledge_base : KnowledgeBase or None
        What "use as knowledge base" made.
    """

    def __init__(
        self,
        texts: Sequence[str],
        skill_map: SkillMap,
        *,
        kinds: Sequence[str] | None = None,
        clusters: Clusters | None = None,
        groups: pd.DataFrame | None = None,
        vectors: npt.ArrayLike | None = None,
        encoder: Encoder | None = None,
        cutoff: float | Cutoff | str | Path | None = None,
        quality: MapQuality | None = None,
        k: int = 10,
        language: Language | None = None,
    ) -> None:
        if k < 1:
            raise InputError(f"k is {k}; mark at least 1 hit.")
        self.labels = map_labels_for(language)
        columns = pd.DataFrame() if groups is None else groups.reset_index(drop=True)
        points = MapPoints(
            list(texts), skill_map.coordinates, kinds_array(kinds, len(texts)), clusters, columns
        )
        self.session = MapSession(points, skill_map, vectors, encoder, cutoff)
        self.knowledge_base: KnowledgeBase | None = None
        self.quality = quality
        self._linked: SearchPanel | None = None
        self._elsewhere = 0
        self.widgets = MapLayout(self.labels, k=k, searchable=self.session.is_searchable)
        self._offer()
        self._view = self._new_view()
        self._listen()
        self._show_all()

    @property
    def selected(self) -> pd.DataFrame:
        """The texts that are selected."""
        return self.session.frame()

    @property
    def hits(self) -> list[Hit]:
        """The hits of the last search."""
        return self.session.hits

    def search(self, query: str | None = None) -> list[Hit]:
        """Search now, mark query and hits on the map, and return the hits.

        Parameters
        ----------
        query : str, optional
            By default what stands in the search field.

        Raises
        ------
        WorkbenchError
            What the search button would show as a message.
        """
        w = self.widgets
        asked = w.query.value if query is None else query
        found = self.session.search(asked, w.most.value, self._only)
        self._elsewhere = 0
        w.query.value = asked
        self._offer()
        self._say_found()
        self._show_all()
        return found

    def select(self, rows: npt.ArrayLike) -> pd.DataFrame:
        """Select texts by their rows, as a lasso would, and return them."""
        self.session.select(rows)
        self._view.select(self.session.selected)
        self._show_selection()
        return self.selected

    def link(self, search_panel: SearchPanel) -> MapPanel:
        """Link with a search panel; returns the map panel.

        What is searched there is marked here, and "use as knowledge base" puts the selected texts there.
        """
        self._linked = search_panel
        search_panel.widgets.results.observe(lambda _: self._on_found_there(), "value")
        self._on_found_there()
        return self

    def report(self) -> str:
        """Hits and selection as static HTML, for reports; the map itself is plot_skill_map's."""
        return map_report(self.session, self.labels)

    def __repr__(self) -> str:
        session = self.session
        return f"<MapPanel: {len(session.points):,} texts, {len(session.selected):,} selected>"

    def _repr_mimebundle_(self, **options: Any) -> dict[str, Any]:
        bundle: dict[str, Any] = self.widgets.root._repr_mimebundle_(**options)
        return {**bundle, "text/plain": repr(self)}

    @property
    def _only(self) -> str | None:
        """The one kind of texts that is shown, if not all are."""
        shown: str = self.widgets.only.value
        return None if shown == "all" else shown

    def _listen(self) -> None:
        w = self.widgets
        w.search.on_click(lambda _: self._try(self._on_search))
        w.query.observe(self._on_query, "value")
        w.clear.on_click(lambda _: self._on_clear())
        w.colour.observe(lambda _: self._redraw(), "value")
        w.only.observe(lambda _: self._redraw(), "value")
        w.use.on_click(lambda _: self._try(self._on_use))
        w.unselect.on_click(lambda _: self.select([]))
        w.language.observe(self._on_language, "value")

    def _on_query(self, change: Any) -> None:
        pins = self.session.pins
        if change.new.strip() and (pins is None or pins.query != change.new):
            self._try(self._on_search)

    def _on_search(self) -> None:
        if not self.session.is_searchable:
            self._say(self.labels.no_encoder, "caution")
        elif not self.widgets.query.value.strip():
            self._say(self.labels.empty_query, "problem")
        else:
            self.search()

    def _on_found_there(self) -> None:
        found = self._linked.session.found if self._linked else None
        if found is not None and (self.session.pins is None or found.query != self.session.pins.query):
            self._try(self._show_found_there)

    def _show_found_there(self) -> None:
        assert self._linked is not None
        assert self._linked.session.found is not None
        self._elsewhere = self.session.show_found(self._linked.session.found, self.widgets.most.value)
        self._offer()
        self._say_found()
        self._show_all()

    def _on_clear(self) -> None:
        self.session.forget_search()
        self._elsewhere = 0
        self.widgets.query.value = ""
        self._offer()
        self._say("")
        self._show_all()

    def _on_use(self) -> None:
        count = f"{len(self.session.selected):,}"
        if not len(self.session.selected):
            self._say(self.labels.nothing_to_use, "caution")
        elif self._linked is not None:
            self._linked.widgets.texts.value = "\n".join(
                " ".join(t.split()) for t in self.session.selected_texts
            )
            self._say(self.labels.used_linked.format(count=count))
        else:
            self.knowledge_base = self.session.knowledge_base()
            self._say(self.labels.used.format(count=count))

    def _on_language(self, change: Any) -> None:
        self.labels = map_labels_for(change.new)
        self.widgets.relabel(self.labels)
        self._offer()
        # Tooltips name their columns in the language of the panel.
        self._view = self._new_view()
        self._say("")
        self._show_all()

    def _on_selected(self, rows: Rows) -> None:
        self.session.select(rows)
        self._show_selection()

    def _try(self, task: Any) -> None:
        try:
            task()
        except Exception as error:
            self._say(self._sentence(error), "problem")

    def _offer(self) -> None:
        """Offer what the map can be coloured by and what of it can be shown, keeping what is chosen."""
        w, labels, points = self.widgets, self.labels, self.session.points
        colours: list[tuple[str, str]] = [(labels.cluster, "cluster")] if points.clusters is not None else []
        colours += [(labels.kind, "kind"), *((str(name), str(name)) for name in points.groups.columns)]
        if self.session.scores is not None:
            colours += [(labels.score, "score"), (labels.match, "match")]
        shown = [(labels.everything, "all"), (labels.jd, "jd"), (labels.resume, "resume")]
        for widget, options in ((w.colour, colours), (w.only, shown)):
            before = widget.value
            widget.options = options
            widget.value = before if before in [value for _, value in options] else options[0][1]

    def _drawn(self) -> Drawn:
        w, session = self.widgets, self.session
        return session.points.draw(
            w.colour.value,
            self.labels,
            scores=session.scores,
            cutoff=float(session.cutoff) if session.cutoff is not None else 0.0,
            only=self._only,
            pins=session.pins,
        )

    def _new_view(self) -> MapView:
        view = MapView(self._drawn(), self.session.points.extent, self._on_selected)
        self.widgets.frame.children = [view.widget]
        return view

    def _redraw(self) -> None:
        drawn = self._drawn()
        self._view.draw(drawn, self.session.selected)
        self.widgets.key.value = key_html(drawn, self.labels)

    def _show_all(self) -> None:
        self._redraw()
        w, labels = self.widgets, self.labels
        sentences = [] if self.quality is None else [self.quality.sentence(labels.language)]
        if self.session.points.clusters is not None:
            sentences.append(self.session.points.clusters.sentence(labels.language))
        w.status.value = status_html(sentences, labels)
        w.results.value = results_html(self.session, labels)
        w.show(w.results, bool(w.results.value))
        w.show(w.clear, self.session.pins is not None)
        self._show_selection()

    def _show_selection(self) -> None:
        w, count = self.widgets, len(self.session.selected)
        w.selection.value = selection_html(self.session, self.labels)
        w.export.value = self._link_to_file() if count else ""
        for widget in (w.use, w.unselect, w.export):
            w.show(widget, bool(count))

    def _link_to_file(self) -> str:
        count = len(self.session.selected)
        if count > MOST_IN_LINK:
            text = self.labels.too_many_to_export.format(count=f"{count:,}")
            return f'<span class="wb-quiet">{escape(text)}</span>'
        content = base64.b64encode(self.session.csv(self.labels)).decode("ascii")
        label = escape(self.labels.export.format(count=f"{count:,}"))
        address = f"data:text/csv;charset=utf-8;base64,{content}"
        return f'<a class="wb-download" download="{CSV_NAME}" href="{address}">{label}</a>'

    def _say_found(self) -> None:
        pins = self.session.pins
        assert pins is not None
        text = self.labels.hits_on_map.format(query=pins.query, count=len(pins.hits))
        if self._elsewhere:
            text += self.labels.hits_elsewhere.format(count=self._elsewhere)
        self._say(text)

    def _say(self, text: str, kind: str = "") -> None:
        self.widgets.message.value = message(text, kind)
        self.widgets.show(self.widgets.message, bool(text))

    def _sentence(self, error: Exception) -> str:
        """An error as a sentence for the user; one that nobody raised on purpose goes to the log, too."""
        if isinstance(error, WorkbenchError):
            return self.labels.wrong.format(message=in_words(error, self.labels.language))
        log.error("Unexpected error in the map panel", exc_info=error)
        return self.labels.unexpected.format(kind=type(error).__name__, message=error)
