"""The baseline of the service: the same stack answering a handler that does nothing.

    python bench/empty_handler.py PORT

Starlette, msgspec, uvicorn, uvloop and httptools: it decodes the body into the same types and
answers as many bytes as a creation does.
"""

from __future__ import annotations

import sys

import msgspec
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from deconflict.standards.f3548.wire import OperationalIntentRequest

DECODER = msgspec.json.Decoder(OperationalIntentRequest)
ANSWER = msgspec.json.encode(
    {
        "operational_intent_reference": {
            "id": "2f8343be-6482-4d1b-a474-16847e01af1e",
            "manager": "uss1",
            "uss_availability": "Unknown",
            "version": 1,
            "state": "Accepted",
            "ovn": "A" * 22,
            "time_start": {"value": "2026-11-22T12:00:00.000000Z", "format": "RFC3339"},
            "time_end": {"value": "2026-11-22T12:20:00.000000Z", "format": "RFC3339"},
            "uss_base_url": "https://uss.example/utm",
            "subscription_id": "00000000-0000-4000-8000-000000000000",
        },
        "subscribers": [],
    }
)


async def answer(request: Request) -> Response:
    """Decode the body and answer."""
    DECODER.decode(await request.body())
    return Response(ANSWER, 201, media_type="application/json")


def main() -> None:
    """Serve until killed."""
    app = Starlette(routes=[Route("/empty/{id}", answer, methods=["PUT"])])
    uvicorn.run(
        app,
        host="127.0.0.1",
        port=int(sys.argv[1]),
        loop="uvloop",
        http="httptools",
        access_log=False,
        log_level="error",
    )


if __name__ == "__main__":
    main()
