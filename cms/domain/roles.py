"""Who may do what: a role is a set of permissions, and every permission says on this page whose it is.

``owner`` is the operating system user of the daemon, and root: they can read and write the record without us, so it
would be a lie to refuse them. Everybody else has one of the other roles. Those who look after users and keys (admin)
cannot change records of money, and those who can (finance) cannot make users: separation of duty.
"""

from __future__ import annotations

from collections.abc import Iterable

OWNER = "owner"
VIEWER = "viewer"
TECHNICIAN = "technician"
OPERATOR = "operator"
FINANCE = "finance"
ADMIN = "admin"
#: The back end of an app: starts and stops sessions in the name of its drivers, and sees nothing else.
APP = "app"

#: The roles that somebody can be given, from the least to the most.
ROLES = (APP, VIEWER, TECHNICIAN, OPERATOR, FINANCE, ADMIN)

_EVERYBODY = (VIEWER, TECHNICIAN, OPERATOR, FINANCE, ADMIN)
_HANDS = (TECHNICIAN, OPERATOR, ADMIN)
_DESK = (OPERATOR, ADMIN)
_MONEY = (FINANCE, ADMIN)

#: Permission -> roles that have it. Whoever adds an operation decides here whose it is; a test fails otherwise.
PERMISSIONS: dict[str, tuple[str, ...]] = {
    "self.read": (*_EVERYBODY, APP),
    "status.read": _EVERYBODY,
    "events.read": _EVERYBODY,
    "alerts.read": _EVERYBODY,
    "stations.read": _EVERYBODY,
    "sessions.read": _EVERYBODY,
    "tokens.read": _EVERYBODY,
    "lists.read": _EVERYBODY,
    "reservations.read": _EVERYBODY,
    "displays.read": _EVERYBODY,
    "profiles.read": _EVERYBODY,
    "tariffs.read": _EVERYBODY,
    "intents.read": _EVERYBODY,
    "sites.read": _EVERYBODY,
    "organisations.read": _EVERYBODY,
    "access.read": _EVERYBODY,
    "grants.read": _EVERYBODY,
    "approvals.read": (TECHNICIAN, OPERATOR, FINANCE, ADMIN),
    "certificates.read": _HANDS,
    "messages.read": _HANDS,
    "logs.read": _HANDS,
    "stations.command": _HANDS,
    "intents.write": _HANDS,
    "alerts.write": _HANDS,
    "stations.enrol": _DESK,
    "stations.firmware": _DESK,
    "sessions.command": _DESK,
    "sessions.behalf": (*_DESK, APP),
    "reservations.write": _DESK,
    "profiles.write": _DESK,
    "tokens.write": _DESK,
    "lists.write": _DESK,
    "drivers.write": _DESK,
    "access.write": _DESK,
    "sites.write": _DESK,
    "customers.read": _DESK,
    "customers.command": _DESK,
    "grants.write": _DESK,
    "drivers.read": (OPERATOR, FINANCE, ADMIN),
    "imports.read": (OPERATOR, FINANCE, ADMIN),
    "imports.write": _DESK,
    "pii.read": (OPERATOR, FINANCE, ADMIN),
    "approvals.write": (OPERATOR, FINANCE, ADMIN),
    # The public pay page has this and nothing else.
    "payments.adhoc": _DESK,
    "payments.read": _MONEY,
    "payments.write": (FINANCE,),
    "billing.read": _MONEY,
    "billing.write": (FINANCE,),
    "tariffs.write": (ADMIN,),
    # Any action word for word goes past what the other permissions guard.
    "ocpp.call": (ADMIN,),
    "ocpp.raw": (ADMIN,),
    "certificates.write": (ADMIN,),
    "security.write": (ADMIN,),
    "organisations.write": (ADMIN,),
    "operators.read": (ADMIN,),
    "operators.write": (ADMIN,),
    "audit.read": (ADMIN,),
    "secrets.read": (ADMIN,),
    "secrets.write": (ADMIN,),
}

#: Permission -> roles that may ask for it: somebody who has the permission must agree each time.
PROPOSALS: dict[str, tuple[str, ...]] = {
    "stations.firmware": (TECHNICIAN,),
    "tariffs.write": (FINANCE,),
}

#: What can be granted at one station for a while. Nothing by which somebody gets more, or longer, than was granted:
#: no tokens (a card charges everywhere), no stations, no rights.
AT_A_STATION = frozenset(
    {
        "stations.read",
        "stations.command",
        "stations.firmware",
        "sessions.read",
        "sessions.command",
        "events.read",
        "messages.read",
        "logs.read",
        "profiles.read",
        "profiles.write",
        "displays.read",
        "lists.read",
        "reservations.read",
        "certificates.read",
        "customers.read",
        "customers.command",
        "tariffs.read",
    }
)


def permissions_of(roles: Iterable[str]) -> frozenset[str]:
    """What somebody with these roles may do; ``owner`` is not among them, he may do everything there is."""
    return _having(PERMISSIONS, roles)


def proposals_of(roles: Iterable[str]) -> frozenset[str]:
    """What somebody with these roles may ask for, to be agreed to by another."""
    return _having(PROPOSALS, roles)


def _having(table: dict[str, tuple[str, ...]], roles: Iterable[str]) -> frozenset[str]:
    wanted = set(roles)
    return frozenset(name for name, having in table.items() if wanted & set(having))
