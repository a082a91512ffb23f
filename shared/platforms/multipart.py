"""A form with one file (RFC 7578), sent as the file comes in."""

import re
import uuid
from collections.abc import AsyncIterator, Mapping

_UNSAFE = re.compile(r'[\x00-\x1f\x7f"\\]')


class FormWithFile:
    """A multipart/form-data body of `fields` and of a file of `size` bytes with the name `file`."""

    def __init__(
        self,
        fields: Mapping[str, str],
        file_name: str,
        mime_type: str,
        size: int,
        chunks: AsyncIterator[bytes],
    ) -> None:
        self._chunks, self._boundary = chunks, uuid.uuid4().hex
        texts = (self._part(f'name="{name}"', value) for name, value in fields.items())
        named = f'name="file"; filename="{_UNSAFE.sub("_", file_name)}"'
        head = self._part(named, "", f"Content-Type: {' '.join(mime_type.split())}\r\n")
        self._before = "".join((*texts, head)).removesuffix("\r\n").encode()
        self._after = f"\r\n--{self._boundary}--\r\n".encode()
        self._size = len(self._before) + size + len(self._after)

    @property
    def headers(self) -> Mapping[str, str]:
        return {
            "content-type": f"multipart/form-data; boundary={self._boundary}",
            "content-length": str(self._size),
        }

    async def body(self) -> AsyncIterator[bytes]:
        """Returns the body as it comes."""
        yield self._before
        async for chunk in self._chunks:
            yield chunk
        yield self._after

    def _part(self, named: str, value: str, more: str = "") -> str:
        disposition = f"Content-Disposition: form-data; {named}\r\n"
        return f"--{self._boundary}\r\n{disposition}{more}\r\n{value}\r\n"
