// `shown` names what is on the screen: each key is sent with it, and no further key until it changes, so that two
// quick presses never decide about something that nobody has seen. While the focus is in the panel, JupyterLab's
// own keys (0 0 restarts the kernel) are silent; in a text field keys write, and Escape leaves it.
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
