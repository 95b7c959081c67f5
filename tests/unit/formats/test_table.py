"""Tables as CSV: one row an entity, each refused by itself, and read back as written."""

import csv
import io
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from deconflict.formats.csv_text import read, write
from deconflict.formats.names import KNOWN
from deconflict.formats.reading import Defaults, Limits
from deconflict.formats.table import COLUMNS
from deconflict.geo.errors import InputError
from deconflict.geo.height import AltitudeBand, AltitudeReference, Height
from deconflict.geo.volume import Circle, Polygon, Route, Volume4D
from deconflict.register.entity import Entity, Kind, ZoneRule

MGRS = "37SCA0001000010"
SIX = "36.370000 N 37.515000 E WGS 84"


def table(*rows, delimiter=","):
    """Return a table from dictionaries by column."""
    titles = list(dict.fromkeys(name for row in rows for name in row))
    target = io.StringIO()
    writer = csv.DictWriter(target, titles, delimiter=delimiter, restval="")
    writer.writeheader()
    writer.writerows(rows)
    return target.getvalue().encode()


def site(**columns):
    return {"id": "a", "kind": "site", "position": SIX, **columns}


def only(*rows, **kwargs):
    """Return the one entity of a table."""
    result = read(table(*rows), name="plans.csv", **kwargs)
    assert not result.problems, [str(problem) for problem in result.problems]
    (entity,) = result.entities
    return entity


def refused(*rows, **kwargs):
    """Return the one problem of a table without entities."""
    result = read(table(*rows), name="plans.csv", **kwargs)
    assert not result.entities
    (problem,) = result.problems
    assert problem.remedy
    return problem


def test_a_row_is_an_entity_with_the_place_it_came_from():
    entity = only(site(party="Party A", name="School", uncertainty_m="12.5"))
    assert entity.id == "a"
    assert entity.kind is Kind.SITE
    assert entity.party == "Party A"
    assert entity.name == "School"
    assert entity.source == "plans.csv, row 2"
    assert entity.volumes[0].footprint == Circle((36.37, 37.515), 0.0)
    assert entity.positions[0].text == SIX
    assert entity.positions[0].stated_uncertainty_m == 12.5


def test_the_uncertainty_is_the_one_stated_and_that_of_the_last_digit():
    # Half of 1e-6 degrees is 0.0556 m north and 0.0448 m east at 36.37 N: 0.0714 m.
    entity = only(site(uncertainty_m="12.5"))
    assert entity.volumes[0].uncertainty_m == pytest.approx(12.5714, abs=2e-4)


def test_a_row_without_id_is_called_by_file_and_row():
    row = site()
    del row["id"]
    assert only(row).id == "plans.csv, row 2"


def test_a_radius_makes_a_circle():
    assert only(site(radius_m="300")).volumes[0].footprint == Circle((36.37, 37.515), 300.0)


def test_several_positions_and_a_width_make_a_route():
    row = site(kind="movement", position=f"{SIX}; 36.38 N 37.52 E WGS 84", width_m="40")
    entity = only(row)
    assert entity.volumes[0].footprint == Route(((36.37, 37.515), (36.38, 37.52)), 40.0)
    assert len(entity.positions) == 2


def test_a_footprint_is_as_uncertain_as_its_least_known_vertex():
    row = site(kind="movement", position=f"{SIX}; 36.38 N 37.52 E WGS 84", width_m="40")
    assert only(row).volumes[0].uncertainty_m == pytest.approx(713.5, abs=1)


def test_several_positions_and_the_word_polygon_make_a_polygon_closed_or_not():
    corners = ["36.37 N 37.51 E", "36.38 N 37.51 E", "36.38 N 37.52 E"]
    open_ = only(site(position="; ".join(corners), shape="polygon", datum="WGS 84"))
    closed = only(site(position="; ".join([*corners, corners[0]]), shape="polygon", datum="WGS 84"))
    expected = Polygon(((36.37, 37.51), (36.38, 37.51), (36.38, 37.52)))
    assert open_.volumes[0].footprint == closed.volumes[0].footprint == expected


def test_two_positions_can_only_be_a_route():
    entity = only(site(position=f"{SIX}; 36.38 N 37.52 E WGS 84"))
    assert len(entity.volumes[0].footprint.points) == 2


def test_three_positions_without_a_shape_are_refused():
    problem = refused(site(position=f"{SIX}; 36.38 N 37.52 E WGS 84; 36.39 N 37.51 E WGS 84"))
    assert problem.field == "shape"
    assert "route or a polygon" in problem.what


@pytest.mark.parametrize(
    ("columns", "field"),
    [
        ({"shape": "route"}, "position"),
        ({"shape": "polygon"}, "position"),
        ({"shape": "circle"}, "radius_m"),
        ({"shape": "square"}, "shape"),
        ({"shape": "point", "position": f"{SIX}; {MGRS}"}, "shape"),
        ({"shape": "polygon", "position": f"{SIX}; {MGRS}"}, "position"),
        ({"shape": "polygon", "position": f"{SIX}; {SIX}; {MGRS}; {MGRS}"}, "position 2"),
    ],
)
def test_a_shape_that_its_positions_do_not_make_is_refused(columns, field):
    assert refused(site(**columns)).field == field


def test_the_column_datum_holds_for_texts_that_name_none():
    with_column = only(site(position="36.370000 N 37.515000 E", datum="ED50"))
    in_text = only(site(position="36.370000 N 37.515000 E ED50"))
    assert with_column.volumes[0] == in_text.volumes[0]
    assert with_column.volumes[0].footprint.center != (36.37, 37.515)
    assert any("column datum" in sentence for sentence in with_column.assumed)


def test_a_text_on_another_datum_than_the_column_says_is_refused():
    problem = refused(site(position="36.370000 N 37.515000 E ED50", datum="WGS 84"))
    assert "ED50" in problem.what
    assert "WGS 84" in problem.what


def test_degrees_without_a_datum_are_refused_unless_the_user_names_one():
    row = site(position="36.370000 N 37.515000 E")
    assert "datum" in refused(row).what
    assert only(row, defaults=Defaults(datum="WGS 84")).positions[0].datum == "WGS 84"


def test_latitude_and_longitude_may_stand_in_columns_of_their_own():
    row = {"kind": "site", "lat": "-36.370000", "lon": "37.515000", "datum": "WGS 84"}
    assert only(row).volumes[0].footprint == Circle((-36.37, 37.515), 0.0)


def test_columns_of_latitude_and_longitude_need_a_datum_too():
    assert "datum" in refused({"kind": "site", "lat": "36.37", "lon": "37.515"}).what


def test_heights_may_be_texts():
    entity = only(site(lower="500 ft AGL", upper="FL100"))
    assert entity.volumes[0].band == AltitudeBand(
        Height(152.4, AltitudeReference.AGL), Height(3048.0, AltitudeReference.FL)
    )


def test_heights_may_be_metres_above_one_reference():
    entity = only(site(lower_m="100", upper_m="200", altitude_reference="MSL", ground_m="40"))
    assert entity.volumes[0].band == AltitudeBand(
        Height(100.0, AltitudeReference.MSL), Height(200.0, AltitudeReference.MSL), 40.0
    )


def test_heights_as_text_and_in_metres_together_are_refused():
    assert refused(site(lower="GND", upper_m="200")).field == "upper_m"


def test_an_empty_height_is_no_limit_and_never_zero():
    entity = only(site(lower="", upper="FL100"))
    assert entity.volumes[0].band.lower is None


def test_a_lower_text_above_the_upper_one_is_refused():
    assert refused(site(lower="FL120", upper="FL100")).field == "lower"


def test_times_without_offset_need_the_column_timezone():
    row = site(start="2026-11-22 08:00", end="2026-11-22T09:00:30")
    assert refused(row).field == "start"
    entity = only({**row, "timezone": "+02:00"})
    assert entity.volumes[0].start == datetime(2026, 11, 22, 6, tzinfo=UTC)
    assert entity.volumes[0].end == datetime(2026, 11, 22, 7, 0, 30, tzinfo=UTC)


def test_a_time_that_states_its_offset_keeps_it():
    entity = only(site(start="2026-11-22T08:00:00Z", timezone="+02:00"))
    assert entity.volumes[0].start == datetime(2026, 11, 22, 8, tzinfo=UTC)


def test_names_of_time_zones_are_refused():
    assert refused(site(start="2026-11-22T08:00:00", timezone="CET")).field == "timezone"


def test_a_movement_may_state_a_time_for_each_position():
    row = site(
        kind="movement",
        position=f"{SIX}; 36.380000 N 37.520000 E WGS 84",
        width_m="40",
        times="2026-11-22T08:00:00Z; 2026-11-22T09:00:00Z",
    )
    start = datetime(2026, 11, 22, 8, tzinfo=UTC)
    assert only(row).volumes[0].footprint.times == (start, start + timedelta(hours=1))


def test_lists_are_separated_by_semicolons():
    entity = only(site(kind="zone", applies_to="Party A; Party B", rule="keep_in"))
    assert entity.applies_to == ("Party A", "Party B")
    assert entity.rule is ZoneRule.KEEP_IN


def test_the_same_place_in_another_notation_is_read():
    entity = only(site(also_at="36°22'12.0\"N 37°30'54.0\"E", datum="WGS 84"))
    assert entity.also_at[0].lat_lon == pytest.approx((36.37, 37.515))


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_the_separator_is_found_by_the_header(delimiter):
    data = table(site(name="a;b,c\td"), delimiter=delimiter)
    (entity,) = read(data, name="x.csv").entities
    assert entity.volumes[0].footprint == Circle((36.37, 37.515), 0.0)


def test_a_first_line_may_name_the_separator():
    data = b"sep=;\r\n" + table(site(), delimiter=";")
    (entity,) = read(data, name="x.csv").entities
    assert entity.source == "x.csv, row 3"


def test_titles_may_differ_in_case_and_blanks():
    data = table({"ID": "a", " Kind ": "site", "Position": SIX, "danger radius m": ""})
    assert read(data, name="x.csv").entities[0].id == "a"


def test_a_byte_order_mark_and_names_in_any_script_are_read():
    data = b"\xef\xbb\xbf" + table(site(name="مستشفى الباب", party="Сторона Б"))
    entity = read(data, name="x.csv").entities[0]
    assert entity.name == "مستشفى الباب"
    assert entity.party == "Сторона Б"


def test_a_decimal_comma_is_read_where_a_semicolon_separates():
    data = table(site(uncertainty_m="12,5", radius_m="0,125"), delimiter=";")
    entity = read(data, name="x.csv").entities[0]
    assert entity.positions[0].stated_uncertainty_m == 12.5
    assert entity.volumes[0].footprint.radius_m == 0.125


@pytest.mark.parametrize("delimiter", [",", ";"])
def test_a_comma_that_may_stand_between_thousands_is_refused(delimiter):
    (problem,) = read(table(site(radius_m="1,250"), delimiter=delimiter), name="x").problems
    assert problem.field == "radius_m"


def test_a_decimal_comma_in_a_file_with_commas_is_refused():
    assert refused(site(radius_m="12,5")).field == "radius_m"


def test_columns_that_are_not_known_are_named_in_what_was_assumed():
    entity = only(site(remarks="roof marked", vehicle="lorry"))
    (said,) = [sentence for sentence in entity.assumed if "remarks" in sentence]
    assert '"vehicle"' in said


@pytest.mark.parametrize(
    "title", ["radius", "Radius (m)", "start_time", "uncertainty", "danger_radius", "lower_ft"]
)
def test_a_title_that_looks_like_a_known_one_is_refused(title):
    problem = refused(site(**{title: "5"}))
    assert problem.place == "row 1"
    assert problem.field == title


def test_two_columns_of_one_name_are_refused():
    data = f"id,kind,position,Position\na,site,{SIX},{SIX}\n".encode()
    (problem,) = read(data, name="x.csv").problems
    assert problem.place == "row 1"
    assert "two columns" in problem.what


def test_every_problem_of_a_header_is_told_at_once():
    data = f"id,id,radius,position\na,a,5,{SIX}\n".encode()
    assert len(read(data, name="x.csv").problems) == 2


def test_a_table_without_positions_says_what_to_write():
    result = read(table({"kind": "site", "location": SIX}), name="x.csv")
    assert not result.entities
    assert any('call it "position"' in p.remedy for p in result.problems)


@pytest.mark.parametrize("title", ["position", "Position", "coordinates", "Coordinate"])
def test_the_column_of_coordinates_has_two_names(title):
    (entity,) = read(table({"kind": "site", title: SIX}), name="x.csv").entities
    assert entity.positions[0].text == SIX


def test_one_bad_row_does_not_hide_the_others():
    data = table(
        site(id="a"),
        site(id="b", radius_m="wide"),
        site(id="c", position=""),
        site(id="d", kind="sight"),
        site(id="e"),
    )
    result = read(data, name="x.csv")
    assert [entity.id for entity in result.entities] == ["a", "e"]
    assert [(p.place, p.field) for p in result.problems] == [
        ("row 3", "radius_m"),
        ("row 4", "position"),
        ("row 5", "kind"),
    ]


def test_a_ragged_row_is_refused_by_itself():
    data = table(site(), site()).decode() + "x,site\r\ny,site," + SIX + ",beside\r\n"
    result = read(data.encode(), name="x.csv")
    assert len(result.entities) == 2
    assert [p.place for p in result.problems] == ["row 4", "row 5"]
    assert "2 cells" in result.problems[0].what
    assert "below no title" in result.problems[1].what


def test_rows_are_counted_as_a_spreadsheet_shows_them():
    text = f'id,kind,name,position\n\na,site,"two\nlines",{SIX}\n\nb,site,,\n'
    result = read(text.encode(), name="x.csv")
    assert result.entities[0].source == "x.csv, row 3"
    assert result.problems[0].place == "row 5"


def test_the_example_of_the_template_is_said_to_be_still_there():
    entity = only(site(id="Example-1"))
    assert any("template" in sentence for sentence in entity.assumed)


def test_defaults_fill_kind_and_party():
    row = {"position": SIX}
    entity = only(row, defaults=Defaults(kind=Kind.SITE, party="Party B"))
    assert entity.kind is Kind.SITE
    assert entity.party == "Party B"


def test_more_positions_than_allowed_are_refused():
    row = site(position="; ".join([SIX, MGRS] * 6), shape="polygon")
    assert "12 positions" in refused(row, limits=Limits(vertices=10)).what


def test_more_rows_than_allowed_are_refused():
    result = read(table(site(), site(), site()), name="x", limits=Limits(entities=2))
    assert len(result.entities) == 2
    assert "more than 2" in result.problems[0].what


START = datetime(2026, 11, 22, 8, tzinfo=UTC)
BAND = AltitudeBand(
    Height(100.0, AltitudeReference.MSL), Height(2500.5, AltitudeReference.MSL), 40.25
)
ENTITIES = (
    Entity(
        id="S-1",
        kind=Kind.SITE,
        volumes=(Volume4D(footprint=Circle((36.37, 37.515), 0.0), uncertainty_m=7.5),),
        party="Party A",
        name="=HYPERLINK(1)",
        obtained="gps",
        obtained_at=START,
        reach_m=12.0,
    ),
    Entity(
        id="-2",
        kind=Kind.OPERATION,
        volumes=(
            Volume4D(
                footprint=Circle((-36.123456789012, -179.9999), 250.125),
                band=BAND,
                start=START,
                end=START + timedelta(hours=1, microseconds=5),
                danger_radius_m=0.0,
            ),
        ),
        hazardous=True,
        priority=-3,
    ),
    Entity(
        id="@zone",
        kind=Kind.ZONE,
        volumes=(
            Volume4D(
                footprint=Polygon(((10.1, 20.2), (10.3, 20.2), (10.3, 20.4))),
                band=AltitudeBand(upper=Height(152.4, AltitudeReference.AGL)),
            ),
        ),
        rule=ZoneRule.KEEP_IN,
        applies_to=("Party A", "-2"),
        name="'+1",
    ),
    Entity(
        id="R",
        kind=Kind.MOVEMENT,
        volumes=(
            Volume4D(
                footprint=Route(
                    ((10.1, 20.2), (10.3, 20.2)), 40.0, (START, START + timedelta(hours=2))
                ),
                start=START,
                end=START + timedelta(hours=2),
            ),
        ),
    ),
)


def same(before, after):
    """Check what a verdict depends on."""
    for name in ("id", "kind", "party", "name", "hazardous", "rule", "applies_to", "priority"):
        assert getattr(before, name) == getattr(after, name), name
    assert (before.obtained, before.obtained_at, before.reach_m) == (
        after.obtained,
        after.obtained_at,
        after.reach_m,
    )
    (old,), (new,) = before.volumes, after.volumes
    assert (old.band, old.start, old.end) == (new.band, new.start, new.end)
    assert old.danger_radius_m == new.danger_radius_m
    # Twelve decimals leave a tenth of a micrometre open.
    assert old.uncertainty_m <= new.uncertainty_m + 1e-9
    assert new.uncertainty_m == pytest.approx(old.uncertainty_m, abs=1e-6)
    assert type(old.footprint) is type(new.footprint)
    assert points(old) == pytest.approx(points(new), abs=1e-12)
    for name in ("radius_m", "width_m", "times"):
        assert getattr(old.footprint, name, None) == getattr(new.footprint, name, None)


def points(volume):
    shape = volume.footprint
    if isinstance(shape, Circle):
        return list(shape.center)
    ring = shape.shell if isinstance(shape, Polygon) else shape.points
    return [number for point in ring for number in point]


def test_what_is_written_reads_back_as_the_same_entities():
    result = read(write(ENTITIES), name="x.csv")
    assert not result.problems, [str(problem) for problem in result.problems]
    for before, after in zip(ENTITIES, result.entities, strict=True):
        same(before, after)


def test_coordinate_texts_are_written_as_typed_and_read_back_as_the_same_positions():
    rows = [
        site(id="a", position=MGRS),
        site(id="b", position="36.370000 N 37.515000 E", datum="ED50"),
        site(id="c", position=SIX, also_at=MGRS, own_position=f"{MGRS}"),
        site(id="d", position="36°22'12.0\"N 37°30'54.0\"E", datum="WGS84", uncertainty_m="3"),
    ]
    before = read(table(*rows), name="x.csv").entities
    after = read(write(before), name="x.csv").entities
    assert len(after) == 4
    for old, new in zip(before, after, strict=True):
        assert [p.text for p in old.positions] == [p.text for p in new.positions]
        assert [p.lat_lon for p in old.positions] == [p.lat_lon for p in new.positions]
        assert [p.lat_lon for p in old.also_at] == [p.lat_lon for p in new.also_at]
        assert (old.own_position is None) == (new.own_position is None)
        assert old.volumes == new.volumes


def test_no_cell_that_is_written_begins_like_a_formula():
    rows = list(csv.reader(io.StringIO(write(ENTITIES).decode("utf-8-sig"))))
    cells = {cell for row in rows for cell in row if cell}
    assert "'=HYPERLINK(1)" in cells
    assert "'-2" in cells
    assert "'@zone" in cells
    dangerous = [cell for cell in cells if cell[0] in "=+@\t\r"]
    assert not dangerous
    assert [cell for cell in cells if cell.startswith("-")] == ["-3"]


def test_each_column_beyond_the_fixed_properties_is_documented():
    page = (Path(__file__).parents[3] / "docs" / "reference" / "formats.md").read_text("utf-8")
    for name in COLUMNS - set(KNOWN):
        assert f"`{name}`" in page, name


def test_two_runs_write_the_same_bytes():
    assert write(ENTITIES) == write(ENTITIES)


def test_an_entity_that_does_not_fit_into_a_row_is_refused_by_name():
    volume = Volume4D(footprint=Circle((1.0, 2.0), 3.0))
    twice = Entity(id="F-7", kind=Kind.SITE, volumes=(volume, volume))
    with pytest.raises(InputError, match=r"F-7.*2 volumes") as caught:
        write([twice])
    assert "GeoJSON" in caught.value.remedy


def test_a_zone_that_binds_nobody_is_not_written_as_one_that_binds_everyone():
    volume = Volume4D(footprint=Circle((1.0, 2.0), 3.0))
    with pytest.raises(InputError, match="nobody"):
        write([Entity(id="Z", kind=Kind.ZONE, volumes=(volume,), applies_to=())])
