"""All Google APIs of the sandbox, in threads of this process.

One TLS port serves all of them by gRPC. A second one serves the Data Manager API by gRPC and REST.
"""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import grpc
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from sandbox.data_manager import INGEST_METHOD, STATUS_METHOD, DataManager
from sandbox.faults import Faults
from sandbox.google_ads import MAX_MESSAGE_BYTES, GoogleAds
from sandbox.rest import RestServer
from sandbox.rpc import Caller, generic_handler
from sandbox.secret_manager import secret_manager_service
from sandbox.state import State
from sandbox.tls import create_certificates
from sandbox.tokens import TokenServer

PROJECT = "sandbox-project"
EMAIL = f"uploader@{PROJECT}.iam.gserviceaccount.com"
SECRET = f"projects/{PROJECT}/secrets/google-ads"
# A handler that hangs blocks a thread; these are enough for a full window of hanging calls.
_THREADS = 64


@dataclass(slots=True)
class Apis:
    """Running APIs. `close()` stops them; `env()` is the environment for a client process."""

    state: State
    faults: Faults
    port: int
    ca_path: Path
    google_ads_yaml: str
    secret_version: str
    service_account_path: Path
    google_ads_key_yaml: str
    """The same with the service account's key, for a process outside of (this) Google Cloud."""
    _server: grpc.Server = field(repr=False)
    _tokens: TokenServer = field(repr=False)
    _threads: ThreadPoolExecutor = field(repr=False)
    _rest: RestServer = field(repr=False)

    @property
    def endpoint(self) -> str:
        """`localhost:PORT` of Google Ads and Secret Manager."""
        return f"localhost:{self.port}"

    @property
    def data_manager_endpoint(self) -> str:
        """`localhost:PORT` of the Data Manager API, for gRPC and REST."""
        return f"localhost:{self._rest.port}"

    def env(self) -> dict[str, str]:
        """The environment that makes Google's clients connect to these APIs and trust them."""
        return {
            "GRPC_DEFAULT_SSL_ROOTS_FILE_PATH": str(self.ca_path),
            # As on Cloud Run, there is no key: the metadata server provides the identity. The
            # credentials of the person who uses this machine must not take precedence.
            "GOOGLE_APPLICATION_CREDENTIALS": "",
            "GCE_METADATA_HOST": self._tokens.address,
            "GCE_METADATA_IP": self._tokens.address,
            "CLOUDSDK_CONFIG": str(self.ca_path.parent / "no-gcloud"),
            "GOOGLE_CLOUD_PROJECT": PROJECT,
            "GOOGLE_ADS_SECRET": self.secret_version,
            "SECRET_MANAGER_ENDPOINT": self.endpoint,
            "DATA_MANAGER_ENDPOINT": self.data_manager_endpoint,
        }

    def close(self) -> None:
        self._rest.close()
        self._server.stop(grace=0).wait()
        self._threads.shutdown(wait=False, cancel_futures=True)
        self._tokens.close()


def start_apis(state: State, faults: Faults, directory: Path) -> Apis:
    """Start everything, and write the files that clients need into `directory`."""
    certificates = create_certificates(directory)
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    tokens = TokenServer(
        state,
        faults,
        key.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        ),
        EMAIL,
        PROJECT,
    )
    service_account_path = directory / "service-account.json"
    _write_service_account(service_account_path, key, tokens.uri)

    threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="apis")
    server = grpc.server(
        threads,
        options=[
            # gRPC itself refuses a larger message with RESOURCE_EXHAUSTED and without a
            # GoogleAdsFailure, as Google does.
            ("grpc.max_receive_message_length", MAX_MESSAGE_BYTES),
            ("grpc.max_send_message_length", -1),
            ("grpc.max_metadata_size", 16 * 1024 * 1024),
            ("grpc.so_reuseport", 0),
        ],
    )
    data_manager = DataManager(state)
    services = [
        *GoogleAds(state).services(),
        data_manager.service(),
        secret_manager_service(state),
    ]
    server.add_generic_rpc_handlers([generic_handler(one, state, faults) for one in services])
    port = server.add_secure_port("127.0.0.1:0", certificates.server_credentials())
    server.start()
    caller = Caller(data_manager.service(), state, faults)
    rest = RestServer(
        {
            "GET /v1/requestStatus:retrieve": (caller, STATUS_METHOD, data_manager.rest_status),
            "POST /v1/events:ingest": (caller, INGEST_METHOD, data_manager.rest_ingest),
        },
        certificates.server_context(),
        port,
    )

    yaml = _google_ads_yaml("use_application_default_credentials: true", port)
    key_file = f"json_key_file_path: {json.dumps(str(service_account_path))}"
    state.set_secret(SECRET, yaml.encode())
    return Apis(
        state=state,
        faults=faults,
        port=port,
        ca_path=certificates.ca_path,
        google_ads_yaml=yaml,
        secret_version=f"{SECRET}/versions/latest",
        service_account_path=service_account_path,
        google_ads_key_yaml=_google_ads_yaml(key_file, port),
        _server=server,
        _tokens=tokens,
        _threads=threads,
        _rest=rest,
    )


def _google_ads_yaml(credentials: str, port: int) -> str:
    # google-ads 34 requires only `use_proto_plus`. `developer_token` is optional, because Google
    # discontinued developer tokens on 2026-09-09 (docs: api-policy/developer-token).
    return f"use_proto_plus: false\n{credentials}\nendpoint: localhost:{port}\n"


def _write_service_account(path: Path, key: rsa.RSAPrivateKey, token_uri: str) -> None:
    private_key = key.private_bytes(
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
                "token_uri": token_uri,
            }
        )
    )
