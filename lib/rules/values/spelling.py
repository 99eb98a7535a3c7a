"""Names that are the same in spite of their spelling."""

import unicodedata


def plain_name(name: str) -> str:
    """Normalize a name: case, accents, types of apostrophe, `&` and spaces make no difference."""
    text = unicodedata.normalize("NFKD", name.replace("\u2019", "'").replace("&", " and "))
    return " ".join("".join(c for c in text if not unicodedata.combining(c)).split()).lower()
