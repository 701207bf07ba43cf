"""What all panels share: a language of their own, which can be changed, messages, links to files, and keys.

A panel's events run in its language, whatever is spoken elsewhere. ipywidgets hears of no keys and gives
sliders no names, so a small widget does both inside its panel.
"""

from __future__ import annotations

import logging
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import anywidget
import ipywidgets as widgets
import traitlets

from workbench.errors import WorkbenchError, trace_of
from workbench.html import render
from workbench.i18n import Language, current_language, language, language_names
from workbench.i18n import gettext as _

log = logging.getLogger(__name__)

Event = Callable[[Any], object]


class PanelWidgets(ABC):
    """The widgets of a panel, by name; `root` holds them.

    A subclass makes its own, puts them in place with :meth:`arranged`, and says in :meth:`relabel` what they
    are called.
    """

    root: widgets.VBox

    def __init__(self) -> None:
        options = [(name, code) for code, name in language_names().items()]
        self.language = widgets.ToggleButtons(options=options, value=current_language())
        self.title = widgets.HTML()
        self.message = widgets.HTML()
        self.browser = InBrowser()

    @abstractmethod
    def relabel(self) -> None:
        """Put all fixed texts in the language now."""

    def head(self, title: str, subtitle: str) -> None:
        """Put title and subtitle at the top."""
        self.title.value = render("panels/heading.html", title=title, subtitle=subtitle)

    def arranged(self, children: Sequence[Any], *classes: str) -> widgets.VBox:
        """The panel: style sheet and head, then the children from top to bottom."""
        style = widgets.HTML(render("style.html"), layout={"display": "none"})
        head = of_class(widgets.HBox([self.title, self.language]), "wb-head")
        return of_class(widgets.VBox([style, self.browser, head, *children]), "wb", "wb-panel", *classes)

    def show(self, widget: Any, shown: bool) -> None:
        """Show or hide a widget; what is hidden cannot be reached with Tab either."""
        widget.layout.display = None if shown else "none"


class Panel(ABC):
    """A panel: the last expression of a cell shows it.

    Attributes
    ----------
    language : {"zh", "en"}
        What the panel speaks; by default the language when it is made.
    widgets : PanelWidgets
    """

    widgets: PanelWidgets

    def __init__(self, code: Language | None) -> None:
        with language(code or current_language()):
            self.language = current_language()

    def speaking(self) -> AbstractContextManager[None]:
        """Speak the panel's language inside a ``with`` block."""
        return language(self.language)

    @abstractmethod
    def relabelled(self) -> None:
        """Show everything anew, after the language was changed in the panel."""

    def hear_language(self) -> None:
        """Change the language when the user does."""

        def change(event: Any) -> None:
            self.language = event.new
            with self.speaking():
                self.widgets.relabel()
                self.relabelled()

        self.widgets.language.observe(change, "value")

    def hear(self, widget: Any, event: Event, trait: str = "value") -> None:
        """Do something in the panel's language when a button is pressed, or a widget's value changes."""

        def heard(change: Any) -> None:
            with self.speaking():
                event(change)

        if isinstance(widget, widgets.Button):
            widget.on_click(heard)
        else:
            widget.observe(heard, trait)

    def say(self, text: str, kind: str = "") -> None:
        """Say something in the panel; `kind` is empty, ``"caution"`` or ``"problem"``."""
        self.widgets.message.value = render("panels/message.html", text=text, kind=kind)
        self.widgets.show(self.widgets.message, bool(text))

    def sentence(self, error: Exception) -> str:
        """An error as a sentence for the user; one that nobody raised on purpose goes to the log, too."""
        if isinstance(error, WorkbenchError):
            return str(error)
        log.error("Unexpected error in %s\n%s", type(self).__name__, trace_of(error))
        return _("Something unexpected went wrong ({kind}); the log says where.").format(
            kind=type(error).__name__
        )

    def _repr_mimebundle_(self, **options: Any) -> dict[str, Any]:
        bundle: dict[str, Any] = self.widgets.root._repr_mimebundle_(**options)
        return {**bundle, "text/plain": repr(self)}


class InBrowser(anywidget.AnyWidget):  # type: ignore[misc]
    """What a panel does in the browser: slider handles get names, keys are heard, results come into view.

    Attributes
    ----------
    heard : list of str
        Keys to hear while the focus is in the panel, but not in a field; in lower case.
    shown : str
        Name of what is on the screen, which is sent with each key.
    on_key : callable
        Called with the key and with what `shown` was when it was pressed.
    """

    _esm = Path(__file__).with_name("in_browser.js")
    heard = traitlets.List(traitlets.Unicode()).tag(sync=True)
    shown = traitlets.Unicode().tag(sync=True)
    on_key: Callable[[str, str], None]

    def __init__(self) -> None:
        super().__init__(layout={"display": "none"})
        self.on_msg(self._receive)

    def hear(self, keys: Sequence[str], on_key: Callable[[str, str], None]) -> None:
        """Hear keys; before the panel is shown."""
        self.heard, self.on_key = list(keys), on_key

    def bring(self) -> None:
        """Bring the widget of class ``wb-arrives`` into view, where it is off the screen."""
        self.send({})

    def _receive(self, _widget: Any, content: Any, _buffers: Any) -> None:
        if isinstance(content, dict) and content.get("key") in self.heard:
            self.on_key(str(content["key"]), str(content.get("shown", "")))


def download(content: bytes, count: int, name: str) -> str:
    """A link that holds a CSV file itself, so that saving it needs neither server nor kernel."""
    return render("panels/download.html", content=content, count=count, name=name)


def row(children: Sequence[Any], *classes: str) -> widgets.HBox:
    """Widgets side by side, which wrap where there is no room."""
    return of_class(widgets.HBox(children), "wb-row", *classes)


def box(children: Sequence[Any], *classes: str) -> widgets.VBox:
    """Widgets one below the other, in a frame."""
    return of_class(widgets.VBox(children), "wb-box", *classes)


def of_class(widget: Any, *classes: str) -> Any:
    """The widget, with some classes for the style sheet."""
    for name in classes:
        widget.add_class(name)
    return widget
