"""The one way in which a rule says no."""

from lib.rules.codes import lookup


class RuleError(ValueError):
    """A value broke a rule.

    `code` names the rule in the catalogue (`lib.rules.codes`). The text comes from the
    catalogue alone and so never holds the value, which may be personal data.
    """

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code

    def __str__(self) -> str:
        return f"{self.code}: {lookup(self.code).meaning}"
