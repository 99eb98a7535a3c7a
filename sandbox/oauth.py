"""The OAuth token endpoint of a service account: a signed JWT in, an access token out.

The state remembers which scopes a token was given for. `state.refuse_tokens` answers
`invalid_grant`, as Google does for a deleted service account or a wrong key.
"""

from __future__ import annotations

import json
import secrets
import threading
import time
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs

from google.auth import jwt

from sandbox.faults import Faults
from sandbox.state import Request, State

_LIFETIME_SECONDS = 3600
# google-auth signs for this audience, whatever `token_uri` the key file names.
_AUDIENCE = "https://oauth2.googleapis.com/token"
_FAULT_STATUS = {
    "unavailable": 503,
    "resource_exhausted": 429,
    "resource_temporarily_exhausted": 429,
    "internal_before_commit": 500,
    "internal_after_commit": 500,
}


class TokenEndpoint:
    """A thread that serves `POST /token` on 127.0.0.1; `uri` goes into the key file."""

    def __init__(self, state: State, faults: Faults, public_key_pem: bytes) -> None:
        self._state = state
        self._faults = faults
        self._public_key = public_key_pem
        endpoint = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                size = int(self.headers.get("content-length", 0))
                status, answer = endpoint._answer(self.rfile.read(size))
                body = json.dumps(answer).encode()
                self.send_response(status)
                self.send_header("content-type", "application/json")
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *args: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.uri = f"http://127.0.0.1:{self._server.server_address[1]}/token"
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.05,), daemon=True
        )
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def _answer(self, body: bytes) -> tuple[int, dict[str, Any]]:
        began = time.monotonic()
        # The assertion is a credential of sorts: the log keeps the size, not the body.
        request = Request("oauth.token", secrets.token_hex(8), self._state.now(), len(body), None)
        fault = self._faults.decide("oauth.token")
        if fault is not None:
            request.fault = fault.kind
            time.sleep(fault.latency_seconds)
        if fault is not None and fault.kind in ("kill_before", "kill_after"):
            self._faults.kill()
        if fault is not None and fault.kind in _FAULT_STATUS:
            status, answer = _FAULT_STATUS[fault.kind], {"error": fault.kind}
        else:
            form = {key: values[0] for key, values in parse_qs(body.decode()).items()}
            status, answer = self._grant(form)
        request.status = "OK" if status == 200 else str(answer["error"])
        request.seconds = time.monotonic() - began
        self._state.log(request)
        return status, answer

    def _grant(self, form: Mapping[str, str]) -> tuple[int, dict[str, Any]]:
        if form.get("grant_type") != "urn:ietf:params:oauth:grant-type:jwt-bearer":
            return 400, {"error": "unsupported_grant_type"}
        if self._state.refuse_tokens:
            text = "Invalid grant: account not found"
            return 400, {"error": "invalid_grant", "error_description": text}
        try:
            claims = jwt.decode(  # type: ignore[no-untyped-call]  # google-auth has no types here
                form.get("assertion", ""), certs=self._public_key, audience=_AUDIENCE
            )
        except ValueError:
            text = "Invalid JWT Signature."
            return 400, {"error": "invalid_grant", "error_description": text}
        token = f"ya29.{secrets.token_urlsafe(24)}"
        self._state.issue_token(token, frozenset(str(claims.get("scope", "")).split()))
        return 200, {
            "access_token": token,
            "expires_in": _LIFETIME_SECONDS,
            "token_type": "Bearer",
        }
