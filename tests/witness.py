"""Witnesses: clients that write, remember each answer, and compare afterwards.

A witness writes one request after another, each to a slot of its own, so none of its requests is
refused by the rules. What it was answered is its oracle: it knows what must be there, and of the
one request that was not answered, if any, that it is there or not, and never half.
"""

from __future__ import annotations

import copy
import http.client
import json
import random
import threading
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from deconflict.server.health import NOT_KNOWN
from serving import PATIENCE_S, Service

NONE = "00000000-0000-4000-8000-000000000000"
INTENTS = "/dss/v1/operational_intent_references"
SUBSCRIPTIONS = "/dss/v1/subscriptions"
SLOTS = 40
MOST_INTENTS = 12
KEPT_GONE = 12
FIRST_LATITUDE = 40.0
LONGITUDE = 7.0
CELL_DEG = 0.05


class UnansweredError(Exception):
    """A request was sent, and no whole answer came."""


class UnsentError(Exception):
    """There was nobody to send a request to."""


class Line:
    """A connection that is made anew when it has gone."""

    def __init__(self, service: Service, token: str) -> None:
        self._address = service.base_url.removeprefix("http://")
        self._headers = {"authorization": f"Bearer {token}", "content-type": "application/json"}
        self._connection: http.client.HTTPConnection | None = None

    def ask(self, method: str, path: str, body: object = None) -> tuple[int, dict]:
        """Send a request and return the answer's status and content."""
        if self._connection is None:
            self._connection = http.client.HTTPConnection(self._address, timeout=PATIENCE_S)
            try:
                self._connection.connect()
            except ConnectionError as error:
                self.close()
                raise UnsentError from error
        content = None if body is None else json.dumps(body)
        try:
            self._connection.request(method, path, content, self._headers)
            answer = self._connection.getresponse()
            read = answer.read()
        except (ConnectionError, http.client.HTTPException) as error:
            self.close()
            raise UnansweredError from error
        if answer.will_close:
            self.close()
        return answer.status, json.loads(read)

    def close(self) -> None:
        """Hang up."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None


@dataclass(frozen=True)
class Intent:
    """An operational intent as a witness expects to read it."""

    id: str
    slot: int
    version: int
    state: str
    base_url: str
    end: str
    ovn: str = ""
    subscription: str = NONE
    implicit: bool = False

    def same_besides_names(self, other: Intent) -> bool:
        """Whether all agrees but what only the service can know beforehand."""
        subscription = other.subscription if self.implicit else self.subscription
        return replace(self, ovn=other.ovn, subscription=subscription) == other


@dataclass(frozen=True)
class Watch:
    """A subscription as a witness expects to read it."""

    id: str
    version: str
    base_url: str
    index: int


class Witness:
    """One client, with a part of the country for itself.

    Attributes
    ----------
    party
        Its party's name; several witnesses may belong to one.
    written
        How many writes of operational intents are durable, as far as it knows.
    refusals
        Sentences with which its requests were refused.
    heard
        The indices that answers gave for subscriptions of others.
    """

    def __init__(self, number: int, party: str, seed: int) -> None:
        self.party = party
        self.written = 0
        self.refusals: list[str] = []
        self.heard: dict[str, list[int]] = {}
        self.intents: dict[str, Intent] = {}
        self.unanswered = 0
        self.watch: Watch | None = None
        self._latitude = FIRST_LATITUDE + CELL_DEG * number
        self._chance = random.Random(f"{seed} {number}")
        self._gone: list[str] = []
        self._pending: tuple[Intent | None, Intent | None] | None = None
        self._pending_watch: Watch | None = None
        self._ovns: set[str] = set()
        self._changes = 0
        self._noon = datetime.now(UTC).replace(microsecond=0) + timedelta(hours=2)

    def begin(self, line: Line) -> None:
        """Subscribe to the part of the country."""
        watch = Watch(self._uuid(), "", "https://watch.example.org/0", 0)
        status, reply = line.ask("PUT", f"{SUBSCRIPTIONS}/{watch.id}", self._watching(watch))
        assert status == 200, reply
        self.watch = replace(watch, version=reply["subscription"]["version"])

    def write(self, line: Line) -> bool:
        """Send one write; whether it was carried out.

        Raises
        ------
        UnansweredError, UnsentError
            If there was no answer.
        """
        if self.waits:
            raise UnansweredError
        chance = self._chance.random()
        if chance < 0.08:
            return self._change_watch(line)
        held = list(self.intents.values())
        if not held or (chance < 0.45 and len(held) < MOST_INTENTS):
            return self._put(line, None)
        intent = self._chance.choice(held)
        return self._delete(line, intent) if chance < 0.65 else self._put(line, intent)

    def _put(self, line: Line, before: Intent | None) -> bool:
        assert self.watch is not None
        self._changes += 1
        taken = {intent.slot for intent in self.intents.values()}
        kind = self._chance.choice(("none", "watch", "new"))
        after = Intent(
            id=self._uuid() if before is None else before.id,
            slot=self._chance.choice([slot for slot in range(SLOTS) if slot not in taken]),
            version=1 if before is None else before.version + 1,
            state="Accepted" if before is None or kind == "none" else "Activated",
            base_url=f"https://uss.example.org/{self._changes}",
            end=_stamp(self._noon + timedelta(minutes=1 + self._changes % 1000)),
            subscription=self.watch.id if kind == "watch" else NONE,
            implicit=kind == "new",
        )
        body: dict[str, object] = {
            "extents": [self._extent(after)],
            "key": [],
            "state": after.state,
            "uss_base_url": after.base_url,
        }
        if kind == "watch":
            body["subscription_id"] = self.watch.id
        elif kind == "new":
            body["new_subscription"] = {"uss_base_url": after.base_url}
        path = f"{INTENTS}/{after.id}" + (f"/{before.ovn}" if before else "")
        answer = self._carried_out(line, "PUT", path, body, before, after)
        if answer is None:
            return False
        found = _intent(answer["operational_intent_reference"], after)
        assert after.same_besides_names(found), (after, found)
        self._keep(found)
        self._told(answer)
        return True

    def _delete(self, line: Line, before: Intent) -> bool:
        path = f"{INTENTS}/{before.id}/{before.ovn}"
        answer = self._carried_out(line, "DELETE", path, None, before, None)
        if answer is None:
            return False
        found = _intent(answer["operational_intent_reference"], before)
        assert found == before
        self._drop(before)
        self._told(answer)
        return True

    def _carried_out(
        self,
        line: Line,
        method: str,
        path: str,
        body: object,
        before: Intent | None,
        after: Intent | None,
    ) -> dict | None:
        self._pending = before, after
        try:
            status, answer = line.ask(method, path, body)
        except UnsentError:
            self._pending = None
            raise
        if status == 503:
            self._refused(answer["message"])
            if after is not None and before is None and self._pending is None:
                self._gone.append(after.id)  # it must never turn up
            return None
        assert status == (200 if before else 201), (method, path, status, answer)
        self._pending = None
        self.written += 1
        return answer

    def _refused(self, sentence: str) -> None:
        self.refusals.append(sentence)
        if sentence != NOT_KNOWN:
            self._pending = self._pending_watch = None

    def _change_watch(self, line: Line) -> bool:
        assert self.watch is not None
        self._changes += 1
        after = replace(self.watch, base_url=f"https://watch.example.org/{self._changes}")
        self._pending_watch = after
        path = f"{SUBSCRIPTIONS}/{after.id}/{self.watch.version}"
        try:
            status, answer = line.ask("PUT", path, self._watching(after))
        except UnsentError:
            self._pending_watch = None
            raise
        if status == 503:
            self._refused(answer["message"])
            return False
        found = _watch(answer["subscription"])
        assert found == replace(after, version=found.version), (after, found)
        assert found.version != self.watch.version
        self._pending_watch, self.watch = None, found
        return True

    def _told(self, answer: dict) -> None:
        """Compare the notices of an answer with what was told before."""
        told = [
            (state["subscription_id"], state["notification_index"])
            for subscriber in answer["subscribers"]
            for state in subscriber["subscriptions"]
        ]
        assert len(dict(told)) == len(told), "a subscription is told twice of one change"
        indices = dict(told)
        assert self.watch is not None
        index = indices.pop(self.watch.id)
        assert index == self.watch.index + 1
        self.watch = replace(self.watch, index=index)
        for identifier, index in indices.items():
            self.heard.setdefault(identifier, []).append(index)

    def testify(self, line: Line) -> None:
        """Compare everything with what was answered; first find out what was not answered."""
        self._settle(line)
        assert self.watch is not None
        found = _watch(self._get(line, SUBSCRIPTIONS, self.watch.id)["subscription"])
        assert found == self.watch
        for intent in self.intents.values():
            shown = self._shown(line, intent.id)
            assert shown is not None, intent
            assert _intent(shown, intent) == intent
        for identifier in self._gone:
            assert line.ask("GET", f"{INTENTS}/{identifier}")[0] == 404
        area = {"area_of_interest": self._cell()}
        _, answer = line.ask("POST", f"{INTENTS}/query", area)
        listed = [each["id"] for each in answer["operational_intent_references"]]
        assert sorted(listed) == sorted(self.intents)
        _, answer = line.ask("POST", f"{SUBSCRIPTIONS}/query", area)
        subscribed = [each["id"] for each in answer["subscriptions"]]
        implicit = [each.subscription for each in self.intents.values() if each.implicit]
        assert sorted(subscribed) == sorted([self.watch.id, *implicit])
        self._look_into_a_slot(line)

    def _look_into_a_slot(self, line: Line) -> None:
        """Ask what is in one slot alone: the index knows where things were moved."""
        slot = self._chance.randrange(SLOTS)
        there = [intent.id for intent in self.intents.values() if intent.slot == slot]
        south, west = self._corner(slot)
        area = {"area_of_interest": {"volume": {"outline_polygon": _square(south, west, 0.001)}}}
        _, answer = line.ask("POST", f"{INTENTS}/query", area)
        assert [each["id"] for each in answer["operational_intent_references"]] == there

    def _settle(self, line: Line) -> None:
        """Find out whether what was not answered was written, and that it was wholly so."""
        if self._pending_watch is not None:
            self.unanswered += 1
            after, self._pending_watch = self._pending_watch, None
            assert self.watch is not None
            found = _watch(self._get(line, SUBSCRIPTIONS, after.id)["subscription"])
            if found != self.watch:
                assert found == replace(after, version=found.version)
                self.watch = found
        if self._pending is None:
            return
        self.unanswered += 1
        (before, after), self._pending = self._pending, None
        expected = after or before
        assert expected is not None
        shown = self._shown(line, expected.id)
        found = shown and _intent(shown, expected)
        if before is None and shown is None:
            self._gone.append(expected.id)
            return
        if before is not None and shown is not None and _intent(shown, before) == before:
            return
        # It was written, so everything that belongs to it was: the index of the watch is compared
        # with one more, and the subscriptions with those that it made or left.
        if found is None:
            assert after is None
            assert before is not None
            self._drop(before)
        else:
            assert after is not None
            assert after.same_besides_names(found), (before, after, found)
            self._keep(found)
        self.written += 1
        assert self.watch is not None
        self.watch = replace(self.watch, index=self.watch.index + 1)

    @property
    def waits(self) -> bool:
        """Whether a request was sent of which it is not known what became."""
        return self._pending is not None or self._pending_watch is not None

    def _keep(self, intent: Intent) -> None:
        assert intent.ovn not in self._ovns, "an OVN came twice"
        self._ovns.add(intent.ovn)
        self.intents[intent.id] = intent

    def _drop(self, intent: Intent) -> None:
        del self.intents[intent.id]
        self._gone.append(intent.id)
        del self._gone[:-KEPT_GONE]

    @staticmethod
    def _shown(line: Line, identifier: str) -> dict | None:
        status, answer = line.ask("GET", f"{INTENTS}/{identifier}")
        if status == 404:
            return None
        assert status == 200, answer
        return answer["operational_intent_reference"]

    @staticmethod
    def _get(line: Line, kind: str, identifier: str) -> dict:
        status, answer = line.ask("GET", f"{kind}/{identifier}")
        assert status == 200, answer
        return answer

    def _uuid(self) -> str:
        return str(uuid.UUID(int=self._chance.getrandbits(128), version=4))

    def _corner(self, slot: int) -> tuple[float, float]:
        return self._latitude + slot // 8 * 0.004, LONGITUDE + slot % 8 * 0.005

    def _extent(self, intent: Intent) -> dict:
        height = {"reference": "W84", "units": "M"}
        return {
            "volume": {
                "outline_polygon": _square(*self._corner(intent.slot), 0.001),
                "altitude_lower": {"value": 100, **height},
                "altitude_upper": {"value": 150, **height},
            },
            "time_start": {"value": _stamp(self._noon), "format": "RFC3339"},
            "time_end": {"value": intent.end, "format": "RFC3339"},
        }

    def _cell(self) -> dict:
        outline = _square(self._latitude - 0.005, LONGITUDE - 0.005, CELL_DEG - 0.005)
        return {"volume": {"outline_polygon": outline}}

    def _watching(self, watch: Watch) -> dict:
        return {
            "extents": {
                **self._cell(),
                "time_end": {
                    "value": _stamp(self._noon + timedelta(hours=20)),
                    "format": "RFC3339",
                },
            },
            "uss_base_url": watch.base_url,
            "notify_for_operational_intents": True,
        }


class Overseer:
    """A party that subscribes to everywhere: its index counts the writes of all witnesses.

    Parameters
    ----------
    line
        A connection of the party's own.
    witnesses
        How many there are.
    """

    def __init__(self, line: Line, witnesses: int) -> None:
        self.id = str(uuid.uuid4())
        sides = (FIRST_LATITUDE - 0.1, LONGITUDE - 0.1, CELL_DEG * witnesses + 0.2)
        body = {
            "extents": {"volume": {"outline_polygon": _square(*sides)}},
            "uss_base_url": "https://overseer.example.org",
            "notify_for_operational_intents": True,
        }
        status, answer = line.ask("PUT", f"{SUBSCRIPTIONS}/{self.id}", body)
        assert status == 200, answer

    def testify(self, line: Line, witnesses: Sequence[Witness]) -> None:
        """Compare the index with all that was written: nothing is lost, and nothing is twice."""
        _, answer = line.ask("GET", f"{SUBSCRIPTIONS}/{self.id}")
        index = answer["subscription"]["notification_index"]
        assert index == sum(witness.written for witness in witnesses)
        heard = [number for witness in witnesses for number in witness.heard.get(self.id, [])]
        assert len(set(heard)) == len(heard), "two changes were told under one index"
        assert set(heard) <= set(range(1, index + 1))
        unheard = index - len(heard)
        assert unheard <= sum(witness.unanswered for witness in witnesses)


class Load:
    """Witnesses that write all at once, each in a thread of its own."""

    def __init__(self, witnesses: Sequence[Witness], lines: Sequence[Line]) -> None:
        self._stopping = threading.Event()
        self._counted = threading.Condition()
        self.carried_out = 0
        self.refused = 0
        self.failures: list[BaseException] = []
        self._threads = [
            threading.Thread(target=self._run, args=pair, daemon=True)
            for pair in zip(witnesses, lines, strict=True)
        ]
        for thread in self._threads:
            thread.start()

    def _run(self, witness: Witness, line: Line) -> None:
        try:
            while not self._stopping.is_set():
                done = witness.write(line)
                with self._counted:
                    self.carried_out += done
                    self.refused += not done
                    self._counted.notify_all()
        except (UnansweredError, UnsentError):
            pass  # the service has gone: what that means for what was sent is found out later
        except BaseException as error:  # noqa: BLE001 - it is raised where somebody looks at it
            self.failures.append(error)
        finally:
            line.close()
            with self._counted:
                self._counted.notify_all()

    def until(self, reached: Callable[[Load], bool]) -> None:
        """Wait until enough was answered."""
        with self._counted:
            met = self._counted.wait_for(
                lambda: bool(self.failures) or not self._alive() or reached(self), PATIENCE_S
            )
        self._raise()
        assert met, "the load came to a standstill"

    def _alive(self) -> bool:
        return any(thread.is_alive() for thread in self._threads)

    def ended(self) -> None:
        """Wait until every client has noticed that the service is gone."""
        for thread in self._threads:
            thread.join(PATIENCE_S)
            assert not thread.is_alive(), "a client waits for ever"
        self._raise()

    def _raise(self) -> None:
        if self.failures:
            raise self.failures[0]

    def stop(self) -> None:
        """Have every client send no more, and wait for its last answer."""
        self._stopping.set()
        self.ended()


class Court:
    """A service, the witnesses of what it answered, and their overseer."""

    def __init__(self, service: Service, *, parties: int = 2, witnesses: int = 6, seed: int = 1):
        self.service = service
        self.witnesses = [Witness(n, f"uss{n % parties}", seed) for n in range(witnesses)]
        for witness, line in zip(self.witnesses, self.lines(), strict=True):
            with closing(line):
                witness.begin(line)
        with closing(Line(service, service.token("overseer"))) as line:
            self._overseer = Overseer(line, witnesses)

    def lines(self, now_s: float | None = None) -> list[Line]:
        """Return a connection for each witness; the service's clock may differ from ours."""
        tokens = {w.party: "" for w in self.witnesses}
        for party in tokens:
            tokens[party] = self.service.token(party, now_s=now_s)
        return [Line(self.service, tokens[witness.party]) for witness in self.witnesses]

    def at(self, service: Service) -> Court:
        """Return the same witnesses, of whom another service with the same past is asked."""
        court = copy.copy(self)
        court.service, court.witnesses = service, copy.deepcopy(self.witnesses)
        return court

    @contextmanager
    def load(self, now_s: float | None = None) -> Iterator[Load]:
        """Have all witnesses write; at the end they have noticed what became of the service."""
        load = Load(self.witnesses, self.lines(now_s))
        try:
            yield load
        finally:
            load.stop()

    def testify(self, now_s: float | None = None) -> None:
        """Have everybody compare what is there with what was answered."""
        for witness, line in zip(self.witnesses, self.lines(now_s), strict=True):
            with closing(line):
                witness.testify(line)
        with closing(Line(self.service, self.service.token("overseer", now_s=now_s))) as line:
            self._overseer.testify(line, self.witnesses)

    def versions(self) -> dict[str, int]:
        """Return how often each intent that is there was written."""
        return {
            intent.id: intent.version
            for witness in self.witnesses
            for intent in witness.intents.values()
        }


def _square(south: float, west: float, side: float) -> dict:
    ring = ((0.0, 0.0), (0.0, side), (side, side), (side, 0.0))
    return {"vertices": [{"lat": south + a, "lng": west + b} for a, b in ring]}


def _stamp(instant: datetime) -> str:
    return instant.strftime("%Y-%m-%dT%H:%M:%SZ")


def _intent(reference: dict, like: Intent) -> Intent:
    """Return an intent as it is shown; its slot isn't, and is found by queries."""
    end = datetime.fromisoformat(reference["time_end"]["value"])
    return Intent(
        id=reference["id"],
        slot=like.slot,
        version=reference["version"],
        state=reference["state"],
        base_url=reference["uss_base_url"],
        end=_stamp(end),
        ovn=reference["ovn"],
        subscription=reference["subscription_id"],
        implicit=like.implicit,
    )


def _watch(subscription: dict) -> Watch:
    return Watch(
        subscription["id"],
        subscription["version"],
        subscription["uss_base_url"],
        subscription["notification_index"],
    )
