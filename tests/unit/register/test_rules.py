import tomllib
from importlib import resources

import pytest

from deconflict.geo.errors import InputError
from deconflict.register.entity import ZoneRule
from deconflict.register.rules import MAX_BYTES, default_rules, load_rules

DEFAULT = resources.files("deconflict.register").joinpath("rules.toml").read_text(encoding="utf-8")


@pytest.fixture
def load(tmp_path):
    def read(text):
        path = tmp_path / "mine.toml"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return load_rules(path)

    return read


def changed(old, new, count=1):
    assert old in DEFAULT
    return DEFAULT.replace(old, new, count)


def without(header, name):
    """Return the default table without the row that has a name."""
    start = DEFAULT.rindex(f"[[{header}]]", 0, DEFAULT.index(f'name = "{name}"'))
    end = DEFAULT.index("\n\n", start)
    return DEFAULT[:start] + DEFAULT[end:]


def test_the_default_table_has_zero_margins_and_a_sentence_in_each_row():
    rules = default_rules()
    for row in (*rules.must_not_meet, *rules.zone):
        assert row.is_zero
        assert row.enforced
    table = tomllib.loads(DEFAULT)
    rows = [
        row
        for key in ("must_not_meet", "zone", "target", "stale", "obtained")
        for row in table[key]
    ]
    assert all(len(row["says"]) > 20 for row in rows)


def test_the_default_table_judges_every_rule_that_a_zone_can_have():
    assert {row.rule for row in default_rules().zone} == set(ZoneRule)


def test_the_default_table_loads_as_a_users_table_and_leaves_nothing_out(load):
    rules = load(DEFAULT)
    assert rules.notes == ()
    assert rules.must_not_meet == default_rules().must_not_meet
    assert rules.source == "the rules table mine.toml"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            changed("plan_m = 0\n", "plan_m = -1\n"),
            "must_not_meet, row 1, plan_m: the number is not >= 0",
        ),
        (changed("plan_m = 0\n", 'plan_m = "0"\n'), "plan_m: it is no number"),
        (changed("plan_m = 0\n", "plan_m = true\n"), "plan_m: it is no number"),
        (changed("plan_m = 0\n", "plan_m = inf\n"), "plan_m = inf"),
        (changed("plan_m = 0\n", "plan_m = nan\n"), "plan_m"),
        (changed("time_s = 0\n", "time_s = 1e15\n"), "the number is not <= 1000000000"),
        (changed("max_age_h = 72\n", "max_age_h = 1e15\n"), "the number is not <= 1000000000"),
        (changed("plan_m = 0\n", "plan_ft = 0\n"), "there is no column plan_ft"),
        (changed('first = "hazardous operation"', 'first = "aircraft"'), "aircraft"),
        (changed('demand = "inside one"', 'demand = "inside two"'), "inside two"),
        (changed('rule = "corridor"', 'rule = "corridors"'), "corridors"),
        (changed("enforced = true", 'enforced = "yes"'), "neither true nor false"),
        (
            changed('binds = ["operation", "movement"]', "binds = []"),
            "binds: fewer than 1 are given",
        ),
        (changed("version = 1", "version = 2"), "2"),
        (changed("version = 1", ""), "version"),
        (changed("version = 1", 'version = 1\nnotes = ["all is well"]'), "unknown key notes"),
        ("[[must_not_meet", "not TOML"),
        (b"\xff\xfe\x00", "not TOML"),
        ("a = " + "[" * 5000, "not TOML"),
        (b" " * (MAX_BYTES + 1), "larger than"),
    ],
)
def test_a_table_with_a_fault_is_refused_with_the_fault_named(load, text, said):
    with pytest.raises(InputError) as refused:
        load(text)
    assert said in str(refused.value)
    assert "mine.toml" in str(refused.value)
    assert refused.value.remedy


def test_a_table_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"can't be read \(No such file"):
        load_rules(tmp_path / "none.toml")


@pytest.mark.parametrize(
    ("header", "name", "said"),
    [
        ("must_not_meet", "hazardous operation with site", "hazardous operation with site"),
        ("must_not_meet", "operation with operation", "operation with operation"),
        ("zone", "keep-in zone", "movement with keep_in zone"),
        ("zone", "ceasefire for movements", "movement with ceasefire zone"),
        ("target", "target at the submitter's own position", "position of submitter"),
    ],
)
def test_a_table_that_forgets_a_row_is_refused(load, header, name, said):
    with pytest.raises(InputError) as refused:
        load(without(header, name))
    assert said in str(refused.value)
    assert "enforced = false" in refused.value.remedy


def test_a_row_that_is_dropped_on_purpose_is_said_in_every_report(load, check, strike, entity):
    text = DEFAULT.split("[[must_not_meet]]")
    text[1] = text[1].replace("enforced = true", "enforced = false")
    rules = load("[[must_not_meet]]".join(text))
    note = "The rules table mine.toml does not enforce: hazardous operation with site"
    assert rules.notes == (note,)
    site = entity("site", "site", (36.3735, 37.515))
    report = check([strike()], [site], rules=rules)
    assert report.verdict == "clear"
    assert note in report.notes
    assert check([strike()], [site]).verdict == "conflict"


def test_binding_fewer_kinds_than_the_default_is_said(load):
    rules = load(
        changed('binds = ["operation", "movement"]', 'binds = ["operation"]').replace(
            'name = "keep-out zone"', 'name = "mine"'
        )
        + '\n[[zone]]\nname = "x"\nrule = "keep_out"\nbinds = ["movement"]\n'
        'demand = "must not meet"\nenforced = false\nsays = "nothing"\n'
    )
    assert rules.notes == (
        "The rules table mine.toml does not enforce: movement with keep_out zone",
    )


def test_exempting_the_same_party_is_said(load):
    rules = load(changed("same_party = true", "same_party = false"))
    note = "The rules table mine.toml does not compare two of one party: "
    assert rules.notes == (f"{note}hazardous operation with site",)


def test_two_rows_for_one_pair_are_refused(load):
    row = DEFAULT.split("[[must_not_meet]]")[1]
    swapped = row.replace(
        'first = "hazardous operation"\nsecond = "site"',
        'first = "site"\nsecond = "hazardous operation"',
    )
    assert swapped != row
    with pytest.raises(InputError, match="two rows"):
        load(DEFAULT + "\n[[must_not_meet]]" + swapped)
