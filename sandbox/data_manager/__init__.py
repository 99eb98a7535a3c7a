"""The part of the Data Manager API that an upload of offline conversions needs.

In reading order: `service` (requests, processing, status), `destinations`, `events`, `calls` (by
REST only), `errors` (Google's format of errors).
"""
