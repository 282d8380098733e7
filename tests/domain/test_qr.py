import pytest

from cms.contract.refusals import Invalid
from cms.domain.qr import DEFAULT, check, filled

EVSE = {"organisation": "main", "station": "CP 1/ü", "evse": "1", "evse_id": "DE*ABC*E1"}


def test_names_are_escaped_in_a_url_and_stay_as_they_are_in_plain_text() -> None:
    url = "https://pay.example/{organisation}/{station}?e={evse}#{evse_id}"
    assert filled(url, **EVSE) == "https://pay.example/main/CP%201%2F%C3%BC?e=1#DE*ABC*E1"
    assert filled(DEFAULT, **EVSE) == "DE*ABC*E1"


def test_a_name_with_braces_is_not_filled_in_again() -> None:
    assert filled("{station}/{evse}", **{**EVSE, "station": "{evse_id}"}) == "{evse_id}/1"


@pytest.mark.parametrize(
    "template",
    [
        "https://pay.example/",
        "{station}",
        "{evse}",
        "{evse_id}{driver}",
        "{evse_id}{",
        "{evse_id}" + "x" * 500,
    ],
)
def test_a_template_that_tells_evses_not_apart_or_names_what_is_not_there_is_refused(template: str) -> None:
    with pytest.raises(Invalid):
        check(template)


def test_these_templates_are_good() -> None:
    for template in (DEFAULT, "https://x.example/{station}/{evse}", "{organisation}:{evse_id}"):
        check(template)
