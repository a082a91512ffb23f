"""The people of a desk: those of a local run."""

from infra.local import settings

PEOPLE = {email.partition("@")[0]: str(one["name"]) for email, one in settings.PEOPLE.items()}
EMAILS = {email.partition("@")[0]: email for email in settings.PEOPLE}
