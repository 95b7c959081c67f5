"""Heights and bands; oracle for flight levels: the hydrostatic equation, integrated here."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deconflict.geo.errors import InputError
from deconflict.geo.height import (
    EVERY_HEIGHT,
    AltitudeBand,
    AltitudeReference,
    Height,
    ellipsoid_interval,
    height_gap,
    read_height,
    to_ellipsoid,
)

W84, MSL, AGL, FL = AltitudeReference
ALEPPO = ((36.2, 37.16),)
ALEPPO_GEOID_M = 27.05


def band(reference, lower, upper, ground_m=None):
    return AltitudeBand(
        None if lower is None else Height(lower, reference),
        None if upper is None else Height(upper, reference),
        ground_m,
    )


def level(number):
    return number * 30.48


def levels(lower, upper):
    return band(FL, level(lower), level(upper))


@pytest.mark.parametrize(
    ("text", "height"),
    [
        ("FL100", Height(3048.0, FL)),
        ("FL 095", Height(2895.6, FL)),
        ("fl 5", Height(152.4, FL)),
        ("3000 ft MSL", Height(914.4, MSL)),
        ("3000ft AMSL", Height(914.4, MSL)),
        ("1000' MSL", Height(304.8, MSL)),
        ("MSL 1000 feet", Height(304.8, MSL)),
        ("500 m AGL", Height(500.0, AGL)),
        ("AGL 500 m", Height(500.0, AGL)),
        ("500 M (AGL)", Height(500.0, AGL)),
        ("2500 ft ASFC", Height(762.0, AGL)),
        ("120 m W84", Height(120.0, W84)),
        ("-5 m AGL", Height(-5.0, AGL)),
        ("1,5 m AGL", Height(1.5, AGL)),
        ("GND", Height(0.0, AGL)),
        ("sfc", Height(0.0, AGL)),
        ("MSL", Height(0.0, MSL)),
        ("UNL", None),
        ("Unlimited", None),
    ],
)
def test_heights_are_read_as_aeronautical_texts_write_them(text, height):
    found = read_height(text)
    if height is None:
        assert found is None
    else:
        assert found is not None
        assert found.reference is height.reference
        assert found.value_m == pytest.approx(height.value_m, abs=1e-9)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("3000", "no unit"),
        ("3000 ft", "above what"),
        ("3000 MSL", "no unit"),
        ("10,000 ft MSL", "thousands or a decimal"),
        ("FL10000", "no height"),
        ("MSL 3000 ft AGL", "contradict"),
        ("", "no height"),
        ("high", "no height"),
        ("nan m MSL", "no height"),
        ("99999999 m MSL", "beyond all that flies"),
    ],
)
def test_a_height_without_unit_or_reference_is_refused_with_an_example(text, said):
    with pytest.raises(InputError, match=said) as caught:
        read_height(text)
    assert caught.value.remedy


@pytest.mark.parametrize("value_m", [math.nan, math.inf, -math.inf, 1e30, -1e30])
def test_a_height_that_is_no_height_is_refused(value_m):
    with pytest.raises(InputError):
        Height(value_m)
    with pytest.raises(InputError):
        AltitudeBand(ground_m=value_m)


def test_a_lower_limit_above_the_upper_one_is_refused_in_one_reference_only():
    with pytest.raises(InputError, match="lies above the upper limit"):
        band(MSL, 200.0, 100.0)
    assert AltitudeBand(Height(200.0, AGL), Height(100.0, MSL)).lower is not None
    assert band(MSL, 100.0, 100.0).upper == Height(100.0, MSL)


@pytest.mark.parametrize("reference", list(AltitudeReference))
def test_bands_in_one_reference_are_compared_in_it(reference):
    assert height_gap(band(reference, 0, 100), band(reference, 130, 200), ALEPPO) == (30.0, ())
    assert height_gap(band(reference, 130, 200), band(reference, 0, 100), ALEPPO) == (30.0, ())
    assert height_gap(band(reference, 0, 100), band(reference, 100, 200), ALEPPO) == (0.0, ())
    assert height_gap(band(reference, 0, 100), band(reference, 70, 200), ALEPPO) == (-30.0, ())


def test_flight_levels_100_to_120_do_not_meet_130_to_150_whatever_the_pressure():
    gap = height_gap(levels(100, 120), levels(130, 150), ALEPPO)
    assert gap.gap_m == pytest.approx(304.8)
    assert gap.assumed == ()


def test_no_limit_is_not_zero():
    assert height_gap(EVERY_HEIGHT, band(MSL, 0, 100), ALEPPO) == (-math.inf, ())
    assert height_gap(band(MSL, None, 100), band(MSL, 50, None), ALEPPO).gap_m == -50.0
    assert height_gap(band(MSL, None, -5), band(MSL, 0, None), ALEPPO).gap_m == 5.0
    assert ellipsoid_interval(EVERY_HEIGHT, ALEPPO) == (-math.inf, math.inf, ())


def test_bands_whose_limits_differ_in_reference_are_compared_limit_by_limit():
    mixed = AltitudeBand(Height(50.0, AGL), Height(level(100), FL))
    gap = height_gap(mixed, levels(130, 150), ALEPPO)
    assert gap.gap_m == pytest.approx(level(30))
    below = height_gap(mixed, band(AGL, 0, 30), ALEPPO)
    assert below.gap_m == pytest.approx(20.0)


def test_above_the_sea_and_above_the_ellipsoid_differ_by_the_geoid():
    gap = height_gap(band(MSL, 0, 100), band(W84, 200, 300), ALEPPO)
    assert gap.gap_m == pytest.approx(100 - ALEPPO_GEOID_M, abs=1.5)
    assert gap.gap_m < 100 - ALEPPO_GEOID_M
    assert any("EGM96" in sentence for sentence in gap.assumed)
    reverse = height_gap(band(MSL, 200, 300), band(W84, 0, 100), ALEPPO)
    assert reverse.gap_m == pytest.approx(100 + ALEPPO_GEOID_M, abs=1.5)
    assert reverse.gap_m < 100 + ALEPPO_GEOID_M


def test_one_height_at_one_point_becomes_an_interval_round_it():
    least, most, assumed = to_ellipsoid(Height(100.0, MSL), *ALEPPO[0])
    assert least < 100 + ALEPPO_GEOID_M < most
    assert most - least < 3.0
    assert assumed


def test_above_ground_without_the_ground_is_unbounded_and_that_is_said():
    interval = ellipsoid_interval(band(AGL, 50, 120), ALEPPO)
    assert (interval.lower_m, interval.upper_m) == (-math.inf, math.inf)
    assert len(interval.assumed) == 2
    assert all("ground's elevation is not known" in sentence for sentence in interval.assumed)
    gap = height_gap(band(AGL, 50, 120), levels(300, 350), ALEPPO)
    assert gap.gap_m == -math.inf
    assert any("unbounded upward" in sentence for sentence in gap.assumed)


def test_above_ground_with_the_ground_is_a_height_above_the_sea():
    interval = ellipsoid_interval(band(AGL, 50, 120, ground_m=400.0), ALEPPO)
    assert interval.lower_m == pytest.approx(450 + ALEPPO_GEOID_M, abs=1.5)
    assert interval.lower_m < 450 + ALEPPO_GEOID_M
    assert interval.upper_m == pytest.approx(520 + ALEPPO_GEOID_M, abs=1.5)
    assert interval.upper_m > 520 + ALEPPO_GEOID_M
    assert any("400 m above mean sea level" in sentence for sentence in interval.assumed)


@pytest.mark.parametrize("value_m", [0.0, -3.0])
def test_a_lower_limit_at_the_ground_is_unbounded_downward_even_if_the_ground_is_known(value_m):
    interval = ellipsoid_interval(band(AGL, value_m, 120, ground_m=400.0), ALEPPO)
    assert interval.lower_m == -math.inf
    assert math.isfinite(interval.upper_m)
    assert any("unbounded downward" in sentence for sentence in interval.assumed)


def true_height_m(pressure_altitude_m, sea_level_hpa, warmer_k):
    """Geometric height of a pressure level in air that much warmer than standard at each level."""

    def standard_altitude(hpa):
        # ICAO standard atmosphere below and above 11 km, geopotential metres
        if hpa >= 226.3206:
            return 288.15 / 0.0065 * (1 - (hpa / 1013.25) ** (0.0065 * 287.05287 / 9.80665))
        return 11000 + 287.05287 * 216.65 / 9.80665 * math.log(226.3206 / hpa)

    def pressure(altitude):
        if altitude <= 11000:
            return 1013.25 * (1 - 0.0065 * altitude / 288.15) ** (9.80665 / 0.0065 / 287.05287)
        return 226.3206 * math.exp(-(altitude - 11000) * 9.80665 / 287.05287 / 216.65)

    steps = 400
    top, bottom = math.log(pressure(pressure_altitude_m)), math.log(sea_level_hpa)
    work = 0.0
    for i in range(steps):
        hpa = math.exp(bottom + (top - bottom) * (i + 0.5) / steps)
        altitude = standard_altitude(hpa)
        kelvin = max(288.15 - 0.0065 * altitude, 216.65) + warmer_k
        work += 287.05287 * kelvin * (bottom - top) / steps
    geopotential = work / 9.80665
    return geopotential / (1 - geopotential / 6356766)


@pytest.mark.parametrize("number", [0, 10, 50, 100, 200, 300, 400, 600])
@pytest.mark.parametrize("sea_level_hpa", [870.0, 950.0, 1013.25, 1085.0])
@pytest.mark.parametrize("warmer_k", [-60.0, -30.0, 0.0, 40.0])
def test_a_flight_level_s_interval_holds_it_in_every_weather_on_record(
    number, sea_level_hpa, warmer_k
):
    interval = to_ellipsoid(Height(level(number), FL), *ALEPPO[0])
    height_m = true_height_m(level(number), sea_level_hpa, warmer_k) + ALEPPO_GEOID_M
    assert interval.lower_m <= height_m <= interval.upper_m


def test_the_weather_s_reach_is_not_wider_than_it_need_be():
    interval = to_ellipsoid(Height(level(100), FL), *ALEPPO[0])
    cold = true_height_m(level(100), 870.0, -60.0) + ALEPPO_GEOID_M
    warm = true_height_m(level(100), 1085.0, 40.0) + ALEPPO_GEOID_M
    assert interval.lower_m > cold - 60
    assert interval.upper_m < warm + 60


def test_thirty_kelvin_below_standard_lower_a_level_at_3_km_by_323_metres():
    # The oracle's own check, against the figure that pilots use.
    standard = true_height_m(3000, 1013.25, 0.0)
    assert standard - true_height_m(3000, 1013.25, -30.0) == pytest.approx(323, abs=5)


def test_a_flight_level_above_any_weather_is_clear_of_the_ground_s_neighbourhood():
    gap = height_gap(band(AGL, 0, 120, ground_m=400.0), levels(300, 350), ALEPPO)
    assert gap.gap_m > 4000
    assert any("870" in sentence for sentence in gap.assumed)


def test_footprints_wider_than_their_points_take_the_geoid_of_their_reach():
    here = ((-9.5, 110.0),)
    narrow = ellipsoid_interval(band(MSL, 0, 100), here)
    wide = ellipsoid_interval(band(MSL, 0, 100), here, reach_m=50_000.0)
    assert wide.lower_m < narrow.lower_m
    assert wide.upper_m > narrow.upper_m


def limits():
    return st.one_of(
        st.none(),
        st.builds(Height, st.floats(-1000, 20000), st.sampled_from(list(AltitudeReference))),
    )


def made(lower, upper, ground_m):
    try:
        return AltitudeBand(lower, upper, ground_m)
    except InputError:
        return AltitudeBand(upper, lower, ground_m)


def bands():
    return st.builds(made, limits(), limits(), st.one_of(st.none(), st.floats(-400, 4000)))


@settings(derandomize=True, deadline=None, max_examples=300)
@given(bands(), bands())
def test_the_gap_is_the_same_from_both_sides_and_never_nan(a, b):
    gap, back = height_gap(a, b, ALEPPO), height_gap(b, a, ALEPPO)
    assert gap.gap_m == back.gap_m
    assert not math.isnan(gap.gap_m)
    assert set(gap.assumed) == set(back.assumed)


@settings(derandomize=True, deadline=None, max_examples=300)
@given(bands(), bands())
def test_bands_apart_above_the_ellipsoid_are_never_found_nearer_than_their_intervals(a, b):
    gap = height_gap(a, b, ALEPPO).gap_m
    first, second = ellipsoid_interval(a, ALEPPO), ellipsoid_interval(b, ALEPPO)
    apart = max(second.lower_m - first.upper_m, first.lower_m - second.upper_m)
    assert gap >= apart - 1e-6 or AGL in {
        h.reference for h in (a.lower, a.upper, b.lower, b.upper) if h is not None
    }
