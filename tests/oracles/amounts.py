"""Amounts as 49 locales write them (Babel, which has the data of Unicode's CLDR)."""

from __future__ import annotations

from contextlib import suppress
from decimal import Decimal
from typing import Final

from babel import Locale
from babel.numbers import format_currency, format_decimal, get_territory_currencies
from hypothesis import strategies as st

from lib.errors import RuleError
from lib.model.fields import DecimalSign
from lib.model.spelling import unwrap
from lib.rules.values.currencies import CURRENCIES
from lib.rules.values.money import parse_amount, written_currencies
from tests.oracles import Oracle, Verdict

_LOCALES: Final = """
bg_BG cs_CZ da_DK de_AT de_CH de_DE el_GR en_AU en_CA en_GB en_IE en_IN en_NZ en_US en_ZA es_AR
es_CL es_CO es_ES es_MX et_EE fi_FI fr_BE fr_CA fr_CH fr_FR hr_HR hu_HU id_ID is_IS it_CH it_IT
ja_JP ko_KR lt_LT lv_LV nb_NO nl_BE nl_NL pl_PL pt_BR pt_PT ro_RO ru_RU sk_SK sv_SE tr_TR uk_UA
vi_VN
"""
LOCALES: Final = _LOCALES.split()

AMOUNTS = st.one_of(
    st.decimals(0, 10, places=3),
    st.decimals(0, 2_000, places=3),
    st.decimals(0, 10**9, places=2),
    st.decimals(0, 10**12, places=0),
)
FORMS: Final = (
    "plain",
    "grouped",
    "standard",
    "accounting",
    "name",
    "code",
    "decimals of currency",
)
SIGNS: Final[tuple[DecimalSign, ...]] = (".", ",")


def written(amount: Decimal, form: str, currency: str, name: str) -> str:
    """Return the amount as a program of this locale shows it."""
    if form in ("plain", "grouped"):
        grouped = form == "grouped"
        return format_decimal(
            amount, locale=name, decimal_quantization=False, group_separator=grouped
        )
    if form == "code":
        pattern = Locale.parse(name).currency_formats["standard"].pattern.replace("¤", "¤¤")
        return format_currency(
            amount,
            currency,
            pattern,
            locale=name,
            currency_digits=False,
            decimal_quantization=False,
        )
    return format_currency(
        amount,
        currency,
        locale=name,
        format_type=form if form in ("standard", "accounting", "name") else "standard",
        currency_digits=form == "decimals of currency",
        decimal_quantization=form == "decimals of currency",
    )


def currencies_of(name: str) -> list[str]:
    """Return the currencies that programs of this locale use most."""
    own = get_territory_currencies(Locale.parse(name).territory or "")
    return [each for each in (*own, "EUR", "USD", "GBP", "JPY", "CHF") if each in CURRENCIES]


def check(amount: Decimal, form: str, name: str, currency_index: int, is_declared: bool) -> Verdict:
    """Compare an amount with what we read of it, with or without a declared decimal sign."""
    currencies = [*currencies_of(name), *sorted(CURRENCIES)]
    currency = currencies[currency_index % len(currencies)]
    text = written(amount, form, currency, name)
    decimal = Locale.parse(name).number_symbols["latn"]["decimal"]
    declared: DecimalSign | None = "," if decimal == "," else "."
    meant = {float(amount)}
    if form == "decimals of currency":
        # Rounded by the locale: the other numbers that are shown in the same way.
        meant = {float(amount.quantize(Decimal(10) ** -places)) for places in range(4)}
    cell = unwrap(text, "number")
    verdict: Verdict = "refused"
    with suppress(RuleError):
        found = parse_amount(cell, declared if is_declared else None, currency)
        assert found in meant, (text, name, declared, found)
        verdict = "read"
        # What is beside the number never means another currency.
        beside = written_currencies(cell)
        assert not beside or currency in beside, (text, name, beside)
    with suppress(RuleError):
        beside = written_currencies(cell)
        parse_amount(cell, declared, None)
        assert len(beside) != 1 or currency in beside, (text, name, beside)
    return verdict


ORACLE: Final = Oracle(
    "amounts of Babel",
    {
        "amount": AMOUNTS,
        "form": st.sampled_from(FORMS),
        "name": st.sampled_from(LOCALES),
        "currency_index": st.integers(0, 9) | st.integers(0, 400),
        "is_declared": st.booleans(),
    },
    check,
)
