// Makes every slide's text fit its 1280 by 720 pixels: type shrinks to a size that can still be read from the back row, then a slide is
// followed by another that continues it, and only a single sentence that fills a slide alone is cut.

const LEAST = { title: 24, words: 24, figure: 24, table: 22, live: 24, appendix: 16 };
const MOST = { title: 30, words: 34, figure: 24, table: 24, live: 26, appendix: 18 };
const LIVE = 250; // and of one with levers before the sentence above it is made smaller

function* sizesDown(most, least) {
  for (let size = most; size >= least; size -= 2) yield size;
}

function shrinkUntil(element, most, least, fits) {
  for (const size of sizesDown(most, least)) {
    element.style.fontSize = `${size}px`;
    if (fits()) return true;
  }
  return false;
}

// The last resort: as many lines as there is room for, the whole text in a tooltip.
function clamp(element, height) {
  const line = parseFloat(getComputedStyle(element).lineHeight);
  element.title = element.textContent;
  element.classList.add("clamped");
  element.style.webkitLineClamp = Math.max(1, Math.floor(height / line));
}

function fitHeadline(page) {
  const headline = page.querySelector(".headline");
  const first = page.classList.contains("kind-title");
  const most = parseFloat(getComputedStyle(headline).fontSize);
  const room = first ? 330 : 140;
  if (shrinkUntil(headline, most, first ? 34 : 28, () => headline.offsetHeight <= room)) return;
  const more = room + 36;
  if (!shrinkUntil(headline, first ? 32 : 26, 24, () => headline.offsetHeight <= more)) clamp(headline, more - (first ? 40 : 0));
}

function bodyFits(page) {
  const body = page.querySelector(".body");
  const children = [...body.children].filter((child) => !child.hidden);
  if (!children.length) return true;
  const beside = page.classList.contains("beside");
  const gap = parseFloat(getComputedStyle(body).rowGap) || 0;
  const heights = children.map((child) => Math.max(child.offsetHeight, child.scrollHeight));
  const used = beside ? Math.max(...heights) : heights.reduce((sum, height) => sum + height, gap * (children.length - 1));
  const wide = children.some((child) => child.offsetLeft + Math.max(child.offsetWidth, child.scrollWidth) > body.offsetLeft + body.clientWidth + 1);
  return used <= body.clientHeight + 1 && !wide;
}

const parts = (page) => [...page.querySelectorAll(".said > li, tbody > tr")];

// A slide after this one with the parts that did not fit, under the same headline.
function continued(section, moved) {
  const next = section.cloneNode(true);
  const page = next.querySelector(".page");
  next.querySelectorAll(".chart, .live, .keys, .meta, .mark").forEach((each) => each.remove());
  const rows = moved.some((part) => part.tagName === "TR");
  if (!rows) next.querySelector("table")?.remove();
  if (!next.querySelector(".said")) built(document, "ul", "said", next.querySelector(".body"));
  parts(next).forEach((part) => part.remove());
  moved.forEach((part) => next.querySelector(part.tagName === "TR" ? "tbody" : ".said").appendChild(part));
  if (!next.querySelector(".said > li")) next.querySelector(".said")?.remove();
  next.querySelector("table")?.removeAttribute("hidden");
  if (!page.classList.contains("kind-appendix")) page.className = rows ? "page kind-table" : "page kind-words";
  page.classList.add("goes-on");
  next.removeAttribute("data-background-color");
  page.querySelectorAll("[style]").forEach((each) => each.removeAttribute("style"));
  section.after(next);
  return next;
}

// Moves what does not fit to a next slide, about as much to each, and lets the type of what stays grow again.
function spill(section, kind, fits) {
  const page = section.querySelector(".page");
  const moved = [];
  const move = () => {
    moved.unshift(parts(page).at(-1));
    moved[0].remove();
    if (!page.querySelector(".said > li")) page.querySelector(".said")?.remove();
  };
  while (parts(page).length > 1 && !fits()) move();
  const likes = parts(page)[0]?.tagName;
  const count = () => moved.filter((part) => part.tagName === likes).length;
  while (count() && count() < parts(page).length - 1) move();
  const [first] = parts(page);
  const holder = first?.closest("table") ?? page.querySelector(".said");
  if (holder && !shrinkUntil(holder, MOST[kind], 14, fits)) {
    const cells = first.tagName === "TR" ? [...first.children].map(inner) : [first];
    for (let height = 560; height > 40 && !fits(); height -= 40) cells.forEach((cell) => clamp(cell, height));
  }
  return moved.length ? fitSlide(continued(section, moved)) : [];
}

// A table's cell cannot be cut itself.
function inner(cell) {
  if (cell.firstElementChild) return cell.firstElementChild;
  const held = document.createElement("div");
  held.append(...cell.childNodes);
  cell.append(held);
  return held;
}

// A chart that stands alone has its sentences beside it, where they fit; others have up to three below. The rest, and a table, follow.
function fitFigure(section) {
  const page = section.querySelector(".page");
  const table = page.querySelector("table");
  if (table) table.hidden = true;
  const rest = fitSentences(page, section.dataset.key === "demand");
  if (!table && !rest.length) return [section];
  const next = continued(section, [...page.querySelectorAll("tbody > tr"), ...rest]);
  table?.remove();
  return [section, ...fitSlide(next)];
}

// Returns the sentences that found no place with the chart.
function fitSentences(page, isDemand) {
  const list = page.querySelector(".said");
  const picture = page.querySelector(".picture");
  if (!list) return [];
  const { spec } = figures[picture.dataset.figure];
  const all = [...list.children];
  // Pain and function stay beside demand, whatever goes on on the next slide.
  const others = isDemand ? all.findIndex((each) => /\brun[^:;]*:(pain|function)\//.test(each.dataset.trace)) : 0;
  if (others > 1) all.splice(1, 0, ...all.splice(others, 1));
  list.replaceChildren(...all);
  const fitsBelow = () => shrinkUntil(list, MOST.figure, LEAST.figure, () => bodyFits(page) && picture.clientHeight >= leastHeight(spec));
  if (all.length <= 2 && fitsBelow()) return [];
  if (across(spec) === 1 && !isPicture(spec)) {
    page.classList.add("beside");
    if (shrinkUntil(list, MOST.figure, LEAST.figure, () => bodyFits(page))) return [];
    page.classList.remove("beside");
  }
  for (let kept = Math.min(3, all.length); kept > 0; kept--) {
    if (kept > 1 && kept === all.length - 1) continue; // no slide for a single sentence
    list.replaceChildren(...all.slice(0, kept));
    if (fitsBelow()) return all.slice(kept);
  }
  list.remove();
  return all;
}

function fitLive(section) {
  const page = section.querySelector(".page");
  const finding = page.querySelector(".finding");
  const picture = page.querySelector(".picture");
  page.querySelectorAll(".lever .words, .choice span, .lever legend").forEach((each) => each.offsetHeight > 72 && clamp(each, 72));
  // The longest finding that the levers can bring sets the size, so that nothing moves while they do.
  const shown = finding.textContent;
  finding.textContent = figures[picture.dataset.figure].grid.headlines.reduce((long, one) => (one.length > long.length ? one : long), "");
  if (!shrinkUntil(finding, MOST.live, LEAST.live, () => bodyFits(page) && picture.clientHeight >= LIVE)) clamp(finding, 78);
  finding.style.minHeight = `${finding.offsetHeight}px`;
  finding.textContent = shown;
  return [section];
}

// Returns this slide and those that continue it.
function fitSlide(section) {
  const page = section.querySelector(".page");
  const kind = Object.keys(MOST).find((each) => page.classList.contains(`kind-${each}`)) ?? "words";
  fitHeadline(page);
  page.querySelectorAll(".sources, .caption, caption").forEach((each) => each.offsetHeight > 42 && clamp(each.tagName === "CAPTION" ? inner(each) : each, 42));
  if (page.querySelector(".live")) return fitLive(section);
  if (page.querySelector(".picture")) return fitFigure(section);
  const table = page.querySelector("table");
  const list = page.querySelector(".said");
  if (table) {
    const fits = () => bodyFits(page);
    if (list && !fits()) shrinkUntil(list, MOST[kind], LEAST[kind], fits);
    if (shrinkUntil(table, MOST[kind], LEAST[kind], fits)) return [section];
    if (table.offsetWidth > page.querySelector(".body").clientWidth) table.classList.add("breaking");
    return shrinkUntil(table, MOST[kind], LEAST[kind], fits) ? [section] : [section, ...spill(section, kind, fits)];
  }
  if (!list || shrinkUntil(list, MOST[kind], LEAST[kind], () => bodyFits(page))) return [section];
  return [section, ...spill(section, kind, () => bodyFits(page))];
}

function fitAll(slides) {
  for (const section of [...slides.children]) {
    const run = fitSlide(section);
    if (run.length > 1) {
      run.forEach((each, place) => {
        const part = each.querySelector(".kicker .part");
        if (part) part.textContent = `${part.parentElement.textContent ? " · " : ""}${place + 1} of ${run.length}`;
      });
    }
  }
  const all = [...slides.children];
  all.forEach((section, place) => {
    section.querySelector("footer .place").textContent = `${place + 1} / ${all.length}`;
    section.querySelectorAll(".picture").forEach((picture) => sizes.set(picture, [picture.clientWidth, picture.clientHeight]));
  });
}
