// Gives a file to the browser, and copies a text, when the kernel says so.
function render({ model, el }) {
  el.classList.add("painlab-download");
  function serve(message, buffers) {
    if (message.copy !== undefined) {
      navigator.clipboard?.writeText(message.copy).catch(() => {});
      return;
    }
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([buffers[0]], { type: message.type }));
    link.download = message.name;
    document.body.appendChild(link);
    link.click();
    link.remove();
    setTimeout(() => URL.revokeObjectURL(link.href), 60000);
  }
  model.on("msg:custom", serve);
  return () => model.off("msg:custom", serve);
}

export default { render };
