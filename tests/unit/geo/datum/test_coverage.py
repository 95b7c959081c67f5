"""True areas of operations, and outlines of countries; oracle of distances: GeographicLib."""

import pytest
from geographiclib.geodesic import Geodesic

from deconflict.geo.datum.coverage import area_of
from deconflict.geo.datum.outlines import Border, outlines


@pytest.mark.parametrize(
    ("text", "countries"),
    [
        ("Russian Federation - onshore.", {"Russia"}),
        ("Türkiye (Turkey) - onshore and offshore.", {"Turkey"}),
        ("Iraq, Israel, Jordan, Lebanon, Kuwait, Saudi Arabia and Syria - onshore.",
         {"Iraq", "Israel", "Jordan", "Lebanon", "Kuwait", "Saudi Arabia", "Syria"}),
        ("Guinea-Bissau - onshore.", {"Guinea-Bissau"}),
        ("Equatorial Guinea - Bioko onshore.", {"Eq. Guinea"}),
        ("Papua New Guinea - onshore.", {"Papua New Guinea"}),
        ("Eritrea; Ethiopia; South Sudan; Sudan.", {"Eritrea", "Ethiopia", "S. Sudan", "Sudan"}),
        ("Nigeria - onshore.", {"Nigeria"}),
        ("United States (USA) - New Mexico.", {"United States of America"}),
        ("Europe - west.", set()),
        ("", set()),
    ],
)  # fmt: skip
def test_an_area_text_gives_the_countries_it_names(text, countries):
    assert area_of(text).countries == countries


def test_the_world_is_everywhere_and_names_no_country():
    assert area_of("World.").everywhere
    assert not area_of("Russian Federation - onshore.").everywhere


def test_what_an_area_text_leaves_out_is_not_named():
    assert area_of("Africa: Kenya; Uganda excluding Tanzania.").countries == {"Kenya", "Uganda"}


def test_an_area_offshore_alone_is_known_as_such():
    assert area_of("Germany - offshore North Sea.").offshore
    assert not area_of("Norway - onshore and offshore.").offshore


def depth_km(countries, lat, lon, reach_km=300.0):
    return Border(frozenset(countries)).depth_km(lat, lon, reach_km)


@pytest.mark.parametrize(
    ("country", "lat", "lon"),
    [
        ("Syria", 36.37, 37.515), ("Russia", 55.75, 37.62), ("Russia", 67.5, -179.5),
        ("Russia", 67.5, 179.5), ("Sudan", 15.6, 32.5), ("Antarctica", -85.0, 120.0),
        ("Fiji", -17.8, 178.0), ("Lesotho", -29.5, 28.3), ("United States of America", 39.0, -98.0),
    ],
)  # fmt: skip
def test_a_place_lies_in_its_country_and_in_no_other(country, lat, lon):
    inside = [name for name in outlines().names if depth_km({name}, lat, lon, 10.0) > 0]
    assert inside == [country]


def test_the_sea_lies_in_no_country():
    names = outlines().names
    assert not [name for name in names if depth_km({name}, 30.0, -40.0, 10.0) > 0]


def test_a_border_between_two_countries_of_a_set_vanishes():
    kharkiv = (49.99, 36.23)
    assert 0 < depth_km({"Ukraine"}, *kharkiv) < 60
    assert depth_km({"Ukraine", "Russia"}, *kharkiv) > 200


@pytest.mark.parametrize(("lat", "lon"), [(36.37, 37.515), (33.5, 36.9), (35.3, 40.1)])
def test_the_depth_is_the_distance_to_the_nearest_piece_of_the_outline(lat, lon):
    every = outlines()
    syria = every.names.index("Syria")
    ours = [i for i in range(len(every.x)) if syria in {every.left[i], every.right[i]}]
    # Every point of the outline; the pieces between them are a few kilometres long.
    nearest_m = min(
        Geodesic.WGS84.Inverse(lat, lon, every.y[i] / 1e5, every.x[i] / 1e5)["s12"] for i in ours
    )
    assert depth_km({"Syria"}, lat, lon) == pytest.approx(nearest_m / 1000, rel=0.05)


def test_beyond_its_reach_a_depth_is_the_reach():
    assert depth_km({"Russia"}, 62.0, 95.0, 40.0) == 40.0
    assert depth_km({"Russia"}, 10.0, 95.0, 40.0) == -40.0
