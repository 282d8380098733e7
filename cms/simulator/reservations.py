"""Reservations as the station keeps them: 1.6 section 5.13, 2.0.1 block H.

An EVSE that is held for somebody says Reserved. A reservation for any EVSE holds none by name; it only refuses
others when no EVSE would be left for it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from cms.simulator.evse import Evse

if TYPE_CHECKING:
    from cms.simulator.station import Station


@dataclass(frozen=True, slots=True)
class Reservation:
    """``evse`` None: any, of that connector type if one is named."""

    id: int
    token: str
    until: datetime
    evse: int | None = None
    group: str | None = None
    kind: str | None = None

    def admits(self, token: str, group: str | None) -> bool:
        return self.token.lower() == token.lower() or (self.group is not None and self.group == group)


class Reservations:
    """All reservations of a station."""

    def __init__(self, station: Station) -> None:
        self._station = station
        self._kept: dict[int, Reservation] = {}

    def __len__(self) -> int:
        return len(self._kept)

    def add(self, reservation: Reservation) -> str:
        """Accepted, or why not: Occupied, Faulted, Unavailable, Rejected. The same id replaces (H01.FR.02)."""
        if "no-reservations" in self._station.faults:
            return "Rejected"
        former = self._kept.pop(reservation.id, None)
        if former is not None:
            self._release(former)
        refusal = self._refusal(reservation)
        if refusal is not None:
            return refusal
        self._kept[reservation.id] = reservation
        self._hold(reservation)
        self._station.do(lambda: self._expire(reservation))
        return "Accepted"

    def _refusal(self, reservation: Reservation) -> str | None:
        now = self._station.pace.now()
        if reservation.until <= now:
            return "Rejected"
        wanted = [
            evse
            for evse in self._station.evses_named(reservation.evse)
            if reservation.kind in (None, evse.kind)
        ]
        if not wanted:
            return "Rejected"
        words = [_hindrance(evse) for evse in wanted]
        unnamed = sum(1 for kept in self._kept.values() if kept.evse is None)
        if words.count(None) > (unnamed if reservation.evse is None else 0):
            return None
        return next((word for word in words if word is not None), "Occupied")

    def _hold(self, reservation: Reservation) -> None:
        for evse in self._station.evses_named(reservation.evse):
            if reservation.evse is not None or len(self._station.evses) == 1:
                evse.reservation_id = reservation.id
                self._station.note_status(evse)

    def _release(self, reservation: Reservation) -> None:
        for evse in self._station.evses:
            if evse.reservation_id == reservation.id:
                evse.reservation_id = None
                self._station.note_status(evse)

    async def _expire(self, reservation: Reservation) -> None:
        left_s = (reservation.until - self._station.pace.now()).total_seconds()
        await self._station.pace.sleep(left_s)
        if self._kept.get(reservation.id) is reservation:
            await self.end(reservation.id, "Expired")

    async def end(self, reservation_id: int, why: str) -> None:
        """It is over by the station's own doing, and the station says so: Expired or Removed (H04)."""
        reservation = self._kept.pop(reservation_id, None)
        if reservation is None:
            return
        self._release(reservation)
        message = self._station.language.reservation_ended(reservation_id, why)
        if message is not None:
            await self._station.report(*message)

    def cancel(self, reservation_id: int) -> bool:
        """By order of the CSMS: no report (H02)."""
        reservation = self._kept.pop(reservation_id, None)
        if reservation is not None:
            self._release(reservation)
        return reservation is not None

    def admits(self, evse: Evse, token: str, group: str | None) -> bool:
        """Whether this token may begin here, whoever has reserved what."""
        if evse.reservation_id is not None:
            return self._kept[evse.reservation_id].admits(token, group)
        others = [kept for kept in self._kept.values() if kept.evse is None and not kept.admits(token, group)]
        free = [other for other in self._station.evses if _hindrance(other) is None]
        return len(free) > len(others) or evse not in free

    def use(self, evse: Evse, token: str, group: str | None) -> int | None:
        """The reservation that a beginning transaction fulfils; it is over by that (H03)."""
        for reservation in self._kept.values():
            if reservation.evse in (None, evse.id) and reservation.admits(token, group):
                del self._kept[reservation.id]
                self._release(reservation)
                return reservation.id
        return None

    async def lose(self, evse: Evse) -> None:
        """The EVSE broke down or was taken out of use: what held it ends (H01.FR.08, H04)."""
        if evse.reservation_id is not None:
            await self.end(evse.reservation_id, "Removed")


def _hindrance(evse: Evse) -> str | None:
    """Why an EVSE cannot be reserved."""
    if evse.fault is not None:
        return "Faulted"
    if not evse.operative:
        return "Unavailable"
    if evse.transaction is not None or evse.car is not None or evse.reservation_id is not None:
        return "Occupied"
    return None
