"""The widgets of the search panel by name, where they stand, and what they are called in the language now."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import ipywidgets as widgets

from workbench.documents.pasted import WAYS, Pasted
from workbench.i18n import gettext as _
from workbench.panels.file_drop import FileDrop
from workbench.panels.panel import PanelWidgets, box, of_class, row

STEP = 0.005


class SearchWidgets(PanelWidgets):
    """The widgets of the search panel."""

    def __init__(
        self,
        drops: tuple[FileDrop, FileDrop],
        *,
        texts: str,
        query: str,
        cutoff: float,
        most: int,
        prevalence: float | None,
    ) -> None:
        super().__init__()
        self.upload, self.query_upload = drops
        self.texts = of_class(
            widgets.Textarea(value=texts, rows=8, continuous_update=False), "wb-field", "wb-grow"
        )
        self.understood = widgets.HTML()
        self.how = of_class(widgets.ToggleButtons(options=list(_ways()), value=None), "wb-ways")
        self.how.style.button_width = "auto"
        self.files = of_class(widgets.HBox(), "wb-row", "wb-files")
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
            # A browser moves a value to the nearest mark, so the card's cutoff has to be one.
            min=cutoff % STEP - (1 if cutoff < 0 else 0),
            max=1,
            step=STEP,
            readout_format=".4f",
            layout={"flex": "1 1 300px", "width": "auto"},
        )
        self.reset = widgets.Button(icon="undo", layout={"width": "auto"})
        self.prevalence = widgets.BoundedFloatText(
            value=round(100 * (prevalence or 0.5), 1), min=0.1, max=99.9, step=0.1, layout={"width": "auto"}
        )
        self.show(self.prevalence, prevalence is not None)
        self.only_matches = widgets.Checkbox(indent=False, layout={"width": "auto"})
        self.contains = widgets.Text(layout={"flex": "1 1 160px", "width": "auto"})
        self.most = widgets.BoundedIntText(value=most, min=1, max=100_000, layout={"width": "auto"})
        self.export = widgets.HTML()
        self.results = of_class(widgets.HTML(), "wb-arrives")
        self.deciding = widgets.VBox()
        self.facts = widgets.HTML()
        self.chosen = widgets.Dropdown(layout={"width": "100%", "max_width": "620px"})
        self.scenes = widgets.HTML()
        # A button, since the header of an accordion cannot be reached with the keyboard.
        self.behind = widgets.ToggleButton(layout={"width": "auto"})
        left = box([self.texts, row([self.understood, self.how]), self.files, self.upload])
        right = box([self.query, self.query_upload, row([self.search, self.cancel, self.shortcuts])])
        filters = [self.prevalence, self.only_matches, self.contains, self.most, self.export]
        self.root = self.arranged(
            [
                of_class(widgets.HBox([left, right]), "wb-columns"),
                self.progress,
                self.message,
                # The slider has a line of its own, and what changes with it stands below: it must not move
                # away from under the pointer.
                of_class(box([row([self.cutoff, self.reset]), row(filters)]), "wb-toolbar"),
                self.status,
                self.results,
                self.deciding,
                box([self.behind, self.facts, self.chosen, self.scenes], "wb-behind"),
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
            "Paste whole job descriptions or résumés, or a list with one text a line; or add files"
        )
        self.query.description = _("Semantic query")
        self.query.placeholder = _("Type a résumé text and press Enter, or paste a whole résumé")
        self.upload.relabel(_("Or drop files here"))
        self.query_upload.relabel(_("Or drop one file here"))
        chosen = self.how.value
        self.how.options = list(_ways())
        self.how.value = chosen
        self.shortcuts.value = _("Keys: Tab moves on, Enter in the query searches, ← → move the slider")
        self.search.description, self.cancel.description = _("Search"), _("Cancel")
        self.cutoff.description, self.reset.description = _("Cutoff"), _("Reset")
        self.only_matches.description, self.most.description = _("Only matches"), _("Show at most")
        self.prevalence.description = _("Matches, %")
        self.prevalence.tooltip = _("Of 100 pairs that come in, so many are matches; probabilities follow it")
        self.contains.description, self.contains.placeholder = _("Contains"), _("e.g. Python")
        self.chosen.description = _("Vector of")
        self.behind.description = self.behind.tooltip = _("Evidence")

    def show_files(self, said: Sequence[str], remove: Callable[[int], object]) -> None:
        """A button a file, which takes it away."""
        buttons = []
        for at, sentence in enumerate(said):
            button = widgets.Button(description=sentence, icon="times", layout={"width": "auto"})
            button.tooltip = _("Remove {file}").format(file=sentence)
            button.on_click(lambda _button, at=at: remove(at))
            buttons.append(button)
        self.files.children = buttons
        self.show(self.files, bool(buttons))


def _ways() -> Iterator[tuple[str, Pasted]]:
    return ((_(name), way) for way, name in WAYS.items())
