"""What the domain makes its values with."""

from cms.contract.record import record

__all__ = ["record"]
