"""Lists that are read when somebody looks: all of them, by the word of the ``:`` line.

Their words are known at once, the books themselves when they are opened: what all of them speak of takes half a second
to import.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Mapping

from tui.books.shape import Book

#: Module -> the words of its books, in the order of the shelf.
MODULES: dict[str, str] = {
    "maintenance": "firmware logs certificates quirks",
    "model": "reports monitors problems streams",
    "charging": "profiles limits needs der alarms",
    "drivers": "lists reservations displays customers",
    "people": "drivers unknown-cards",
    "access": "access budgets",
    "sites": "sites evses organisations",
    "money": "tariffs tariff-uses station-tariffs payments swaps batteries",
    "balances": "balances ledger accounts statements",
    "bills": "bills unpriced",
    "charges": "charges",
    "invoices": "invoices",
    "plans": "billing plans subscriptions billing-profiles",
    "operators": "operators api-tokens grants approvals",
    "orders": "orders queue jobs",
    "imports": "imports",
    "audit": "audit",
}


class _Books(Mapping[str, Book]):
    """By word; a book is imported when it is asked for."""

    def __init__(self) -> None:
        self._modules = {word: module for module, words in MODULES.items() for word in words.split()}
        self._books: dict[str, Book] = {}

    def __getitem__(self, word: str) -> Book:
        if word not in self._books:
            module = importlib.import_module(f"tui.books.{self._modules[word]}")
            self._books |= {book.word: book for book in module.BOOKS}
        return self._books[word]

    def __iter__(self) -> Iterator[str]:
        return iter(self._modules)

    def __len__(self) -> int:
        return len(self._modules)

    def __contains__(self, word: object) -> bool:
        return word in self._modules


BOOKS: Mapping[str, Book] = _Books()
