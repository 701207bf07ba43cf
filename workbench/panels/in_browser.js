// What widgets leave out: names for the handles of sliders, keys, and results that are brought into view.
// Each key is sent with `shown`, the name of what is on the screen, so that none decides about something that nobody
// has seen. While the focus is in the panel, JupyterLab's own keys (0 0 restarts the kernel) are silent; in a text
// field keys write, and Escape leaves it.
function render({ model, el }) {
  let panel = null, gone = false;
  const changes = new MutationObserver(name);
  const isField = (node) => node.matches?.("input, textarea, select, [contenteditable=true]");
  function name() {
    for (const handle of panel.querySelectorAll(".noUi-handle")) {
      const slider = handle.closest(".widget-slider"), label = slider.querySelector(".widget-label")?.textContent || slider.title;
      if (handle.getAttribute("aria-label") !== label) handle.setAttribute("aria-label", label);
    }
    for (const icon of panel.querySelectorAll("i.fa:not([aria-hidden])")) icon.setAttribute("aria-hidden", "true");
  }
  function pressed(event) {
    if (event.isComposing || event.ctrlKey || event.altKey || event.metaKey || event.repeat) return;
    if (isField(event.target)) {
      if (event.key === "Escape" || (event.key === "Enter" && event.target.matches("input"))) {
        event.preventDefault();
        panel.focus({ preventScroll: true });
      }
      return;
    }
    const key = event.key.toLowerCase();
    if (!model.get("heard").includes(key)) return;
    event.preventDefault();
    model.send({ key, shown: model.get("shown") });
  }
  // What has arrived is drawn a little later than the message that says so.
  function bring(until = performance.now() + 5000) {
    const found = panel?.querySelector(".wb-arrives"), top = found?.getBoundingClientRect().top;
    if (!found?.offsetHeight) return performance.now() < until && requestAnimationFrame(() => bring(until));
    if (top < 0 || top > innerHeight / 2) found.scrollIntoView({ behavior: matchMedia("(prefers-reduced-motion: reduce)").matches ? "instant" : "smooth" });
  }
  function attach() {
    if (gone) return;
    panel = el.closest(".wb-panel");
    if (!panel?.isConnected) return requestAnimationFrame(attach);
    name();
    changes.observe(panel, { childList: true, subtree: true });
    if (!model.get("heard").length) return;
    panel.tabIndex = -1;
    panel.setAttribute("data-lm-suppress-shortcuts", "true");
    // On the way down: text fields stop their keys on the way up.
    panel.addEventListener("keydown", pressed, true);
    // Where keys decide, a panel that was asked for hears them at once, unless somebody is writing meanwhile.
    if (panel.closest(".wb-arrives") && !isField(document.activeElement)) panel.focus({ preventScroll: true });
  }
  const told = () => bring();
  model.on("msg:custom", told);
  attach();
  return () => {
    gone = true;
    changes.disconnect();
    model.off("msg:custom", told);
    panel?.removeEventListener("keydown", pressed, true);
  };
}
export default { render };
