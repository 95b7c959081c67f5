"""The parts of a workbook (ECMA-376) before any program inflates or parses them."""

from __future__ import annotations

import io
import re
import zipfile

from deconflict.formats.numbers import shown
from deconflict.formats.reading import Limits
from deconflict.formats.zipped import DAMAGED
from deconflict.geo.errors import InputError

MAX_MEMBERS = 1_000
"""Files in a workbook; one with 100 sheets and pictures has about 300."""

SMALL_BYTES = 1_000_000
"""Below this size a member may be packed by any ratio."""

MAX_ROW_TAGS = 200_000
"""Marks "<" from the end of one row to that of the next; 16,384 cells of text have 131,072."""

FIXED_TIME = (1980, 1, 1, 0, 0, 0)
"""The earliest time of a zip member; every member that is written bears it."""

_OLD_EXCEL = b"\xd0\xcf\x11\xe0"
_ENTITY = re.compile(rb"<!(?:DOCTYPE|ENTITY)", re.IGNORECASE)
_MERGED = re.compile(rb"""<(?:\w+:)?mergeCell\s[^<>]*?ref\s*=\s*["']([A-Za-z0-9:$]{1,40})["']""")
_REMEDY = "save it again as .xlsx, or as CSV UTF-8"
_CORE = "docProps/core.xml"
_WHEN = re.compile(rb"(<dcterms:(?:created|modified)[^>]*>)[^<]*(</dcterms:)")


def check_members(data: bytes, limits: Limits) -> None:
    """Refuse what is no workbook, or one that would cost more than its size to read.

    Parameters
    ----------
    data
        The file's bytes.
    limits
        Sizes and ratio; all are checked against what the archive declares before anything is
        inflated, and again against what comes out.

    Raises
    ------
    InputError
        If this is no workbook, an encrypted one, or one that inflates beyond the limits or
        declares XML entities.
    """
    if data.startswith(_OLD_EXCEL):
        raise InputError("the workbook is of the old kind (.xls), or has a password", _REMEDY)
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = archive.infolist()
            _refuse_bomb(members, limits)
            for info in members:
                content = _inflated(archive, info)
                if info.filename.lower().endswith((".xml", ".rels")):
                    _refuse_entities(info.filename, content)
    except InputError:
        raise
    except DAMAGED as error:
        raise InputError(f"the file is no workbook, or damaged ({error})", _REMEDY) from None


def _refuse_bomb(members: list[zipfile.ZipInfo], limits: Limits) -> None:
    if len(members) > MAX_MEMBERS:
        raise InputError(f"the workbook holds {len(members):,} files", _REMEDY)
    names = {info.filename for info in members}
    if len(names) != len(members):
        raise InputError("the workbook holds two files of one name", _REMEDY)
    if "mimetype" in names and "content.xml" in names:
        raise InputError("the file is an OpenDocument table", _REMEDY)
    if "[Content_Types].xml" not in names:
        raise InputError("the file is a zip archive, but no workbook", _REMEDY)
    total = sum(info.file_size for info in members)
    if total > limits.file_bytes:
        raise InputError(
            f"the workbook inflates to {total:,} bytes, more than {limits.file_bytes:,}",
            "split it into several files",
        )
    for info in members:
        if info.flag_bits & 0x1:
            raise InputError("the workbook has a password", "save it without")
        if info.compress_type not in {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}:
            raise InputError(
                f"its part {shown(info.filename)} is packed in an unusual way", _REMEDY
            )
        if info.file_size > SMALL_BYTES and info.file_size > (
            limits.inflated_ratio * info.compress_size
        ):
            raise InputError(
                f"its part {shown(info.filename)} inflates more than {limits.inflated_ratio}-fold",
                "remove empty formatted cells, or save it as CSV UTF-8",
            )


def _inflated(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> bytes:
    """Return a member; what the archive declares has been checked, and bounds what comes out."""
    with archive.open(info) as member:
        content = member.read(info.file_size + 1)
    if len(content) != info.file_size:
        raise InputError(f"its part {shown(info.filename)} is not as long as it says", _REMEDY)
    return content


def _refuse_entities(name: str, content: bytes) -> None:
    # In another encoding than UTF-8 the marks of an entity would not be found.
    if content.startswith((b"\xff\xfe", b"\xfe\xff")) or b"\0" in content:
        raise InputError(f"its part {shown(name)} is not UTF-8", _REMEDY)
    if _ENTITY.search(content):
        raise InputError(
            f"its part {shown(name)} declares XML entities, as no workbook does", _REMEDY
        )


def merged_ranges(data: bytes, sheet: str) -> list[str]:
    """Return the ranges of merged cells of a sheet, once its rows are known to be no bombs.

    Parameters
    ----------
    data
        A workbook that `check_members` has let pass.
    sheet
        The path of the sheet's part.

    Raises
    ------
    InputError
        If a row has more cells than a sheet has columns.
    """
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        content = archive.read(sheet.removeprefix("/"))
    _refuse_long_rows(content)
    return [match.group(1).decode("ascii") for match in _MERGED.finditer(content)]


def _refuse_long_rows(content: bytes) -> None:
    """Refuse a sheet of which one row alone would take gigabytes: each is held as a whole."""
    at = 0
    while at < len(content):
        end = content.find(b"row>", at) + 4
        end = len(content) if end < 4 else end
        if end - at > MAX_ROW_TAGS and content.count(b"<", at, end) > MAX_ROW_TAGS:
            raise InputError(
                f"a row of the sheet has more than {MAX_ROW_TAGS // 4:,} cells",
                "remove the empty ones, or save it as CSV UTF-8",
            )
        at = end


def with_fixed_times(data: bytes) -> bytes:
    """Return a written workbook with every time in it fixed, so that two runs give equal bytes."""
    target = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(data)) as source,
        zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive,
    ):
        for info in source.infolist():
            content = source.read(info)
            if info.filename == _CORE:
                content = _WHEN.sub(rb"\g<1>2000-01-01T00:00:00Z\g<2>", content)
            fixed = zipfile.ZipInfo(info.filename, FIXED_TIME)
            fixed.compress_type = zipfile.ZIP_DEFLATED
            fixed.external_attr = 0o600 << 16
            fixed.create_system = 3
            archive.writestr(fixed, content, compresslevel=6)
    return target.getvalue()
