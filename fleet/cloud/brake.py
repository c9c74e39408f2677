"""A brake for those who try passwords: after a few wrong ones everybody there has to wait.

Counted for each address and for all together, so that many addresses do not help; the waiting time
doubles. The bound on addresses drops the one that was quiet longest.
"""

from collections import OrderedDict

FREE = 5  # wrong passwords that cost nothing: people mistype
FREE_OF_ALL = 50
WAIT_S_MAX = 300
FORGOTTEN_S = 900
ADDRESSES_MAX = 4096
_EVERYBODY = ""


class _Record:
    """Wrong passwords so far, and until when nobody is heard."""

    def __init__(self) -> None:
        self.failures = 0
        self.until_s = 0.0
        self.last_s = 0.0


class Attempts:
    """Who has given wrong passwords. Time is in seconds, of any clock that does not go back."""

    def __init__(self) -> None:
        """Begin with a clean record of everybody."""
        self._records: OrderedDict[str, _Record] = OrderedDict()

    def wait_s(self, address: str, now_s: float) -> int:
        """Return for how long no password from this address is looked at; 0: it is."""
        untils = [
            record.until_s
            for name in (address, _EVERYBODY)
            if (record := self._records.get(name)) is not None
        ]
        left_s = max(untils, default=0.0) - now_s
        return max(0, int(left_s) + (left_s % 1 > 0)) if left_s > 0 else 0

    def failed(self, address: str, now_s: float) -> None:
        """Note a wrong password."""
        self._note(address, now_s, FREE)
        self._note(_EVERYBODY, now_s, FREE_OF_ALL)

    def _note(self, name: str, now_s: float, free: int) -> None:
        record = self._records.setdefault(name, _Record())
        self._records.move_to_end(name)
        if now_s - record.last_s > FORGOTTEN_S:
            record.failures = 0
        record.failures += 1
        record.last_s = now_s
        beyond = record.failures - free
        if beyond >= 0:
            record.until_s = now_s + min(WAIT_S_MAX, 2 ** min(beyond, 16))
        if len(self._records) > ADDRESSES_MAX:
            self._records.popitem(last=False)
