// The document around the pages: which page and language, what was typed, and whether the kernel still lives.
(() => {
  const LANGUAGES = ["zh", "en"], LOOK = 2000, PATIENCE = 2500, LONGEST_START = 60_000;
  const root = document.documentElement, dark = matchMedia("(prefers-color-scheme: dark)");
  const all = (selector) => [...document.querySelectorAll(selector)];
  const page = () => location.hash.slice(1);
  const isPage = (name) => !!document.querySelector(`a[data-page="${CSS.escape(name)}"]`);
  let language = localStorage.getItem("workbench-language") ?? (navigator.language.startsWith("zh") ? "zh" : "en");
  if (!LANGUAGES.includes(language)) language = "en";
  let open = isPage(page()) ? page() : "search", ended = false, started = false;

  function show() {
    root.lang = language === "zh" ? "zh-CN" : "en";
    document.body.dataset.page = open;
    document.body.dataset.jpThemeLight = String(!dark.matches);
    for (const link of all("a[data-page]")) {
      if (link.dataset.page === open) link.setAttribute("aria-current", "page");
      else link.removeAttribute("aria-current");
    }
    const here = document.querySelector(`.wb-spoken[lang="${root.lang}"] a[data-page="${open}"]`);
    const brand = document.querySelector(`.wb-spoken[lang="${root.lang}"] .wb-brand`);
    document.title = `${here?.textContent} · ${brand?.textContent}`;
  }
  const changed = () => { show(); document.dispatchEvent(new Event("workbench")); };
  const warn = (when) => all(".wb-lost[data-when]").forEach((each) => { each.hidden = each.dataset.when !== when; });

  // What is typed is kept in this tab alone, by page and place, and put back into the fields of a new kernel.
  const fields = () => all(".wb-room").flatMap((room, at) =>
    [...room.querySelectorAll("textarea, input[type=text]")].map((field, place) => [`typed-${at}-${place}`, field]));
  const keep = () => { for (const [name, field] of fields()) sessionStorage.setItem(name, field.value); };
  function putBack() {
    for (const [name, field] of fields()) {
      const typed = sessionStorage.getItem(name);
      if (field.dataset.seen || (field.dataset.seen = "1") && (typed === null || typed === field.value)) continue;
      field.value = typed;
      field.dispatchEvent(new Event("input", { bubbles: true }));
      field.dispatchEvent(new Event("change", { bubbles: true }));
    }
  }

  const configured = () => JSON.parse(document.getElementById("jupyter-config-data")?.textContent ?? "{}");
  async function look() {
    const { baseUrl, kernelId } = configured();
    if (!kernelId || ended) return;
    try {
      const answer = await fetch(`${baseUrl}alive/${kernelId}`, { signal: AbortSignal.timeout(PATIENCE), cache: "no-store" });
      const { alive } = await answer.json();
      if (ended) return;  // meanwhile
      ended = !alive;
      warn(ended ? "ended" : "");
    } catch { if (!ended) warn("lost"); }
  }

  // Voilà sends the page once its kernel has run: one without a panel comes from a kernel that failed.
  const failed = () => { if (!started && !ended) { ended = true; warn("failed"); } };

  addEventListener("hashchange", () => {
    if (!isPage(page())) return;
    open = page();
    changed();
    scrollTo(0, 0);
  });
  dark.addEventListener("change", show);
  document.addEventListener("input", keep, true);
  // What a kernel has emptied since, as a note that went with its label, must not come back.
  addEventListener("pagehide", keep);
  document.addEventListener("click", (event) => {
    const pressed = event.target.closest?.("[data-language], [data-do]");
    if (pressed?.dataset.do === "reconnect") location.reload();
    if (pressed?.dataset.language) {
      localStorage.setItem("workbench-language", language = pressed.dataset.language);
      changed();
      document.querySelector(`.wb-spoken[lang="${root.lang}"] [data-language]`)?.focus();
    }
  });
  // Voilà asks for the same, without what its server wants against forged requests.
  addEventListener("pagehide", () => {
    const { baseUrl, kernelId } = configured(), form = new FormData();
    form.set("_xsrf", document.cookie.match(/_xsrf=([^;]*)/)?.[1] ?? "");
    if (kernelId) navigator.sendBeacon(`${baseUrl}voila/api/shutdown/${kernelId}`, form);
  });
  addEventListener("offline", () => warn("lost"));
  window.workbench = {
    state: () => ({ page: open, language }),
    ready() {
      started = true;
      // Voilà takes the cells into a shell of its own, which lies over the page.
      const cells = document.getElementById("rendered_cells"), main = document.getElementById("page");
      main.append(cells);
      document.body.classList.add("wb-ready");
      putBack();
      new MutationObserver(putBack).observe(main, { childList: true, subtree: true });
    },
  };
  show();
  look();
  setInterval(look, LOOK);
  if (!all("#rendered_cells script").some((each) => each.textContent.includes("widget-view+json"))) failed();
  setTimeout(failed, LONGEST_START);
  // The cookie stands for it now; in the address others could read it.
  if (location.search.includes("token=")) history.replaceState(null, "", location.pathname + location.hash);
})();
