"""Device models as data: one TOML file per model, loaded and checked by `catalog`."""
