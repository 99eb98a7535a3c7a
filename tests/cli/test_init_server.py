"""Who gets the page of `init`, and what a change needs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from socketserver import BaseServer
from threading import Thread
from urllib.error import HTTPError
from urllib.parse import quote
from urllib.request import urlopen

import pytest
from click.testing import CliRunner
from werkzeug.test import TestResponse

from lib.cli.commands import main
from lib.cli.init import command
from lib.cli.init.server import Server
from tests.cli.person import Person, interrupt, person_with
from tests.cli.test_init import DEALS, NOW
from tests.cli.test_init_page import answer

HOST = "127.0.0.1:5000"


@pytest.fixture
def person(tmp_path: Path) -> Person:
    """A person who has opened the page."""
    return person_with(tmp_path, DEALS)


@pytest.fixture
def server(person: Person, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """The server of the page. Its port is freed at the end."""
    monkeypatch.setattr(BaseServer, "serve_forever", interrupt)
    server = Server(person.session)
    yield server
    server.run()


class Browser:
    """A browser that comes by this name, and keeps its cookie."""

    def __init__(self, server: Server, host: str = HOST) -> None:
        self._client = server.application().test_client(use_cookies=False)
        self.host, self._server, self._cookie = host, server, ""

    def get(self, place: str = "/") -> TestResponse:
        """Open a page, without following it."""
        answer = self._client.get(place, headers={"Host": self.host, "Cookie": self._cookie})
        self._cookie = answer.headers.get("Set-Cookie", self._cookie).partition(";")[0]
        return answer

    def enter(self) -> TestResponse:
        """Open the address, and then the page."""
        self.get(f"/?{self._server.address.partition('?')[2]}")
        return self.get()

    def post(self, page: TestResponse, origin: str | None = None, **form: str) -> TestResponse:
        """Send the form of a page, changed."""
        hidden = dict(re.findall(r'name="(token|revision)"[^>]* value="([^"]*)"', page.text))
        origin = f"http://{self.host}" if origin is None else origin
        headers = {"Host": self.host, "Cookie": self._cookie, "Origin": origin}
        return self._client.post("/", data={**hidden, **form}, headers=headers)


def test_the_address_works_once(server: Server) -> None:
    """It is exchanged for a cookie that no script and no other site can use."""
    client = Browser(server)
    place = server.address.removeprefix(f"http://127.0.0.1:{server.port}")
    first = client.get(place)
    assert (first.status_code, first.headers["Location"]) == (303, "/")
    assert first.headers["Cache-Control"] == "no-store"
    assert first.headers["Referrer-Policy"] == "no-referrer"
    assert "HttpOnly" in first.headers["Set-Cookie"]
    assert "SameSite=Strict" in first.headers["Set-Cookie"]
    page = client.get("/")
    assert page.status_code == 200
    assert page.headers["Content-Security-Policy"] == "frame-ancestors 'none'"
    assert "default-src 'none'" in page.text
    other = Browser(server)
    assert (other.get(place).status_code, other.get("/").status_code) == (403, 403)
    assert "deals.csv" not in other.get("/").text


@pytest.mark.parametrize("token", ["", "wrong", "ä"])
def test_a_wrong_token_is_refused(server: Server, token: str) -> None:
    """And the right one still works."""
    client = Browser(server)
    assert client.get(f"/?token={quote(token)}").status_code == 403
    assert client.enter().status_code == 200


@pytest.mark.parametrize(
    "host, status",
    [
        ("127.0.0.1:1", 200),
        ("localhost:8080", 200),
        ("evil.example.com", 403),
        ("127.0.0.1.example.com", 403),
        ("5000-cs-1.cloudshell.dev", 403),
        ("[", 403),
    ],
)
def test_only_names_of_this_computer_are_served(server: Server, host: str, status: int) -> None:
    """Else a page of a stranger whose name leads here could read it. A port may be forwarded."""
    client = Browser(server)
    client.enter()
    client.host = host
    answered = client.get()
    assert answered.status_code == status
    assert ("deals.csv" in answered.text) == (status == 200)


def test_another_name_can_be_given(person: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    """Cloud Shell's has the port in it, and comes with https."""
    monkeypatch.setattr(BaseServer, "serve_forever", interrupt)
    server = Server(person.session, "PORT-cs-1.cloudshell.dev")
    name = f"{server.port}-cs-1.cloudshell.dev"
    assert server.address.startswith(f"https://{name}/?token=")
    client = Browser(server, name)
    page = client.enter()
    assert client.post(page, f"https://{name}", rows="conversion").status_code == 200
    server.run()


@pytest.mark.parametrize("origin", ["", "null", "https://evil.example.com", "http://127.0.0.1:9"])
def test_a_change_comes_from_our_page(server: Server, person: Person, origin: str) -> None:
    """No other origin changes anything, and neither does a form without our token."""
    client = Browser(server)
    page = client.enter()
    assert client.post(page, origin, rows="conversion").status_code == 403
    assert client.post(page, token="x", rows="conversion").status_code == 403
    assert not person.session.draft.says_what_is_sent
    assert client.post(page, rows="conversion").status_code == 200
    assert person.session.draft.says_what_is_sent


def test_two_tabs_do_not_overwrite_each_other(server: Server, person: Person) -> None:
    """The one that is behind is told so, and its change is not taken."""
    client = Browser(server)
    page = client.enter()
    assert client.post(page, rows="conversion").status_code == 200
    late = client.post(page, rows="retraction")
    assert (late.status_code, person.session.draft.entries) == (409, [{}])
    assert "changed in another tab" in late.text
    assert '<a href="/">' in late.text


def test_a_form_without_script_changes_several_answers(server: Server, person: Person) -> None:
    """What is unknown, or no option of a menu, is ignored."""
    client = Browser(server)
    page = client.enter()
    form = {"rows": "conversion", "q.expect.text": "any time", "column.0.0": "no such", "x": "y"}
    assert client.post(page, **form).status_code == 200
    assert person.session.draft.profile == {"expect": "any time"}


def test_an_error_shows_no_cell(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its text could quote one."""
    client = Browser(server)
    client.enter()

    def fail(self: object) -> None:
        raise ValueError("ann@example.com")

    monkeypatch.setattr("lib.cli.init.server.Session.page", fail)
    failed = client.get("/")
    assert failed.status_code == 500
    assert "ValueError" in failed.text
    assert "ann@" not in failed.text


def test_saving_ends_the_command(person: Person) -> None:
    """Nothing is printed of a request, and the last page is whole."""
    answer(person)
    server = Server(person.session)
    thread = Thread(target=server.run)
    thread.start()
    with pytest.raises(HTTPError, match="403"):
        urlopen(f"http://127.0.0.1:{server.port}/?token=x")
    client = Browser(server, f"127.0.0.1:{server.port}")
    page = client.enter()
    saved = client.post(page, do="save")
    assert "is saved" in saved.text
    saved.close()
    thread.join(10)
    assert not thread.is_alive()
    assert client.post(page, do="save").status_code == 409


# ── how it is opened ─────────────────────────────────────────────────────────────────────────

ON_SCREEN = {"DISPLAY": ":0"}


@pytest.mark.parametrize(
    "environment, release, browser_name, is_opened, is_forwarded",
    [
        (ON_SCREEN, "6.1", "chromium", True, False),
        ({}, "6.1", "chromium", False, False),
        (ON_SCREEN, "6.1", "/usr/bin/w3m", False, False),
        ({**ON_SCREEN, "SSH_CONNECTION": "1"}, "6.1", "chromium", False, True),
        (ON_SCREEN, "5.15-microsoft-standard-WSL2", "chromium", False, False),
    ],
)
def test_the_address_is_printed_and_only_a_window_is_opened(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    environment: dict[str, str],
    release: str,
    browser_name: str,
    is_opened: bool,
    is_forwarded: bool,
) -> None:
    """Never a browser in the terminal. From another computer, the port must be forwarded."""
    monkeypatch.chdir(tmp_path)
    Path("deals.csv").write_text(DEALS)
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "SSH_CONNECTION", "SSH_TTY", "SSH_CLIENT"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    opened: list[str] = []

    class Program:
        name = browser_name

    monkeypatch.setattr(command.sys, "platform", "linux")
    monkeypatch.setattr(command.platform, "release", lambda: release)
    monkeypatch.setattr(command.webbrowser, "get", Program)
    monkeypatch.setattr(command.webbrowser, "open", opened.append)
    monkeypatch.setattr(command, "_is_answered_here", lambda: True)
    monkeypatch.setattr(BaseServer, "serve_forever", interrupt)
    done = CliRunner().invoke(main, ["init", "deals.csv", "--now", NOW])
    assert done.exit_code == 0, done.output
    (address,) = re.findall(r"http://127.0.0.1:\d+/\?token=\S+", done.output)
    assert opened == ([address] if is_opened else [])
    assert ("ssh -L" in done.output) is is_forwarded
    assert done.output.endswith("Nothing was saved.\n")
    assert not Path("profiles.json").exists()
