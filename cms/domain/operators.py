"""People and programs that use the daemon: how they prove who they are, and which roles that gives them."""

from __future__ import annotations

import hmac
import re
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network

from cms.contract.apitokens import digest_of
from cms.contract.refusals import Invalid
from cms.domain.record import record
from cms.domain.roles import ROLES

#: Kinds of kept records (domain.kept): by ``uid:N`` or ``gid:N``; by the id of the token.
OPERATOR = "operator"
API_TOKEN = "api-token"  # noqa: S105

#: A token for this many days unless told otherwise, and the longest there is.
DEFAULT_DAYS = 90
LONGEST = timedelta(days=366)
MOST_TOKENS = 20
EVERYWHERE = "*"

_WHO = re.compile(r"(uid|gid):(\d{1,10})")


@record
class Operator:
    """A user or group of the daemon's machine with a role. ``who`` is ``uid:N`` or ``gid:N``, ``name`` its name."""

    who: str
    name: str
    role: str
    added_at: datetime
    added_by: str


@record
class ApiToken:
    """What somebody elsewhere shows instead of being known to the kernel.

    ``digest`` is the SHA-256 of the secret in hexadecimal: 256 random bits need no slow hash. ``organisations`` is
    for tokens of the platform: ``*`` or names. ``networks`` are those it is taken from; none: any.
    """

    id: str
    name: str
    role: str
    digest: str
    created_at: datetime
    created_by: str
    expires_at: datetime
    organisations: tuple[str, ...] = ()
    networks: tuple[str, ...] = ()
    last_used_at: datetime | None = None
    made_by: tuple[str, ...] = ()
    """Who saw the secret (core.Actor.persons)."""


@record
class Principal:
    """Who asks, proved: a process of this machine (``uid`` and all its ``gids``) or the bearer of a ``token``.

    ``home`` is the organisation whose register has the token, "" for the platform's. ``login_uid`` is who logged in
    before sudo: for the audit, never for rights.
    """

    name: str
    uid: int | None = None
    gids: frozenset[int] = frozenset()
    token: ApiToken | None = None
    home: str = ""
    address: str = ""
    login_uid: int | None = None

    @property
    def key(self) -> str:
        """The same for the same one: ``uid:1000``, ``token:AbC...``."""
        return f"token:{self.token.id}" if self.token is not None else f"uid:{self.uid}"

    def keys_in(self, organisation: str) -> frozenset[str]:
        """Everything that a mapping or a grant of this organisation may call him."""
        if self.token is not None:
            # What another organisation writes on its tokens is no name here.
            known = reaches(self.token, self.home, organisation)
            return frozenset({self.key, f"name:{self.name.casefold()}"}) if known else frozenset()
        return frozenset({self.key, *(f"gid:{gid}" for gid in self.gids)})

    @property
    def via(self) -> str:
        """How he came, for the audit: ``uid:0 login:1000``, ``token:AbC 192.0.2.1``."""
        if self.token is not None:
            return f"{self.key} {self.address}".rstrip()
        return self.key if self.login_uid is None else f"{self.key} login:{self.login_uid}"


def roles_of(
    principal: Principal, organisation: str, registers: Iterable[Mapping[str, Operator]]
) -> tuple[str, ...]:
    """His roles in an organisation, by its register and the platform's together; a token has its own."""
    if principal.token is not None:
        return (principal.token.role,) if reaches(principal.token, principal.home, organisation) else ()
    found = {
        mapped[key].role for mapped in registers for key in principal.keys_in(organisation) if key in mapped
    }
    return tuple(role for role in ROLES if role in found)


def reaches(token: ApiToken, home: str, organisation: str) -> bool:
    """Whether it opens this organisation ("" is the platform itself)."""
    if home:
        return organisation == home
    return EVERYWHERE in token.organisations or (organisation != "" and organisation in token.organisations)


def key_of(who: str) -> str:
    """``uid:01000`` -> ``uid:1000``. Raises Invalid."""
    match = _WHO.fullmatch(who)
    if match is None:
        raise Invalid(f"{who!r} is neither uid:NUMBER nor gid:NUMBER")
    return f"{match[1]}:{int(match[2])}"


def check_role(role: str) -> str:
    """The role, if it is one that can be given. Raises Invalid."""
    if role not in ROLES:
        raise Invalid(f"there is no role {role!r}", f"one of {', '.join(ROLES)}")
    return role


def opens(token: ApiToken, secret: str, address: str, now: datetime) -> bool:
    """Whether this secret, from this address, now, is good. The time it takes does not tell how much was right."""
    right = hmac.compare_digest(token.digest, digest_of(secret))
    return right and now < token.expires_at and within(address, token.networks)


def within(address: str, networks: Iterable[str]) -> bool:
    """Whether an address is in one of these networks; with none named, always."""
    named = [ip_network(network) for network in networks]
    if not named:
        return True
    try:
        ip = ip_address(address)
    except ValueError:
        return False
    mapped = getattr(ip, "ipv4_mapped", None) or ip
    return any(mapped in network for network in named)


def network(text: str) -> str:
    """``10.0.0.0/8`` as we write it. Raises Invalid."""
    try:
        found: IPv4Network | IPv6Network = ip_network(text, strict=False)
    except ValueError:
        raise Invalid(f"{text!r} is no network", "e.g. 10.0.0.0/8 or 2001:db8::/32") from None
    return str(found)
