"""Members of zip files, inflated only within limits."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from collections.abc import Callable

from deconflict.formats.numbers import shown
from deconflict.formats.reading import Limits
from deconflict.geo.errors import InputError

SIGNATURE = b"PK\x03\x04"
"""How a zip file begins."""

_END_SIGNATURE = b"PK\x05\x06"
_END_BYTES = 22
_END_SEARCH_BYTES = _END_BYTES + 65_535
"""The end record may be followed by a comment of up to 65,535 bytes."""

_MAX_DIRECTORY_BYTES = 4 * 1024 * 1024
"""Of the list of members: about 50,000 of them; a KMZ or XLSX has some dozens."""

_FREE_RATIO_BYTES = 1024 * 1024
"""Members that inflate to less may be packed as densely as they like."""

_CHUNK_BYTES = 1024 * 1024
DAMAGED = (
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    OSError,
    ValueError,
    NotImplementedError,
    struct.error,
)
"""What the standard library raises for a damaged one."""

_REMEDY = "unpack it and give the file inside"


def inflated(data: bytes, choose: Callable[[list[str]], str], limits: Limits) -> tuple[str, bytes]:
    """Return the name and the content of one member of a zip file.

    Parameters
    ----------
    data
        The zip file.
    choose
        Picks one of the names; raises `InputError` if there is none to pick.
    limits
        Size of the inflated member, and its ratio to the packed size; the declared size is looked
        at before, the real one while inflating.

    Raises
    ------
    InputError
        If the file is damaged or encrypted, packed in a way other than deflate, or beyond the
        limits.
    """
    limits.refuse_larger(data)
    _check_directory(data)
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as packed:
            name = choose(packed.namelist())
            return name, _content(packed, packed.getinfo(name), limits)
    except InputError:
        raise
    except DAMAGED:
        raise _damaged() from None


def names(data: bytes) -> list[str]:
    """Return the names of a zip file's members.

    Raises
    ------
    InputError
        If the file is damaged, or lists too many.
    """
    _check_directory(data)
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as packed:
            return packed.namelist()
    except DAMAGED:
        raise _damaged() from None


def _damaged() -> InputError:
    return InputError("the file is a damaged zip file", "fetch it again from where it comes")


def _check_directory(data: bytes) -> None:
    """Refuse a list of members so long that reading it alone would take gigabytes."""
    end = data.rfind(_END_SIGNATURE, max(0, len(data) - _END_SEARCH_BYTES))
    if end < 0 or len(data) - end < _END_BYTES:
        raise InputError(
            "the file is a zip file cut off before its end", "fetch it again from where it comes"
        )
    (directory_bytes,) = struct.unpack_from("<I", data, end + 12)
    if directory_bytes > _MAX_DIRECTORY_BYTES:
        raise InputError("the zip file lists too many members", _REMEDY)


def _content(packed: zipfile.ZipFile, info: zipfile.ZipInfo, limits: Limits) -> bytes:
    if info.flag_bits & 1:
        raise InputError(f"{shown(info.filename)} in the zip file is encrypted", _REMEDY)
    if info.compress_type not in {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}:
        raise InputError(
            f"{shown(info.filename)} in the zip file is packed in an unusual way", _REMEDY
        )
    allowed = min(
        limits.file_bytes,
        max(_FREE_RATIO_BYTES, limits.inflated_ratio * info.compress_size),
    )
    # A declared size can lie; the loop below counts what really comes.
    size = info.file_size
    chunks: list[bytes] = []
    if size <= allowed:
        size = 0
        with packed.open(info) as member:
            while size <= allowed and (chunk := member.read(_CHUNK_BYTES)):
                size += len(chunk)
                chunks.append(chunk)
    if size > allowed:
        raise InputError(
            f"{shown(info.filename)} inflates from {info.compress_size:,} to more than "
            f"{allowed:,} bytes, as only a zip bomb does",
            _REMEDY,
        )
    return b"".join(chunks)
