// What every page does: its menus close, light and dark turn at once, and what was said goes away again.
(() => {
  document.documentElement.classList.add("js");
  const menus = () => document.querySelectorAll("details.menu[open]");
  document.addEventListener("click", (event) => {
    menus().forEach((menu) => { if (!menu.contains(event.target)) menu.open = false; });
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    menus().forEach((menu) => { menu.open = false; menu.querySelector("summary").focus(); });
  });
  document.addEventListener("submit", (event) => {
    const look = event.submitter?.name === "look" && event.submitter.value;
    if (!look) return;
    event.preventDefault();
    document.documentElement.dataset.look = look;
    document.cookie = `look=${look}; Max-Age=31536000; Path=/; SameSite=Lax`;
    document.querySelector(`.look .to-${look === "dark" ? "light" : "dark"}`).focus();
  });

  // On a phone the places are wider than the page: the one that is open is in view.
  const places = document.querySelector(".places");
  const open = places?.querySelector("[aria-current]");
  if (open) places.scrollLeft = open.offsetLeft - (places.clientWidth - open.offsetWidth) / 2;

  // A table that is wider than its card says so.
  const measure = () => document.querySelectorAll(".scroll").forEach((one) => {
    one.classList.toggle("wider", one.scrollWidth > one.clientWidth + 1);
  });
  addEventListener("resize", measure);
  document.addEventListener("htmx:afterSwap", measure);
  document.addEventListener("toggle", measure, true);
  measure();

  // What was said stays as long as it takes to read, and longer while somebody points at it.
  const said = document.getElementById("said");
  const fade = () => said.querySelectorAll(".toast").forEach((toast) => {
    if (toast.dataset.timed) return;
    toast.dataset.timed = "yes";
    const close = document.createElement("button");
    close.className = "quiet";
    close.textContent = "Close";
    close.addEventListener("click", () => toast.remove());
    toast.append(" ", close);
    if (toast.classList.contains("wrong")) return;
    const go = () => (toast.matches(":hover, :focus-within") ? setTimeout(go, 2000) : toast.remove());
    setTimeout(go, 4000 + 60 * toast.textContent.length);
  });
  new MutationObserver(fade).observe(said, { childList: true });
  fade();

  // For the other scripts: tells something to everybody, those who do not see the page among them.
  window.say = (text, isWrong = false) => {
    const toast = document.createElement("p");
    toast.className = isWrong ? "toast wrong" : "toast";
    toast.textContent = text;
    said.replaceChildren(toast);
  };
  // And for those alone who do not see it, because it stands on the page where others look.
  const news = document.getElementById("news");
  window.announce = (text) => { news.textContent = text; };
})();
