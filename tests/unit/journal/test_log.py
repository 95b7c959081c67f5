from __future__ import annotations

import json
import shutil
from dataclasses import replace
from hashlib import sha256

import pytest

from deconflict.journal import leaf, merkle, tile
from deconflict.journal.checkpoint import Checkpoint, verify_checkpoint
from deconflict.journal.engine import EngineError, Outcome
from deconflict.journal.entry import Entry, Part
from deconflict.journal.errors import (
    AlteredLogError,
    ForeignLogError,
    LogError,
    ProofError,
    RolledBackError,
)
from deconflict.journal.keys import Keys
from deconflict.journal.log import Log
from deconflict.journal.opened import verify_opened


@pytest.fixture
def reopen(engine, tmp_path, keys):
    return lambda: Log.open(engine, tmp_path / "log", keys)


def test_entries_are_read_back_as_they_were_appended(log, make_entry):
    entries = [make_entry(number) for number in range(3)]
    assert log.append(0, entries) is Outcome.ACCEPTED
    for position, (entry, opened) in enumerate(zip(entries, log.read(), strict=True)):
        assert opened.position == position
        assert opened.time_us == entry.time_us
        assert opened.record == entry.record()
        assert (opened.subject, opened.decided, opened.said, opened.told) == (
            entry.subject,
            entry.decided,
            entry.said,
            entry.told,
        )
        assert not opened.erased
        verify_opened(opened, log.public_key)
    assert [opened.position for opened in log.read(1, 2)] == [1]


def test_a_group_at_another_head_is_refused_and_its_keys_are_not_used(log, make_entry):
    assert log.append(5, [make_entry(0)]) is Outcome.REFUSED
    assert log.append(0, [make_entry(0)]) is Outcome.ACCEPTED
    assert next(log.read()).decided == make_entry(0).decided


def test_one_subject_twice_in_a_group_and_again_later_has_one_key(log, engine, make_entry):
    log.append(0, [make_entry(0, b"one"), make_entry(1, b"one")])
    log.append(2, [make_entry(2, b"one")])
    assert len(engine.keys) == 1
    assert [opened.subject for opened in log.read()] == [b"one"] * 3


def test_a_checkpoint_covers_what_is_committed_and_no_more(log, make_entry, fill):
    assert log.checkpoint() is None
    assert log.advance() is None
    fill(log, 3)
    made = verify_checkpoint(log.checkpoint(), log.public_key)
    assert (made.origin, made.size) == (log.origin, 3)
    assert log.advance() is None
    log.append(3, [make_entry(3)])
    assert verify_checkpoint(log.checkpoint(), log.public_key).size == 3
    assert log.advance().size == 4


def test_the_checkpoint_is_the_root_over_leaves_that_anyone_can_hash(log, engine, fill):
    fill(log, 5)
    leaves = tile.unbundle(log.entries(0, 5))
    for content, row in zip(leaves, engine.rows.values(), strict=True):
        leaf.verify_leaf(content, row.record, log.public_key)
    frontier = merkle.Frontier()
    for content in leaves:
        frontier.append(sha256(b"\0" + content).digest())
    assert verify_checkpoint(log.checkpoint(), log.public_key).root == frontier.root()
    assert log.tile(0, 0, 5) == b"".join(sha256(b"\0" + content).digest() for content in leaves)
    assert log.entries(0, 6) is None


def test_a_party_proves_what_it_was_told_without_the_log(log, fill):
    fill(log, 300, told=2)
    position = 17
    opened = next(log.read(position, position + 1))
    # What the party holds: its own part, and nothing of the others.
    told = opened.told[1]
    content, salt, record, signature = told.content, told.salt, opened.record, opened.signature
    note, public_key = log.checkpoint(), log.public_key
    size = verify_checkpoint(note, public_key).size
    path = log.inclusion(position, size)

    assert sha256(salt + content).hexdigest() in json.loads(record)["told"]
    held = leaf.leaf(record, signature, leaf.key_hash(public_key))
    leaf.verify_leaf(held, record, public_key)
    checkpoint = verify_checkpoint(note, public_key)
    merkle.verify_inclusion(
        merkle.leaf_hash(held), position, checkpoint.size, path, checkpoint.root
    )
    for other in (opened.decided, opened.said, opened.told[0]):
        assert other.content not in record + b"".join(path) + note


def test_a_later_checkpoint_is_proved_to_extend_an_earlier_one(log, fill):
    fill(log, 100)
    old = verify_checkpoint(log.checkpoint(), log.public_key)
    fill(log, 500)
    new = verify_checkpoint(log.checkpoint(), log.public_key)
    path = log.consistency(old.size, new.size)
    merkle.verify_consistency(old.size, new.size, path, old.root, new.root)


def test_nothing_is_proved_beyond_the_last_checkpoint(log, make_entry, fill):
    fill(log, 3)
    log.append(3, [make_entry(3)])
    with pytest.raises(ProofError):
        log.inclusion(3, 4)


def test_a_log_goes_on_after_it_was_opened_again(log, reopen, make_entry, fill):
    fill(log, 600)
    before = log.checkpoint()
    log.append(600, [make_entry(600)])
    again = reopen()
    assert again.checkpoint() == before
    assert again.advance().size == 601
    assert [opened.position for opened in again.read(598)] == [598, 599, 600]


def test_opening_a_log_to_read_it_writes_nothing(log, reopen, tmp_path, fill):
    fill(log, 300)
    shutil.rmtree(tmp_path / "log/tile")
    before = sorted(tmp_path.rglob("*"))
    again = reopen()
    assert len(list(again.read())) == 300
    assert sorted(tmp_path.rglob("*")) == before


def test_tiles_that_are_lost_are_made_again_from_the_entries(log, reopen, tmp_path, fill):
    fill(log, 600)
    before = (tmp_path / "log/tile/0/001").read_bytes()
    shutil.rmtree(tmp_path / "log/tile")
    fill(reopen(), 1)
    assert (tmp_path / "log/tile/0/001").read_bytes() == before


def test_tiles_that_are_damaged_are_made_again_from_the_entries(log, reopen, tmp_path, fill):
    fill(log, 600)
    before = (tmp_path / "log/tile/0/001").read_bytes()
    (tmp_path / "log/tile/0/001").write_bytes(bytes(8192))
    fill(reopen(), 1)
    assert (tmp_path / "log/tile/0/001").read_bytes() == before


@pytest.mark.parametrize("left", [0, 1, 255, 256, 599])
def test_a_journal_that_lost_entries_is_refused_with_their_number(log, engine, reopen, fill, left):
    fill(log, 600)
    engine.rows = {at: row for at, row in engine.rows.items() if at < left}
    with pytest.raises(RolledBackError, match=r"missing.*deconflict journal restore") as refusal:
        reopen()
    assert refusal.value.missing == 600 - left


@pytest.mark.parametrize("count", [512, 600])
def test_a_journal_put_back_and_filled_again_with_other_entries_is_refused(
    log, engine, reopen, fill, make_entry, count
):
    fill(log, count)
    engine.rows = {at: row for at, row in engine.rows.items() if at < 200}
    entries = [make_entry(number + 10_000) for number in range(200, count + 50)]
    log.append(200, entries)
    with pytest.raises(AlteredLogError, match="deconflict journal restore"):
        reopen()


def test_a_journal_signed_with_another_key_is_refused_as_foreign(
    log, engine, tmp_path, fill, reopen
):
    fill(log, 10)
    other_engine = type(engine)()
    other_keys = Keys.load(tmp_path / "other-keys", create=True)
    fill(Log.open(other_engine, tmp_path / "other-log", other_keys), 10)
    engine.rows = other_engine.rows
    with pytest.raises(ForeignLogError, match="another log"):
        reopen()


def test_the_checkpoint_of_another_log_is_refused_as_foreign(log, engine, tmp_path, fill):
    fill(log, 10)
    other_keys = Keys.load(tmp_path / "other-keys", create=True)
    with pytest.raises(ForeignLogError, match=r"belongs to the log sigsum\.org/v1/tree/"):
        Log.open(engine, tmp_path / "log", other_keys)


def test_an_altered_checkpoint_is_refused(log, reopen, tmp_path, fill):
    fill(log, 10)
    path = tmp_path / "log/checkpoint"
    path.write_bytes(path.read_bytes().replace(b"\n10\n", b"\n9\n"))
    with pytest.raises(AlteredLogError, match="altered"):
        reopen()


def test_entries_without_any_checkpoint_are_refused(log, reopen, tmp_path, fill):
    fill(log, 10)
    (tmp_path / "log/checkpoint").unlink()
    with pytest.raises(LogError, match=r"10 entries.*missing"):
        reopen()


def test_a_crash_before_the_first_checkpoint_over_entries_leaves_a_log_that_opens(
    log, reopen, make_entry
):
    log.append(0, [make_entry(0)])
    assert verify_checkpoint(log.checkpoint(), log.public_key).size == 0
    assert reopen().advance().size == 1


def test_the_first_entry_is_not_appended_where_no_checkpoint_can_be_kept(
    engine, tmp_path, keys, make_entry
):
    log = Log.open(engine, tmp_path / "log", keys)
    (tmp_path / "log").write_text("a file in place of the folder")
    with pytest.raises(EngineError, match="nothing was appended") as refusal:
        log.append(0, [make_entry(0)])
    assert refusal.value.outcome_known
    assert engine.head() == 0


@pytest.mark.parametrize("at", [0, 255, 300, 511, 599])
def test_an_altered_entry_is_found_at_the_latest_when_it_is_read(log, engine, reopen, fill, at):
    fill(log, 600)
    row = engine.rows[at]
    engine.rows[at] = replace(row, record=row.record.replace(b'"v":1', b'"v":2'))

    def read():
        for _ in reopen().read():
            pass

    with pytest.raises(AlteredLogError):
        read()


def test_entries_before_an_altered_one_are_still_given(log, engine, reopen, fill):
    fill(log, 600)
    engine.rows[300] = replace(engine.rows[300], record=engine.rows[301].record)
    entries = reopen().read()
    assert [next(entries).position for _ in range(300)] == list(range(300))
    with pytest.raises(AlteredLogError, match="entry 300"):
        next(entries)


def test_an_entry_whose_time_was_altered_beside_its_record_is_refused(log, engine, fill):
    fill(log, 3)
    engine.rows[1] = replace(engine.rows[1], time_us=engine.rows[1].time_us + 1)
    with pytest.raises(AlteredLogError, match=r"entry 1 .* time"):
        list(log.read())


def test_two_entries_that_changed_places_are_refused(log, engine, reopen, fill):
    fill(log, 600)
    engine.rows[300], engine.rows[301] = engine.rows[301], engine.rows[300]
    with pytest.raises(AlteredLogError, match="entry 300"):
        list(reopen().read())


def test_an_entry_behind_the_checkpoint_that_the_log_did_not_sign_is_refused(
    log, engine, reopen, make_entry, fill
):
    fill(log, 3)
    log.append(3, [make_entry(3)])
    engine.rows[3] = replace(engine.rows[3], record=make_entry(4).record())
    with pytest.raises(AlteredLogError, match="entry 3"):
        reopen()


def test_parts_that_do_not_hash_to_their_record_are_found(log, make_entry, fill):
    fill(log, 1)
    opened = next(log.read())
    verify_opened(opened, log.public_key)
    exchanged = replace(opened, decided=make_entry(2).decided)
    with pytest.raises(AlteredLogError, match="do not hash"):
        verify_opened(exchanged, log.public_key)
    with pytest.raises(AlteredLogError, match="signature"):
        verify_opened(replace(opened, signature=bytes(64)), log.public_key)


def test_erasing_a_subject_closes_its_entries_and_keeps_every_proof(
    log, engine, reopen, make_entry
):
    log.append(0, [make_entry(0, b"gone"), make_entry(1, b"kept"), make_entry(2, b"gone")])
    before = log.advance()
    log.erase(b"gone")
    log.append(3, [make_entry(3, b"gone")])
    for one in (log, reopen()):
        erased, kept, also_erased, later = one.read()
        assert erased.erased
        assert also_erased.erased
        assert (erased.subject, erased.decided, erased.said, erased.told) == (None, None, None, ())
        assert kept.decided == make_entry(1).decided
        assert later.decided == make_entry(3).decided
        for opened in (erased, kept, later):
            verify_opened(opened, log.public_key)
    root = verify_checkpoint(log.checkpoint(), log.public_key).root
    assert root == before.root
    row = engine.rows[0]
    content = leaf.leaf(row.record, row.signature, leaf.key_hash(log.public_key))
    merkle.verify_inclusion(merkle.leaf_hash(content), 0, 3, log.inclusion(0, 3), root)


def test_erasing_a_subject_that_never_was_is_no_error(log, fill):
    fill(log, 1)
    log.erase(b"nobody")
    assert not next(log.read()).erased


def test_an_append_of_unknown_outcome_that_was_committed_is_found(log, engine, make_entry, fill):
    fill(log, 3)
    engine.fails_after_commit = True
    with pytest.raises(EngineError):
        log.append(3, [make_entry(3)])
    assert log.recover() is True
    assert engine.reopened == 1
    assert log.append(4, [make_entry(4, b"entity-3")]) is Outcome.ACCEPTED
    assert [opened.erased for opened in log.read()] == [False] * 5
    assert log.advance().size == 5


def test_an_append_of_unknown_outcome_that_was_not_committed_can_be_done_again(
    log, engine, make_entry, fill
):
    fill(log, 3)
    engine.fails_before_commit = True
    with pytest.raises(EngineError):
        log.append(3, [make_entry(3)])
    assert log.recover() is False
    assert log.append(3, [make_entry(3)]) is Outcome.ACCEPTED
    assert [opened.erased for opened in log.read()] == [False] * 4


def test_a_journal_that_lost_what_was_read_back_is_refused_on_recovery(log, engine, fill):
    fill(log, 3)
    del engine.rows[2]
    with pytest.raises(RolledBackError) as refusal:
        log.recover()
    assert refusal.value.missing == 1


def test_a_journal_that_changed_what_was_read_back_is_refused_on_recovery(
    log, engine, make_entry, fill
):
    fill(log, 3)
    engine.rows[2] = replace(engine.rows[2], record=make_entry(9).record())
    with pytest.raises(AlteredLogError, match="entry 2"):
        log.recover()


def test_a_checkpoint_that_can_not_be_written_is_tried_again(
    log, reopen, make_entry, fill, tmp_path
):
    fill(log, 200)
    before = log.checkpoint()
    (tmp_path / "log/tile").write_text("a file in place of the folder")
    log.append(200, [make_entry(number) for number in range(200, 300)])
    with pytest.raises(LogError, match="tried again"):
        log.advance()
    assert log.checkpoint() == before
    (tmp_path / "log/tile").unlink()
    assert log.advance().size == 300
    assert len((tmp_path / "log/tile/0/000").read_bytes()) == 8192
    assert reopen().checkpoint() == log.checkpoint()


def test_pruning_keeps_whole_tiles_and_every_proof(log, engine, reopen, fill):
    fill(log, 600)
    rows = dict(engine.rows)
    assert log.prune(511) == 256
    assert log.first() == 256
    again = reopen()
    checkpoint = verify_checkpoint(again.checkpoint(), log.public_key)
    for position in (0, 255, 256, 599):
        row = rows[position]
        content = leaf.leaf(row.record, row.signature, leaf.key_hash(log.public_key))
        path = again.inclusion(position, 600)
        merkle.verify_inclusion(merkle.leaf_hash(content), position, 600, path, checkpoint.root)
    assert again.entries(0) is None
    assert len(tile.unbundle(again.entries(1))) == 256
    fill(again, 1)
    assert len(list(again.read(256))) == 345


def test_a_subject_pruned_away_and_coming_again_is_readable(log, engine, make_entry, fill):
    fill(log, 256, subject=b"old")
    fill(log, 300, subject=b"new")
    log.prune(256)
    assert len(engine.keys) == 1
    log.append(556, [make_entry(556, b"old")])
    assert [opened.subject for opened in log.read(555)] == [b"new", b"old"]


def test_pruning_never_goes_beyond_the_last_checkpoint(log, make_entry, fill):
    fill(log, 256)
    log.append(256, [make_entry(number) for number in range(256, 600)])
    assert log.prune(600) == 256
    assert log.prune(600) == 256


def test_pruned_entries_whose_tiles_are_lost_are_reported(log, reopen, tmp_path, fill):
    fill(log, 600)
    log.prune(512)
    (tmp_path / "log/tile/0/001").unlink()
    with pytest.raises(AlteredLogError, match=r"256 to 511 .* pruned"):
        reopen()


def test_a_pruned_tile_that_is_damaged_on_the_disk_is_mended_before_pruning(log, tmp_path, fill):
    fill(log, 600)
    path = tmp_path / "log/tile/0/000"
    before = path.read_bytes()
    path.write_bytes(bytes(8192))
    assert log.prune(256) == 256
    assert path.read_bytes() == before


def test_the_checkpoint_is_kept_with_all_its_signatures(log, reopen, tmp_path, fill):
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    from deconflict.journal.note import parse_note

    fill(log, 3)
    path = tmp_path / "log/checkpoint"
    witness = Ed25519PrivateKey.from_private_bytes(bytes(32))
    cosigned = parse_note(path.read_bytes()).signed(witness, "witness.example").encode()
    path.write_bytes(cosigned)
    assert reopen().checkpoint() == cosigned


def test_a_checkpoint_names_its_log_and_counts_its_entries(log, fill):
    fill(log, 2)
    signed = verify_checkpoint(log.checkpoint(), log.public_key)
    assert isinstance(signed, Checkpoint)
    assert signed.origin == log.origin == "sigsum.org/v1/tree/" + sha256(log.public_key).hexdigest()


def test_a_failure_before_anything_is_written_is_not_taken_for_the_group_before(log, fill):
    fill(log, 3)
    unsealable = Entry(time_us=1, subject=b"", decided=Part(b"", b"{}"))
    with pytest.raises(ValueError, match="subject"):
        log.append(log.head(), [unsealable])
    assert log.recover() is False


def test_other_nodes_entries_are_covered_only_if_the_service_signed_them(
    log, engine, make_entry, reopen
):
    engine.shared = True
    other = reopen()
    other.append(0, [make_entry(0), make_entry(1)])
    log.append(2, [make_entry(2)])
    assert log.advance().size == 3
    other.append(3, [make_entry(3)])
    engine.rows[3] = replace(engine.rows[3], signature=bytes(64))
    with pytest.raises(AlteredLogError, match="entry 3"):
        log.advance()
    assert verify_checkpoint(log.checkpoint(), log.public_key).size == 3


def test_an_own_stretch_is_trusted_and_what_comes_before_and_behind_it_is_not(
    log, engine, make_entry, reopen
):
    engine.shared = True
    log.append(0, [make_entry(0)])
    other = reopen()
    other.append(1, [make_entry(1)])
    log.append(2, [make_entry(2)])
    engine.rows[1] = replace(engine.rows[1], signature=bytes(64))
    with pytest.raises(AlteredLogError, match="entry 1"):
        log.advance()


def test_two_nodes_sign_the_same_tree_at_one_size(log, engine, make_entry, reopen):
    engine.shared = True
    other = reopen()
    log.append(0, [make_entry(number) for number in range(300)])
    other.append(300, [make_entry(300)])
    assert log.advance() == other.advance()
    assert log.checkpoint() == other.checkpoint()


def test_a_key_that_another_node_destroyed_is_not_used_again(log, engine, make_entry):
    log.append(0, [make_entry(0, b"one")])
    (key_id,) = engine.keys
    del engine.keys[key_id]
    engine.destroyed.add(key_id)
    assert log.append(1, [make_entry(1, b"one")]) is Outcome.ACCEPTED
    erased, kept = log.read()
    assert (erased.erased, kept.decided) == (True, make_entry(1, b"one").decided)


def test_an_own_entry_that_was_exchanged_before_it_was_covered_is_found(log, engine, make_entry):
    engine.shared = True
    log.append(0, [make_entry(0), make_entry(1)])
    engine.rows[1] = replace(engine.rows[1], signature=bytes(64))
    with pytest.raises(AlteredLogError, match="entry 1"):
        log.advance()


def test_a_signed_entry_that_somebody_put_behind_later_ones_is_found(log, engine, make_entry):
    engine.shared = True
    log.append(0, [make_entry(0), make_entry(1)])
    assert log.advance().size == 2
    engine.rows[2] = engine.rows[0]
    with pytest.raises(AlteredLogError, match="entry 2"):
        log.advance()
