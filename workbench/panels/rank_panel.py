"""The rank panel: JDs and résumés in, as files or pasted; a shortlist for each JD out, with its evidence.

What is known lives in :mod:`workbench.panels.rank_session`, and how a shortlist looks in
:mod:`workbench.reports.shortlist`.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import ipywidgets as widgets

from workbench.cutoffs import Cutoff
from workbench.documents.splitting import Side
from workbench.html import render
from workbench.i18n import Language
from workbench.i18n import gettext as _
from workbench.panels.file_drop import FileDrop
from workbench.panels.panel import box, of_class, row
from workbench.panels.rank_session import Asked, RankSession
from workbench.panels.working import WorkingPanel, WorkingWidgets
from workbench.reports.shortlist import shortlist_html
from workbench.retrieval.ranking import Ranking
from workbench.scorers import Scorer, load_scorer, scorer_of, with_card
from workbench.visible import visible

SIDES: tuple[Side, ...] = ("jd", "resume")
ACCEPT = ".txt,.md,.docx,.pdf,.odt,.rtf,.html,.eml,.zip,.csv,.tsv,.jsonl,.xlsx,.xls,.ods,.png,.jpg,.tiff"


class RankWidgets(WorkingWidgets):
    """The widgets of the rank panel."""

    def __init__(self, drops: dict[Side, FileDrop]) -> None:
        super().__init__()
        self.drops = drops
        self.pasted = {
            side: of_class(widgets.Textarea(rows=7, continuous_update=False), "wb-field", "wb-grow")
            for side in SIDES
        }
        self.conditions = of_class(widgets.Textarea(rows=2, continuous_update=False), "wb-field")
        self.top = widgets.BoundedIntText(value=10, min=1, max=1000, layout={"width": "auto"})
        self.start.icon = "sort-amount-desc"
        self.told, self.downloads, self.shortlist, self.evidence = (widgets.HTML() for _ in range(4))
        self.jd = widgets.Dropdown(layout={"width": "100%", "max_width": "620px"})
        self.behind = widgets.ToggleButton(layout={"width": "auto"})
        sides = [box([self.drops[side], self.pasted[side]]) for side in SIDES]
        self.results = of_class(
            widgets.VBox(
                [
                    self.told,
                    row([self.jd, self.downloads], "wb-box", "wb-toolbar"),
                    self.shortlist,
                    box([self.behind, self.evidence], "wb-behind"),
                ]
            ),
            "wb-found",
            "wb-arrives",
        )
        self.root = self.arranged(
            [
                of_class(widgets.HBox(sides), "wb-columns"),
                of_class(box([self.conditions, row([self.top, self.start, self.stop])]), "wb-toolbar"),
                self.progress,
                self.message,
                self.results,
            ],
            "wb-ranks",
        )
        self.relabel()

    def relabel(self) -> None:
        """Put all fixed texts in the language now."""
        self.head(_("Rank"), _("For each job, the résumés that fit it best, and why"))
        self.drops["jd"].relabel(_("Job descriptions: drop files here"))
        self.drops["resume"].relabel(_("Résumés: drop files here"))
        self.pasted["jd"].description = _("Or paste a JD")
        self.pasted["resume"].description = _("Or paste a résumé")
        for side in SIDES:
            self.pasted[side].placeholder = _("A whole document; of several, a line of --- between them")
        self.conditions.description = _(
            "Must-haves, one a line (optional; shown beside the score, nobody is left out)"
        )
        self.conditions.placeholder = _("years >= 5")
        self.top.description, self.start.description = _("Show at most"), _("Rank")
        self.stop.description, self.jd.description = _("Stop"), _("JD")
        self.behind.description = self.behind.tooltip = _("Evidence")


class RankPanel(WorkingPanel):
    r"""A rank panel for a notebook; the last expression of a cell shows it.

    Parameters
    ----------
    scorer : Scorer or str, optional
        As of :func:`workbench.load_scorer`; by default that of the card, else relative to the collection.
    cutoff : Cutoff or path, optional
        A card of this scorer; by default the last one in the project that was measured on whole documents.
        Without one, no cutoff is drawn.
    language : {"zh", "en"}, optional
        By default that of the settings; can be changed in the panel.

    Raises
    ------
    WorkbenchError
        If the scorer or the card cannot be used.

    Attributes
    ----------
    session : RankSession
        What the panel knows; works without a front end.
    widgets : RankWidgets
        The widgets by name.

    Examples
    --------
    >>> panel = RankPanel("use", language="en")
    >>> panel.widgets.pasted["jd"].value = "Ward nurse\nRequirements\n- RN licence"
    >>> panel.widgets.pasted["resume"].value = "Nurse on a ward, nights too\n---\nJava developer"
    >>> [found.rank for found in panel.rank().shortlists["1"]]
    [1, 2]
    """

    widgets: RankWidgets

    def __init__(
        self,
        scorer: Scorer | str | None = None,
        cutoff: Cutoff | str | Path | None = None,
        *,
        language: Language | None = None,
    ) -> None:
        super().__init__(language)
        with self.speaking():
            card = Cutoff.load(cutoff) if isinstance(cutoff, str | Path) else cutoff
            loaded = scorer_of(card, scorer) if card else load_scorer(scorer)
            if card is None:
                loaded, card = with_card(loaded)
            self.session = RankSession(loaded, card)
            self.encoder_name = loaded.encoder.name
            self.widgets = RankWidgets({side: FileDrop(self._added, ACCEPT) for side in SIDES})
            w = self.widgets
            self.hear_work()
            self.hear(w.jd, lambda change: self._show_shortlist())
            self.hear(w.behind, lambda change: self._unfold())
            self.hear_language()
            self._show()

    def rank(self) -> Ranking:
        """Rank now, wait for the end, and return the ranking.

        Raises
        ------
        WorkbenchError
            What the button would show as a message.
        """
        with self.speaking():
            found = self.session.rank(self.asked)
            self._show()
        return found

    @property
    def asked(self) -> Asked:
        """What is in the fields now."""
        w = self.widgets
        lines = (line.strip() for line in w.conditions.value.splitlines())
        return Asked(
            {side: w.drops[side].folder if w.drops[side].files else None for side in SIDES},
            {side: w.pasted[side].value for side in SIDES},
            tuple(filter(None, lines)),
            w.top.value,
        )

    def __repr__(self) -> str:
        found = self.session.found
        result = f"{len(found.jds)} JDs, {len(found.resumes)} résumés" if found else "not ranked yet"
        return f"<RankPanel: {self.session.scorer.name}, {result}>"

    def relabelled(self) -> None:
        """Show everything anew, in the language now."""
        self._show()

    def _added(self, refused: str) -> None:
        with self.speaking():
            self.say(refused, "problem")

    def act(self) -> Callable[[], object]:
        """Rank what is in the fields now."""
        return partial(self.session.rank, self.asked, self.work.hear)

    def _show(self) -> None:
        w, found = self.widgets, self.session.found
        self.show_busy()
        w.show(w.results, found is not None)
        if found is not None:
            w.told.value = render("panels/rank_told.html", ranking=found)
            w.downloads.value = render("panels/downloads.html", files=self.session.files)
            chosen = w.jd.value
            names = {visible(f"{jd.id} · {jd.title}" if jd.title else jd.id): jd.id for jd in found.jds}
            w.jd.options = list(names.items())
            w.jd.value = chosen if chosen in found.shortlists else found.jds[0].id
            self._show_shortlist()
        self._unfold()

    def _show_shortlist(self) -> None:
        found, w = self.session.found, self.widgets
        if found is not None and w.jd.value is not None:
            w.shortlist.value = shortlist_html(found, w.jd.value, styled=False)

    def _unfold(self) -> None:
        w, found = self.widgets, self.session.found
        w.behind.icon = "caret-down" if w.behind.value else "caret-right"
        w.show(w.evidence, w.behind.value)
        if found is not None:
            lines = found.sentences()[:2]
            w.evidence.value = render("panels/rank_evidence.html", lines=lines, scores=found.scores)
