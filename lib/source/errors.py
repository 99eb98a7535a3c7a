"""`SourceError` for `lib/cli/init`, which imports it from here."""

from lib.errors import SourceError as SourceError
