"""News where people are: one digest, once, to whoever can be reached."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from email import message_from_string
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from socketserver import BaseServer, StreamRequestHandler, ThreadingTCPServer
from threading import Event, Thread
from typing import Any

import pytest

from lib.adapters import notices
from lib.adapters.notices import ApprisePost
from lib.adapters.secrets import read_notices
from lib.errors import PermanentError
from lib.followup.digest import SENDING_FOR, plain
from lib.followup.sweep import sweep_once
from lib.model.notices import Letter, Post, Recipient
from lib.model.sent_requests import RequestStatus
from tests import fakes
from tests.fakes import World, world
from tests.rows import core_row, csv_bytes

TIME = "2026-11-22 10:00:00+00:00"
SECRET_CELL = "ada@example.com"
BOTH = csv_bytes(
    [
        core_row(1, conversion_date_time=TIME),
        core_row(2, conversion_date_time="", email=SECRET_CELL),
    ]
)
WRONG = csv_bytes([core_row(number, conversion_date_time="") for number in range(1, 5)])
PAGE = (Path(notices.__file__).parents[2] / "docs" / "operate.md").read_text("utf-8")

Output = pytest.CaptureFixture[str]


@dataclass(slots=True)
class Mailboxes:
    """A post without services. `broken` keeps letters from addresses, `during` is called first."""

    names: Sequence[str] = ("team",)
    urgent: Sequence[str] = ()
    broken: set[str] = field(default_factory=set)
    during: Callable[[], object] = int
    unreadable: bool = False
    got: list[tuple[str, Letter]] = field(default_factory=list)

    def addresses(self) -> list[Recipient]:
        if self.unreadable:
            raise PermanentError("SECRET_NOT_FOUND")
        return [Recipient(each, each, 4000, each in self.urgent) for each in self.names]

    def send(self, letters: Mapping[str, Letter]) -> dict[str, str]:
        during, self.during = self.during, int
        during()
        self.got += [(key, each) for key, each in letters.items() if key not in self.broken]
        return {key: "is full" for key in letters if key in self.broken}

    def take(self) -> list[str]:
        """Return to whom letters came, and their bodies, since the last time."""
        got, self.got = self.got, []
        return [f"{key}: {letter.body}" for key, letter in got]


def swept(google: World, post: Post, minutes: float = 15) -> None:
    google.clock.sleep(minutes * 60)
    sweep_once(google.context, 600, post)


def drop(google: World, *names: str, content: bytes = BOTH) -> None:
    for name in names:
        google.profiles.setdefault(name.partition("/")[0], google.profiles["default"])
        fakes.deliver(google, name, content)


def state_of(google: World) -> dict[str, Any]:
    content = google.store.objects["out-bucket", "_state/concerns.json"][0]
    found: dict[str, Any] = json.loads(content)["news"]
    return found


# ── what is told, and when ───────────────────────────────────────────────────────────────────


def test_files_with_rows_to_correct_and_concerns_are_told_once() -> None:
    """Name, counts, money, what to do, a link to the report; of what is well, nothing; no cell."""
    google, post = world(), Mailboxes()
    swept(google, post)
    drop(google, "good.csv", content=csv_bytes([core_row(9, conversion_date_time=TIME)]))
    drop(google, "a.csv")
    drop(google, "b.csv", content=WRONG)
    swept(google, post)
    (letter,) = (each for _, each in post.got)
    assert letter.title == "Google Ads conversions: 2 files to correct, 1 concern"
    urgent, a, b, to_do, last = letter.body.split("\n\n")
    assert urgent.startswith("Rows do not count: None of the 4 rows of b.csv counts; most ")
    assert a.startswith(
        "a.csv: 1 of 2 rows need correction (1 uploaded, 1 rejected worth 2.50 USD). "
        "[Open the report](https://storage.cloud.google.com/out-bucket/a.csv."
    )
    assert b.startswith("b.csv: 4 of 4 rows need correction (4 rejected worth 12 USD).")
    assert to_do.startswith("Each report says which rows are wrong, and why. Correct them")
    assert last == (
        "All files: [Open the overview](https://storage.cloud.google.com/out-bucket/index.html)"
    )
    assert SECRET_CELL not in letter.body
    assert post.take()
    swept(google, post)
    assert post.take() == []
    assert state_of(google)["pending"] == []


def test_a_stopped_file_is_told_with_what_to_do() -> None:
    """It has no rows to correct."""
    google, post = world(), Mailboxes()
    google.api.preflight = PermanentError("CUSTOMER_NOT_FOUND")
    drop(google, "a.csv")
    swept(google, post)
    (text,) = post.take()
    assert text.startswith("team: a.csv was stopped: ")
    assert "[Open the report]" in text


def test_a_file_is_told_again_only_if_more_rows_fail_later() -> None:
    """Google counts the rows that it has accepted: nothing is new. Or it counts one of them not."""
    reason = "PROCESSING_ERROR_REASON_INVALID_GCLID"
    counted = RequestStatus("request-1", "SUCCESS", "1001", 2)
    not_counted = RequestStatus(
        "request-1", "FAILED", "1001", 1, {reason: 1}, error_records={reason: (0,)}
    )
    for answer, letters in ((counted, 0), (not_counted, 1)):
        google, post = world(), Mailboxes()
        google.use_destination("data_manager")
        google.api.statuses = lambda ids, answer=answer: [answer]  # type: ignore[misc]
        rows = [core_row(number, conversion_date_time=TIME) for number in (1, 2, 3)]
        rows[2]["conversion_date_time"] = ""
        drop(google, "a.csv", content=csv_bytes(rows))
        swept(google, post)
        assert "a.csv: 1 of 3 rows" in post.take()[0]
        for _ in range(9):
            swept(google, post, 60)
        assert [("a.csv: 2 of 3 rows" in each) for each in post.take()] == [True] * letters


def test_what_happened_before_the_setting_is_not_told() -> None:
    """Nobody wants last month's files, when they begin to get news."""
    google, post = world(), Mailboxes()
    drop(google, "a.csv")
    google.clock.sleep(2 * 3600)
    swept(google, post)
    assert post.take() == []


def test_two_hundred_files_make_one_digest() -> None:
    """As many as fit, and the number of the others."""
    google, post = world(), Mailboxes()
    drop(google, *(f"leads/{number}.csv" for number in range(200)))
    swept(google, post)
    ((_, letter),) = post.got
    assert letter.title == "Google Ads conversions: 99 files to correct, 1 concern, 101 more"
    shown = letter.body.count(" need correction ")
    assert 5 < shown < 40
    assert f"And {200 - shown:,} more. [Open the overview]" in letter.body
    assert len(letter.body) <= 4000


def test_one_digest_a_day(capsys: Output) -> None:
    """From 8:00 on in the time zone of the calendar, of all that the day has brought."""
    google, post = world(notices_hour=8, no_file_time_zone="Europe/Berlin"), Mailboxes()
    for hour in range(20):  # from 13:00 to 9:00
        drop(google, f"{hour}.csv")
        swept(google, post, 60)
    ((_, letter),) = post.got
    assert f"{google.clock.utc():%H:%M}" == "08:00"
    assert letter.title.startswith("Google Ads conversions: 19 files to correct")


def test_an_urgent_address_gets_only_what_is_urgent() -> None:
    """Nobody is woken for a row to correct."""
    google, post = world(), Mailboxes(("team", "pager"), urgent=("pager",))
    drop(google, "a.csv")
    swept(google, post)
    assert [each[:10] for each in post.take()] == ["team: a.cs"]
    drop(google, "b.csv", content=WRONG)
    swept(google, post)
    team, pager = post.take()
    assert "b.csv: 4 of 4" in team
    assert "b.csv: 4 of 4" not in pager
    assert pager.startswith("pager: Rows do not count: None of the 4 rows of b.csv counts")


# ── once, and until it is told ───────────────────────────────────────────────────────────────


def test_an_address_that_fails_is_tried_again_and_then_a_concern(capsys: Output) -> None:
    """The others get theirs once; the concern names no address, and ends."""
    google, post = world(), Mailboxes(("team", "boss"), broken={"boss"})
    drop(google, "a.csv")
    swept(google, post)
    assert [each[:10] for each in post.take()] == ["team: a.cs"]
    drop(google, "b.csv")
    swept(google, post)
    assert [each[:10] for each in post.take()] == ["team: b.cs"]
    swept(google, post)
    (text,) = post.take()
    assert text.startswith("team: News reaches nobody at an address: boss: is full. Check the addr")
    post.broken.clear()
    swept(google, post)
    (text,) = post.take()
    assert [name in text for name in ("a.csv", "b.csv", "News reach")] == [True] * 3
    swept(google, post)
    assert sorted(each[:40] for each in post.take()) == [
        "boss: Over: News reaches nobody at an ad",
        "team: Over: News reaches nobody at an ad",
    ]
    events = [json.loads(line)["event"] for line in capsys.readouterr().out.splitlines()]
    assert events.count("notices_undelivered") == 3


def test_a_secret_that_cannot_be_read_is_a_concern(capsys: Output) -> None:
    """Nothing is lost meanwhile."""
    google, post = world(), Mailboxes(unreadable=True)
    drop(google, "a.csv")
    for _ in range(3):
        swept(google, post)
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["detail"] for line in lines if line["event"] == "concern"] == [
        "NOTICES: SECRET_NOT_FOUND"
    ]
    post.unreadable = False
    swept(google, post)
    assert "a.csv: 1 of 2" in post.take()[0]


def test_news_that_nobody_can_be_told_do_not_pile_up() -> None:
    """After three days, only their number is told."""
    google, post = world(), Mailboxes(("team", "boss"), broken={"boss"})
    for day in range(6):
        drop(google, f"{day}.csv")
        swept(google, post, 24 * 60)
    assert len(state_of(google)["pending"]) < 12
    post.broken.clear()
    post.take()
    swept(google, post)
    (text,) = (each for each in post.take() if each.startswith("boss"))
    assert ("5.csv" in text, "0.csv" in text, "And " in text) == (True, False, True)


def test_of_two_sweeps_at_once_one_tells() -> None:
    """Both have read the same state; only the one that has replaced it tells."""
    google, post = world(), Mailboxes()
    drop(google, "a.csv")

    def other_sweep(operation: str, name: str) -> None:
        if (operation, name) == ("write", "_state/concerns.json"):
            google.store.before = fakes.passes
            sweep_once(google.context, 600, post)

    google.store.before = other_sweep
    swept(google, post)
    assert len(post.take()) == 1


def test_news_that_come_while_a_sweep_tells_others_are_told_by_the_next() -> None:
    """The other sweep saves them, and leaves the telling to the one that is at it."""
    google, post = world(), Mailboxes()
    drop(google, "a.csv")

    def other_sweep() -> None:
        drop(google, "b.csv")
        sweep_once(google.context, 600, post)

    post.during = other_sweep
    swept(google, post)
    assert ["a.csv:" in each and "b.csv:" not in each for each in post.take()] == [True]
    swept(google, post)
    assert ["b.csv:" in each and "a.csv:" not in each for each in post.take()] == [True]


def test_a_sweep_that_dies_while_it_tells_is_followed_by_the_next() -> None:
    """After its time; what was told twice is better than what was never told."""
    google, post = world(), Mailboxes()
    drop(google, "a.csv")

    def die() -> None:
        raise KeyboardInterrupt

    post.during = die
    with pytest.raises(KeyboardInterrupt):
        swept(google, post)
    swept(google, post, 1)
    assert post.take() == []
    swept(google, post, SENDING_FOR.total_seconds() / 60)
    assert "a.csv:" in post.take()[0]


# ── real services ────────────────────────────────────────────────────────────────────────────


HOSTILE = "*a* _b_ <i>&@everyone <!channel> <@U1> [x](http://evil.example) `c` ~d~ \\ #e|f!\u202e"


class Mailbox(StreamRequestHandler):
    """An SMTP server (RFC 5321) that keeps what it gets."""

    kept: list[str]

    def handle(self) -> None:
        self.wfile.write(b"220 mail.example.com\r\n")
        for line in iter(self.rfile.readline, b""):
            command = line[:4].upper()
            if command == b"DATA":
                self.wfile.write(b"354 go on\r\n")
                data = iter(self.rfile.readline, b".\r\n")
                self.kept.append(b"".join(line.removeprefix(b".") for line in data).decode())
            self.wfile.write(b"221 bye\r\n" if command == b"QUIT" else b"250 ok\r\n")


class Receiver(BaseHTTPRequestHandler):
    """A webhook. `/slow` answers one byte a moment, `/refuses` with 500."""

    kept: list[Any]
    open: Event

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.path == "/slow" and not self.open.is_set():
            self.wfile.write(b"HTTP/1.1 200 OK\r\nX: ")
            while not self.open.wait(0.05):
                self.wfile.write(b"x")
            return
        is_refused = self.path == "/refuses" and not self.open.is_set()
        if not is_refused:
            self.kept.append(body)
        self.send_response(500 if is_refused else 200)
        self.end_headers()

    def log_message(self, *args: Any) -> None:
        pass


@dataclass(slots=True)
class Services:
    mail: int
    web: int
    mails: list[str] = field(default_factory=list)
    hooks: list[Any] = field(default_factory=list)
    open: Event = field(default_factory=Event)


@pytest.fixture
def services() -> Iterator[Services]:
    """Real servers on this machine. `open`: nobody hangs or refuses any more."""
    pytest.importorskip("apprise", reason="requirements.txt has it")
    found = Services(0, 0)
    mailbox = type("OwnMailbox", (Mailbox,), {"kept": found.mails})
    receiver = type("OwnReceiver", (Receiver,), {"kept": found.hooks, "open": found.open})
    mail: BaseServer = ThreadingTCPServer(("127.0.0.1", 0), mailbox)
    web: BaseServer = ThreadingHTTPServer(("127.0.0.1", 0), receiver)
    found.mail, found.web = mail.server_address[1], web.server_address[1]
    for server in (mail, web):
        server.daemon_threads = True  # type: ignore[attr-defined]
        Thread(target=server.serve_forever, daemon=True).start()
    yield found
    found.open.set()
    for server in (mail, web):
        server.shutdown()
        server.server_close()


def text_of(mail: str) -> str:
    parts = message_from_string(mail).walk()
    return "".join(
        part.get_payload(decode=True).decode()  # type: ignore[union-attr]
        for part in parts
        if not part.is_multipart()
    )


def test_two_hundred_files_make_one_mail_and_one_call(services: Services) -> None:
    """By the real Apprise; of two sweeps at once, one tells."""
    google = world()
    post = ApprisePost(
        lambda: (
            f"mailto://127.0.0.1:{services.mail}?from=a@example.com&to=team@example.com&mode=insecure\n"
            f"json://127.0.0.1:{services.web}/hook\n"
        )
    )
    drop(google, *(f"leads/{number}{HOSTILE}.csv" for number in range(200)))

    def other_sweep(operation: str, name: str) -> None:
        if (operation, name) == ("write", "_state/concerns.json"):
            google.store.before = fakes.passes
            sweep_once(google.context, 600, post)

    google.store.before = other_sweep
    swept(google, post)
    swept(google, post)
    (mail,), (hook,) = services.mails, services.hooks
    assert message_from_string(mail)["Subject"] == hook["title"]
    assert hook["title"] == "Google Ads conversions: 99 files to correct, 1 concern, 101 more"
    for text in (text_of(mail), hook["message"]):
        name = plain(f"leads/0{HOSTILE}.csv")
        assert f"{name}: 1 of 2 rows need correction (1 uploaded, 1 rejected" in text
        assert "https://storage.cloud.google.com/out-bucket/leads/0%2Aa%2A" in text
        assert not re.search(f"{SECRET_CELL}|<i>|<em>|://evil", text)
    assert '<a href="https://storage.cloud.google.com/out-bucket/index.html">' in text_of(mail)


def test_a_service_that_hangs_or_refuses_holds_up_nobody(
    services: Services, monkeypatch: pytest.MonkeyPatch, capsys: Output
) -> None:
    """The others are told at once, these by a later sweep. No log line has an address."""
    monkeypatch.setattr(notices, "SEND_SECONDS", 1.0)
    google = world()
    web = f"json://us3r:pa55@127.0.0.1:{services.web}"
    post = ApprisePost(lambda: f"# ours\n{web}/slow\n{web}/refuses\n{web}/hook\nno address\n")
    drop(google, "a.csv")
    began = time.monotonic()
    swept(google, post)
    assert time.monotonic() - began < 10
    assert len(services.hooks) == 1
    for _ in range(2):
        swept(google, post)
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    told = {each["detail"] for each in lines if each["event"] == "concern"}
    assert told == {
        "json, line 2: no answer within 1 seconds",
        "json, line 3: the service did not accept it",
        "line 5: not an address that Apprise understands",
    }
    assert len(services.hooks) == 2  # the news of these
    services.open.set()
    swept(google, post)
    assert len([each for each in services.hooks if "a.csv:" in each["message"]]) == 3
    stored = json.dumps([str(each) for each in google.store.objects.values()])
    assert not re.search("us3r|pa55", json.dumps(lines) + stored)


CHATS = (
    "slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ/#general",
    "discord://4174216298/JHMHI8qBe7bk2ZwO5U711o3dV_js",
    "gchat://workspace/key/token",
    "workflow://host/workflow/signature",
    "pagerduty://A1BRTD4JD@TIiajkdnlazkcOXrIdevi7F",
    "json://127.0.0.1:9",
)


def test_a_name_means_itself_everywhere() -> None:
    """No markup, no mention, no link, no control character; and people still read it."""
    name = plain(HOSTILE)
    assert not re.search(r"[*<>&@\[\]`~\\#|!\u202e]|\b_|_\b|://", name)
    assert plain("crm/sales_2026_11.csv (1)") == "crm/sales_2026_11.csv (1)"
    assert plain("x" * 900).endswith("x…")


@pytest.mark.parametrize("address", CHATS)
def test_every_service_shows_names_and_links(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Apprise makes its message of it: the name as it is, no longer than it may be."""
    pytest.importorskip("apprise", reason="requirements.txt has it")
    sent: list[str] = []

    class Answer:
        status_code, content, text, headers = 200, b"ok", "ok", {}

        def json(self) -> dict[str, bool]:
            return {"ok": True}

    def post(*args: Any, **given: Any) -> Answer:
        sent.append(str(given.get("data") or given.get("json")))
        return Answer()

    monkeypatch.setattr("requests.post", post)
    monkeypatch.setattr("requests.request", post)
    google = world()
    drop(google, f"{HOSTILE}.csv")
    swept(google, ApprisePost(lambda: address))
    (text,) = sent
    shown = json.loads(text, strict=False) if text.startswith("{") else text
    written = json.dumps(shown, ensure_ascii=False)
    assert plain(HOSTILE)[:-1] in written
    assert "https://storage.cloud.google.com/out-bucket/index.html" in written
    assert not re.search(r"@everyone|<!channel|<@U1|://evil|<i>", written)


def test_the_addresses_of_the_page_are_understood(tmp_path: Path) -> None:
    """The example in docs/operate.md is the content of a secret; a file can have it, too."""
    pytest.importorskip("apprise", reason="requirements.txt has it")
    found = re.search(r"<!-- notices -->\n```text\n(.*?)```", PAGE, re.DOTALL)
    assert found is not None
    (tmp_path / "notices.txt").write_text(found[1], encoding="utf-8")
    settings = world(notices=str(tmp_path / "notices.txt")).settings
    addresses = ApprisePost(lambda: read_notices(settings)).addresses()
    assert [each.name.partition(",")[0] for each in addresses] == [
        *("slack", "workflows", "gchat", "discord", "mailtos", "jsons", "pagerduty"),
    ]
    assert [each.problem for each in addresses] == [""] * len(addresses)
    assert [each.only_urgent for each in addresses] == [False] * 6 + [True]
