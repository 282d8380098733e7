"""Misbehaviour by name: what real stations were seen to do, to be switched on one by one.

To add one: a line here, and the place in the station that asks for it.
"""

from __future__ import annotations

FAULTS: dict[str, str] = {
    "no-boot": "never sends BootNotification",
    "silent-reset": "accepts a reset and does nothing",
    "deaf": "answers no order at all",
    "no-unlock": "cannot unlock its connectors",
    "idle-trigger": "accepts TriggerMessage and sends nothing",
    "idle-start": "accepts a remote start and starts nothing",
    "lost-stop": "never tells that a transaction ended",
    "twice": "sends every transaction message twice, with a new message id",
    "flapping": "loses its link every few minutes",
    "year-1970": "its clock was never set",
    "no-zone": "sends times without a zone",
    "kwh": "sends energy registers in kWh",
    "fresh-register": "its energy register restarts at 0 with every transaction",
    "no-meter": "sends no meter values between start and stop",
}


def named(names: str) -> frozenset[str]:
    """Faults from ``a,b,c``; ValueError names the unknown one and the known ones."""
    chosen = frozenset(name.strip() for name in names.split(",") if name.strip())
    for name in sorted(chosen - FAULTS.keys()):
        raise ValueError(f"no fault is called {name!r}; there are: {', '.join(FAULTS)}")
    return chosen
