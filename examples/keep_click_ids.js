// Keeps Google's click IDs in first-party cookies for 90 days, and writes them into hidden form fields.
// Call keepClickIds() on every page, once the visitor has agreed to cookies for advertising.
// If a form has other names for the fields, name them: keepClickIds({gclid: "00N5f00000Abcde"}).
function keepClickIds(fields) {
  const names = ["gclid", "gbraid", "wbraid"];
  const clicked = new URLSearchParams(location.search);
  if (names.some((name) => clicked.get(name))) {
    // A new click replaces the last one, whichever of the IDs each of them has.
    for (const name of names) {
      const seconds = clicked.get(name) ? 90 * 24 * 60 * 60 : 0;
      const value = encodeURIComponent(clicked.get(name) || "");
      document.cookie = `${name}=${value}; max-age=${seconds}; path=/; SameSite=Lax; Secure`;
    }
  }
  function fillForms() {
    for (const cookie of document.cookie.split("; ")) {
      const [name, value] = cookie.split("=");
      if (!names.includes(name)) continue;
      const field = (fields && fields[name]) || name;
      for (const input of document.getElementsByName(field)) input.value = decodeURIComponent(value);
    }
  }
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", fillForms);
  else fillForms();
}
