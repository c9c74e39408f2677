"""All routes of the Open API: each module of calls has its own table, this is their sum."""

from fleet.cloud.open import (
    asset_users_api,
    assets_api,
    devices_core,
    devices_industry,
    devices_v1,
    grants_api,
    homes_api,
    logins_api,
    logs,
    pairing,
    rooms_api,
    spaces_api,
    statistics,
    users,
)
from fleet.cloud.open.routes import Route

ROUTES: tuple[Route, ...] = (
    *grants_api.ROUTES,
    *logins_api.ROUTES,
    *devices_v1.ROUTES,
    *devices_industry.ROUTES,
    *devices_core.ROUTES,
    *pairing.ROUTES,
    *logs.ROUTES,
    *users.ROUTES,
    *homes_api.ROUTES,
    *rooms_api.ROUTES,
    *spaces_api.ROUTES,
    *assets_api.ROUTES,
    *asset_users_api.ROUTES,
    *statistics.ROUTES,
)
