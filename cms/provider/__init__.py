"""The border of payment providers: the only place that knows their words."""

from cms.provider.stripe import Stripe, StripeKeys

__all__ = ["Stripe", "StripeKeys"]
