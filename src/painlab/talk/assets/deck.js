// Starts the talk: fits its slides, sets reveal.js up, draws charts, and adds the keys that reveal.js has not.

const root = document.documentElement;
const slides = document.querySelector(".slides");
const printing = /print-pdf/i.test(location.search);
const traces = document.getElementById("painlab-traces");
if (printing) root.dataset.theme = "light";

document.body.classList.add("measuring");
await document.fonts.ready;
fitAll(slides);
document.body.classList.remove("measuring");
document.querySelectorAll(".live").forEach(connectLevers);
if (printing) await drawAll();

function toggleTheme() {
  root.dataset.theme = isDark() ? "light" : "dark";
  drawAll(Reveal.getIndices().h).then(refreshSpeaker);
}

function showTraces() {
  const list = traces.querySelector("dl");
  listTraces(list, Reveal.getCurrentSlide());
  if (!list.children.length) built(document, "dt", "", list, "There is nothing to trace on this slide.");
  traces.showModal();
}

const backToThePlan = () => Reveal.getCurrentSlide().querySelector(".live .back")?.click();

// Opens the view that prints a slide a page, and comes back.
function print() {
  location.search = "?print-pdf&now";
}

const KEYS = [
  [83, "S", "Speaker’s view", openSpeaker],
  [84, "T", "Light or dark", toggleTheme],
  [87, "W", "Where this slide’s sentences come from", showTraces],
  [82, "R", "Levers back to the plan", backToThePlan],
];

// Sliders and buttons keep the keys they need; a presenter's remote turns slides all the same.
function onKey(event) {
  const { target, key } = event;
  if ((event.ctrlKey || event.metaKey) && key.toLowerCase() === "p" && !printing) {
    event.preventDefault();
    print();
    return;
  }
  const lever = target instanceof HTMLInputElement && target.closest(".lever");
  if (lever && ["PageDown", "PageUp", "Escape"].includes(key)) {
    event.preventDefault();
    event.stopPropagation();
    target.blur();
    if (key !== "Escape") key === "PageDown" ? Reveal.next() : Reveal.prev();
  } else if (target instanceof HTMLButtonElement && [" ", "Enter"].includes(key)) {
    event.stopPropagation();
  }
}

function onClick(event) {
  if (!(event.target instanceof Element)) return;
  const button = event.target.closest("footer button");
  if (!button || Reveal.isOverview()) return;
  button.blur();
  button.classList.contains("after") ? Reveal.next() : Reveal.prev();
}

window.addEventListener("keydown", onKey, true);
document.addEventListener("click", onClick);

await Reveal.initialize({
  width: 1280,
  height: 720,
  margin: 0,
  minScale: 0.1,
  maxScale: 8,
  center: false,
  controls: false,
  progress: true,
  hash: true,
  navigationMode: "linear",
  transition: "none",
  backgroundTransition: "none",
  postMessage: false,
  scrollActivationWidth: null,
  pdfMaxPagesPerSlide: 1,
  keyboardCondition: () => !traces.open,
});
for (const [keyCode, key, description, then] of KEYS) Reveal.addKeyBinding({ keyCode, key, description }, then);
Reveal.on("slidechanged", (event) => {
  if (event.previousSlide?.contains(document.activeElement)) document.activeElement.blur();
  refreshSpeaker();
});
if (!printing) {
  await drawAll(Reveal.getIndices().h);
  refreshSpeaker();
} else if (/[?&]now\b/.test(location.search)) {
  window.addEventListener("afterprint", () => (location.search = ""));
  setTimeout(() => window.print(), 300);
}
root.dataset.ready = "true";
