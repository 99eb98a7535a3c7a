"""Cold start: a new process until its first upload, compared with bare imports.

Each measurement starts a new process. The first loads `main.py` through functions-framework, as the
platform does, and gets an event for a small file; the time ends when the upload request arrives at
the sandbox. The second imports the public packages that the first one uses and, as Google's samples
do, the two services that it calls, and ends.

The code is compiled before, as the platform does when it builds a function
(https://github.com/GoogleCloudPlatform/buildpacks/blob/main/cmd/python/functions_framework/main.go).
"""

from __future__ import annotations

import compileall
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


def measure(quick: bool, sandbox: Sandbox) -> Iterator[Figure]:
    """Measure both in turns. The first turn only fills the disk cache and does not count."""
    compileall.compile_dir(ROOT / "lib", quiet=1)
    compileall.compile_file(ROOT / "main.py", quiet=1)
    for route in ROUTES:
        ours, bare = [], []
        for turn in range(4 if quick else 16):
            seconds = bare_imports(route), first_upload(sandbox, route, turn)
            if turn:
                bare.append(seconds[0])
                ours.append(seconds[1])
        ratio = median(mine / other for mine, other in zip(ours, bare, strict=True))
        notes = f"{median(ours):.2f} s, bare imports {median(bare):.2f} s"
        yield Figure(route.figure, ratio, notes)


def bare_imports(route: Route) -> float:
    """Seconds that a process needs for the imports alone."""
    started = time.monotonic()
    code = PACKAGES + route.imports + END
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT)
    return time.monotonic() - started


def first_upload(sandbox: Sandbox, route: Route, turn: int) -> float:
    """Seconds from the start of a new process until its first upload arrives at the sandbox."""
    content = file_of(500, 100, seed=turn)
    name, generation = sandbox.drop(content, f"{route.folder}cold-{turn}.csv")
    headers = {
        "ce-id": f"{route.figure}-{turn}",
        "ce-source": f"//storage.googleapis.com/projects/_/buckets/{INPUT_BUCKET}",
        "ce-specversion": "1.0",
        "ce-type": "google.cloud.storage.object.v1.finalized",
        "ce-time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "Content-Type": "application/json",
    }
    event = {
        "bucket": INPUT_BUCKET,
        "name": name,
        "generation": str(generation),
        "size": str(len(content)),
    }
    before = len(sandbox.state.requests)
    started = time.time()
    subprocess.run(
        [sys.executable, "-c", FUNCTION, json.dumps(headers), json.dumps(event)],
        check=True,
        cwd=ROOT,
        env={**os.environ, **sandbox.env},
        stdout=subprocess.DEVNULL,
    )
    uploads = (
        request
        for request in list(sandbox.state.requests)[before:]
        if request.method.endswith(route.method)
    )
    return next(uploads).started_at.timestamp() - started
