"""From a CSV in a bucket to conversions in Google Ads. Where to read on:

1.  `pipeline`        the whole story of a run, top to bottom
2.  `ready`, `sending` with `chunks`, `finish`
                      its three parts: before the first row, the rows, the results
3.  `source/`         the file as people deliver it: bytes → text → cells
4.  `rules/`          what a row must be; `plan` is the hot loop, `codes` the catalogue
5.  `destinations/`   where conversions go: `port` is the protocol, `pacing` the speed
6.  `ledger`, `lease` what survives a crash
7.  `report`          outcomes → results document
8.  `sweep`, `waiting`, `deferred` with `resend`, `processing`
                      what events missed; rows whose time comes later
9.  `settings`, `mistakes`, `errors`, `notes`, `context`, `store`
                      what they all speak of
10. `check`, `check_output`, `__main__`
                      the linter: the same rules without a network
11. `gcs`, `secrets`, `announce`, `logs`, `routes`
                      adapters, wired by `main.py`
"""
