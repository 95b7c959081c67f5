"""Requests that no client sends: valid ones, damaged in one way or several."""

from __future__ import annotations

import json
import random
import struct
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

METHODS = (
    "GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "CONNECT", "PROPFIND",
    "M-SEARCH", "get", "X",
)  # fmt: skip
KINDS = ("operational_intent_references", "constraint_references", "subscriptions")
PATHS = (
    "/", "/healthy", "/healthz", "/readyz", "/metrics", "/openapi.json", "/docs", "/oauth/token",
    "/aux/v1/version", "/aux/v1/validate_oauth", "/log/checkpoint", "/log/tile/0/000",
    "/log/tile/entries/000.p/1", "/log/tile/../../keys/signing-key", "/dss/v1", "/dss/v1/reports",
    "/dss/v1/uss_availability/uss9", "//dss//v1//reports", "/dss/v1/%2e%2e/reports", "/%00",
    "/dss/v1/subscriptions/%", "/dss/v1/subscriptions/%zz", "/dss/v1/subscriptions/%ff%fe",
    "/.well-known/jwks.json", "*", "http://other.example/healthy", "/dss/v1/uss_availability/%0a",
    "/healthy;x=y", "/healthy?" + "a=b&" * 200, "/" + "a/" * 2000,
)  # fmt: skip
NUMBERS = (
    b"1e999", b"-1e999", b"NaN", b"Infinity", b"-Infinity", b"1" * 400, b"-0", b"0.1e-400",
    b"1e308",
    b"9223372036854775808", b"-9223372036854775809", b"180", b"-180", b"90", b"-90", b"90.0000001",
    b"0x10", b"1.", b".5", b"+1", b"01", b"null", b"true", b'"46"', b"[]", b"{}",
)  # fmt: skip
TEXTS = (
    '"\\ud800"', '"\\udc00\\ud800"', '"\\u0000"', '"\ufeff"', '"\\uFFFF"', '"' + "a" * 5000 + '"',
    '"Available from USS"', '"https://"', '"https://[::1"', '"javascript:alert(1)"', '""',
    '"\u202e"',
    '"2026-13-45T99:99:99Z"', '"0000-00-00T00:00:00Z"', '"9999-12-31T23:59:60.999999999Z"',
    '"2026-11-22T00:00:00.' + "1" * 400 + 'Z"', '"1e3"', "null", "1", "[[]]",
)  # fmt: skip
RINGS = (
    [(0, 0), (0, 0), (0, 0)],
    [(0, 0), (0, 1), (0, 2)],
    [(0, 0), (1, 1), (0, 1), (1, 0)],
    [(90, 0), (90, 90), (90, 180)],
    [(89.9, 0), (89.9, 120), (89.9, -120)],
    [(-89.9, 0), (-89.9, 120), (-89.9, -120)],
    [(0, 179.9), (0, -179.9), (0.2, -179.9), (0.2, 179.9)],
    [(0, 180), (0, -180), (0.1, 180)],
    [(0, 0), (0, 180), (1, 90)],
    [(45, 0), (-45, 180), (45, 90)],
    [(0, 0), (1e-12, 0), (0, 1e-12)],
    [(5e-324, 0), (0, 5e-324), (0, 0)],
    [(46, 7), (46, 7.01), (46.01, 7.01), (46, 7)],
    [(46, 7), (46.2, 7.1), (46, 7.2), (46.1, 7.1), (46, 7.05)],
)


@dataclass
class Sent:
    """What goes over one connection, and how many requests begin in it."""

    data: bytes
    head_only: bool = False
    pieces: int = 1


class Mutator:
    """Makes requests from a seed.

    Parameters
    ----------
    seed
        Of its dice.
    tokens
        Valid ones, and such as are not.
    """

    def __init__(self, seed: int, tokens: tuple[str, ...]) -> None:
        self._dice = random.Random(seed)
        self._tokens = tokens
        ways: dict[Callable[[], Sent], int] = {
            self._valid: 4,
            self._damaged_json: 16,
            self._damaged_bytes: 12,
            self._strange_shape: 8,
            self._large: 2,
            self._strange_path: 8,
            self._strange_method: 8,
            self._strange_head: 8,
            self._wrong_length: 2,
            self._chunked: 4,
            self._pipelined: 4,
            self._bad_token: 4,
            self._query_string: 4,
            self._form: 2,
            self._noise: 3,
        }
        self._ways = list(ways)
        self._weights = list(ways.values())

    def make(self) -> Sent:
        """Return the next request, or what is no longer one."""
        return self._dice.choices(self._ways, self._weights)[0]()

    def _valid(self) -> Sent:
        method, path, content = self._operation()
        return Sent(self._request(method, path, json.dumps(content).encode()))

    def _damaged_json(self) -> Sent:
        method, path, content = self._operation()
        body = json.dumps(content).encode()
        for _ in range(self._dice.randint(1, 3)):
            body = self._dice.choice(
                [self._new_number, self._new_text, self._repeated_key, self._nested, self._less]
            )(body)
        if self._dice.random() < 0.1:
            body = self._dice.choice([b"\xef\xbb\xbf", b"\xff\xfe", b"\x00", b" " * 5000]) + body
        return Sent(self._request(method, path, body))

    def _new_number(self, body: bytes) -> bytes:
        return self._replaced(body, b"0123456789.-", self._dice.choice(NUMBERS))

    def _new_text(self, body: bytes) -> bytes:
        at = [place for place in range(len(body)) if body[place : place + 2] == b": "] or [0]
        place = self._dice.choice(at) + 2
        text = self._dice.choice(TEXTS).encode("utf-8", "surrogatepass")
        ends = [end for end in (body.find(b",", place), body.find(b"}", place)) if end > 0]
        return body[:place] + text + body[min(ends, default=len(body)) :]

    def _repeated_key(self, body: bytes) -> bytes:
        place = body.find(b"{", self._dice.randrange(max(len(body), 1)))
        key = self._dice.choice([b'"extents":[],', b'"value":1,', b'"a":1,"a":2,', b'"":null,'])
        return body if place < 0 else body[: place + 1] + key + body[place + 1 :]

    def _nested(self, body: bytes) -> bytes:
        depth = self._dice.choice([3, 100, 1000, 20_000])
        left, right = self._dice.choice([(b"[", b"]"), (b'{"a":', b"}")])
        nested = left * depth + b"1" + right * (depth if self._dice.random() < 0.7 else 0)
        return self._replaced(body, b"0123456789.-", nested)

    def _less(self, body: bytes) -> bytes:
        try:
            content = json.loads(body)
        except (ValueError, RecursionError):
            return body[: len(body) // 2]
        if isinstance(content, dict) and content:
            place = content
            for _ in range(3):
                deeper = [each for each in place.values() if isinstance(each, dict) and each]
                if not deeper or self._dice.random() < 0.4:
                    break
                place = self._dice.choice(deeper)
            del place[self._dice.choice(list(place))]
        return json.dumps(content).encode()

    def _replaced(self, body: bytes, of: bytes, by: bytes) -> bytes:
        at = [place for place, byte in enumerate(body) if byte in of]
        if not at:
            return by
        start = end = self._dice.choice(at)
        while start > 0 and body[start - 1] in of:
            start -= 1
        while end < len(body) and body[end] in of:
            end += 1
        return body[:start] + by + body[end:]

    def _damaged_bytes(self) -> Sent:
        data = bytearray(self._valid().data)
        for _ in range(self._dice.choice([1, 1, 2, 8, 64])):
            place = self._dice.randrange(len(data))
            match self._dice.randrange(5):
                case 0:
                    data[place] ^= 1 << self._dice.randrange(8)
                case 1:
                    data[place] = self._dice.randrange(256)
                case 2:
                    del data[place : place + self._dice.choice([1, 4, 64])]
                case 3:
                    data[place:place] = data[place : place + self._dice.choice([1, 16, 256])]
                case _:
                    data[place:place] = self._dice.choice([b"\r\n", b"\x00", b"\xff", b"\r", b"\n"])
            if not data:
                data = bytearray(b"\r\n")
        return Sent(bytes(data))

    def _strange_shape(self) -> Sent:
        method, path, content = self._operation()
        area = content.get("extents", content.get("area_of_interest"))
        if area is None:
            return self._damaged_json()
        for volume in area if isinstance(area, list) else [area]:
            ring = self._dice.choice(RINGS)
            if self._dice.random() < 0.3:
                ring = [(self._dice.uniform(-90, 90), self._dice.uniform(-180, 180)) for _ in ring]
            elif self._dice.random() < 0.3:
                spread = 10 ** self._dice.uniform(-9, 1)
                ring = [
                    (
                        46 + self._dice.uniform(-spread, spread),
                        7 + self._dice.uniform(-spread, spread),
                    )
                    for _ in range(self._dice.choice([3, 5, 30]))
                ]
            volume["volume"].pop("outline_circle", None)
            if self._dice.random() < 0.2:
                lat, lng = ring[0]
                radius = self._dice.choice(
                    [5e-324, 1e-9, 1.0, 1e5, 2e6, 2_000_000.1, 2e7, 1e300, 0, -1]
                )
                volume["volume"]["outline_circle"] = {
                    "center": {"lat": lat, "lng": lng},
                    "radius": {"value": radius, "units": "M"},
                }
                volume["volume"].pop("outline_polygon", None)
            else:
                volume["volume"]["outline_polygon"] = {
                    "vertices": [{"lat": lat, "lng": lng} for lat, lng in ring]
                }
        return Sent(self._request(method, path, json.dumps(content).encode()))

    def _large(self) -> Sent:
        method, path = "PUT", f"/dss/v1/{KINDS[0]}/{self._identifier()}"
        content = {"extents": [self._volume()], "state": "Accepted", "uss_base_url": "https://a"}
        match self._dice.randrange(5):
            case 0:
                content["key"] = [str(number).zfill(22) for number in range(60_000)]
            case 1:
                content["key"] = ["x" * 200_000]
            case 2:
                content["extents"] = content["extents"] * 1_200
            case 3:
                number = self._dice.choice([2_000, 10_000, 30_000])
                content["extents"][0]["volume"]["outline_polygon"] = {
                    "vertices": [
                        {"lat": 46 + i / 1e6, "lng": 7 + i % 7 / 1e6} for i in range(number)
                    ]
                }
                content["extents"][0]["volume"].pop("outline_circle", None)
            case _:
                content["x" * 100_000] = {str(number): number for number in range(20_000)}
        return Sent(self._request(method, path, json.dumps(content).encode()))

    def _strange_path(self) -> Sent:
        method, path, content = self._operation()
        path = self._dice.choice(
            [
                self._dice.choice(PATHS),
                path + self._dice.choice(["/", "/x", "/x/y", "//", "/..", "%2f", "?", "#", "/%00"]),
                path.replace("/", "//"),
                path.upper(),
                path[: self._dice.randrange(1, len(path))],
                path + "/" + self._word(300),
                f"/dss/v1/{self._dice.choice(KINDS)}/{self._word(60)}",
            ]
        )
        return Sent(self._request(method, path, json.dumps(content).encode()))

    def _strange_method(self) -> Sent:
        method = self._dice.choice(METHODS)
        _, path, content = self._operation()
        path = self._dice.choice([path, self._dice.choice(PATHS)])
        body = json.dumps(content).encode() if self._dice.random() < 0.5 else b""
        return Sent(self._request(method, path, body), head_only=method == "HEAD")

    def _strange_head(self) -> Sent:
        method, path, content = self._operation()
        lines = self._dice.choice(
            [
                ["x: " + "y" * self._dice.choice([100, 9_000, 40_000])],
                [f"x-{number}: {number}" for number in range(self._dice.choice([10, 63, 65, 500]))],
                ["transfer-encoding: gzip"],
                ["transfer-encoding: chunked, identity"],
                ["content-length: 0"],
                ["content-length: 5", "content-length: 6"],
                ["expect: 100-continue"],
                ["expect: 200-maybe"],
                ["upgrade: websocket", "connection: upgrade"],
                ["upgrade: h2c", "connection: upgrade, http2-settings"],
                ["connection: close"],
                ["host: a", "host: b"],
                ["authorization: Bearer x"],
                ["x-request-id: " + self._word(80)],
                ["content-encoding: gzip"],
                ["content-type: text/plain; charset=utf-7"],
                ["\x00: \x00"],
                [" folded", "\tfolded"],
                [": nameless"],
                ["na me: x"],
                ["x-forwarded-for: 8.8.8.8", "forwarded: for=1.2.3.4"],
            ]
        )
        head, _, rest = self._request(method, path, json.dumps(content).encode()).partition(b"\r\n")
        head = self._dice.choice(
            [head, head, head, head.replace(b"1.1", b"1.0"), head.replace(b"HTTP/1.1", b"HTTP/2.0"),
             head.replace(b" HTTP/1.1", b""), head + b" x"]
        )  # fmt: skip
        return Sent(head + b"\r\n" + "\r\n".join(lines).encode("utf-8") + b"\r\n" + rest)

    def _wrong_length(self) -> Sent:
        method, path, content = self._operation()
        body = json.dumps(content).encode()
        length = self._dice.choice(
            [
                len(body) + 1,
                len(body) - 1,
                0,
                -1,
                4_000_001,
                2**31,
                2**63,
                10**30,
                "x",
                "",
                "1 1",
                "+1",
            ]
        )
        return Sent(self._request(method, path, body, length))

    def _chunked(self) -> Sent:
        method, path, content = self._operation()
        body = json.dumps(content).encode()
        parts = []
        while body:
            size = self._dice.choice([1, 2, 50, 5000])
            part, body = body[:size], body[size:]
            extension = self._dice.choice([b"", b";a=b", b";" + b"x" * 300]) if parts else b""
            parts.append(b"%x%s\r\n%s\r\n" % (len(part), extension, part))
        last = self._dice.choice(
            [b"0\r\n\r\n", b"0\r\n\r\n", b"0\r\nx: y\r\n\r\n", b"ffffffffffffffff1\r\n",
             b"-1\r\n\r\n", b"g\r\n\r\n", b"", b"0\r\n" + b"t: u\r\n" * 3000 + b"\r\n"]
        )  # fmt: skip
        data = self._head(method, path) + b"transfer-encoding: chunked\r\n\r\n"
        return Sent(data + b"".join(parts) + last, pieces=self._dice.choice([1, 3, 40]))

    def _pipelined(self) -> Sent:
        data = b""
        for _ in range(self._dice.randint(2, 12)):
            method, path, content = self._operation()
            data += self._request(method, path, json.dumps(content).encode())
        if self._dice.random() < 0.3:
            data = data[: -self._dice.randint(1, 200)]
        return Sent(data, pieces=self._dice.choice([1, 1, 5, 50]))

    def _bad_token(self) -> Sent:
        method, path, content = self._operation()
        body = json.dumps(content).encode()
        token = self._tokens[0]
        head, payload, seal = token.split(".")
        token = self._dice.choice(
            [
                "", "x", "a.b.c", "...", token[:-3], token + "x", f"{head}.{payload}.", f"..{seal}",
                f"eyJhbGciOiJub25lIn0.{payload}.", f"{head}.{payload[:-8]}AAAAAAAA.{seal}",
                "a" * 9000, "\xff\xfe", "Bearer " + token, f"{head}.{self._word(50)}.{seal}",
                *self._tokens[1:],
            ]
        )  # fmt: skip
        scheme = self._dice.choice(["Bearer", "Bearer", "Basic", "bearer ", ""])
        data = (
            f"{method} {path} HTTP/1.1\r\nhost: x\r\nauthorization: {scheme} {token}\r\n"
            f"content-length: {len(body)}\r\n\r\n"
        ).encode("utf-8", "surrogatepass")
        return Sent(data + body)

    def _query_string(self) -> Sent:
        method, path, content = self._operation()
        query = self._dice.choice(
            ["a", "=", "&" * 500, "a=1&a=2", "%", "%zz=%zz", "%00", "owner=x", "x=" + "y" * 10_000,
             "é", "a=b" * 400, "[]=1", "a;b", "?" * 30, "+" * 30, "%ff=%fe"]
        )  # fmt: skip
        path = self._dice.choice([path, *PATHS[1:12]])
        return Sent(self._request(method, f"{path}?{query}", json.dumps(content).encode()))

    def _form(self) -> Sent:
        body = self._dice.choice(
            [b"grant_type=client_credentials&client_id=a&client_secret=b", b"", b"=" * 3000, b"%",
             b"grant_type=" + b"x" * 20_000, b"grant_type=client_credentials&grant_type=x",
             b"\xff\xfe\x00", b'{"grant_type":"client_credentials"}',
             b"client_id=%ff&client_secret=%"]
        )  # fmt: skip
        kind = self._dice.choice(
            ["application/x-www-form-urlencoded", "application/json", "multipart/form-data", ""]
        )
        basic = self._dice.choice(
            ["", "authorization: Basic QTpC\r\n", "authorization: Basic ///\r\n"]
        )
        data = (
            f"POST /oauth/token HTTP/1.1\r\nhost: x\r\ncontent-type: {kind}\r\n{basic}"
            f"content-length: {len(body)}\r\n\r\n"
        )
        return Sent(data.encode() + body)

    def _noise(self) -> Sent:
        tls = b"\x16\x03\x01" + struct.pack(">H", 512) + self._dice.randbytes(512)
        return Sent(
            self._dice.choice(
                [
                    tls,
                    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
                    self._dice.randbytes(self._dice.choice([1, 50, 3000])),
                    b"\r\n" * 2000,
                    b"GET",
                    b"GET /healthy HTTP/1.1\r\nhost",
                    b"\x00" * 20_000,
                    b"A" * 100_000,
                ]
            )
        )

    def _operation(self) -> tuple[str, str, dict]:
        """Return method, path and body of a request as a client sends it."""
        kind = self._dice.choice((*KINDS, *KINDS, "uss_availability", "reports"))
        time = {"value": _stamp(-1), "format": "RFC3339"}
        exchange = {"url": "https://a.example", "method": "GET", "recorder_role": "Client"}
        if kind == "reports":
            return "POST", "/dss/v1/reports", {"exchange": {**exchange, "request_time": time}}
        if kind == "uss_availability":
            content = {"availability": "Normal", "old_version": ""}
            return self._dice.choice(["GET", "PUT"]), f"/dss/v1/{kind}/uss{self._word(9)}", content
        path = f"/dss/v1/{kind}/{self._identifier()}"
        match self._dice.randrange(6):
            case 0:
                return "GET", path, {}
            case 1:
                return "POST", f"/dss/v1/{kind}/query", {"area_of_interest": self._volume()}
            case 2:
                return "DELETE", f"{path}/some-version-of-it", {}
            case 3:
                path = f"{path}/some-version-of-it"
        url = "https://uss.example.org"
        if kind == "operational_intent_references":
            content = {"extents": [self._volume()], "state": "Accepted", "key": ["a" * 22]}
        elif kind == "constraint_references":
            content = {"extents": [self._volume()]}
        else:
            content = {"extents": self._volume(), "notify_for_operational_intents": True}
        return "PUT", path, {**content, "uss_base_url": url}

    def _identifier(self) -> str:
        return str(uuid.UUID(int=self._dice.getrandbits(128), version=4))

    def _volume(self) -> dict:
        lat, lng = self._dice.uniform(-89, 89), self._dice.uniform(-180, 180)
        height = {"reference": "W84", "units": "M"}
        return {
            "volume": {
                "outline_circle": {
                    "center": {"lat": lat, "lng": lng},
                    "radius": {"value": 100, "units": "M"},
                },
                "altitude_lower": {"value": 100, **height},
                "altitude_upper": {"value": 150, **height},
            },
            "time_start": {"value": _stamp(2), "format": "RFC3339"},
            "time_end": {"value": _stamp(30), "format": "RFC3339"},
        }

    def _request(self, method: str, path: str, body: bytes, length: object = None) -> bytes:
        length = len(body) if length is None else length
        return self._head(method, path) + f"content-length: {length}\r\n\r\n".encode() + body

    def _head(self, method: str, path: str) -> bytes:
        token = self._tokens[0]
        head = f"{method} {path} HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {token}\r\n"
        return head.encode("utf-8", "surrogatepass")

    def _word(self, most: int) -> str:
        letters = "abcdefXYZ0189-._~%/:@!$&'()*+,;= é\u202e"
        return "".join(self._dice.choices(letters, k=self._dice.randint(1, most))).replace(
            " ", "%20"
        )


def _stamp(minutes: int) -> str:
    return (datetime.now(UTC) + timedelta(minutes=minutes)).strftime("%Y-%m-%dT%H:%M:%SZ")
