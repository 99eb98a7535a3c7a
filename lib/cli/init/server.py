"""Serves the page of `init` on this computer, to the person who has its address.

    GET /?token=…   once: sets a cookie, and leads to /
    GET /           the page, as it is now
    POST /          the whole form after a change, or to save; answers with the page

The token of the address works once. A change needs the cookie, the origin of the page, its form
token, and its revision: of two tabs, the one that was not used last is refused.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from datetime import datetime
from hmac import compare_digest
from threading import Lock, Thread
from typing import Any, Final
from urllib.parse import urlsplit

from flask import Flask, Response, abort, make_response, redirect, request
from werkzeug.exceptions import HTTPException
from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

from lib.cli.init.document import Document, NotSaved
from lib.cli.init.draft import Draft
from lib.cli.init.look import MAX_ROWS, WrongAnswer
from lib.cli.init.page import Page, render_message
from lib.cli.init.trial import Trial, try_out
from lib.config.profile import ACTION_DEFAULT
from lib.destinations.registry import names

HOME: Final = "127.0.0.1"
_OWN_NAMES: Final = frozenset({HOME, "localhost"})
_MAX_FORM_BYTES: Final = 8 << 20
_COME_BY_ADDRESS: Final = (
    "Open the address that the command has printed. It works once, in one browser. If that was "
    "this one, open the page again. Otherwise end the command with Ctrl-C, and start it again."
)
_HOW_TO_GO_ON: Final = (
    "The command has ended, and says how to go on, where you started it. You can close this page."
)


@dataclass(slots=True)
class Session:
    """What the person has answered so far."""

    draft: Draft
    document: Document
    now: datetime
    revision: int = 1
    is_saved: bool = False
    errors: dict[str, tuple[str, str]] = field(default_factory=dict)
    _page: Page | None = field(default=None, init=False)

    def page(self) -> Page:
        """Return the page as it is now."""
        if self._page is None:
            self._page = Page(self.draft, self._trial(), self.document.written_profile, self.errors)
        return self._page

    def _trial(self) -> Trial | None:
        """Return what would happen to the first rows, if it is known which ones are sent."""
        draft = self.draft
        if not draft.says_what_is_sent:
            return None
        document = {**_stand_ins(draft), **draft.document()}
        return try_out(draft.sample, document, self.now, MAX_ROWS)

    def change(self, form: dict[str, str]) -> None:
        """Write the answers that differ from those that the page shows."""
        # The button with a suggestion for a menu is named "set": its value is "MENU=CHOICE".
        menu, _, choice = form.get("set", "").partition("=")
        form = {**form, menu: choice}
        controls = self.page().controls
        self.errors, self._page = {}, None
        for control in controls.values():
            text = form.get(control.name, control.value)
            if text == control.value:
                continue
            if control.kind != "text" and text not in {option.value for option in control.options}:
                continue
            try:
                control.write(text)
            except WrongAnswer as error:
                self.errors[control.name] = text, str(error)
        self.revision += 1

    def save(self) -> None:
        """Write the profile. Raises `NotSaved`."""
        page = self.page()
        if self.errors or not page.can_save:
            raise NotSaved("Nothing was saved: answers are missing or wrong.")
        if not self.draft.sample.is_whole:
            trial = try_out(self.draft.sample, self.draft.document(), self.now)
            if trial.stop:
                raise NotSaved(f"Nothing was saved: the file would be stopped. {trial.stop}")
        self._page = None  # It shows what differs from the document, which may be another one now.
        self.document.save(self.draft.document())
        self.is_saved = True


def _stand_ins(draft: Draft) -> dict[str, Any]:
    """Return what stands for answers that are still missing, so that the rest can be tried."""
    stand_ins: dict[str, Any] = {"destination": next(iter(names())), "customer_id": "1" * 10}
    if "conversion_action" not in draft.fields:
        stand_ins["action"] = "the action"
    if "conversion_value" not in draft.fields:
        stand_ins["value"] = ACTION_DEFAULT
    return stand_ins


class _Quiet(WSGIRequestHandler):
    def log(self, type: str, message: str, *args: Any) -> None:  # noqa: A002
        """Print nothing: an address has the token, and an error could quote a cell."""


class Server:
    """The page of a session, until it is saved. `host`: another name by which a browser comes."""

    def __init__(self, session: Session, host: str = "") -> None:
        self._session = session
        self._lock = Lock()
        self._token: str | None = secrets.token_urlsafe(32)
        self._cookie, self._form_token = secrets.token_urlsafe(32), secrets.token_urlsafe(32)
        self._server: BaseWSGIServer = make_server(
            HOME, 0, self.application(), threaded=True, request_handler=_Quiet
        )
        self.port: int = self._server.server_port
        self.host = host.replace("PORT", str(self.port)).lower()

    @property
    def address(self) -> str:
        """The address of the page. It works once."""
        place = f"https://{self.host}" if self.host else f"http://{HOME}:{self.port}"
        return f"{place}/?token={self._token}"

    def run(self) -> None:
        """Serve the page until the profile is saved, or Ctrl-C is pressed: werkzeug then ends and
        frees the port, too."""
        self._server.serve_forever()

    def stop(self) -> None:
        """End `run`, from another thread."""
        self._server.shutdown()

    def application(self) -> Flask:
        """Return the WSGI application."""
        app = Flask(__name__, static_folder=None, template_folder=None)
        app.config.update(MAX_CONTENT_LENGTH=_MAX_FORM_BYTES, MAX_FORM_MEMORY_SIZE=_MAX_FORM_BYTES)
        app.logger.disabled = True
        app.before_request(self._refuse_strangers)
        app.after_request(_with_headers)
        app.get("/")(self._show)
        app.post("/")(self._change)
        app.errorhandler(Exception)(_failed)
        return app

    def _refuse_strangers(self) -> None:
        """Refuse a name that is not ours (a page of a stranger whose name leads to this computer),
        and a browser that did not come by the address."""
        given = self.host.partition(":")[0] or HOME
        if request.host.partition(":")[0] not in {*_OWN_NAMES, given}:
            abort(403, "This name is not allowed. Give it as --host.")
        is_entering = request.method == "GET" and "token" in request.args
        given = request.cookies.get(self._cookie_name, "")
        if not (is_entering or _is_same(given, self._cookie)):
            abort(403, _COME_BY_ADDRESS)

    @property
    def _cookie_name(self) -> str:
        """Browsers do not tell the ports of a computer apart."""
        return f"init-{self.port}"

    def _show(self) -> Response:
        given = request.args.get("token")
        with self._lock:
            if given is None:
                return self._rendered()
            if self._token is None or not _is_same(given, self._token):
                abort(403, _COME_BY_ADDRESS)
            self._token = None
        answer = make_response(redirect("/", 303))
        answer.headers["Referrer-Policy"] = "no-referrer"
        answer.set_cookie(
            self._cookie_name, self._cookie, httponly=True, samesite="Strict", path="/"
        )
        return answer

    def _change(self) -> Response:
        form = request.form.to_dict()
        if not self._is_own_page(form.get("token", "")):
            abort(403, "This page is not ours. Nothing was changed.")
        with self._lock:
            session = self._session
            if session.is_saved or form.get("revision") != str(session.revision):
                abort(409, "This page was changed in another tab. The last change was not taken.")
            session.change(form)
            if form.get("do") != "save":
                return self._rendered()
            try:
                session.save()
            except NotSaved as error:
                return self._rendered(str(error))
        title = f"The profile “{session.draft.name}” is saved"
        answer = make_response(render_message(title, _HOW_TO_GO_ON, tone="green"))
        answer.call_on_close(Thread(target=self.stop).start)
        return answer

    def _is_own_page(self, form_token: str) -> bool:
        origin = urlsplit(request.headers.get("Origin", ""))
        is_same = origin.netloc == request.host or (self.host and origin.netloc == self.host)
        return bool(is_same) and _is_same(form_token, self._form_token)

    def _rendered(self, problem: str = "") -> Response:
        page = self._session.page()
        revision = self._session.revision
        return make_response(
            page.render(token=self._form_token, revision=revision, problem=problem)
        )


def _is_same(given: str, secret: str) -> bool:
    return compare_digest(given.encode(), secret.encode())


def _with_headers(answer: Response) -> Response:
    answer.headers["Cache-Control"] = "no-store"
    answer.headers["X-Content-Type-Options"] = "nosniff"
    answer.headers["Content-Security-Policy"] = "frame-ancestors 'none'"
    answer.headers.setdefault("Referrer-Policy", "same-origin")
    return answer


def _failed(error: Exception) -> Response:
    """Answer a refusal, or an error without its text, which could quote a cell."""
    if isinstance(error, HTTPException):
        title, text, status = error.name, error.description, error.code
    else:
        title, text = "This page has a mistake", f"The program failed ({type(error).__name__})."
        status = 500
    return make_response(render_message(title, text or ""), status or 500)
