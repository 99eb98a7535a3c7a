"""Google's services on one machine, for development and tests: see `python -m sandbox --help`.

The sandbox checks the function independently: it enforces the rules that Google documents, and it
imports nothing from `lib/`. The modules that implement Google's APIs, in reading order:

- `apis`: starts all of the modules below on one TLS port, and tells clients how to connect.
- `clock`: the time, which tests can move for the APIs and for the function.
- `state`, `accounts`: accounts, clicks, accepted conversions and requests, open to inspection.
- `faults`: the rules for injected faults.
- `rpc`: one gRPC call: authorization, fault, response, log.
- `ads_version`: the version of the Google Ads API. To change the version, change only this module.
- `conversion_book`: what every conversion has been worth, whichever API sold or adjusted it.
- `google_ads`, `ads_uploads`, `ads_fields`, `ads_rules`, `ads_duplicates`, `ads_errors`, `gaql`:
  the Google Ads API; `ads_corrections`, `ads_adjustments`, `ads_calls`: its adjustments and calls.
- `data_manager`, `event_destinations`, `event_rules`, `event_adjustments`, `event_calls`,
  `data_manager_errors`: the Data Manager API.
- `secret_manager`, `tokens`, `tls`: what the real clients need before their first call.
"""
