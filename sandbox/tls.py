"""The sandbox's own certificate authority, because Google's clients require TLS.

A client trusts it if the environment variable `GRPC_DEFAULT_SSL_ROOTS_FILE_PATH` names `ca_path`.
gRPC reads that variable only once per process, when it creates the first channel.
"""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from pathlib import Path

import grpc
import trustme


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
