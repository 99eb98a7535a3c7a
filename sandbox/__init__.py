"""A local Google for laptops and tests: see `python -m sandbox --help`.

It is a judge: it enforces what Google documents, from Google's own words, and imports nothing
of `lib/`. The half that speaks Google's APIs, in reading order:

- `apis`: starts everything below on one TLS port, and says how a client reaches it.
- `state`, `accounts`: accounts, clicks, accepted conversions and requests, for everybody to see.
- `faults`: what goes wrong on purpose, by rule.
- `rpc`: one gRPC call: authorization, fault, answer, log.
- `google_ads`, `ads_rules`, `ads_duplicates`, `ads_errors`, `gaql`: the Google Ads API.
- `data_manager`, `event_destinations`, `event_rules`, `data_manager_errors`: the Data Manager API.
- `secret_manager`, `tokens`, `tls`: what the real clients need before their first call.
"""
