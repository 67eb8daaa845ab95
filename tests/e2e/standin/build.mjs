/** Bundles the host page into dist/, with the icons that @grafana/ui ships and the fonts that it expects. */
import { cpSync, rmSync, writeFileSync } from 'node:fs';
import { build } from 'esbuild';

rmSync('dist', { recursive: true, force: true });
await build({
  entryPoints: { host: 'src/host.tsx' },
  outdir: 'dist',
  bundle: true,
  minify: true,
  format: 'iife',
  target: 'es2022',
  jsx: 'automatic',
  define: { 'process.env.NODE_ENV': '"production"' },
  // half of it all would be Grafana's code editor, which the plugin does not use
  alias: { 'monaco-editor': './src/noCodeEditor.ts' },
  logLevel: 'warning',
  logOverride: { 'package.json': 'silent' }, // systemjs has a type of its own
});
cpSync('node_modules/@grafana/ui/dist/public/img', 'dist/img', { recursive: true });
// the one icon that Grafana itself adds
writeFileSync(
  'dist/img/icons/unicons/spinner.svg',
  '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24"><path d="M12 2a10 10 0 0 1 10 10h-3a7 7 0 0 0-7-7z"/></svg>'
);

const FONTS = { Regular: '400-normal', Italic: '400-italic', Medium: '500-normal', MediumItalic: '500-italic' };
for (const [name, style] of Object.entries(FONTS)) {
  cpSync(`node_modules/@fontsource/inter/files/inter-latin-${style}.woff2`, `dist/fonts/inter/Inter-${name}.woff2`);
}
