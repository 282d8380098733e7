"""Misbehaviour by name: what real stations were seen to do, to be switched on one by one.

To add one: a line here, and the place in the station that asks for it (misbehaviour.py where a frame is bent).
"""

from __future__ import annotations

FAULTS: dict[str, str] = {
    # Connecting and booting
    "no-boot": "never sends BootNotification",
    "impatient-boot": "ignores the interval of a boot that was not accepted and asks again after 3 s",
    "no-subprotocol": "offers no WebSocket subprotocol",
    "probe-16": "tries OCPP 1.6 for a moment before its own version",
    "two-sockets": "opens two connections at once and speaks on the newer one",
    "lingering-socket": "leaves the old socket open when it resets",
    "id-suffix": "appends its serial number to the identity in the URL",
    "id-case": "writes its identity in the other case",
    "redials": "dials again every 3 s, however often it is refused",
    "slow-redial": "dials again only after 6 to 19 minutes",
    "flapping": "loses its link every few minutes",
    "boot-loop": "takes a list of more than four measurands and boots over and over while it has it",
    "long-serial": "has a serial number longer than the schema allows",
    # Frames
    "null-payload": "sends null for an empty payload",
    "empty-frames": "sends an empty text frame before every frame",
    "unknown-fields": "adds a field of its own to every call",
    "v16-payload": "boots with a 1.6 payload on a 2.x connection",
    "invented-action": "sends an action that nobody defined before every heartbeat",
    "result-error": "answers every answer with CALLRESULTERROR",
    "year-1970": "its clock was never set",
    "future": "its clock is eleven years ahead",
    "no-zone": "sends times without a zone",
    # Orders
    "deaf": "answers no order at all",
    "silent-reset": "accepts a reset and does nothing",
    "mute-reset": "resets and never answers the order",
    "no-unlock": "cannot unlock its connectors",
    "idle-trigger": "accepts TriggerMessage and sends nothing",
    "idle-evse-trigger": "sends nothing when a trigger names a connector",
    "idle-start": "accepts a remote start and starts nothing",
    "no-connector-0": "refuses ChangeAvailability for the whole station",
    "no-value": "accepts GetVariables and GetConfiguration and gives no values",
    "no-summary": "has no SummaryInventory",
    "no-reservations": "refuses every reservation",
    "no-local-list": "has no local authorisation list",
    "list-mismatch": "answers every differential list with VersionMismatch",
    # Charging profiles
    "no-profiles": "has no smart charging",
    "profile-ignored": "accepts charging profiles and charges as before",
    "stack-0-only": "takes charging profiles of stack level 0 only",
    "relative-only": "takes charging profiles of the kind Relative only",
    "absolute-only": "takes charging profiles of the kind Absolute only",
    "amps-only": "takes charging profiles in A only",
    "watts-only": "takes charging profiles in W only",
    "rate-unit-words": "tells its rate units with blanks and a semicolon",
    "absurd-composite": "tells composite schedules of 68 years that began in 1970",
    # Files
    "no-download": "fails to download firmware",
    "no-install": "fails to install firmware",
    "no-logs": "has no logs",
    "ftp-only": "uploads to ftp addresses only",
    "form-upload": "uploads by POST of a form",
    "status-before-answer": "uploads diagnostics first and answers GetDiagnostics then",
    "no-transfer": "moves no files: every download and upload succeeds without the network",
    # Transactions
    "lost-stop": "never tells that a transaction ended",
    "unknown-stop": "stops a transaction that nobody started",
    "stop-below-start": "tells a meter stop below the meter start",
    "stop-before-start": "tells that a transaction ended before it began",
    "late-meter": "sends closing meter values after the stop",
    "start-repeated": "sends every StartTransaction twice",
    "twice": "sends every transaction message twice, with a new message id",
    "replay-out-of-order": "replays what happened offline with its meter values last",
    "reservation-0": "names reservation 0 where there is none",
    "token-suffix": "adds a suffix to the tokens of its cards",
    "token-cut": "cuts tokens after 16 characters",
    "transaction-0": "names transaction 0 in its meter values",
    "token-case": "writes tokens in lower case",
    "seq-0": "numbers every event and report part 0",
    "evse-0": "tells EVSE 0, connector 0 in transaction events",
    "meter-values-instead": "sends MeterValues instead of updated transaction events",
    # Meter values
    "no-meter": "sends no meter values between start and stop",
    "kwh": "sends energy registers in kWh",
    "mixed-units": "sends energy registers in Wh and kWh by turns",
    "fresh-register": "its energy register restarts at 0 with every transaction",
    "bare-values": "sends the energy register alone, without measurand, unit or context",
    "meter-nonsense": "sends blanks and words where numbers should be",
    "celcius": "misspells the unit of temperatures, as the first schemas did",
    "phases-only": "sends power by phase without a total, and currents of L1-N",
    "zero-first": "shows 0 in the first meter value of a transaction",
    "signed-data": "sends signed blobs with its meter values",
    "ocmf": "has a meter that signs where transactions began and ended (no fault: OCMF)",
    "ocmf-forged": "has such a meter, with the key of another",
    # Reports
    "report-from-1": "numbers the parts of reports from 1",
    "endless-report": "announces another part after the last one",
    "report-flat": "reports variables of EVSEs and connectors without naming them",
}

#: With these a CSMS cannot know, or not as the stations know it, which sessions there were.
UNTOLD: frozenset[str] = frozenset(
    {
        "no-subprotocol",
        "id-suffix",
        "unknown-stop",
        "stop-below-start",
        "token-suffix",
        "v16-payload",
        "seq-0",
        "evse-0",
        "future",
        "slow-redial",
    }
)


def named(names: str) -> frozenset[str]:
    """Faults from ``a,b,c``; ValueError names the unknown one and the known ones."""
    chosen = frozenset(name.strip() for name in names.split(",") if name.strip())
    for name in sorted(chosen - FAULTS.keys()):
        raise ValueError(f"no fault is called {name!r}; there are: {', '.join(FAULTS)}")
    return chosen
