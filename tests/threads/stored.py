"""What a vendor has stored of a customer's thread."""

import html
from collections.abc import Mapping, Sequence
from typing import Any

from tests.functions.desk import Customer
from tests.kill.judge import Said, Stored
from tests.kill.people import PEOPLE
from tests.threads.stage import NAMES, Vendor, is_picture

Message = Mapping[str, Any]
SHOWN = {NAMES[name]: displayed for name, displayed in PEOPLE.items()}  # to customers
STANDING = "With the customer: "
# The names of the customers; RCS tells none.
CUSTOMERS = {"business_messages": "Michael", "rcs": "Customer", "whatsapp": "Ana"}
BEFORE = "Hi, I have a problem"  # what each customer wrote before they asked for a person


def stored(vendor: Vendor, thread: str) -> Stored:
    root, *below = vendor.messages(thread)
    heard = [one for one in map(_of_customer, below) if one is not None]
    said = [one for one in (_of_person(vendor, message) for message in below) if one is not None]
    pictures = sum(map(is_picture, below))
    return Stored(said, [text for _, text in heard], pictures, _present(root))


def misnamed(vendor: Vendor, thread: str, customer: Customer) -> list[str]:
    """The customer's words stand under their name."""
    name = CUSTOMERS[customer.platform]
    heard = filter(None, map(_of_customer, vendor.messages(thread)[1:]))
    return [f"{one} is not {name}'s" for one in heard if one[0] != name]


def opened_twice(vendor: Vendor, thread: str) -> list[str]:
    """What was said before stands once: in the card, or below the request."""
    if vendor.kind == "google_chat":
        return []
    found = [one["text"] for one in vendor.messages(thread)[1:] if BEFORE in one["text"]]
    return [] if len(found) == 1 else [f"what was said before stands there as {found}"]


def _of_customer(message: Message) -> Said | None:
    """Returns the customer's name and words, None for a message of somebody else's."""
    if "username" in message:
        return message["username"], html.unescape(message["text"])
    is_apps = message.get("sender", {}).get("type") == "BOT"
    name, mark, text = str(message.get("text", "")).partition(":* ")
    return (name.removeprefix("*"), text) if is_apps and mark and name[:1] == "*" else None


def _of_person(vendor: Vendor, message: Message) -> Said | None:
    """Returns the name that the customer is to see, and the words, None where there are none."""
    if message.get("sender", {}).get("type") == "HUMAN":
        said = message["sender"]["displayName"], str(message["argumentText"]).strip()
    elif "user" in message and "bot_id" not in message:
        profile = vendor.profile(message["user"])
        said = profile["display_name"], html.unescape(message["text"])
    else:
        return None
    return (SHOWN[said[0]], said[1]) if said[1] else None


def _present(root: Message) -> Sequence[str]:
    """Returns who has the customer, as the first message of the thread says."""
    texts = [one["text"] for block in root.get("blocks", ()) for one in block.get("elements", ())]
    lines = [root["text"], *(one if isinstance(one, str) else one["text"] for one in texts)]
    found = [one.removeprefix(STANDING) for one in lines if one.startswith(STANDING)]
    return found[0].split(", ") if found else []
