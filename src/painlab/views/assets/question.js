// A question of a lesson: a slider with exact entry, options, a number or just a button; what is said to an answer is read out.
let made = 0;

function part(parent, kind, name, attributes = {}, text = "") {
  const element = document.createElement(kind);
  if (name) element.className = name;
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  if (text) element.textContent = text;
  parent.appendChild(element);
  return element;
}

function render({ model, el }) {
  const id = `painlab-question-${(made += 1)}-${Math.random().toString(36).slice(2, 8)}`;
  const kind = model.get("kind");
  const unit = model.get("unit");
  const inputs = [];
  el.classList.add("painlab-question");
  const set = part(el, "fieldset", "painlab-question-set", { "aria-describedby": `${id}-hint` });
  const legend = part(set, "legend", "painlab-question-ask");
  part(legend, "span", "painlab-question-badge", {}, `${model.get("badge")}: `);
  part(legend, "span", "", {}, model.get("ask"));
  part(set, "p", "painlab-question-hint", { id: `${id}-hint` }, model.get("hint"));

  function send(name, value) {
    model.set(name, value);
    model.save_changes();
  }

  if (kind === "choice") {
    model.get("options").forEach((text, place) => {
      const label = part(set, "label", "painlab-question-option");
      const radio = part(label, "input", "", { type: "radio", name: id, value: place });
      part(label, "span", "", {}, text);
      radio.addEventListener("change", () => send("value", place));
      inputs.push(radio);
    });
  } else if (kind === "prediction" || kind === "number") {
    const row = part(set, "div", "painlab-question-row");
    const limits = kind === "number" ? { step: "any" } : { min: model.get("low"), max: model.get("high"), step: model.get("step") };
    if (kind === "prediction") {
      part(row, "span", "painlab-question-end", { "aria-hidden": "true" }, `${limits.min}`);
      const slider = part(row, "input", "painlab-question-slider", { type: "range", ...limits, "aria-label": `${model.get("ask")} Slider, ${unit}` });
      part(row, "span", "painlab-question-end", { "aria-hidden": "true" }, `${limits.max}`);
      slider.addEventListener("input", () => {
        inputs.at(-1).value = slider.value;
        slider.setAttribute("aria-valuetext", `${slider.value} ${unit}`);
        send("value", slider.valueAsNumber);
      });
      inputs.push(slider);
    }
    const label = part(row, "label", "painlab-question-exact", {}, kind === "number" ? "Your number " : "Exactly ");
    const exact = part(label, "input", "", { type: "number", ...limits });
    part(label, "span", "painlab-question-unit", {}, ` ${unit}`);
    // A number out of range is sent too: Python says what it may be.
    exact.addEventListener("change", () => send("value", Number.isFinite(exact.valueAsNumber) ? exact.valueAsNumber : null));
    inputs.push(exact);
  }

  const row = part(set, "div", "painlab-question-row");
  const buttons = model.get("buttons").map(([event, text]) => {
    const button = part(row, "button", "painlab-question-button", { type: "button", "data-event": event }, text);
    // aria-disabled and not disabled: it can be reached by keyboard, and says why it does not work yet.
    button.addEventListener("click", () => model.send({ event }));
    return button;
  });
  const status = part(set, "div", "painlab-question-said", { role: "status", "aria-live": "polite" });

  function show() {
    const value = model.get("value");
    const locked = model.get("locked");
    for (const input of inputs) {
      input.disabled = locked;
      if (input.type === "radio") input.checked = Number(input.value) === value;
      else if (document.activeElement !== input) input.value = value ?? "";
      if (input.type === "range") {
        input.setAttribute("aria-valuetext", value === null ? "no prediction yet" : `${value} ${unit}`);
        input.classList.toggle("painlab-question-unset", value === null);
      }
    }
    for (const button of buttons) {
      button.setAttribute("aria-disabled", model.get("off").includes(button.dataset.event));
    }
    const said = model.get("said");
    status.className = `painlab-question-said painlab-tone-${model.get("tone")}`;
    if (status.dataset.said !== said) {
      status.dataset.said = said;
      status.replaceChildren();
      for (const text of said.split("\n\n").filter(Boolean)) part(status, "p", "", {}, text);
    }
  }

  // Keys that mean something to the notebook stay with the question.
  el.addEventListener("keydown", (event) => {
    event.stopPropagation();
    if (event.key === "Enter" && event.target.type === "number") {
      event.target.dispatchEvent(new Event("change"));
      buttons[0].click();
    }
  });
  const names = ["value", "locked", "off", "said", "tone"];
  names.forEach((trait) => model.on(`change:${trait}`, show));
  show();
  return () => names.forEach((trait) => model.off(`change:${trait}`, show));
}

export default { render };
