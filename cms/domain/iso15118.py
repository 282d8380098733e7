"""Plug and charge: contract certificates shown and asked for, and the standing of certificates (2.x C07, block M).

What somebody else has to be asked is asked before the decision (operations/iso15118.py); its outcome travels in the
observation.
"""

from __future__ import annotations

from datetime import datetime

from cms.domain import tokens
from cms.domain.certificates import Contract, HashData, Standing
from cms.domain.changes import Decision, Happened
from cms.domain.observations import Answer, Observation, Received, TokenAnswer, TokenRef
from cms.domain.record import record
from cms.domain.stations import StationState
from cms.domain.tokens import Authorization, Ruling


@record
class Named:
    """A certificate by its hash data, and the OCSP responder that answers for it."""

    hash_data: HashData
    responder: str | None


@record
class ContractPresented(Observation):
    """Authorize with a contract certificate: the whole ``chain`` in PEM, or the hash data of its members.

    ``standing`` is what became of asking; None before that.
    """

    token: TokenRef
    chain: str | None = None
    named: tuple[Named, ...] = ()
    standing: Contract | None = None


@record
class ContractAnswer(Answer):
    """``certificate``: good, revoked, expired, broken, cancelled (the contract is), none (there is none)."""

    token: TokenAnswer
    certificate: str


@record
class StandingAsked(Observation):
    """GetCertificateStatus: the station wants a responder's answer as it is. ``standing`` None: there is none."""

    named: Named
    standing: Standing | None = None


@record
class StandingAnswer(Answer):
    """``ocsp`` is the responder's answer in DER; None: nobody answered."""

    ocsp: bytes | None


@record
class Source:
    """One certificate of a vehicle's chain. ``kind``: ocsp or crl. ``standing`` as in StandingAsked."""

    hash_data: HashData
    kind: str
    urls: tuple[str, ...]
    standing: Standing | None = None


@record
class ChainAsked(Observation):
    """GetCertificateChainStatus (2.1 M07)."""

    sources: tuple[Source, ...]


@record
class ChainAnswer(Answer):
    """One standing for each source, in their order; a source without one has failed."""

    sources: tuple[Source, ...]
    now: datetime


@record
class ContractCertificate:
    """What the contract certificate provider answered; ``exi`` is opaque to us (Base64)."""

    exi: str
    remaining: int | None = None


@record
class ContractCertificateAsked(Observation):
    """Get15118EVCertificate. ``given`` is what the provider answered; None: it did not, or there is none."""

    schema: str
    action: str
    exi: str
    most_chains: int | None = None
    preferred: tuple[str, ...] = ()
    given: ContractCertificate | None = None


@record
class ContractCertificateAnswer(Answer):
    """None: failed."""

    given: ContractCertificate | None


CANCELLED, NONE = "cancelled", "none"
#: A certificate that does not hold makes its token invalid, whatever the token is worth (C07.FR.13 to 17).
_OVERRULES = {
    Contract.REVOKED: Authorization.INVALID,
    Contract.EXPIRED: Authorization.EXPIRED,
    Contract.BROKEN: Authorization.INVALID,
    Contract.UNREADABLE: Authorization.INVALID,
}
#: A good certificate of a contract that is not.
_SAID_OF_TOKEN = {
    Authorization.BLOCKED: CANCELLED,
    Authorization.EXPIRED: Contract.EXPIRED.value,
    Authorization.UNKNOWN: NONE,
}


def presented(state: StationState, received: Received, seen: ContractPresented, ruling: Ruling) -> Decision:
    """Both must be good: the certificate, and the contract that its eMAID stands for."""
    standing = seen.standing or Contract.BROKEN
    status = _OVERRULES.get(standing, ruling.status)
    if standing is Contract.GOOD:
        certificate = _SAID_OF_TOKEN.get(ruling.status, Contract.GOOD.value)
        answer = ruling.answer()
    else:
        certificate = standing.value
        answer = TokenAnswer(status)
    told = Happened(
        "token.presented",
        received.at,
        state.station.id,
        data={
            "token": tokens.display(seen.token, ruling.token),
            "status": status,
            "certificate": certificate,
        },
    )
    return Decision(ContractAnswer(answer, certificate), state, (), (told,))


def standing(state: StationState, received: Received, seen: StandingAsked) -> Decision:
    return Decision(StandingAnswer(seen.standing.der if seen.standing else None), state)


def chain(state: StationState, received: Received, seen: ChainAsked) -> Decision:
    return Decision(ChainAnswer(seen.sources, received.at), state)


def contract_certificate(state: StationState, received: Received, seen: ContractCertificateAsked) -> Decision:
    """That a car asked, and whether it got one, is told; what it asked and got is its own."""
    data = {"action": seen.action, "outcome": "given" if seen.given else "failed"}
    told = Happened("certificate.contract", received.at, state.station.id, data=data)
    return Decision(ContractCertificateAnswer(seen.given), state, (), (told,))
