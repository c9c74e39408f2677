"""Answers that hand out credentials, kept back until the broker would let their client in.

A device that is refused at CONNECT takes itself for unbound, so it must not hear of credentials
that the broker does not know yet. When that takes too long, it hears instead that it has to ask
again, on which firmware does so with the same token; somebody else hears the answer as it is.
"""

from collections.abc import Callable
from typing import NamedTuple

from firmware_sim.effects import Effect
from fleet.cloud.messages import SendReply

_OK = 200


class _Kept(NamedTuple):
    reply: SendReply
    otherwise: bytes
    client_id: str
    due_ms: int


class KeptBack:
    """All such answers; there are no more than requests that wait."""

    def __init__(self) -> None:
        """Start with none."""
        self._kept: list[_Kept] = []

    @property
    def client_ids(self) -> list[str]:
        """Return whose credentials are in them."""
        return [kept.client_id for kept in self._kept]

    @property
    def due_ms(self) -> int | None:
        """Return when one of them has been kept back for too long."""
        return min((kept.due_ms for kept in self._kept), default=None)

    def keep(self, client_id: str, otherwise: bytes, due_ms: int, out: list[Effect]) -> None:
        """Take the answer of a step out of its effects."""
        for reply in [effect for effect in out if isinstance(effect, SendReply)]:
            out.remove(reply)
            self._kept.append(_Kept(reply, otherwise, client_id, due_ms))

    def forgive(self, by_ms: int) -> None:
        """Let nobody have waited while the clock was moved."""
        self._kept = [kept._replace(due_ms=kept.due_ms + by_ms) for kept in self._kept]

    def release(self, lacking: Callable[[str], bool], now_ms: int, out: list[Effect]) -> None:
        """Let go those whose client is not `lacking`, and what is said instead of late ones."""
        kept, self._kept = self._kept, []
        for one in kept:
            if not lacking(one.client_id):
                out.append(one.reply)
            elif one.due_ms <= now_ms:
                told = SendReply(one.reply.exchange, _OK, one.otherwise)
                out.append(told if one.otherwise else one.reply)
            else:
                self._kept.append(one)
