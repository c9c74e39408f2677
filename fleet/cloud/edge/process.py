"""The cloud as a process of its own: store, cloud, server, signals, and a word to the parent.

`run` is the target of a `multiprocessing` child (method "spawn"; the pipe tells the parent the
ports, or why there are none), `stay` the whole of a command, `serve_cloud` for a loop that is
there already. A process ends by SIGTERM, by the end of the parent, or by the first fault that
makes going on a lie.
"""

import asyncio
import base64
import gc
import os
import signal
from collections.abc import Callable, Coroutine, Mapping
from contextlib import ExitStack, suppress
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec

from firmware_sim.errors import UsageError
from firmware_sim.node import Node
from firmware_sim.wire import atop
from fleet.cloud.api.iot_dns_api import Endpoints
from fleet.cloud.broker import BrokerSettings
from fleet.cloud.cloud import Cloud
from fleet.cloud.counters import Counters
from fleet.cloud.edge.authority import Authority
from fleet.cloud.edge.certificate import self_signed
from fleet.cloud.edge.clock import Clock
from fleet.cloud.edge.encryption import TLS_FOLDER, Encryption
from fleet.cloud.edge.listen import Listeners, raise_files_limit
from fleet.cloud.edge.server import Ready, serve
from fleet.cloud.edge.stores import open_store
from fleet.cloud.external import BrokerAddress
from fleet.cloud.messages import Commit
from fleet.cloud.seed import Seed
from fleet.cloud.settings import Settings
from fleet.cloud.store.address import is_database, shown
from fleet.cloud.store.records import Change, Store

OnReady = Callable[[Ready, Store], None]
"""Is told where the cloud answers, and may look into its store."""


class ServerConfig(msgspec.Struct, frozen=True):
    """All that a cloud process is told; picklable."""

    data: str | None = None  # folder or postgresql://... of the data; None: in memory only
    host: str = "127.0.0.1"
    http_port: int = 0  # 0: any free one; the ports in use are in `Ready`
    mqtt_port: int = 0
    region_ports: Mapping[str, int] = {}  # more ports, each for one data centre, by code
    public: bool = False  # whether `host` may be reached by other machines
    told_host: str = ""  # what devices are told instead of `host`
    settings: Settings = Settings()
    broker_settings: BrokerSettings = BrokerSettings()
    seed: Seed | None = None  # for an empty store only
    tls: bool = False
    tls_folder: str = ""  # of the authority; "": with the data
    device_https_port: int | None = None  # one more for devices; None: they use the common one
    broker: BrokerAddress | None = None  # of the devices; None: our own, at `mqtt_port`

    def __repr__(self) -> str:
        """Show where, never a secret."""
        data = shown(self.data) if self.data and is_database(self.data) else self.data
        return f"ServerConfig({data!r}, {self.host!r}, {self.http_port}, {self.mqtt_port})"


class Failed(msgspec.Struct, frozen=True):
    """The cloud could not start, or had to stop; one line for the operator."""

    message: str


def run(config: ServerConfig, pipe: Connection) -> None:
    """Serve a cloud for the parent at the other end of `pipe`; SystemExit(1) after a fault.

    It is sent one `Ready` and, after a fault, one `Failed`. A fault of our own making is raised as
    well, for its traceback.
    """
    try:
        _in_loop(_serve_parent(config, pipe))
    except UsageError as error:
        _tell(pipe, Failed(str(error)))
        raise SystemExit(1) from None
    except Exception as error:
        _tell(pipe, Failed(f"the cloud stopped by a fault of its own: {error!r}"))
        raise


def stay(config: ServerConfig, on_ready: OnReady) -> None:
    """Serve a cloud until Ctrl-C or SIGTERM. Raises UsageError when it cannot start or go on."""
    _in_loop(_serve_command(config, on_ready))


def _in_loop(work: Coroutine[Any, Any, None]) -> None:
    raise_files_limit()
    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        runner.run(work)


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop]:
    """Return uvloop's loop where there is one: half the CPU per connection."""
    with suppress(ImportError):
        import uvloop

        return uvloop.new_event_loop
    return asyncio.new_event_loop


async def _serve_parent(config: ServerConfig, pipe: Connection) -> None:
    loop, stop_event = asyncio.get_running_loop(), asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, stop_event.set)
    # Ctrl-C reaches the whole process group; the parent decides when we end.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    loop.add_reader(pipe.fileno(), _parent_gone, loop, pipe, stop_event)
    await serve_cloud(config, stop_event, _frozen(lambda ready, _: _tell(pipe, ready)))


async def _serve_command(config: ServerConfig, on_ready: OnReady) -> None:
    loop, stop_event = asyncio.get_running_loop(), asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop_event.set)
    await serve_cloud(config, stop_event, _frozen(on_ready))


def _frozen(on_ready: OnReady) -> OnReady:
    """Take what was loaded out of the garbage collector's rounds before anybody is served.

    With 100,000 devices a full round stops the process for 20 to 30 ms, and finds nothing.
    """

    def ready(*words: Any) -> None:
        gc.collect()
        gc.freeze()
        on_ready(*words)

    return ready


async def serve_cloud(
    config: ServerConfig,
    stop_event: asyncio.Event,
    on_ready: OnReady,
    clock: Clock | None = None,
    around: Callable[[Node], Node] | None = None,
) -> None:
    """Open the store, load or seed the cloud, and serve it until `stop_event` is set.

    With `around`, what is served is the node that it makes of the cloud, to look on. Raises
    UsageError when it cannot start, and whatever ended it before it was told to stop.
    """
    clock, counters, tls_folder = clock or Clock(), Counters(), _tls_folder(config)
    with ExitStack() as at_the_end:
        listeners = Listeners(
            config.host,
            config.http_port,
            config.mqtt_port if config.broker is None else None,
            device_port=config.device_https_port,
            region_ports=config.region_ports,
            public=config.public,
        )
        at_the_end.callback(listeners.close)
        store = open_store(config.data)
        at_the_end.callback(store.close)
        encryption = _encryption(config, tls_folder)
        if encryption is not None:
            at_the_end.callback(encryption.close)
        cloud = _load(config, store, listeners, clock(), counters, encryption)
        if config.seed is not None and cloud.empty:
            for effect in cloud.apply_seed(config.seed, clock()):
                if isinstance(effect, Commit):
                    await _write(store, effect.changes)
        await serve(
            cloud if around is None else around(cloud),
            store,
            listeners,
            lambda ready: on_ready(ready, store),
            stop_event,
            counters=counters,
            body_size_max=config.settings.body_size_max,
            clock=clock,
            encryption=encryption,
            broker=config.broker,
        )


def _tls_folder(config: ServerConfig) -> str:
    """Return where the authority is kept, "" for nowhere; raises UsageError."""
    if not config.tls and (config.device_https_port is not None or config.tls_folder):
        raise UsageError("a port for HTTPS and a folder for TLS are of use with TLS only")
    if config.tls_folder or not config.tls or not config.data:
        return config.tls_folder
    if is_database(config.data):
        raise UsageError("data in a database, and TLS: name a folder for its authority")
    return str(Path(config.data) / TLS_FOLDER)


def _encryption(config: ServerConfig, folder: str) -> Encryption | None:
    """Return what encrypts connections, None for a cloud without."""
    if not config.tls:
        return None
    if config.broker is not None and folder:
        places = (config.broker.host, urlsplit(f"//{config.broker.told}").hostname)
        Authority.kept_in(Path(folder)).issue_to(Path(folder), "broker", filter(None, places))
    centres = (urlsplit(f"//{entry.split()[1]}").hostname for entry in config.settings.open_hosts)
    return Encryption.of(folder, (config.told_host, config.host, *centres))


def _load(
    config: ServerConfig,
    store: Store,
    listeners: Listeners,
    now_ms: int,
    counters: Counters,
    encryption: Encryption | None,
) -> Cloud:
    host = config.told_host or config.host
    shown = f"[{host}]" if ":" in host else host
    if encryption is None:
        scheme, certificate = "http", self_signed(host, now_ms)
    else:
        scheme, certificate = "https", base64.b64encode(encryption.anchor).decode()
    endpoints = Endpoints(
        https_url=f"{scheme}://{shown}:{listeners.device_port}{atop.PATH}",
        mqtt_address=config.broker.told if config.broker else f"{shown}:{listeners.mqtt_port}",
        certificates=(certificate,),
    )
    return Cloud(
        config.settings,
        load=store.load,
        entropy=os.urandom,
        endpoints=endpoints,
        broker_settings=config.broker_settings,
        broker_address=config.broker,
        counters=counters,
    )


async def _write(store: Store, changes: tuple[Change, ...]) -> None:
    """Wait until a seed is durable, before anybody is served."""
    loop = asyncio.get_running_loop()
    written: asyncio.Future[BaseException | None] = loop.create_future()

    def done(error: BaseException | None) -> None:
        loop.call_soon_threadsafe(written.set_result, error)

    store.submit(changes, done)
    error = await written
    if error is not None:
        raise error


def _parent_gone(
    loop: asyncio.AbstractEventLoop, pipe: Connection, stop_event: asyncio.Event
) -> None:
    loop.remove_reader(pipe.fileno())  # the parent never writes, so this is the end of its pipe
    stop_event.set()


def _tell(pipe: Connection, word: Ready | Failed) -> None:
    with suppress(OSError):  # no parent, nobody to tell
        pipe.send(word)
