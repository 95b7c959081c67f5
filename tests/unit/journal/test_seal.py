from __future__ import annotations

from dataclasses import replace
from hashlib import blake2b, sha256

import msgspec
import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from deconflict.journal.errors import AlteredLogError
from deconflict.journal.keys import Keys
from deconflict.journal.seal import FreshKeys, Sealer


@pytest.fixture
def wrapped():
    return {}


@pytest.fixture
def sealer(keys, wrapped):
    return Sealer(keys, wrapped.get, capacity=4)


@pytest.fixture
def sealed(sealer, wrapped, make_entry):
    """Return a function that seals an entry as a committed group does."""

    def seal(number, subject=b"entity"):
        entry, fresh = make_entry(number, subject), FreshKeys()
        record = entry.record()
        nonce = number.to_bytes(12)
        key_id = sealer.key_id(subject)
        envelope = sealer.seal(entry, key_id, sha256(record).digest(), nonce, fresh)
        wrapped.update(fresh.wrapped())
        sealer.keep(fresh)
        return entry, key_id, record, envelope

    return seal


def test_what_is_sealed_is_opened_again(sealer, sealed):
    entry, key_id, record, envelope = sealed(1)
    parts = sealer.open(key_id, record, envelope)
    assert (parts.subject, parts.decided, parts.said, parts.told) == (
        entry.subject,
        entry.decided,
        entry.said,
        entry.told,
    )


def test_an_entry_nobody_asked_for_is_opened_with_nothing_said(sealer, make_entry):
    entry, fresh = replace(make_entry(1), said=None, told=()), FreshKeys()
    record = entry.record()
    key_id = sealer.key_id(entry.subject)
    envelope = sealer.seal(entry, key_id, sha256(record).digest(), bytes(12), fresh)
    sealer.keep(fresh)
    parts = sealer.open(key_id, record, envelope)
    assert parts.said is None
    assert parts.told == ()


def test_nothing_of_an_entry_is_seen_in_what_is_kept(sealed, wrapped):
    entry, key_id, record, envelope = sealed(1)
    kept = key_id + record + envelope + b"".join(wrapped.values())
    for secret in (entry.subject, entry.decided.content, entry.said.content, entry.decided.salt):
        assert secret not in kept


def test_entries_of_a_subject_share_a_key_and_those_of_others_do_not(sealed, wrapped):
    assert sealed(1)[1] == sealed(2)[1] != sealed(3, b"other")[1]
    assert len(wrapped) == 2


def test_the_identifier_of_a_subject_differs_with_the_sealing_key(sealer, tmp_path):
    other = Sealer(Keys.load(tmp_path / "other", create=True), {}.get)
    assert sealer.key_id(b"entity") == sealer.key_id(b"entity") != other.key_id(b"entity")


def test_another_process_with_the_same_keys_opens_what_was_sealed(sealed, keys, wrapped):
    entry, key_id, record, envelope = sealed(1)
    assert Sealer(keys, wrapped.get).open(key_id, record, envelope).decided == entry.decided


def test_without_the_sealing_key_the_wrapped_key_opens_nothing(sealed, tmp_path, wrapped):
    _, key_id, record, envelope = sealed(1)
    other = Sealer(Keys.load(tmp_path / "other", create=True), wrapped.get)
    with pytest.raises(AlteredLogError):
        other.open(key_id, record, envelope)


def test_a_wrapped_key_put_under_another_identifier_is_refused(sealer, sealed, wrapped):
    _, one, record, envelope = sealed(1)
    _, two, *_ = sealed(2, b"other")
    wrapped[one] = wrapped[two]
    sealer.forget()
    with pytest.raises(AlteredLogError, match="wrapped by another"):
        sealer.open(one, record, envelope)


def test_after_erasing_an_entry_stays_closed_also_when_its_subject_comes_again(
    sealer, sealed, wrapped
):
    _, key_id, record, envelope = sealed(1)
    del wrapped[key_id]
    sealer.forget(key_id)
    assert sealer.open(key_id, record, envelope) is None
    entry, again, later_record, later = sealed(2)
    assert again == key_id
    assert sealer.open(key_id, record, envelope) is None
    assert sealer.open(again, later_record, later).decided == entry.decided


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(at=st.integers(0, 10_000), mask=st.integers(1, 255))
def test_an_envelope_with_any_byte_altered_is_refused_and_never_taken_as_erased(
    sealer, sealed, at, mask
):
    _, key_id, record, envelope = sealed(1)
    altered = bytearray(envelope)
    altered[at % len(altered)] ^= mask
    with pytest.raises(AlteredLogError, match="envelope"):
        sealer.open(key_id, record, bytes(altered))


def test_a_cut_off_or_empty_envelope_is_refused(sealer, sealed):
    _, key_id, record, envelope = sealed(1)
    for length in (0, 1, 28, 44, 45, len(envelope) - 1):
        with pytest.raises(AlteredLogError, match="envelope"):
            sealer.open(key_id, record, envelope[:length])


def test_an_envelope_put_into_another_entry_of_the_same_subject_is_refused(sealer, sealed):
    _, key_id, _, envelope = sealed(1)
    _, _, other_record, _ = sealed(2)
    with pytest.raises(AlteredLogError, match="belongs to another"):
        sealer.open(key_id, other_record, envelope)


def test_a_damaged_key_identifier_is_told_from_an_erased_entry(sealer, sealed):
    _, key_id, record, envelope = sealed(1)
    with pytest.raises(AlteredLogError, match="belongs to another"):
        sealer.open(bytes(16), record, envelope)
    assert key_id != bytes(16)


def test_keys_beyond_the_capacity_are_forgotten_and_opened_again(sealer, sealed):
    made = [sealed(number, b"%d" % number) for number in range(10)]
    assert len(sealer._opened) == 4
    for entry, key_id, record, envelope in made:
        assert sealer.open(key_id, record, envelope).subject == entry.subject
    assert len(sealer._opened) == 4


def test_the_envelope_is_aes_256_gcm_of_messagepack_as_documented(sealed, keys, wrapped):
    entry, key_id, record, envelope = sealed(1)
    wrapping = blake2b(key_id, key=keys.derived("wrapping"), digest_size=32).digest()
    content = wrapped[key_id]
    key = AESGCM(wrapping).decrypt(content[:12], content[12:], key_id)
    bound = envelope[:29] + key_id + sha256(record).digest()
    plain = AESGCM(key).decrypt(envelope[17:29], envelope[45:], bound)
    assert envelope[0] == 1
    assert msgspec.msgpack.decode(plain)[0] == entry.subject


@pytest.mark.parametrize("subject", [b"", b"x" * 201])
def test_a_subject_of_a_length_that_is_not_allowed_is_refused(sealer, subject):
    with pytest.raises(ValueError, match="1 to 200 bytes"):
        sealer.key_id(subject)
