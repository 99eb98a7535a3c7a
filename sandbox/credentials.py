"""What Google's clients need before their first request: certificates, access tokens.

- The sandbox has its own certificate authority, because the clients require TLS. A client trusts it
  if the environment variable `GRPC_DEFAULT_SSL_ROOTS_FILE_PATH` names its `ca.pem`. gRPC reads that
  variable only once per process, when it creates the first channel.
- `POST /token` accepts a JWT that is signed with a service account's key. A process on Google Cloud
  has no key and asks the metadata server: `GET /computeMetadata/v1/...`
  (https://cloud.google.com/compute/docs/metadata/predefined-metadata-keys). As on Cloud Run, it
  gets a token for the scopes that it asks for. The state remembers the scopes of each token.
"""

from __future__ import annotations

import json
import secrets
import ssl
import sys
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import grpc
import trustme
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from google.auth import jwt

from sandbox.faults import Faults
from sandbox.state import Request, State

PROJECT = "sandbox-project"
EMAIL = f"uploader@{PROJECT}.iam.gserviceaccount.com"
_LIFETIME_SECONDS = 3600
# google-auth signs for this audience, whatever `token_uri` the key file names.
_AUDIENCE = "https://oauth2.googleapis.com/token"
_CLOUD_PLATFORM = "https://www.googleapis.com/auth/cloud-platform"
_FAULT_STATUS = {
    "unavailable": 503,
    "resource_exhausted": 429,
    "resource_temporarily_exhausted": 429,
    "internal_before_commit": 500,
    "internal_after_commit": 500,
}

Answer = tuple[int, Mapping[str, Any] | str]


@dataclass(frozen=True, slots=True)
class Certificates:
    """What a server on this machine and its clients need to speak TLS."""

    ca_path: Path
    key_pem: bytes
    chain_pem: bytes
    _leaf: trustme.LeafCert

    def server_context(self) -> ssl.SSLContext:
        """What an HTTP/1.1 server needs."""
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self._leaf.configure_cert(context)
        context.set_alpn_protocols(["http/1.1"])
        return context

    def server_credentials(self) -> grpc.ServerCredentials:
        return grpc.ssl_server_credentials([(self.key_pem, self.chain_pem)])


def create_certificates(directory: Path) -> Certificates:
    """Write `ca.pem` into `directory`, and create a certificate for localhost and 127.0.0.1.

    If the directory already has a CA, it is used again: processes that trust `ca.pem` read it only
    once. So several sandboxes can use one directory, one after the other.
    """
    directory.mkdir(parents=True, exist_ok=True)
    ca_path, ca_key_path = directory / "ca.pem", directory / "ca-key.pem"
    if ca_path.exists() and ca_key_path.exists():
        ca = trustme.CA.from_pem(ca_path.read_bytes(), ca_key_path.read_bytes())
    else:
        ca = trustme.CA()
        ca_key_path.touch(mode=0o600)
        ca.private_key_pem.write_to_path(str(ca_key_path))
        ca.cert_pem.write_to_path(str(ca_path))
    server = ca.issue_cert("localhost", "127.0.0.1")
    return Certificates(
        ca_path=ca_path,
        key_pem=server.private_key_pem.bytes(),
        chain_pem=b"".join(blob.bytes() for blob in server.cert_chain_pems),
        _leaf=server,
    )


class _Server(ThreadingHTTPServer):
    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of a client that has closed its connection, such as a killed function."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


class TokenServer:
    """The OAuth token endpoint and the metadata server, on 127.0.0.1, in a thread.

    `address` is `127.0.0.1:PORT`, for GCE_METADATA_HOST and GCE_METADATA_IP. `write_key` writes the
    file of a service account's key.

    With `state.refuse_tokens`, the token endpoint responds with `invalid_grant`, as Google does for
    a deleted service account or a wrong key. Without `state.instance_has_account`, the metadata
    server responds to a request for a token with 404.
    """

    def __init__(self, state: State, faults: Faults) -> None:
        self._state = state
        self._faults = faults
        # Google's keys have 2048 bits. Each new client checks its key, which takes 8 times as long.
        self._key = rsa.generate_private_key(public_exponent=65537, key_size=1024)
        self._public_key = self._key.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        tokens = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                form = self.rfile.read(int(self.headers.get("content-length", 0)))
                self._send(tokens._ask("oauth.token", len(form), lambda: tokens._grant(form)))

            def do_GET(self) -> None:
                if self.path != "/" and self.headers.get("metadata-flavor") != "Google":
                    self._send((403, "Missing Metadata-Flavor:Google header."))
                else:
                    self._send(tokens._metadata(self.path))

            def _send(self, answer: Answer) -> None:
                status, content = answer
                kind, text = "json", json.dumps(content)
                if isinstance(content, str):
                    kind, text = "text", content
                body = text.encode()
                self.send_response(status)
                self.send_header("content-type", f"application/{kind}")
                self.send_header("content-length", str(len(body)))
                self.send_header("metadata-flavor", "Google")
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *args: object) -> None:
                pass

        self._server = _Server(("127.0.0.1", 0), Handler)
        self.address = f"127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.05,), daemon=True
        )
        self._thread.start()

    def write_key(self, path: Path) -> None:
        private_key = self._key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        path.touch(mode=0o600)
        path.write_text(
            json.dumps(
                {
                    "type": "service_account",
                    "project_id": PROJECT,
                    "private_key_id": "sandbox",
                    "private_key": private_key.decode(),
                    "client_email": EMAIL,
                    "client_id": "100000000000000000000",
                    "token_uri": f"http://{self.address}/token",
                }
            )
        )

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def _ask(self, method: str, size: int, grant: Callable[[], Answer]) -> Answer:
        """One request for a token. It is logged, and faults apply, as for any other."""
        began = time.monotonic()
        # The assertion is a kind of credential, so the log keeps only its size.
        request = Request(method, secrets.token_hex(8), self._state.now(), size, None)
        fault = self._faults.decide(method)
        if fault is not None:
            request.fault = fault.kind
            time.sleep(fault.latency_seconds)
        if fault is not None and fault.kind in ("kill_before", "kill_after"):
            self._faults.kill()
        answer: Answer
        if fault is not None and fault.kind in _FAULT_STATUS:
            answer = _FAULT_STATUS[fault.kind], {"error": fault.kind}
        else:
            answer = grant()
        status, content = answer
        request.status = str(status)
        if not isinstance(content, str):
            request.status = content.get("error", "OK")
        request.seconds = time.monotonic() - began
        self._state.log(request)
        return answer

    def _grant(self, body: bytes) -> Answer:
        form = {key: values[0] for key, values in parse_qs(body.decode()).items()}
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
        return 200, self._new_token(str(claims.get("scope", "")).split())

    def _metadata(self, path: str) -> Answer:
        parts = urlsplit(path)
        account = "/computeMetadata/v1/instance/service-accounts/default/"
        texts = {
            "/": "computeMetadata/\n",
            "/computeMetadata/v1/project/project-id": PROJECT,
            "/computeMetadata/v1/universe/universe-domain": "googleapis.com",
        }
        if parts.path in texts:
            return 200, texts[parts.path]
        if parts.path == account:
            return 200, {"aliases": ["default"], "email": EMAIL, "scopes": [_CLOUD_PLATFORM]}
        if parts.path == account + "token":
            scopes = parse_qs(parts.query).get("scopes", [_CLOUD_PLATFORM])[0].split(",")
            return self._ask("metadata.token", 0, lambda: self._instance_token(scopes))
        return 404, "Not Found"

    def _instance_token(self, scopes: list[str]) -> Answer:
        if not self._state.instance_has_account:
            return 404, {"error": "not_found"}
        return 200, self._new_token(scopes)

    def _new_token(self, scopes: list[str]) -> Mapping[str, Any]:
        token = f"ya29.{secrets.token_urlsafe(24)}"
        self._state.issue_token(token, frozenset(scopes))
        return {"access_token": token, "expires_in": _LIFETIME_SECONDS, "token_type": "Bearer"}
