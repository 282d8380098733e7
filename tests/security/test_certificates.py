"""T4: a client certificate opens the door of the station it names, and of no other."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

from cms.contract.stations import AddStation
from cms.core import Core
from cms.domain.certificates import EntryTerms, unfit
from cms.operations import stations
from cms.operations.admission import Approach, Knocks, admit
from cms.pki import Trust, TrustSources
from tests.operations.small import ANA, Small
from tests.pki.world import CLIENT, NOON, SERVER, Made, make

OURS, OTHERS = "Volt GmbH", "Ampere AG"
Judge = Callable[[bytes], str | None]
"""Why a certificate that the handshake found genuine does not open the door of station B; None: it does."""


def world(now: datetime) -> dict[str, Made]:
    """Certificates of one authority, all of which a TLS handshake takes."""
    root = make("Root", organisation=OURS, authority=True, begins=now - timedelta(days=9))

    def leaf(name: str, organisation: str = OURS, **more: object) -> Made:
        begins = now - timedelta(days=2)
        return make(name, root, organisation=organisation, **({"begins": begins, "usages": (CLIENT,)} | more))  # type: ignore[arg-type]

    return {
        "its own": leaf("SN-B"),
        "another station's": leaf("SN-A"),
        "another station's, of another case": leaf("sn-a"),
        "of another operator": leaf("SN-B", OTHERS),
        "expired": leaf("SN-B", ends=now - timedelta(days=1)),
        "not valid yet": leaf("SN-B", begins=now + timedelta(hours=1)),
        "of a server": leaf("SN-B", usages=(SERVER,)),
        "with its name and more": leaf("SN-B.evil.example"),
        "with a name that begins like it": leaf("SN-"),
        "without a name to speak of": leaf(" "),
    }


def opens(judge: Judge, now: datetime) -> set[str]:
    return {what for what, made in world(now).items() if judge(made.der) is None}


def test_only_its_own_certificate_opens_a_stations_door(tmp_path: Path) -> None:
    trust, now = Trust(TrustSources(tmp_path)), NOON

    def judge(der: bytes) -> str | None:
        return unfit(trust.read(der), ("SN-B", "CP-B"), EntryTerms((OURS,), False, False), now)

    def chain_alone(der: bytes) -> str | None:
        """What is left when the check of the name is commented out, as elsewhere."""
        shown = trust.read(der)
        return None if OURS in shown.organisations and shown.not_before <= now <= shown.not_after else "no"

    assert opens(judge, now) == {"its own"}
    assert opens(chain_alone, now) > {"its own"}, "the oracle catches a door that looks at the chain alone"


async def test_the_key_of_one_station_does_not_open_the_door_of_another(small: Small) -> None:
    core: Core = small.core
    for name in "AB":
        await stations.add(core, AddStation(f"CP-{name}", security_profile=3, serial=f"SN-{name}"), ANA)
    made = world(core.clock.now())
    for what, station, inside in (
        ("another station's", "CP-A", True),
        ("another station's", "CP-B", False),
        ("its own", "CP-B", True),
        ("its own", "CP-A", False),
    ):
        shown = Approach(station, ("ocpp1.6",), None, "10.0.0.9", secure=True, certificate=made[what].der)
        assert ((await admit(core, Knocks(), shown)).station == station) is inside
    # And not at all where the connection that showed it was no TLS connection of ours.
    plain = Approach("CP-B", ("ocpp1.6",), None, "10.0.0.9", secure=False, certificate=made["its own"].der)
    assert (await admit(core, Knocks(), plain)).status == 401
