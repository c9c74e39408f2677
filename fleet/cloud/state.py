"""All that the cloud remembers, service by service, loaded once and changed in memory.

The rules that span services (`activation`, `unbinding`, `removal`) are functions of this state.
Only the counts begin anew with each start, and what ends with a connection: credentials of programs,
and which sub-devices are in reach.
"""

from collections import Counter

from fleet.cloud.accounts import Accounts
from fleet.cloud.app_links import AppLinks
from fleet.cloud.asset_grants import AssetGrants
from fleet.cloud.brake import Brake
from fleet.cloud.broker import Retained, Shelf
from fleet.cloud.data_points import DataPoints
from fleet.cloud.devices import Devices
from fleet.cloud.guests import Guests
from fleet.cloud.history import DeviceLog, History, HistoryRow, Operation, Status
from fleet.cloud.homes import Homes
from fleet.cloud.keys import Entropy
from fleet.cloud.ledger import Journal, Loader
from fleet.cloud.open_calls import OpenCalls
from fleet.cloud.open_tokens import OpenTokens
from fleet.cloud.products import Products
from fleet.cloud.projects import Projects
from fleet.cloud.push_backlog import Backlog
from fleet.cloud.quotas import Quotas
from fleet.cloud.reach import Reach
from fleet.cloud.reasons import Reason
from fleet.cloud.sessions import Sessions
from fleet.cloud.settings import Settings
from fleet.cloud.spaces import Spaces
from fleet.cloud.tokens import Tokens
from fleet.cloud.upgrades import Upgrades
from fleet.cloud.users import Users


class State:
    """The services, sharing one journal."""

    __slots__ = (
        "accounts",
        "app_links",
        "asset_grants",
        "brake",
        "counts",
        "data_points",
        "device_log",
        "devices",
        "guests",
        "history",
        "homes",
        "journal",
        "mqtt_retained",
        "mqtt_shelf",
        "open_calls",
        "open_tokens",
        "products",
        "projects",
        "push_backlog",
        "quotas",
        "reach",
        "sessions",
        "settings",
        "spaces",
        "tokens",
        "upgrades",
        "users",
    )

    def __init__(self, settings: Settings, load: Loader, entropy: Entropy) -> None:
        """Load every service with `load`; secrets will be made from `entropy`."""
        self.settings = settings
        self.journal = Journal()
        self.counts: Counter[str] = Counter()
        self.products = Products(load, self.journal)
        self.accounts = Accounts(settings, self.products, load, self.journal, entropy)
        self.users = Users(settings, load, self.journal, entropy)
        self.homes = Homes(settings, load, self.journal)
        self.spaces = Spaces(settings, load, self.journal)
        self.asset_grants = AssetGrants(settings, load, self.journal)
        self.sessions = Sessions(settings, load, self.journal, entropy)
        self.devices = Devices(load, self.journal, entropy)
        self.brake = Brake(
            free=settings.wrong_passwords_free, wait_s_max=settings.wrong_password_wait_s_max
        )
        self.guests = Guests(settings, load, self.journal, entropy)
        self.mqtt_shelf = Shelf(settings, load, self.journal)
        self.mqtt_retained = Retained(settings, load, self.journal)
        self.data_points = DataPoints(settings, load, self.journal)
        self.tokens = Tokens(settings, load, self.journal, entropy)
        self.upgrades = Upgrades(settings, load, self.journal)
        self.projects = Projects(load, self.journal, entropy)
        self.push_backlog = Backlog(settings, load, self.journal)
        self.open_tokens = OpenTokens(settings, load, self.journal, entropy)
        self.open_calls = OpenCalls(settings, load, self.journal)
        self.app_links = AppLinks(settings, entropy)
        self.quotas = Quotas(settings, load, self.journal)
        self.history = History(settings, load, self.journal)
        self.device_log = DeviceLog(settings, load, self.journal)
        self.reach = Reach()

    def record(
        self,
        operation: Operation,
        uuid: str,
        now_ms: int,
        *,
        account: str = "",
        method: str = "",
        batch: str = "",
        reason: Reason | None = None,
    ) -> None:
        """Write a history row on device `uuid`, as it is now; with a reason it was refused."""
        device = self.devices.get(uuid)
        product = self.products.get(device.product_id) if device is not None else None
        self.history.add(
            HistoryRow(
                id=0,
                time_ms=now_ms,
                day=self.quotas.day(now_ms),
                account=account,
                owner=product.owner if product is not None else "",
                operation=operation.value,
                method=method,
                batch=batch,
                uuid=uuid,
                dev_id=device.dev_id if device is not None else "",
                product_id=device.product_id if device is not None else "",
                status=Status.REFUSED.value if reason else Status.OK.value,
                reason=reason.value if reason else "",
            )
        )
