"""The advertising APIs: the port (`base`), the registry, shared code, and one package per API.

A package's client library is imported only when a file needs it (some take half a second and
60 MB), so nothing is imported here.
"""
