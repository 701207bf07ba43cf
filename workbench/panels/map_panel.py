"""The map panel: the skill map to hover over, lasso, search and colour, linked to the search panel.

Widgets and events only: what is known lives in :mod:`workbench.panels.map_session`, what is drawn in
:mod:`workbench.panels.map_points`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import ipywidgets as widgets
import numpy.typing as npt
import pandas as pd
from markupsafe import Markup

from workbench.cutoffs import Cutoff
from workbench.encoders import Encoder
from workbench.errors import InputError
from workbench.exploration import Clusters, MapQuality, SkillMap
from workbench.html import render
from workbench.i18n import Language, pgettext
from workbench.i18n import gettext as _
from workbench.panels.cards import hits_html
from workbench.panels.map_points import Drawn, MapPoints, Rows
from workbench.panels.map_session import MapSession, kinds_array
from workbench.panels.map_view import MapView, Room
from workbench.panels.panel import Panel, PanelWidgets, box, download, of_class, row
from workbench.panels.search_panel import SearchPanel
from workbench.retrieval import Hit, KnowledgeBase
from workbench.visible import visible

CSV_NAME = "selected_texts.csv"
# A link holds the file itself; beyond this it would weigh several megabytes.
MOST_IN_LINK = 20_000
ROWS_SHOWN = 50


class MapWidgets(PanelWidgets):
    """The widgets of the map panel."""

    def __init__(self, *, k: int, searchable: bool) -> None:
        super().__init__()
        self.colour = widgets.Dropdown(layout={"width": "auto"})
        self.only = widgets.Dropdown(layout={"width": "auto"})
        self.query = widgets.Text(continuous_update=False, layout={"flex": "1 1 260px", "width": "auto"})
        self.most = widgets.BoundedIntText(value=k, min=1, max=1000, layout={"width": "auto"})
        self.search = widgets.Button(button_style="primary", icon="search", layout={"width": "110px"})
        self.clear = widgets.Button(icon="times", layout={"width": "auto"})
        self.status, self.key, self.selection, self.export, self.results = (widgets.HTML() for _ in range(5))
        self.room = Room()
        # Stands where the scatter plot will be.
        self.frame = of_class(widgets.VBox(layout={"width": "100%"}), "wb-white")
        self.use = widgets.Button(icon="database", layout={"width": "auto"})
        self.unselect = widgets.Button(icon="times", layout={"width": "auto"})
        for widget in (self.query, self.most, self.search):
            widget.disabled = not searchable
        tools = [self.query, self.most, self.search, self.clear, self.colour, self.only]
        self.root = self.arranged(
            [
                row(tools, "wb-box", "wb-toolbar"),
                self.message,
                box([self.room, self.frame, self.key]),
                self.status,
                box([self.selection, row([self.export, self.use, self.unselect])]),
                self.results,
            ],
            "wb-map",
        )
        self.relabel()

    def relabel(self) -> None:
        """Put all fixed texts in the language now."""
        self.head(_("Skill map"), _("Texts of near meaning lie near each other"))
        self.colour.description, self.only.description = _("Colour"), _("Show")
        self.query.description, self.query.placeholder = _("Query"), _("Type a skill and see where it falls")
        self.search.description, self.clear.description = _("Search"), _("Clear")
        self.most.description = _("Show at most")
        self.use.description, self.unselect.description = _("Use as knowledge base"), _("Clear selection")


class MapPanel(Panel):
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
        What counts as a match; see :func:`~workbench.retrieval.resolve_cutoff`.
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
    widgets : MapWidgets
        The widgets by name.
    knowledge_base : KnowledgeBase or None
        What "use as knowledge base" made.
    """

    widgets: MapWidgets

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
        super().__init__(language)
        self.knowledge_base: KnowledgeBase | None = None
        self.quality = quality
        self._linked: SearchPanel | None = None
        with self.speaking():
            if k < 1:
                raise InputError(_("k is {k}; mark at least 1 hit.").format(k=k))
            columns = pd.DataFrame() if groups is None else groups.reset_index(drop=True)
            points = MapPoints(
                list(texts), skill_map.coordinates, kinds_array(kinds, len(texts)), clusters, columns
            )
            self.session = MapSession(points, skill_map, vectors, encoder, cutoff)
            self.widgets = MapWidgets(k=k, searchable=self.session.is_searchable)
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
        with self.speaking():
            found = self.session.search(asked, w.most.value, self._only)
            w.query.value = asked
            self._show_found(elsewhere=0)
        return found

    def select(self, rows: npt.ArrayLike) -> pd.DataFrame:
        """Select texts by their rows, as a lasso would, and return them."""
        with self.speaking():
            self.session.select(rows)
            self._view.select(self.session.selected)
            self._show_selection()
            return self.selected

    def link(self, search_panel: SearchPanel) -> MapPanel:
        """Link with a search panel; returns the map panel.

        What is searched there is marked here, and "use as knowledge base" puts the selected texts there.
        """
        self._linked = search_panel
        self.hear(search_panel.widgets.results, lambda change: self._on_found_there())
        with self.speaking():
            self._on_found_there()
        return self

    def report(self) -> str:
        """Hits and selection as static HTML, for reports; the map itself is plot_skill_map's."""
        with self.speaking():
            results = Markup(self._results())
            return str(
                render("panels/map_report.html", session=self.session, results=results, most=ROWS_SHOWN)
            )

    def __repr__(self) -> str:
        session = self.session
        return f"<MapPanel: {len(session.points):,} texts, {len(session.selected):,} selected>"

    @property
    def _only(self) -> str | None:
        """The one kind of texts that is shown, if not all are."""
        shown: str = self.widgets.only.value
        return None if shown == "all" else shown

    def _listen(self) -> None:
        w = self.widgets
        self.hear(w.search, lambda change: self._try(self.search))
        self.hear(w.query, self._on_query)
        self.hear(w.clear, lambda change: self._on_clear())
        for widget in (w.colour, w.only):
            self.hear(widget, lambda change: self._redraw())
        self.hear(w.room, lambda change: self._on_room(), "width")
        self.hear(w.use, lambda change: self._try(self._on_use))
        self.hear(w.unselect, lambda change: self.select([]))
        self.hear_language()

    def _on_query(self, change: Any) -> None:
        pins = self.session.pins
        if change.new.strip() and (pins is None or pins.query != change.new):
            self._try(self.search)

    def _on_found_there(self) -> None:
        found = self._linked.session.found if self._linked else None
        if found is not None and (self.session.pins is None or found.query != self.session.pins.query):
            most = self.widgets.most.value
            self._try(lambda: self._show_found(self.session.show_found(found, most)))

    def _on_clear(self) -> None:
        self.session.forget_search()
        self.widgets.query.value = ""
        self._offer()
        self.say("")
        self._show_all()

    def _on_room(self) -> None:
        """Another width: where the map should be less high, or higher, it is drawn anew."""
        if self.widgets.room.size != self._view.size:
            self._view = self._new_view()
            self._redraw()

    def _on_use(self) -> None:
        texts = self.session.selected_texts
        if not texts:
            self.say(_("No text is selected yet."), "caution")
            return
        if self._linked is not None:
            self._linked.widgets.texts.value = "\n".join(" ".join(text.split()) for text in texts)
            said = _("The {count} selected texts are in the search panel; press “Search” there.")
        else:
            self.knowledge_base = self.session.knowledge_base()
            said = _("The {count} selected texts are a knowledge base now: panel.knowledge_base")
        self.say(said.format(count=f"{len(texts):,}"))

    def _on_selected(self, rows: Rows) -> None:
        with self.speaking():
            self.session.select(rows)
            self._show_selection()

    def _try(self, task: Callable[[], object]) -> None:
        try:
            task()
        except Exception as error:
            self.say(self.sentence(error), "problem")

    def relabelled(self) -> None:
        """Show everything anew, in the language now."""
        self._offer()
        # Tooltips name their columns in the language of the panel.
        self._view = self._new_view()
        self.say("")
        self._show_all()

    def _offer(self) -> None:
        """Offer what the map can be coloured by and what of it can be shown, keeping what is chosen."""
        w, points = self.widgets, self.session.points
        colours: list[tuple[str, str]] = [(_("cluster"), "cluster")] if points.clusters is not None else []
        colours += [(_("kind"), "kind"), *((visible(str(name)), str(name)) for name in points.groups.columns)]
        if self.session.scores is not None:
            colours += [(_("score"), "score"), (_("match"), "match")]
        shown = [
            (_("all"), "all"),
            (pgettext("text", "JD"), "jd"),
            (pgettext("text", "résumé text"), "resume"),
        ]
        for widget, options in ((w.colour, colours), (w.only, shown)):
            before = widget.value
            widget.options = options
            widget.value = before if before in [value for _, value in options] else options[0][1]

    def _drawn(self) -> Drawn:
        w, session = self.widgets, self.session
        return session.points.draw(
            w.colour.value,
            scores=session.scores,
            cutoff=float(session.cutoff) if session.cutoff is not None else 0.0,
            only=self._only,
            pins=session.pins,
        )

    def _new_view(self) -> MapView:
        size = self.widgets.room.size
        view = MapView(self._drawn(), self.session.points.extent, self._on_selected, size)
        self.widgets.frame.children = [view.widget]
        return view

    def _redraw(self) -> None:
        drawn = self._drawn()
        self._view.draw(drawn, self.session.selected)
        self.widgets.key.value = render(
            "panels/map_key.html", drawn=drawn, doubtful=bool(self.session.points.is_doubtful.any())
        )

    def _show_all(self) -> None:
        self._redraw()
        w, clusters = self.widgets, self.session.points.clusters
        facts = [fact.sentence() for fact in (self.quality, clusters) if fact is not None]
        w.status.value = render("panels/map_status.html", sentences=facts)
        w.results.value = self._results()
        w.show(w.results, bool(w.results.value))
        w.show(w.clear, self.session.pins is not None)
        self._show_selection()

    def _show_found(self, elsewhere: int) -> None:
        """Show a new result, of which some hits may not be on the map."""
        pins = self.session.pins
        assert pins is not None
        self._offer()
        text = _("“{query}”: the {count} nearest are ringed in orange, the yellow dot is the query itself")
        if elsewhere:
            text += _("; {elsewhere} more are not on the map")
        self.say(text.format(query=pins.query, count=len(pins.hits), elsewhere=elsewhere))
        self._show_all()

    def _show_selection(self) -> None:
        w, count = self.widgets, len(self.session.selected)
        w.selection.value = render("panels/map_selection.html", session=self.session, most=ROWS_SHOWN)
        w.export.value = self._link_to_file() if count else ""
        for widget in (w.use, w.unselect, w.export):
            w.show(widget, bool(count))

    def _link_to_file(self) -> str:
        count = len(self.session.selected)
        if count <= MOST_IN_LINK:
            return download(self.session.csv(), count, CSV_NAME)
        text = _(
            "{count} texts are selected, too many for a link; export them with panel.selected.to_csv(…)."
        )
        return render("panels/quiet.html", text=text.format(count=f"{count:,}"))

    def _results(self) -> str:
        """The hits of the last search, as cards."""
        session = self.session
        if not session.hits or session.cutoff is None:
            return ""
        return hits_html(session.hits, session.cutoff, styled=False)
