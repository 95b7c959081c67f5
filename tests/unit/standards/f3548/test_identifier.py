"""Identifiers have one spelling."""

import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deconflict.geo.errors import InputError
from deconflict.standards.f3548.identifier import identifier_of


@given(st.uuids(version=4))
def test_each_spelling_of_a_uuid_is_read_as_the_usual_one(found):
    for text in (str(found), found.hex, str(found).upper(), found.hex.upper()):
        assert identifier_of(text, "id") == str(found)


@given(st.uuids())
def test_other_versions_are_refused(found):
    if found.variant == uuid.RFC_4122 and found.version == 4:
        assert identifier_of(str(found), "id") == str(found)
    else:
        with pytest.raises(InputError):
            identifier_of(str(found), "id")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{00000000-0000-4000-8000-00000000000a}",
        "urn:uuid:00000000-0000-4000-8000-00000000000a",
        "000000000000-4000-8000-00000000000a",
        "00000000-0000-4000-8000-00000000000a\n",
        "0000000000004000800000000000000g",
        "００００００００-0000-4000-8000-00000000000a",
    ],
)
def test_what_is_no_uuid_is_refused(text):
    with pytest.raises(InputError, match=r"^id: "):
        identifier_of(text, "id")
