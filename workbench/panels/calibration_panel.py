"""The calibration panel: scores of both classes, a cutoff to move, and what follows from it at once.

Events only: what is known lives in :mod:`workbench.panels.calibration_session`, where widgets stand in
:mod:`workbench.panels.calibration_layout`, how things look in :mod:`workbench.panels.calibration_html`.
"""

from __future__ import annotations

from typing import Any

from workbench.calibration import Costs, Study
from workbench.errors import WorkbenchError
from workbench.panels.calibration_html import costs_html, counts_html, histogram_svg, pairs_html
from workbench.panels.calibration_layout import CalibrationLayout
from workbench.panels.calibration_session import CalibrationSession, Moment
from workbench.panels.calibration_words import words_for
from workbench.panels.fragments import message
from workbench.panels.problems import in_words
from workbench.panels.stylesheet import STYLE
from workbench.settings import Language

__all__ = ["CalibrationPanel"]


class CalibrationPanel:
    """A calibration panel for a notebook; the last expression of a cell shows it.

    Parameters
    ----------
    study : Study
        Of :func:`~workbench.calibration.study.calibrate`; everything is read from its sweep.
    language : {"zh", "en"}, optional
        By default that of the settings; can be changed in the panel.

    Attributes
    ----------
    session : CalibrationSession
        What the panel knows; works without a front end.
    widgets : CalibrationLayout
        The widgets by name.

    Raises
    ------
    InputError
        If there is no such language.
    """

    def __init__(self, study: Study, *, language: Language | None = None) -> None:
        self.words = words_for(language)
        self.session = CalibrationSession(study)
        edges = self.session.edges
        self.widgets = CalibrationLayout(
            self.words, cutoff=study.cutoff.value, low=float(edges[0]), high=float(edges[-1])
        )
        w = self.widgets
        w.cutoff.observe(lambda _: self._show(), "value")
        for slider in (w.false_cost, w.missed_cost):
            slider.observe(lambda _: self._show_cost(), "value")
        w.back.on_click(lambda _: setattr(w.cutoff, "value", study.cutoff.value))
        w.save.on_click(lambda _: self._save())
        w.language.observe(self._on_language, "value")
        self._show()

    @property
    def moment(self) -> Moment:
        """Counts and figures at the cutoff that is set."""
        return self.session.at(self.widgets.cutoff.value)

    def report(self) -> str:
        """The panel as static HTML, for reports."""
        w = self.widgets
        picture = self._picture(w.cutoff.value)
        parts = picture + "".join(each.value for each in (w.counts, w.cost, w.pairs))
        return f'{STYLE}<div class="wb-panel wb-report">{parts}</div>'

    def __repr__(self) -> str:
        return f"<CalibrationPanel: cutoff {self.widgets.cutoff.value:.4f}>"

    def _repr_mimebundle_(self, **options: Any) -> dict[str, Any]:
        bundle: dict[str, Any] = self.widgets.root._repr_mimebundle_(**options)
        return {**bundle, "text/plain": repr(self)}

    def _show(self) -> None:
        w, cutoff = self.widgets, self.widgets.cutoff.value
        w.picture.value = self._picture()
        w.counts.value = counts_html(self.session, self.moment, self.words)
        w.pairs.value = pairs_html(self.session, cutoff, self.words)
        w.message.value = ""
        self._show_cost()

    def _picture(self, cutoff: float | None = None) -> str:
        line = self.widgets.line
        return histogram_svg(self.session, self.words, low=line.min, high=line.max, cutoff=cutoff)

    def _show_cost(self) -> None:
        w = self.widgets
        costs = Costs(w.false_cost.value, w.missed_cost.value)
        w.cost.value = costs_html(self.session, w.cutoff.value, costs, self.words)

    def _save(self) -> None:
        w = self.widgets
        try:
            path = self.session.save(w.path.value.strip(), w.cutoff.value)
        except WorkbenchError as error:
            w.message.value = message(
                self.words.wrong.format(message=in_words(error, self.words.language)), "problem"
            )
        else:
            w.message.value = message(self.words.saved.format(path=path))

    def _on_language(self, change: Any) -> None:
        self.words = words_for(change.new)
        self.widgets.relabel(self.words)
        self._show()
