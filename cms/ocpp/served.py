"""The stations that are connected now, as one organisation knows them: core.Stations."""

from __future__ import annotations

from collections.abc import Sequence

from cms.contract.refusals import Unreachable
from cms.contract.stations import Message
from cms.core import LinkInfo
from cms.domain.handshakes import Attempt
from cms.domain.orders import Order, OrderAnswer
from cms.ocpp.connection import StationConnection
from cms.ocpp.journal import Journal
from cms.ocpp.link import Link


def place(organisation: str, station_id: str) -> str:
    """Which station of which organisation: identities hold no slash, so no two places are written alike."""
    return f"{organisation}/{station_id.casefold()}"


def is_open(connection: StationConnection) -> bool:
    return connection.link is not None and connection.link.closed is None


class Served:
    """The newest connection of each station of an organisation."""

    def __init__(
        self, connections: dict[str, StationConnection], organisation: str, journal: Journal
    ) -> None:
        self._connections = connections
        self._organisation = organisation
        self._journal = journal

    def link(self, station_id: str) -> LinkInfo | None:
        link = self._link(station_id)
        return None if link is None else link.info

    def online(self) -> int:
        begin = place(self._organisation, "")
        return sum(1 for at, one in self._connections.items() if at.startswith(begin) and is_open(one))

    async def give(self, station_id: str, order: Order, timeout_s: float) -> OrderAnswer:
        link = self._link(station_id)
        if link is None:
            raise Unreachable(f"{station_id} is off line")
        return await link.give(order, timeout_s)

    def forget(self, words: Sequence[str]) -> None:
        begin = place(self._organisation, "")
        for at, one in self._connections.items():
            if at.startswith(begin) and one.link is not None:
                one.link.ring.forget(words)

    def messages(self, station_id: str) -> list[Message]:
        link = self._link(station_id)
        return [] if link is None else link.ring.messages()

    def disconnect(self, station_id: str, code: int, reason: str) -> None:
        link = self._link(station_id)
        if link is not None:
            link.shut(code, reason)

    def attempts(self) -> list[Attempt]:
        return self._journal.rows(self._organisation)

    def _link(self, station_id: str) -> Link | None:
        connection = self._connections.get(place(self._organisation, station_id))
        return connection.link if connection is not None and is_open(connection) else None
