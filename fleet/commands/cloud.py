"""Options of `fleet cloud ...`: the platform alone, for clients and devices that come from elsewhere.

The work is in the modules that each command imports.
"""

from pathlib import Path
from typing import Annotated

import typer

from firmware_sim.errors import UsageError
from fleet.commands import options

app = typer.Typer(
    help="The cloud alone: its Open API, console, message push and device ports. Without --data it "
    "forgets everything when it ends.",
    invoke_without_command=True,
    rich_markup_mode=None,
)

Data = Annotated[
    str,
    typer.Option(
        "--data",
        envvar="FLEET_DATA",
        help="Where the data are: a folder, or postgresql://USER@HOST:PORT/DATABASE.",
    ),
]
SettingsFile = Annotated[
    Path | None,
    typer.Option("--settings", help="TOML file of settings (see the README of fleet/cloud)."),
]
RegionPorts = Annotated[
    list[str] | None,
    typer.Option(help="One more port, for one data centre: us=8081. May be repeated."),
]
Broker = Annotated[
    str,
    typer.Option(
        "--broker",
        envvar="FLEET_BROKER",
        help="MQTT broker of the devices, if not the cloud's own: mqtt://USER:PASSWORD@HOST:PORT.",
    ),
]
HttpsPort = Annotated[
    int | None,
    typer.Option(
        min=0,
        max=65_535,
        help="With --tls: one more port for devices, which real firmware wants to be 443.",
    ),
]


@app.callback()
def serve(
    context: typer.Context,
    *,
    data: Data = "",
    demo: Annotated[
        bool, typer.Option("--demo", help="Start with the built-in data set if there is nothing.")
    ] = False,
    settings: SettingsFile = None,
    ready_file: Annotated[
        Path | None, typer.Option(help="Written when it serves: URLs and access keys as JSON.")
    ] = None,
    host: Annotated[
        str | None,
        typer.Option(
            help="Address to listen on; else 127.0.0.1. Others can reach what you name here, and "
            "without --tls nothing is encrypted."
        ),
    ] = None,
    told_host: Annotated[
        str, typer.Option(help="Name or address that devices are told; else that of --host.")
    ] = "",
    port: Annotated[int, typer.Option(help="Port for HTTP and push; 0: any free one.")] = 0,
    mqtt_port: Annotated[int, typer.Option(help="Port for devices; 0: any free one.")] = 0,
    region_port: RegionPorts = None,
    tls: Annotated[
        bool, typer.Option("--tls", help="Encrypt every port, by a CA made at the first start.")
    ] = False,
    tls_folder: Annotated[
        str, typer.Option(help="With --tls: where that CA is kept; else tls in the data folder.")
    ] = "",
    device_https_port: HttpsPort = None,
    broker: Broker = "",
) -> None:
    """Serve until Ctrl-C."""
    if context.invoked_subcommand is not None:
        return
    from fleet.cloud.external import parse_address
    from fleet.cloud.toml_file import demo_seed, read_settings
    from fleet.commands import cloud_serve

    cloud_serve.serve(
        cloud_serve.Wish(
            data=data,
            seed=demo_seed() if demo else None,
            settings=read_settings(settings) if settings is not None else None,
            ready_file=ready_file,
            host=host,
            told_host=told_host,
            port=port,
            mqtt_port=mqtt_port,
            region_ports=cloud_serve.read_region_ports(region_port or ()),
            tls=tls,
            tls_folder=tls_folder,
            device_https_port=device_https_port,
            broker=parse_address(broker) if broker else None,
        )
    )


@app.command()
def seed(
    file: Annotated[Path, typer.Argument(help="TOML file: accounts, projects, products, ...")],
    *,
    data: Data = "",
    settings: SettingsFile = None,
) -> None:
    """Put people, projects, products and devices into a cloud's data, all of them or none.

    The cloud must not be running on these data.
    """
    from fleet.cloud.toml_file import read_seed, read_settings
    from fleet.commands import cloud_seed

    if not data:
        raise UsageError(
            "where to? give --data FOLDER or --data postgresql://... after the word seed"
        )
    chosen = read_settings(settings) if settings is not None else None
    typer.echo(cloud_seed.put(read_seed(file), str(file), data, chosen))


@app.command()
def explain(
    account: Annotated[str, typer.Argument(help="A developer account, or a consumer.")],
    action: Annotated[str, typer.Argument(help="see, command, unbind, delete, reset, ...")],
    device: Annotated[str, typer.Argument(help="Device id.")],
    *,
    data: Data = "",
    settings: SettingsFile = None,
    cloud: options.Cloud = "",
    ready: options.Ready = None,
    asker: Annotated[
        str, typer.Option("--as", help="Who asks a running cloud; else ACCOUNT itself.")
    ] = "",
    password: options.Password = "",
) -> None:
    """Say why somebody may or may not do something with a device; the exit code is 0 or 1.

    Ask the data of a cloud that is not running (--data), or a running one (--cloud, --ready).
    """
    import asyncio

    from fleet.cloud.toml_file import read_settings
    from fleet.commands import cloud_explain
    from fleet.commands.access import resolve

    question = cloud_explain.Question(account, action, device)
    if cloud or ready is not None:
        access = resolve(cloud, ready, asker or account, password)
        answer = asyncio.run(cloud_explain.at_cloud(question, access))
    elif data:
        chosen = read_settings(settings) if settings is not None else None
        answer = cloud_explain.in_data(question, data, chosen)
    else:
        raise UsageError("ask which cloud? give --data, --ready or --cloud")
    typer.echo("\n".join(answer.lines))
    raise typer.Exit(0 if answer.allowed else 1)
