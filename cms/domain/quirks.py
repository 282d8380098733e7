"""How real stations differ from the specification: switches, what is known of makes, what an operator set.

Code that acts on a difference asks ``of(state)`` for a switch by its meaning; no vendor is named anywhere but in
TABLE. Resolving is remembered by make and overrides, so it costs a look-up.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import fields
from fnmatch import fnmatchcase
from functools import lru_cache

from cms.contract.quirks import Quirk
from cms.contract.refusals import Conflict, Invalid
from cms.domain.evolve import with_fields
from cms.domain.record import record
from cms.domain.stations import Station, StationState

KIND = "quirks"
#: The identity under which a station connects that is not its name -> its name, kept of no station.
ALIAS = "alias"

Value = str | int | bool


@record
class Quirks:
    """The switches of one station. Each name here is one of SWITCHES with ``_`` for ``-``."""

    assume_subprotocol: str = ""
    identity_alias: str = ""
    boot_trigger: str = "unknown"
    automatic_commands: bool = True
    auth_key_text: bool = False
    availability_connector: int = 0
    trigger_station_wide: bool = False
    keys_per_message: int = 0
    max_measurands: int = 0
    skip_keys: str = ""
    id_tag_length: int = 0
    id_tag_separator: str = ""
    lenient_lengths: bool = False
    stack_levels: int = 0
    rate_unit: str = ""
    profile_kind: str = ""
    profile_start_s: int = 0
    cost_messages: str = ""


@record
class Overrides:
    """What an operator set, in pairs of name and value, sorted; and why."""

    values: tuple[tuple[str, str], ...] = ()
    reason: str | None = None


_NOTHING_SET = Overrides()


@record
class Alias:
    """The station that connects under another identity."""

    station: str


@record
class Switch:
    """``words`` are the values it may have, where they are words; ``limit`` the largest number."""

    about: str
    words: tuple[str, ...] = ()
    limit: int = 0


SWITCHES: dict[str, Switch] = {
    "assume-subprotocol": Switch(
        "speak this version with the station when it offers no subprotocol; empty: refuse it",
        words=("", "ocpp1.6", "ocpp2.0.1", "ocpp2.1"),
    ),
    "identity-alias": Switch("another identity under which the station connects (its serial number ...)"),
    "boot-trigger": Switch(
        "ask for a BootNotification some seconds after a connection without one: never, when we know nothing"
        " of the station (unknown), or always",
        words=("never", "unknown", "always"),
    ),
    "automatic-commands": Switch("whether we send it anything that nobody asked for"),
    "auth-key-text": Switch("tell it a new AuthorizationKey as text, not as hexadecimal digits"),
    "availability-connector": Switch(
        "change the availability of this connector instead of the whole station; 0: of the whole station,"
        " and of connector 1 when that is refused",
        limit=100,
    ),
    "trigger-station-wide": Switch("leave the connector out when it is asked to send a message"),
    "keys-per-message": Switch("at most so many keys in one message; 0: as many as it says", limit=10_000),
    "max-measurands": Switch("at most so many measurands in a list; 0: as many as it says", limit=1_000),
    "skip-keys": Switch("keys that are never read of our own accord, with commas"),
    "id-tag-length": Switch(
        "it cuts tokens after so many characters: longer ones are not sent, and a cut one that comes back"
        " is known where it can only be one; 0: it does not",
        limit=255,
    ),
    "id-tag-separator": Switch("it adds something to tokens behind this sign; empty: it does not"),
    "lenient-lengths": Switch("take tokens longer than the specification allows"),
    "stack-levels": Switch(
        "how many stack levels charging profiles may have (1: only level 0); 0: as many as it says", limit=100
    ),
    "rate-unit": Switch(
        "the only unit of charging limits that it follows, whatever it says; empty: as it says",
        words=("", "A", "W"),
    ),
    "profile-kind": Switch(
        "the only kind of charging profile that it follows, beside recurring ones; empty: each",
        words=("", "absolute", "relative"),
    ),
    "profile-start-s": Switch(
        "charging profiles that are to hold now start so many seconds earlier: it ignores one that starts this"
        " moment, or has a clock that is late",
        limit=3_600,
    ),
    "cost-messages": Switch(
        "tell a 1.6 station prices and costs by DataTransfer (org.openchargealliance.costmsg); empty: where its make"
        " says CustomDisplayCostAndPrice",
        words=("", "yes", "no"),
    ),
}


@record
class Make:
    """What is known of stations of a make: firmware from ``since`` on, before ``before``.

    Patterns are without case; ``|`` separates them where there are several.
    """

    vendor: str
    changes: dict[str, Value]
    why: str
    source: str
    model: str = "*"
    since: str = ""
    before: str = ""


TABLE: tuple[Make, ...] = (
    Make(
        "wall box chargers*",
        {"boot-trigger": "always"},
        "sends no BootNotification when it connects, and one within a second when it is asked",
        "https://github.com/evcc-io/evcc/pull/28540",
        since="6.0",
    ),
    Make(
        "wall box chargers*",
        {"automatic-commands": False, "boot-trigger": "never"},
        "repeats its BootNotification for ever when it is asked for anything right after it connects",
        "https://github.com/lbbrhzn/ocpp/issues/1503",
        model="C*",  # CPB1-S-2-4 with 6.6.20, CMX2-0-2-4 with 6.7.17
        since="6.6",
        before="6.8",
    ),
    Make(
        "webasto*",
        {"boot-trigger": "always"},
        "sends no BootNotification on another connection once it was accepted, though its firmware may be new",
        "https://github.com/evcc-io/evcc/pull/31192",
        model="*next*",
    ),
    Make(
        "abb*",
        {"skip-keys": "MeterValuesSampledData,MeterValuesAlignedData"},
        "takes any list of measurands, and reboots when it is asked for a list that it cannot measure",
        "https://github.com/lbbrhzn/ocpp/issues/1275",
        model="*terra*ac*|tac*",
    ),
    Make(
        "abb*",
        {"stack-levels": 1},
        "refuses charging profiles of every stack level but 0",
        "https://github.com/evcc-io/evcc/issues/15493",
        model="*terra*ac*|tac*",
        since="1.8",
    ),
    Make(
        "growatt*",
        {"max-measurands": 5},
        "takes more measurands than it has room for, and then answers with random values",
        "https://github.com/lbbrhzn/ocpp/issues/1487",
        model="*thor*",
    ),
    Make(
        "united chargers*",
        {"assume-subprotocol": "ocpp1.6"},
        "offers no subprotocol",
        "https://github.com/lbbrhzn/ocpp/issues/442",
        since="5.621",
    ),
    Make(
        "mennekes*",
        {"trigger-station-wide": True},
        "does not send the status of a connector that is asked for, only of all of them",
        "https://github.com/evcc-io/evcc/pull/16327",
    ),
)


def of(state: StationState) -> Quirks:
    """The switches of this station as they stand."""
    station = state.station
    return _resolved(station.vendor or "", station.model or "", station.firmware or "", _set(state))


def _set(state: StationState) -> tuple[tuple[str, str], ...]:
    overrides: Overrides | None = state.kept_of(KIND).get("")
    return overrides.values if overrides is not None else ()


@lru_cache(maxsize=4096)
def _resolved(vendor: str, model: str, firmware: str, values: tuple[tuple[str, str], ...]) -> Quirks:
    changes: dict[str, Value] = {}
    for make in known(vendor, model, firmware):
        changes |= make.changes
    # Read again: a switch may have another form since it was set; then it stands as it is known of the make.
    changes |= {name: value for name, text in values if (value := _readable(name, text)) is not None}
    return with_fields(Quirks(), {name.replace("-", "_"): value for name, value in changes.items()})


def known(vendor: str, model: str, firmware: str) -> list[Make]:
    """The rows of TABLE for this make, the most particular last."""
    return [make for make in TABLE if _fits(make, vendor.casefold(), model.casefold(), firmware)]


def _fits(make: Make, vendor: str, model: str, firmware: str) -> bool:
    if not _like(vendor, make.vendor) or not _like(model, make.model.casefold()):
        return False
    if not make.since and not make.before:
        return True
    version = version_of(firmware)
    return bool(version) and (
        (not make.since or version >= version_of(make.since))
        and (not make.before or version < version_of(make.before))
    )


def _like(text: str, patterns: str) -> bool:
    return any(fnmatchcase(text, pattern) for pattern in patterns.split("|"))


def version_of(firmware: str) -> tuple[int, ...]:
    """The first dotted number in a firmware's name: ``THOR_11AS-V5.2.4-2023`` is 5, 2, 4. () where there is none."""
    found = re.search(r"\d{1,9}(?:\.\d{1,9}){1,5}", firmware[:200], re.ASCII)
    return tuple(int(part) for part in found[0].split(".")) if found else ()


def value_of(name: str, text: str) -> Value:
    """What this text means for this switch. Raises Invalid."""
    switch = SWITCHES.get(name)
    if switch is None:
        raise Invalid(f"there is no quirk {name!r}", f"one of {', '.join(SWITCHES)}")
    standard = DEFAULTS[name]
    word = text.strip()
    if isinstance(standard, bool):
        if word.casefold() not in _FLAGS:
            raise Invalid(f"{name} is yes or no, not {text!r}")
        return _FLAGS[word.casefold()]
    if isinstance(standard, int):
        if not word.isascii() or not word.isdecimal() or len(word) > 9 or int(word) > switch.limit:
            raise Invalid(f"{name} is a number of 0 to {switch.limit}, not {text!r}")
        return int(word)
    if switch.words and word not in switch.words:
        raise Invalid(f"{name} is one of {', '.join(w or 'nothing' for w in switch.words)}, not {text!r}")
    if len(word) > _LONGEST or not word.isprintable():
        raise Invalid(f"{name} has at most {_LONGEST} printable characters")
    return word


_LONGEST = 200
_FLAGS = {
    "yes": True,
    "true": True,
    "on": True,
    "1": True,
    "no": False,
    "false": False,
    "off": False,
    "0": False,
}
DEFAULTS: dict[str, Value] = {f.name.replace("_", "-"): getattr(Quirks(), f.name) for f in fields(Quirks)}


def _readable(name: str, text: str) -> Value | None:
    try:
        return value_of(name, text)
    except Invalid:
        return None


def text_of(value: Value) -> str:
    """As it is shown and set."""
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)


def changed(
    state: StationState, values: dict[str, str], unset: Iterable[str], reason: str | None
) -> Overrides:
    """What an operator has set after this change. Raises Invalid."""
    for name, text in values.items():
        value_of(name, text)
    for name in unset:
        if name not in SWITCHES:
            raise Invalid(f"there is no quirk {name!r}", f"one of {', '.join(SWITCHES)}")
    after = {**dict(_set(state)), **{name: text.strip() for name, text in values.items()}}
    left = {name: text for name, text in after.items() if name not in set(unset)}
    return Overrides(tuple(sorted(left.items())), reason)


def shown(state: StationState) -> tuple[Quirk, ...]:
    """Every switch, how it stands and why."""
    station = state.station
    overrides: Overrides = state.kept_of(KIND).get("") or _NOTHING_SET
    make = (station.vendor or "", station.model or "", station.firmware or "")
    return _shown(*make, overrides.values, overrides.reason)


@lru_cache(maxsize=4096)
def _shown(
    vendor: str, model: str, firmware: str, values: tuple[tuple[str, str], ...], reason: str | None
) -> tuple[Quirk, ...]:
    resolved = _resolved(vendor, model, firmware, values)
    makes = {name: make for make in known(vendor, model, firmware) for name in make.changes}
    return tuple(
        _view(
            name,
            getattr(resolved, name.replace("-", "_")),
            makes.get(name),
            reason,
            by_hand=name in dict(values),
        )
        for name in SWITCHES
    )


def _view(name: str, value: Value, make: Make | None, reason: str | None, *, by_hand: bool) -> Quirk:
    text, standard, about = text_of(value), text_of(DEFAULTS[name]), SWITCHES[name].about
    if by_hand:
        return Quirk(name, text, standard, "operator", about, reason)
    if make is not None:
        return Quirk(name, text, standard, "table", about, make.why, make.source)
    return Quirk(name, text, standard, "default", about)


def unusual(state: StationState) -> tuple[Quirk, ...]:
    """Those that a person looking at the station should see: known of its make, or set."""
    return tuple(quirk for quirk in shown(state) if quirk.origin != "default")


#: Lists of measurands, as 1.6 and 2.x call them.
_LISTS = frozenset(
    {
        "metervaluessampleddata",
        "metervaluesaligneddata",
        "stoptxnsampleddata",
        "stoptxnaligneddata",
        "sampleddatactrlr.txstartedmeasurands",
        "sampleddatactrlr.txupdatedmeasurands",
        "sampleddatactrlr.txendedmeasurands",
        "aligneddatactrlr.measurands",
        "aligneddatactrlr.txendedmeasurands",
    }
)


def check_list(state: StationState, name: str, text: str) -> None:
    """Whether a list of measurands is one that the station can stand. Raises Conflict."""
    most = of(state).max_measurands
    count = len([word for word in text.split(",") if word.strip()])
    if most and count > most and name.casefold() in _LISTS:
        raise Conflict(
            f"{state.station.id} takes {count} measurands and cannot measure more than {most}",
            f"leave {count - most} out, or add --force",
        )


def make_of(station: Station) -> str:
    """The key of what is known of a make and firmware; stations write them with all kinds of blanks."""
    parts = (station.vendor, station.model, station.firmware)
    return "|".join(" ".join((part or "").casefold().split()) for part in parts)[:300]
