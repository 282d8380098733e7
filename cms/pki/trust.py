"""Who vouches for whom: core.Trust over files, our own authorities, and the responders of others."""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from cryptography import x509

from cms.contract.refusals import Conflict, Invalid, NotFound, Refusal
from cms.domain.certificates import (
    Certificate,
    Contract,
    HashData,
    OwnAuthority,
    Signed,
    SigningRequest,
    Standing,
    Use,
)
from cms.domain.iso15118 import ContractCertificate, ContractCertificateAsked
from cms.domain.signedvalues import SignedValue, Vouched
from cms.keys import Keys
from cms.pki import authority, chains, contracts, metered, reading, server, signer
from cms.pki.authority import Authority
from cms.pki.fetch import Outward
from cms.pki.ocsp import Responders, vouched
from cms.pki.reading import DIGESTS
from cms.pki.revocation import RevocationFiles, read_list
from cms.pki.vault import Vault

log = logging.getLogger(__name__)

_TITLES = {Use.STATION: "Charging station CA", Use.V2G: "V2G CA"}
#: 2.0.1 C07, ISO 15118-2: a car's chain has a leaf, at most two authorities and a root.
_MAX_ASKED = 4


@dataclass(frozen=True, slots=True)
class TrustSources:
    """Where trust comes from: files of the settings, and how long what we sign lasts."""

    folder: Path
    """Our own authorities, one folder each."""
    organisation: str | None = None
    lasts: timedelta = timedelta(days=365)
    contract_roots: Sequence[Path] = ()
    """Roots, and authorities under them, of drivers' contract certificates (MO and V2G)."""
    revocation_lists: Sequence[Path] = ()
    signer: str | None = None
    """Who signs instead of our own authorities."""
    provider: str | None = None
    """Who answers cars that ask for contract certificates."""
    outward: Outward = field(default_factory=Outward)
    keys: Keys | None = None
    """What the keys of our authorities are encrypted with; None: they lie there in clear."""


class Trust:
    """Implements core.Trust. Raises Invalid from its constructor when a file cannot be read."""

    def __init__(
        self, sources: TrustSources, made: Callable[[OwnAuthority], None] = lambda authority: None
    ) -> None:
        """``made`` is told of each new authority: whoever listens takes what it signs."""
        self._sources = sources
        self._made = made
        self._revoked = RevocationFiles(sources.revocation_lists)
        self._responders = Responders(sources.outward)
        self._vault = Vault(sources.keys)
        self._roots = tuple(root for path in sources.contract_roots for root in certificates_of(path))
        self._authorities = {use: authority.load(self._folder(use), self._vault) for use in Use}

    def _folder(self, use: Use) -> Path:
        return self._sources.folder / use

    def key_versions(self) -> tuple[int, ...]:
        """With which versions of our keys the key files are encrypted."""
        return tuple(self._vault.versions(self._sources.folder))

    def renew_keys(self) -> None:
        """Encrypt the key files with the key in force."""
        self._vault.renew(self._sources.folder)

    # Reading

    def read(self, der: bytes) -> Certificate:
        return reading.told(reading.certificate(der))

    def read_chain(self, pem: str) -> tuple[Certificate, ...]:
        return tuple(reading.told(each) for each in reading.certificates(pem))

    def named(self, pem: str) -> HashData:
        """How stations will name the first certificate of this PEM: under the next one, or under itself."""
        found = reading.certificates(pem)
        return reading.hash_data(found[0], found[1] if len(found) > 1 else found[0])

    def revoked(self, certificate: Certificate) -> bool:
        return self._revoked.names(certificate.issuer_hash, certificate.serial)

    # Meters

    def meter_key(self, key: str) -> str:
        return metered.read_key(key)

    def vouched(self, signed: SignedValue, key: str | None) -> Vouched:
        return metered.vouched(signed, key)

    # Our own authorities

    def authority(self, use: Use) -> OwnAuthority | None:
        ours = self._authorities[use]
        if ours is None:
            return None
        return OwnAuthority(use, ours.pem, reading.told(ours.certificate))

    def trusted(self, use: Use) -> tuple[str, ...]:
        """Our authority and those it replaced, in PEM: whose certificates are taken."""
        ours = self._authorities[use]
        return (*([ours.pem] if ours else []), *authority.former(self._folder(use)))

    def create_authority(self, use: Use, kind: str, now: datetime, *, replace: bool = False) -> OwnAuthority:
        if self._authorities[use] is not None and not replace:
            raise Conflict(
                f"there is a certificate authority for {use} certificates already",
                "--replace makes a new one; its root must be in the stations before our server certificates end",
            )
        made = self._create(use, kind, now)
        told = OwnAuthority(use, made.pem, reading.told(made.certificate))
        self._made(told)
        return told

    def _create(self, use: Use, kind: str, now: datetime) -> Authority:
        organisation = self._sources.organisation
        title = " ".join(part for part in (organisation, _TITLES[use]) if part)[:64]
        made = authority.create(self._folder(use), self._vault, title, organisation, kind, now)
        self._authorities[use] = made
        return made

    def read_request(self, csr: str) -> SigningRequest:
        return reading.request(csr)[0]

    def signs(self, use: Use) -> bool:
        return self._sources.signer is not None or self._authorities[use] is not None

    async def sign(self, use: Use, csr: str, now: datetime) -> Signed:
        """Have a request signed that was found worthy (domain.certificates.unsignable)."""
        if self._sources.signer is not None:
            chain = await signer.ask(self._sources.signer, use, csr)
        else:
            chain = self._signed_here(use, csr, now)
        return Signed(authority.pem_of(chain), reading.told(chain[0]))

    def _signed_here(self, use: Use, csr: str, now: datetime) -> tuple[x509.Certificate, ...]:
        ours = self._authorities[use]
        if ours is None:
            raise NotFound(
                f"there is no certificate authority for {use} certificates",
                f"cms certificates ca create --use {use}",
            )
        _, asked = reading.request(csr)
        return authority.answer(ours, use, asked, now, self._sources.lasts)

    def server_certificates(self, hosts: Sequence[str], now: datetime) -> tuple[Path, ...]:
        """Files for a listener that was given none, signed by our authority, which is made when there is none."""
        ours = self._authorities[Use.STATION] or self._create(Use.STATION, "ec", now)
        return server.own_certificates(self._sources.folder / "server", ours, hosts, now)

    # What others say

    async def standing(self, named: HashData, url: str, now: datetime) -> Standing:
        """Ask a responder for a station; the signature is for the one who asked to check (2.x M06)."""
        return await self._responders.ask(named, url, now)

    async def listed(self, named: HashData, url: str, now: datetime) -> Standing:
        """Look a certificate up in a list of revoked ones (2.1 M07)."""
        return _in_list(await self._sources.outward.ask("GET", url), named, now)

    async def contract_named(self, named: Sequence[tuple[HashData, str | None]], now: datetime) -> Contract:
        """How a contract fares of which a station tells the hash data and responders of each certificate."""
        if not named or len(named) > _MAX_ASKED:
            return Contract.BROKEN
        words = await asyncio.gather(*(self._word(each, url, self._roots, now) for each, url in named))
        return next((word for word in (Contract.REVOKED, Contract.BROKEN) if word in words), Contract.GOOD)

    async def contract_chain(self, pem: str, now: datetime) -> Contract:
        """How a contract fares whose whole chain a station hands on (2.x C07.FR.06)."""
        try:
            sent = reading.certificates(pem)
            way = chains.path(sent, self._roots)
            wrong = chains.fault(way, now)
        except (Invalid, *reading.UNREADABLE):
            return Contract.UNREADABLE
        if wrong is not None or way is None:
            return Contract.EXPIRED if wrong == chains.EXPIRED else Contract.BROKEN
        words = await asyncio.gather(
            *(self._word(each, url, way[1:], now) for each, url in chains.named(way))
        )
        return next((word for word in (Contract.REVOKED, Contract.BROKEN) if word in words), Contract.GOOD)

    async def contract_certificate(self, asked: ContractCertificateAsked) -> ContractCertificate:
        """Ask the provider for a car (2.x M01, M02)."""
        return await contracts.ask(self._sources.provider, asked)

    async def _word(
        self, named: HashData, url: str | None, issuers: Sequence[x509.Certificate], now: datetime
    ) -> Contract:
        if url is None:
            return Contract.BROKEN
        try:
            standing = await self._responders.ask(named, url, now)
        except Refusal as refused:
            log.warning("the standing of a contract certificate is unknown: %s", refused.message)
            return Contract.BROKEN
        # An answer over plain http is worth what its signature is worth.
        if standing.word == "unknown" or not vouched(standing, named, issuers):
            return Contract.BROKEN
        return Contract(standing.word)


def _in_list(content: bytes, named: HashData, now: datetime) -> Standing:
    found = read_list(content)
    try:
        digest = DIGESTS[named.algorithm]().name
        issuer = hashlib.new(digest, found.issuer.public_bytes()).hexdigest()
        entry = found.get_revoked_certificate_by_serial_number(int(named.serial_number, 16))
        until = found.next_update_utc or now
    except (KeyError, *reading.UNREADABLE) as error:
        raise Invalid("this hash data names no certificate") from error
    if issuer != named.issuer_name_hash.casefold() or until < now:
        return Standing("unknown", b"", until)
    return Standing("good" if entry is None else "revoked", b"", until)


def certificates_of(path: Path) -> tuple[x509.Certificate, ...]:
    try:
        return tuple(x509.load_pem_x509_certificates(path.read_bytes()))
    except (OSError, ValueError) as error:
        raise Invalid(f"{path} cannot be read as certificates in PEM: {error}") from error
