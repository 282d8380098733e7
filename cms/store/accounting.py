"""What the record knows of money: charge detail records, the ledger, invoices, charges."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from cms.domain.cdrs import Cdr, CdrMark
from cms.domain.charges import Charge
from cms.domain.invoices import Invoice, Mark
from cms.domain.ledger import Entry
from cms.domain.sessions import Session
from cms.store import cdrs, charges, invoices, ledger, sessions
from cms.store.reader import Reader


class SqlAccounting:
    """One organisation's; core.Accounting says what is meant."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    async def revisions(self, session_id: str) -> list[Cdr]:
        return await cdrs.revisions(self._reader, session_id)

    async def cdrs(
        self,
        *,
        since: datetime | None = None,
        until: datetime | None = None,
        station: str | None = None,
        account: str | None = None,
        limit: int | None = None,
        every: bool = False,
    ) -> list[Cdr]:
        return await cdrs.cdrs(
            self._reader, since=since, until=until, station=station, account=account, limit=limit, every=every
        )

    async def cdr_marks(self, session_id: str | None = None, since: datetime | None = None) -> list[CdrMark]:
        return await cdrs.marks(self._reader, session_id, since)

    async def held(self) -> list[str]:
        return await cdrs.held(self._reader)

    async def disputed(self) -> list[str]:
        return await cdrs.disputed(self._reader)

    async def unpriced(
        self, since: datetime | None, until: datetime | None, station: str | None, limit: int
    ) -> list[Session]:
        return await sessions.unpriced(self._reader, since, until, station, limit)

    async def unpriced_since(self, since: datetime) -> int:
        return await sessions.unpriced_since(self._reader, since)

    async def entries(
        self,
        *,
        account: str | None = None,
        ref: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        limit: int | None = None,
    ) -> list[Entry]:
        return await ledger.entries(
            self._reader, account=account, ref=ref, since=since, until=until, limit=limit
        )

    async def count_entries(self) -> int:
        return await ledger.count_entries(self._reader)

    async def first_cdr(self) -> datetime | None:
        return await cdrs.first(self._reader)

    async def entries_among(self, keys: Sequence[str]) -> list[Entry]:
        return await ledger.among(self._reader, list(keys))

    async def entry(self, key: str) -> Entry | None:
        return await ledger.entry(self._reader, key)

    async def balances(
        self, account: str | None = None, prefix: str | None = None
    ) -> dict[tuple[str, str], int]:
        return await ledger.balances(self._reader, account, prefix)

    async def moved(self, refs: Sequence[str], kinds: Sequence[str]) -> dict[str, dict[tuple[str, str], int]]:
        return await ledger.moved(self._reader, list(refs), list(kinds))

    async def last_number(self, series: str) -> int:
        return await invoices.last_number(self._reader, series)

    async def series(self) -> list[str]:
        return await invoices.series(self._reader)

    async def invoice(self, series: str, number: int) -> Invoice | None:
        return await invoices.invoice(self._reader, series, number)

    async def invoices(self, account: str | None = None, limit: int | None = None) -> list[Invoice]:
        return await invoices.invoices(self._reader, account, limit)

    async def billed_among(self, sources: Sequence[str]) -> set[str]:
        return await invoices.billed_among(self._reader, list(sources))

    async def billed_by(self, sources: Sequence[str]) -> dict[str, str]:
        return await invoices.billed_by(self._reader, list(sources))

    async def unbilled_accounts(self, since: datetime, until: datetime) -> list[str]:
        return await invoices.unbilled_accounts(self._reader, since, until)

    async def unbilled(self, account: str, since: datetime, until: datetime) -> list[Cdr]:
        return await invoices.unbilled(self._reader, account, since, until)

    async def marks(self, series: str | None = None, number: int | None = None) -> list[Mark]:
        return await invoices.marks(self._reader, series, number)

    async def charge(self, charge_id: str) -> Charge | None:
        return await charges.charge(self._reader, charge_id)

    async def charges(
        self,
        *,
        statuses: Sequence[str] = (),
        provider_ref: str | None = None,
        session: str | None = None,
        owed_to: str | None = None,
        limit: int | None = None,
    ) -> list[Charge]:
        return await charges.charges(
            self._reader,
            statuses=statuses,
            provider_ref=provider_ref,
            session=session,
            owed_to=owed_to,
            limit=limit,
        )
