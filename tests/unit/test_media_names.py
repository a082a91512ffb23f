"""Names of kept files."""

from shared.media.names import folder_of, kept_name, upload_name
from shared.media_links import MediaName

CUSTOMER = "whatsapp:106540352242922:16505551234"


def test_all_files_of_a_conversation_are_in_its_folder_and_no_other_is() -> None:
    files = (kept_name(MediaName(CUSTOMER, "e1", 0)), upload_name(CUSTOMER, "u1"))
    assert all(name.startswith(folder_of(CUSTOMER)) for name in files)
    assert not any(name.startswith(folder_of(CUSTOMER + "5")) for name in files)


def test_each_file_has_a_name_of_its_own_that_shows_nothing() -> None:
    names = {
        kept_name(MediaName(CUSTOMER, "e1", 0)),
        kept_name(MediaName(CUSTOMER, "e1", 1)),
        kept_name(MediaName(CUSTOMER, "e2", 0)),
        upload_name(CUSTOMER, "e1"),
        upload_name(CUSTOMER, "../../e1"),
    }
    assert len(names) == 5
    assert not any("1650" in name or ".." in name for name in names)
