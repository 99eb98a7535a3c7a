"use strict";
// What the page does beyond being read: copy the command, and show some of the rows.
(() => {
  const $ = (id) => document.getElementById(id);
  for (const button of document.querySelectorAll("[data-copies]")) {
    button.addEventListener("click", async () => {
      await navigator.clipboard.writeText($(button.dataset.copies).textContent);
      button.textContent = "Copied";
    });
  }
  for (const each of document.querySelectorAll("[data-needs-script]")) each.hidden = false;

  const table = $("rows");
  if (!table) return;
  const most = Number(table.dataset.atATime);
  const number = (count) => count.toLocaleString("en");
  const rows = [...table.tBodies[0].rows].map((row) => ({
    row,
    text: row.textContent.toLowerCase(),
    outcome: row.dataset.outcome,
    codes: row.dataset.codes.split(" "),
  }));
  const links = document.querySelectorAll("a[data-outcome], a[data-code]");
  let chosen = null; // one of these links
  let first = 0;

  const show = () => {
    const words = $("search").value.toLowerCase().split(/\s+/).filter(Boolean);
    const { outcome, code } = chosen ? chosen.dataset : {};
    const found = rows.filter((each) => (!outcome || each.outcome === outcome)
      && (!code || each.codes.includes(code)) && words.every((word) => each.text.includes(word)));
    const shown = new Set(found.slice(first, first + most));
    for (const each of rows) each.row.hidden = !shown.has(each);
    for (const link of links) link.setAttribute("aria-current", link === chosen);
    const what = outcome ? outcome.replace("_", " ") : code || "rows";
    const range = found.length > most ? `${number(first + 1)} to ${number(first + shown.size)} of ` : "";
    $("said").textContent = `${range}${number(found.length)} ${words.length ? "found" : "listed"}${chosen ? `, ${what} only` : ""}`;
    $("all").hidden = !chosen && !words.length;
    $("earlier").disabled = first === 0;
    $("later").disabled = first + most >= found.length;
    $("earlier").parentElement.hidden = found.length <= most;
  };
  const choose = (link) => { chosen = link; first = 0; show(); };
  const turn = (by) => { first += by; show(); $("rows-heading").scrollIntoView(); };
  for (const link of links) link.addEventListener("click", () => { $("search").value = ""; choose(link); });
  $("search").addEventListener("input", () => { first = 0; show(); });
  $("all").addEventListener("click", () => { $("search").value = ""; choose(null); });
  $("earlier").addEventListener("click", () => turn(-most));
  $("later").addEventListener("click", () => turn(most));
  show();
})();
