"""mosquitto_pub and mosquitto_sub at our broker: the lines of the README, and what a monitor hears."""

import re
import shlex
import subprocess
from pathlib import Path

import fleet.cloud
from firmware_sim.wire import mqtt_payload
from fleet.cloud.edge.local import LocalCloud
from fleet.run.shelf import Shelf
from tests.live.cloud.broker.mosquitto import program, running_mosquitto

README = (Path(fleet.cloud.__file__).parent / "README.md").read_text()
WAIT_S = "10"


def lines() -> list[str]:
    found = re.search(r"<!-- guests -->\n```sh\n(.*?)```", README, re.DOTALL)
    assert found is not None
    return found[1].splitlines()


def command(line: str, port: int) -> list[str]:
    """Return a line of the README for another port."""
    name, *words = shlex.split(line)
    assert words[:2] == ["-p", "1883"]
    return [program(name), "-p", str(port), *words[2:]]


def run(line: str, port: int) -> str:
    """Carry a line out and return what it prints; it must end by itself, and well."""
    wait = ["-W", WAIT_S] if line.startswith("mosquitto_sub") else []
    done = subprocess.run(
        [*command(line, port), *wait], capture_output=True, text=True, check=False, timeout=30
    )
    assert (done.returncode, done.stderr) == (0, ""), line
    return done.stdout


def test_the_readme_s_lines_do_what_it_says(tuya_cloud: LocalCloud, tuya_devices: Shelf) -> None:
    port = tuya_cloud.ready.mqtt_port
    *finite, endless = lines()
    heard = [run(line, port) for line in finite]
    assert heard == ["1\n", "", "test/1 hello\n", "", "", "while you were away\n"]
    camera = tuya_cloud.seed.devices[0]
    with subprocess.Popen(command(endless, port), stdout=subprocess.PIPE, text=True) as monitor:
        assert monitor.stdout is not None
        while run(lines()[0], port) == "1\n":
            pass  # until the monitor is connected
        tuya_devices.switch_on(camera, "ipc-blue-red")
        report = f"{mqtt_payload.topic_out(camera.dev_id)} {b'2.'.hex()}"  # and a digit
        assert any(line.startswith(report) for line in monitor.stdout)
        monitor.terminate()


BRIDGE = """
connection home
address 127.0.0.1:{port}
remote_username tester
remote_password demo-password
try_private false
restart_timeout 1
topic test/out out 2
topic test/in in 2
"""


def say(port: int, topic: str) -> None:
    run(f"mosquitto_pub -p 1883 -u tester -P demo-password -t {topic} -m {topic} -q 2 -r", port)


def hear(port: int, topic: str) -> str:
    return run(f"mosquitto_sub -p 1883 -u tester -P demo-password -t {topic} -q 2 -C 1", port)


def test_a_bridge_of_mosquitto_carries_messages_both_ways(tuya_cloud: LocalCloud) -> None:
    """With the notifications that it sends unless told otherwise."""
    port = tuya_cloud.ready.mqtt_port
    say(port, "test/in")
    with running_mosquitto(BRIDGE.format(port=port)) as home:
        assert hear(home, "test/in") == "test/in\n"
        say(home, "test/out")
        assert hear(port, "test/out") == "test/out\n"
