"""The content of messages in Business Messages form, with its limits.

https://developers.google.com/business-communications/business-messages/reference/rest/v1/conversations.messages
"""

import mimetypes
import re
from collections.abc import Mapping
from functools import cache
from typing import Annotated, Literal, Self
from urllib.parse import unquote, urlsplit

from pydantic import ConfigDict, Field, StringConstraints, model_validator
from pydantic.alias_generators import to_camel

from shared.schemas.base import JsonObject, NonEmpty, Theirs
from shared.schemas.details import MEDIA_KINDS, Attachment, kind_of_type

TEXT_LIMIT = 3072
MediaKind = Literal["image", "video", "audio", "voice", "document", "sticker"]
_NAMED = re.compile(r"[\w .,()+-]{1,80}\.\w{1,8}")  # the end of an address that names a file
SUGGESTIONS, CHIP_TEXT = 13, 25
Text = Annotated[str, StringConstraints(min_length=1, max_length=TEXT_LIMIT)]

_OFFICE = "application/vnd.openxmlformats-officedocument"
_ENDINGS = {
    "audio/ogg": ".ogg",
    "audio/aac": ".aac",
    "audio/amr": ".amr",
    "audio/mp4": ".m4a",
    "image/webp": ".webp",
    f"{_OFFICE}.wordprocessingml.document": ".docx",
    f"{_OFFICE}.spreadsheetml.sheet": ".xlsx",
    f"{_OFFICE}.presentationml.presentation": ".pptx",
}


@cache
def _types() -> mimetypes.MimeTypes:
    """Returns the types and endings, the same on every machine. They are made at first use, because
    the library then reads the system's lists, which takes 4 ms, and leaves them out here.
    """
    types = mimetypes.MimeTypes()
    for mime_type, ending in _ENDINGS.items():
        types.add_type(mime_type, ending)
    return types


class _Open(Theirs):
    """Documented limits are checked. Unknown fields are kept and sent to the platform."""

    model_config = ConfigDict(
        frozen=True, extra="allow", alias_generator=to_camel, populate_by_name=True
    )


class ContentInfo(_Open):
    file_url: NonEmpty
    thumbnail_url: str | None = None
    alt_text: str | None = None
    force_refresh: bool | None = None


class Image(_Open):
    content_info: ContentInfo


class Tap(_Open):
    """A suggestion's label and the postback data that the platform returns when it is tapped."""

    text: Annotated[str, StringConstraints(min_length=1, max_length=CHIP_TEXT)]
    postback_data: Annotated[str, StringConstraints(max_length=2048)]


class Suggestion(_Open):
    reply: Tap | None = None
    action: Tap | None = None
    live_agent_request: JsonObject | None = None
    authentication_request: JsonObject | None = None


class Media(_Open):
    height: Literal["SHORT", "MEDIUM", "TALL"]
    content_info: ContentInfo


class CardContent(_Open):
    title: Annotated[str, StringConstraints(max_length=200)] | None = None
    description: Annotated[str, StringConstraints(max_length=2000)] | None = None
    media: Media | None = None
    suggestions: Annotated[tuple[Suggestion, ...], Field(max_length=4)] = ()


class StandaloneCard(_Open):
    card_content: CardContent


class CarouselCard(_Open):
    card_width: Literal["SMALL", "MEDIUM"]
    card_contents: Annotated[tuple[CardContent, ...], Field(min_length=2, max_length=10)]


class RichCard(_Open):
    standalone_card: StandaloneCard | None = None
    carousel_card: CarouselCard | None = None

    @model_validator(mode="after")
    def _one_card(self) -> Self:
        if (self.standalone_card is None) == (self.carousel_card is None):
            raise ValueError("give exactly one of standaloneCard and carouselCard")
        return self


class File(_Open):
    """A file of any kind, from a public address (`file_url`) or from an upload (`media_id`, the id
    that the upload was given). `alt_text` are the words below it.

    The other fields are Baton's own:
    - `size`, `sha256` are known of an upload. `upload` is where Baton's own store has it,
      `native_id` where the platform of `channel` has it. `source_id` is its id at the platform that
      reported the message, for a file that a human sent from a desk of theirs.
    - `journal` and `entry` are where the message was said: links to the file name them.
    - `instead` are the words that a channel shows with a link to the file, because it cannot show
      the file itself.
    """

    file_url: NonEmpty | None = None
    media_id: NonEmpty | None = None
    kind: MediaKind | None = None
    mime_type: str | None = None
    file_name: str | None = None
    size: int | None = None
    alt_text: str | None = None
    upload: str | None = None
    native_id: str | None = None
    source_id: str | None = None
    channel: str | None = None
    sha256: str | None = None
    journal: str | None = None
    entry: str | None = None
    instead: str | None = None

    @classmethod
    def of(cls, known: Attachment) -> "File":
        """Returns the file that a human sent, as the platform reported it."""
        given = {
            "kind": known.kind if known.kind in MEDIA_KINDS else None,
            "mime_type": known.mime_type,
            "file_name": known.file_name,
            "size": known.size if isinstance(known.size, int) else None,
            "alt_text": known.caption,
            "source_id": known.id,
        }
        return cls.model_validate(given)

    @property
    def type_known(self) -> str | None:
        """The MIME type as it was given, else by the ending of the file's name or address."""
        if self.mime_type is not None:
            return self.mime_type.partition(";")[0].strip().lower()
        named = self.file_name or urlsplit(self.file_url or "").path
        return _types().guess_type(named, strict=False)[0]

    @property
    def kind_known(self) -> str:
        """The kind as it was given, else by the type."""
        return self.kind or kind_of_type(self.type_known)

    @property
    def name(self) -> str:
        """The name of the file for people: its own, else one after its kind."""
        last = unquote(urlsplit(self.file_url or "").path.rpartition("/")[2])
        given = self.file_name or (last if _NAMED.fullmatch(last) else None)
        ending = _types().guess_extension(self.type_known or "", strict=False) or ""
        return given or f"{self.kind_known}{ending}"


class Template(_Open):
    """A message that the platform has approved, by its name. `parameters` are the values of its
    body, in order.
    """

    name: Annotated[str, StringConstraints(pattern=r"^[a-z0-9_]{1,512}$")]
    language: Annotated[str, StringConstraints(pattern=r"^[a-z]{2,3}(_[A-Z]{2})?$")]
    parameters: Annotated[tuple[Text, ...], Field(max_length=20)] = ()


class Content(Theirs):
    """A message: exactly one of text, richCard, image, file and template, with suggestions and a
    fallback.

    Fields of a newer version are kept in the store. `taken` leaves out the unknown fields of a
    caller.
    """

    model_config = ConfigDict(extra="allow")

    text: Text | None = None
    rich_card: RichCard | None = None
    image: Image | None = None
    file: File | None = None
    template: Template | None = None
    suggestions: Annotated[tuple[Suggestion, ...], Field(max_length=SUGGESTIONS)] = ()
    fallback: Text | None = None
    contains_rich_text: bool | None = None

    @model_validator(mode="after")
    def _one_payload(self) -> Self:
        payloads = (self.text, self.rich_card, self.image, self.file, self.template)
        if sum(part is not None for part in payloads) != 1:
            raise ValueError("give exactly one of text, richCard, image, file and template")
        return self

    @classmethod
    def taken(cls, given: Mapping[str, object]) -> Self:
        """Returns what a caller says, without the fields that Baton does not know. Raises
        ValidationError.
        """
        names = {name for field in cls.model_fields for name in (field, to_camel(field))}
        return cls.model_validate({name: one for name, one in given.items() if name in names})

    @staticmethod
    def of_fact(text: str) -> "Content":
        """Returns words that were said already, so that no rule for them can be checked."""
        return _NOTHING_SAID.model_copy(update={"text": text})

    @property
    def shown(self) -> JsonObject:
        """Returns it in Business Messages form, without what a newer version stored with it."""
        known = set(Content.model_fields)
        return self.model_dump(
            mode="json",
            by_alias=True,
            include=known,
            exclude_none=True,
            exclude_defaults=True,
        )

    @property
    def summary(self) -> str:
        """Returns the text, or a short text that stands for an image, a card or a template."""
        if self.text is not None:
            return self.text
        if self.template is not None:
            return " ".join((f"[template {self.template.name}]", *self.template.parameters))
        if self.file is not None:
            file = self.file
            name = " ".join(filter(None, (f"[{file.kind_known}]", file.file_name)))
            return "\n".join(filter(None, (file.alt_text, name)))
        return "[image]" if self.image is not None else self.fallback or "[rich card]"

    @property
    def attachments(self) -> tuple[Attachment, ...]:
        """Returns the picture or file that it shows, for those who read the conversation."""
        if self.image is not None:
            info = self.image.content_info
            return (Attachment(kind="image", link=info.file_url, caption=info.alt_text),)
        if self.file is None:
            return ()
        file = self.file
        return (
            Attachment(
                kind=file.kind_known,
                mime_type=file.type_known,
                file_name=file.file_name,
                size=file.size,
                sha256=file.sha256,
                caption=file.alt_text,
                id=file.native_id or file.source_id,
                link=file.file_url,
                upload=file.upload,
            ),
        )


_NOTHING_SAID = Content.model_construct()
