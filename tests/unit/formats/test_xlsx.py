"""Workbooks: values only, nothing guessed from dates, merged cells or formulas."""

import io
import zipfile
from datetime import UTC, date, datetime, time, timedelta

import openpyxl
import pytest

from deconflict.formats.xlsx import MAX_CELL, read, write
from deconflict.geo.errors import InputError
from deconflict.geo.height import AltitudeBand, AltitudeReference, Height
from deconflict.geo.volume import Circle, Polygon, Volume4D
from deconflict.register.entity import Entity, Kind

SIX = "36.370000 N 37.515000 E WGS 84"


def workbook(*rows, titles=("id", "kind", "position"), change=None):
    """Return a workbook with a sheet of these rows, changed as asked."""
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.append(titles)
    for row in rows:
        sheet.append(row)
    if change:
        change(book)
    target = io.BytesIO()
    book.save(target)
    return target.getvalue()


def result(*rows, **kwargs):
    return read(workbook(*rows, **kwargs), name="plans.xlsx")


def only(*rows, **kwargs):
    read_ = result(*rows, **kwargs)
    assert not read_.problems, [str(problem) for problem in read_.problems]
    (entity,) = read_.entities
    return entity


def refused(*rows, **kwargs):
    read_ = result(*rows, **kwargs)
    assert not read_.entities
    (problem,) = read_.problems
    assert problem.remedy
    return problem


def test_a_row_is_an_entity_with_the_place_it_came_from():
    entity = only(("a", "site", SIX))
    assert entity.id == "a"
    assert entity.source == "plans.xlsx, row 2"
    assert entity.volumes[0].footprint == Circle((36.37, 37.515), 0.0)


def test_numbers_may_be_numbers_or_text():
    titles = ("id", "kind", "position", "radius_m", "uncertainty_m")
    entity = only((17, "site", SIX, 300, "12.5"), titles=titles)
    assert entity.id == "17"
    assert entity.volumes[0].footprint == Circle((36.37, 37.515), 300.0)
    assert entity.positions[0].stated_uncertainty_m == 12.5


def test_empty_rows_and_a_header_further_down_are_passed_over():
    book = openpyxl.Workbook()
    sheet = book.active
    for column, title in enumerate(("id", "kind", "position"), start=1):
        sheet.cell(3, column, title)
        sheet.cell(7, column, {"id": "a", "kind": "site", "position": SIX}[title])
    target = io.BytesIO()
    book.save(target)
    (entity,) = read(target.getvalue(), name="x.xlsx").entities
    assert entity.source == "x.xlsx, row 7"


@pytest.mark.parametrize("formula", ["=1+1", '=HYPERLINK("x")', "=A1"])
def test_a_formula_is_refused_with_its_column(formula):
    problem = refused(("a", "site", formula))
    assert problem.place == "row 2"
    assert problem.field == "position"
    assert "formula" in problem.what


def test_a_formula_in_a_column_that_is_not_read_bears_on_nothing():
    titles = ("id", "kind", "position", "sum")
    assert only(("a", "site", SIX, "=1+1"), titles=titles).id == "a"


def test_an_error_value_is_refused():
    def change(book):
        cell = book.active["A2"]
        cell.value = "#REF!"
        cell.data_type = "e"

    assert "#REF!" in refused(("a", "site", SIX), change=change).what


def test_true_and_false_are_no_values():
    assert refused((True, "site", SIX)).field == "id"


TIMED = ("id", "kind", "position", "start", "timezone")
MORNING = datetime(2026, 11, 22, 8, 30)  # noqa: DTZ001 - a workbook's date has no zone


def test_a_date_cell_is_refused_unless_the_row_states_its_offset():
    problem = refused(("a", "site", SIX, MORNING, None), titles=TIMED)
    assert problem.field == "start"
    assert "timezone" in problem.remedy
    for zone, hour in (("UTC", 8), ("+02:00", 6), ("-01:00", 9)):
        entity = only(("a", "site", SIX, MORNING, zone), titles=TIMED)
        assert entity.volumes[0].start == datetime(2026, 11, 22, hour, 30, tzinfo=UTC)


@pytest.mark.parametrize("value", [date(2026, 11, 22), time(8, 30), timedelta(hours=8)])
def test_a_day_or_a_time_of_day_alone_is_refused(value):
    assert refused(("a", "site", SIX, value, "UTC"), titles=TIMED).field == "start"


def test_a_date_where_a_text_belongs_is_refused():
    assert refused((MORNING, "site", SIX)).field == "id"


def test_a_number_where_coordinates_belong_is_refused():
    assert refused(("a", "site", 36.37)).field == "position"


def test_merged_cells_are_refused_with_their_range():
    def change(book):
        book.active.merge_cells("B2:B3")

    problem = refused(("a", "site", SIX), ("b", None, SIX), change=change)
    assert "B2:B3" in problem.what


def test_the_sheet_called_entities_is_read_wherever_it_stands():
    def change(book):
        book.active.title = "notes"
        sheet = book.create_sheet("Entities")
        sheet.append(("id", "kind", "position"))
        sheet.append(("b", "site", SIX))

    entity = only(("a", "site", SIX), change=change)
    assert entity.id == "b"
    assert any('"notes"' in sentence for sentence in entity.assumed)


def test_else_the_first_sheet_is_read_and_the_others_are_named():
    def change(book):
        book.create_sheet("more")
        book.create_sheet("help")

    entity = only(("a", "site", SIX), change=change)
    (said,) = [sentence for sentence in entity.assumed if "sheet" in sentence]
    assert '"more"' in said
    assert "help" not in said


def test_a_hidden_sheet_is_refused():
    def change(book):
        book.create_sheet("shown")
        book.worksheets[0].sheet_state = "hidden"

    assert "hidden" in refused(("a", "site", SIX), change=change).what


def test_rows_and_columns_that_are_hidden_count():
    def change(book):
        book.active.row_dimensions[2].hidden = True
        book.active.column_dimensions["C"].hidden = True

    assert only(("a", "site", SIX), change=change).id == "a"


def test_a_value_beside_the_table_is_refused_by_its_row():
    read_ = result(("a", "site", SIX), ("b", "site", SIX, "beside"))
    assert [entity.id for entity in read_.entities] == ["a"]
    assert read_.problems[0].place == "row 3"


def test_a_wrong_dimension_hides_no_row():
    data = workbook(("a", "site", SIX), ("b", "site", SIX))
    target = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(data)) as source,
        zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as changed,
    ):
        for info in source.infolist():
            content = source.read(info)
            if info.filename == "xl/worksheets/sheet1.xml":
                assert b'<dimension ref="A1:C3"' in content
                content = content.replace(b'ref="A1:C3"', b'ref="A1:A1"')
            changed.writestr(info.filename, content)
    assert len(read(target.getvalue(), name="x").entities) == 2


START = datetime(2026, 11, 22, 8, tzinfo=UTC)
ENTITIES = (
    Entity(
        id="=1+1",
        kind=Kind.OPERATION,
        volumes=(
            Volume4D(
                footprint=Circle((-36.123456789012, -179.9999), 250.125),
                band=AltitudeBand(Height(0.1, AltitudeReference.MSL), None),
                start=START,
                end=START + timedelta(microseconds=1),
                uncertainty_m=1 / 3,
                danger_radius_m=400.0,
            ),
        ),
        hazardous=True,
        party="@both",
        name="مستشفى",
    ),
    Entity(
        id="-2",
        kind=Kind.SITE,
        volumes=(Volume4D(footprint=Polygon(((10.1, 20.2), (10.3, 20.2), (10.3, 20.4)))),),
        name="'quoted",
    ),
)


def test_what_is_written_reads_back_as_the_same_entities():
    read_ = read(write(ENTITIES), name="x.xlsx")
    assert not read_.problems, [str(problem) for problem in read_.problems]
    for before, after in zip(ENTITIES, read_.entities, strict=True):
        assert (before.id, before.kind, before.party, before.name) == (
            after.id,
            after.kind,
            after.party,
            after.name,
        )
        (old,), (new,) = before.volumes, after.volumes
        assert (old.band, old.start, old.end) == (new.band, new.start, new.end)
        assert old.footprint == new.footprint
        assert new.uncertainty_m == pytest.approx(old.uncertainty_m, abs=1e-6)
        assert before.hazardous == after.hazardous


def test_no_text_is_written_as_a_formula():
    book = openpyxl.load_workbook(io.BytesIO(write(ENTITIES)))
    cells = [cell for row in book["entities"].iter_rows() for cell in row if cell.value is not None]
    assert {cell.data_type for cell in cells} == {"s", "n"}
    assert all(cell.quotePrefix for cell in cells if cell.data_type == "s")
    assert "=1+1" in {cell.value for cell in cells}


def test_two_runs_write_the_same_bytes():
    assert write(ENTITIES) == write(ENTITIES)


def test_no_time_of_writing_is_in_the_file():
    with zipfile.ZipFile(io.BytesIO(write(ENTITIES))) as archive:
        assert {info.date_time for info in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        core = archive.read("docProps/core.xml")
    assert core.count(b"2000-01-01T00:00:00Z") == 2


@pytest.mark.parametrize("name", ["x" * (MAX_CELL + 1), "bell \x07"])
def test_a_text_that_no_cell_can_hold_is_refused_by_entity(name):
    volume = Volume4D(footprint=Circle((1.0, 2.0), 3.0))
    with pytest.raises(InputError, match="entity F-7"):
        write([Entity(id="F-7", kind=Kind.SITE, volumes=(volume,), name=name)])
