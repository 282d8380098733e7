"""Every order that we may give, as a client asks for it, and how a station goes along, by version."""

from __future__ import annotations

from collections.abc import Callable

from tests.stories.exchanges import v16, v21, v201
from tests.stories.exchanges.rows import Exchange, Json, Then, each

_DURING = [row.action for row in v201.ORDERS].index("RequestStopTransaction")

EXCHANGES: dict[str, tuple[Exchange, ...]] = {
    "1.6": v16.ORDERS,
    "2.0.1": v201.ORDERS,
    "2.1": (*v201.ORDERS[:_DURING], *v21.ORDERS, *v201.ORDERS[_DURING:]),
}

#: What a station says of itself first.
ARRIVALS: dict[str, tuple[Then, Then]] = {
    "1.6": (v16.boot, v16.status("Available")),
    "2.0.1": (v201.boot, v201.status("Available")),
    "2.1": (v201.boot, v201.status("Available")),
}

#: What stations answer where a row does not say otherwise, and "Accepted" or the first word will not do.
USUAL: dict[str, Callable[[Json], Json]] = {
    "SetVariables": each(
        "setVariableData", "setVariableResult", "component", "variable", attributeStatus="Accepted"
    ),
}
