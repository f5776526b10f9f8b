# python3 with_rudderstack.py ADDRESS WRITE_KEY
import sys
from datetime import datetime, timezone

import rudderstack.analytics as analytics


def fail(error, events):
    raise error


analytics.dataPlaneUrl, analytics.write_key = sys.argv[1:]
analytics.on_error = fail


def who(message_id):
    return {
        "anonymous_id": "5f0c9b1e-7a3d-4f7e-9a41-0d6f0a6f2b11",
        "timestamp": datetime(2025, 1, 2, 3, 4, 5, 678000, tzinfo=timezone.utc),
        "context": {"locale": "de-AT"},
        "message_id": message_id,
    }


def alias(message_id):
    values = who(message_id)
    del values["anonymous_id"]
    return values


order = {"revenue": 19.9, "currency": "EUR", "products": [{"sku": "a-1", "quantity": 2}]}
analytics.identify("ada-1", {"email": "ada@example.com", "city": "Köln"}, **who("identify-1"))
analytics.track("ada-1", "Order Completed", order, **who("track-1"))
analytics.page("ada-1", None, "Home", {"section": "shop"}, **who("page-1"))
analytics.screen("ada-1", None, "Basket", {"items": 2}, **who("screen-1"))
analytics.group("ada-1", "team-1", {"seats": 5}, **who("group-1"))
analytics.alias("ada-0", "ada-1", **alias("alias-1"))
analytics.shutdown()
