"""All Google APIs of the sandbox, in threads of this process.

One TLS port serves all of them by gRPC. A second one serves the Data Manager API by gRPC and REST.
"""

from __future__ import annotations

import json
import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import google_crc32c
import grpc
from google.cloud.secretmanager_v1.types import service as types

from sandbox.credentials import PROJECT, TokenServer, create_certificates
from sandbox.data_manager.service import DataManager
from sandbox.faults import Faults
from sandbox.google_ads import PACKAGE
from sandbox.google_ads.service import MAX_MESSAGE_BYTES, GoogleAds
from sandbox.rest import RestServer
from sandbox.rpc import Refusal, Responder, Rpc, Service
from sandbox.state import State

SECRET = f"projects/{PROJECT}/secrets/google-ads"
_SecretRequest: Any = types.AccessSecretVersionRequest.pb()
_SecretResponse: Any = types.AccessSecretVersionResponse.pb()
_SECRET_VERSION = re.compile(r"(projects/[^/]+/secrets/[^/]+)/versions/([^/]+)").fullmatch
# A handler that hangs blocks a thread; these are enough for a full window of hanging requests.
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
        """`localhost:PORT` of the Data Manager API, by gRPC and REST, and of queries by REST."""
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
            "LOOKUP_ENDPOINT": self.data_manager_endpoint,
        }

    def close(self) -> None:
        self._rest.close()
        self._server.stop(grace=0).wait()
        self._threads.shutdown(wait=False, cancel_futures=True)
        self._tokens.close()


def start_apis(state: State, faults: Faults, directory: Path) -> Apis:
    """Start everything, and write the files that clients need into `directory`."""
    certificates = create_certificates(directory)
    tokens = TokenServer(state, faults)
    service_account_path = directory / "service-account.json"
    tokens.write_key(service_account_path)

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
    events = Responder(data_manager.service(), state, faults)
    google_ads = GoogleAds(state)
    services = [*google_ads.services(), _secret_manager(state)]
    others = {service.name: Responder(service, state, faults) for service in services}
    responders = [events, *others.values()]
    server.add_generic_rpc_handlers([one.generic_handler() for one in responders])
    port = server.add_secure_port("127.0.0.1:0", certificates.server_credentials())
    server.start()
    queries = others[f"{PACKAGE}.services.GoogleAdsService"]
    methods = {**data_manager.rest_methods(events), **google_ads.rest_methods(queries)}
    rest = RestServer(methods, certificates.server_context(), port)

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
    """The content of the secret: a configuration of the google-ads library."""
    # google-ads 34 requires only `use_proto_plus`. `developer_token` is optional, because Google
    # discontinued developer tokens on 2026-09-09 (docs: api-policy/developer-token).
    return f"use_proto_plus: false\n{credentials}\nendpoint: localhost:{port}\n"


def _secret_manager(state: State) -> Service:
    """`AccessSecretVersion` of Secret Manager. Every caller may read: IAM is not simulated."""

    def access(rpc: Rpc) -> bytes:
        name = _SecretRequest.FromString(rpc.body).name
        match = _SECRET_VERSION(name)
        if match is None:
            raise Refusal(grpc.StatusCode.INVALID_ARGUMENT, f"The name [{name}] is not valid.")
        secret, version = match[1], match[2]
        versions = state.secrets.get(secret)
        number = len(versions or ()) if version == "latest" else -1
        if version.isdigit():
            number = int(version)
        if versions is None or not 1 <= number <= len(versions):
            text = f"Secret [{secret}] not found or has no versions."
            if versions is not None:
                text = f"Secret Version [{name}] not found."
            raise Refusal(grpc.StatusCode.NOT_FOUND, text)
        response = _SecretResponse(name=f"{secret}/versions/{number}")
        response.payload.data = versions[number - 1]
        response.payload.data_crc32c = google_crc32c.value(versions[number - 1])
        serialized: bytes = response.SerializeToString()
        return serialized

    return Service(
        "google.cloud.secretmanager.v1.SecretManagerService",
        "secret_manager",
        {"AccessSecretVersion": access},
    )
