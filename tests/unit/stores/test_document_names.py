"""Names of documents: any id becomes one path segment that Firestore takes, and is read back."""

import re
from urllib.parse import unquote

from hypothesis import example, given
from hypothesis import strategies as st

from shared.stores.firestore.messages import conversation_of, conversation_path, entry_path

ids = st.text(st.characters(exclude_categories=["Cs"]), min_size=1)


@given(ids, ids)
@example(".", "..")
@example("__all__", "_")
@example("business_messages:a b", "~=+:")
def test_an_id_is_one_segment_and_is_read_back(conversation: str, entry: str) -> None:
    path = entry_path(conversation, entry)
    first, named, second, of_entry = path.split("/")
    assert (first, second) == ("conversations", "journal")
    assert [unquote(named), unquote(of_entry)] == [conversation, entry]
    assert f"conversations/{named}" == conversation_path(conversation)
    assert conversation_of(f"projects/p/databases/d/documents/{path}") == conversation


@given(ids)
@example(".")
@example("__all__")
def test_firestore_takes_the_segment(native: str) -> None:
    """https://firebase.google.com/docs/firestore/quotas#collections_documents_and_fields"""
    segment = conversation_path(native).partition("/")[2]
    assert segment.isascii()
    assert segment not in (".", "..")
    assert not re.fullmatch(r"__.*__", segment)
