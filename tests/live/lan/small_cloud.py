"""As much of a cloud as devices need that stand on the LAN: it lets them in, and takes reports."""

import asyncio
from contextlib import closing

from firmware_sim.wire import datapoint, iot_dns, mqtt, mqtt_payload
from firmware_sim.wire.datapoint import Value

HOST = "127.0.0.1"


class SmallCloud:
    """Answers iot-dns, admits every device, and can order data points and an unbinding.

    `keys` are the local keys by device id. `reported` holds the last data points of each device.
    """

    def __init__(self, keys: dict[str, str]) -> None:
        self._keys = {dev_id: key.encode() for dev_id, key in keys.items()}
        self._streams: dict[str, asyncio.StreamWriter] = {}
        self._servers: list[asyncio.Server] = []
        self.reported: dict[str, dict[int, Value]] = {}
        self.iot_dns = (HOST, 0)
        self._mqtt_port = 0

    async def start(self) -> None:
        for serve in (self._serve_http, self._serve_mqtt):
            self._servers.append(await asyncio.start_server(serve, HOST, 0, backlog=4096))
        http_port, self._mqtt_port = (
            server.sockets[0].getsockname()[1] for server in self._servers
        )
        self.iot_dns = (HOST, http_port)

    def close(self) -> None:
        for server in self._servers:
            server.close()
        for stream in self._streams.values():
            stream.close()

    def order(self, dev_id: str, dps: dict[int, Value]) -> None:
        """Set data points, as an app far away does."""
        self._say(dev_id, mqtt_payload.encode_dp_command(1, datapoint.encode_dps(dps)))

    def unbind(self, dev_id: str) -> None:
        self._say(dev_id, mqtt_payload.encode_reset(dev_id, 1, mqtt_payload.ResetType.NORMAL))

    def _say(self, dev_id: str, body: bytes) -> None:
        payload = mqtt_payload.encode(self._keys[dev_id], body, 1, mqtt_payload.SOURCE_CLOUD)
        packet = mqtt.Publish(mqtt_payload.topic_in(dev_id), payload)
        self._streams[dev_id].write(mqtt.encode(packet))

    async def _serve_http(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with closing(writer):
            await reader.readuntil(b"\r\n\r\n")
            urls = iot_dns.Endpoints(f"http://{HOST}:1/d.json", f"{HOST}:{self._mqtt_port}")
            body = iot_dns.encode_reply(urls, ["AA=="])
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))
            await reader.read()  # whoever closes first keeps the port

    async def _serve_mqtt(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        decoder = mqtt.Decoder()
        with closing(writer):
            while data := await reader.read(4096):
                for packet in decoder.feed(data):
                    self._hear(packet, writer)

    def _hear(self, packet: mqtt.Packet, writer: asyncio.StreamWriter) -> None:
        if isinstance(packet, mqtt.Connect):
            self._streams[packet.client_id] = writer
            writer.write(mqtt.encode(mqtt.Connack(mqtt.ACCEPTED)))
        elif isinstance(packet, mqtt.Subscribe):
            writer.write(mqtt.encode(mqtt.Suback(packet.packet_id, (1,))))
        elif isinstance(packet, mqtt.Publish):
            self._keep(packet)

    def _keep(self, packet: mqtt.Publish) -> None:
        dev_id = packet.topic.rpartition("/")[2]
        if packet.topic == mqtt_payload.topic_out(dev_id):
            message = mqtt_payload.decode(self._keys[dev_id], packet.payload)
            report = mqtt_payload.data_of(message, mqtt_payload.DpReport)
            self.reported.setdefault(dev_id, {}).update(datapoint.decode_dps(report.dps))
