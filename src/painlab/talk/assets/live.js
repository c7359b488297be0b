// Levers on a slide: they choose among combinations that were computed before the talk. The baseline is always drawn.

const MINUS = "\u2212";

const place = (levers, choice) => levers.reduce((sum, lever, number) => sum * lever.levels.length + choice[number], 0);
const row = (rows, at) => (rows ? (rows[at] ?? rows[0]) : null);
const chosen = (figure) => (figure.choice ??= figure.grid.levers.map((lever) => lever.at));

function gridRows(figure) {
  const { grid } = figure;
  const at = place(grid.levers, chosen(figure));
  return grid.outcomes.flatMap((outcome) => {
    const [baseline, scenario, low, high] = ["baseline", "scenario", "low", "high"].map((name) => row(outcome[name], at));
    return grid.weeks.map((week, number) => ({
      week,
      outcome: outcome.name,
      baseline: baseline[number],
      baseline_low: baseline[number],
      baseline_high: baseline[number],
      scenario: scenario[number],
      scenario_low: low ? Math.max(0, baseline[number] + low[number]) : scenario[number],
      scenario_high: high ? baseline[number] + high[number] : scenario[number],
    }));
  });
}

function figureText(value, digits) {
  const rounded = Number(value.toFixed(digits)) || 0;
  const text = Math.abs(rounded).toLocaleString("en-US", { minimumFractionDigits: digits, maximumFractionDigits: digits });
  return rounded < 0 ? MINUS + text : rounded > 0 ? `+${text}` : "0";
}

// The difference at the end, its band, and whether it can be told from none.
function reading(outcome, at) {
  const [difference, low, high] = ["difference", "low", "high"].map((name) => row(outcome[name], at)?.at(-1));
  const figure = figureText(difference, outcome.digits);
  if (low === undefined || high === undefined) return { figure, band: outcome.unit };
  const range = `${figureText(low, outcome.digits)} to ${figureText(high, outcome.digits)}`;
  const unclear = low <= 0 && high >= 0 ? ": unclear" : "";
  return { figure, band: `${range}${unclear}` };
}

function connectLevers(live) {
  const figure = figures[live.dataset.live];
  const picture = live.querySelector(".picture");
  const { levers, outcomes, headlines } = figure.grid;
  const inputs = [...live.querySelectorAll(".lever")].map((lever) => [...lever.querySelectorAll("input")]);
  let stale = false;

  function say() {
    const at = place(levers, chosen(figure));
    live.querySelector(".finding").textContent = headlines[at];
    live.querySelectorAll(".reading").forEach((element, number) => {
      const said = reading(outcomes[number], at);
      element.querySelector(".figure").textContent = said.figure;
      element.querySelector(".band").textContent = said.band;
    });
    inputs.forEach((group, number) => {
      const choice = figure.choice[number];
      const words = levers[number].levels[choice];
      if (group.length > 1) group.forEach((input, value) => (input.checked = value === choice));
      else {
        group[0].value = choice;
        group[0].setAttribute("value", choice);
        group[0].setAttribute("aria-valuetext", words);
        group[0].closest(".lever").querySelector("output").textContent = words;
      }
    });
    live.querySelector(".back").disabled = levers.every((lever, number) => lever.at === figure.choice[number]);
  }

  // Only the newest choice is drawn.
  function show() {
    say();
    if (stale) return;
    stale = true;
    requestAnimationFrame(async () => {
      stale = false;
      const view = views.get(picture)?.view;
      if (!view) return;
      await view.data("weekly", gridRows(figure)).runAsync();
      picture.dataset.drawn = Number(picture.dataset.drawn) + 1;
      refreshSpeaker();
    });
  }

  inputs.forEach((group, number) =>
    group.forEach((input) =>
      input.addEventListener("input", () => {
        figure.choice[number] = Number(input.value);
        show();
      }),
    ),
  );
  live.querySelector(".back").addEventListener("click", () => {
    figure.choice = levers.map((lever) => lever.at);
    show();
  });
  say();
}
