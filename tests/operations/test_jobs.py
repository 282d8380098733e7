from __future__ import annotations

import pytest

from cms.contract.intents import ShowIntent
from cms.contract.jobs import GetLog, JobView, ListJobs, PublishFirmware, UpdateFirmware
from cms.contract.refusals import Conflict, Denied, Invalid, NotFound, Rejected
from cms.domain.jobs import FirmwarePublished
from cms.domain.observations import Booted, FirmwareProgressed, LogProgressed
from cms.domain.orders import OrderAnswer
from cms.operations import intents, jobs, uploads
from cms.operations.intents import show
from cms.terms import Terms
from tests.operations.small import ANA, Small

URL = "https://files.example/fw.bin"
PEM = "-----BEGIN CERTIFICATE-----\r\nAAAA\r\n-----END CERTIFICATE-----\r\n"


async def update(small: Small, **more: object):
    return await jobs.update_firmware(
        small.core, UpdateFirmware(station="CP1", **{"location": URL, **more}), ANA
    )


async def log(small: Small, **more: object):
    return await jobs.get_log(small.core, GetLog(station="CP1", **{"location": URL, **more}), ANA)


async def only(small: Small) -> JobView:
    found = await jobs.list_(small.core, ListJobs("CP1"), ANA)
    return found[0]


async def says(small: Small, *words: str, request_id: int | None = None) -> None:
    for word in words:
        await small.hear(
            "CP1", FirmwareProgressed(word, b"d", request_id), action="FirmwareStatusNotification"
        )


async def test_an_update_is_done_when_the_station_says_installed(small: Small):
    intent = await update(small)
    request_id = intent.params["request_id"]
    assert (intent.status, (await only(small)).outcome) == ("accepted", "running")
    await says(small, "Downloading", "Downloaded", "InstallRebooting", request_id=request_id)
    await small.hear("CP1", Booted("V", "M", firmware="2.0"))
    await says(small, "Installed", request_id=request_id)
    job = await only(small)
    assert (job.outcome, job.status, job.after) == ("done", "Installed", "2.0")
    assert (await show(small.core, ShowIntent(intent.id), ANA)).status == "confirmed"


async def test_a_status_without_a_request_id_belongs_to_the_youngest_running_job(small: Small):
    await update(small)
    await says(small, "Downloading", "DownloadFailed")
    job = await only(small)
    assert (job.outcome, [step.status for step in job.steps]) == ("failed", ["Downloading", "DownloadFailed"])


async def test_a_failed_job_fails_its_order_at_once(small: Small):
    intent = await update(small)
    await says(small, "InvalidSignature", request_id=intent.params["request_id"])
    ended = await show(small.core, ShowIntent(intent.id), ANA)
    assert (ended.status, ended.detail) == ("failed", "the station said InvalidSignature")


async def test_a_boot_with_another_firmware_ends_an_installation_that_says_nothing_more(small: Small):
    await small.hear("CP1", Booted("V", "M", firmware="1.0"))
    intent = await update(small)
    await says(small, "Installing")
    await small.hear("CP1", Booted("V", "M", firmware="1.0"))
    assert (await only(small)).outcome == "running", "the same firmware: it may still come"
    await small.hear("CP1", Booted("V", "M", firmware="2.0"))
    assert (await only(small)).outcome == "done"
    assert (await show(small.core, ShowIntent(intent.id), ANA)).status == "confirmed"


async def test_a_second_update_takes_the_place_of_the_first(small: Small):
    first = await update(small)
    small.stations.answer = OrderAnswer("accepted", "AcceptedCanceled", {"status": "AcceptedCanceled"})
    second = await update(small)
    outcomes = {job.request_id: job.outcome for job in await jobs.list_(small.core, ListJobs("CP1"), ANA)}
    assert outcomes == {first.params["request_id"]: "cancelled", second.params["request_id"]: "running"}
    ended = await show(small.core, ShowIntent(first.id), ANA)
    assert (ended.status, ended.detail) == ("failed", "another one took its place")
    await says(small, "Installed", request_id=second.params["request_id"])
    assert (await only(small)).outcome == "done"


async def test_a_refused_update_is_remembered_as_refused(small: Small):
    small.stations.answer = OrderAnswer("rejected", "RevokedCertificate", {"status": "RevokedCertificate"})
    with pytest.raises(Rejected, match="RevokedCertificate"):
        await update(small, certificate=PEM, signature="AA==")
    job = await only(small)
    assert (job.outcome, job.detail, job.signed) == ("refused", "the station said RevokedCertificate", True)
    assert "\r" not in small.stations.given[-1][1].certificate


async def test_a_status_may_come_before_the_answer(small: Small):
    async def overtaken() -> None:
        await small.hear("CP1", LogProgressed("Uploading", b"d", diagnostics=True), action="Diag")
        await small.hear("CP1", LogProgressed("Uploaded", b"d", diagnostics=True), action="Diag")

    small.stations.before_answer = overtaken
    small.stations.answer = OrderAnswer("accepted", "Accepted", {"fileName": "d.zip"})
    intent = await log(small)
    job = await only(small)
    assert (job.outcome, job.status, job.file_name) == ("done", "Uploaded", "d.zip")
    assert intent.status == "confirmed"


async def test_diagnostics_without_a_file_name_have_nothing_to_upload(small: Small):
    small.stations.answer = OrderAnswer("accepted", "Accepted", {})
    intent = await log(small)
    job = await only(small)
    assert (job.outcome, job.detail) == ("done", "the station has nothing to upload")
    assert intent.status == "confirmed"


async def test_a_publication_tells_where_the_firmware_is(small: Small):
    await jobs.publish(small.core, PublishFirmware(station="CP1", location=URL, checksum="A" * 32), ANA)
    published = FirmwarePublished("Published", b"d", None, ("https://lc.example/fw",))
    await small.hear("CP1", published, "2.0.1", "PublishFirmwareStatusNotification")
    job = await only(small)
    assert (job.outcome, job.locations) == ("done", ("https://lc.example/fw",))


async def test_jobs_survive_a_restart(small: Small):
    await update(small)
    before = await only(small)
    await small.restart()
    assert await only(small) == before


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"location": "fw.bin"}, "no address"),
        ({"location": "file:///etc/passwd"}, "no address"),
        ({"signature": "AA=="}, "needs both"),
        ({"retries": -1}, "retries"),
    ],
)
async def test_what_cannot_be_ordered_is_said_in_one_sentence(small: Small, more: dict, words: str):
    with pytest.raises(Invalid, match=words):
        await update(small, **more)
    assert small.stations.given == []


async def test_credentials_of_an_address_are_sent_and_not_kept(small: Small):
    await log(small, location="ftp://me:hunter2@logs.example/up")
    assert small.stations.given[-1][1].location == "ftp://me:hunter2@logs.example/up"
    assert (await only(small)).location == "ftp://***@logs.example/up"


async def test_without_an_upload_address_of_ours_one_must_be_given(small: Small):
    with pytest.raises(Conflict, match="takes no uploads"):
        await log(small, location=None)


async def test_our_upload_address_is_good_for_its_request_and_for_a_day(small: Small):
    small.core.terms = Terms(upload_url="http://csms.example:9001")
    await log(small, location=None)
    sent = small.stations.given[-1][1]
    station, request_id, until, key = sent.location.rsplit("/", 4)[1:]
    assert (station, int(request_id)) == ("CP1", sent.request_id)
    assert uploads.admitted(small.core, station, sent.request_id, int(until), key) == "diagnostics.log"
    assert key not in (await only(small)).location
    with pytest.raises(Denied):
        uploads.admitted(small.core, station, sent.request_id + 1, int(until), key)
    with pytest.raises(Denied):
        uploads.admitted(small.core, "CP2", sent.request_id, int(until), key)
    small.clock.pass_(hours=25)
    with pytest.raises(Denied):
        uploads.admitted(small.core, station, sent.request_id, int(until), key)


async def test_the_key_of_our_upload_address_is_in_no_order_that_is_shown_or_kept(small: Small):
    small.core.terms = Terms(upload_url="http://csms.example:9001")
    given = await log(small, location=None)
    key = small.stations.given[-1][1].location.rpartition("/")[2]
    assert key not in str(given) and given.params["location"].endswith("/***")
    link = small.stations.links.pop("CP1")
    kept = await log(small, location=None, queue_s=3 * 86400)
    assert kept.params["location"].endswith("/***")
    small.clock.pass_(days=2)
    small.stations.links["CP1"] = link
    await intents.flush(small.core, "CP1")
    sent = small.stations.given[-1][1]
    _, until, key = sent.location.rsplit("/", 2)
    uploads.admitted(small.core, "CP1", sent.request_id, int(until), key)


async def test_an_upload_that_nobody_waits_for_is_refused(small: Small):
    small.core.terms = Terms(upload_url="http://csms.example:9001")
    url = uploads.address(small.core, "CP1", 77)
    until, key = url.rsplit("/", 2)[1:]
    with pytest.raises(NotFound):
        uploads.admitted(small.core, "CP1", 77, int(until), key)


@pytest.mark.parametrize(
    ("said", "otherwise", "kept"),
    [
        ("d.zip", "told.zip", "d.zip"),
        ("../../etc/passwd", "", "passwd"),
        ("..\\..\\boot.ini", "", "boot.ini"),
        ("", "", "file"),
        ("...", "", "file"),
        ("", "../told.zip", "told.zip"),
        ("..", "security.log", "security.log"),
        (".bashrc", "", "bashrc"),
        ("a b\x1b[31m.log", "", "a_b_31m.log"),
    ],
)
def test_a_file_name_of_a_stranger_stays_in_its_folder(said: str, otherwise: str, kept: str):
    assert uploads.safe_name(said, otherwise) == kept
