"""Keys for panels: ipywidgets hears of none, so a small widget listens inside its panel and tells Python."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import anywidget
import traitlets

__all__ = ["KeyListener"]

# `shown` names what is on the screen: each key is sent with it, and no further key until it changes, so
# that two quick presses never decide about something that nobody has seen. While the focus is in the
# panel, JupyterLab's own keys (0 0 restarts the kernel) are silent; in a text field keys write, and Escape
# leaves it.
_ESM = """
function render({ model, el }) {
  let panel = null, waiting = null, gone = false;
  const isField = (node) => node.matches?.("input, textarea, select, [contenteditable=true]");
  function pressed(event) {
    if (event.isComposing || event.ctrlKey || event.altKey || event.metaKey || event.repeat) return;
    if (isField(event.target)) {
      if (event.key === "Escape" || (event.key === "Enter" && event.target.matches("input"))) {
        event.preventDefault();
        panel.focus({ preventScroll: true });
      }
      return;
    }
    const key = event.key.toLowerCase(), shown = model.get("shown");
    if (!model.get("heard").includes(key)) return;
    event.preventDefault();
    if (waiting === shown) return;
    waiting = shown;
    model.send({ key, shown });
  }
  function attach() {
    if (gone) return;
    panel = el.closest(".wb-panel");
    if (!panel) return requestAnimationFrame(attach);
    panel.tabIndex = -1;
    panel.setAttribute("data-lm-suppress-shortcuts", "true");
    // On the way down: text fields stop their keys on the way up.
    panel.addEventListener("keydown", pressed, true);
  }
  attach();
  return () => { gone = true; panel?.removeEventListener("keydown", pressed, true); };
}
export default { render };
"""


class KeyListener(anywidget.AnyWidget):  # type: ignore[misc]
    """Hears keys that are pressed while the focus is in its panel, but not in a field.

    Parameters
    ----------
    keys : sequence of str
        Those to hear, in lower case.
    on_key : callable
        Called with the key and with what `shown` was when it was pressed.

    Attributes
    ----------
    shown : str
        Name of what is on the screen; a new one lets the next key through.
    """

    _esm = _ESM
    heard = traitlets.List(traitlets.Unicode()).tag(sync=True)
    shown = traitlets.Unicode().tag(sync=True)

    def __init__(self, keys: Sequence[str], on_key: Callable[[str, str], None]) -> None:
        super().__init__(heard=list(keys))
        self._on_key = on_key
        self.on_msg(self._receive)

    def _receive(self, _: Any, content: Any, __: Any) -> None:
        if isinstance(content, dict) and content.get("key") in self.heard:
            self._on_key(str(content["key"]), str(content.get("shown", "")))
