"""Bytes of a file to text: UTF-8 and nothing else, refused by the line that isn't."""

from __future__ import annotations

from deconflict.geo.errors import InputError

_UTF8_BOM = b"\xef\xbb\xbf"
_OTHER_BOMS = (b"\xff\xfe", b"\xfe\xff", b"\x00\x00\xfe\xff")


def decoded(data: bytes) -> str:
    """Return a file's text, without the byte order mark.

    Raises
    ------
    InputError
        If the file is empty, UTF-16 or UTF-32, binary, or not UTF-8; the field is then the line.
    """
    if not data or data.isspace():
        raise InputError("the file is empty", "give a file that holds something")
    if data.startswith(_OTHER_BOMS) or 0 in data[:4]:
        raise InputError("the file is UTF-16, UTF-32 or binary, not UTF-8", "save it as UTF-8 text")
    try:
        return (data.removeprefix(_UTF8_BOM)).decode("utf-8")
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise InputError(
            f"byte {error.object[error.start]:#04x} is no UTF-8",
            "save the file as UTF-8 text",
            field=f"line {line}",
        ) from None
