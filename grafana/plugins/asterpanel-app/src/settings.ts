/** What Grafana keeps for the app, and every Viewer may read: no secret. */
export interface AppSettings {
  /** Root URL of the control API, as Grafana's server reaches it: `http://control-api:8088`. */
  apiUrl?: string;
}
