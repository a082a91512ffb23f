"""Checks the files of conversations: whether links are read, and whether files can be kept."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from infra.doctor.checks import PROBE
from infra.doctor.http import Finding, Patient, broken, ill, skipped, well
from shared.media_links import MediaLinks, MediaName

WHAT = "Links to files"
NOWHERE = MediaName(f"business_messages:{PROBE}", "none")


def files(one: Patient) -> Iterator[Finding]:
    """Checks that what is no link is refused, and that a link made with your key is read. It leads
    to no file, so nothing is fetched.
    """
    wrong = one.ask("GET", f"/relay_media/{PROBE}")
    if wrong.reason != "no-such-link":
        yield one.closed(WHAT, "media", wrong) or ill(
            f"{WHAT}: what is no link is answered {wrong.status}", "It must be 404."
        )
        return
    yield well(f"{WHAT}: what is no link is answered 404")
    yield _read(one)
    yield from _bucket(one)


def _read(one: Patient) -> Finding:
    key = one.first("MEDIA_LINK_KEYS")
    if key is None:
        return skipped(WHAT, "MEDIA_LINK_KEYS is not in your environment")
    links = MediaLinks("", (key,), timedelta(minutes=1), lambda: datetime.now(UTC))
    answer = one.ask("GET", f"/relay_media{links.link(NOWHERE)}")
    if answer.reason == "file-erased":
        return well(f"{WHAT}: one that is made with your key is read")
    if answer.reason == "no-such-link":
        advice = (
            "Your MEDIA_LINK_KEYS are not those of relay_media. If you have changed them, deploy "
            "again: all functions must have the same."
        )
        return ill(f"{WHAT}: relay_media does not read one that is made with your key", advice)
    return broken(WHAT, answer)


def _bucket(one: Patient) -> Iterator[Finding]:
    bucket = one.first("MEDIA_BUCKET")
    if bucket is None or one.project is None:
        return
    words = ("gcloud", "storage", "buckets", "describe", f"gs://{bucket}", "--format=value(name)")
    result = one.run((*words, f"--project={one.project}"), None)
    said = result.errors.strip()[-200:]
    if result.code == 0:
        yield well(f"The bucket of files, {bucket}, is there")
    elif "not found" in said or "404" in said:
        yield ill(f"The bucket of files, {bucket}, is not there", "Deploy again: it is made then.")
    else:
        yield skipped("The bucket of files", f"gcloud cannot say ({said})")
