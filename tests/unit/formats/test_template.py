"""The template can be filled in, explains itself, and is never checked by accident."""

import io

import openpyxl
import pytest

from deconflict.formats import csv_text, xlsx
from deconflict.formats.row import EXAMPLE, EXAMPLE_SAID
from deconflict.formats.table import COLUMNS as KNOWN_COLUMNS
from deconflict.formats.template import CHOICES, COLUMNS, template, template_csv
from deconflict.geo.height import AltitudeReference
from deconflict.register.entity import Kind, ZoneRule


@pytest.fixture(scope="module")
def book():
    return openpyxl.load_workbook(io.BytesIO(template()))


def titles(sheet):
    return [cell.value for cell in sheet[1]]


def test_each_title_is_a_column_that_is_read(book):
    assert set(titles(book["entities"])) == KNOWN_COLUMNS - {"latitude", "longitude", "assumed"}


def test_the_example_is_read_and_said_to_be_one():
    for read, data in ((xlsx.read, template()), (csv_text.read, template_csv())):
        result = read(data, name="template")
        assert not result.problems
        (entity,) = result.entities
        assert EXAMPLE_SAID in entity.assumed


def test_the_example_is_a_valid_entity_once_it_has_an_id_of_its_own(book):
    sheet = book["entities"]
    column = titles(sheet).index("id") + 1
    assert sheet.cell(2, column).value.startswith(EXAMPLE)
    changed = openpyxl.load_workbook(io.BytesIO(template()))
    changed["entities"].cell(2, column).value = "1"
    target = io.BytesIO()
    changed.save(target)
    by_workbook = xlsx.read(target.getvalue(), name="t")
    by_csv = csv_text.read(template_csv().replace(b"EXAMPLE-1", b"1"), name="t")
    assert not by_workbook.problems
    assert not by_csv.problems
    assert by_workbook.entities == by_csv.entities
    assert by_workbook.entities[0].kind is Kind.OPERATION
    assert by_workbook.entities[0].hazardous


@pytest.mark.parametrize(
    ("column", "words"),
    [
        ("kind", {kind.value for kind in Kind}),
        ("altitude_reference", {reference.value for reference in AltitudeReference}),
        ("rule", {rule.value for rule in ZoneRule}),
        ("datum", None),
        ("obtained", None),
        ("shape", None),
    ],
)
def test_a_column_of_fixed_words_has_a_drop_down(book, column, words):
    sheet = book["entities"]
    letter = sheet.cell(1, titles(sheet).index(column) + 1).column_letter
    (found,) = [
        validation
        for validation in sheet.data_validations.dataValidation
        if validation.type == "list" and f"{letter}3" in validation.sqref
    ]
    offered = set(found.formula1.strip('"').split(","))
    assert len(found.formula1) <= 255  # the longest list that spreadsheet programs take
    assert offered == (words or set(CHOICES[column]))


def test_each_datum_offered_is_known():
    from deconflict.geo.datum import datum_named

    for name in CHOICES["datum"]:
        assert datum_named(name).name == name


def test_each_column_is_explained_in_a_sentence(book):
    rows = [[cell.value for cell in row] for row in book["help"].iter_rows(min_row=2)]
    assert [row[0] for row in rows] == list(COLUMNS)
    assert all(row[1].endswith(".") for row in rows)


def test_prompts_are_not_longer_than_spreadsheet_programs_take(book):
    for validation in book["entities"].data_validations.dataValidation:
        assert len(validation.prompt) <= 255
        assert len(validation.promptTitle) <= 32
        assert validation.prompt.endswith(".")


def test_titles_stay_in_sight_and_columns_are_wide_enough_for_them(book):
    sheet = book["entities"]
    assert sheet.freeze_panes == "B2"
    for cell in sheet[1]:
        assert sheet.column_dimensions[cell.column_letter].width > len(cell.value)


def test_columns_of_text_are_formatted_as_text(book):
    sheet = book["entities"]
    for name in ("id", "position", "start"):
        letter = sheet.cell(1, titles(sheet).index(name) + 1).column_letter
        assert sheet.column_dimensions[letter].number_format == "@"


def test_two_calls_give_the_same_bytes():
    assert template() == template()
    assert template_csv() == template_csv()
