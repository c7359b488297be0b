// Draws charts to fill the room their slide gives them, in the colors of the page; type keeps its size.

const figures = JSON.parse(document.getElementById("painlab-figures").textContent);
const sizes = new Map(); // a picture's width and height in pixels of the unscaled slide
const views = new Map(); // what is drawn in a picture
const TYPE = 18; // least size of type in a chart

const isDark = () => document.documentElement.dataset.theme === "dark";

function colors() {
  const style = getComputedStyle(document.documentElement);
  return Object.fromEntries(["page", "ink", "quiet", "rule", "accent"].map((name) => [name, style.getPropertyValue(`--${name}`).trim()]));
}

// The chart's own looks over those of the deck; type in axes and legends is never too small for a room.
function looks(own = {}) {
  const { ink, quiet, rule, accent } = colors();
  const text = { labelColor: quiet, titleColor: quiet, labelFontSize: TYPE, titleFontSize: TYPE, titleFontWeight: "normal" };
  const merged = {
    ...own,
    background: "transparent",
    padding: 4,
    font: own.font ?? "Helvetica Neue, Helvetica, Arial, Liberation Sans, DejaVu Sans, sans-serif",
    view: { stroke: null, ...own.view },
    axis: { ...text, domainColor: quiet, gridColor: rule, tickColor: quiet, labelPadding: 6, ...own.axis },
    legend: { ...text, symbolSize: 160, ...own.legend },
    header: { ...text, ...own.header },
    title: { color: ink, subtitleColor: quiet, fontSize: 22, subtitleFontSize: TYPE, anchor: "start", ...own.title },
    text: { color: ink, fontSize: TYPE, ...own.text },
    line: { color: accent, ...own.line },
    bar: { color: accent, ...own.bar },
    rule: { color: ink, ...own.rule },
  };
  for (const part of ["axis", "axisX", "axisY", "legend", "header"]) {
    for (const size of ["labelFontSize", "titleFontSize"]) if (merged[part]?.[size]) merged[part][size] = Math.max(TYPE, merged[part][size]);
  }
  return merged;
}

// How many charts stand side by side.
function across(view) {
  if (view.hconcat) return view.hconcat.reduce((sum, each) => sum + across(each), 0);
  if (view.vconcat) return Math.max(...view.vconcat.map(across));
  if (view.concat) return Math.min(view.columns ?? view.concat.length, view.concat.length);
  return 1;
}

// And how many one below the other.
function down(view) {
  if (view.vconcat) return view.vconcat.reduce((sum, each) => sum + down(each), 0);
  if (view.hconcat) return Math.max(...view.hconcat.map(down));
  return view.concat ? Math.ceil(view.concat.length / across(view)) : 1;
}

// A picture has no axes: it is drawn larger or smaller as a whole.
function isPicture(spec) {
  const places = [spec, ...(spec.layer ?? [])].flatMap((view) => ["x", "y"].map((name) => view.encoding?.[name]).filter(Boolean));
  return places.length > 0 && places.every((each) => each.axis === null);
}

// Below this height in pixels a chart is better without sentences beneath it.
function leastHeight(spec) {
  const whole = extent(spec)[1] + 130 * down(spec);
  return isPicture(spec) ? 450 : Math.min(430, Math.max(300, 0.72 * (whole || 0)));
}

const CONTAINERS = ["hconcat", "vconcat", "concat"];
const length = (value, otherwise) => (typeof value === "number" ? value : value?.step ? NaN : otherwise);

// Width and height of the plots themselves, summed across and down; NaN where only drawing tells.
function extent(view) {
  const kind = CONTAINERS.find((name) => view[name]);
  if (!kind) return view.spec || view.encoding?.row || view.encoding?.column || view.encoding?.facet ? [NaN, NaN] : [length(view.width, 300), length(view.height, 260)];
  const each = view[kind].map(extent);
  const columns = kind === "vconcat" ? 1 : kind === "hconcat" ? each.length : (view.columns ?? each.length);
  const most = (list, axis) => Math.max(...list.map((one) => one[axis]));
  let [width, height] = [0, 0];
  for (let column = 0; column < Math.min(columns, each.length); column++) width += most(each.filter((_, place) => place % columns === column), 0);
  for (let row = 0; row * columns < each.length; row++) height += most(each.slice(row * columns, (row + 1) * columns), 1);
  return [width, height];
}

// The chart with its plots wider and taller by two factors.
function stretched(view, wider, taller, gap = 0) {
  const kind = CONTAINERS.find((name) => view[name]);
  const between = view.spacing?.column ?? (typeof view.spacing === "number" ? view.spacing : 20);
  if (kind) return { ...view, [kind]: view[kind].map((each) => stretched(each, wider, taller, between)) };
  if (view.spec) return { ...view, spec: stretched(view.spec, wider, taller) };
  const scaled = (value, factor, otherwise) => (value?.step ? { step: value.step * factor } : (typeof value === "number" ? value : otherwise) * factor);
  const width = scaled(view.width, wider, 300);
  return { ...view, width, height: scaled(view.height, taller, 260), ...wrappedTitle(view, width + Math.max(6, gap - 64)), ...apart(view, taller) };
}

// A plot's title in lines that end before the next plot's begin.
function wrappedTitle(view, width) {
  if (!view.title?.text || !(width > 0)) return {};
  const lines = (text, size, weight) => (typeof text === "string" ? wrapped(text, width, `${weight} ${size}px Helvetica, Arial, Liberation Sans, sans-serif`) : text);
  return { title: { ...view.title, text: lines(view.title.text, 22, "bold"), ...(view.title.subtitle ? { subtitle: lines(view.title.subtitle, 20, "") } : {}) } };
}

const ruler = document.createElement("canvas").getContext("2d");

function wrapped(text, width, font) {
  ruler.font = font;
  const lines = [];
  for (const word of text.split(" ")) {
    const longer = lines.length ? `${lines.at(-1)} ${word}` : word;
    if (lines.length && ruler.measureText(longer).width <= width) lines[lines.length - 1] = longer;
    else lines.push(word);
  }
  return lines;
}

// Labels at the ends of lines keep their distance (views/panels.py writes it as a share of the height that it knew).
function apart(view, taller) {
  if (!view.transform || taller === 1) return {};
  const kept = (formula) => formula.replace(/(datum\.top \* )([\d.]+)/g, (_, top, share) => `${top}${(share / taller).toFixed(4)}`);
  return { transform: view.transform.map((each) => (each.calculate ? { ...each, calculate: kept(each.calculate) } : each)) };
}

const words = (title) => [title?.text ?? title ?? ""].flat().join(" ").trim();

function prepared(figure, picture) {
  const spec = { ...figure.spec, ...(isDark() ? figure.dark : {}) };
  spec.config = looks(spec.config ?? {});
  delete spec.background;
  delete spec.autosize;
  // The slide says the finding already.
  const headline = picture.closest(".page").querySelector(".headline").textContent.trim();
  if (spec.title && words(spec.title) === headline) delete spec.title;
  if (figure.grid) spec.datasets = { weekly: gridRows(figure) };
  return spec;
}

async function embed(spec) {
  const holder = document.createElement("div");
  const options = { mode: "vega-lite", renderer: "svg", actions: false, defaultStyle: false, ast: true, tooltip: false };
  const drawn = await painlabEmbed(holder, spec, options);
  const svg = holder.querySelector("svg");
  return { holder, drawn, width: Number(svg.getAttribute("width")), height: Number(svg.getAttribute("height")) };
}

// Drawn once to see what axes and labels need beside the plots, then again with plots that take the rest.
async function drawn(figure, picture) {
  const [width, height] = sizes.get(picture);
  const spec = prepared(figure, picture);
  const plots = extent(spec);
  let factors = figure.factors ?? [1, 1];
  let result = await embed(isPicture(spec) ? spec : stretched(spec, ...factors));
  if (isPicture(spec)) return result;
  for (let pass = 0; pass < 3; pass++) {
    const [over, under] = [width - result.width, height - result.height];
    if (Math.abs(over) <= 0.015 * width && Math.abs(under) <= 0.02 * height) break;
    const grown = (axis, rest, whole) => Math.min(12, Math.max(0.2, factors[axis] + rest / (plots[axis] || whole * 0.85)));
    factors = [grown(0, over, result.width / factors[0]), grown(1, under, result.height / factors[1])];
    result.drawn.finalize();
    result = await embed(stretched(spec, ...factors));
  }
  figure.factors = factors;
  return result;
}

async function drawPicture(picture) {
  const figure = figures[picture.dataset.figure];
  try {
    const result = await drawn(figure, picture);
    views.get(picture)?.finalize();
    views.set(picture, result.drawn);
    picture.replaceChildren(result.holder);
    picture.dataset.drawn = Number(picture.dataset.drawn ?? 0) + 1;
    picture.dataset.theme = document.documentElement.dataset.theme;
  } catch (error) {
    picture.textContent = `The chart cannot be drawn: ${error.message}`;
    console.error(error);
  }
}

// One after the other, those nearest to the slide that is shown first.
let drawing = Promise.resolve();
function drawAll(from = 0) {
  const distance = (picture) => {
    const place = [...picture.closest(".slides").querySelectorAll("section")].indexOf(picture.closest("section")) - from;
    return place < 0 ? -place + 0.5 : place;
  };
  const waiting = [...document.querySelectorAll(".slides .picture")].sort((a, b) => distance(a) - distance(b));
  drawing = drawing.then(async () => {
    for (const picture of waiting) {
      if (picture.dataset.theme === document.documentElement.dataset.theme) continue;
      await drawPicture(picture);
      await new Promise((done) => setTimeout(done));
    }
  });
  return drawing;
}
