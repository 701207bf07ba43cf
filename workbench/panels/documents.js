// Two whole documents. Clicking a requirement that has evidence brings its phrase into view; where a phrase is asked
// for, clicking one (or Enter on it) chooses it, and text marked in it is chosen instead of all of it.
function render({ model, el }) {
  const parts = () => [...el.querySelectorAll(".wb-resume [data-part]")];
  let gone = false;
  const within = (side, part, behavior) => {
    if (gone || !el.contains(part)) return;
    // Nothing has a place before it is on the page.
    if (!part.getClientRects().length) return requestAnimationFrame(() => within(side, part, behavior));
    const room = side.querySelector(".wb-scroll"), at = part.getBoundingClientRect(), box = room.getBoundingClientRect();
    room.scrollTo({ top: room.scrollTop + at.top - box.top - box.height / 3, behavior });
  };
  function marked() {
    const phrase = model.get("phrase");
    for (const part of parts()) {
      const chosen = phrase !== "" && part.textContent.includes(phrase);
      part.classList.toggle("wb-chosen", chosen);
      if (model.get("picks")) part.setAttribute("aria-pressed", chosen);
    }
  }
  function draw() {
    const rooms = () => [...el.querySelectorAll(".wb-scroll")], pair = () => el.querySelector("[data-pair]")?.dataset.pair;
    const before = pair(), tops = rooms().map((room) => room.scrollTop);
    el.innerHTML = model.get("value");
    el.classList.toggle("wb-picks", model.get("picks"));
    if (model.get("picks")) for (const part of parts()) { part.tabIndex = 0; part.role = "button"; }
    marked();
    // The same two documents, drawn anew with evidence or in another language, stay where they were read.
    if (before === pair()) return rooms().forEach((room, at) => { room.scrollTop = tops[at]; });
    const asked = el.querySelector(".wb-jd .wb-asked");
    if (asked) within(el.querySelector(".wb-jd"), asked, "instant");
  }
  function act(event) {
    const asking = event.target.closest?.("[data-to]"), part = event.target.closest?.(".wb-resume [data-part]");
    if (asking) {
      const to = el.querySelector(`.wb-resume [data-part="${asking.dataset.to}"]`);
      for (const each of el.querySelectorAll(".wb-shown")) each.classList.remove("wb-shown");
      asking.classList.add("wb-shown");
      to.classList.add("wb-shown");
      within(el.querySelector(".wb-resume"), to, "smooth");
    } else if (part && model.get("picks")) {
      const selected = String(getSelection()).trim(), whole = part.textContent.trim();
      model.set("phrase", selected && whole.includes(selected) ? selected : whole);
      model.save_changes();
    } else return;
    event.preventDefault();
  }
  const pressed = (event) => { if (event.key === "Enter" || event.key === " ") act(event); };
  el.addEventListener("click", act);
  el.addEventListener("keydown", pressed);
  model.on("change:value", draw);
  model.on("change:phrase", marked);
  draw();
  return () => {
    gone = true;
    el.removeEventListener("click", act);
    el.removeEventListener("keydown", pressed);
  };
}
export default { render };
