"""The OCPP border: the only place that knows versions. The daemon needs these names."""

from cms.ocpp.door import Admitted, Knock, Turned
from cms.ocpp.endpoint import Endpoint
from cms.ocpp.ports import Hooks, Limits

__all__ = ["Admitted", "Endpoint", "Hooks", "Knock", "Limits", "Turned"]
