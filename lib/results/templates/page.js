"use strict";
// What the page does beyond being read: filter the rows, copy numbers, save the listed rows.
(() => {
  const $ = (id) => document.getElementById(id);
  const status = (text) => { if ($("said")) $("said").textContent = text; };

  const copy = async (text) => {
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      // Without permission for the clipboard, as in a page of an older browser.
      const area = document.createElement("textarea");
      area.value = text;
      document.body.append(area);
      area.select();
      document.execCommand("copy");
      area.remove();
    }
  };
  for (const button of document.querySelectorAll("button[data-copy]")) {
    button.addEventListener("click", async () => {
      await copy(button.dataset.copy);
      const before = button.textContent;
      button.textContent = "Copied";
      status("Copied.");
      setTimeout(() => { button.textContent = before; }, 1500);
    });
  }

  const table = $("rows");
  if (table) {
    const texts = (row, what) => [...new Set([...row.querySelectorAll(what)].map((each) => each.textContent))];
    const rows = [...table.tBodies[0].rows].map((row) => ({
      row,
      text: row.textContent.toLowerCase(),
      cells: [...row.cells].map((cell) => cell.textContent.trim()),
      outcome: row.cells[2].dataset.outcome,
      code: texts(row, "code"),
      column: texts(row, "bdi.column"),
    }));
    const what = (count) => `${table.dataset.what}${count === 1 ? "" : "s"}`;
    const printed = Number(table.dataset.printed) || rows.length;
    const number = (count) => count.toLocaleString("en");
    const choices = ["outcome", "code", "column"].filter($);
    const shown = () => rows.filter((each) => !each.row.hidden);
    const filter = () => {
      const words = $("search").value.toLowerCase().split(/\s+/).filter(Boolean);
      const chosen = choices.filter((name) => $(name).value);
      let count = 0;
      for (const each of rows) {
        each.row.hidden = !(words.every((word) => each.text.includes(word))
          && chosen.every((name) => [each[name]].flat().includes($(name).value)));
        count += !each.row.hidden;
        each.row.classList.toggle("screen", count > printed);
      }
      const some = `${number(count)} of ${number(rows.length)} listed ${what(rows.length)}`;
      status(count === rows.length ? `${number(count)} ${what(count)} listed` : some);
      $("filtered").textContent = count === rows.length ? "" : `Filtered: ${some}.`;
      $("nothing").hidden = count > 0;
    };
    $("search").addEventListener("input", filter);
    for (const name of choices) $(name).addEventListener("change", filter);
    for (const link of document.querySelectorAll("a[data-show]")) {
      link.addEventListener("click", () => {
        $("search").value = "";
        for (const name of choices) $(name).value = "";
        $("code").value = link.dataset.show;
        filter();
      });
    }
    if ($("save")) {
      $("copy-lines").addEventListener("click", async () => {
        await copy(shown().map((each) => each.cells[1]).join(", "));
        status(`Copied the line numbers of ${number(shown().length)} rows`);
      });
      const advice = JSON.parse($("advice").textContent);
      // A spreadsheet would run a cell that begins like a formula.
      const cell = (value) => {
        const safe = /^[\s]*[=+\-@]/.test(value) ? `'${value}` : value;
        return `"${safe.replaceAll('"', '""')}"`;
      };
      $("save").addEventListener("click", () => {
        const lines = [["record", "line", "outcome", "code", "column", "order_id", "value", "currency", "what to do"]];
        for (const { row, cells, outcome, code, column } of shown()) {
          const { amount, currency } = row.cells[5].dataset;
          const action = [...new Set(code.map((each) => advice[each] || ""))].join(" ");
          lines.push([cells[0], cells[1], outcome, code.join(" "), column.join(", "), cells[4], amount, currency, action]);
        }
        const text = `\ufeff${lines.map((line) => line.map(cell).join(",")).join("\r\n")}\r\n`;
        const link = document.createElement("a");
        link.href = URL.createObjectURL(new Blob([text], { type: "text/csv" }));
        link.download = "rows.csv";
        link.click();
        setTimeout(() => URL.revokeObjectURL(link.href), 1000);
        status(`Saved ${number(lines.length - 1)} rows as rows.csv`);
      });
    }
    filter();
  }
  for (const each of document.querySelectorAll("[data-needs-script]")) each.hidden = false;
})();
