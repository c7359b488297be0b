// Draws one Vega-Lite chart and feeds it new rows. vl_convert bundles this with Vega, Vega-Lite and vegaEmbed (a name it provides).

const PADDING = 12;
const TOUCHES = ["input", "change", "click"];

// Columns arrive as float64 buffers or plain lists; NaN is a missing number.
function toRows(columns) {
  const names = Object.keys(columns);
  const values = names.map((name) => {
    const column = columns[name];
    return column instanceof DataView ? new Float64Array(column.buffer.slice(column.byteOffset, column.byteOffset + column.byteLength)) : column;
  });
  const rows = new Array(names.length ? values[0].length : 0);
  for (let i = 0; i < rows.length; i++) {
    const row = {};
    for (let j = 0; j < names.length; j++) {
      const value = values[j][i];
      row[names[j]] = Number.isNaN(value) ? null : value;
    }
    rows[i] = row;
  }
  return rows;
}

function toDatasets(data) {
  return Object.fromEntries(Object.entries(data).map(([name, columns]) => [name, toRows(columns)]));
}

function pageIsDark() {
  const light = document.body.dataset.jpThemeLight;
  return light === undefined ? document.body.classList.contains("vscode-dark") : light === "false";
}

// A text in lines of at most so many characters, as far as its words allow.
function inLines(text, most) {
  const lines = [];
  for (const word of text.split(" ")) {
    if (lines.length && lines.at(-1).length + 1 + word.length <= most) lines.push(`${lines.pop()} ${word}`);
    else lines.push(word);
  }
  return lines;
}

// Subtitles of charts side by side, in as many lines each, so that none runs into the next chart and titles stand on one line.
function withSubtitles(charts, room, size) {
  const most = Math.floor(room / (0.5 * size));
  const lines = charts.map((chart) => inLines([chart.title?.subtitle ?? ""].flat().join(" "), most));
  const count = Math.max(...lines.map((each) => each.length));
  if (count === 1) return charts;
  return charts.map((chart, i) => ({ ...chart, title: { ...chart.title, subtitle: [...lines[i], ...Array(count - lines[i].length).fill(" ")] } }));
}

// Charts side by side take the width there is, at the size of type they are specified with; below 640 pixels they stand in a column.
function fitted(spec, width, config) {
  const gap = spec.usermeta?.painlab?.fit;
  if (!gap || width < 200) return spec;
  const columns = width < 640 ? 1 : spec.columns;
  const each = Math.min(420, Math.max(110, Math.floor((width - 2 * PADDING) / columns - gap)));
  const charts = withSubtitles(spec.concat, each + gap, config.title?.subtitleFontSize ?? 14);
  return { ...spec, columns, concat: charts.map((chart) => ({ ...chart, width: each })) };
}

function part(parent, kind, name) {
  const element = document.createElement(kind);
  element.className = name;
  parent.appendChild(element);
  return element;
}

// Tables of a message, whose columns are lists or numbers of buffers.
function unpacked(tables, buffers) {
  const column = (values) => (Array.isArray(values) ? values : buffers[values]);
  const table = (columns) => Object.fromEntries(Object.entries(columns).map(([name, values]) => [name, column(values)]));
  return Object.fromEntries(Object.entries(tables).map(([name, columns]) => [name, table(columns)]));
}

function sameColumn(one, other) {
  if (one instanceof DataView && other instanceof DataView) {
    if (one.byteLength !== other.byteLength) return false;
    for (let i = 0; i < one.byteLength; i++) if (one.getUint8(i) !== other.getUint8(i)) return false;
    return true;
  }
  return Array.isArray(one) && Array.isArray(other) && one.length === other.length && one.every((value, i) => value === other[i]);
}

function sameKeys(one, other, same) {
  const names = Object.keys(one);
  return names.length === Object.keys(other).length && names.every((name) => name in other && same(one[name], other[name]));
}

function sameData(one, other) {
  return one === other || sameKeys(one, other, (columns, others) => sameKeys(columns, others, sameColumn));
}

export async function render({ model, el }) {
  el.classList.add("painlab-live-chart");
  const headline = part(el, "p", "painlab-headline");
  const picture = part(el, "div", "painlab-picture");
  const summary = part(el, "p", "painlab-summary");
  picture.setAttribute("role", "figure");
  summary.setAttribute("aria-live", "polite");

  let embedded = null; // what vegaEmbed returned
  let dark = null;
  let width = 0; // of the picture when it was last embedded
  let stale = "spec"; // what is to be drawn: "spec" (embed anew), "data" (feed), or null
  let scheduled = false;
  let closed = false;

  let rest = null; // timer after which the picture is sent
  let shown = model.get("data"); // the kernel's, or what it has told ahead
  let ahead = null; // data by the value that a lever would have
  let early = null; // values whose pictures were drawn before the kernel's answer
  let last = null; // value of the last move

  function forget() {
    ahead = { lever: null, values: new Map() };
    early = new Set();
  }
  forget();

  const explorer = () => el.closest(".painlab-explorer");
  function showWaiting(waiting = model.get("waiting")) {
    el.classList.toggle("painlab-waiting", waiting);
    explorer()?.classList.toggle("painlab-waiting", waiting);
  }

  function onMessage(message, buffers) {
    if (message.ahead === undefined) return;
    if (message.anew || message.ahead !== ahead.lever) ahead = { lever: message.ahead, values: new Map() };
    ahead.values.set(message.value, unpacked(message.tables, buffers));
  }

  function onMove(event) {
    if (!explorer()?.contains(event.target)) return;
    const { lever, value } = event.detail;
    const known = lever === ahead.lever ? ahead.values.get(value) : undefined;
    last = value;
    if (!known) return;
    early.add(value);
    shown = { ...shown, ...known };
    showWaiting(true);
    request("data");
  }

  // What was told ahead holds as long as nothing else than its lever is touched.
  function onTouch(event) {
    if (!explorer()?.contains(event.target) || event.target.closest(".painlab-lever")?.dataset.lever === ahead.lever) return;
    forget();
  }

  function onAnswer() {
    const [lever, value] = model.get("moved");
    if (lever === ahead.lever && value !== last && early.has(value)) return; // to a move before the last, whose answer follows
    early = new Set();
    if (sameData(shown, model.get("data"))) return;
    shown = model.get("data");
    request("data");
  }

  function sendPicture() {
    clearTimeout(rest);
    if (!model.get("keeps")) return;
    rest = setTimeout(async () => {
      if (closed || !embedded || model.get("waiting")) return;
      model.send({ svg: await embedded.view.toSVG() });
    }, 1200);
  }

  function showWords() {
    headline.textContent = model.get("headline");
    headline.hidden = !model.get("headline");
    summary.textContent = model.get("summary");
    picture.setAttribute("aria-label", model.get("description"));
  }

  function isDark() {
    const theme = model.get("theme");
    return theme === "auto" ? pageIsDark() : theme === "dark";
  }

  async function embed() {
    dark = isDark();
    const datasets = toDatasets(shown);
    const tables = Object.values(datasets);
    // Axes without numbers would only jump when the numbers come.
    if (!embedded && tables.length && tables.every((rows) => rows.length === 0)) return;
    width = picture.clientWidth;
    const config = { ...model.get(dark ? "dark_config" : "light_config"), background: "transparent" };
    const spec = { ...fitted(model.get("spec"), width, config), datasets };
    // The old picture stays until the new one is drawn.
    const next = document.createElement("div");
    const result = await vegaEmbed(next, spec, { mode: "vega-lite", renderer: model.get("renderer"), actions: false, defaultStyle: false, config });
    embedded?.finalize();
    embedded = result;
    picture.replaceChildren(next);
  }

  async function feed() {
    for (const [name, rows] of Object.entries(toDatasets(shown))) embedded.view.data(name, rows);
    await embedded.view.runAsync();
  }

  // Only the newest state is drawn: what arrives during a drawing waits, and what it replaces is never drawn.
  async function draw() {
    while (stale && !closed) {
      const what = stale;
      stale = null;
      try {
        await (what === "spec" || !embedded ? embed() : feed());
        picture.dataset.drawn = Number(picture.dataset.drawn ?? 0) + 1;
        sendPicture();
      } catch (error) {
        embedded?.finalize();
        embedded = null;
        picture.textContent = `The chart cannot be drawn: ${error.message}`;
        console.error(error);
      }
      if (stale) await new Promise(requestAnimationFrame);
    }
    scheduled = false;
    if (closed) embedded?.finalize();
  }

  function request(what) {
    stale = stale === "spec" ? "spec" : what;
    if (!scheduled) {
      scheduled = true;
      queueMicrotask(draw); // after all traits of this message
    }
  }

  const onSpec = () => {
    forget();
    request("spec");
  };
  const onPage = () => isDark() !== dark && request("spec");
  const onSize = () => model.get("spec").usermeta?.painlab?.fit && picture.clientWidth && picture.clientWidth !== width && request("spec");
  const onWaiting = () => showWaiting();
  const words = ["headline", "summary", "description"];
  const looks = ["spec", "light_config", "dark_config", "renderer", "theme"];
  words.forEach((name) => model.on(`change:${name}`, showWords));
  model.on("change:waiting", onWaiting);
  looks.forEach((name) => model.on(`change:${name}`, onSpec));
  model.on("change:data", onAnswer);
  model.on("change:moved", onAnswer);
  model.on("msg:custom", onMessage);
  document.addEventListener("painlab-move", onMove);
  TOUCHES.forEach((kind) => document.addEventListener(kind, onTouch, true));
  const page = new MutationObserver(onPage);
  page.observe(document.body, { attributes: true, attributeFilter: ["data-jp-theme-light", "class"] });
  const frame = new ResizeObserver(onSize);
  frame.observe(picture);

  showWords();
  showWaiting();
  scheduled = true;
  await draw();

  return () => {
    closed = true;
    page.disconnect();
    frame.disconnect();
    words.forEach((name) => model.off(`change:${name}`, showWords));
    model.off("change:waiting", onWaiting);
    model.off("msg:custom", onMessage);
    document.removeEventListener("painlab-move", onMove);
    TOUCHES.forEach((kind) => document.removeEventListener(kind, onTouch, true));
    clearTimeout(rest);
    looks.forEach((name) => model.off(`change:${name}`, onSpec));
    model.off("change:data", onAnswer);
    model.off("change:moved", onAnswer);
    if (!scheduled) embedded?.finalize();
  };
}
