"""Consent and other enums, order IDs, click IDs, network fields and carts."""

import base64
import json
import time
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.errors import RuleError
from lib.model.fields import DecimalSign, NumberFormat
from lib.model.personal_data import looks_like_email, looks_like_phone
from lib.rules.values import network
from lib.rules.values.cart import (
    CartItem,
    check_custom_variable,
    parse_cart_items,
    parse_discount,
    parse_feed_language,
    parse_merchant_id,
)
from lib.rules.values.click_ids import check_click_id
from lib.rules.values.enums import (
    parse_consent,
    parse_conversion_environment,
    parse_customer_type,
    parse_event_source,
)
from lib.rules.values.network import (
    SESSION_ATTRIBUTE_KEYS,
    parse_ip,
    parse_session_attributes_encoded,
    parse_session_attributes_pairs,
    parse_user_agent,
)
from lib.rules.values.order_ids import (
    check_order_id,
    derived_order_id,
)

Rule = Callable[[str], object]
TOKEN = base64.b64encode(json.dumps({"gad_source": "1"}).encode()).decode()
LONGEST_TOKEN = base64.b64encode(json.dumps({"a": "x" * 6135}).encode()).decode()


@pytest.mark.parametrize(
    "rule, value, result",
    [
        (parse_consent, "1.0", "GRANTED"),
        (parse_consent, "0.0", "DENIED"),
        (parse_consent, "Granted", "GRANTED"),
        (parse_consent, "GRANTED", "GRANTED"),
        (parse_consent, "yes", "GRANTED"),
        (parse_consent, "TRUE", "GRANTED"),
        (parse_consent, "1", "GRANTED"),
        (parse_consent, "consent_granted", "GRANTED"),
        (parse_consent, " Consent - granted ", "GRANTED"),
        (parse_consent, " Denied ", "DENIED"),
        (parse_consent, "ja", "GRANTED"),
        (parse_consent, "Oui", "GRANTED"),
        (parse_consent, "Sí", "GRANTED"),
        (parse_consent, "si\u0300", "GRANTED"),
        (parse_consent, "SIM", "GRANTED"),
        (parse_consent, "WAHR", "GRANTED"),
        (parse_consent, "accordé", "GRANTED"),
        (parse_consent, "erteilt", "GRANTED"),
        (parse_consent, "Nein", "DENIED"),
        (parse_consent, "non", "DENIED"),
        (parse_consent, "nee", "DENIED"),
        (parse_consent, "Não", "DENIED"),
        (parse_consent, "FALSCH", "DENIED"),
        (parse_consent, "refusé", "DENIED"),
        (parse_consent, "nicht erteilt", "DENIED"),
        (parse_consent, "unbekannt", None),
        (parse_consent, "No", "DENIED"),
        (parse_consent, "false", "DENIED"),
        (parse_consent, "0", "DENIED"),
        (parse_consent, "", None),
        (parse_consent, " ", None),
        (parse_consent, "Unspecified", None),
        (parse_consent, "unknown", None),
        (parse_conversion_environment, "app", "APP"),
        (parse_conversion_environment, "Web", "WEB"),
        (parse_conversion_environment, "", None),
        (parse_customer_type, "new", "NEW"),
        (parse_customer_type, "Returning", "RETURNING"),
        (parse_customer_type, "reengaged", "REENGAGED"),
        (parse_user_agent, " Mozilla/5.0 (X11) ", "Mozilla/5.0 (X11)"),
        (parse_event_source, "in store", "IN_STORE"),
        (parse_event_source, "In-Store", "IN_STORE"),
        (parse_event_source, "phone", "PHONE"),
        (check_click_id, " EAIaIQobChMI-_ ", "EAIaIQobChMI-_"),
        (check_click_id, "abcdefghij1", "abcdefghij1"),
        (check_click_id, "AbCdEfGhIj", "AbCdEfGhIj"),
        (check_click_id, "gclid=Cj0KCQiAexample", "Cj0KCQiAexample"),
        (check_click_id, "https://example.com/?a=b&gclid=Cj0KCQiA01&c=d#e", "Cj0KCQiA01"),
        (check_click_id, "example.com/?GCLID=Cj0KCQiA01%2D", "Cj0KCQiA01-"),
        (
            lambda value: check_click_id(value, "wbraid"),
            "?gclid=abc&wbraid=0AAAAAexample",
            "0AAAAAexample",
        ),
        (check_click_id, "PED-3413|gclid=Cj0KCQiA01|fbclid=x", "Cj0KCQiA01"),
        (check_click_id, '{"name": "A B", "gclid": "Cj0KCQiA01"}', "Cj0KCQiA01"),
        (check_click_id, "Site: https://example.com/?gclid=Cj0KCQiA01 call", "Cj0KCQiA01"),
        (check_click_id, 'He wrote "https://example.com/?gclid=Cj0KCQiA01".', "Cj0KCQiA01"),
        (check_click_id, "/?gclid=&gclid=Cj0KCQiA01", "Cj0KCQiA01"),
        (check_click_id, "Gift: Yes\ngclid: Cj0KCQiA12\nutm: google", "Cj0KCQiA12"),
        (check_click_id, "gclid:Cj0KCQiA12", "Cj0KCQiA12"),
        (check_click_id, "gclid: https://example.com/?gclid=Cj0KCQiA01", "Cj0KCQiA01"),
        (check_click_id, "https://example.com/?gclid=Cj0KCQiA01\ngclid: none", "Cj0KCQiA01"),
        (check_click_id, '{"gclid": "Cj0KCQiA01", "note": "a, gclid: Cj0KCQiA34"}', "Cj0KCQiA01"),
        (check_click_id, "Cj0KCQiAexample%3D%3D", "Cj0KCQiAexample%3D%3D"),
        (check_click_id, "Cj0KCQiAexample==", "Cj0KCQiAexample=="),
        (check_click_id, "1x9" * 4, "1x9" * 4),
        (check_click_id, "-CjwKEAjwx", "-CjwKEAjwx"),
        (check_click_id, "Cj0KCQiA..example.", "Cj0KCQiA..example."),
        (check_click_id, "GCL.1795205107.Cj0KCQiA01_x", "Cj0KCQiA01_x"),
        (check_click_id, "GCL.179520510.Cj0KCQiA01_x", "GCL.179520510.Cj0KCQiA01_x"),
        (check_click_id, "g" * 31 + "1", "g" * 31 + "1"),
        (check_click_id, "c0ffee" * 5 + "1", "c0ffee" * 5 + "1"),
        (check_click_id, "IwAx0Hexample0000000000001", "IwAx0Hexample0000000000001"),
        (check_click_id, "payment-Example000000000001", "payment-Example000000000001"),
        (check_click_id, "https://example.com/?gclid=Cj0KCQiA01&p=abc...", "Cj0KCQiA01"),
        (check_order_id, "8005550100", "8005550100"),
        (check_order_id, "112-3456789-1234567", "112-3456789-1234567"),
        (check_order_id, "SO-2026-11-0001", "SO-2026-11-0001"),
        (check_order_id, " ORD@2026 ", "ORD@2026"),
        (check_order_id, "1", "1"),
        (check_order_id, "SO-1", "SO-1"),
        (check_order_id, "a b." * 200, "a b." * 200),
        (check_order_id, "100%40", "100%40"),
        (check_order_id, "a@7-1", "a@7-1"),
        (check_order_id, "\u0661\u0660\u0660\u0661", "\u0661\u0660\u0660\u0661"),
        (check_order_id, "none-1", "none-1"),
        (check_order_id, "UnknownBuyer2026x", "UnknownBuyer2026x"),
        (check_order_id, "1.23457E-11", "1.23457E-11"),
        (check_order_id, "2026-11-24 001", "2026-11-24 001"),
        (parse_ip, " 192.0.2.1 ", "192.0.2.1"),
        (parse_ip, "2001:DB8:0:0::1", "2001:db8::1"),
        (parse_cart_items, "a:1:2.50 \u00a4", (CartItem("a", 1, 2.5),)),
        (parse_merchant_id, " 123 ", 123),
        (parse_merchant_id, "1", 1),
        (parse_merchant_id, "9223372036854775807", 2**63 - 1),
        (parse_feed_language, "EN", "en"),
        (parse_feed_language, "pt-BR", "pt"),
        (check_custom_variable, "x" * 100, "x" * 100),
        (check_custom_variable, "gold", "gold"),
        (parse_session_attributes_encoded, f" {TOKEN} ", TOKEN),
        (parse_session_attributes_encoded, TOKEN.rstrip("="), TOKEN.rstrip("=")),
        (parse_session_attributes_encoded, LONGEST_TOKEN, LONGEST_TOKEN),
    ],
)
def test_a_valid_cell_is_read(rule: Rule, value: str, result: object) -> None:
    """Each rule reads its usual inputs."""
    assert rule(value) == result


@pytest.mark.parametrize(
    "rule, value, code",
    [
        (parse_consent, "maybe", "INVALID_CONSENT"),
        (parse_consent, "2.0", "INVALID_CONSENT"),
        (parse_consent, "not granted", "INVALID_CONSENT"),
        *((parse_consent, cell, "INVALID_CONSENT") for cell in ("-1", "_1", "-0", "- yes", "no-")),
        (parse_conversion_environment, "desktop", "UNKNOWN_WORD"),
        (parse_conversion_environment, "-web", "UNKNOWN_WORD"),
        (parse_customer_type, "VIP", "UNKNOWN_WORD"),
        (parse_user_agent, "Mozilla\x00", "INVALID_USER_AGENT"),
        (parse_event_source, "fax", "UNKNOWN_WORD"),
        (check_click_id, "", "INVALID_CLICK_ID"),
        (check_click_id, "Gift wrap: Yes\nutm_source: google", "INVALID_CLICK_ID"),
        (check_click_id, "gclid: not set", "INVALID_CLICK_ID"),
        (check_click_id, "gclid: newsletter", "INVALID_CLICK_ID"),
        (check_click_id, "gclid: Cj0KCQiA12\ngclid: Cj0KCQiA34", "INVALID_CLICK_ID"),
        (check_click_id, "abc def", "INVALID_CLICK_ID"),
        (check_click_id, "TEL-2281", "INVALID_CLICK_ID"),
        (check_click_id, "Cj0KCQiA1", "INVALID_CLICK_ID"),
        (check_click_id, "GCL.1795205107.", "INVALID_CLICK_ID"),
        (check_click_id, "GCL.1795205107.Cj0", "INVALID_CLICK_ID"),
        (check_click_id, "c0ffee00c0ffee00c0ffee00c0ffee00", "INVALID_CLICK_ID"),
        (check_click_id, "C0FFEE00C0FFEE00C0FFEE00C0FFEE00", "INVALID_CLICK_ID"),
        (check_click_id, "00c0ffee00c0ffee00c0ffee00c0ffee", "INVALID_CLICK_ID"),
        (check_click_id, "IwAR0Hexample0000000000001", "INVALID_CLICK_ID"),
        (check_click_id, "IwY2xjawexample000000001", "INVALID_CLICK_ID"),
        (check_click_id, "pay_Example000001", "INVALID_CLICK_ID"),
        (check_click_id, "pay_Example000000000000000001", "INVALID_CLICK_ID"),
        (check_click_id, "?gclid=IwAR0Hexample0000000000001", "INVALID_CLICK_ID"),
        (check_click_id, "Newspaper", "INVALID_CLICK_ID"),
        (check_click_id, "OLX", "INVALID_CLICK_ID"),
        (check_click_id, "IG", "INVALID_CLICK_ID"),
        (check_click_id, "insta-stories", "INVALID_CLICK_ID"),
        (check_click_id, "Google_Ads", "INVALID_CLICK_ID"),
        (check_click_id, "See https://example.com/?gclid=Cj0KCQiA.", "INVALID_CLICK_ID"),
        (check_click_id, "/?gclid=Cj0KCQiA\n/?gclid=EAIaIQob", "INVALID_CLICK_ID"),
        (check_click_id, "utm_source=newsletter", "INVALID_CLICK_ID"),
        (check_click_id, "(not set)", "INVALID_CLICK_ID"),
        (check_click_id, "null", "INVALID_CLICK_ID"),
        (check_click_id, "{gclid}", "INVALID_CLICK_ID"),
        (check_click_id, '{"name": "A B"}', "INVALID_CLICK_ID"),
        (check_click_id, '{"gclid": ""}', "INVALID_CLICK_ID"),
        (check_click_id, "caf\u00e9", "INVALID_CLICK_ID"),
        (check_click_id, "a" * 1025, "INVALID_CLICK_ID"),
        *(
            (check_click_id, cell, "INVALID_CLICK_ID")
            for cell in (
                *("Cj0KCQiAexampleCj0KCQiA...", "Cj0KCQiAexample\u2026", "Cj0KCQ...xample"),
                *("https://example.com/?gclid=Cj0KCQiA...", "gclid=Cj0KCQiAexample%E2%80%A6"),
            )
        ),
        *(
            (check_click_id, cell, "INVALID_CLICK_ID")
            for cell in (
                *("not_set", "notset", "Unknown", "(direct)", "organic", "TEST", "gclid", "true"),
                *("FALSE", "0", "1", "--", "undefined", "N/A", "#N/A", "%7Bgclid%7D", "123456"),
                *("2026-11-20", "2026-11-20T10:00:00Z", "20/11/2026", "1.23457E+11", "1e5"),
                *("gclid=", "gclid=null", "https://example.com/", "https://example.com/?gbraid=a"),
                *("12345678901234567890",),
            )
        ),
        (check_order_id, "jane@example.com", "INVALID_ORDER_ID"),
        (check_order_id, "order jane@example.com 7", "INVALID_ORDER_ID"),
        (check_order_id, "+1 800 555 0100", "INVALID_ORDER_ID"),
        (check_order_id, "+18005550100", "INVALID_ORDER_ID"),
        (check_order_id, "(800) 555-0100", "INVALID_ORDER_ID"),
        (check_order_id, "800-555-0100", "INVALID_ORDER_ID"),
        (check_order_id, "1-800-555-0100", "INVALID_ORDER_ID"),
        (check_order_id, "tel:+18005550100", "INVALID_ORDER_ID"),
        (check_order_id, "020 7946 0958", "INVALID_ORDER_ID"),
        (check_order_id, "jane@corp", "INVALID_ORDER_ID"),
        (check_order_id, "jane%40corp", "INVALID_ORDER_ID"),
        (check_order_id, "jane%40example.com", "INVALID_ORDER_ID"),
        (check_order_id, "jane%EF%BC%A0corp", "INVALID_ORDER_ID"),
        (check_order_id, "jane\uff20corp", "INVALID_ORDER_ID"),
        (check_order_id, "jane\ufe6bcorp", "INVALID_ORDER_ID"),
        (check_order_id, "jane @ corp", "INVALID_ORDER_ID"),
        (check_order_id, "order 7 of jane @ example.com", "INVALID_ORDER_ID"),
        (check_order_id, "jane@10.0.0.1", "INVALID_ORDER_ID"),
        (
            check_order_id,
            "+\u0662\u0660 \u0661\u0660\u0660 \u0665\u0665\u0665 0100",
            "INVALID_ORDER_ID",
        ),
        (
            check_order_id,
            "\u0660\u0662\u0660 \u0667\u0669\u0664\u0666 \u0660\u0669\u0665\u0668",
            "INVALID_ORDER_ID",
        ),
        (check_order_id, "\uff0b18005550100", "INVALID_ORDER_ID"),
        (check_order_id, "%2B1%20800%20555%200100", "INVALID_ORDER_ID"),
        (check_custom_variable, "jane%40corp", "CUSTOM_VARIABLE_NOT_ACCEPTED"),
        (check_order_id, "1.23457E+11", "ORDER_ID_SHORTENED"),
        (check_order_id, "1,23457E+11", "ORDER_ID_SHORTENED"),
        (check_order_id, "1e+100", "ORDER_ID_SHORTENED"),
        (parse_ip, "", "INVALID_IP_ADDRESS"),
        (parse_ip, "192.0.2", "INVALID_IP_ADDRESS"),
        (parse_ip, "192.0.2.1:80", "INVALID_IP_ADDRESS"),
        (parse_ip, "192.0.2.0/24", "INVALID_IP_ADDRESS"),
        (parse_ip, "fe80::1%eth0", "INVALID_IP_ADDRESS"),
        (parse_merchant_id, "M123", "INVALID_CART_DATA"),
        (parse_merchant_id, "0", "INVALID_CART_DATA"),
        (parse_merchant_id, "9223372036854775808", "INVALID_CART_DATA"),
        (parse_feed_language, "English", "INVALID_CART_DATA"),
        (parse_feed_language, "eng", "INVALID_CART_DATA"),
        (check_custom_variable, "of jane@example.com", "CUSTOM_VARIABLE_NOT_ACCEPTED"),
        (check_custom_variable, "+1 212 555 0100", "CUSTOM_VARIABLE_NOT_ACCEPTED"),
        (check_custom_variable, "(212) 555-0100", "CUSTOM_VARIABLE_NOT_ACCEPTED"),
        (check_custom_variable, "x" * 101, "CUSTOM_VARIABLE_NOT_ACCEPTED"),
        (parse_session_attributes_encoded, "", "INVALID_SESSION_ATTRIBUTES"),
        (parse_session_attributes_encoded, "not base64!", "INVALID_SESSION_ATTRIBUTES"),
        (parse_session_attributes_encoded, "WzFd", "INVALID_SESSION_ATTRIBUTES"),
        (parse_session_attributes_encoded, "AAAA", "INVALID_SESSION_ATTRIBUTES"),
        (parse_session_attributes_encoded, f"{LONGEST_TOKEN}ICAg", "INVALID_SESSION_ATTRIBUTES"),
        (parse_session_attributes_pairs, "", "INVALID_SESSION_ATTRIBUTES"),
        (parse_session_attributes_pairs, "shoe_size=9", "INVALID_SESSION_ATTRIBUTES"),
        (parse_session_attributes_pairs, "x" + "\n" * 8_000, "INVALID_SESSION_ATTRIBUTES"),
        (parse_session_attributes_pairs, "x;gad_source=1", "INVALID_SESSION_ATTRIBUTES"),
        (parse_session_attributes_pairs, "gad_source=", "INVALID_SESSION_ATTRIBUTES"),
        (parse_session_attributes_pairs, f"gad_source={'1' * 8_192}", "INVALID_SESSION_ATTRIBUTES"),
        (parse_session_attributes_pairs, "gad_source=1;gad_source=2", "INVALID_SESSION_ATTRIBUTES"),
        (parse_session_attributes_pairs, '{"gad_source": [1]}', "INVALID_SESSION_ATTRIBUTES"),
        (parse_session_attributes_pairs, '{"shoe_size": "9"}', "INVALID_SESSION_ATTRIBUTES"),
        (parse_session_attributes_pairs, "{", "INVALID_SESSION_ATTRIBUTES"),
        (
            parse_session_attributes_pairs,
            '{"gad_source": "\\ud83d"}',
            "INVALID_SESSION_ATTRIBUTES",
        ),
        (
            parse_cart_items,
            '[{"product_id": "SKU \\ud83d", "quantity": 1, "unit_price": 2}]',
            "INVALID_CART_DATA",
        ),
        (parse_cart_items, "", "INVALID_CART_DATA"),
        (parse_cart_items, "sku:1", "INVALID_CART_DATA"),
        (parse_cart_items, "sku:0:2", "INVALID_CART_DATA"),
        (parse_cart_items, "sku:x:2", "INVALID_CART_DATA"),
        (parse_cart_items, ":1:2", "INVALID_CART_DATA"),
        (parse_cart_items, "sku:1:-2", "INVALID_CART_DATA"),
        (parse_cart_items, "sku:1:19.50 JPY", "INVALID_CART_DATA"),
        (parse_cart_items, "sku:1:\u20ac 2", "INVALID_CART_DATA"),
        (
            parse_cart_items,
            '[{"product_id": "a", "quantity": 1, "unit_price": "$2"}]',
            "INVALID_CART_DATA",
        ),
        (lambda cell: parse_discount(cell, NumberFormat(".")), "2.50 EUR", "INVALID_CART_DATA"),
        (parse_cart_items, "sku:2147483648:2", "INVALID_CART_DATA"),
        (parse_cart_items, "sku:1:2;" * 1001, "INVALID_CART_DATA"),
        (parse_cart_items, "[1]", "INVALID_CART_DATA"),
        (parse_cart_items, "[", "INVALID_CART_DATA"),
        (parse_cart_items, '[{"product_id": "a"}]', "INVALID_CART_DATA"),
        (
            parse_cart_items,
            '[{"product_id": null, "quantity": 1, "unit_price": 2}]',
            "INVALID_CART_DATA",
        ),
    ],
)
def test_an_invalid_cell_is_refused_with_a_code(rule: Rule, value: str, code: str) -> None:
    """An invalid cell is refused with a code, and the error does not contain the value."""
    with pytest.raises(RuleError) as refused:
        rule(value)
    assert refused.value.code == code
    assert refused.value.__context__ is None
    if len(value) > 4:
        assert value not in str(refused.value)


def test_session_attributes_have_two_notations() -> None:
    """Session attributes are JSON, or text in which URLs may contain the separators."""
    url = "https://example.com/?a=b;c=d"
    text = f"gad_source=1; gad_campaignid = 123;landing_page_url={url};"
    pairs = (("gad_source", "1"), ("gad_campaignid", "123"), ("landing_page_url", url))
    assert parse_session_attributes_pairs(text) == pairs
    assert parse_session_attributes_pairs(json.dumps(dict(pairs))) == pairs
    assert {key for key, _ in pairs} < SESSION_ATTRIBUTE_KEYS


def test_cart_items_have_two_notations() -> None:
    """Cart items are JSON, or text in which a product ID may contain colons."""
    items = (CartItem("sku:1", 2, 9.5), CartItem("b", 1, 1000.0))
    assert parse_cart_items("sku:1:2:9.50; b:1:1,000.00 ;") == items
    assert parse_cart_items("sku:1:2:9,50;b:1:1.000", NumberFormat(",")) == items
    as_json = json.dumps([dict(item._asdict()) for item in items])
    assert parse_cart_items(as_json) == items


@pytest.mark.parametrize("decimal_sign", [".", ",", None])
def test_json_has_a_decimal_point(decimal_sign: DecimalSign | None) -> None:
    """JSON writes numbers in one way, whatever the profile says of other cells."""
    text = '[{"product_id": "a", "quantity": 1, "unit_price": 1.125}]'
    assert parse_cart_items(text, NumberFormat(decimal_sign)) == (CartItem("a", 1, 1.125),)


def test_prices_of_a_cart_have_the_scale_of_the_file() -> None:
    """If the values of a file are in cents, so are the prices and the discount of its carts."""
    cents = NumberFormat(".", 0.01)
    items = (CartItem("a", 2, 19.99),)
    assert parse_cart_items("a:2:1999", cents) == items
    text = '[{"product_id": "a", "quantity": 2, "unit_price": 1999}]'
    assert parse_cart_items(text, cents) == items
    assert parse_discount("250", cents) == 2.5
    with pytest.raises(RuleError, match="INVALID_CART_DATA"):
        parse_discount("1000000000000.01", NumberFormat("."))


def test_the_largest_cart() -> None:
    """Google's limits of a cart are accepted, and no more."""
    assert parse_cart_items("sku:2147483647:2") == (CartItem("sku", 2**31 - 1, 2.0),)
    assert len(parse_cart_items("sku:1:2;" * 1000)) == 1000


@pytest.mark.parametrize(
    "order_id, phone, same",
    [
        ("12125550100", "+1 (212) 555-0100", True),
        ("2125550100", "+1 (212) 555-0100", True),
        ("+12125550100", "212-555-0100", True),
        ("12125550100", "2125550100", True),
        ("02079460958", "+44 20 7946 0958", True),
        ("442079460958", "+44 (0)20 7946 0958", True),
        ("00442079460958", "020 7946 0958", True),
        ("2125550101", "+1 (212) 555-0100", False),
        ("\u0662\u0661\u0662\u0665\u0665\u0665\u0660\u0661\u0660\u0660", "212-555-0100", True),
        ("2125550100", "\u0662\u0661\u0662 \u0665\u0665\u0665 \u0660\u0661\u0660\u0660", True),
        ("612555010", "+34 612 555 010", True),
        ("912555010", "+351 912 555 010", True),
        ("99992125550100", "212-555-0100", False),
        ("1/ABCDEFGH/2125550100", "212-555-0100", True),
        ("1/ABCDEFGHIJKLMNOP/2125550100", "212-555-0100", False),
        ("-2125550100", "+1 (212) 555-0100", True),
        ("_2125550100", "+1 (212) 555-0100", True),
        ("SO 2125550100", "+1 (212) 555-0100", False),
        ("A 2125550100", "+1 (212) 555-0100", False),
        ("61255501", "+34 61 255 501", False),
        ("5550100", "555-0100", False),
        ("992125550100", "+1 (212) 555-0100", False),
        ("SO-2125550100", "+1 (212) 555-0100", False),
        ("2125550100", "", False),
    ],
)
def test_an_order_id_is_not_the_rows_own_phone(order_id: str, phone: str, same: bool) -> None:
    """Digits alone are a valid order ID unless they match the phone number of the row."""
    assert check_order_id(order_id.lstrip("+"), []) == order_id.lstrip("+")
    if same:
        with pytest.raises(RuleError) as refused:
            check_order_id(order_id, [phone])
        assert refused.value.code == "INVALID_ORDER_ID"
    else:
        assert check_order_id(order_id, [phone]) == order_id


@pytest.mark.parametrize(
    ("text", "is_personal"),
    [("of ada@example.com", True), ("+1 212 555 0100", True), ("Closed won", False), ("", False)],
)
def test_personal_text_is_recognized(text: str, is_personal: bool) -> None:
    """Neither an email address nor a phone number is ever shown."""
    assert (looks_like_email(text) or looks_like_phone(text)) is is_personal


def test_a_derived_order_id_is_stable_and_all_letters() -> None:
    """A derived order ID must never change, because a new one would count conversions twice."""
    order_id = derived_order_id("123", 1795000000, 9.5, ["a" * 64])
    assert order_id == "auto-ncdkifhkbobnianejgegkbdghnohpokc"
    assert check_order_id(order_id) == order_id


@given(st.text(), st.integers(), st.none() | st.floats(0, 1e9), st.lists(st.text(), max_size=3))
def test_a_derived_order_id_never_looks_like_personal_data(
    action: str, instant: int, value: float | None, identifiers: list[str]
) -> None:
    """A derived order ID consists of `auto-` and 32 letters."""
    order_id = derived_order_id(action, instant, value, identifiers)
    assert order_id.startswith("auto-")
    assert len(order_id) == 37
    assert set(order_id[5:]) <= set("abcdefghijklmnop")


def test_a_derived_order_id_differs_with_each_part() -> None:
    """Each part changes the derived order ID; otherwise two conversions would become one."""
    ids = {
        derived_order_id("1", 10, 1.0, ["a"]),
        derived_order_id("2", 10, 1.0, ["a"]),
        derived_order_id("1", 11, 1.0, ["a"]),
        derived_order_id("1", 10, 2.0, ["a"]),
        derived_order_id("1", 10, None, ["a"]),
        derived_order_id("1", 10, 1.0, ["b"]),
        derived_order_id("1", 10, 1.0, ["a", "b"]),
    }
    assert len(ids) == 7


@pytest.mark.parametrize(
    "text",
    ["\n", ";", "; ", " ", "\n ", "gad_source", ";gad_source", "\ngad_source ", ";gad_source\n"],
)
def test_session_attributes_are_searched_in_linear_time(text: str) -> None:
    """A cell that repeats what a pair may begin with costs no more than its length."""
    began = time.process_time()
    network._PAIR_START.findall(text * 200_000)
    network._PAIR_START.findall(";" + text * 200_000)
    assert time.process_time() - began < 5
