"""Network connection profiles: which CSMS a 2.x station dials after its next boot (2.0.1 B09, B10)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from cms.simulator.place import Place

if TYPE_CHECKING:
    from cms.simulator.station import Station

SLOTS = range(1, 4)


@dataclass(slots=True)
class Network:
    """The profiles by slot; slot 0 is how the station was installed."""

    station: Station
    slots: dict[int, dict[str, Any]]
    active: int = 0
    former: Place | None = None

    def put(self, slot: int, profile: dict[str, Any]) -> str:
        """Accepted, Rejected (B09.FR.02: no such slot, or one that cannot work) or Failed (in use)."""
        configuration = self.station.configuration
        rises = int(profile["securityProfile"]) >= configuration.number("security_profile")
        if slot not in SLOTS or not rises or profile["ocppTransport"] != "JSON":
            return "Rejected"
        if not str(profile["ocppCsmsUrl"]).startswith(("ws://", "wss://")):
            return "Rejected"
        if slot == self.active:
            return "Failed"
        self.slots[slot] = profile
        return "Accepted"

    def choose(self) -> None:
        """At a boot: dial by the first slot of the priority list that holds a profile."""
        name = "OCPPCommCtrlr.NetworkConfigurationPriority"
        if not self.slots or name not in self.station.configuration:
            return
        priority = self.station.configuration[name].value
        wanted = [int(slot) for slot in priority.split(",") if slot.strip().isdigit()]
        slot = next((slot for slot in wanted if slot in self.slots), self.active)
        if slot != self.active:
            self._move(slot)

    def _move(self, slot: int) -> None:
        place, profile = self.station.place, self.slots[slot]
        self.former, self.active = place, slot
        self.station.place = replace(
            place,
            url=profile["ocppCsmsUrl"],
            identity=profile.get("identity", place.identity),
            password=profile.get("basicAuthPassword", place.password),
        )
        self.station.configuration.put("OCPPCommCtrlr.ActiveNetworkProfile", str(slot))
        self.station.news(self.station, "moves", f"to network profile {slot}")

    def fall_back(self) -> bool:
        """Nobody answers there: return to where it came from (B10.FR.03)."""
        if self.former is None:
            return False
        self.station.place, self.former, self.active = self.former, None, 0
        self.station.configuration.put("OCPPCommCtrlr.ActiveNetworkProfile", "0")
        return True
