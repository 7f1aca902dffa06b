// Hears of changes: every page that shows ideas is told which of them have new records, and asks for those again.
(() => {
  const main = document.getElementById("main");
  const { project, seq } = main.dataset;
  if (!project || !window.EventSource) return;
  let source = null;
  let last = seq;
  const listen = () => {
    source = new EventSource(`${project}/feed?since=${last}`);
    source.addEventListener("change", (event) => {
      last = event.lastEventId;
      document.dispatchEvent(new CustomEvent("ideas-changed", { detail: JSON.parse(event.data) }));
    });
  };
  // A page that nobody looks at holds no connection; it hears of everything once it is looked at again.
  document.addEventListener("visibilitychange", () => {
    source?.close();
    source = null;
    if (!document.hidden) listen();
  });
  window.addEventListener("pagehide", () => source?.close());
  listen();
})();
