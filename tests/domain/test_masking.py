"""What people may see of frames."""

import json
from datetime import UTC, datetime

from cms.domain.masking import masked_start, masked_text
from cms.ocpp.messages import KEPT_CHARACTERS, KEPT_FRAMES, Ring

NOON = datetime(2026, 1, 1, 12, 0, tzinfo=UTC)


def test_a_frame_without_secrets_is_left_as_it_is():
    text = '[2, "m1", "Authorize", {"idTag": "TAG"}]'
    assert masked_text(text) is text


def test_key_codes_are_masked_wherever_they_are():
    token = {"idToken": "4711", "type": "KeyCode"}
    text = json.dumps([2, "m1", "TransactionEvent", {"idToken": token, "x": [token]}])
    assert "4711" not in masked_text(text)


def test_an_rfid_number_is_not_masked():
    text = json.dumps([2, "m1", "Authorize", {"idToken": {"idToken": "4711", "type": "ISO14443"}}])
    assert "4711" in masked_text(text)


def test_written_passwords_are_masked():
    for payload in (
        {"key": "AuthorizationKey", "value": "hush"},
        {
            "setVariableData": [
                {"attributeValue": "hush", "component": {}, "variable": {"name": "BasicAuthPassword"}}
            ]
        },
        {"connectionData": {"basicAuthPassword": "hush", "apn": {"apnPassword": "hush"}}},
        {
            "reportData": [
                {"variable": {"name": "BasicAuthPassword"}, "variableAttribute": [{"value": "hush"}]}
            ]
        },
        {"eventData": [{"variable": {"name": "BasicAuthPassword"}, "actualValue": "hush"}]},
    ):
        assert "hush" not in masked_text(json.dumps([2, "m1", "X", payload]))


def test_other_values_of_the_same_frame_stay():
    keys = [{"key": "AuthorizationKey", "value": "hush"}, {"key": "HeartbeatInterval", "value": "300"}]
    clean = masked_text(json.dumps([3, "m1", {"configurationKey": keys}]))
    assert "300" in clean and "hush" not in clean


def test_a_broken_frame_loses_everything_that_might_be_secret():
    broken = '[2,"m1","Authorize",{"idToken":{"type":"KeyCode","idToken":"4711"'
    assert "4711" not in masked_text(broken)
    assert "hush" not in masked_text(
        '[2,"m1","ChangeConfiguration",{"key":"AuthorizationKey","value":"hu\\"sh'
    )


def test_a_ring_keeps_the_last_frames_masked():
    ring = Ring()
    for number in range(KEPT_FRAMES + 5):
        ring.add(NOON, "in", "call", "Authorize", f"m{number}", _authorize(number), None)
    messages = ring.messages()
    assert len(messages) == KEPT_FRAMES
    assert messages[-1].message_id == "m34"
    assert messages[0].payload == '{"idToken":{"idToken":"***","type":"KeyCode"}}'


def _authorize(number: int) -> str:
    token = {"idToken": "4711", "type": "KeyCode"}
    return json.dumps([2, f"m{number}", "Authorize", {"idToken": token}])


def test_a_long_frame_is_masked_before_it_is_cut():
    ring = Ring()
    values = [{"key": "AuthorizationKey", "value": "hush"}] + [
        {"key": f"K{i}", "value": "x" * 90} for i in range(99)
    ]
    ring.add(
        NOON,
        "in",
        "result",
        "GetConfiguration",
        "m1",
        json.dumps([3, "m1", {"configurationKey": values}]),
        1.5,
    )
    (message,) = ring.messages()
    assert "hush" not in message.payload
    assert type(message.payload) is str, "it must travel as JSON"
    assert len(message.payload) <= KEPT_CHARACTERS
    assert message.latency_ms == 1.5


def test_an_error_shows_code_and_description():
    ring = Ring()
    ring.add(NOON, "out", "error", "Reset", "m1", b'[4,"m1","NotSupported","not here",{}]', None)
    assert ring.messages()[0].payload == '["NotSupported","not here",{}]'


def test_what_a_long_frame_is_about_is_known_though_it_comes_after_the_cut():
    ring = Ring()
    padded = {"value": "hush", "more": "x" * 5000, "key": "AuthorizationKey"}
    ring.add(NOON, "in", "call", "X", "m1", json.dumps([2, "m1", "X", padded]), None)
    assert "hush" not in ring.messages()[0].payload


def test_the_other_values_of_a_long_frame_stay():
    ring = Ring()
    keys = [{"key": "AuthorizationKey", "value": "hush"}, {"key": "HeartbeatInterval", "value": "4711"}]
    keys += [{"key": f"K{number}", "value": "x" * 90} for number in range(99)]
    ring.add(NOON, "in", "result", "X", "m1", json.dumps([3, "m1", {"configurationKey": keys}]), None)
    assert "4711" in ring.messages()[0].payload


def test_a_long_frame_that_is_no_json_loses_everything_that_might_be_secret():
    ring = Ring()
    ring.add(NOON, "in", "call", "X", "m1", '[2,"m1","X",{"apnPassword" : "hush","a":[' + "[" * 5000, None)
    assert "hush" not in ring.messages()[0].payload


def test_text_made_to_be_slow_takes_no_longer_than_any_other():
    # 32 s before, for 256 KiB: names were sought from every place of the text anew.
    for nasty in (
        '{"' + "password" * 130_000 + "}",
        '["' + '\\"' * 500_000,
        "[" * 1_000_000,
        '"' * 1_000_000,
    ):
        masked_text("key" + nasty)


def test_addresses_lose_their_credentials_and_the_key_of_an_upload_of_ours():
    key = "0123456789abcdef" * 2
    for written, shown in (
        ('{"location":"ftp://me:hunter2@logs.example/up"}', '{"location":"ftp://***@logs.example/up"}'),
        ('{"location":"ftp:\\/\\/me:hunter2@logs"}', '{"location":"ftp:\\/\\/***@logs"}'),
        (f'"http://csms/uploads/CP1/7/1795443010/{key}"', '"http://csms/uploads/CP1/7/1795443010/***"'),
        (
            '{"mail":"ana@example.org","url":"http://a/b@c"}',
            '{"mail":"ana@example.org","url":"http://a/b@c"}',
        ),
    ):
        assert masked_text(written) == shown
    long = '{"key":"a","location":"ftp://me:hunter2@logs","data":"' + "x" * 9_000 + '"}'
    assert "hunter2" not in masked_start(long, 500)


def test_a_message_in_quarantine_shows_no_key_code():
    code = {"idToken": {"idToken": "471147", "type": "KeyCode"}}
    raw = json.dumps([2, "m1", "TransactionEvent", code])
    assert "471147" not in masked_text(raw)


def test_the_start_of_a_crowd_of_values_is_masked_without_reading_all_of_it():
    crowd = '[{"password":"secret"},' + "[[2]]," * 30_000
    start = masked_start(crowd, 200)
    assert "secret" not in start and start.startswith('[{"password":"***"},[[2]],') and len(start) <= 200
