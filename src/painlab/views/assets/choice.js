// One of a few: native radio buttons in a named group, so that arrow keys move and screen readers say how many there are.
let made = 0;

function render({ model, el }) {
  const group = `painlab-choice-${(made += 1)}-${Math.random().toString(36).slice(2, 8)}`;
  el.classList.add("painlab-choice");
  const set = document.createElement("fieldset");
  const legend = document.createElement("legend");
  legend.textContent = model.get("name");
  set.appendChild(legend);
  el.appendChild(set);
  const inputs = [];

  function fill() {
    for (const old of set.querySelectorAll("label")) old.remove();
    inputs.length = 0;
    for (const [value, words] of model.get("options")) {
      const label = document.createElement("label");
      const input = document.createElement("input");
      Object.assign(input, { type: "radio", name: group, value });
      const text = document.createElement("span");
      text.textContent = words;
      label.append(input, text);
      set.appendChild(label);
      inputs.push(input);
      input.addEventListener("change", () => {
        model.set("value", value);
        model.save_changes();
      });
    }
    show();
  }

  function show() {
    for (const input of inputs) input.checked = input.value === model.get("value");
  }

  el.addEventListener("keydown", (event) => event.stopPropagation());
  model.on("change:value", show);
  model.on("change:options", fill);
  fill();
  return () => {
    model.off("change:value", show);
    model.off("change:options", fill);
  };
}

export default { render };
