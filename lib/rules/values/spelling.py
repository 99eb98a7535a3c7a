"""Names and words that are the same in spite of their spelling."""

from unicodedata import combining, normalize


def plain_name(name: str) -> str:
    """Normalize a name: case, accents, types of apostrophe, `&` and spaces make no difference."""
    text = without_accents(name.replace("\u2019", "'").replace("&", " and "))
    return " ".join(text.split()).lower()


def without_accents(text: str) -> str:
    """Return the text with plain letters. Ligatures and full-width letters become plain too."""
    return "".join(each for each in normalize("NFKD", text) if not combining(each))
