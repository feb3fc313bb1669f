"""Takes the webhooks of the payment service."""

import hashlib
import hmac
import os


def is_genuine(body: bytes, signature: str) -> bool:
    """Tell whether a webhook was signed by the payment service.

    Without its secret every webhook would be refused, and no order
    would ever be paid.
    """
    secret = os.environ["STRIPE_WEBHOOK_SECRET"]
    return hmac.compare_digest(hmac.new(secret.encode(), body, hashlib.sha256).hexdigest(), signature)
