// The board: a card that is dropped on the next column, or whose arrow is pressed, asks its gate; what changed elsewhere
// changes here, in place. Without this script the arrows and filters are plain forms.
(() => {
  const main = document.getElementById("main");
  const { project } = main.dataset;
  const STAGES = ["idea", "data", "research", "analysis", "ship"];
  const column = (stage) => main.querySelector(`.column[data-stage="${stage}"]`);
  const list = (stage) => column(stage)?.querySelector(".cards");
  const titled = (card) => `Idea ${card.id.slice(5)}, ${card.querySelector("h3").textContent.trim()}`;
  const parsed = (html) => {
    const part = document.createElement("template");
    part.innerHTML = html;
    return part.content;
  };
  const fetched = async (address, options = {}) => {
    const answer = await fetch(address, { ...options, headers: { "HX-Request": "true" } });
    const part = parsed(await answer.text());
    if (!answer.ok) {
      window.say((part.querySelector(".toast") ?? part).textContent.trim() || `The server answered ${answer.status}.`, true);
      return null;
    }
    return part;
  };

  // Puts a card where it belongs: in its place where it stays in its column, else on top of its new one. Focus stays with it.
  const put = (card) => {
    const old = document.getElementById(card.id);
    const held = old?.contains(document.activeElement) ? document.activeElement.matches(".ask") ? ".ask" : "h3 a" : null;
    const stays = old && old.dataset.stage === card.dataset.stage;
    if (stays) old.replaceWith(card);
    else {
      old?.remove();
      list(card.dataset.stage)?.prepend(card);
    }
    card.classList.add("fresh");
    if (held) (card.querySelector(held) ?? card.querySelector("h3 a")).focus({ preventScroll: true });
    return old && !stays;
  };
  const count = (part) => {
    const found = part.querySelector("#counts");
    if (!found) return;
    const counts = JSON.parse(found.dataset.counts);
    counts.all = Object.values(counts).reduce((one, other) => one + other, 0);
    Object.entries(counts).forEach(([stage, many]) => {
      main.querySelectorAll(`[data-count="${stage}"]`).forEach((place) => { place.textContent = many.toLocaleString("en"); });
    });
  };

  const ask = async (card, to) => {
    const form = new FormData(document.getElementById("ask"));
    form.set("to", to);
    const button = card.querySelector(".ask");
    const part = await fetched(button.getAttribute("formaction"), { method: "POST", body: new URLSearchParams(form) });
    const now = part?.querySelector("li");
    if (!now) return;
    put(now);
    const answer = now.querySelector(".answer-of-gate");
    if (answer) window.announce(answer.textContent.replace(/\s+/g, " ").trim());
  };
  const nextOf = (stage) => STAGES[Math.min(STAGES.indexOf(stage) + 1, STAGES.length - 1)];

  main.addEventListener("click", (event) => {
    const button = event.target.closest(".ask");
    if (!button) return;
    event.preventDefault();
    const card = button.closest(".idea");
    ask(card, nextOf(card.dataset.stage));
  });

  // Dragging
  let dragged = null;
  main.addEventListener("dragstart", (event) => {
    dragged = event.target.closest?.(".idea");
    if (!dragged) return;
    event.dataTransfer.effectAllowed = "move";
    event.dataTransfer.setData("text/plain", titled(dragged));
    dragged.classList.add("dragged");
    column(nextOf(dragged.dataset.stage))?.classList.add("next");
  });
  main.addEventListener("dragend", () => {
    dragged?.classList.remove("dragged");
    dragged = null;
    main.querySelectorAll(".column").forEach((one) => one.classList.remove("next", "over"));
  });
  main.addEventListener("dragover", (event) => {
    const over = event.target.closest(".column");
    main.querySelectorAll(".column.over").forEach((one) => { if (one !== over) one.classList.remove("over"); });
    if (!dragged || !over || over.dataset.stage === dragged.dataset.stage) return;
    event.preventDefault();
    over.classList.add("over");
  });
  main.addEventListener("drop", (event) => {
    const over = event.target.closest(".column");
    if (!dragged || !over) return;
    event.preventDefault();
    ask(dragged, over.dataset.stage);
  });

  // Arrow keys go from card to card, and from column to column.
  main.addEventListener("keydown", (event) => {
    const card = event.target.closest?.(".idea");
    if (!card || event.altKey || event.ctrlKey || event.metaKey) return;
    const inside = [...card.parentElement.querySelectorAll(".idea")];
    const at = inside.indexOf(card);
    const columns = [...main.querySelectorAll(".column")].filter((one) => one.querySelector(".idea"));
    const beside = (step) => {
      const cards = columns[columns.indexOf(card.closest(".column")) + step]?.querySelectorAll(".idea");
      return cards?.[Math.min(at, cards.length - 1)];
    };
    const to = {
      ArrowDown: () => inside[at + 1], ArrowUp: () => inside[at - 1], Home: () => inside[0], End: () => inside.at(-1),
      ArrowRight: () => beside(1), ArrowLeft: () => beside(-1),
    }[event.key]?.();
    if (to === undefined) return;
    event.preventDefault();
    const link = to.querySelector("h3 a");
    link.focus({ preventScroll: true });
    to.scrollIntoView({ block: "nearest", inline: "nearest" });
  });

  // Filters work as one types, and stay in the address.
  const filters = main.querySelector(".filters");
  let typing = 0;
  const filter = async () => {
    const said = new URLSearchParams([...new FormData(filters)].filter(([, value]) => value));
    const address = `${location.pathname}${said.size ? `?${said}` : ""}`;
    const answer = await fetch(address);
    if (!answer.ok) return;
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    history.replaceState(null, "", address);
    [".board", ".stages"].forEach((part) => {
      const fresh = page.querySelector(part);
      if (fresh) main.querySelector(part)?.replaceWith(fresh);
    });
    window.htmx?.process(main.querySelector(".board"));
    window.announce(`${main.querySelector('[data-count="all"]').textContent} ideas shown.`);
  };
  filters?.addEventListener("input", () => { clearTimeout(typing); typing = setTimeout(filter, 250); });
  filters?.addEventListener("submit", (event) => { event.preventDefault(); filter(); });

  // What changed elsewhere
  document.addEventListener("ideas-changed", async ({ detail: { numbers, many } }) => {
    if (many || main.querySelector(".board > .empty")) { filter(); return; }
    const shown = new Map(numbers.map((number) => [number, document.getElementById(`card-${number}`)]));
    const stale = numbers.filter((number) => shown.get(number)?.dataset.seq);
    const query = new URLSearchParams(location.search);
    numbers.forEach((number) => query.append("number", number));
    const part = await fetched(`${project}/cards?${query}`);
    if (!part) return;
    count(part);
    const found = [...part.querySelectorAll(".idea")];
    const said = found.filter((card) => {
      const old = document.getElementById(card.id);
      if (old && old.dataset.seq === card.dataset.seq && !old.dataset.job) return false;
      if (old || list(card.dataset.stage)) put(card);
      return true;
    }).map((card) => `${titled(card)}: ${card.querySelector(".pill").textContent}, in ${card.dataset.stage}.`);
    stale.filter((number) => !found.some((card) => card.id === `card-${number}`)).forEach((number) => shown.get(number).remove());
    if (said.length) window.announce(said.slice(0, 3).join(" ") + (said.length > 3 ? ` And ${said.length - 3} more.` : ""));
  });
})();
