// The page of an idea: parts that changed elsewhere change here, in place; a part in which somebody works is left alone.
(() => {
  const main = document.getElementById("main");
  const { idea } = main.dataset;
  const isWorkedIn = (part) => part.contains(document.activeElement)
    || [...part.querySelectorAll("input, textarea, select")].some((one) => one.type !== "hidden" && one.value !== (one.dataset.was ?? one.defaultValue ?? one.value) && one.tagName !== "SELECT");
  const keepOpen = (old, fresh) => {
    const opened = [...old.querySelectorAll("details")].map((one) => one.open);
    fresh.querySelectorAll("details").forEach((one, i) => { one.open = opened[i] ?? false; });
  };

  const refresh = async () => {
    const answer = await fetch(location.href);
    if (!answer.ok) return;
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    let changed = 0;
    const known = new Set();
    page.querySelectorAll("[data-part]").forEach((fresh) => {
      const { part } = fresh.dataset;
      known.add(part);
      const old = main.querySelector(`[data-part="${part}"]`);
      if (!old) { location.reload(); return; }
      if (old.dataset.html === fresh.innerHTML || (old.dataset.html === undefined && old.innerHTML === fresh.innerHTML)) return;
      if (isWorkedIn(old)) return;
      const html = fresh.innerHTML;
      keepOpen(old, fresh);
      old.replaceWith(fresh);
      fresh.dataset.html = html;
      fresh.classList.add("fresh");
      window.htmx?.process(fresh);
      changed += 1;
    });
    const plots = [main.querySelector(".plots"), page.querySelector(".plots")];
    if (plots[0] && plots[1] && plots[0].dataset.digest !== plots[1].dataset.digest) {
      plots[0].replaceWith(plots[1]);
      window.htmx?.process(plots[1]);
    }
    if (changed) window.announce(`Idea ${idea} changed: ${main.querySelector(".walk [aria-current]").textContent.trim().replace(/\s+/g, " ")}.`);
  };
  document.addEventListener("ideas-changed", ({ detail: { numbers, many } }) => {
    if (many || numbers.includes(Number(idea))) refresh();
  });
})();
