"""A row of the search panel in which a person decides on a hit, and the decision log that it writes to."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import ipywidgets as widgets

from workbench.cutoffs import Cutoff
from workbench.decision_log import DecisionLog, document_id
from workbench.html import render
from workbench.i18n import gettext as _
from workbench.panels.panel import of_class, row
from workbench.texts import tidy
from workbench.visible import visible

if TYPE_CHECKING:
    from workbench.panels.search_session import Found

LONGEST_CHOICE = 60


class DecisionBox:
    """Who decides yes or no on which hit; the machine's decisions are written as they are shown.

    Parameters
    ----------
    panel : SearchPanel
    log : DecisionLog or path
    """

    def __init__(self, panel: Any, log: DecisionLog | str | Path) -> None:
        self.panel, self.log = panel, log if isinstance(log, DecisionLog) else DecisionLog(log)
        self._logged: Found | None = None
        narrow = {"flex": "1 1 170px", "width": "auto"}
        self.candidate, self.who = widgets.Text(layout=narrow), widgets.Text(layout=narrow)
        self.hit = widgets.Dropdown(layout={"flex": "1 1 100%", "width": "auto"})
        self.yes = widgets.Button(button_style="success", icon="check", layout={"width": "auto"})
        self.no = widgets.Button(icon="times", layout={"width": "auto"})
        self.said = of_class(widgets.HTML(), "wb-quiet")
        fields = [self.hit, self.candidate, self.who, self.yes, self.no, self.said]
        panel.widgets.deciding.children = [row(fields, "wb-box", "wb-toolbar")]
        for button, decision in ((self.yes, True), (self.no, False)):
            panel.hear(button, lambda change, decision=decision: self.decide(decision))

    def offer(self) -> None:
        """Offer the hits that are shown, and write once what the machine decided of them."""
        self.candidate.description, self.who.description = _("Candidate"), _("Who decides")
        self.candidate.placeholder = _("id; without one, a name made from the query")
        self.who.placeholder, self.hit.description = _("your name"), _("Decide on")
        self.yes.description, self.no.description = _("Yes, a match"), _("No match")
        chosen = self.hit.value
        shown = [
            (f"{hit['rank']}. {visible(tidy(hit['text'][:200])[:LONGEST_CHOICE])}", hit["rank"])
            for hit in self.panel.hits
        ]
        self.hit.options = shown
        ranks = [rank for _text, rank in shown]
        self.hit.value = chosen if chosen in ranks else next(iter(ranks), None)
        for button in (self.yes, self.no):
            button.disabled = not shown
        found = self.panel.session.found
        if found is not None and found is not self._logged:
            self._logged, self.said.value = found, ""
            self._write(
                lambda: self.log.record_hits(
                    self.panel.hits,
                    self._cutoff(),
                    encoder=self.panel.session.encoder,
                    resume_id=self._candidate(found),
                )
            )

    def decide(self, decision: bool) -> None:
        """Write what the person decided of the hit that is chosen."""
        found, hits = self.panel.session.found, {hit["rank"]: hit for hit in self.panel.hits}
        if found is None or self.hit.value not in hits:
            return
        hit = hits[self.hit.value]
        written = self._write(
            lambda: self.log.record(
                self._cutoff(),
                encoder=self.panel.session.encoder,
                jd_id=document_id(hit["text"], hit["metadata"]),
                resume_id=self._candidate(found),
                score=hit["score"],
                probability=hit.get("probability"),
                who=self.who.value,
                decision=decision,
            )
        )
        if written:
            said = _("Written: {rank} is a match.") if decision else _("Written: {rank} is no match.")
            self.said.value = render("panels/quiet.html", text=said.format(rank=hit["rank"]))

    def _cutoff(self) -> Cutoff:
        """The card, unless the slider stands elsewhere: then a bare number."""
        card, set_to = self.panel.session.cutoff, self.panel.view.cutoff
        return card if set_to == card.value else Cutoff(set_to)

    def _candidate(self, found: Found) -> str:
        return self.candidate.value.strip() or document_id(found.query)

    def _write(self, write: Callable[[], object]) -> bool:
        try:
            write()
        except Exception as error:
            self.panel.say(self.panel.sentence(error), "problem")
            return False
        return True
