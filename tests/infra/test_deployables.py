"""functions.json and the code say the same: every folder has its row, and a row gives what its
function reads.
"""

import json
from pathlib import Path
from typing import Any, get_args

import pytest
from pydantic import ValidationError

from infra.deployables import TABLE, deployables, secrets, settings, topics
from infra.uses import CHANNELS, DESKS, USES, uses
from shared.bootstrap.desks import desks
from shared.bootstrap.in_place import DELIVERS
from shared.bootstrap.platforms import capabilities, platforms
from shared.bootstrap.policy import policy
from shared.schemas import notifications
from shared.settings.doors import DOORS, Door
from shared.settings.model import Settings
from shared.settings.types import PlatformName

ROOT = Path(__file__).parents[2]
ROWS = deployables()
# Where the process runs, which deployment fixes.
FIXED = {
    "BATON_STORE",
    "BATON_QUEUE",
    "GOOGLE_CLOUD_PROJECT",
    "BATON_PREFIX",
    "BATON_DATABASE",
    "FIRESTORE_EMULATOR_HOST",
    "PUBSUB_EMULATOR_HOST",
}
FIXED |= {"K_SERVICE"}
STREAM = "REPORTS_STREAM"  # a function that decides publishes what the event measures
# A customer's message, which receive_webhook alone decides, goes to these.
OF_MESSAGES = {"BOT_WEBHOOK_URL", "DESK_WEBHOOK_URL", "MEDIA_BUCKET"}
OF_CAPTURES = {"CRM_COMMENT_URL"}  # nothing is captured through the API
OF_OPENING = {"CCAI_MENU_ID"}  # an erase ends chats and opens none
DECIDES_NOTHING = {"sweep", "notify_handoff", "relay_media"}


def test_every_folder_has_a_row_and_every_row_a_folder() -> None:
    assert set(ROWS) == {main.parent.name for main in ROOT.glob("functions/*/main.py")}


def test_terraform_reads_the_same_file() -> None:
    assert TABLE.samefile(ROOT / "infra" / "terraform" / "functions.json")


@pytest.mark.parametrize(
    "name", [name.upper() for name in Settings.model_fields if name.upper() not in FIXED]
)
def test_every_setting_reaches_a_function(name: str) -> None:
    assert name in {*secrets(ROWS), *settings(ROWS)}


@pytest.mark.parametrize("function", ["deliver_outbox", "send_representative"])
def test_any_caller_may_call_a_desk_or_end_its_chat_with_an_erase(function: str) -> None:
    read = set[str]()
    desks(noting(read))
    needed = {name.upper() for name in read}
    if function == "send_representative":
        needed = {name for name in needed - OF_OPENING if not name.startswith("CSKU_")}
    assert needed <= {*ROWS[function].secrets, *ROWS[function].settings}


@pytest.mark.parametrize("name", [*secrets(ROWS), *settings(ROWS)])
def test_what_never_prints_is_a_secret_and_nothing_else_is(name: str) -> None:
    assert (name in secrets(ROWS)) is not Settings.model_fields[name.lower()].repr


@pytest.mark.parametrize("function", sorted(set(ROWS) - DECIDES_NOTHING))
def test_all_who_decide_decide_alike(function: str) -> None:
    row = ROWS[function]
    read = {name.upper() for name in read_by_the_policy()} - OF_MESSAGES | {STREAM}
    if function == "send_representative":
        read -= OF_CAPTURES
    assert read <= {*row.settings, *row.secrets}


def test_who_takes_what_customers_say_knows_who_gets_it() -> None:
    assert {*ROWS["receive_webhook"].settings, *ROWS["receive_webhook"].secrets} >= OF_MESSAGES


def read_by_the_policy() -> set[str]:
    """Returns the settings that the code reads to decide, as it reads them."""
    read = set[str]()
    policy(noting(read), capabilities(platforms(Settings())))
    return read


def noting(read: set[str]) -> Settings:
    """Returns settings that note what is read of them."""

    class Noting(Settings):
        def __getattribute__(self, name: str) -> Any:
            if name in Settings.model_fields:
                read.add(name)
            return super().__getattribute__(name)

    return Noting()


@pytest.mark.parametrize("function", sorted(set(ROWS) - {"sweep", "relay_media"}))
def test_all_who_write_the_journal_keep_it_as_long(function: str) -> None:
    assert "JOURNAL_TTL_DAYS" in ROWS[function].settings


@pytest.mark.parametrize(("function", "lines"), DELIVERS.items())
def test_a_function_has_what_the_lines_need_that_it_delivers_itself(
    function: str, lines: frozenset[str]
) -> None:
    row = ROWS[function]
    assert {line.removeprefix("topic ") for line in lines if line.startswith("topic ")} <= {
        *row.publishes
    }
    links = {"MEDIA_URL", "MEDIA_LINK_SECONDS", "MEDIA_LINK_KEYS"}  # each line may carry a file
    assert links <= {*row.secrets, *row.settings}
    needs = {"webhook BOT": {"BOT_WEBHOOK_URL"}, "webhook HUMAN": {"DESK_WEBHOOK_URL"}}
    for line in lines & needs.keys():
        assert {*needs[line], "OUTBOUND_WEBHOOK_KEYS"} <= {*row.secrets}
    if "channel" in lines:
        deliverer = {*ROWS["deliver_outbox"].secrets, *ROWS["deliver_outbox"].settings}
        senders = {name for name in deliverer if name.startswith(("BUSINESS_MESSAGES_", "RCS_"))}
        assert senders <= {*row.secrets, *row.settings}
    assert "BATON_DELIVER_IN_PLACE" in row.settings


@pytest.mark.parametrize("door", DOORS, ids=lambda door: door.name)
def test_a_door_gets_what_opens_it(door: Door) -> None:
    for function in door.functions:
        row = ROWS[function]
        assert {name.upper() for name in door.needs} <= {*row.secrets, *row.settings}


@pytest.mark.parametrize("door", DOORS, ids=lambda door: door.name)
def test_a_function_is_given_what_says_whether_its_door_is_used(door: Door) -> None:
    """Without it, what the door needs would never be missed."""
    read = set[str]()
    door.is_used(noting(read))
    for function in door.functions:
        row = ROWS[function]
        assert {name.upper() for name in read} <= {*row.secrets, *row.settings}


def test_every_door_belongs_to_a_use() -> None:
    assert sorted(door for use in USES.values() for door in use.doors) == sorted(
        door.name for door in DOORS
    )


@pytest.mark.parametrize("name", ["SLACK_WEBHOOK_URL", "GOOGLE_CHAT_WEBHOOK_URL"])
def test_the_teams_notifications_are_no_desk(name: str) -> None:
    assert uses((), {name: "https://chat.example.com/hook"}, [name]) == uses((), {}, [])


def test_every_platform_may_be_named_as_one_in_use() -> None:
    named = get_args(PlatformName)
    assert named == tuple(platforms(Settings()))
    assert {*named, "api"} == {*CHANNELS, *DESKS}


def test_every_topic_of_the_code_is_made() -> None:
    named = {
        one
        for one in vars(notifications).values()
        if isinstance(one, str) and one.startswith("baton-")
    }
    assert set(topics(ROWS)) == named


def test_every_platform_has_its_webhook_url() -> None:
    assert list(ROWS["receive_webhook"].paths) == list(platforms(Settings()))


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"memory": 512}, "memory"),
        ({"trigger": "https"}, "trigger"),
        ({"topic": "baton-outbox"}, "topic has no meaning with http-public"),
        ({"trigger": "schedule"}, "schedule is missing with schedule"),
        ({"min_instances": 30}, "min_instances is more than max_instances"),
        ({"publishes": ["outbox"]}, "publishes"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_a_wrong_row_is_named(tmp_path: Path, change: dict[str, Any], complaint: str) -> None:
    table = json.loads(TABLE.read_text())
    table["receive_webhook"] |= change
    (tmp_path / "functions.json").write_text(json.dumps(table))
    with pytest.raises(ValidationError, match=rf"receive_webhook[\s\S]*{complaint}"):
        deployables(tmp_path / "functions.json")
