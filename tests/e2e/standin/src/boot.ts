/** What grafana_standin.py writes into the page for the bundle to start with. */

/** A dashboard with one panel of the plugin. */
export interface Dashboard {
  title: string;
  /** Options of the panel, as a dashboard's JSON has them; what is absent has its default. */
  options: Record<string, unknown>;
  /** Pixels. */
  height: number;
  /** Values of the variable `switchboard`, the first is the default; none: the dashboard has no such variable. */
  switchboards: string[];
}

declare global {
  interface Window {
    grafanaBootData: { user: { theme: 'dark' | 'light'; language: string }; [more: string]: unknown };
    __grafana_public_path__: string;
    /** The dashboard that is asked for; null on other pages. */
    standinDashboard: Dashboard | null;
  }
}

/** Of the app plugin; the panel is nested in it. */
export const APP = 'asterpanel-app';
export const PANEL_FOLDER = 'live-panel';
export const PANEL = 'asterpanel-live-panel';
