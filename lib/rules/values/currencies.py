"""Currencies: an ISO 4217 code or name -> the code."""

import re
from contextlib import suppress
from functools import cache
from typing import Final

from lib.errors import RuleError
from lib.rules.values.cells import plain_name

# ISO 4217 as of 2026, https://www.six-group.com/en/products-services/financial-information/
# data-standards.html: list one, without metals, testing codes, funds and units of account. A test
# compares codes and names with pycountry. BGN, which the euro replaced in 2026, stays as long as
# files may contain conversions before that.
_IN_USE: Final = """
AED UAE Dirham, AFN Afghani, ALL Lek, AMD Armenian Dram, AOA Kwanza, ARS Argentine Peso, AUD
Australian Dollar, AWG Aruban Florin, AZN Azerbaijan Manat, BAM Convertible Mark, BBD Barbados
Dollar, BDT Taka, BGN Bulgarian Lev, BHD Bahraini Dinar, BIF Burundi Franc, BMD Bermudian Dollar,
BND Brunei Dollar, BOB Boliviano, BRL Brazilian Real, BSD Bahamian Dollar, BTN Ngultrum, BWP Pula,
BYN Belarusian Ruble, BZD Belize Dollar, CAD Canadian Dollar, CDF Congolese Franc, CHF Swiss Franc,
CLP Chilean Peso, CNY Yuan Renminbi, COP Colombian Peso, CRC Costa Rican Colon, CUP Cuban Peso, CVE
Cabo Verde Escudo, CZK Czech Koruna, DJF Djibouti Franc, DKK Danish Krone, DOP Dominican Peso, DZD
Algerian Dinar, EGP Egyptian Pound, ERN Nakfa, ETB Ethiopian Birr, EUR Euro, FJD Fiji Dollar, FKP
Falkland Islands Pound, GBP Pound Sterling, GEL Lari, GHS Ghana Cedi, GIP Gibraltar Pound, GMD
Dalasi, GNF Guinean Franc, GTQ Quetzal, GYD Guyana Dollar, HKD Hong Kong Dollar, HNL Lempira, HTG
Gourde, HUF Forint, IDR Rupiah, ILS New Israeli Sheqel, INR Indian Rupee, IQD Iraqi Dinar, IRR
Iranian Rial, ISK Iceland Krona, JMD Jamaican Dollar, JOD Jordanian Dinar, JPY Yen, KES Kenyan
Shilling, KGS Som, KHR Riel, KMF Comorian Franc, KPW North Korean Won, KRW Won, KWD Kuwaiti Dinar,
KYD Cayman Islands Dollar, KZT Tenge, LAK Lao Kip, LBP Lebanese Pound, LKR Sri Lanka Rupee, LRD
Liberian Dollar, LSL Loti, LYD Libyan Dinar, MAD Moroccan Dirham, MDL Moldovan Leu, MGA Malagasy
Ariary, MKD Denar, MMK Kyat, MNT Tugrik, MOP Pataca, MRU Ouguiya, MUR Mauritius Rupee, MVR Rufiyaa,
MWK Malawi Kwacha, MXN Mexican Peso, MYR Malaysian Ringgit, MZN Mozambique Metical, NAD Namibia
Dollar, NGN Naira, NIO Cordoba Oro, NOK Norwegian Krone, NPR Nepalese Rupee, NZD New Zealand Dollar,
OMR Rial Omani, PAB Balboa, PEN Sol, PGK Kina, PHP Philippine Peso, PKR Pakistan Rupee, PLN Zloty,
PYG Guarani, QAR Qatari Rial, RON Romanian Leu, RSD Serbian Dinar, RUB Russian Ruble, RWF Rwanda
Franc, SAR Saudi Riyal, SBD Solomon Islands Dollar, SCR Seychelles Rupee, SDG Sudanese Pound, SEK
Swedish Krona, SGD Singapore Dollar, SHP Saint Helena Pound, SLE Leone, SOS Somali Shilling, SRD
Surinam Dollar, SSP South Sudanese Pound, STN Dobra, SVC El Salvador Colon, SYP Syrian Pound, SZL
Lilangeni, THB Baht, TJS Somoni, TMT Turkmenistan New Manat, TND Tunisian Dinar, TOP Pa'anga, TRY
Turkish Lira, TTD Trinidad and Tobago Dollar, TWD New Taiwan Dollar, TZS Tanzanian Shilling, UAH
Hryvnia, UGX Uganda Shilling, USD US Dollar, UYU Peso Uruguayo, UZS Uzbekistan Sum, VES Bolívar
Soberano, VND Dong, VUV Vatu, WST Tala, XAF CFA Franc BEAC, XCD East Caribbean Dollar, XCG Caribbean
Guilder, XOF CFA Franc BCEAO, XPF CFP Franc, YER Yemeni Rial, ZAR Rand, ZMW Zambian Kwacha, ZWG
Zimbabwe Gold
"""
CURRENCY_NAMES: Final = {
    code: name
    for code, _, name in (
        entry.partition(" ") for entry in _IN_USE.replace("\n", " ").strip().split(", ")
    )
}
CURRENCIES: Final = frozenset(CURRENCY_NAMES)

_WHOLE_UNITS: Final = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF"
_THOUSANDTHS: Final = "BHD IQD JOD KWD LYD OMR TND"
OTHER_THAN_HUNDREDTHS: Final = frozenset([*_WHOLE_UNITS.split(), *_THOUSANDTHS.split()])
"""The currencies without cents, by the minor units of the same list."""

# As exports and people write them. A name that several currencies share (Dollar) is none.
_OTHER_NAMES: Final = {
    "united states dollar": "USD",
    "british pound": "GBP",
    "british pound sterling": "GBP",
    "uk pound": "GBP",
    "pounds sterling": "GBP",
    "japanese yen": "JPY",
    "chinese yuan": "CNY",
    "chinese yuan renminbi": "CNY",
    "south korean won": "KRW",
    "south african rand": "ZAR",
    "polish zloty": "PLN",
    "hungarian forint": "HUF",
    "thai baht": "THB",
    "israeli new shekel": "ILS",
    "israeli shekel": "ILS",
    "indonesian rupiah": "IDR",
    "vietnamese dong": "VND",
    "ukrainian hryvnia": "UAH",
    "nigerian naira": "NGN",
    "peruvian sol": "PEN",
    "united arab emirates dirham": "AED",
    "uruguayan peso": "UYU",
}


_ONE_SPELLING: Final = re.compile(r"[^()\[\]/|–—-]+")
"""Several ways to write one currency: `Euro (€)`, `EUR - Euro`."""

# Signs, abbreviations and codes of former or no standards, and the currencies that they may mean:
# `kr`, `¥` and `$` are used for several. `¤` is the sign of none in particular.
_SIGNS: Final = """
€ EUR, £ GBP, ₤ GBP TRY, ₹ INR, ₨ INR PKR LKR NPR MUR SCR, rs INR PKR LKR NPR MUR SCR, ₺ TRY,
tl TRY, trl TRY, rur RUB, rmb CNY, nis ILS, rp IDR, rm MYR, s/ PEN, ksh KES, ฿ THB, đ VND, ৳ BDT,
﷼ IRR OMR QAR SAR YER, ر.س SAR, د.إ AED, ₽ RUB, руб RUB BYN, ₩ KRW, 원 KRW, ₪ ILS, ₫ VND, ₴ UAH,
грн UAH, ₦ NGN, ₱ PHP, ₸ KZT, ₲ PYG, ₡ CRC SVC, ₵ GHS, ¢ CRC GHS SVC, ₾ GEL, ₼ AZN, ₮ MNT, ₭ LAK,
₣ CHF BIF CDF DJF GNF KMF RWF XAF XOF XPF, fr CHF BIF CDF DJF GNF KMF RWF XAF XOF XPF,
sfr CHF,
kr DKK ISK NOK SEK, ¥ CNY JPY, 円 JPY, 元 CNY TWD, zł PLN, kč CZK, ft HUF, lei MDL RON, лв BGN,
r LSL NAD SZL ZAR, r$ BRL, a$ AUD, b$ BBD BND BSD, c$ CAD NIO, nt$ TWD, s$ SGD, ¤
"""
_DOLLARS_AND_PESOS: Final = """
ARS AUD BBD BMD BND BRL BSD BZD CAD CLP COP CUP DOP FJD GYD HKD JMD KYD LRD MOP MXN NAD NIO NZD SBD
SGD SRD TOP TTD TWD USD UYU WST XCD ZWG
"""
CURRENCIES_BY_SIGN: Final = {
    "$": frozenset(_DOLLARS_AND_PESOS.split()),
    **{sign: frozenset(codes) for sign, *codes in map(str.split, _SIGNS.split(","))},
}


# `US$`, `$US` and `MXN$`: a sign beside the first letters of a code, which are its country's.
_SIGN_OF_COUNTRY: Final = re.compile(
    r"(?:([A-Z]{2,3}) ?)?([$¢£¥\u20a0-\u20cf])(?(1)| ?([A-Z]{2,3}))", re.ASCII | re.IGNORECASE
)


def currencies_of_sign(text: str) -> frozenset[str] | None:
    """Return the currencies that a code, a sign or an abbreviation may mean; None: it is none.

    `$` may mean several. Letters that are unknown beside a sign give it another meaning: `E£` is no
    pound sterling.
    """
    if text.upper() in CURRENCIES:
        return frozenset({text.upper()})
    found = CURRENCIES_BY_SIGN.get(text.lower())
    if found is not None:
        return found
    parts = _SIGN_OF_COUNTRY.fullmatch(text)
    if parts is None:
        return None
    before, sign, after = parts.groups()
    letters = (before or after).upper()
    of_sign = CURRENCIES_BY_SIGN.get(sign, ())
    return frozenset(code for code in of_sign if code.startswith(letters)) or None


def parse_currency(value: str) -> str:
    """Return the ISO 4217 code of a currency: `usd`, `US$`, `US Dollars`, `US Dollar ($)` -> USD.

    Raises INVALID_CURRENCY.
    """
    if value in CURRENCIES:
        return value
    code = value.strip().upper()
    if code in CURRENCIES:
        return code
    of_sign = currencies_of_sign(code) or ()
    if len(of_sign) == 1:
        return next(iter(of_sign))
    name = plain_name(value.replace(".", ""))  # U.S. Dollar
    codes = _codes_by_name()
    if found := codes.get(name) or codes.get(name.removesuffix("s")):
        return found
    ways = [each.strip() for each in _ONE_SPELLING.findall(value)]
    if len(ways) < 2:
        raise RuleError("INVALID_CURRENCY")
    every = set()
    for each in ways:
        with suppress(RuleError):  # "$" alone, and words that are no currency, say nothing
            every.add(parse_currency(each))
    if len(every) != 1:
        raise RuleError("INVALID_CURRENCY")
    return every.pop()


@cache
def _codes_by_name() -> dict[str, str]:
    """Return plain name → code: `us dollar` → USD."""
    return _OTHER_NAMES | {plain_name(name): code for code, name in CURRENCY_NAMES.items()}
