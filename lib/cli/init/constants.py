"""The answers that are one text, for all rows: how each is asked for, read, and refused."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

from pydantic import ValidationError

from lib.cli.init.look import WrongAnswer
from lib.config import messages
from lib.config.expect import FORMS
from lib.config.profile import ACTION_DEFAULT, Profile
from lib.destinations import registry
from lib.rules.values.cells import RuleError
from lib.rules.values.currencies import parse_currency
from lib.rules.values.identifiers import normalize_region_code

_SMALLEST: Final = {"destination": next(iter(registry.names())), "customer_id": "1234567890"}


def _number(text: str) -> float | str:
    """`50` → 50, `49.90` → 49.9. The profile refuses another text, except action_default."""
    try:
        value = float(text)
    except ValueError:
        return text
    return int(value) if value.is_integer() else value


def _known(read: Callable[[str], str], advice: str) -> Callable[[str], str]:
    def answer(text: str) -> str:
        try:
            return read(text)
        except RuleError:
            raise WrongAnswer(advice) from None

    return answer


class Constant(NamedTuple):
    """A key of the profile. `option` is that of the command, with what it takes, and its help."""

    option: str
    help: str
    title: str = ""
    question: str = ""
    read: Callable[[str], Any] = str


CONSTANTS: Final[Mapping[str, Constant]] = {
    "value": Constant("--value NUMBER", f"Value of each sale, or {ACTION_DEFAULT}.", read=_number),
    "currency_code": Constant(
        "--currency CODE",
        "Currency of values that state none.",
        question="Which currency? Its code, such as EUR",
        read=_known(parse_currency, "Not a currency. Write its code, such as EUR."),
    ),
    "ad_user_data": Constant(
        "--ad-user-data ANSWER",
        "What all people answered: GRANTED, DENIED, or none (nothing is stated).",
        read=lambda text: None if text.lower() == "none" else text.upper(),
    ),
    "time_zone": Constant(
        "--time-zone NAME",
        "Time zone of times that state none: an IANA name.",
        "Time zone",
        "In which time zone are the times? A name such as Europe/Berlin, or UTC",
    ),
    "phone_region": Constant(
        "--phone-region CODE",
        "Country of phone numbers without +: two letters.",
        "Country of phones",
        "From which country are phone numbers without +? Its two letters, such as DE",
        _known(normalize_region_code, "Not a country. Write its two letters, such as DE."),
    ),
    "date_order": Constant("--date-order DMY|MDY", "Order of day and month in 03/04/2026."),
    "decimal_sign": Constant("--decimal-sign SIGN", "Decimal sign of 1.234: . or a comma."),
    "value_scale": Constant(
        "--value-scale FACTOR",
        "0.01 if values are in cents, or 1.",
        read=_number,
    ),
    "order_ids": Constant("--order-ids keep|integer", "integer: order ID 1001.0 means 1001."),
    "destination": Constant("--destination NAME", "API that gets the conversions.", "Sent by"),
    "customer_id": Constant(
        "--customer-id ID",
        "Google Ads account: ten digits.",
        "Account",
        "Which Google Ads account receives the conversions? Its ten digits, such as 123-456-7890",
    ),
    "login_customer_id": Constant("--login-customer-id ID", "Manager account that gives access."),
    "action": Constant("--action NAME_OR_ID", "Conversion action of sales.", "Action"),
    "expect": Constant(
        "--expect WHEN", f"When files come: {FORMS}.", "Files come", f"When do files come? {FORMS}"
    ),
    "encoding": Constant("--encoding NAME", "Text encoding [default: detected]."),
    "delimiter": Constant("--delimiter CHARACTER", "Between two cells [default: detected]."),
    "sheet": Constant("--sheet NAME", "Sheet of a workbook [default: the first one]."),
}


def read_constant(key: str, text: str) -> Any:
    """Return the value of a key. Raises `WrongAnswer` if the profile cannot have it."""
    value = CONSTANTS[key].read(text)
    refuse_constant(key, value)
    return value


def refuse_constant(key: str, value: object) -> None:
    """Raise `WrongAnswer` if a key of the profile cannot have this value."""
    try:
        Profile.model_validate({**_SMALLEST, key: value})
    except ValidationError as error:
        said = messages.lines(error, Profile)[0].removeprefix(f"{key}: ")
        raise WrongAnswer(f"{said[:1].upper()}{said[1:]}") from None
