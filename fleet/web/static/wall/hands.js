// What hands can do to a device; the calls are those of the fleet's control.

import { post } from "../api.js";

/** Hold the reset button as long as the model wants. */
export const press = (index) => post("/api/fleet/press", { devices: [index] });

/** Switch the supply voltage. */
export const power = (index, on) => post("/api/fleet/power", { devices: [index], on });

/** Plug the cable or bring the access point back, or take it away. */
export const link = (index, up) => post("/api/fleet/link", { devices: [index], up });
