"""Examples, which help shows before anything else: by noun, or by noun and verb."""

from __future__ import annotations

from typing import Any

EXAMPLES: dict[str, tuple[str, ...]] = {
    "stations": (
        "cms stations list --filter 'status=faulted or online=false'",
        "cms stations reset CP-7 --wait && echo it is back",
        "cms stations list --filter 'site~garage' -o name | cms stations reset - --queue 2h --wait",
    ),
    "stations qr": (
        "cms stations qr CP-7 1",
        "cms stations qr CP-7 1 --svg evse.svg --png evse.png",
    ),
    "stations import": (
        "cms stations import stations.csv --dry-run",
        "cms stations import stations.csv -o csv > credentials.csv",
    ),
    "stations note": (
        "cms stations note CP-7 'key is with the guard'",
        "cms stations notes CP-7",
    ),
    "sessions": (
        "cms sessions list --active -o json",
        "cms sessions start CP-7 --evse 1 --token 04A1B2C3D4 --wait",
    ),
    "drivers": (
        "cms drivers add ada --name 'Ada Lovelace' --email ada@example.org --group staff",
        "cms drivers list --filter 'groups=staff and status=active'",
        "cms drivers suspend ada --reason unpaid",
    ),
    "drivers add": ("cms drivers add ada --name 'Ada Lovelace' --email ada@example.org --group staff",),
    "drivers suspend": (
        "cms drivers suspend ada --reason unpaid",
        "cms drivers list --filter 'groups=visitors' -o name | cms drivers suspend -",
    ),
    "drivers find": ("cms drivers find lovelace", "cms drivers find 0049"),
    "drivers card": ("cms drivers card ada", "cms drivers card 04A1B2C3D4 -o json"),
    "drivers note": ("cms drivers note ada 'asked for a second card'",),
    "drivers import": (
        "cms drivers import drivers.csv --dry-run -o csv > what-it-would-do.csv",
        "cms drivers import drivers.csv",
    ),
    "drivers export": ("cms drivers export ada > ada.json",),
    "drivers erase": (
        "cms drivers erase ada --dry-run",
        "cms drivers erase ada --yes --reason 'asked for it on 3 May'",
    ),
    "drivers billing": (
        "cms drivers billing set ada --way card",
        "cms drivers billing set volt --way invoice --company 'Volt BV' --vat-id NL123456789B01",
    ),
    "tail": (
        "cms tail",
        "cms tail CP-7 --action BootNotification,StatusNotification --full",
        "cms tail --errors -o jsonl | tee errors.jsonl",
    ),
    "ask": (
        "cms ask ListStations '{\"filter\": \"online=false\"}'",
        "cms ask reset-station --explain",
        "cms ask -o name",
    ),
    "billing open": ("cms billing open", "cms billing open --from 2026-11-01 -o json"),
    "tariffs": (
        "cms tariffs add dc-day.yaml && cms tariffs use DC-day --site garage --connector-type ccs2",
        "cms tariffs lint dc-day.yaml",
        "cms tariffs resolve CP-7:1 --token 04A1B2C3D4",
    ),
    "tariffs add": (
        "cms tariffs add dc-day.yaml",
        "cms tariffs add dc-day.yaml --revise",
        "cms tariffs add DAY --kwh 0.39 --idle 0.05 --tax 19 --zone Europe/Berlin",
    ),
    "tariffs use": (
        "cms tariffs use DC-day",
        "cms tariffs use DC-day --site garage --connector-type ccs2 --since 2027-01-01",
        "cms tariffs use STAFF --group staff",
        "cms tariffs use none --station CP-7",
    ),
    "tariffs resolve": ("cms tariffs resolve CP-7:1 --driver ada --at 2027-01-01",),
    "tariffs show": ("cms tariffs show DC-day --as yaml > dc-day.yaml",),
    "price": (
        "cms price explain 01JC4X",
        "cms price simulate --tariff new.yaml --last 30d",
    ),
    "price simulate": ("cms price simulate --tariff new.yaml --last 30d --site garage -o csv",),
    "billing": (
        "cms billing seller show",
        "cms billing run --month 2026-11 --dry-run",
    ),
    "billing run": (
        "cms billing run --month 2026-11 --dry-run",
        "cms billing run --from 2026-11-01 --to 2026-11-15 --driver ada",
    ),
    "billing seller set": (
        "cms billing seller set --name 'Volt GmbH' --iban DE89370400440532013000 --vat-id DE123456789",
        "cms billing seller set --reminders 7,14,14 --reminder-fees 0,5,10",
    ),
    "invoices": (
        "cms invoices list --status overdue",
        "cms invoices export 2026-0001 --out invoice.pdf",
    ),
    "invoices export": (
        "cms invoices export 2026-0001 --out invoice.pdf",
        "cms invoices export --last-month --format csv --out last-month.csv",
    ),
    "invoices credit": ("cms invoices credit 2026-0001 --item 2 --reason 'the cable was broken'",),
    "invoices paid": ("cms invoices paid 2026-0001 --reference 'transfer of 3 December'",),
    "invoices send": ("cms invoices send 2026-0001", "cms invoices send --all"),
    "invoices remind": ("cms invoices remind --dry-run",),
    "plans": (
        "cms plans add flat --name 'Flat 100' --fee 39.90 --vat 19 --kwh 100 --tariff member",
        "cms plans sign-up ada flat",
        "cms plans cancel ada",
    ),
    "plans add": (
        "cms plans add flat --name 'Flat 100' --fee 39.90 --vat 19 --kwh 100 --tariff member",
        "cms plans add flat --file flat.json",
    ),
    "plans sign-up": ("cms plans sign-up ada flat --from 2026-12-01",),
    "plans cancel": ("cms plans cancel ada", "cms plans cancel ada --now --reason 'moved abroad'"),
    "balances": (
        "cms balances top-up ada 50 --currency EUR --reference RB-1",
        "cms balances list --filter 'low=true'",
        "cms balances correct ada --reason 'paid twice' -- -5.00",
    ),
    "ledger": (
        "cms ledger list --account receivable/ada --last 30d",
        "cms ledger verify",
        "cms ledger export --month 2026-11 --format datev",
    ),
    "statements": (
        "cms statements import statement.xml",
        "cms statements assign bank/0c9d2e5f --invoice 2026-0042",
    ),
    "drivers register": ("cms drivers register ada@example.org --name 'Ada Lovelace'",),
    "drivers verify": ("cms drivers verify ada", "cms drivers verify ada 123456"),
    "tokens": (
        "cms tokens add 04A1B2C3D4 --driver ada --visual-number C-0001",
        "cms tokens block 04A1B2C3D4 --reason lost",
        "cms tokens learn --station CP-7 --driver ada",
    ),
    "tokens add": (
        "cms tokens add 04A1B2C3D4 --driver ada",
        "cms tokens add AA:BB:CC:DD:EE:FF --kind mac --driver ada",
    ),
    "tokens set": ("cms tokens set 04A1B2C3D4 --max-sessions 2 --clear group",),
    "tokens unknown": ("cms tokens unknown --station CP-7",),
    "tokens enrol": ("cms tokens enrol 04A1B2C3D4 --driver ada",),
    "tokens learn": (
        "cms tokens learn --station CP-7 --driver ada",
        "cms tokens learn --station CP-7 --timeout 5m --yes -o name",
    ),
    "access": (
        "cms access add office only --group staff --site garage --days mon-fri --hours 07:00-19:00",
        "cms access explain 04A1B2C3D4 CP-7 --evse 2",
        "cms access map uid:alice technician",
    ),
    "access add": (
        "cms access add night deny --everyone --station CP-7 --hours 22:00-06:00",
        "cms access add monthly budget --driver ada --per month --kwh 200 --cost 80 --currency EUR",
    ),
    "access explain": (
        "cms access explain 04A1B2C3D4 CP-7",
        "cms access explain 04A1B2C3D4 CP-7 --evse 2 --at 22:30",
    ),
    "access usage": ("cms access usage group:vans",),
    "access map": ("cms access map uid:alice technician", "cms access map gid:cms-finance finance"),
    "sites": (
        "cms sites add garage --name 'Garage Nord' --city Ulm --coordinates 48.4011,9.9876",
        "cms sites set garage --hours 'mon-fri 06:00-22:00' --closed 2026-12-25",
        "cms sites list --filter 'open=false and charging>0'",
    ),
    "sites import": ("cms sites import sites.csv --dry-run", "cms sites import sites.csv"),
    "evses": (
        "cms evses list --station CP-7",
        "cms evses set CP-7 1 --id 'DE*ABC*E1001*1' --standard ccs2 --kw 150",
    ),
    "organisations": (
        "cms organisations add city --name 'Stadtwerke GmbH' --party 'DE*ABC'",
        "cms stations list --org city",
        "cms organisations suspend city --reason unpaid",
    ),
    "audit": (
        "cms audit list --since 1d --actor alice",
        "cms audit verify && echo nobody touched it",
        "cms audit export --format csv > audit.csv",
    ),
    "grant": ("cms grant alice technician --station CP-7 --for 2h --reason 'trips when wet'",),
    "bills": (
        "cms bills list --last 30d --status held",
        "cms bills export --last 30d --format ocpi > cdrs.json",
        "cms bills unpriced --last 7d",
    ),
    "bills list": ("cms bills list --last 30d --driver ada", "cms bills list --status disputed -o name"),
    "bills rerate": (
        "cms bills rerate --last 7d --station CP-7 --tariff night-2 --dry-run",
        "cms bills rerate 1m8245xn9nc3vy --reason 'the sign said 0.39'",
    ),
    "bills correct": ("cms bills correct 1m8245xn9nc3vy --amount -2.00 --reason 'the cable was stuck'",),
    "bills release": ("cms bills release 1m8245xn9nc3vy --reason 'the meter was changed on 3 May'",),
    "bills dispute": ("cms bills dispute 1m8245xn9nc3vy --reason 'says he never charged there'",),
    "bills transparency": (
        "cms bills transparency 1m8245xn9nc3vy --verify",
        "cms bills transparency 1m8245xn9nc3vy --out values.xml",
    ),
    "meters": ("cms meters key CP-7:1 @meter.pem", "cms meters keys CP-7"),
    "grants": ("cms grants list", "cms grants revoke 1m8245xn9nc3vy"),
    "approvals": (
        "cms approvals list",
        "cms approvals reject 1m8245xn9nc3vy --reason 'wrong build'",
    ),
    "login": (
        "cms login https://csms.example:8443",
        "cms login https://csms.example:8443 --token-stdin < token",
    ),
    "logout": ("cms logout", "cms logout --context csms.example"),
    "context": ("cms context list", "cms context use csms.example", "cms context use -"),
    "auth": ("cms auth status",),
    "secrets": ("cms secrets status", "cms secrets rotate --reason 'a laptop is gone'"),
}


def with_examples(path: str, command: Any) -> Any:
    """The command, whose help shows its examples, and so do its verbs'."""
    if path in EXAMPLES:
        lines = "\n".join(f"  {line}" for line in EXAMPLES[path])
        command.help = f"{command.help or ''}\n\n\b\nExamples:\n{lines}"
    for verb, below in getattr(command, "commands", {}).items():
        with_examples(f"{path} {verb}", below)
    return command
