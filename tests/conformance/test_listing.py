from __future__ import annotations

from tests.conformance.listing import PAGE, page, state
from tests.conformance.scenario import Scenario


def test_the_page_of_scenarios_is_fresh() -> None:
    assert PAGE.read_text("utf-8") == page(), "write it again: python -m tests.conformance.listing"


def test_a_scenario_that_cannot_pass_says_why_in_the_version_where_it_cannot() -> None:
    scenario = Scenario("X-01", "any", "T", steps=["quiet"], cannot={"v2": "not yet"})
    assert [scenario.cannot_in(version) for version in scenario.versions] == [None, "not yet", "not yet"]
    assert state(scenario) == "open in v2: not yet"
    assert state(Scenario("X-02", "1.6", "T", cannot="why")) == "open: why"
    assert state(Scenario("X-03", "1.6", "T", steps=["quiet"])) == "passes"
