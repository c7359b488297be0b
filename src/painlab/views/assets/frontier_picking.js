// A click on a plan chooses it; with the chart in focus the arrow keys walk along the frontier, Home and End go to its ends.
function pick(model, name) {
  if (!name || name === model.get("picked")) return;
  model.set("picked", name);
  model.save_changes();
}

export default {
  async render(context) {
    const { model, el } = context;
    const end = await chart.render(context);
    const picture = el.querySelector(".painlab-picture");
    picture.tabIndex = 0;
    const onClick = (event) => {
      const item = event.target.__data__;
      pick(model, (Array.isArray(item) ? item[0] : item)?.datum?.name);
    };
    const onKey = (event) => {
      const order = model.get("order");
      const place = order.indexOf(model.get("picked"));
      const next = {
        ArrowRight: Math.min(place + 1, order.length - 1),
        ArrowUp: Math.min(place + 1, order.length - 1),
        ArrowLeft: Math.max(place - 1, 0),
        ArrowDown: Math.max(place - 1, 0),
        Home: 0,
        End: order.length - 1,
      }[event.key];
      if (next === undefined) return;
      event.preventDefault();
      pick(model, order[next]);
    };
    picture.addEventListener("click", onClick);
    picture.addEventListener("keydown", onKey);
    return () => {
      picture.removeEventListener("click", onClick);
      picture.removeEventListener("keydown", onKey);
      end?.();
    };
  },
};
