"""Which column of another system's file says what: as somebody tells us, or guessed by its heading."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any

from cli.cells import UNITS
from cli.files import text_of
from cms.contract.refusals import Invalid

#: What a session has -> what columns with it are called, without case and signs, the likeliest first.
_CALLED = {
    "id": """sessionid transactionid cdrid chargingsessionid chargesessionid chargeid transaction cdr session
        recordid id ladevorgang vorgangsnummer""",
    "station": """stationid chargepointid chargepointidentity chargeboxid chargerid chargingstationid
        chargingstation station chargepoint chargebox charger device devicename stationname ladestation ladepunkt
        wallbox""",
    "evse": "evse evseid evseno evsenumber outlet socket port",
    "connector": "connector connectorid connectorno connectornumber plug stecker",
    "started_at": """startedat starttime startdatetime starttimestamp starttimeutc startdate sessionstart
        chargingstart transactionstart connectiontime plugintime start started begin begintime startzeit beginn
        ladebeginn""",
    "ended_at": """endedat endtime stoptime enddatetime stopdatetime endtimestamp stoptimestamp endtimeutc enddate
        stopdate sessionend chargingend transactionend transactionstop disconnecttime plugouttime end ended stop
        stopped endzeit ende ladeende""",
    "duration": "duration sessionduration chargingduration connectedtime dauer",
    "energy": """energywh energykwh kwhdelivered energydelivered totalenergy energyconsumed energyusage energy kwh
        wh energytotal chargedenergy consumption consumptionkwh totalkwh energie energiekwh verbrauch""",
    "meter_start": "meterstartwh meterstart startvalue startmeter meterstartvalue",
    "meter_stop": "meterstopwh meterstop meterend stopvalue endmeter stopmeter meterstopvalue",
    "token": """token tokenid tokenuid idtag ocppidtag rfid rfidtag rfidcard card cardid cardnumber tag tagid uid
        authid authenticationid authorizationid karte""",
    "driver": "driver driverid userid user customerid customer drivername username nutzer fahrer",
    "cost": "cost totalcost totalprice revenue betrag kosten gesamtpreis",
    "currency": "currency currencycode waehrung",
    "stop_reason": "stopreason endreason terminationreason",
}
HEADINGS = {name: tuple(called.split()) for name, called in _CALLED.items()}

#: Files that we know by their columns: whose they are, and what their headings do not say.
KNOWN: tuple[tuple[str, frozenset[str], dict[str, str]], ...] = (
    (
        # Each station of ACN-Data is one EVSE. doneChargingTime and chargingCurrent are its time series (cli.history).
        "ACN-Data",
        frozenset({"connectionTime", "disconnectTime", "kWhDelivered", "sessionID"}),
        {"id": "sessionID", "evse": "=1", "connector": "=1", "driver": "userID"},
    ),
)

_SIGNS = re.compile(r"[^a-z0-9äöüß]+")
_UNIT = re.compile(r"(?<![a-z])(k|m)?wh(?![a-z])|(k|m)wh|_wh$", re.IGNORECASE)
_NEEDED = ("station", "started_at")


@dataclass(frozen=True, slots=True)
class Columns:
    """Field of a session -> its column; ``A+B`` are two cells with a space between, ``=TEXT`` is always TEXT.

    The others say how cells are written (cli.cells); None is to be found out.
    """

    of: Mapping[str, str] = field(default_factory=dict)
    time_zone: str | None = None
    date_format: str | None = None
    decimal: str | None = None
    unit: str | None = None
    delimiter: str | None = None
    currency: str | None = None
    encoding: str | None = None


def read_map(text: str) -> dict[str, str]:
    """``id=Transaction,started_at='Start time'``; a heading with a comma stands in quotes."""
    words = shlex.shlex(text, posix=True)
    words.whitespace, words.whitespace_split, words.commenters = ",", True, ""
    try:
        pairs = [word.partition("=") for word in words]
    except ValueError:
        raise Invalid(f"--map {text!r} has a quote too few") from None
    return _checked({name.strip(): column.strip() for name, _, column in pairs})


def _checked(columns: Mapping[str, str]) -> dict[str, str]:
    for name, column in columns.items():
        if name not in HEADINGS:
            raise Invalid(f"{name[:30]!r} is nothing that a session has", f"one of {', '.join(HEADINGS)}")
        if not column:
            raise Invalid(f"which column is {name}?", f"--map {name}='Its heading'")
    return dict(columns)


def read_mapping(name: str) -> Columns:
    """A mapping out of a YAML file: ``map`` and what the flags of the same names say."""
    import yaml

    try:
        told = yaml.safe_load(text_of(name)) or {}
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f" in line {mark.line + 1}" if mark else ""
        raise Invalid(f"{name} is no YAML{where}") from None
    if not isinstance(told, dict) or not isinstance(told.get("map", {}), dict):
        raise Invalid(f"{name} is no mapping", "its keys: map, time_zone, date_format, decimal, unit ...")
    known = {each.name for each in fields(Columns)} - {"of"}
    for key in told:
        if key not in known | {"map"}:
            raise Invalid(
                f"{name}: there is no key {str(key)[:30]!r}", f"one of map, {', '.join(sorted(known))}"
            )
    columns = {str(key): str(value) for key, value in told.get("map", {}).items()}
    more: dict[str, Any] = {key: str(value) for key, value in told.items() if key != "map"}
    return checked(Columns(_checked(columns), **more))


def checked(mapping: Columns) -> Columns:
    """The mapping, when what it says of cells can be."""
    if mapping.decimal not in (None, ".", ","):
        raise Invalid(f"the decimal sign is . or , and not {mapping.decimal!r}")
    if mapping.unit is not None and mapping.unit.casefold() not in UNITS:
        raise Invalid(f"energy is in Wh, kWh or MWh, not {mapping.unit!r}")
    if mapping.delimiter is not None and len(mapping.delimiter) != 1:
        raise Invalid("the delimiter is one character, e.g. ';'")
    return mapping


def completed(told: Columns, headings: Sequence[str]) -> tuple[Columns, str | None]:
    """The mapping with the columns that nobody named, guessed; and whose file it is, where its columns show that.

    Raises Invalid for a column that is not there, or where something that every session needs has none.
    """
    for name, column in told.of.items():
        for part in parts(column):
            if part not in headings:
                raise Invalid(
                    f"{name}: the file has no column {part[:40]!r}", f"its columns: {_list(headings)}"
                )
    known = next((each for each in KNOWN if each[1] <= set(headings)), None)
    columns = {**(known[2] if known else {}), **told.of}
    taken = {part for column in columns.values() for part in parts(column)}
    for name in HEADINGS:
        if name not in columns and (found := _guessed(name, headings, taken)) is not None:
            columns[name] = found
            taken.add(found)
    _check_enough(columns, headings)
    whole = replace(told, of={name: columns[name] for name in HEADINGS if name in columns})
    return whole, known[0] if known else None


def parts(column: str) -> list[str]:
    """The columns of a mapping's right side."""
    return [] if column.startswith("=") else [part.strip() for part in column.split("+")]


def _guessed(name: str, headings: Sequence[str], taken: set[str]) -> str | None:
    bare = {_bare(heading): heading for heading in reversed(headings) if heading not in taken}
    return next((bare[likely] for likely in HEADINGS[name] if likely in bare), None)


def _bare(heading: str) -> str:
    """A heading without case, signs and what stands in brackets: ``Energy (kWh)`` is ``energy``."""
    text = re.sub(r"[(\[].*?[)\]]", "", heading).casefold()
    return _SIGNS.sub("", text)


def unit_of(columns: Columns, name: str) -> str | None:
    """The unit that a heading names; else the one that somebody named."""
    found = _UNIT.search(columns.of.get(name, ""))
    return f"{found[1] or found[2] or ''}Wh" if found else columns.unit


def _check_enough(columns: Mapping[str, str], headings: Sequence[str]) -> None:
    missing = [name for name in _NEEDED if name not in columns]
    if not {"ended_at", "duration"} & set(columns):
        missing.append("ended_at")
    if "energy" not in columns and not {"meter_start", "meter_stop"} <= set(columns):
        missing.append("energy")
    if missing:
        example = " ".join(f"{name}='Its heading'" for name in missing[:1])
        raise Invalid(
            f"no column of the file looks like {' or '.join(missing)}: its columns are {_list(headings)}",
            f"say which it is: --map {example}",
        )


def _list(headings: Sequence[str]) -> str:
    shown = ", ".join(heading[:40] for heading in headings[:20])
    return f"{shown} and {len(headings) - 20} more" if len(headings) > 20 else shown
