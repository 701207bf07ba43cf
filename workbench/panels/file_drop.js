// Files on their way to Python in pieces, each answered before the next leaves: no limit of a websocket is met, the
// progress is real, and a stop stops. Python keeps names and sizes; `words` are what is said, in the language now.
const PIECE = 2 * 1024 * 1024;
function render({ model, el }) {
  const make = (tag, className, parent) => {
    const node = document.createElement(tag);
    node.className = className;
    parent.append(node);
    return node;
  };
  const zone = make("div", "wb-drop", el), title = make("div", "wb-drop-title", zone), line = make("div", "wb-row", zone);
  const inputs = (model.get("folders") ? ["files", "folder"] : ["files"]).map((kind) => {
    const label = make("label", "wb-drop-choose", line), input = make("input", "wb-drop-input", label);
    Object.assign(input, { type: "file", multiple: model.get("folders"), accept: kind === "files" ? model.get("accept") : "" });
    if (kind === "folder") input.webkitdirectory = true;
    input.addEventListener("change", () => { send([...input.files].map((file) => [file.webkitRelativePath || file.name, file])); });
    return [kind, make("span", "", label), input];
  });
  const hint = make("span", "wb-quiet", line), going = make("div", "wb-row", zone);
  const bar = make("progress", "", going), said = make("span", "wb-quiet", going), stop = make("button", "wb-drop-choose", going);
  const kept = make("div", "wb-row", zone), list = make("span", "wb-drop-list", kept), clear = make("button", "wb-drop-choose", kept);
  stop.type = clear.type = "button";
  let stopped = false, answered = null;
  const megabytes = (size) => Math.max(size / 1e6, size && 0.1).toFixed(size < 1e7 ? 1 : 0);
  const fill = (text, values) => text.replace(/\{(\w+)\}/g, (_, name) => values[name]);

  function show() {
    const words = model.get("words"), files = model.get("files"), total = files.reduce((sum, [, size]) => sum + size, 0);
    title.textContent = words.title;
    for (const [kind, text] of inputs) text.textContent = words[kind];
    hint.textContent = words.hint;
    stop.textContent = words.stop;
    clear.textContent = words.clear;
    bar.setAttribute("aria-label", words.sending);
    list.textContent = fill(words.list, { n: files.length, megabytes: megabytes(total), names: files.slice(0, 3).map(([name]) => name.split("/").pop()).join(", ") + (files.length > 3 ? " …" : "") });
    kept.hidden = !files.length;
  }
  const ask = (message, pieces = []) => new Promise((resolve) => { answered = resolve; model.send(message, undefined, pieces); });
  async function send(chosen) {
    const words = model.get("words"), total = chosen.reduce((sum, [, file]) => sum + file.size, 0);
    let sent = 0;
    stopped = false;
    going.hidden = false;
    for (const [name, file] of chosen) {
      if (stopped || !(await ask({ kind: "begin", name, size: file.size })).taken) { sent += file.size; continue; }
      for (let at = 0; at < file.size && !stopped; at += PIECE) {
        const piece = await file.slice(at, at + PIECE).arrayBuffer();
        await ask({ kind: "piece" }, [new DataView(piece)]);
        sent += piece.byteLength;
        bar.value = sent / Math.max(total, 1);
        said.textContent = fill(words.progress, { done: megabytes(sent), total: megabytes(total) });
      }
      await ask({ kind: stopped ? "stop" : "end" });
    }
    await ask({ kind: "done" });
    going.hidden = true;
    for (const [, , input] of inputs) input.value = "";
  }
  async function within(entry, path = "") {
    if (entry.isFile) return [[path + entry.name, await new Promise((resolve, fail) => entry.file(resolve, fail))]];
    const reader = entry.createReader(), all = [];
    for (let some; (some = await new Promise((resolve, fail) => reader.readEntries(resolve, fail))).length; ) all.push(...some);
    return (await Promise.all(all.map((each) => within(each, `${path}${entry.name}/`)))).flat();
  }
  zone.addEventListener("dragover", (event) => { event.preventDefault(); zone.classList.add("wb-over"); });
  zone.addEventListener("dragleave", () => zone.classList.remove("wb-over"));
  zone.addEventListener("drop", async (event) => {
    event.preventDefault();
    zone.classList.remove("wb-over");
    const entries = [...event.dataTransfer.items].map((item) => item.webkitGetAsEntry()).filter(Boolean);
    send((await Promise.all(entries.map((entry) => within(entry)))).flat());
  });
  stop.addEventListener("click", () => { stopped = true; });
  clear.addEventListener("click", () => model.send({ kind: "clear" }));
  const heard = (message) => { answered?.(message); };
  model.on("msg:custom", heard);
  model.on("change:words change:files", show);
  going.hidden = true;
  show();
  return () => { stopped = true; model.off("msg:custom", heard); model.off("change:words change:files", show); };
}
export default { render };
