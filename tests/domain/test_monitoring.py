from __future__ import annotations

from typing import Any

from cms.domain import monitoring, notices, problems, reports
from cms.domain.evolve import evolve
from cms.domain.keeping import keep_many
from cms.domain.monitoring import MONITOR, NEW, ClearAnswer, Monitor, MonitorAnswer, MonitorsReported
from cms.domain.observations import ComponentEvent, EventsNotified
from cms.domain.stations import StationState
from tests.domain.build import NOON, after, received, station

POWER = Monitor(42, "EVSE@1.Power", "upper-threshold", 11000.0, 5)


def monitored(*monitors: Monitor, state: StationState | None = None) -> StationState:
    known = {str(monitor.id): monitor for monitor in monitors}
    return keep_many(state or station(), MONITOR, known, (), NOON)[0]


def event(number: int, **known: Any) -> ComponentEvent:
    fields: dict[str, Any] = {
        "event_id": number,
        "at": NOON,
        "component": "EVSE",
        "variable": "Power",
        "value": "12000",
        "trigger": "Alerting",
        "evse": 1,
        "name": "EVSE@1.Power",
        "monitor": 42,
    }
    return ComponentEvent(**(fields | known))


def notified(
    state: StationState, *events: ComponentEvent, minute: float = 0
) -> tuple[StationState, list[str]]:
    """The state after a NotifyEvent, and the types of what is told."""
    told = EventsNotified(f"k{events[0].event_id}", b"d", events)
    decision = notices.events(state, received(told, after(minute), "2.1"), told)
    return decision.state, [happened.type for happened in decision.events]


def open_problems(state: StationState) -> list[str]:
    return [problem.name for problem in problems.problems(state)]


def test_an_alert_is_a_problem_with_the_severity_of_its_monitor_until_it_is_cleared() -> None:
    state, told = notified(monitored(POWER), event(1))
    assert told == ["station.notified", "problem.opened"]
    (problem,) = problems.problems(state)
    assert (problem.name, problem.severity, problem.since, problem.evse) == ("EVSE@1.Power", 5, NOON, 1)
    state, told = notified(state, event(2, cleared=True, value=""))
    assert told == ["station.notified", "problem.cleared"]
    assert open_problems(state) == []
    assert [p.cleared_at for p in problems.problems(state, cleared=True)] == [NOON]


def test_an_alert_that_goes_on_is_one_problem() -> None:
    state, _ = notified(monitored(POWER), event(1))
    state, told = notified(state, event(2, value="13000", at=after(3)), minute=3)
    assert told == ["station.notified", "problem.changed"]
    (problem,) = problems.problems(state)
    assert (problem.value, problem.since) == ("13000", NOON)


def test_an_alert_after_it_was_cleared_is_a_new_problem() -> None:
    state, _ = notified(station(), event(1))
    state, _ = notified(state, event(2, cleared=True))
    state, told = notified(state, event(3, at=after(5)), minute=5)
    assert told[-1] == "problem.opened"
    assert [p.since for p in problems.problems(state)] == [after(5)]


def test_a_problem_names_the_one_it_follows_from() -> None:
    state, _ = notified(station(), event(1), event(2, name="Fan.Hot", monitor=9, cause=1))
    causes = {p.name: p.cause for p in problems.problems(state)}
    assert causes == {"EVSE@1.Power": None, "Fan.Hot": "EVSE@1.Power"}


def test_a_problem_variable_says_it_without_any_monitor() -> None:
    lock = {"component": "Lock", "variable": "Problem", "name": "Lock@1.Problem", "monitor": None}
    state, told = notified(station(), event(1, value="true", trigger="Delta", **lock))
    assert open_problems(state) == ["Lock@1.Problem"]
    state, told = notified(state, event(2, value="false", trigger="Delta", **lock))
    assert told[-1] == "problem.cleared"
    assert open_problems(state) == []


def test_what_changes_or_comes_by_the_clock_is_no_problem() -> None:
    state, told = notified(station(), event(1, trigger="Delta"), event(2, trigger="Periodic"))
    assert told == ["station.notified"] * 2
    assert open_problems(state) == []


def test_a_connector_with_an_error_is_a_problem_too() -> None:
    from cms.domain.observations import ConnectorReported

    seen = ConnectorReported(1, 1, "faulted", NOON, "GroundFailure", "wet", vendor_error_code="E7")
    state = notices.connector(station(), received(seen), seen).state
    (problem,) = problems.problems(state)
    assert (problem.name, problem.evse, problem.tech_code, problem.tech_info) == (
        "GroundFailure",
        1,
        "E7",
        "wet",
    )


def test_a_station_cannot_make_our_list_of_problems_grow_without_end() -> None:
    many = [event(n, name=f"C.V{n}", monitor=None) for n in range(problems.MOST + 30)]
    state, _ = notified(station(), *many)
    assert len(open_problems(state)) == problems.MOST
    assert open_problems(state)[-1] == f"C.V{len(many) - 1}"


def test_monitors_are_kept_under_the_ids_that_the_station_gave() -> None:
    wish = evolve(POWER, id=NEW)
    told = (MonitorAnswer(POWER, "Accepted"), MonitorAnswer(wish, "Rejected"))
    state, changes = monitoring.set_(station(), told, NOON)
    assert [m.origin for m in state.kept_of(MONITOR).values()] == ["custom"]
    assert len(changes) == 1


def test_a_cleared_monitor_is_forgotten_and_a_hard_wired_one_stays() -> None:
    state = monitored(*(evolve(POWER, id=n) for n in (1, 2, 3)))
    told = (ClearAnswer(1, "Accepted"), ClearAnswer(2, "NotFound"), ClearAnswer(3, "Rejected"))
    assert list(monitoring.cleared(state, told, NOON)[0].kept_of(MONITOR)) == ["3"]


def test_a_base_clears_what_was_set() -> None:
    origins = ("custom", "preconfigured", "hard-wired", None)
    state = monitored(*(evolve(POWER, id=n, origin=origin) for n, origin in enumerate(origins)))
    for base, left in (("all", 4), ("factory-default", 3), ("hard-wired-only", 2)):
        state, _ = monitoring.based(state, base, NOON)
        assert len(state.kept_of(MONITOR)) == left
        assert monitoring.monitoring(state).base == base


def reported(
    state: StationState, number: int, *monitors: Monitor, more: bool = False, minute: float = 1
) -> Any:
    part = MonitorsReported(7, number, monitors, more)
    return monitoring.report(state, received(part, after(minute), "2.0.1"), part).state


def test_after_a_whole_report_of_all_monitors_those_that_it_left_out_are_gone() -> None:
    state = monitored(evolve(POWER, id=1, heard_at=NOON))
    state, _ = reports.asked(state, 7, monitoring.ALL, after(1))
    state = reported(state, 0, evolve(POWER, id=2), more=True)
    assert list(state.kept_of(MONITOR)) == ["1", "2"]
    state = reported(state, 1, evolve(POWER, id=3))
    assert list(state.kept_of(MONITOR)) == ["2", "3"]


def test_a_report_of_some_monitors_takes_none_away() -> None:
    state = monitored(evolve(POWER, id=1, heard_at=NOON))
    state, _ = reports.asked(state, 7, monitoring.SOME, after(1))
    assert list(reported(state, 0, evolve(POWER, id=2)).kept_of(MONITOR)) == ["1", "2"]


def test_a_monitor_that_is_reported_again_keeps_its_stream() -> None:
    state = monitored(evolve(POWER, interval_s=10, values=5, origin="custom"))
    (again,) = reported(state, 0, POWER).kept_of(MONITOR).values()
    assert (again.interval_s, again.values, again.origin, again.heard_at) == (10, 5, "custom", after(1))


def test_a_station_cannot_make_our_register_grow_without_end() -> None:
    many = [evolve(POWER, id=n) for n in range(monitoring.MOST_MONITORS + 5)]
    state = reported(station(), 0, *many)
    assert len(state.kept_of(MONITOR)) == monitoring.MOST_MONITORS
