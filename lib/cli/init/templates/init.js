"use strict";
// Sends the form after each change, and replaces the parts of the page that differ.
(() => {
  const form = document.getElementById("form");
  if (!form) return;
  for (const each of document.querySelectorAll("[data-without-script]")) each.hidden = true;
  let busy = false;
  let waiting = null; // a change that came while another one was on its way

  const entries = (button) => {
    const data = new FormData(form);
    if (button && button.name) data.set(button.name, button.value);
    return new URLSearchParams(data);
  };
  const send = async (button) => {
    if (busy) { waiting = { button }; return; }
    busy = true;
    const sent = entries(button);
    form.setAttribute("aria-busy", "true");
    try {
      const answer = await fetch("/", { method: "POST", body: sent });
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      if (page.getElementById("form")) replace(page, sent);
      else { // saved, or refused
        document.title = page.title;
        document.querySelector("main").replaceWith(page.querySelector("main"));
        scrollTo(0, 0);
      }
    } catch {
      document.getElementById("said").textContent = "The command has ended, or does not answer. Start it again.";
    }
    form.removeAttribute("aria-busy");
    busy = false;
    if (waiting) { const { button: next } = waiting; waiting = null; send(next); }
  };
  const replace = (page, sent) => {
    const typed = [...new FormData(form)].filter(([name, value]) => sent.get(name) !== value);
    const active = document.activeElement;
    const place = active && active.id;
    const top = place && active.getBoundingClientRect().top;
    for (const part of document.querySelectorAll("[data-part]")) {
      const other = page.getElementById(part.id);
      if (other && other.outerHTML !== part.outerHTML) part.replaceWith(document.importNode(other, true));
    }
    for (const [name, value] of typed) { // what came while this was on its way
      const found = form.elements[name];
      if (found && name !== "revision") { found.value = value; waiting = waiting || {}; }
    }
    const again = place && (document.getElementById(place)
      || document.getElementById(place.replace(/-(suggested|also)$/, ""))); // its menu
    if (!again) return;
    again.focus({ preventScroll: true });
    scrollBy(0, again.getBoundingClientRect().top - top); // what is above may have grown
  };
  form.addEventListener("change", () => send());
  form.addEventListener("submit", (event) => { event.preventDefault(); send(event.submitter); });
})();
