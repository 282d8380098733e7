"""N09, N10: what a station knows of a customer, told and forgotten."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cms.simulator.language import Order
from cms.simulator.wire import Payload, Reply

if TYPE_CHECKING:
    from cms.simulator.station import Station

PART = 500
"""Characters in one NotifyCustomerInformation; the schema allows 512."""
REFERENCES = ("idToken", "customerIdentifier", "customerCertificate")


def _information(station: Station, order: Payload) -> Reply:
    given = [name for name in REFERENCES if name in order]
    if len(given) != 1 or not (order["report"] or order["clear"]):
        return Reply({"status": "Invalid" if len(given) != 1 else "Rejected"})  # N09.FR.09
    token = order.get("idToken", {}).get("idToken") or order.get("customerIdentifier", "")
    text = known_of(station, token)
    if order["clear"]:
        station.authorization.forget(token)

    async def tell() -> None:
        said = text if order["report"] else ""
        parts = [said[start : start + PART] for start in range(0, len(said), PART)] or [""]
        for seq_no, part in enumerate(parts):
            await station.say(
                "NotifyCustomerInformation",
                {
                    "requestId": order["requestId"],
                    "seqNo": seq_no,
                    "tbc": seq_no < len(parts) - 1,
                    "generatedAt": station.stamp(),
                    "data": part,
                },
            )

    return Reply({"status": "Accepted"}, tell)


def known_of(station: Station, token: str) -> str:
    """Everything that is kept of a token, in lines."""
    entry = station.authorization.entries.get(token.lower())
    cached = station.authorization.cached(token)
    lines = [f"local list: {entry.verdict.status}"] if entry and entry.verdict else []
    lines += [f"cache: {cached.status}"] if cached else []
    lines += [
        f"transaction {transaction.id} on EVSE {transaction.evse}: {station.stamp(transaction.started_at)}"
        f" {transaction.energy_wh if transaction.ended_at else '...'} Wh"
        for transaction in station.transactions
        if transaction.token.lower() == token.lower()
    ]
    return "\n".join(lines)


ORDERS: dict[str, Order] = {"CustomerInformation": _information}
