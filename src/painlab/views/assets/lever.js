// A named slider with exact entry, a mark at the baseline's value, and a button that asks for the evidence.
let made = 0;

function part(parent, kind, name, attributes = {}) {
  const element = document.createElement(kind);
  element.className = name;
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  parent.appendChild(element);
  return element;
}

function render({ model, el }) {
  const id = `painlab-lever-${(made += 1)}-${Math.random().toString(36).slice(2, 8)}`;
  const name = model.get("name");
  const limits = { min: model.get("low"), max: model.get("high"), step: model.get("step") };
  el.classList.add("painlab-lever");
  el.dataset.lever = name;
  const head = part(el, "div", "painlab-lever-head");
  const label = part(head, "label", "painlab-lever-label", { for: id });
  label.textContent = model.get("label");
  if (model.get("unit")) part(label, "span", "painlab-lever-unit").textContent = `, ${model.get("unit")}`;
  const levels = Object.entries(model.get("levels"));
  const named = part(head, "select", "painlab-lever-levels", { "aria-label": `${name}, named level` });
  const ask = part(head, "button", "painlab-lever-ask", { type: "button", "aria-label": `Evidence for ${name}` });
  ask.textContent = "?";
  const row = part(el, "div", "painlab-lever-row");
  const track = part(row, "div", "painlab-lever-track");
  const slider = part(track, "input", "painlab-lever-slider", { type: "range", id, ...limits, "aria-label": name });
  const mark = part(track, "span", "painlab-lever-baseline", { "aria-hidden": "true" });
  for (const [words, value] of [["", ""], ...levels]) {
    const option = part(named, "option", "", { value });
    option.textContent = words;
  }
  // Any value in the range may be entered, also between two steps of the slider.
  const exact = part(row, "input", "painlab-lever-exact", { type: "number", ...limits, step: "any", "aria-label": `${name}, exact value` });
  el.title = ask.title = model.get("help");

  function show() {
    const value = model.get("value");
    const baseline = model.get("baseline");
    const unit = model.get("unit");
    // What someone is typing is left alone.
    if (document.activeElement !== exact) exact.value = Number(value.toPrecision(6));
    slider.value = value;
    const level = levels.find(([, each]) => Math.abs(each - value) < 1e-9);
    slider.setAttribute("aria-valuetext", `${value}${unit ? ` ${unit}` : ""}${level ? `, ${level[0]}` : ""}`);
    slider.style.setProperty("--share", (value - limits.min) / (limits.max - limits.min));
    named.value = level ? String(level[1]) : "";
    slider.disabled = exact.disabled = named.disabled = model.get("disabled");
    el.classList.toggle("painlab-disabled", model.get("disabled"));
    mark.hidden = baseline === null;
    mark.style.setProperty("--share", ((baseline ?? limits.min) - limits.min) / (limits.max - limits.min));
    mark.title = `Baseline: ${baseline}`;
  }

  function send(value) {
    const moves = value !== model.get("value");
    model.set("value", value);
    model.save_changes();
    // A chart that knows what comes of it draws it already.
    if (moves) el.dispatchEvent(new CustomEvent("painlab-move", { bubbles: true, detail: { lever: name, value } }));
  }

  slider.addEventListener("input", () => {
    exact.value = slider.value;
    send(slider.valueAsNumber);
  });
  exact.addEventListener("change", () => Number.isFinite(exact.valueAsNumber) && send(exact.valueAsNumber));
  exact.addEventListener("blur", show);
  exact.addEventListener("keydown", (event) => {
    if (event.key !== "ArrowUp" && event.key !== "ArrowDown") return;
    event.preventDefault(); // without steps of its own an entry would move by ones
    exact.step = limits.step;
    event.key === "ArrowUp" ? exact.stepUp() : exact.stepDown();
    exact.step = "any";
    send(exact.valueAsNumber);
  });
  named.addEventListener("change", () => (named.value === "" ? show() : send(Number(named.value))));
  // A pointer moves the slider at once: nothing can be made ready for it.
  slider.addEventListener("focus", () => slider.matches(":focus-visible") && model.send({ event: "held" }));
  ask.addEventListener("click", () => model.send({ event: "evidence" }));
  // Keys that mean something to the notebook stay with the lever.
  el.addEventListener("keydown", (event) => {
    event.stopPropagation();
    if (event.key === "Escape") model.send({ event: "dismiss" });
  });

  const names = ["value", "baseline", "disabled"];
  names.forEach((trait) => model.on(`change:${trait}`, show));
  show();
  return () => names.forEach((trait) => model.off(`change:${trait}`, show));
}

export default { render };
