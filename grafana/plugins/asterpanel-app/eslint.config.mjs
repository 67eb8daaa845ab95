import { defineConfig } from 'eslint/config';
import baseConfig from './.config/eslint.config.mjs';

export default defineConfig([
  // schema.ts is generated: see `npm run generate`
  { ignores: ['**/node_modules/', '**/dist/', 'playwright-report/', 'test-results/', 'src/api/schema.ts'] },
  ...baseConfig,
]);
