"""The names under which files are kept. All files of a conversation are below its folder."""

from shared.media_links import MediaName
from shared.schemas.notation import sha256

_HASHED = 32  # hexadecimal characters: names of files show neither a customer nor a message


def folder_of(conversation: str) -> str:
    """Returns what the names of all files of a conversation begin with."""
    return f"{_hidden(conversation)}/"


def kept_name(file: MediaName) -> str:
    """Returns the name of a file of a message."""
    return f"{folder_of(file.conversation)}{_hidden(file.entry)}/{file.index}"


def upload_name(conversation: str, upload: str) -> str:
    """Returns the name of a file that a caller uploaded for a conversation."""
    return f"{folder_of(conversation)}uploads/{_hidden(upload)}"


def _hidden(value: str) -> str:
    return sha256(value)[:_HASHED]
