"""Queries (GAQL), without the message types of `GoogleAdsService`.

`GoogleAdsRow` has a field for each of the API's resources. Importing it takes 660 modules, a third
of a cold start and 30 MiB. Each of our queries reads one resource, so only the class of this
resource is imported. The messages around it are declared here, with the fields that are used. A
test compares them with the library's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final

from lib.destinations.google_ads.api import module
from lib.destinations.google_ads.partial_messages import MessageField, partial_message

Search = Callable[[str, str], Iterable[Any]]
"""(customer ID, query) → raw messages of the resource that the query selects FROM."""

METHOD: Final = "GoogleAdsService/Search"

RESOURCES: Final = {
    "customer": 1,
    "conversion_action": 103,
    "click_view": 122,
    "conversion_custom_variable": 153,
    "offline_conversion_upload_client_summary": 216,
    "offline_conversion_upload_conversion_action_summary": 228,
}
"""The resources that can be read → their field numbers in `GoogleAdsRow`."""

SearchRequest: Final = partial_message(
    "SearchRequest",
    MessageField("customer_id", 1, "string"),
    MessageField("query", 2, "string"),
    MessageField("page_token", 3, "string"),
)
SearchResponse: Final = partial_message(
    "SearchResponse",
    MessageField("results", 1, "bytes", repeated=True),
    MessageField("next_page_token", 2, "string"),
)
GoogleAdsRow: Final = partial_message(
    "GoogleAdsRow", *(MessageField(name, number, "bytes") for name, number in RESOURCES.items())
)


def search(customer_id: str, query: str, call: Callable[[bytes], bytes]) -> Iterator[Any]:
    """Make a query, page by page. See `Search`."""
    resource = query.partition(" FROM ")[2].split()[0]
    name = "".join(word.capitalize() for word in resource.split("_"))
    message = getattr(module(f"resources.types.{resource}"), name).pb()
    request = SearchRequest(customer_id=customer_id, query=query)
    while True:
        page = SearchResponse.FromString(call(request.SerializeToString()))
        for row in page.results:
            yield message.FromString(getattr(GoogleAdsRow.FromString(row), resource))
        if not page.next_page_token:
            return
        request.page_token = page.next_page_token
