// Between the document's header (page.js) and the kernel: which page is open, in which language.
function render({ model }) {
  const tell = () => {
    const { page, language } = window.workbench.state();
    model.set({ page, language });
    model.save_changes();
  };
  document.addEventListener("workbench", tell);
  tell();
  window.workbench.ready();
  return () => document.removeEventListener("workbench", tell);
}
export default { render };
