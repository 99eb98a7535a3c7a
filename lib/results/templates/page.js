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
  const rows = [...table.tBodies[0].rows];
  const links = document.querySelectorAll("a[data-outcome], a[data-code]");
  const search = $("search");
  let chosen = null; // one of these links

  const show = (first) => {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    const { outcome, code } = chosen ? chosen.dataset : {};
    const found = rows.filter((row) => (!outcome || row.dataset.outcome === outcome)
      && (!code || row.dataset.codes.split(" ").includes(code))
      && words.every((word) => row.textContent.toLowerCase().includes(word)));
    const shown = new Set(found.slice(first, first + most));
    for (const row of rows) row.hidden = !shown.has(row);
    for (const link of links) link.setAttribute("aria-current", link === chosen);
    const range = found.length > most ? `${number(first + 1)} to ${number(first + shown.size)} of ` : "";
    const only = chosen ? `, ${outcome ? outcome.replace("_", " ") : code} only` : "";
    $("said").textContent = `${range}${number(found.length)} ${words.length ? "found" : "listed"}${only}`;
    $("all").hidden = !chosen && !words.length;
    $("earlier").disabled = first === 0;
    $("later").disabled = first + most >= found.length;
    $("earlier").parentElement.hidden = found.length <= most;
    $("earlier").onclick = () => turn(first - most);
    $("later").onclick = () => turn(first + most);
  };
  const turn = (first) => { show(first); $("rows-heading").scrollIntoView(); };
  const choose = (link) => { chosen = link; search.value = ""; show(0); };
  for (const link of links) link.addEventListener("click", () => choose(link));
  $("all").addEventListener("click", () => choose(null));
  search.addEventListener("input", () => show(0));
  show(0);
})();
