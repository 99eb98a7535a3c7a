"""The error that rules raise."""

from lib.catalogue.codes import lookup


class RuleError(ValueError):
    """A value breaks a rule.

    `code` is the code in the catalogue (`lib.catalogue.codes`). The text comes only from the
    catalogue, so it never contains the value, which may be personal data. `field` is the column
    that caused the error, if it is not the column of the cell.
    """

    def __init__(self, code: str, field: str = "") -> None:
        super().__init__(code)
        self.code = code
        self.field = field

    def __str__(self) -> str:
        return f"{self.code}: {lookup(self.code).meaning}"
