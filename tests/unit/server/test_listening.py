# ruff: noqa: S106, S107 - a token here is a name
"""The HTTP server met with raw sockets: limits, slow clients, and what each is told."""

from __future__ import annotations

import asyncio
import json
import os
import re
import socket
from collections.abc import Awaitable, Callable

import pytest
import uvloop

from deconflict.identity.caller import Caller, TokenError
from deconflict.server.app import Front
from deconflict.server.limits import Limits
from deconflict.server.listening import Listening
from deconflict.server.logs import LineWriter, RequestLog
from deconflict.server.metrics import Metrics
from deconflict.server.problem import problem
from deconflict.server.settings import Settings
from deconflict.standards.service import (
    Call,
    Endpoint,
    Family,
    Reply,
    RequestError,
    Service,
    UnavailableError,
)

MOST_BODY = 1000
SCOPE = frozenset({"write"})
PATIENCE_S = 30
SLOW = Settings(header_timeout_s=0.01, body_timeout_s=0.01)


class Current:
    """A service that is always current."""

    async def current(self):
        return None


class Names:
    """A verifier for which a token is its party's name and scopes, joined by plus signs."""

    def verify(self, token: str, now_s: int) -> Caller:
        party, *scopes = token.split("+")
        if party == "bad":
            raise TokenError("this token is none")
        return Caller(party, frozenset(scopes), "test", now_s + 60)


class Node:
    """A server with a few endpoints, in the test's own loop."""

    def __init__(self, settings: Settings) -> None:
        self.release = asyncio.Event()
        self.writers: list[asyncio.StreamWriter] = []
        self.entered = asyncio.Semaphore(0)
        self.metrics = Metrics()
        self.limits = Limits(settings)
        self.ready = asyncio.Event()
        self.log_read, self.log_write = os.pipe()
        self.writer = LineWriter(self.log_write)
        family = Family(
            "test",
            (
                Endpoint("PUT", "/things/{id}", (SCOPE,), self.echo, "putThing"),
                Endpoint("GET", "/things/{id}", (), self.echo, "getThing"),
                Endpoint("GET", "/public/{id}", (), self.echo, "public", public=True),
                Endpoint("GET", "/waiting", (), self.wait, "wait"),
                Endpoint("GET", "/down", (), self.down, "down"),
                Endpoint("GET", "/fault", (), self.fault, "fault"),
                Endpoint("GET", "/refusing/{status}", (), self.refuse, "refusing"),
                Endpoint("GET", "/large", (), self.large, "large"),
            ),
            problem,
            MOST_BODY,
        )
        self.front = Front(
            (family,),
            nothing_here,
            service=Current(),  # type: ignore[arg-type] # these handlers ask nothing of it
            verifier=Names(),
            limits=self.limits,
            metrics=self.metrics,
            log=RequestLog(self.writer, which="all", level="info", json=True),
        )
        self.listening = Listening(
            self.front, settings, self.limits, self.metrics, tls=None, started=self.ready.set
        )
        self.bound = socket.socket()
        self.bound.bind(("127.0.0.1", 0))
        self.port = self.bound.getsockname()[1]

    async def echo(self, _service: Service, call: Call) -> Reply:
        said = {"id": call.path["id"], "size": len(call.body), "query": dict(call.query)}
        return Reply(200, json.dumps(said).encode())

    async def wait(self, _service: Service, _call: Call) -> Reply:
        self.entered.release()
        await self.release.wait()
        return Reply(200, b"{}")

    async def down(self, _service: Service, _call: Call) -> Reply:
        raise UnavailableError("the disk is full")

    async def fault(self, _service: Service, call: Call) -> Reply:
        raise RuntimeError(f"secret 46.123 of {call.caller.party}")

    async def refuse(self, _service: Service, call: Call) -> Reply:
        raise RequestError(int(call.path["status"]), "write it otherwise")

    async def large(self, _service: Service, _call: Call) -> Reply:
        return Reply(200, b"x" * 50_000_000, "text/plain")

    async def connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        self.writers.append(writer)
        return reader, writer

    async def ask(self, request: bytes) -> tuple[int, dict[str, str], bytes]:
        reader, writer = await self.connect()
        writer.write(request)
        found = await answer(reader)
        writer.close()
        return found

    def refused(self, reason: str) -> float:
        found = re.search(
            rb'deconflict_refused_total\{reason="%s"\} (\S+)' % reason.encode(), self.metrics.text()
        )
        return float(found[1]) if found else 0.0


async def nothing_here(scope, receive, send) -> None:
    if scope["path"] in {"/fault-of-a-page", "/begun"}:
        await faulty(scope, receive, send)
    scope["endpoint"] = None
    await send({"type": "http.response.start", "status": 404, "headers": []})
    await send({"type": "http.response.body", "body": b""})


async def faulty(scope, _receive, send) -> None:
    scope["endpoint"] = faulty
    if scope["path"] == "/begun":
        await send({"type": "http.response.start", "status": 200, "headers": []})
    raise RuntimeError("secret 46.123")


async def until(condition: Callable[[], bool]) -> None:
    while not condition():  # noqa: ASYNC110 - what is waited for tells nobody
        await asyncio.sleep(0)


async def answer(reader: asyncio.StreamReader) -> tuple[int, dict[str, str], bytes]:
    head = await reader.readuntil(b"\r\n\r\n")
    status, *lines = head.decode().split("\r\n")
    headers = dict(line.split(": ", 1) for line in lines if line)
    return (
        int(status.split()[1]),
        headers,
        await reader.readexactly(int(headers.get("content-length", 0))),
    )


def request(
    method: str = "GET", path: str = "/things/1", token: str = "a+write", body: bytes = b"", **more
) -> bytes:
    headers = {"host": "x", "authorization": f"Bearer {token}", **more}
    if body:
        headers.setdefault("content-length", str(len(body)))
    lines = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items())
    return f"{method} {path} HTTP/1.1\r\n{lines}\r\n".encode() + body


def served(
    scenario: Callable[[Node], Awaitable[None]], settings: Settings | None = None
) -> list[dict[str, object]]:
    """Run a scenario against a server, and return the lines of its log."""

    async def run() -> Node:
        node = Node(settings or Settings())
        serving = asyncio.get_running_loop().create_task(node.listening.serve([node.bound]))
        await node.ready.wait()
        try:
            async with asyncio.timeout(PATIENCE_S):
                await scenario(node)
        finally:
            node.release.set()
            for writer in node.writers:
                writer.close()
            await asyncio.gather(
                *(writer.wait_closed() for writer in node.writers), return_exceptions=True
            )
            node.listening.should_exit = True
            await serving
        return node

    node = uvloop.run(run())
    node.writer.stop()
    os.close(node.log_write)
    with os.fdopen(node.log_read, "rb") as stream:
        return [json.loads(line) for line in stream.read().splitlines()]


def test_a_request_reaches_its_handler_with_decoded_parameters() -> None:
    async def scenario(node: Node) -> None:
        status, headers, body = await node.ask(
            request("PUT", "/things/a%2Fb?x=1&x=2&y=%20", body=b"12345")
        )
        assert status == 200
        assert json.loads(body) == {"id": "a/b", "size": 5, "query": {"x": "1", "y": " "}}
        assert headers["x-request-id"]

    (line,) = served(scenario)
    assert (line["party"], line["operation"], line["status"]) == ("a", "putThing", 200)


@pytest.mark.parametrize(
    ("sent", "status", "reason"),
    [
        (request(token="bad"), 401, "token"),
        (b"GET /things/1 HTTP/1.1\r\nhost: x\r\n\r\n", 401, "token"),
        (request(authorization="Basic abc"), 401, "token"),
        (request("PUT", token="a+read"), 403, "scope"),
        (request("POST"), 405, "method"),
        (request("PUT", body=b"x" * (MOST_BODY + 1)), 413, "too_large"),
        (request("PUT", content_length="4000000000"), 413, "too_large"),
        (request(path="/refusing/400"), 400, "malformed"),
        (request(path="/refusing/403"), 403, "forbidden"),
        (request(path="/refusing/404"), 404, "absent"),
        (request(path="/refusing/413"), 413, "too_large"),
        (request(path="/refusing/422"), 422, "refused"),
        (request(path="/things/1?" + "&".join("a=1" for _ in range(99))), 400, "malformed"),
        (request(path="/down"), 503, "unavailable"),
    ],
)
def test_a_refusal_has_its_status_a_sentence_and_a_count(sent, status, reason) -> None:
    async def scenario(node: Node) -> None:
        found, headers, body = await node.ask(sent)
        assert found == status
        assert len(json.loads(body)["detail"]) > 10
        assert ("retry-after" in headers) == (status == 503)
        assert ("www-authenticate" in headers) == (status == 401)
        assert ("allow" in headers) == (status == 405)
        assert re.findall(rb'refused_total\{reason="(\w+)"\} 1.0', node.metrics.text()) == [
            reason.encode()
        ]
        assert node.limits.in_flight.total == 0

    (line,) = served(scenario)
    assert (line["status"], line["reason"]) == (status, reason)
    assert line["level"] == ("warning" if status == 503 else "info")


def test_a_body_in_pieces_is_refused_as_soon_as_it_is_too_large() -> None:
    async def scenario(node: Node) -> None:
        reader, writer = await node.connect()
        writer.write(request("PUT", transfer_encoding="chunked"))
        for _ in range(MOST_BODY // 100 + 1):
            writer.write(b"64\r\n" + b"x" * 100 + b"\r\n")
        assert (await answer(reader))[0] == 413  # the last piece was never sent
        assert await reader.read() == b""

    served(scenario)


def test_a_fault_is_a_500_that_tells_no_secret_to_the_client_nor_to_the_log() -> None:
    async def scenario(node: Node) -> None:
        status, _, body = await node.ask(request(path="/fault"))
        assert status == 500
        assert b"46.123" not in body

    lines = served(scenario)
    assert "46.123" not in json.dumps(lines)
    assert lines[-1]["status"] == 500


@pytest.mark.parametrize(("path", "status"), [("/fault-of-a-page", 500), ("/begun", 200)])
def test_a_fault_of_a_page_tells_no_secret_and_ends_that_page_alone(
    path: str, status: int, capsys: pytest.CaptureFixture[str]
) -> None:
    async def scenario(node: Node) -> None:
        reader, writer = await node.connect()
        writer.write(request(path=path))
        got = await reader.readuntil(b"\r\n\r\n")
        assert got.startswith(b"HTTP/1.1 %d" % status)
        writer.close()
        assert (await node.ask(request()))[0] == 200
        assert node.refused("fault") == 1

    lines = served(scenario)
    assert (lines[0]["operation"], lines[0]["reason"]) == ("faulty", "fault")
    said = json.dumps(lines) + "".join(capsys.readouterr())
    assert "46.123" not in said


@pytest.mark.parametrize("given", ["mine.1_A-z", "x" * 64])
def test_a_sane_request_id_is_kept(given: str) -> None:
    async def scenario(node: Node) -> None:
        assert (await node.ask(request(x_request_id=given)))[1]["x-request-id"] == given

    assert [line["request_id"] for line in served(scenario)] == [given]


@pytest.mark.parametrize("given", ["a b", "x" * 65, "a;b", '"'])
def test_a_strange_request_id_is_replaced(given: str) -> None:
    async def scenario(node: Node) -> None:
        made = (await node.ask(request(x_request_id=given)))[1]["x-request-id"]
        assert re.fullmatch(r"[0-9a-f]{8}-[0-9a-f]+", made)

    served(scenario)


@pytest.mark.parametrize(
    "head",
    [
        b"GET /things/1 HTTP/1.1\r\n" + b"".join(b"a%d: 1\r\n" % n for n in range(65)) + b"\r\n",
        b"GET /things/1 HTTP/1.1\r\nx: " + b"y" * 20_000 + b"\r\n\r\n",
        b"GET /things/" + b"y" * 20_000 + b" HTTP/1.1\r\nx: y\r\n\r\n",
    ],
)
def test_headers_that_are_too_many_or_too_long_are_refused(head: bytes) -> None:
    async def scenario(node: Node) -> None:
        reader, writer = await node.connect()
        writer.write(head)
        status, _, _ = await answer(reader)
        assert status == 431
        assert await reader.read() == b""
        assert node.refused("header_too_large") == 1

    served(scenario)


def test_headers_that_never_end_are_cut_off_before_they_fill_the_memory() -> None:
    async def scenario(node: Node) -> None:
        _, writer = await node.connect()
        writer.write(b"GET / HTTP/1.1\r\nx: ")
        for _ in range(10_000):
            writer.write(b"y" * 10_000)
            try:
                await writer.drain()
            except ConnectionError:
                break
        else:
            raise AssertionError("it took 100 MB of one header")
        assert node.refused("header_too_large") == 1

    served(scenario)


CHUNKED = b"PUT /things/1 HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n%s\r\n"
PROVEN = CHUNKED % b"authorization: Bearer a+write\r\n"


@pytest.mark.parametrize("begun", [PROVEN, CHUNKED % b""])
@pytest.mark.parametrize("beside", [b"0\r\nx: ", b"1;", b"0\r\n"])
def test_what_stands_beside_a_body_and_never_ends_is_cut_off(begun: bytes, beside: bytes) -> None:
    piece = b"x: y\r\n" * 1_000 if beside == b"0\r\n" else b"y" * 6_000

    async def scenario(node: Node) -> None:
        _, writer = await node.connect()
        writer.write(begun + beside)
        for _ in range(1_000):
            writer.write(piece)
            try:
                await writer.drain()
            except ConnectionError:
                break
        else:
            raise AssertionError("it took 6 MB beside a body")
        await until(lambda: node.refused("header_too_large") == 1)

    served(scenario)


def test_a_body_that_nobody_vouches_for_is_not_gathered() -> None:
    async def scenario(node: Node) -> None:
        begun = b"GET /public/1 HTTP/1.1\r\nhost: x\r\ncontent-length: 900\r\n\r\n" + b"y" * 800
        status, _, body = await node.ask(begun)
        assert status == 200
        assert json.loads(body)["size"] == 0

    served(scenario)


def test_a_field_behind_the_body_is_no_header() -> None:
    async def scenario(node: Node) -> None:
        behind = b"0\r\nauthorization: Bearer a+write\r\nx-request-id: behind\r\n\r\n"
        status, headers, _ = await node.ask(CHUNKED % b"" + behind)
        assert status == 401
        assert headers["x-request-id"] != "behind"
        status, _, _ = await node.ask(PROVEN + behind)
        assert status == 200

    served(scenario)


def test_who_was_answered_before_its_body_was_whole_keeps_no_connection_for_ever() -> None:
    async def scenario(node: Node) -> None:
        reader, writer = await node.connect()
        writer.write(CHUNKED % b"")
        status, _, _ = await answer(reader)
        assert status == 401
        writer.write(b"0\r\n\r\n")
        assert await reader.read() == b""

    served(scenario, Settings(keep_alive_s=0.01))


@pytest.mark.parametrize(
    ("sent", "told"),
    [
        (b"GET /things/1 HTTP/1.1\r\nhost: ", b"HTTP/1.1 408 "),
        (request("PUT", content_length="10") + b"123", b"HTTP/1.1 408 "),
        (b"", b""),
        (b"\r\n", b""),
    ],
)
def test_who_is_too_slow_is_told_so_and_let_go(sent: bytes, told: bytes) -> None:
    async def scenario(node: Node) -> None:
        reader, writer = await node.connect()
        writer.write(sent)
        got = await reader.read()
        assert got.startswith(told)
        assert bool(got) == bool(told)
        writer.close()

    served(scenario, SLOW)


def test_who_does_not_read_its_reply_is_let_go() -> None:
    async def scenario(node: Node) -> None:
        plain = socket.create_connection(("127.0.0.1", node.port))
        plain.setblocking(False)  # noqa: FBT003
        loop = asyncio.get_running_loop()
        await loop.sock_sendall(plain, request(path="/large"))
        await until(lambda: node.refused("reads_too_slowly") == 1)
        plain.close()

    served(scenario, SLOW)


def test_a_party_over_its_limit_is_refused_while_another_is_served() -> None:
    async def scenario(node: Node) -> None:
        waiting = [
            asyncio.create_task(node.ask(request(path="/waiting", token="a"))) for _ in range(2)
        ]
        for _ in waiting:
            await node.entered.acquire()
        status, headers, _ = await node.ask(request(token="a"))
        assert (status, headers["retry-after"]) == (429, "1")
        assert (await node.ask(request(token="b")))[0] == 200
        node.release.set()
        assert [(await each)[0] for each in waiting] == [200, 200]
        assert (await node.ask(request(token="a")))[0] == 200

    served(scenario, Settings(most_in_flight_per_party=2))


def test_connections_beyond_the_limit_are_refused_and_come_back_when_others_go() -> None:
    async def scenario(node: Node) -> None:
        first = await node.connect()
        first[1].write(request())
        assert (await answer(first[0]))[0] == 200
        reader, _ = await node.connect()
        status, headers, _ = await answer(reader)
        assert (status, headers["connection"]) == (503, "close")
        assert await reader.read() == b""
        first[1].close()
        await until(lambda: node.limits.connections.total == 0)
        assert (await node.ask(request()))[0] == 200

    served(scenario, Settings(most_connections=1))


def test_bad_tokens_from_one_address_are_slowed_and_good_ones_are_not() -> None:
    async def scenario(node: Node) -> None:
        statuses = [(await node.ask(request(token="bad")))[0] for _ in range(6)]
        assert statuses == [401, *[429] * 5]
        assert (await node.ask(request()))[0] == 200

    served(scenario, Settings(token_rate_per_address=0.001))


def test_what_arrives_while_it_stops_is_refused_with_503() -> None:
    async def scenario(node: Node) -> None:
        reader, writer = await node.connect()
        writer.write(request())
        assert (await answer(reader))[0] == 200
        node.front.stopping = True
        writer.write(request())
        status, headers, _ = await answer(reader)
        assert (status, headers["connection"]) == (503, "close")

    served(scenario)


@pytest.mark.parametrize(
    "garbage",
    [b"\x00\xff\xfe\r\n\r\n", b"GET\r\n\r\n", b"GET http:// HTTP/1.1\r\n\r\n", b"\x16\x03\x01\x02"],
)
def test_garbage_ends_its_connection_and_nothing_else(garbage: bytes) -> None:
    async def scenario(node: Node) -> None:
        reader, writer = await node.connect()
        writer.write(garbage)
        got = await reader.read()
        assert got.startswith(b"HTTP/1.1 4")
        assert b"retry-after" not in got
        assert (await node.ask(request()))[0] == 200

    served(scenario)


def test_what_is_taken_before_garbage_gets_its_own_answer_and_no_other() -> None:
    async def scenario(node: Node) -> None:
        reader, writer = await node.connect()
        writer.write(request(path="/waiting"))
        await node.entered.acquire()
        writer.write(request() + b"\x00 garbage\r\n\r\n")
        await until(lambda: node.refused("no_http") == 1)
        node.release.set()
        status, headers, body = await answer(reader)
        assert (status, headers["connection"], body) == (200, "close", b"{}")
        assert await reader.read() == b""

    (line,) = served(scenario)
    assert (line["operation"], line["status"]) == ("wait", 200)


def test_a_body_that_breaks_off_in_garbage_is_refused_once() -> None:
    async def scenario(node: Node) -> None:
        reader, writer = await node.connect()
        writer.write(request("PUT", transfer_encoding="chunked") + b"2\r\nab\r\nno size\r\n")
        status, headers, _ = await answer(reader)
        assert (status, headers["connection"]) == (400, "close")
        assert await reader.read() == b""
        assert node.refused("no_http") == 1

    lines = served(scenario)
    assert [line for line in lines if line["level"] == "error"] == []


def test_requests_in_one_piece_are_answered_in_their_order() -> None:
    async def scenario(node: Node) -> None:
        reader, writer = await node.connect()
        writer.write(b"".join(request(path=f"/things/{number}") for number in range(20)))
        for number in range(20):
            assert json.loads((await answer(reader))[2])["id"] == str(number)

    served(scenario)


def test_an_old_client_that_does_not_keep_its_connection_sees_it_closed() -> None:
    async def scenario(node: Node) -> None:
        for asked in (
            request().replace(b"HTTP/1.1", b"HTTP/1.0"),
            request(connection="close"),
        ):
            reader, writer = await node.connect()
            writer.write(asked)
            status, headers, _ = await answer(reader)
            assert (status, headers["connection"]) == (200, "close")
            assert await reader.read() == b""

    served(scenario)
