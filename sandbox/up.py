"""The whole sandbox, started and stopped as one unit, for tests and the command line.

with Sandbox() as sandbox:
    name, generation = sandbox.drop("export.csv")
    document = sandbox.results(name, generation)
"""

from __future__ import annotations

import http.client
import json
import shutil
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

from sandbox.apis import start_apis
from sandbox.clock import VARIABLE as CLOCK_VARIABLE
from sandbox.clock import Clock
from sandbox.control import ControlServer
from sandbox.delivery import Delivery
from sandbox.faults import Faults
from sandbox.function import Function, Instance
from sandbox.network import Network
from sandbox.processes import Processes
from sandbox.profiles import DEFAULT_PROFILES
from sandbox.state import State
from sandbox.storage import CALM_CLIENT, Storage
from sandbox.storage_proxy import Hooks

INPUT_BUCKET = "sandbox-input"
OUTPUT_BUCKET = "sandbox-output"


class NoResults(TimeoutError):
    """The results document did not appear in time; the message lists the delivery attempts."""


class Sandbox:
    """A running sandbox. Everything that it starts ends with it, however it ends."""

    def __init__(
        self,
        *,
        function: bool = True,
        env: Mapping[str, str] | None = None,
        instances: int = 1,
        source: Path | str = ".",
        directory: Path | None = None,
        forgetful: bool = False,
        memory_group: Path | None = None,
        env_of_last: Mapping[str, str] | None = None,
    ) -> None:
        """Starts nothing yet: call `start`, or use a `with` block.

        function: whether to run the function in `source`/main.py, too.
        forgetful: whether the function's connections go through `networks`, which can forget them.
        env: additions to the function's environment.
        env_of_last: more of them for the last instance, as while a new version is rolled out.
        memory_group: the cgroup in which the instances of the function run, without the sweep.
        directory: for certificates, logs and profiles. Default: a temporary directory, which is
        removed when the sandbox ends.
        """
        self._with_function, self._extra_env, self._instances = function, dict(env or {}), instances
        self._forgetful, self._memory_group = forgetful, memory_group
        self._env_of_last = env_of_last or {}
        self.networks: list[Network] = []
        self._source, self._given_directory = Path(source).resolve(), directory
        self._started = False
        self.clock = Clock()
        self.state = State(now=self.clock.now)
        self.faults = Faults()
        self.function: Function | None = None
        self._sweeping = 0
        self._counting = threading.Lock()
        self._written: Counter[str] = Counter()
        self._writing = threading.Condition()

    def start(self) -> Self:
        """Starts everything. Raises FunctionDidNotStart or RuntimeError; then nothing runs."""
        self.directory = self._given_directory or Path(tempfile.mkdtemp(prefix="sandbox-"))
        self.directory.mkdir(parents=True, exist_ok=True)
        temporary = None if self._given_directory else self.directory
        self._processes = Processes(remove_at_end=temporary)
        self._started = True
        try:
            self._start_all()
        except BaseException:
            self.close()
            raise
        return self

    def _start_all(self) -> None:
        hooks = Hooks(
            decide=self.faults.decide,
            log=self.state.log,
            finalized=self._finalized,
            on_kill=self.faults.kill,
            moved=self.clock.moved,
        )
        self.faults.on_kill = self.kill_working
        self.storage = Storage(self._processes, hooks, self.directory / "storage.log")
        self.storage.create_bucket(INPUT_BUCKET, versioned=True)
        self.storage.create_bucket(OUTPUT_BUCKET)
        self.apis = start_apis(self.state, self.faults, self.directory)
        clock_path = self.directory / "clock"
        self.clock.publish(clock_path)
        self.profiles_path = self.directory / "profiles.json"
        self.set_profiles(DEFAULT_PROFILES)
        self.env = {
            **self.apis.env(),
            "STORAGE_EMULATOR_HOST": self.storage.url,
            "INPUT_BUCKET": INPUT_BUCKET,
            "OUTPUT_BUCKET": OUTPUT_BUCKET,
            "PROFILES": str(self.profiles_path),
            CLOCK_VARIABLE: str(clock_path),
            **CALM_CLIENT,
            **(self._through_networks() if self._forgetful else {}),
            **self._extra_env,
        }
        self.function_log = self.directory / "function.log"
        if self._with_function:
            self.function = Function(
                self._processes,
                directory=self._source,
                env=self.env,
                log=self.function_log,
                instances=self._instances,
                memory_group=self._memory_group,
                env_of_last=self._env_of_last,
            )
        urls = [one.url for one in self.function.instances] if self.function else []
        self.delivery = Delivery(urls)
        self.control = ControlServer(self)
        self.control_url = self.control.url

    def _through_networks(self) -> dict[str, str]:
        """Connect the function through networks; returns the environment for that."""
        storage, apis = self.storage.url.removeprefix("http://"), self.apis
        targets = [storage, apis.endpoint, apis.data_manager_endpoint]
        self.networks = [Network(target) for target in targets]
        of_storage, of_apis, of_data_manager = (each.port for each in self.networks)
        return {
            "STORAGE_EMULATOR_HOST": f"http://127.0.0.1:{of_storage}",
            "SECRET_MANAGER_ENDPOINT": f"localhost:{of_apis}",
            "GOOGLE_ADS_ENDPOINT": f"localhost:{of_apis}",
            "DATA_MANAGER_ENDPOINT": f"localhost:{of_data_manager}",
        }

    def close(self) -> None:
        """Ends everything. A second call does nothing."""
        if not self._started:
            return
        self._started = False
        for network in self.networks:
            network.close()
        for name in ("control", "delivery", "function", "apis", "storage"):
            part = getattr(self, name, None)
            if part is not None:
                part.close()
        self._processes.close()
        if self._given_directory is None:
            shutil.rmtree(self.directory, ignore_errors=True)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *error: object) -> None:
        self.close()

    def description(self) -> dict[str, Any]:
        """What `sandbox up --json` prints and `GET /` returns."""
        function = self.function
        instances = function.instances if function else []
        return {
            "storage_url": self.storage.url,
            "quiet_storage_url": self.storage.quiet_url,
            "input_bucket": INPUT_BUCKET,
            "output_bucket": OUTPUT_BUCKET,
            "function_url": instances[0].url if instances else None,
            "function_urls": [one.url for one in instances],
            "sweep_url": function.sweeper.url if function else None,
            "control_url": self.control_url,
            "function_log": str(self.function_log),
            "env": self.env,
        }

    def storage_client(self) -> Any:
        """A google-cloud-storage client without faults; its requests are not logged."""
        return self.storage.client()

    def drop(
        self, content: Path | str | bytes, name: str | None = None, folder: str | None = None
    ) -> tuple[str, int]:
        """Uploads a file (a path) or bytes to the input bucket; returns name and generation."""
        if isinstance(content, bytes) and name is None:
            raise ValueError("bytes need a name")
        data = content if isinstance(content, bytes) else Path(content).read_bytes()
        base = name or Path(str(content)).name
        blob = (
            self.storage_client().bucket(INPUT_BUCKET).blob(f"{folder}/{base}" if folder else base)
        )
        blob.upload_from_string(data, content_type="text/csv")
        return str(blob.name), int(blob.generation or 0)

    def results(self, name: str, generation: int, timeout_seconds: float = 180.0) -> dict[str, Any]:
        """Waits for the results document and returns it. Raises NoResults.

        The default is no measurement: on a busy machine, everything may take ten times as long.
        """
        blob = self.storage_client().bucket(OUTPUT_BUCKET).blob(f"{name}.{generation}.results.json")
        deadline = time.monotonic() + timeout_seconds
        while True:
            before = self._written[blob.name]
            if blob.exists():
                break
            if not self._is_written_again(blob.name, before, deadline):
                seen = [
                    (attempt.status, attempt.problem)
                    for record in self.delivery.records()
                    if (record.name, record.generation) == (name, str(generation))
                    for attempt in record.attempts
                ]
                raise NoResults(
                    f"no results for {name} after {timeout_seconds} s; "
                    f"delivery attempts (status, problem): {seen}"
                )
        document: dict[str, Any] = json.loads(blob.download_as_bytes())
        return document

    def _is_written_again(self, name: str, before: int, deadline: float) -> bool:
        with self._writing:
            return self._writing.wait_for(
                lambda: self._written[name] != before, max(0.0, deadline - time.monotonic())
            )

    def function_output(self) -> str:
        """Everything that the function wrote to stdout and stderr."""
        return self.function.output() if self.function else ""

    def run_sweep(self, timeout_seconds: float = 600.0) -> tuple[int, str]:
        """Calls the sweep as Cloud Scheduler does; returns status and body, (0, "") if it died."""
        if self.function is None:
            raise RuntimeError("this sandbox does not run the sweep")
        port = self.function.sweeper.port
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout_seconds)
        with self._counting:
            self._sweeping += 1
        try:
            connection.request("POST", "/", b"{}", {"Content-Type": "application/json"})
            response = connection.getresponse()
            return response.status, response.read().decode(errors="replace")
        except (OSError, http.client.HTTPException):
            return 0, ""
        finally:
            connection.close()
            with self._counting:
                self._sweeping -= 1

    def kill_working(self) -> list[int]:
        """Sends SIGKILL to the working instances, or to all if none is known to be working.

        Returns the process IDs of the killed workers.
        """
        return self.function.kill(self._busy()) if self.function else []

    def terminate_working(self) -> list[int]:
        """Ends the working instances, or all, as Cloud Run does (`Function.terminate`)."""
        if self.function is None:
            return []
        terminated = self.function.terminate(self._busy())
        self.delivery.redirect([one.url for one in self.function.instances])
        return terminated

    def _busy(self) -> list[Instance] | None:
        assert self.function is not None
        busy = [
            one
            for one, count in zip(self.function.instances, self.delivery.in_flight(), strict=True)
            if count
        ]
        if self._sweeping:
            busy.append(self.function.sweeper)
        return busy or None

    def set_profiles(self, profiles: Mapping[str, Any]) -> None:
        """Replaces the profiles document, to which `PROFILES` points."""
        self.profiles_path.write_text(json.dumps(profiles, indent=2), encoding="utf-8")

    def clear(self) -> None:
        """Resets all: no conversions, requests, faults, events or objects; profiles and clock."""
        self.faults.clear()
        self.delivery.reset()
        self.delivery.wait_until_idle()
        for bucket in (INPUT_BUCKET, OUTPUT_BUCKET):
            self.storage.empty(bucket)
        self.clock.reset()
        self.set_profiles(DEFAULT_PROFILES)
        self.state.clear()

    def _finalized(self, resource: Mapping[str, Any]) -> None:
        if resource.get("bucket") == OUTPUT_BUCKET:
            with self._writing:
                self._written[str(resource["name"])] += 1
                self._writing.notify_all()
        if resource.get("bucket") == INPUT_BUCKET and self.function is not None:
            self.delivery.finalized(resource)
