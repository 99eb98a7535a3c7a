"""The advertising APIs: the port (`base`), the registry, what they share, and one package per API.

In a package, `capabilities` declares what the API can do, `connector` makes the destination of a
profile, `client` sends a request, `messages` makes bytes of records, `upload` sends a chunk until
each row has an outcome, `answers` makes outcomes of answers, and `failures` decides what to do
about a failed request. A package's client library is imported only when a file needs it (some take
half a second and 60 MB), so nothing is imported here.
"""
