export { actions } from './actions';
export { common } from './common';
export { config } from './config';
export { me } from './me';
export { panel } from './panel';
