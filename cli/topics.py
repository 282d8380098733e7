"""What holds for every command, in short pages: ``cms help TOPIC``, and the manual's page ``cms(1)``."""

from __future__ import annotations

_EXIT_CODES = """\
0    done; with --wait: the effect was seen
1    a bug of ours; again with --verbose tells more
2    the request or the command line is not valid
3    denied
4    there is no such thing
5    it is against a rule, or against what was done before
6    this station, or its OCPP version, cannot do that
7    unreachable: the station is offline or silent, or no daemon answers
8    the station said no
9    the effect did not come in time
130  interrupted; an order that was given stands (cms intents list)
141  whoever read our output had enough

For several names the highest of their codes, after a summary on stderr. A script that asks for JSON gets
{"error": {"refusal", "message", "hint"}} on stderr for each name that failed."""

_OUTPUT = """\
stdout is data, stderr is talk. -o chooses how data is written, the same on a terminal and in a pipe:

table  columns for people (the default); wide: with all columns
json   a list is one array, one thing one object
jsonl  an object on each line; with --watch and --follow as they come
csv    a heading, then a line for each; nested values as JSON
yaml   as json
name   the ids alone, one on each line: for `-` of another command

Keys are snake_case and change only with a note in the changelog. Times are RFC 3339 in UTC with Z, energy in Wh
(energy_wh), power in W (power_w), money {"amount": "12.34", "currency": "EUR"}. What is absent is null, never
missing. `cms schema StationView` prints the JSON Schema of an object, `cms schema` says which there are.

--columns id,site  these keys alone, dotted where they lie inside one another
--sort -last_seen  by a key; - is descending
--limit 10         at most so many
--no-headers       tables and CSV without their first line
--watch            again whenever something changes; in a pipe the lines that are new
Colour is left out in pipes, with NO_COLOR, TERM=dumb and --no-color; nothing is told by colour alone."""

_FILTER = """\
The same in --filter, in the console (/) and in the API: site~berlin and (status=faulted or power_w>50000)

key=value     equal, without case; * and ? stand for any characters
key!=value    not equal, also where there is no value
key~text      contains the text
key<value     < > <= >= compare numbers, instants or text
key=null      nothing there; key=true, key=false
word          the word anywhere
and or not () as usual; `and` binds stronger and may be left out
'...' "..."   the text as it stands

Keys are those of -o json, dotted where they lie inside one another; those of a part are found in the whole:
status=faulted finds a station by its connector. A mistake is refused with its column.

With an order the filter chooses the stations: cms stations reset --filter 'site~garage'. --selector is the same.
Names and a filter together are refused."""

_ORDERS = """\
What is asked of stations is an order. It is stored, sent, answered by the station, and confirmed by its effect; `cms
intents` shows all of them.

NAME... - --filter   whom: names, names from stdin (one on each line), or a choice (cms help filter)
--wait               until the effect was seen; the exit code tells (cms help exit-codes)
--when-idle          when nobody charges there
--at TIME            at that time (cms help times)
--queue DURATION     keep it so long for a station that is offline
--timeout DURATION   how long the station may take; with --wait: how long to wait for the effect
--at-once N          so many stations at the same time (8)
--dry-run            say what would happen and to whom, and give nothing
--reason TEXT        why, for the record
--yes                do not ask. A dangerous order asks on a terminal, and is refused where nobody can be asked

Ctrl-C ends the waiting, not the order: `cms intents show ID` tells what became of it, `cms intents wait ID` waits
again, `cms intents cancel ID` takes it back while it was not sent."""

_TIMES = """\
durations  90 (seconds), 90s, 5m, 2h, 1h30m, 7d, 2w
instants   13:30 (the next one here), 2026-11-22, 2026-11-22T13:30 (here), 2026-11-22T12:30Z, or a duration: from now
           on (--at 2h, --until 2h) or ago (--since 2h)

Output is always UTC. On a terminal tables say how long ago; everywhere else the instant."""

_ENVIRONMENT = """\
CMS_URL                a daemon elsewhere, like --url
CMS_SOCKET             a control socket, like --socket
CMS_CONTEXT            a context, like --context
CMS_ORG                the organisation that is meant, like --org
CMS_TOKEN              the API token for a daemon elsewhere
CMS_TOKEN_FILE         a file with it, like --token-file
CMS_CREDENTIAL_STORE   file: `cms login` keeps tokens in a file instead of the keyring
CMS_COLOR              always, never or auto
CMS_CONSOLE_ONLY       1: the console runs no commands (:cms), e.g. where it is all that somebody has
CMS_STOCK_DRIVER       1: the console paints in Textual's own way
NO_COLOR, TERM=dumb    no colour
XDG_CACHE_HOME         where names for completion are kept (else ~/.cache), for their user alone
XDG_RUNTIME_DIR        where this user's daemon listens

What is not given by a flag is looked for in this order: --socket, --url or --context; CMS_URL, CMS_SOCKET, CMS_CONTEXT;
the context in use (cms context use); the daemon of this user on this machine. `cms serve` reads a CMS_* variable for
each of its settings: see docs/settings.md."""

#: Topic -> (what it is about, its page).
TOPICS: dict[str, tuple[str, str]] = {
    "exit-codes": ("what the exit code says", _EXIT_CODES),
    "output": ("formats, columns, keys, colour", _OUTPUT),
    "filter": ("choosing things by what they are", _FILTER),
    "orders": ("orders to stations: whom, when, waiting, asking", _ORDERS),
    "times": ("durations and instants, as they are written", _TIMES),
    "environment": ("variables, and which daemon is meant", _ENVIRONMENT),
}
