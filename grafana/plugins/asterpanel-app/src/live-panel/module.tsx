import { PanelPlugin } from '@grafana/data';

import { texts } from '../i18n';
import { LivePanel } from './LivePanel';
import { addOptions, Options } from './options';

export const plugin = new PanelPlugin<Options>(LivePanel).setPanelOptions((builder) => addOptions(builder, texts()));
