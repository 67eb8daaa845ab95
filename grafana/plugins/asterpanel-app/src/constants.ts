import pluginJson from './plugin.json';

/** Id of the app plugin, as Grafana's URLs have it. */
export const PLUGIN_ID = pluginJson.id;

/** Where Grafana's app proxy hands requests on to the control API (the route `control/*` of plugin.json). */
export const PROXY_PATH = `/api/plugin-proxy/${PLUGIN_ID}/control`;

/** Path of the agent's own page, from Grafana's root. */
export const ME_PATH = `/a/${PLUGIN_ID}/me`;

/** Path of the configuration page, from Grafana's root. */
export const CONFIG_PATH = `/plugins/${PLUGIN_ID}`;
