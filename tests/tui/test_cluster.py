"""The page about the daemon."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from cms.contract.certificates import AuthorityView, ListAuthorities, ListCertificates
from cms.contract.diagnosis import Check, Diagnose, Diagnosis, Handshake
from cms.contract.operators import (
    ApiTokenView,
    ListApiTokens,
    ListOperators,
    OperatorView,
)
from cms.contract.organisations import ListOrganisations, OrganisationView, ShowOwnOrganisation
from cms.contract.refusals import Denied
from cms.contract.secrets import KeyVersionView, SecretsView, ShowSecrets
from tests.tui.fake import NOON, FakeDaemon, small_fleet
from tests.tui.seat import seated
from tui.screens.cluster import Cluster, rows_of, uptime

MAIN = OrganisationView("", "Charge Ltd", "DE*ABC", "Europe/Berlin", "EUR", "active")
SECRETS = SecretsView(
    2, "file /etc/cms/master.key", (KeyVersionView(1, False, 3, 0, 0), KeyVersionView(2, True, 9, 4, 1)),
    warnings=("the master key lies beside the data",),
)  # fmt: skip
AUTHORITY = AuthorityView("station", "cms", "ab12", "ec", NOON, NOON + timedelta(days=20), "pem")
KNOCK = Handshake(
    "CP-7", None, "10.0.0.8", "/ocpp/CP-7", ("ocpp1.6",), "basic", "", 401, "wrong password",
    "its password is wrong", "cms security password CP-7", 3, NOON, NOON, None,
)  # fmt: skip
ILL = Diagnosis(
    NOON,
    "bad",
    (Check("disk", "bad", "0.1 GB free", "make room"), Check("record", "ok", "it can be written")),
    (KNOCK,),
)
ANNA = OperatorView("uid:1000", "anna", "operator", NOON, "root")
TOKEN = ApiTokenView("t1", "grafana", "viewer", "active", NOON, "root", NOON + timedelta(days=60))


def with_daemon() -> FakeDaemon:
    daemon = small_fleet()
    daemon.shelf |= {
        ListOrganisations: [MAIN],
        ListAuthorities: [AUTHORITY],
        ListCertificates: [],
        ListOperators: [ANNA],
        ListApiTokens: [TOKEN],
    }
    daemon.shown |= {
        ShowSecrets: SECRETS,
        ShowOwnOrganisation: MAIN,
        Diagnose: Diagnosis(NOON, "ok", (Check("record", "ok", "it can be written"),)),
    }
    return daemon


def test_what_ends_soon_and_what_waits_stands_out() -> None:
    tones = {name: tone for name, _, tone in rows_of(Cluster(secrets=SECRETS, authorities=[AUTHORITY]), NOON)}
    assert tones["CA station"] == "warn"
    assert tones["keys"] == "warn"
    later = replace(AUTHORITY, not_after=NOON + timedelta(days=900))
    assert {name: tone for name, _, tone in rows_of(Cluster(authorities=[later]), NOON)}["CA station"] == ""
    assert uptime(60.0) == "0:01 h"
    assert uptime(3 * 86_400 + 4 * 3_600 + 300) == "3 d 4:05 h"


async def test_the_daemon_tells_of_itself_and_says_what_one_may_not_see() -> None:
    daemon = with_daemon()
    daemon.refusing[ListOrganisations] = Denied("only the platform may")
    daemon.refusing[ListOperators] = Denied("operators.read is not yours")
    async with seated(daemon) as seat:
        await seat.press("0")
        await seat.sees(
            "● ok", "version", "sqlite", "ws://127.0.0.1:9000/ocpp/", "Charge Ltd, DE*ABC", "/run/cms.sock"
        )
        await seat.press("G")
        await seat.sees(
            "file /etc/cms/master.key", "▲ the master key lies beside the data", "anna (operator) by",
            "operators.read is not yours", "token grafana", "in 60 days",
        )  # fmt: skip
        await seat.press("0", "escape")
        await seat.sees("Overview")


def test_what_is_wrong_stands_with_what_mends_it() -> None:
    rows = rows_of(Cluster(diagnosis=ILL), NOON)
    at = rows.index(("disk", "✖ 0.1 GB free", "bad"))
    assert rows[at + 1] == ("", "  → make room", "dim")
    assert ("well", "✔ record", "dim") in rows
    knock = rows.index(("CP-7", "✖ its password is wrong (from 10.0.0.8, 3 times)", "bad"))
    assert rows[knock + 1][1] == "  → cms security password CP-7"
