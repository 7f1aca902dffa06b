// Reads values off a plot: by pointing, by touch, or with the arrow keys. Without it nothing on the page is missing.
(() => {
  const STEPS = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1, PageDown: 10, PageUp: -10 };

  const add = (drawn, name) => {
    const part = document.createElement("div");
    part.className = name;
    part.hidden = true;
    drawn.append(part);
    return part;
  };

  // Where the readings stand in the picture that is shown now: the corners of its trace, an invisible line.
  const placesIn = (drawn, count) => {
    const svg = [...drawn.querySelectorAll("svg")].find((one) => one.getClientRects().length);
    const trace = svg.querySelector(".reading_marks path");
    const corners = trace.getAttribute("d").match(/-?[\d.]+(?:e[-+]?\d+)?/g).map(Number);
    const matrix = trace.getScreenCTM();
    const box = drawn.getBoundingClientRect();
    return Array.from({ length: count }, (_, i) => {
      const at = new DOMPoint(corners[2 * i], corners[2 * i + 1]).matrixTransform(matrix);
      return { x: at.x - box.left, y: at.y - box.top };
    });
  };

  const read = (drawn) => {
    const readings = JSON.parse(drawn.querySelector("script").textContent);
    const by = drawn.dataset.by;
    const [cross, spot, told] = ["cross", "spot", "told"].map((name) => add(drawn, name));
    let now = by === "x" ? readings.length - 1 : 0;

    const name = (i) => {
      now = i;
      drawn.setAttribute("aria-valuenow", i);
      drawn.setAttribute("aria-valuetext", readings[i].join(", "));
    };
    const hide = () => [cross, spot, told].forEach((part) => { part.hidden = true; });
    const show = (i, places = placesIn(drawn, readings.length)) => {
      name(i);
      const [head, ...says] = readings[i];
      const title = document.createElement("strong");
      title.textContent = head;
      told.replaceChildren(title, ...says.map((text) => {
        const line = document.createElement("span");
        line.textContent = text;
        return line;
      }));
      [cross, spot, told].forEach((part) => { part.hidden = false; });
      cross.hidden = by === "y";
      const { x, y } = places[i];
      cross.style.left = spot.style.left = `${x}px`;
      spot.style.top = `${y}px`;
      const most = drawn.clientWidth - told.offsetWidth;
      told.style.left = `${Math.max(0, Math.min(x - told.offsetWidth / 2, most))}px`;
      const above = y - told.offsetHeight - 14;
      told.style.top = `${above >= 0 ? above : y + 14}px`;
    };
    const point = (event) => {
      const places = placesIn(drawn, readings.length);
      const box = drawn.getBoundingClientRect();
      const at = { x: event.clientX - box.left, y: event.clientY - box.top };
      const far = (place) => Math.abs(place[by] - at[by]);
      show(places.reduce((best, place, i) => (far(place) < far(places[best]) ? i : best), 0), places);
    };
    const press = (event) => {
      const last = readings.length - 1;
      if (event.key === "Escape") return hide();
      const to = { Home: 0, End: last }[event.key] ?? now + STEPS[event.key];
      if (Number.isNaN(to) || event.ctrlKey || event.altKey || event.metaKey) return undefined;
      event.preventDefault();
      return show(Math.max(0, Math.min(to, last)));
    };

    drawn.setAttribute("role", "slider");
    drawn.setAttribute("aria-orientation", by === "x" ? "horizontal" : "vertical");
    drawn.setAttribute("aria-valuemin", 0);
    drawn.setAttribute("aria-valuemax", readings.length - 1);
    drawn.tabIndex = 0;
    name(now);
    drawn.addEventListener("pointermove", point);
    drawn.addEventListener("pointerdown", point);
    drawn.addEventListener("pointerleave", () => (drawn.matches(":focus-visible") ? show(now) : hide()));
    drawn.addEventListener("focus", () => { if (drawn.matches(":focus-visible")) show(now); });
    drawn.addEventListener("blur", hide);
    drawn.addEventListener("keydown", press);
    window.addEventListener("resize", hide);
  };

  // A plot is read once, whether it stood on the page from the beginning or came in later.
  const readAll = (part) => part.querySelectorAll(".drawn[data-by]:not([role=slider])").forEach(read);
  readAll(document);
  document.addEventListener("htmx:load", (event) => readAll(event.target));
  document.querySelectorAll(".hint").forEach((hint) => { hint.hidden = false; });
})();
