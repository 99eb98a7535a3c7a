"""What cells look like, to suspect a column that no name identifies.

The patterns accept usual values only: a wrong suspicion costs a person's time, and a missing one
leaves the file as it is. Google publishes no format of click IDs. These are the beginnings of the
serialized messages that click IDs have had so far (observed, not documented).
"""

from __future__ import annotations

import re
from typing import Final

from lib.model.fields import Content

_GCLID: Final = re.compile(
    r"(?:Cj[0w]K|EAIaIQ|C[I-P][\w-]{2})[\w-]{16,}"
    r"|\S*[?&]gclid=[\w-]{10,}\S*",  # the URL of a landing page
    re.ASCII,
)
_BRAID: Final = re.compile(
    r"(?:0AAAAA|C[j-n](?![0w]K)[\w-]K)[\w-]{10,}|\S*[?&][gw]braid=[\w-]{10,}\S*", re.ASCII
)
_EMAIL: Final = re.compile(r"[^@\s,;]+@[^@\s,;]+\.[^@\s,;.]{2,}")
_PHONE: Final = re.compile(
    r"(?:\+|00)[1-9](?:[\s()./-]{0,2}\d){7,14}"  # +49 30 555 0100
    r"|\(\d{2,4}\)\s?\d{2,4}(?:[\s.-]?\d){4,8}"  # (212) 555-0100
    r"|[2-9]\d\d([\s.-])\d{3}\1\d{4}"  # 212-555-0100
    r"|0\d{1,4}[\s/-]\d(?:[\s-]?\d){4,9}",  # 030 5550100
    re.ASCII,
)

GCLIDS: Final = Content("LOOKS_LIKE_CLICK_IDS", _GCLID)
BRAIDS: Final = Content("LOOKS_LIKE_BRAIDS", _BRAID)
EMAILS: Final = Content("LOOKS_LIKE_EMAILS", _EMAIL)
PHONES: Final = Content("LOOKS_LIKE_PHONE_NUMBERS", _PHONE)
