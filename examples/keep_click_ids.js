// Keeps Google's click IDs in first-party cookies for 90 days, and writes them into hidden form fields.
// Call keepClickIds() on every page, once the visitor has agreed to cookies for advertising.
// If a form has other names for the fields, name them: keepClickIds({gclid: "00N5f00000Abcde"}).
// If ads lead to www.example.com and forms are on shop.example.com: keepClickIds({}, "example.com").
function keepClickIds(fields = {}, domain = "") {
  const names = ["gclid", "gbraid", "wbraid"];
  const clicked = new URLSearchParams(location.search);
  if (names.some((name) => clicked.get(name))) {
    // A new click replaces the last one, whichever of the IDs each of them has.
    for (const name of names) {
      const seconds = clicked.get(name) ? 90 * 24 * 60 * 60 : 0;
      const value = encodeURIComponent(clicked.get(name) || "");
      const where = domain ? `domain=${domain}; ` : "";
      document.cookie = `${name}=${value}; max-age=${seconds}; path=/; ${where}SameSite=Lax; Secure`;
    }
  }
  function fillForms() {
    for (const cookie of document.cookie.split("; ")) {
      const [name, value] = cookie.split("=");
      if (!names.includes(name)) continue;
      for (const input of document.getElementsByName(fields[name] || name)) input.value = decodeURIComponent(value);
    }
  }
  fillForms();
  // Forms that come later: below a script that runs while the page loads, in a pop-up, or built by a script.
  new MutationObserver(fillForms).observe(document, {childList: true, subtree: true});
}
