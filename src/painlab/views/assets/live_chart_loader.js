// The small part every live chart carries. The library itself (Vega and live_chart.js) is one model, loaded once per page.
const libraries = (globalThis.painlabLibraries ??= new Map());

async function library(model) {
  const owner = await model.widget_manager.get_model(model.get("library").slice("IPY_MODEL_".length));
  const digest = owner.get("digest");
  if (!libraries.has(digest)) {
    const url = URL.createObjectURL(new Blob([owner.get("source")], { type: "text/javascript" }));
    libraries.set(digest, import(url).finally(() => URL.revokeObjectURL(url)));
  }
  return libraries.get(digest);
}

export default {
  async render(context) {
    return (await library(context.model)).render(context);
  },
};
