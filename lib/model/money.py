"""Money: the values of rows in integer micros, and their sums, each currency apart.

A value is a millionth of a unit of its currency, so that sums are exact. The currency "" is that of
the account, if neither the file nor the profile names one.
"""

from __future__ import annotations

import zlib
from array import array
from collections.abc import Iterable, Mapping, Sequence
from itertools import compress
from typing import Annotated, Final, NamedTuple, TypeAlias

import msgspec

MICROS: Final = 1_000_000
_FLOAT_MICROS: Final = float(MICROS)
ACCOUNT_CURRENCY: Final = "the account's currency"
"""The name of "" for people."""
MAX_MICROS: Final = (1 << 63) - 1
"""What fits into the integers of other programs. Sums stop here."""
MAX_VALUE: Final = 1e12
"""The rules refuse a higher value: no sale is worth so much, in any currency."""
_NONE: Final = -1


def micros_of(value: float) -> int:
    """Return a value in micros. `12.4` → `12400000`."""
    return int(value * _FLOAT_MICROS + 0.5)


Count: TypeAlias = Annotated[int, msgspec.Meta(ge=0)]
"""A number of things in a document: a negative one is refused when it is read."""


class Sum(NamedTuple):
    """The number of rows with a value in one currency, and their sum."""

    rows: Count = 0
    micros: int = 0


def micros_by_currency(sums: Mapping[str, Sum]) -> dict[str, int]:
    """Return the sums without their numbers of rows."""
    return {currency: each.micros for currency, each in sums.items()}


def add_sums(sums: dict[str, Sum], more: Mapping[str, Sum]) -> None:
    """Add sums by currency to others."""
    for currency, (rows, micros) in more.items():
        before = sums.get(currency, Sum())
        sums[currency] = Sum(before.rows + rows, min(before.micros + micros, MAX_MICROS))


def difference(sums: Mapping[str, Sum], less: Mapping[str, Sum]) -> dict[str, Sum]:
    """Return the sums without the rows that are in `less`, and without currencies of no row."""
    differences = dict(sums)
    for currency, (rows, micros) in less.items():
        before = sums.get(currency, Sum())
        differences[currency] = Sum(before.rows - rows, before.micros - micros)
    return {currency: each for currency, each in differences.items() if each.rows}


def most_frequent_first(sums: Mapping[str, Sum]) -> dict[str, Sum]:
    """Return the sums in the order of their rows, those of most rows first."""
    return dict(sorted(sums.items(), key=lambda each: (-each[1].rows, each[0])))


def amount(micros: int, *, always_cents: bool = False) -> str:
    """`12400500000` → `12,400.50`, for people. Nothing is rounded: a dinar has 1,000 parts.

    A whole one has no cents, except with `always_cents`: they show which sign is the decimal one.
    """
    whole, rest = divmod(abs(micros), MICROS)
    decimals = f"{rest:06}".rstrip("0")
    cents = f".{decimals:0<2}" if decimals or always_cents else ""
    return f"{'-' * (micros < 0)}{whole:,}{cents}"


def in_words(micros: Mapping[str, int]) -> str:
    """`{"USD": 9000000, "EUR": 500000}` → `9 USD, 0.50 EUR`: the largest first, and none of 0."""
    return ", ".join(
        f"{amount(each)} {currency or f'({ACCOUNT_CURRENCY})'}"
        for currency, each in sorted(micros.items(), key=lambda pair: -pair[1])
        if each
    )


class Amounts(NamedTuple):
    """The values of some rows by their positions, packed: `micros` has eight bytes a row.

    `currencies` has all that occur. If there are several, `which` has a byte for each row: the
    position of its currency. Without `micros`, no row has a value.
    """

    micros: bytes = b""
    currencies: tuple[str, ...] = ()
    which: bytes = b""

    @classmethod
    def of(cls, values: Iterable[float | None], currencies: Sequence[str | None]) -> Amounts:
        """Return the values of rows, which are in these currencies. None: the row has no value, and
        so no currency."""
        names = tuple(each for each in dict.fromkeys(currencies) if each is not None)
        if not names:
            return cls()
        which = b""
        if len(names) > 1:
            numbers = {name: number for number, name in enumerate(names)}
            which = bytes(numbers.get(each or "", 0) for each in currencies)
        micros = [_NONE if value is None else int(value * _FLOAT_MICROS + 0.5) for value in values]
        return cls(array("q", micros).tobytes(), names, which)

    def at(self, position: int) -> tuple[int | None, str]:
        """Return the value of a row in micros, and its currency."""
        if not self.micros:
            return None, ""
        micros = memoryview(self.micros).cast("q")[position]
        if micros == _NONE:
            return None, ""
        return micros, self.currencies[self.which[position] if self.which else 0]

    def only(self, positions: Sequence[int]) -> Amounts:
        """Return the values of these rows, in this order."""
        if not self.micros:
            return self
        micros = array("q", self.micros)
        return self._replace(
            micros=array("q", map(micros.__getitem__, positions)).tobytes(),
            which=bytes(map(self.which.__getitem__, positions)) if self.which else b"",
        )

    def sums(self) -> dict[str, Sum]:
        """Return the sum of each currency."""
        # A row without a value counts -1 (`_NONE`): their number is added again to the sum.
        micros = array("q", self.micros).tolist()
        by_currency: dict[str, Sum] = {}
        for number, currency in enumerate(self.currencies):
            of_currency = (
                [*compress(micros, map(number.__eq__, self.which))] if self.which else micros
            )
            without = of_currency.count(_NONE)
            if rows := len(of_currency) - without:
                by_currency[currency] = Sum(rows, min(sum(of_currency) + without, MAX_MICROS))
        return by_currency

    def packed(self) -> bytes:
        """Return them for a marker, in about half of the space."""
        return zlib.compress(msgspec.msgpack.encode(self), 1) if self.micros else b""

    @classmethod
    def unpacked(cls, content: bytes) -> Amounts:
        """Return what `packed` has made of them."""
        return _AMOUNTS.decode(zlib.decompress(content)) if content else cls()


_AMOUNTS: Final = msgspec.msgpack.Decoder(Amounts)
"""Made before there are threads (`lib.state.documents.decoder_of`)."""
