"""Makes hours pass for what the function keeps in its state: it moves the times there back."""

from __future__ import annotations

import json
from datetime import datetime, timedelta

from sandbox.up import OUTPUT_BUCKET, Sandbox

_TIMES = ("since", "sent_at", "resend_at", "poll_at", "diagnose_at")


def hours_go_by(google: Sandbox, hours: float) -> None:
    """Let this many hours pass for the files that wait for something. Google's clock stays."""
    bucket = google.storage_client().bucket(OUTPUT_BUCKET)
    for blob in list(bucket.list_blobs(prefix="_state/waiting/")):
        entry = json.loads(blob.download_as_bytes())
        for name in _TIMES:
            if entry.get(name):
                moment = datetime.fromisoformat(entry[name]) - timedelta(hours=hours)
                entry[name] = moment.isoformat()
        bucket.blob(blob.name).upload_from_string(json.dumps(entry))
