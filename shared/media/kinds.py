"""What a file is, by its first bytes, and how large one of a kind may be."""

import re

MIB = 1 << 20
FIRST_BYTES = 64  # as many as a signature below needs

# More than the platforms take: WhatsApp 5 MB, 16 MB and 100 MB, RCS 100 MB.
LIMITS = {
    "image": 32 * MIB,
    "sticker": 8 * MIB,
    "voice": 64 * MIB,
    "audio": 64 * MIB,
    "video": 128 * MIB,
    "document": 128 * MIB,
}

# The types that browsers show without running anything of the file, by the patterns of
# https://mimesniff.spec.whatwg.org/#matching-a-mime-type-pattern, and AMR by RFC 4867. What has
# none of these signatures is not shown, and neither are SVG and HTML: they have scripts.
# A library is no match here: puremagic answers with several types, filetype had its last release
# in 2022.
_SIGNATURES = {
    "image/jpeg": rb"\xff\xd8\xff",
    "image/png": rb"\x89PNG\r\n\x1a\n",
    "image/gif": rb"GIF8[79]a",
    "image/webp": rb"RIFF....WEBPVP",
    "image/avif": rb"....ftypavi[fs]",
    "audio/mpeg": rb"ID3|\xff[\xe2\xe3\xf2\xf3\xfa\xfb]",
    "audio/aac": rb"\xff[\xf0\xf1\xf8\xf9]",
    "audio/ogg": rb"OggS\x00",
    "audio/amr": rb"#!AMR",
    "audio/wav": rb"RIFF....WAVE",
    "audio/mp4": rb"....ftypM4[AB] ",
    "video/3gpp": rb"....ftyp3g[2gp]",
    "video/mp4": rb"....ftyp(?:mp4|iso|avc1|dash|M4V |MSNV|f4v |qt  |mmp4)",
    "video/webm": rb"\x1aE\xdf\xa3.{0,50}webm",
    "application/pdf": rb"%PDF-",
}
_KNOWN = {kind: re.compile(one, re.DOTALL) for kind, one in _SIGNATURES.items()}
_PLAYED = ("audio", "video")  # one container may hold either


def limit_of(kind: str | None) -> int:
    """Returns how many bytes a file of this kind may have."""
    return LIMITS.get(kind or "", LIMITS["document"])


def type_of(first: bytes) -> str | None:
    """Returns the type of a file by its first bytes, None for one that browsers must not show."""
    return next((kind for kind, one in _KNOWN.items() if one.match(first)), None)


def is_as_claimed(found: str, claimed: str | None, kind: str | None) -> bool:
    """Returns whether a type agrees with what the platform said of the file. A platform that says
    nothing of it, or only that it is a document, claims nothing.
    """
    mime_type = (claimed or "").partition(";")[0].strip().lower()
    if mime_type.startswith("application/") and mime_type != "application/octet-stream":
        return found == mime_type
    family = mime_type.partition("/")[0]
    if family in ("", "application"):
        family = {"sticker": "image", "voice": "audio", "document": ""}.get(kind or "", kind or "")
    real = found.partition("/")[0]
    return family in ("", real) or (family in _PLAYED and real in _PLAYED)
