"""Small files of every kind, made here: a picture, a voice note and a document.

https://www.rfc-editor.org/rfc/rfc7845 says how Opus is put into Ogg.
"""

import struct
import zlib

PDF = b"%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"
SILENCE = b"\xf8\xff\xfe"  # 20 ms of Opus
PACKETS, SAMPLES = 50, 960
EDGE = 12


def picture(red: int = 200, width: int = 320, height: int = 200) -> bytes:
    """Returns a PNG: a field with a darker edge."""
    edge, field = bytes((red // 2, 80, 60)), bytes((red, 140, 90))
    above = b"\0" + edge * width
    across = b"\0" + edge * EDGE + field * (width - 2 * EDGE) + edge * EDGE
    lines = [above] * EDGE + [across] * (height - 2 * EDGE) + [above] * EDGE
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", head), (b"IDAT", zlib.compress(b"".join(lines))), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in chunks
    )


def voice_note() -> bytes:
    """Returns one second of silence as WhatsApp's voice notes are: Opus in Ogg."""
    head = b"OpusHead" + struct.pack("<BBHIhB", 1, 1, 0, 48_000, 0, 0)
    tags = b"OpusTags" + struct.pack("<I", 5) + b"tests" + struct.pack("<I", 0)
    pages = [_page(2, 0, 0, [head]), _page(0, 0, 1, [tags])]
    return b"".join([*pages, _page(4, PACKETS * SAMPLES, 2, [SILENCE] * PACKETS)])


def _page(flags: int, position: int, number: int, packets: list[bytes]) -> bytes:
    """Returns a page of Ogg. https://www.rfc-editor.org/rfc/rfc3533#section-6"""
    sizes = bytes(map(len, packets))
    body = sizes + b"".join(packets)
    head = struct.pack("<4sBBqIII", b"OggS", 0, flags, position, 7, number, 0) + bytes(
        [len(packets)]
    )
    checksum = struct.pack("<I", _crc(head + body))
    return head[:22] + checksum + head[26:] + body


def _crc(data: bytes) -> int:
    register = 0
    for byte in data:
        register ^= byte << 24
        for _ in range(8):
            register = (register << 1) ^ (0x04C11DB7 if register & 1 << 31 else 0)
        register &= 0xFFFFFFFF
    return register
