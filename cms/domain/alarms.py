"""Security events that a person should look into, among those that stations send (2.x Part 2 appendix, 1.6 whitepaper).

OCPP marks as critical what a station must not lose, its own start included. Here it is what may mean an attack,
a lost trust, or evidence destroyed; start-ups and set clocks are kept and do not call for anybody.
"""

from __future__ import annotations

CRITICAL = frozenset(
    {
        "AttemptedReplayAttacks",
        "CentralSystemFailedToAuthenticate",
        "CsmsFailedToAuthenticate",
        "FailedToAuthenticateAtCentralSystem",
        "FailedToAuthenticateAtCsms",
        "InvalidCentralSystemCertificate",
        "InvalidChargePointCertificate",
        "InvalidChargingStationCertificate",
        "InvalidCsmsCertificate",
        "InvalidFirmwareSignature",
        "InvalidFirmwareSigningCertificate",
        "InvalidTLSCipherSuite",
        "InvalidTLSVersion",
        "MaintenanceLoginFailed",
        "MemoryExhaustion",
        "SecurityLogWasCleared",
        "TamperDetectionActivated",
    }
)


def is_critical(kind: str) -> bool:
    """Types are an open list: an unlisted one is kept and not critical."""
    return kind in CRITICAL
