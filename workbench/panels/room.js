// Tells the kernel how wide the place is that this widget stands in.
function render({ model, el }) {
  const watch = new ResizeObserver(([{ contentRect }]) => {
    const width = Math.round(contentRect.width);
    if (!width || width === model.get("width")) return;
    model.set("width", width);
    model.save_changes();
  });
  el.style.width = "100%";
  watch.observe(el);
  return () => watch.disconnect();
}
export default { render };
