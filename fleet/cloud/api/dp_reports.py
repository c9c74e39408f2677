"""Data points that a device reports, whichever way they came: kept, counted, told to programs."""

import msgspec

from fleet.cloud import push
from fleet.cloud.devices import Device
from fleet.cloud.state import State


def take(state: State, device: Device, dps: msgspec.Raw, now_ms: int) -> None:
    """Take a JSON object of values by data point id; raises Malformed or TooLarge.

    What a device reports after it lost its owner, on its way out, is nobody's.
    """
    if not device.bound:
        return
    report = state.data_points.report(device.dev_id, dps, now_ms)
    state.counts["dp_reports"] += 1
    product = state.products.get(device.product_id)
    schema = product.schema if product is not None else ""
    told = push.reported(device, report, schema, now_ms)
    if told is not None:
        state.journal.effects.append(told)
