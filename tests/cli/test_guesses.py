"""What people who know gh, kubectl and k9s say first is understood, or answered by a sentence that leads on."""

from __future__ import annotations

import pytest

from cli.flags import SHORT, TABLE, take
from cli.guesses import FLAGS, NOUNS, SENTENCES, VERBS, WHOLE, command_meant, verb_meant
from cli.main import COMMANDS, run
from cli.nearest import _nearest


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("station show CP-7", "stations show CP-7"),
        ("chargers list", "stations list"),
        ("get stations", "stations list"),
        ("get stations CP-7", "stations show CP-7"),
        ("describe station CP-7", "stations show CP-7"),
        ("transactions ls", "sessions ls"),
        ("cards list", "tokens list"),
        ("man sessions", "help sessions"),
        ("whoami", "auth status"),
    ],
)
def test_other_names_of_a_noun_are_understood(said: str, meant: str) -> None:
    assert command_meant(said.split(), COMMANDS) == meant.split()


@pytest.mark.parametrize("said", ["reset CP-7", "delete station CP-7", "foo", "get", "users list"])
def test_nothing_is_done_at_a_guess(said: str) -> None:
    assert command_meant(said.split(), COMMANDS) is None


def test_other_names_of_a_verb_are_understood_where_the_noun_has_it() -> None:
    verbs = ["list", "show", "remove", "reset"]
    assert verb_meant("ls", [], verbs) == "list"
    assert verb_meant("get", ["--active"], verbs) == "list"
    assert verb_meant("get", ["CP-7"], verbs) == "show"
    assert verb_meant("delete", ["CP-7"], verbs) == "remove"
    assert verb_meant("reboot", ["CP-7"], verbs) == "reset"
    assert verb_meant("create", ["CP-7"], verbs) is None


@pytest.mark.parametrize(
    ("said", "answer"),
    [
        ("reset CP-7", "did you mean `cms stations reset`?"),
        ("restart CP-7", "did you mean `cms stations reset`?"),
        ("ack A1", "did you mean `cms alerts ack`?"),
        ("CP-7", "did you mean `cms stations show CP-7`?"),
        ("stations CP-7", "did you mean `cms stations show CP-7`?"),
        ("logs CP-7", "`cms tail CP-7` shows what a station says"),
        ("users list", "who charges is in `cms drivers`, who operates in `cms access`"),
        ("config get-contexts", "`cms context list` names the daemons"),
        ("get", "say of what: `cms stations list`"),
        ("stations frobnicate", "see `cms stations --help`"),
        ("stations reset CP-7 --soft", "did you mean --kind soft?"),
        ("stations reset CP-7 --force", "did you mean --yes?"),
        ("stations list --status faulted", "--filter 'status=...'"),
        ("sessions list --running", "did you mean --active?"),
        ("usage --last 7d", "did you mean `cms usage show --last`?"),
    ],
)
def test_what_might_be_meant_otherwise_is_answered_by_a_sentence_that_leads_on(
    said: str, answer: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(said.split()) == 2
    assert answer in capsys.readouterr().err


def test_formats_may_be_said_as_flags_and_rows_be_chosen_as_kubectl_and_gh_do() -> None:
    flags, rest = take(["stations", "list", "--json", "-l", "online=false", "-n", "3"])
    assert (flags.output, flags.filter, flags.limit) == ("json", "online=false", 3)
    assert rest == ["stations", "list"]


@pytest.mark.parametrize("said", ["version", "-V", "--version"])
def test_the_version_is_told_however_it_is_asked_for(
    said: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from cli.main import main

    monkeypatch.setattr("sys.argv", ["cms", said])
    with pytest.raises(SystemExit):
        main()
    assert capsys.readouterr().out.strip()


@pytest.mark.parametrize("said", ["reset", "station reset", "stations reboot"])
def test_help_is_found_by_other_names_too(said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["help", *said.split()]) == 0
    assert "cms stations reset" in capsys.readouterr().out


def test_noughts_before_a_number_may_be_left_out_of_a_name() -> None:
    assert _nearest("cp-1", ["CP-019", "CP-010", "CP-001"]) == "CP-001"


def test_no_other_name_hides_one_of_ours() -> None:
    ours = set(COMMANDS)
    assert not ours & {*NOUNS, *WHOLE}
    assert {*NOUNS.values(), *(words[0] for words in WHOLE.values())} <= ours
    assert not {*SENTENCES} & {*NOUNS}
    assert not {*FLAGS} & {*TABLE, *SHORT}
    assert "list" not in VERBS and "show" not in VERBS
