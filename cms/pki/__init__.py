"""The border of certificates: the only place that knows ASN.1, and asks responders and lists of other authorities."""

from cms.pki.trust import Trust, TrustSources

__all__ = ["Trust", "TrustSources"]
