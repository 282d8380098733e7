"""The border of documents: invoices as people read them (PDF) and as their accounting does (EN 16931 XML).

Both are made of the stored invoice alone, whenever somebody asks: nothing of them is kept. What takes long, and the
libraries for it, stay away from the loop and from the start of the daemon.
"""

from __future__ import annotations

import asyncio

from cms.domain.invoices import Invoice


class PaperMill:
    """Makes them in threads, one after the other: each takes a core for some tenths of a second."""

    def __init__(self) -> None:
        self._turn = asyncio.Lock()

    async def pdf(self, invoice: Invoice) -> bytes:
        from cms.documents.pdf import pdf

        async with self._turn:
            return await asyncio.to_thread(pdf, invoice)

    async def xml(self, invoice: Invoice) -> bytes:
        from cms.documents.cii import xml

        async with self._turn:
            return await asyncio.to_thread(xml, invoice)
