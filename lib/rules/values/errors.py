"""The one way in which a rule says no."""

from lib.catalogue.codes import lookup


class RuleError(ValueError):
    """A value broke a rule.

    `code` names the rule in the catalogue (`lib.catalogue.codes`). The text comes from the
    catalogue alone and so never holds the value, which may be personal data. `field` is the column
    at fault where that isn't the one whose cell was read.
    """

    def __init__(self, code: str, field: str = "") -> None:
        super().__init__(code)
        self.code = code
        self.field = field

    def __str__(self) -> str:
        return f"{self.code}: {lookup(self.code).meaning}"
