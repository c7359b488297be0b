// The speaker's view: a window of its own with notes, this slide and the next, where each sentence comes from, and the time.
// It is built by this page, so it needs neither a network nor a file beside the deck.

const SPEAKER_STYLE = `
  html, body { height: 100%; margin: 0; overflow: auto; background: #15191e; color: #f2f4f6; font: 20px/1.45 Helvetica, Arial, sans-serif; }
  .speaker { box-sizing: border-box; display: grid; gap: 18px 24px; grid-template-columns: 3fr 2fr; padding: 20px 24px; }
  .speaker .bar { align-items: baseline; display: flex; gap: 28px; grid-column: 1 / -1; font-variant-numeric: tabular-nums; }
  .speaker .time { font-size: 36px; font-weight: 700; }
  .speaker > section > h2 { color: #b4bcc4; font-size: 16px; font-weight: 700; margin: 0 0 6px; }
  .speaker .shot { background: #000; overflow: hidden; position: relative; width: 100%; aspect-ratio: 16 / 9; }
  .speaker .shot .reveal { height: 720px; left: 0; position: absolute; top: 0; transform-origin: 0 0; width: 1280px; }
  .speaker .shot .slides { inset: 0; margin: 0; position: absolute; }
  .speaker .shot .slides section { display: block; opacity: 1; visibility: visible; }
  .speaker .words p { font-size: 24px; margin: 0 0 12px; }
  .speaker .from dt { font-size: 16px; }
  .speaker .from dd { color: #b4bcc4; font: 14px/1.4 Consolas, Menlo, monospace; margin: 0 0 8px; overflow-wrap: anywhere; }
  .speaker button { background: none; border: 1px solid #b4bcc4; border-radius: 6px; color: inherit; font: inherit; padding: 2px 12px; }
  .speaker .end { color: #b4bcc4; font-size: 24px; padding: 24px; }
`;

let speaker = null;
let began = 0;
let clock = 0;

function built(owner, kind, name, parent, text = "") {
  const element = owner.createElement(kind);
  element.className = name;
  element.textContent = text;
  parent.append(element);
  return element;
}

// Sentences of a slide with where each comes from, as terms and descriptions.
function listTraces(list, section) {
  list.replaceChildren();
  for (const item of section.querySelectorAll("[data-trace]")) {
    built(list.ownerDocument, "dt", "", list, item.textContent).dir = "auto";
    built(list.ownerDocument, "dd", "", list, item.dataset.trace);
  }
  const sources = section.querySelector(".sources");
  if (sources) {
    built(list.ownerDocument, "dt", "", list, "Sources");
    for (const source of sources.querySelectorAll("[data-whole]")) built(list.ownerDocument, "dd", "", list, source.dataset.whole).dir = "auto";
  }
}

function showShot(holder, section) {
  holder.replaceChildren();
  if (!section) return built(holder.ownerDocument, "p", "end", holder, "The end.");
  const reveal = built(holder.ownerDocument, "div", "reveal", holder);
  const slides = built(holder.ownerDocument, "div", "slides", reveal);
  const copy = holder.ownerDocument.importNode(section, true);
  copy.className = "present";
  for (const name of ["style", "hidden", "aria-hidden", "inert"]) copy.removeAttribute(name);
  copy.querySelectorAll("button, input").forEach((each) => (each.disabled = true));
  slides.append(copy);
  reveal.style.transform = `scale(${holder.clientWidth / 1280})`;
  return copy;
}

function refreshSpeaker() {
  showNotesBelow();
  if (!speaker || speaker.closed) return;
  const page = speaker.document;
  const section = Reveal.getCurrentSlide();
  const all = Reveal.getSlides();
  const at = all.indexOf(section);
  page.documentElement.dataset.theme = document.documentElement.dataset.theme;
  page.querySelector(".place").textContent = `Slide ${at + 1} of ${all.length}`;
  showShot(page.querySelector(".now"), section);
  showShot(page.querySelector(".next"), all[at + 1]);
  const notes = [...section.querySelectorAll("aside.notes p")].map((each) => page.importNode(each, true));
  page.querySelector(".words").replaceChildren(...notes);
  if (!notes.length) built(page, "p", "", page.querySelector(".words"), "No notes for this slide.");
  listTraces(page.querySelector(".from dl"), section);
}

const twoDigits = (number) => String(Math.floor(number)).padStart(2, "0");

function tick() {
  if (!speaker || speaker.closed) return;
  const seconds = (Date.now() - began) / 1000;
  const minutes = Number(document.querySelector(".reveal").dataset.minutes);
  speaker.document.querySelector(".time").textContent = `${twoDigits(seconds / 60)}:${twoDigits(seconds % 60)}`;
  speaker.document.querySelector(".of").textContent = `of ${minutes} minutes`;
  speaker.document.querySelector(".clock").textContent = new Date().toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
}

function buildSpeaker() {
  const page = speaker.document;
  page.title = `Speaker: ${document.title}`;
  page.documentElement.lang = "en";
  page.head.replaceChildren();
  page.body.replaceChildren();
  for (const style of document.querySelectorAll("style")) built(page, "style", "", page.head, style.textContent);
  built(page, "style", "", page.head, SPEAKER_STYLE);
  const main = built(page, "main", "speaker", page.body);
  const bar = built(page, "div", "bar", main);
  for (const name of ["time", "of", "clock", "place"]) built(page, "span", name, bar);
  const again = built(page, "button", "", bar, "Start the time again");
  again.addEventListener("click", () => {
    began = Date.now();
    tick();
  });
  for (const [name, heading] of [["now", "Now"], ["next", "Next"]]) {
    const part = built(page, "section", "", main);
    built(page, "h2", "", part, heading);
    built(page, "div", `shot ${name}`, part).setAttribute("aria-hidden", "true");
  }
  const notes = built(page, "section", "", main);
  built(page, "h2", "", notes, "Notes");
  built(page, "div", "words", notes).setAttribute("aria-live", "polite");
  const from = built(page, "section", "from", main);
  built(page, "h2", "", from, "Where the sentences come from");
  built(page, "dl", "", from);
  page.addEventListener("keydown", (event) => {
    if (event.target.tagName === "BUTTON" && [" ", "Enter"].includes(event.key)) return;
    const forward = ["ArrowRight", "ArrowDown", "PageDown", " ", "n"];
    const back = ["ArrowLeft", "ArrowUp", "PageUp", "p"];
    if (forward.includes(event.key)) Reveal.next();
    else if (back.includes(event.key)) Reveal.prev();
    else return;
    event.preventDefault();
  });
  speaker.addEventListener("resize", refreshSpeaker);
}

function openSpeaker() {
  if (!speaker || speaker.closed) {
    speaker = window.open("", "painlab-speaker", "popup,width=1240,height=860");
    if (!speaker) return toggleNotesBelow();
    began = Date.now();
    buildSpeaker();
    clearInterval(clock);
    clock = setInterval(tick, 1000);
  }
  refreshSpeaker();
  tick();
  speaker.focus();
  return speaker;
}

// Where the browser allows no second window, notes stand below the slide.
let below = null;

function toggleNotesBelow() {
  if (below) below.remove();
  below = below ? null : built(document, "aside", "notes-below", document.body);
  below?.setAttribute("aria-label", "Notes");
  showNotesBelow();
  return null;
}

function showNotesBelow() {
  below?.replaceChildren(...[...Reveal.getCurrentSlide().querySelectorAll("aside.notes p")].map((each) => each.cloneNode(true)));
}
