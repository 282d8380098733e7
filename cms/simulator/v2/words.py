"""Our words in those of 2.x."""

from __future__ import annotations

STATUS = {
    "available": "Available",
    "awaiting": "Available",
    "preparing": "Occupied",
    "charging": "Occupied",
    "suspended-ev": "Occupied",
    "suspended-evse": "Occupied",
    "finishing": "Occupied",
    "reserved": "Reserved",
    "unavailable": "Unavailable",
    "faulted": "Faulted",
}
