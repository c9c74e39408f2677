"""A browser without a socket: an application of ours, called through httpx."""

import httpx

from fleet.web.guard import Guard


def browser(app: Guard, host: str = "127.0.0.1:8420", **headers: str) -> httpx.AsyncClient:
    """Return a client that keeps cookies, as a browser does, from an address of this machine."""
    transport = httpx.ASGITransport(app=app, client=("127.0.0.1", 50_000))
    return httpx.AsyncClient(transport=transport, base_url=f"http://{host}", headers=headers)


async def proof(client: httpx.AsyncClient) -> dict[str, str]:
    """Return the header that a page of ours sends with what it changes."""
    return {"X-Fleet-Proof": (await client.get("/api/session")).json()["proof"]}
