"""Where conversions go: one protocol (`port`), one module per API, and `pacing` for both.

A route is imported when a run needs it (`lib.destinations.google_ads.client` costs half a second and
60 MB), so nothing is imported here.
"""
