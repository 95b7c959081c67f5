"""Tables and workbooks that are broken, or broken on purpose: refused, never a crash or a stall."""

import io
import random
import zipfile

import openpyxl
import pytest

from deconflict.formats import csv_text, ed269, openair, xlsx
from deconflict.formats.reading import Limits
from deconflict.standards.f3548 import files as f3548

SIX = "36.370000 N 37.515000 E WGS 84"
HEAD = b"id,kind,position\n"
GOOD = HEAD + f"a,site,{SIX}\n".encode()
SHEET = "xl/worksheets/sheet1.xml"


def workbook(*rows):
    book = openpyxl.Workbook()
    for row in (("id", "kind", "position"), *rows):
        book.active.append(row)
    target = io.BytesIO()
    book.save(target)
    return target.getvalue()


def changed(data, edit, *, extra=None):
    """Return a workbook whose sheet was edited, with further members added."""
    target = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(data)) as source,
        zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive,
    ):
        for info in source.infolist():
            content = source.read(info)
            archive.writestr(info.filename, edit(content) if info.filename == SHEET else content)
        for name, content in (extra or {}).items():
            archive.writestr(name, content)
    return target.getvalue()


def problem_of(read, data, **kwargs):
    result = read(data, name="x", **kwargs)
    assert not result.entities
    assert result.problems
    return str(result.problems[0])


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (b"", "empty"),
        (b"\n\n\n", "empty"),
        (HEAD, "no row"),
        (b"\xef\xbb\xbf", "empty"),
        (GOOD.decode().encode("utf-16"), "UTF-16"),
        (HEAD + b"a,site,\xff\xfe\n", "UTF-8"),
        (HEAD + b"a,si\0te,x\n", "NUL"),
        (b"\0" * 1000, "binary"),
        (bytes(range(1, 256)) * 50, "UTF-8"),
        (b"sep=|\n" + GOOD, "separator"),
        (b"," * 100_000 + b"\n", "empty"),
        (b"x" + b"," * 100_000 + b"\n", "columns"),
        (b"no,title,known\n1,2,3\n", "position"),
        (b'"id,kind,position\n', "end of data"),
    ],
)
def test_what_is_no_table_is_refused(data, what):
    assert what in problem_of(csv_text.read, data)


def test_a_quotation_mark_left_open_costs_only_the_rows_behind_it():
    data = GOOD + b'b,site,"' + SIX.encode() + b"\nc,site,x\n"
    result = csv_text.read(data, name="x")
    assert [entity.id for entity in result.entities] == ["a"]
    assert result.problems[0].place == "row 3"


def test_a_quotation_mark_out_of_place_costs_only_its_row():
    data = GOOD + b'b,"si"te,x\n' + f"c,site,{SIX}\n".encode()
    result = csv_text.read(data, name="x")
    assert [entity.id for entity in result.entities] == ["a", "c"]
    assert len(result.problems) == 1


def test_a_huge_field_costs_only_its_row():
    data = GOOD + b"b,site," + b"9" * 1_000_000 + b"\n" + f"c,site,{SIX}\n".encode()
    result = csv_text.read(data, name="x")
    assert [entity.id for entity in result.entities] == ["a", "c"]
    assert result.problems[0].place == "row 3"


def test_a_larger_file_than_allowed_is_refused_unread():
    for read in (csv_text.read, xlsx.read, openair.read, ed269.read, f3548.read):
        assert "bytes" in problem_of(read, b"x" * 101, limits=Limits(file_bytes=100))


@pytest.mark.parametrize("number", ["NaN", "inf", "-inf", "1e999", "٣٠٠", "0x10", "1_000", "--1"])
def test_a_number_that_is_none_is_refused_with_its_column(number):
    data = f"id,kind,position,radius_m\na,site,{SIX},{number}\n".encode()
    (problem,) = csv_text.read(data, name="x").problems
    assert problem.field == "radius_m"


@pytest.mark.parametrize(
    ("start", "end", "field"),
    [
        ("2026-11-22T09:00:00Z", "2026-11-22T08:00:00Z", "start"),
        ("0001-01-01T00:00:00+01:00", "", "start"),
        ("", "9999-12-31T23:59:59-01:00", "end"),
        ("2026-02-30T00:00:00Z", "", "start"),
        ("22.11.2026 08:00", "", "start"),
    ],
)
def test_times_that_can_not_be_are_refused(start, end, field):
    data = f"id,kind,position,start,end\na,site,{SIX},{start},{end}\n".encode()
    (problem,) = csv_text.read(data, name="x").problems
    assert problem.field == field


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (b"PK\x03\x04", "no workbook"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600, "old kind"),
        (b"not a workbook", "no workbook"),
        (b"", "no workbook"),
    ],
)
def test_what_is_no_workbook_is_refused(data, what):
    assert what in problem_of(xlsx.read, data)


def test_a_zip_archive_that_is_no_workbook_is_refused():
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        archive.writestr("plans.csv", GOOD)
    assert "no workbook" in problem_of(xlsx.read, target.getvalue())


def test_a_workbook_that_was_cut_off_or_damaged_never_crashes():
    data = workbook(("a", "site", SIX), ("b", "site", SIX))
    generator = random.Random(20261122)
    for _ in range(60):
        cut = data[: generator.randrange(len(data))]
        assert problem_of(xlsx.read, cut)
    for _ in range(150):
        damaged = bytearray(data)
        for _ in range(4):
            damaged[generator.randrange(len(data))] ^= 1 << generator.randrange(8)
        result = xlsx.read(bytes(damaged), name="x")
        assert result.entities or result.problems


def test_a_zip_bomb_is_refused_before_it_is_inflated():
    bomb = changed(
        workbook(("a", "site", SIX)), lambda sheet: sheet, extra={"xl/b.xml": b" " * 9**8}
    )
    assert len(bomb) < 200_000
    assert "inflates" in problem_of(xlsx.read, bomb)


def test_many_small_bombs_are_refused_by_what_they_add_up_to():
    extra = {f"xl/b{i}.xml": b" " * 900_000 for i in range(20)}
    bomb = changed(workbook(("a", "site", SIX)), lambda sheet: sheet, extra=extra)
    assert "inflates" in problem_of(xlsx.read, bomb, limits=Limits(file_bytes=10_000_000))


def test_a_member_that_lies_about_its_size_is_refused():
    data = changed(
        workbook(("a", "site", SIX)), lambda sheet: sheet, extra={"xl/b.xml": b" " * 9**7}
    )
    real, false = (9**7).to_bytes(4, "little"), (100).to_bytes(4, "little")
    assert real in data
    assert problem_of(xlsx.read, data.replace(real, false))


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_member_packed_as_no_workbook_packs_is_refused(method):
    target = io.BytesIO(workbook(("a", "site", SIX)))
    with zipfile.ZipFile(target, "a", method) as archive:
        archive.writestr("xl/media/picture.png", bytes(1000))
    assert "unusual" in problem_of(xlsx.read, target.getvalue())


def test_thousands_of_members_are_refused():
    extra = {f"xl/{i}.xml": b"" for i in range(2_000)}
    data = changed(workbook(("a", "site", SIX)), lambda sheet: sheet, extra=extra)
    assert "files" in problem_of(xlsx.read, data)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_xml_entities_are_refused_in_whatever_encoding(encoding):
    lol = "".join(f'<!ENTITY l{i} "{f"&l{i - 1};" * 10}">' for i in range(1, 10))
    doctype = f'<?xml version="1.0" encoding="{encoding}"?><!DOCTYPE x [<!ENTITY l0 "lol">{lol}]>'

    def edit(sheet):
        return (doctype + sheet.decode().replace("<sheetData>", "<sheetData>&l9;")).encode(encoding)

    text = problem_of(xlsx.read, changed(workbook(("a", "site", SIX)), edit))
    assert "entities" in text or "UTF-8" in text


def test_xml_entities_are_refused_in_every_part_of_a_workbook():
    data = workbook(("a", "site", SIX))
    target = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(data)) as source,
        zipfile.ZipFile(target, "w") as archive,
    ):
        for info in source.infolist():
            content = source.read(info)
            if info.filename == "xl/workbook.xml":
                content = b'<!DOCTYPE x [<!ENTITY e "x">]>' + content
            archive.writestr(info.filename, content)
    assert "xl/workbook.xml" in problem_of(xlsx.read, target.getvalue())


def test_a_row_number_beyond_any_sheet_is_refused_and_not_counted_up_to():
    def edit(sheet):
        return sheet.replace(b'<row r="2"', b'<row r="99999999999"')

    text = problem_of(xlsx.read, changed(workbook(("a", "site", SIX)), edit))
    assert "rows" in text


def test_a_row_of_more_cells_than_a_sheet_has_columns_is_refused_before_it_is_built():
    generator = random.Random(5)
    cells = b"".join(b'<c s="%d"/>' % generator.randrange(65_536) for _ in range(200_001))

    def edit(sheet):
        return sheet.replace(b"</sheetData>", b"<row>" + cells + b"</row></sheetData>")

    assert "cells" in problem_of(xlsx.read, changed(workbook(("a", "site", SIX)), edit))


def test_cells_in_the_last_column_cost_nothing():
    def edit(sheet):
        rows = b"".join(
            b'<row r="%d"><c r="XFD%d" s="0"/></row>' % (number, number)
            for number in range(3, 3_003)
        )
        return sheet.replace(b"</sheetData>", rows + b"</sheetData>")

    (entity,) = xlsx.read(changed(workbook(("a", "site", SIX)), edit), name="x").entities
    assert entity.id == "a"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"</worksheet>", b""),
        (b'r="A2"', b'r="2A"'),
        (b't="inlineStr"', b't="mystery"'),
        (b'<c r="A2"', b'<c r="A2" s="9999"'),
        (b'<c r="A2" t="s"><v>', b'<c r="A2" t="s"><v>9999'),
        (b'<c r="A2" t="s"><v>', b'<c r="A2" t="n"><v>NaN'),
        (b'<c r="A2" t="s"><v>', b'<c r="A2" t="d"><v>never'),
    ],
)
def test_a_sheet_that_no_program_writes_never_crashes(old, new):
    data = changed(workbook(("a", "site", SIX)), lambda sheet: sheet.replace(old, new))
    result = xlsx.read(data, name="x")
    assert result.entities or result.problems


def test_random_bytes_and_random_edits_never_crash_a_reader_of_text():
    generator = random.Random(7)
    seeds = (
        (csv_text.read, GOOD * 3),
        (openair.read, b"AC R\nAN x\nAL GND\nAH FL100\nV X=50:00:00 N 008:00:00 E\nDC 2\n"),
        (ed269.read, b'{"features": [{"geometry": [{"uomDimensions": "M"}], "name": "\\u00e9"}]}'),
        (f3548.read, b'[{"reference": {"id": "x", "state": "Accepted"}, "details": {}}]'),
    )
    for read, seed in seeds:
        for _ in range(200):
            data = bytearray(seed)
            for _ in range(generator.randrange(1, 6)):
                at = generator.randrange(len(data))
                data[at : at + generator.randrange(3)] = generator.randbytes(generator.randrange(3))
            result = read(bytes(data), name="x")
            assert result.entities or result.problems
