"""A minimal function, for the tests of the sandbox itself.

It reads the object that the event names, and writes a results document; an empty file is stopped.
Its environment variables:
SECONDS: how long it takes. FAILURES_FILE: a file with the number of events that it still refuses
(a file, because the process may be killed).
"""

import json
import os
import time
import urllib.request
from pathlib import Path
from urllib.parse import quote

STORAGE = os.environ["STORAGE_EMULATOR_HOST"]


def ingest(event):
    data = event.data
    print(json.dumps({"pid": os.getpid(), "id": event["id"], "subject": event["subject"]}))
    time.sleep(float(os.environ.get("SECONDS", "0")))
    if counter := os.environ.get("FAILURES_FILE"):
        left = int(Path(counter).read_text())
        if left:
            Path(counter).write_text(str(left - 1))
            raise RuntimeError("refused, as the test wants it")
    name = quote(data["name"], "")
    source = f"{STORAGE}/download/storage/v1/b/{data['bucket']}/o/{name}?alt=media"
    with urllib.request.urlopen(source) as answer:
        content = answer.read()
    rows = len(content.splitlines()) - 1
    document = {
        "source": {"name": data["name"]},
        "status": "done",
        "file_error": None if content else {"code": "EMPTY_FILE", "detail": ""},
        "counts": {"rows": rows, "uploaded": rows},
        "codes": {},
        "rows": [],
        "event": data,
    }
    results = quote(f"{data['name']}.{data['generation']}.results.json", "")
    request = urllib.request.Request(
        f"{STORAGE}/upload/storage/v1/b/{os.environ['OUTPUT_BUCKET']}/o"
        f"?uploadType=media&name={results}",
        data=json.dumps(document).encode(),
        headers={"Content-Type": "application/json"},
    )
    urllib.request.urlopen(request).close()


def sweep(request):
    return {"swept": True}
