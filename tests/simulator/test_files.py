"""Firmware comes and logs go, over HTTP, and every step of it is told."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from cms.simulator.station import Station
from tests.simulator.desk import Desk
from tests.simulator.ftp_shelf import an_ftp_shelf
from tests.simulator.papers import Authority, pem, signature
from tests.simulator.shelf import a_shelf
from tests.simulator.stage import V2, VERSIONS, charging, online, settle, story
from tests.virtual import START

NOW = START.isoformat()


def update(version: str, location: str, **more: Any) -> tuple[str, dict[str, Any]]:
    if version == "1.6":
        return "UpdateFirmware", {"location": location, "retrieveDate": NOW, "retries": 1, "retryInterval": 5}
    firmware = {"location": location, "retrieveDateTime": NOW, **more}
    return "UpdateFirmware", {"requestId": 7, "firmware": firmware, "retries": 1, "retryInterval": 5}


def steps(desk: Desk, action: str = "FirmwareStatusNotification") -> list[str]:
    return [told["status"] for told in desk.all(action)]


@pytest.mark.parametrize("version", VERSIONS)
def test_firmware_is_fetched_installed_and_booted(version: str) -> None:
    async def tell(desk: Desk, station: Station) -> None:
        async with a_shelf() as shelf:
            shelf.files["/fw-4.0.2.bin"] = b"new"
            await online(desk)
            answer = await desk.order("CP-1", *update(version, f"{shelf.url}/fw-4.0.2.bin"))
            assert answer == ({} if version == "1.6" else {"status": "Accepted"})
            boot = await desk.next("BootNotification")
            await settle(60)
        told = boot if version == "1.6" else boot["chargingStation"]
        assert told["firmwareVersion"] == "4.0.2"
        assert boot.get("reason", "FirmwareUpdate") == "FirmwareUpdate"
        reboot = [] if version == "1.6" else ["InstallRebooting"]
        assert steps(desk) == ["Downloading", "Downloaded", "Installing", *reboot, "Installed"]
        assert {told.get("requestId") for told in desk.all("FirmwareStatusNotification")} == {
            None if version == "1.6" else 7
        }

    story(tell, version)


@pytest.mark.parametrize("version", VERSIONS)
def test_firmware_that_is_not_there_fails_after_its_retries(version: str) -> None:
    async def tell(desk: Desk, station: Station) -> None:
        async with a_shelf() as shelf:
            await online(desk)
            await desk.order("CP-1", *update(version, f"{shelf.url}/none"))
            await desk.next("FirmwareStatusNotification", status="DownloadFailed")
        assert steps(desk) == ["Downloading", "Downloading", "DownloadFailed"]
        assert station.make.firmware == "3.4.1"

    story(tell, version)


@pytest.mark.parametrize("version", VERSIONS)
def test_an_update_waits_for_its_time_and_for_the_session(version: str) -> None:
    async def tell(desk: Desk, station: Station) -> None:
        await charging(desk, station, station.evses[0])
        action, order = update(version, "http://127.0.0.1:9/fw")
        later = (START + timedelta(minutes=10)).isoformat()
        if version == "1.6":
            order["retrieveDate"] = later
        else:
            order["firmware"]["retrieveDateTime"] = later
        await desk.order("CP-1", action, order)
        await settle(300)
        assert "Downloading" not in steps(desk)
        await settle(600)
        assert steps(desk)[-1] == ("Downloaded" if version == "1.6" else "InstallScheduled")
        station.unplug(station.evses[0])
        await desk.next("FirmwareStatusNotification", status="Installed")

    story(tell, version, "no-transfer")


def signed(version: str, location: str, certificate: str, sign: str) -> tuple[str, dict[str, Any]]:
    firmware = {
        "location": location, "retrieveDateTime": NOW, "signingCertificate": certificate, "signature": sign
    }  # fmt: skip
    action = "SignedUpdateFirmware" if version == "1.6" else "UpdateFirmware"
    return action, {"requestId": 8, "firmware": firmware}


@pytest.mark.parametrize("version", VERSIONS)
def test_signed_firmware_is_verified_before_it_is_installed(version: str) -> None:
    action = "SignedFirmwareStatusNotification" if version == "1.6" else "FirmwareStatusNotification"

    async def tell(desk: Desk, station: Station) -> None:
        authority, key = Authority.new("Maker"), ec.generate_private_key(ec.SECP256R1())
        certificate = pem(authority.issue("Signer", key.public_key()))
        async with a_shelf() as shelf:
            shelf.files["/fw"] = b"good"
            await online(desk)
            bad = signed(version, f"{shelf.url}/fw", certificate, signature(key, b"evil"))
            assert (await desk.order("CP-1", *bad))["status"] == "Accepted"
            await desk.next(action, status="InvalidSignature")
            event = await desk.next("SecurityEventNotification")
            assert event["type"] == "InvalidFirmwareSignature"
            good = signed(version, f"{shelf.url}/fw", certificate, signature(key, b"good"))
            assert (await desk.order("CP-1", *good))["status"] == "Accepted"
            assert (await desk.next(action, status="SignatureVerified"))["requestId"] == 8
            await desk.next(action, status="Installed")
        assert station.make.firmware == "3.4.2"

    story(tell, version)


@pytest.mark.parametrize("version", VERSIONS)
def test_a_signing_certificate_of_another_maker_is_refused(version: str) -> None:
    async def tell(desk: Desk, station: Station) -> None:
        await online(desk)
        key = ec.generate_private_key(ec.SECP256R1())
        root = {
            "certificateType": "ManufacturerRootCertificate",
            "certificate": pem(Authority.new("Us").root),
        }
        assert await desk.order("CP-1", "InstallCertificate", root) == {"status": "Accepted"}
        stranger = pem(Authority.new("Them").issue("Signer", key.public_key()))
        order = signed(version, "http://127.0.0.1:9/fw", stranger, "AA==")
        assert (await desk.order("CP-1", *order))["status"] == "InvalidCertificate"
        event = await desk.next("SecurityEventNotification")
        assert event["type"] == "InvalidFirmwareSigningCertificate"

    story(tell, version)


@pytest.mark.parametrize("version", V2)
def test_a_second_update_cancels_the_first_until_it_is_too_late(version: str) -> None:
    async def tell(desk: Desk, station: Station) -> None:
        await online(desk)
        first, again = update(version, "http://127.0.0.1:9/a"), update(version, "http://127.0.0.1:9/b")
        assert (await desk.order("CP-1", *first))["status"] == "Accepted"
        assert (await desk.order("CP-1", *again))["status"] == "AcceptedCanceled"
        await desk.next("FirmwareStatusNotification", status="Installing")
        assert (await desk.order("CP-1", *first))["status"] == "Rejected"

    story(tell, version, "no-transfer")


@pytest.mark.parametrize("version", V2)
def test_a_local_controller_publishes_what_has_the_right_checksum(version: str) -> None:
    async def tell(desk: Desk, station: Station) -> None:
        content = b"firmware for all"
        checksum = hashlib.md5(content).hexdigest()
        async with a_shelf() as shelf:
            shelf.files["/fw"] = content
            await online(desk)
            for told, last in (("0" * 32, "InvalidChecksum"), (checksum, "Published")):
                order = {"location": f"{shelf.url}/fw", "checksum": told, "requestId": 3}
                assert await desk.order("CP-1", "PublishFirmware", order) == {"status": "Accepted"}
                status = await desk.next("PublishFirmwareStatusNotification", status=last)
            assert status["location"]
        unpublish = {"checksum": checksum}
        assert await desk.order("CP-1", "UnpublishFirmware", unpublish) == {"status": "Unpublished"}
        assert await desk.order("CP-1", "UnpublishFirmware", unpublish) == {"status": "NoFirmware"}

    story(tell, version)


def log_order(version: str, url: str) -> tuple[str, dict[str, Any]]:
    return "GetLog", {"logType": "DiagnosticsLog", "requestId": 4, "log": {"remoteLocation": url}}


@pytest.mark.parametrize("version", VERSIONS)
def test_a_log_is_uploaded_and_each_step_told(version: str) -> None:
    async def tell(desk: Desk, station: Station) -> None:
        async with a_shelf() as shelf:
            await online(desk)
            answer = await desk.order("CP-1", *log_order(version, f"{shelf.url}/logs/"))
            assert answer["status"] == "Accepted"
            await desk.next("LogStatusNotification", status="Uploaded", requestId=4)
            content = shelf.files[f"/logs/{answer['filename']}"].decode()
        assert steps(desk, "LogStatusNotification") == ["Uploading", "Uploaded"]
        assert "connected ocpp" in content

    story(tell, version)


def test_diagnostics_of_16_are_uploaded_without_an_id() -> None:
    async def tell(desk: Desk, station: Station) -> None:
        async with a_shelf() as shelf:
            await online(desk)
            answer = await desk.order("CP-1", "GetDiagnostics", {"location": f"{shelf.url}/logs/"})
            await desk.next("DiagnosticsStatusNotification", status="Uploaded")
            assert list(shelf.files) == [f"/logs/{answer['fileName']}"]

    story(tell, "1.6")


@pytest.mark.parametrize("version", VERSIONS)
def test_where_put_is_not_allowed_a_form_is_posted(version: str) -> None:
    async def tell(desk: Desk, station: Station) -> None:
        async with a_shelf("PUT") as shelf:
            await online(desk)
            await desk.order("CP-1", *log_order(version, f"{shelf.url}/inbox"))
            await desk.next("LogStatusNotification", status="Uploaded")
            assert shelf.methods == ["PUT", "POST"]
            assert b"form-data" in shelf.files["/inbox"]

    story(tell, version)


@pytest.mark.parametrize("version", VERSIONS)
def test_an_upload_that_fails_is_tried_again_and_given_up_without_telling_the_login(version: str) -> None:
    said: list[str] = []

    async def tell(desk: Desk, station: Station) -> None:
        station.tell = lambda station, word, detail: said.append(f"{word} {detail}")
        async with a_shelf("PUT", "POST") as shelf:
            await online(desk)
            action, order = log_order(version, f"{shelf.url}/inbox")
            await desk.order("CP-1", action, {**order, "retries": 2, "retryInterval": 10})
            await desk.next("LogStatusNotification", status="UploadFailure")
        assert steps(desk, "LogStatusNotification") == ["Uploading"] * 3 + ["UploadFailure"]
        assert any("upload failed" in line for line in said)
        assert not any("secret" in line for line in said)

    story(tell, version)


def test_a_second_log_order_cancels_the_first() -> None:
    async def tell(desk: Desk, station: Station) -> None:
        await online(desk)
        action, order = log_order("2.1", "http://127.0.0.1:9/")
        assert (await desk.order("CP-1", action, order))["status"] == "Accepted"
        answer = await desk.order("CP-1", action, {**order, "requestId": 5})
        assert answer["status"] == "AcceptedCanceled"
        assert (await desk.next("LogStatusNotification", status="AcceptedCanceled"))["requestId"] == 4
        assert (await desk.next("LogStatusNotification", status="Uploaded"))["requestId"] == 5

    story(tell, "2.1", "no-transfer")


def test_some_stations_upload_first_and_answer_then() -> None:
    async def tell(desk: Desk, station: Station) -> None:
        async with a_shelf() as shelf:
            await online(desk)
            desk.order_of_frames.clear()
            await desk.order("CP-1", "GetDiagnostics", {"location": f"{shelf.url}/logs/"})
        told = [frame for frame in desk.order_of_frames if frame != "StatusNotification"]
        assert told == ["DiagnosticsStatusNotification", "DiagnosticsStatusNotification", "answer"]

    story(tell, "1.6", "status-before-answer")


def test_some_stations_know_ftp_only() -> None:
    async def tell(desk: Desk, station: Station) -> None:
        async with a_shelf() as shelf:
            await online(desk)
            await desk.order("CP-1", *log_order("2.0.1", f"{shelf.url}/logs/"))
            await desk.next("LogStatusNotification", status="UploadFailure")
            assert shelf.methods == []

    story(tell, "2.0.1", "ftp-only")


@pytest.mark.parametrize("version", VERSIONS)
def test_files_come_and_go_by_ftp_too(version: str) -> None:
    async def tell(desk: Desk, station: Station) -> None:
        async with an_ftp_shelf() as shelf:
            shelf.files["/fw-5.1.0.bin"] = b"new"
            await online(desk)
            await desk.order("CP-1", *log_order(version, f"{shelf.url}/logs/"))
            await desk.next("LogStatusNotification", status="Uploaded")
            [name] = [path for path in shelf.files if path.startswith("/logs/")]
            assert b"connected" in shelf.files[name]
            await desk.order("CP-1", *update(version, f"{shelf.url}/fw-5.1.0.bin"))
            await desk.next("FirmwareStatusNotification", status="Installed")
            await desk.order("CP-1", *update(version, f"{shelf.url}/none.bin"))
            await desk.next("FirmwareStatusNotification", status="DownloadFailed")
        assert station.make.firmware == "5.1.0"
        assert set(shelf.logins) == {("fleet", "se@cret")}

    story(tell, version, "ftp-only")
