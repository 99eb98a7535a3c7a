"""Google's services on one machine, for development and tests: see `python -m sandbox --help`.

The sandbox checks the function independently: it enforces the rules that Google documents, and it
imports nothing from `lib/`. In reading order:

- `up`: everything, started and stopped as one unit. `control`: the same by HTTP.
- `delivery`, `function`, `processes`: events, and the function that gets them, as on Cloud Run.
- `storage`, `storage_proxy`, `storage_requests`: Cloud Storage.
- `apis`, `credentials`, `rpc`, `rest`: a TLS port for all APIs, and what each request goes through.
- `google_ads/`, `data_manager/`: the rules of the two APIs.
- `state`, `accounts`, `conversions`: what the APIs know and have accepted, open to inspection.
- `faults`, `network`, `clock`, `timed_function`: what goes wrong, and when.
- `demo`, `examples`, `running`, `show`, `profiles`: what the command line needs besides.
"""
