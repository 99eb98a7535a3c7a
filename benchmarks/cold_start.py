"""Cold start: a new process until its first upload, compared with bare imports.

Each measurement starts a new process. The first loads `main.py` through functions-framework, as the
platform does, and gets the event of a small file; the time ends when the upload request arrives at
the sandbox. The second imports the public packages that the first one uses and, as Google's samples
do, the two services that it calls, and ends.

Both are compiled before, as the platform does when it builds a function
(https://github.com/GoogleCloudPlatform/buildpacks/blob/main/cmd/python/functions_framework/main.go):
the first turn, which does not count, writes the bytecode of all that they import.

Without latency, the figure is the CPU of a start. With 100 ms a call, it shows how many calls wait
for each other, whatever the processor.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from typing import NamedTuple

from benchmarks.figures import Figure
from benchmarks.rows import file_of
from sandbox.delivery import finalized_event
from sandbox.google_ads import PACKAGE
from sandbox.up import INPUT_BUCKET, Sandbox

ROOT = Path(__file__).parents[1]

PACKAGES = """
import functions_framework, flask, cloudevents.http, fastcrc, grpc, msgspec, phonenumbers
import requests, yaml
from pydantic import BaseModel, Field, ValidationError
from google.cloud import secretmanager, storage
"""

END = """
import os
os._exit(0)  # the end of the process is not part of its start
"""


class Route(NamedTuple):
    """What Google's samples import for an API, and where our upload to it arrives. The folder is a
    profile."""

    figure: str
    imports: str
    folder: str
    method: str


ROUTES = (
    Route(
        "cold_start",
        f"""
from google.ads.googleads.client import GoogleAdsClient
from {PACKAGE}.services.services.conversion_upload_service import (
    ConversionUploadServiceClient,
)
from {PACKAGE}.services.services.google_ads_service import GoogleAdsServiceClient
from {PACKAGE}.services.types.conversion_upload_service import (
    UploadClickConversionsRequest,
)
""",
        "",
        "UploadClickConversions",
    ),
    Route(
        "cold_start_dm",
        "from google.ads import datamanager_v1",
        "data_manager/",
        "IngestEvents",
    ),
)

FUNCTION = """
import json, sys
import functions_framework
from werkzeug.test import create_environ, run_wsgi_app
app = functions_framework.create_app("ingest", "main.py", "cloudevent")
event = create_environ(method="POST", headers=json.loads(sys.argv[1]), data=sys.argv[2])
_, status, _ = run_wsgi_app(app, event)
assert status.startswith("2"), status
"""


LATENCY_MS = 100

ENVIRONMENT = {
    name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"
}


def measure(quick: bool, sandbox: Sandbox) -> Iterator[Figure]:
    """Measure both in turns. The first turn does not count: it compiles, and fills the disk
    cache."""
    turns = 4 if quick else 16
    for route in ROUTES:
        ours, bare, delayed = [], [], []
        for turn in range(turns):
            bare.append(bare_imports(route))
            ours.append(first_upload(sandbox, route, f"{turn}"))
            sandbox.faults.set([{"method": "*", "kind": "latency_ms", "latency_ms": LATENCY_MS}])
            delayed.append(first_upload(sandbox, route, f"{turn}-delayed"))
            sandbox.faults.clear()
        ratio = median(mine / other for mine, other in zip(ours[1:], bare[1:], strict=True))
        notes = f"{median(ours[1:]):.2f} s, bare imports {median(bare[1:]):.2f} s"
        yield Figure(route.figure, ratio, notes)
        far = 1000 * median(delayed[1:])
        yield Figure(f"{route.figure}_far", far, f"{LATENCY_MS} ms a call")
        yield Figure(f"{route.figure}_waits", (far - 1000 * median(ours[1:])) / LATENCY_MS)


def bare_imports(route: Route) -> float:
    """Seconds that a process needs for the imports alone."""
    started = time.monotonic()
    code = PACKAGES + route.imports + END
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT, env=ENVIRONMENT)
    return time.monotonic() - started


def first_upload(sandbox: Sandbox, route: Route, turn: str) -> float:
    """Seconds from the start of a new process until its first upload arrives at the sandbox."""
    content = file_of(500, 100)
    name, generation = sandbox.drop(content, f"{route.folder}cold-{turn}.csv")
    bucket = sandbox.storage_client().bucket(INPUT_BUCKET)
    event = finalized_event(bucket.get_blob(name, generation=generation)._properties)
    before = len(sandbox.state.requests)
    started = time.time()
    subprocess.run(
        [sys.executable, "-c", FUNCTION, json.dumps(event.headers), event.body],
        check=True,
        cwd=ROOT,
        env={**ENVIRONMENT, **sandbox.env},
        stdout=subprocess.DEVNULL,
    )
    uploads = (
        request
        for request in list(sandbox.state.requests)[before:]
        if request.method.endswith(route.method)
    )
    return next(uploads).started_at.timestamp() - started
