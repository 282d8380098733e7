"""Statements as banks write them, and files that are none."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from cms.contract.refusals import Invalid
from cms.domain import camt
from cms.domain.matching import creditor_reference, invoice_numbers, top_up_of
from cms.domain.statements import Sheet, read_csv

OWN, ADA = "DE89370400440532013000", "NL91ABNA0417164300"


def entry(
    amount: str,
    text: str = "",
    *,
    sign: str = "CRDT",
    ref: str = "",
    status: str = "<Sts>BOOK</Sts>",
    iban: str = ADA,
    name: str = "Ada Lovelace",
    structured: str = "",
    own: str = "NOTPROVIDED",
    day: str = "2026-11-30",
) -> str:
    side = "Dbtr" if sign == "CRDT" else "Cdtr"
    strd = f"<Strd><CdtrRefInf><Ref>{structured}</Ref></CdtrRefInf></Strd>" if structured else ""
    return f"""<Ntry><Amt Ccy="EUR">{amount}</Amt><CdtDbtInd>{sign}</CdtDbtInd>{status}
      <BookgDt><Dt>{day}</Dt></BookgDt><AcctSvcrRef>{ref}</AcctSvcrRef>
      <NtryDtls><TxDtls><Refs><EndToEndId>{own}</EndToEndId></Refs>
      <RltdPties><{side}><Nm>{name}</Nm></{side}><{side}Acct><Id><IBAN>{iban}</IBAN></Id></{side}Acct></RltdPties>
      <RmtInf><Ustrd>{text}</Ustrd>{strd}</RmtInf></TxDtls></NtryDtls></Ntry>"""


def statement(*entries: str, version: str = "02", own: str = OWN) -> str:
    return f"""<?xml version="1.0" encoding="UTF-8"?>
    <Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.{version}"><BkToCstmrStmt><GrpHdr/><Stmt>
    <Id>1</Id><Acct><Id><IBAN>{own}</IBAN></Id></Acct>{"".join(entries)}</Stmt></BkToCstmrStmt></Document>"""


def test_a_statement_of_version_02_tells_who_paid_what_and_why() -> None:
    (line,) = camt.read(statement(entry("19.99", "Invoice 2026-0042\n thanks", ref="B1")))
    assert (line.own_iban, line.booked_on, line.amount, line.currency) == (
        OWN,
        date(2026, 11, 30),
        1999,
        "EUR",
    )
    assert (line.reference, line.name, line.iban, line.text) == (
        "B1",
        "Ada Lovelace",
        ADA,
        "Invoice 2026-0042 thanks",
    )


def test_version_08_names_parties_one_deeper_and_states_as_codes() -> None:
    text = entry("5.00", "x", status="<Sts><Cd>BOOK</Cd></Sts>", sign="DBIT")
    text = text.replace("<Cdtr><Nm>Ada Lovelace</Nm></Cdtr>", "<Cdtr><Pty><Nm>Ada</Nm></Pty></Cdtr>")
    (line,) = camt.read(statement(text, version="08").replace("<Document", "<n:Document xmlns:n='u'").replace(
        "</Document>", "</n:Document>"))  # fmt: skip
    assert (line.amount, line.name) == (-500, "Ada")


def test_the_payments_of_a_batch_are_lines_of_their_own() -> None:
    parts = "".join(
        f"<TxDtls><Refs><EndToEndId>E{n}</EndToEndId></Refs><AmtDtls><TxAmt><Amt Ccy='EUR'>{n}.00</Amt></TxAmt>"
        f"</AmtDtls><RmtInf><Ustrd>part {n}</Ustrd></RmtInf></TxDtls>"
        for n in (1, 2)
    )
    batch = (
        "<Ntry><Amt Ccy='EUR'>3.00</Amt><CdtDbtInd>CRDT</CdtDbtInd><Sts>BOOK</Sts><BookgDt><Dt>2026-11-30</Dt>"
        f"</BookgDt><AcctSvcrRef>B1</AcctSvcrRef><NtryDtls>{parts}</NtryDtls></Ntry>"
    )
    lines = camt.read(statement(batch))
    assert [(line.amount, line.text, line.reference) for line in lines] == [
        (100, "part 1", "B1 E1"),
        (200, "part 2", "B1 E2"),
    ]
    whole = camt.read(statement(batch.replace("3.00", "4.00")))
    assert [line.amount for line in whole] == [400], "what does not add up is one line"


def test_what_is_pending_is_not_booked() -> None:
    assert camt.read(statement(entry("1.00", status="<Sts>PDNG</Sts>"))) == []


def test_lines_that_say_the_same_are_two_and_the_same_again_tomorrow() -> None:
    twice = statement(entry("1.00", "coffee"), entry("1.00", "coffee"))
    keys = [line.key for line in camt.read(twice)]
    assert len(set(keys)) == 2
    assert [line.key for line in camt.read(twice)] == keys


BOMB = """<?xml version="1.0"?><!DOCTYPE d [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>
<Document><BkToCstmrStmt><Stmt><Ntry>&b;</Ntry></Stmt></BkToCstmrStmt></Document>"""
OUTSIDE = '<!DOCTYPE d [<!ENTITY x SYSTEM "file:///etc/passwd">]><Document>&x;</Document>'


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (BOMB, "no document type"),
        (OUTSIDE, "no document type"),
        ("<a>" * 100, "too deep"),
        ("<Document><unclosed>", "no XML"),
        ("<html/>", r"no CAMT\.053"),
        (statement(entry("1.00").replace('<Amt Ccy="EUR">1.00</Amt>', "")), "no amount"),
        (statement(entry("1,00")), "is no amount"),
        (statement(entry("NaN")), "is no amount"),
        (statement(entry("1.00", sign="?").replace("?Acct", "Acct")), "neither credit nor debit|no XML"),
        (statement(entry("1.00", day="soon")), "no day"),
    ],
)
def test_a_file_that_is_no_statement_is_refused_in_one_sentence(text: str, why: str) -> None:
    with pytest.raises(Invalid, match=why):
        camt.read(text)


def test_a_sheet_in_german_is_read_without_being_told_how() -> None:
    sheet = (
        "Auftragskonto;Buchungstag;Verwendungszweck;Beguenstigter/Zahlungspflichtiger;Kontonummer/IBAN;Betrag;Waehrung\n"
        f"{OWN};30.11.26;RE 2026-0042;Ada Lovelace;NL91 ABNA 0417 1643 00;1.019,99;EUR\n"
        f"{OWN};30.11.26;Miete;Haus;;-500,00;EUR\n;;;;;;\n"
    )
    lines = read_csv(sheet, Sheet())
    assert [(line.amount, line.booked_on) for line in lines] == [
        (101999, date(2026, 11, 30)),
        (-50000, date(2026, 11, 30)),
    ]
    assert (lines[0].iban, lines[0].name, lines[0].own_iban) == (ADA, "Ada Lovelace", OWN)


def test_headings_and_dates_may_be_said() -> None:
    given = Sheet({"date": "When", "amount": "How much", "text": "Why"}, "%m/%d/%Y", "USD")
    (line,) = read_csv('When,How much,Why\n11/30/2026,"1,234.50",hello\n', given)
    assert (line.booked_on, line.amount, line.currency, line.text) == (
        date(2026, 11, 30),
        123450,
        "USD",
        "hello",
    )


@pytest.mark.parametrize(
    ("sheet", "given", "why"),
    [
        ("a,b\n1,2\n", {}, "no column is known for date and amount"),
        ("date,amount\n2026-11-30,x\n", {}, "line 2: 'x' is no amount"),
        ("date,amount\n30th,1\n", {}, "line 2: '30th' is no date"),
        ("date,amount\n", {"amount": "Betrag"}, "no column 'Betrag'"),
        ("date,amount\n", {"price": "x"}, "price is no field"),
    ],
)
def test_what_is_wrong_with_a_sheet_is_said_with_its_line(sheet: str, given: Any, why: str) -> None:
    with pytest.raises(Invalid, match=why):
        read_csv(sheet, Sheet(given))


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("Invoice 2026-0042", ("2026", 42)),
        ("RE-2026-0042 vom 30.11.", ("RE2026", 42)),
        ("rechnung 20260042", ("2026", 42)),
        ("2026 - 42", ("2026", 42)),
        (creditor_reference("2026-0042"), ("2026", 42)),
        ("RF 5120 2601 2345 and more", None),
    ],
)
def test_a_text_names_an_invoice_in_many_ways(text: str, meant: Any) -> None:
    found = invoice_numbers(text)
    assert meant is None or meant in found


def test_a_creditor_reference_with_wrong_digits_names_nothing() -> None:
    good = creditor_reference("2026-0042")
    assert good == "RF8820260042" or good.startswith("RF")
    assert invoice_numbers("", good)
    wrong = f"RF{(int(good[2:4]) + 1) % 98:02d}{good[4:]}"
    assert ("2026", 42) not in invoice_numbers(f"see {wrong[:4]} {wrong[4:6]}")


@pytest.mark.parametrize(
    ("text", "whose"),
    [
        ("TOPUP-ada", "ada"),
        ("Thanks, top-up ada.", "ada"),
        ("topup: d-17 more", "d-17"),
        ("stop update", None),
    ],
)
def test_a_top_up_says_whose(text: str, whose: str | None) -> None:
    assert top_up_of(text) == whose
