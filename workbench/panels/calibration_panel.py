"""The calibration panel: scores of both classes, a cutoff to move, and what follows from it at once.

Widgets and events only: what is known lives in :mod:`workbench.panels.calibration_session`.
"""

from __future__ import annotations

import math

import ipywidgets as widgets

from workbench.calibration import Costs, Study
from workbench.errors import WorkbenchError
from workbench.html import render
from workbench.i18n import Language
from workbench.i18n import gettext as _
from workbench.panels.calibration_session import CalibrationSession, Moment
from workbench.panels.panel import Panel, PanelWidgets, box, of_class, row

CARD = "reports/cutoff.json"
STEP = 0.001
# Of the picture, in its own units: its width, and the height of either class.
WIDTH, HALF = 1000, 105
# Of matches and others, as in workbench.plots.plot_scores.
COLOURS = ("#0072B2", "#E69F00")
TICK_STEPS = (0.02, 0.05, 0.1, 0.2, 0.5, 1.0)
MOST_TICKS = 9


class CalibrationWidgets(PanelWidgets):
    """The widgets of the calibration panel."""

    def __init__(self, *, cutoff: float, low: float, high: float) -> None:
        super().__init__()
        self.advice, self.picture, self.counts, self.cost, self.pairs = (widgets.HTML() for _ in range(5))
        wide = {"flex": "1 1 320px", "width": "auto"}
        # The front end rounds to whole steps from the minimum: they have to meet the study's cutoff.
        least = cutoff - max(math.ceil((cutoff - low) / STEP), 0) * STEP
        scale = {"min": least, "max": max(high, cutoff), "step": STEP}
        self.cutoff = widgets.FloatSlider(cutoff, **scale, readout_format=".4f", layout=wide)
        # A second slider lies over the picture, its handle a line from top to bottom: what is dragged there
        # is a slider like any other, with keys, touch and a name, and no script of ours.
        self.line = of_class(widgets.FloatSlider(cutoff, **scale, readout=False), "wb-line")
        widgets.link((self.cutoff, "value"), (self.line, "value"))
        self.back = widgets.Button(icon="undo", layout={"width": "auto"})
        cost = {"min": 0.1, "max": 20, "step": 0.1, "style": {"description_width": "initial"}}
        self.false_cost, self.missed_cost = (widgets.FloatSlider(1.0, **cost, layout=wide) for _ in range(2))
        self.evidence = widgets.ToggleButton(layout={"width": "auto"})
        self.path = widgets.Text(CARD, layout=wide)
        self.save = widgets.Button(button_style="primary", icon="save", layout={"width": "auto"})
        self.costs = row([self.false_cost, self.missed_cost, self.cost])
        self.root = self.arranged(
            [
                self.advice,
                box([self.picture, self.line], "wb-plot"),
                row([self.cutoff, self.back], "wb-box", "wb-toolbar"),
                self.counts,
                row([self.path, self.save], "wb-box", "wb-toolbar"),
                self.message,
                box([self.evidence, self.costs, self.pairs], "wb-behind"),
            ]
        )
        self.relabel()

    def relabel(self) -> None:
        """Put all fixed texts in the language now."""
        self.head(
            _("Calibrate the cutoff"),
            _(
                "Drag the line in the picture (arrow keys work too): "
                "counts, sentence and pairs follow at once."
            ),
        )
        self.cutoff.description, self.back.description = _("Cutoff"), _("Back to the study's cutoff")
        self.line.description = _("Cutoff")  # not shown: the name of the handle
        self.line.tooltip = _("Drag this line, or use the arrow keys")
        self.false_cost.description = _("Cost of a false match")
        self.missed_cost.description = _("Cost of a missed match")
        self.evidence.description = self.evidence.tooltip = _("Costs and pairs")
        self.path.description, self.save.description = _("File"), _("Save as card")


class CalibrationPanel(Panel):
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
    widgets : CalibrationWidgets
        The widgets by name.

    Raises
    ------
    InputError
        If there is no such language.
    """

    widgets: CalibrationWidgets

    def __init__(self, study: Study, *, language: Language | None = None) -> None:
        super().__init__(language)
        self.session = CalibrationSession(study)
        edges = self.session.edges
        with self.speaking():
            self.widgets = w = CalibrationWidgets(
                cutoff=study.cutoff.value, low=float(edges[0]), high=float(edges[-1])
            )
            self.hear(w.cutoff, lambda change: self.relabelled())
            for slider in (w.false_cost, w.missed_cost):
                self.hear(slider, lambda change: self._show_cost())
            self.hear(w.back, lambda change: setattr(w.cutoff, "value", study.cutoff.value))
            self.hear(w.evidence, lambda change: self._unfold())
            self.hear(w.save, lambda change: self._save())
            self.hear_language()
            self.relabelled()

    @property
    def moment(self) -> Moment:
        """Counts and figures at the cutoff that is set."""
        return self.session.at(self.widgets.cutoff.value)

    def report(self) -> str:
        """The panel as static HTML, for reports."""
        w = self.widgets
        with self.speaking():
            parts = [
                w.advice.value,
                self._picture(w.cutoff.value),
                w.counts.value,
                w.cost.value,
                w.pairs.value,
            ]
            return str(render("panels/report.html", kind="", parts=parts))

    def __repr__(self) -> str:
        return f"<CalibrationPanel: cutoff {self.widgets.cutoff.value:.4f}>"

    def relabelled(self) -> None:
        """Show everything anew, in the language now."""
        w, session, cutoff = self.widgets, self.session, self.widgets.cutoff.value
        w.advice.value = render("panels/calibration_advice.html", study=session.study)
        w.picture.value = self._picture()
        w.counts.value = render("panels/calibration_counts.html", moment=self.moment, study=session.study)
        false_matches, missed = session.errors(cutoff)
        lists = {
            _("False matches, highest scores first"): false_matches,
            _("Missed matches, lowest scores first"): missed,
            _("Pairs nearest to the cutoff"): session.borderline(cutoff),
        }
        w.pairs.value = render(
            "panels/calibration_pairs.html",
            lists=[(title, pairs.to_dict("records")) for title, pairs in lists.items()],
            score=session.study.options.score,
            label=session.study.options.label,
        )
        self.say("")
        self._show_cost()
        self._unfold()

    def _unfold(self) -> None:
        w, shown = self.widgets, self.widgets.evidence.value
        w.evidence.icon = "caret-down" if shown else "caret-right"
        for widget in (w.costs, w.pairs):
            w.show(widget, shown)

    def _show_cost(self) -> None:
        w = self.widgets
        costs = Costs(w.false_cost.value, w.missed_cost.value)
        here, best, lowest = self.session.costs(w.cutoff.value, costs)
        w.cost.value = render("panels/calibration_cost.html", here=here, best=best, lowest=lowest)

    def _save(self) -> None:
        try:
            path = self.session.save(self.widgets.path.value.strip(), self.widgets.cutoff.value)
        except WorkbenchError as error:
            self.say(self.sentence(error), "problem")
        else:
            self.say(_("Written to {path}.").format(path=path))

    def _picture(self, cutoff: float | None = None) -> str:
        """The histograms, on the axis of the slider that lies over them; with a line only where asked."""
        session, low, high = self.session, self.widgets.line.min, self.widgets.line.max

        def place(score: float) -> float:
            return float(min(max((score - low) / (high - low), 0.0), 1.0))

        advised = [place(end) for end in dict.fromkeys(session.study.advice.ends) if end is not None]
        scale = HALF / max(int(session.matches.max()), int(session.others.max()), 1)
        ends = [place(edge) * WIDTH for edge in session.edges]
        bars = [
            (left + 1, max(right - left - 2, 0.5), up * scale, down * scale)
            for left, right, up, down in zip(ends, ends[1:], session.matches, session.others, strict=False)
        ]
        return render(
            "panels/calibration_picture.html",
            session=session,
            bars=bars,
            colours=COLOURS,
            cutoff=cutoff,
            advised=advised,
            place=place,
            ticks=_ticks(low, high),
            width=WIDTH,
            half=HALF,
        )


def _ticks(low: float, high: float) -> list[tuple[float, str]]:
    """Where the axis has numbers, from 0 to 1, and which."""
    step = next((each for each in TICK_STEPS if (high - low) / each <= MOST_TICKS), TICK_STEPS[-1])
    digits = 2 if step < 0.1 else 1
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [
        ((tick * step - low) / (high - low), f"{tick * step:.{digits}f}".replace("-", "\u2212"))
        for tick in range(first, last + 1)
    ]
