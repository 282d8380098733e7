"""The contract certificate provider: somebody else's system, asked over HTTP with what the car said.

POST ``{"iso15118SchemaVersion", "action", "exiRequest", "maximumContractCertificateChains", "prioritizedEMAIDs"}``;
200 with ``{"status": "Accepted", "exiResponse", "remainingContracts"}``. Everything else is a failure.
"""

from __future__ import annotations

import logging

import httpx

from cms.contract.refusals import Unreachable
from cms.domain.iso15118 import ContractCertificate, ContractCertificateAsked
from cms.pki.fetch import verified

log = logging.getLogger(__name__)
_TIMEOUT_S = 4.0
#: 2.1 Get15118EVCertificateResponse.exiResponse.
_LONGEST_EXI = 17_000


async def ask(url: str | None, asked: ContractCertificateAsked) -> ContractCertificate:
    """Raises Unreachable when there is no provider, or none that answers usefully."""
    if url is None:
        raise Unreachable("there is no provider of contract certificates", "set contract_certificates_url")
    said = {
        "iso15118SchemaVersion": asked.schema,
        "action": asked.action,
        "exiRequest": asked.exi,
        "maximumContractCertificateChains": asked.most_chains,
        "prioritizedEMAIDs": list(asked.preferred) or None,
    }
    body = {key: value for key, value in said.items() if value is not None}
    try:
        async with httpx.AsyncClient(verify=verified(), trust_env=False, timeout=_TIMEOUT_S) as client:
            answer = await client.post(url, json=body)
            answer.raise_for_status()
            return _read(answer.json())
    except (httpx.HTTPError, ValueError, TypeError, KeyError) as error:
        log.warning("the provider of contract certificates gave no certificate: %s", type(error).__name__)
        raise Unreachable("the provider of contract certificates gave no certificate") from error


def _read(told: dict[str, object]) -> ContractCertificate:
    exi, remaining = told["exiResponse"], told.get("remainingContracts")
    if told["status"] != "Accepted" or not isinstance(exi, str) or not 0 < len(exi) <= _LONGEST_EXI:
        raise ValueError("not accepted")
    return ContractCertificate(exi, remaining if isinstance(remaining, int) else None)
