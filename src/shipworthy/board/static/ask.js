// Asks by Ctrl+Enter, asks for axes where there is a plot, and writes a table's or a column's name where the cursor is.
(() => {
  const sql = document.getElementById("sql");
  sql.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
    event.preventDefault();
    sql.form.requestSubmit();
  });
  sql.form.elements.kind.addEventListener("change", (event) => {
    const axes = document.getElementById("axes");
    if (axes) axes.hidden = event.target.value === "table";
  });
  document.querySelectorAll(".names code").forEach((name) => {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "quiet name";
    button.textContent = name.textContent;
    button.addEventListener("click", () => {
      sql.setRangeText(name.textContent, sql.selectionStart, sql.selectionEnd, "end");
      sql.focus();
    });
    name.replaceWith(button);
  });
})();
